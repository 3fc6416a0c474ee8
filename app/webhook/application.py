"""The routes: bytes in, bytes out; what they mean is `checker`'s.

| route | answers |
|---|---|
| `POST /v1/validate` | an AdmissionReview: allowed, denied, warnings |
| `POST /v1/mutate` | an AdmissionReview: annotations as a JSONPatch |
| `GET /healthz` | 200 while the process serves |
| `GET /readyz` | 200 after the first full sync, else 503 with what is missing |
| `GET /metrics` | Prometheus' text format |

A review is always answered with its uid and HTTP 200. A body that is none gets
a 4xx with one JSON line `{"reason", "message"}`; it never echoes the body.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from app.admission import review
from app.bootstrap import Health
from app.errors import ReviewError
from app.settings import ServerSettings
from app.telemetry import Metrics
from app.webhook.duration import granted_seconds

_JSON: Final = "application/json"


class Reviewer(Protocol):
    """Answers reviews; never raises, always within the deadline."""

    async def validate(
        self, request: review.Review, *, deadline_seconds: float
    ) -> review.Response:
        """Allows, warns or denies."""
        ...

    async def mutate(
        self, request: review.Review, *, deadline_seconds: float
    ) -> review.Response:
        """Allows, with a patch of annotations."""
        ...


class Parts(Protocol):
    """What the application is made of; `bootstrap.Wired` implements it."""

    @property
    def reviewer(self) -> Reviewer:
        """Answers reviews."""
        ...

    @property
    def health(self) -> Health:
        """Decides `/readyz`."""
        ...

    @property
    def metrics(self) -> Metrics:
        """What `/metrics` prints, and where reviews are counted."""
        ...

    @property
    def running(self) -> Callable[[], AbstractAsyncContextManager[None]]:
        """Entered before the application serves; starts the watches."""
        ...

    @property
    def refresh(self) -> Callable[[], None]:
        """Called before metrics are printed, to bring gauges up to date."""
        ...


_Answer = Callable[..., Awaitable[review.Response]]


def create_app(parts: Parts, settings: ServerSettings) -> FastAPI:
    """The application; `server` enters `parts.running` around it."""
    app = FastAPI(
        title="imagecompat",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    _add_reviews(app, parts, settings)
    _add_health(app, parts)
    return app


def _add_reviews(app: FastAPI, parts: Parts, settings: ServerSettings) -> None:
    async def handle(
        request: Request, webhook: str, answer: _Answer, default_seconds: float
    ) -> Response:
        try:
            body = await _body(request, settings.max_body_bytes)
            started = time.perf_counter()
            asked = review.read(body)
        except ReviewError as error:
            parts.metrics.count("admission_rejected_bodies_total", reason=error.reason)
            content = {"reason": error.reason, "message": error.message}
            return JSONResponse(content, status_code=error.status)
        granted = granted_seconds(request.query_params.get("timeout"), default_seconds)
        response = await answer(
            asked, deadline_seconds=granted * settings.deadline_share
        )
        seconds = time.perf_counter() - started
        parts.metrics.observe(
            "admission_duration_seconds",
            seconds,
            webhook=webhook,
            decision=response.decision,
        )
        return Response(review.respond(asked.uid, response), media_type=_JSON)

    @app.post("/v1/validate")
    async def validate(request: Request) -> Response:
        answer, seconds = parts.reviewer.validate, settings.validate_timeout_seconds
        return await handle(request, "validate", answer, seconds)

    @app.post("/v1/mutate")
    async def mutate(request: Request) -> Response:
        answer, seconds = parts.reviewer.mutate, settings.mutate_timeout_seconds
        return await handle(request, "mutate", answer, seconds)


def _add_health(app: FastAPI, parts: Parts) -> None:
    @app.get("/healthz")
    async def healthz() -> Response:
        return PlainTextResponse("ok\n")

    @app.get("/readyz")
    async def readyz() -> Response:
        problems = parts.health.problems()
        if problems:
            return PlainTextResponse("\n".join(problems) + "\n", status_code=503)
        return PlainTextResponse("ok\n")

    @app.get("/metrics")
    async def metrics() -> Response:
        parts.refresh()
        return Response(
            parts.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8"
        )


async def _body(request: Request, most: int) -> bytes:
    """The request's body.

    Raises:
        ReviewError: it is no JSON by its own word, or larger than `most` bytes.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _JSON:
        text = f"expected Content-Type {_JSON}"
        raise ReviewError("UnsupportedMediaType", text, status=415)
    declared = request.headers.get("content-length", "")
    chunks: list[bytes] = []
    size = int(declared) if declared.isdecimal() else 0
    if size <= most:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > most:
                break
            chunks.append(chunk)
    if size > most:
        text = f"the body is larger than {most} bytes"
        raise ReviewError("BodyTooLarge", text, status=413)
    return b"".join(chunks)
