"""The HTTPS port's routes: bytes in, bytes out; what they mean is `checker`'s.

| route | answers |
|---|---|
| `POST /v1/validate` | an AdmissionReview: allowed, denied, warnings |
| `POST /v1/mutate` | an AdmissionReview: annotations as a JSONPatch |
| `GET /healthz` | 200 while the process serves |
| `GET /readyz` | as on the status port |

A review is always answered with its uid and HTTP 200. A body that is none gets
a 4xx with one JSON line `{"reason", "message"}`; it never echoes the body.
`docs/reference/endpoints.md` has every status.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from app.admission import review
from app.checker.record import Webhook
from app.errors import ReviewError
from app.settings.sections import ServerSettings
from app.webhook import body
from app.webhook.body import Beginning, Budget
from app.webhook.connection import EXTENSION
from app.webhook.duration import granted_by_query
from app.webhook.life import Life
from app.webhook.parts import Parts
from app.webhook.status_port import add_health

MIN_SECONDS: Final = 0.001
"""For a review whose time is nearly over: what is at hand is enough for most."""

PATHS: Final[Mapping[str, Webhook]] = {
    "/v1/validate": "validate",
    "/v1/mutate": "mutate",
}

_Answer = Callable[..., Awaitable[review.Response]]


@dataclass(frozen=True, slots=True)
class Reviews:
    """The routes of both webhooks.

    Attributes:
        parts: what they are made of.
        settings: bounds and defaults.
        budget: of bodies that are being read.
        clock: monotonic, in seconds; `connection` stamps requests by the same.
    """

    parts: Parts
    settings: ServerSettings
    budget: Budget = field(default_factory=Budget)
    clock: Callable[[], float] = time.monotonic

    async def validate(self, request: Request) -> Response:
        """`POST /v1/validate`."""
        answer = self.parts.reviewer.validate
        seconds = self.settings.validate_timeout_seconds
        return await self._handle(request, "validate", answer, seconds)

    async def mutate(self, request: Request) -> Response:
        """`POST /v1/mutate`."""
        answer = self.parts.reviewer.mutate
        seconds = self.settings.mutate_timeout_seconds
        return await self._handle(request, "mutate", answer, seconds)

    async def _handle(
        self, request: Request, webhook: Webhook, answer: _Answer, seconds: float
    ) -> Response:
        scope = request.scope
        arrived = (scope.get("extensions") or {}).get(EXTENSION, self.clock())
        granted = granted_by_query(scope["query_string"], seconds)
        try:
            asked = await body.read(request, self.settings.max_body_bytes, self.budget)
            started = self.clock()
            if started - arrived >= granted:
                return self._expired(webhook)
            if isinstance(asked, Beginning):
                answer = partial(self.parts.reviewer.shed, webhook=webhook)
                asked = _named(asked)
        except ReviewError as error:
            return self._rejected(error)
        left = arrived + granted * self.settings.deadline_share - started
        response = await answer(asked, deadline_seconds=max(left, MIN_SECONDS))
        self.parts.metrics.observe(
            "admission_duration_seconds",
            self.clock() - started,
            webhook=webhook,
            decision=response.decision,
        )
        return Response(review.respond(asked.uid, response), media_type=body.JSON)

    def _expired(self, webhook: Webhook) -> Response:
        self.parts.metrics.count("admission_expired_total", webhook=webhook)
        text = "the time that was granted is over"
        return _said("Expired", text, 408)

    def _rejected(self, error: ReviewError) -> Response:
        self.parts.metrics.count("admission_rejected_bodies_total", reason=error.reason)
        return _said(error.reason, error.message, error.status)

    def dropped(self, path: str) -> None:
        """Counts a review whose sender has hung up."""
        if path in PATHS:
            webhook = PATHS[path]
            self.parts.metrics.count("admission_expired_total", webhook=webhook)

    def refused(self) -> None:
        """Counts a connection for which there was no room."""
        reason = "TooManyConnections"
        self.parts.metrics.count("admission_rejected_bodies_total", reason=reason)


def create_app(reviews: Reviews, life: Life) -> Any:  # noqa: ANN401 - ASGI has no type
    """The application of the HTTPS port."""
    app = FastAPI(
        title="imagecompat",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    # Not `app.post`: what FastAPI makes of an endpoint's parameters takes 30 us.
    app.add_route("/v1/validate", reviews.validate, methods=["POST"])
    app.add_route("/v1/mutate", reviews.mutate, methods=["POST"])
    add_health(app, life)
    return quietly(app)


def quietly(app: Any) -> Any:  # noqa: ANN401
    """The same, where a request that is cancelled ends without a word.

    It is cancelled when its sender has hung up; uvicorn would log that as an error.
    """

    async def asked(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        try:
            await app(scope, receive, send)
        except asyncio.CancelledError:
            return

    return asked


def _named(beginning: Beginning) -> review.Review:
    found = body.named(beginning)
    if found is None:
        text = "too many large bodies at the same time"
        raise ReviewError("Overloaded", text, status=503)
    return found


def _said(reason: str, message: str, status: int) -> Response:
    content = {"reason": reason, "message": message}
    return JSONResponse(content, status_code=status)
