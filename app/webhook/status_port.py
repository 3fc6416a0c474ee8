"""The status port's routes: health, metrics and the state of the process.

`docs/reference/endpoints.md` says what each answers, and to whom.
"""

from __future__ import annotations

from typing import Final, Protocol

import msgspec
from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse

from app import __version__
from app import status as statuses
from app.status import Status
from app.webhook.life import Life
from app.webhook.parts import Parts
from app.webhook.watchdog import Watchdog

_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


class Ports(Protocol):
    """What the HTTPS port holds at this moment."""

    @property
    def connections(self) -> int:
        """That are open."""
        ...

    @property
    def body_bytes(self) -> int:
        """Of bodies that are being read."""
        ...


def create_status_app(
    parts: Parts, life: Life, watchdog: Watchdog, ports: Ports
) -> FastAPI:
    """The application of the status port."""
    app = FastAPI(
        title="imagecompat",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    add_health(app, life)

    @app.get("/livez")
    async def livez() -> Response:
        return _lines(life.faults(), ())

    @app.get("/metrics")
    async def metrics() -> Response:
        parts.refresh()
        parts.metrics.set("ready", float(not life.problems()))
        lag = watchdog.lag_seconds(forget=True)
        parts.metrics.set("event_loop_lag_seconds", lag)
        return Response(parts.metrics.text(), media_type=_TEXT)

    @app.get("/statusz")
    async def statusz() -> Response:
        document = document_of(parts, life, watchdog, ports)
        return Response(statuses.encode(document), media_type="application/json")

    return app


def add_health(app: FastAPI, life: Life) -> None:
    """The routes that both ports have."""

    @app.get("/healthz")
    async def healthz() -> Response:
        return _lines(life.faults(), ())

    @app.get("/readyz")
    async def readyz() -> Response:
        return _lines(life.problems(), life.warnings())


def document_of(parts: Parts, life: Life, watchdog: Watchdog, ports: Ports) -> Status:
    """What `/statusz` answers: the parts' state, and our own."""
    told, problems = parts.status(), life.problems()
    load = msgspec.structs.replace(
        told.load,
        connections=ports.connections,
        body_bytes=ports.body_bytes,
        lag_seconds=round(watchdog.lag_seconds(), 3),
        worker_seconds=round(parts.job_seconds(), 3),
    )
    return msgspec.structs.replace(
        told,
        software=__version__,
        started=life.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        uptime_seconds=round(life.uptime_seconds, 3),
        ready=not problems,
        draining=life.is_draining,
        problems=problems,
        warnings=life.warnings(),
        load=load,
        certificate=parts.certificates.status(),
    )


def _lines(problems: tuple[str, ...], warnings: tuple[str, ...]) -> Response:
    if problems:
        return PlainTextResponse("\n".join(problems) + "\n", status_code=503)
    lines = ("ok", *(f"warning: {one}" for one in warnings))
    return PlainTextResponse("\n".join(lines) + "\n")
