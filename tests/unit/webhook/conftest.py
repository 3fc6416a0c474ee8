"""The application without a socket: ASGI messages in, ASGI messages out."""

import ssl
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import FastAPI

from app.admission import review
from app.settings.sections import ServerSettings
from app.status import Status
from app.telemetry import Metrics
from app.webhook.application import Reviews, create_app
from app.webhook.body import Budget
from app.webhook.connection import EXTENSION
from app.webhook.life import Life
from app.webhook.status_port import create_status_app
from app.webhook.watchdog import Watchdog


@dataclass
class Answered:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class RecordingReviewer:
    """Answers what it is told to, and remembers what it was asked."""

    response: review.Response = field(
        default_factory=lambda: review.Response(allowed=True)
    )
    asked: list[tuple[str, review.Review, float]] = field(default_factory=list)

    async def validate(
        self, request: review.Review, *, deadline_seconds: float
    ) -> review.Response:
        self.asked.append(("validate", request, deadline_seconds))
        return self.response

    async def mutate(
        self, request: review.Review, *, deadline_seconds: float
    ) -> review.Response:
        self.asked.append(("mutate", request, deadline_seconds))
        return self.response

    async def shed(
        self, request: review.Review, webhook: str, *, deadline_seconds: float
    ) -> review.Response:
        self.asked.append((f"shed {webhook}", request, deadline_seconds))
        return self.response


@dataclass
class Told:
    """Says what it is told to; implements `Health` and `Certificates`."""

    problem: str = ""
    warning: str = ""

    def problems(self) -> tuple[str, ...]:
        return (self.problem,) if self.problem else ()

    def warnings(self) -> tuple[str, ...]:
        return (self.warning,) if self.warning else ()

    def running(self) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    async def available(self) -> None:
        return

    def context(self) -> ssl.SSLContext:
        raise NotImplementedError

    def status(self) -> dict[str, object]:
        return {"mode": "files"}


@dataclass
class TestParts:
    """Implements `Parts`."""

    __test__ = False

    reviewer: RecordingReviewer
    health: Told
    certificates: Told
    metrics: Metrics
    running: Any
    refresh: Any
    job_seconds: Any
    status: Any


@dataclass
class Now:
    """A clock that goes when told to."""

    seconds: float = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Harness:
    """Both applications, and what they are made of."""

    app: Any
    status_app: FastAPI
    parts: TestParts
    life: Life
    now: Now
    budget: Budget
    connections: int = 7
    body_bytes: int = 11

    @property
    def reviewer(self) -> RecordingReviewer:
        return self.parts.reviewer

    @property
    def metrics(self) -> Metrics:
        return self.parts.metrics

    async def status(self, path: str) -> Answered:
        """One GET to the status port."""
        return await self.call("GET", path, app=self.status_app)

    async def call(
        self,
        method: str,
        path: str,
        chunks: Iterable[bytes] = (b"",),
        headers: dict[str, str] | None = None,
        *,
        app: Any = None,
        waited: float | None = None,
    ) -> Answered:
        """One request; `chunks` are the body as the server receives it.

        `waited`: seconds since its first bytes arrived; `None` if nobody knows.
        """
        scope = _scope(method, path, headers or {})
        if waited is not None:
            scope["extensions"] = {EXTENSION: self.now() - waited}
        parts = list(chunks)
        inbox = [
            {"type": "http.request", "body": part, "more_body": n + 1 < len(parts)}
            for n, part in enumerate(parts)
        ]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return inbox.pop(0) if inbox else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(dict(message))

        await (app or self.app)(scope, receive, send)
        start = sent[0]
        return Answered(
            status=start["status"],
            headers={k.decode(): v.decode() for k, v in start["headers"]},
            body=b"".join(message.get("body", b"") for message in sent[1:]),
        )


def _scope(method: str, path: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """A request as ASGI has it, up to its body."""
    given = {"content-type": "application/json", **headers}
    target, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": target,
        "raw_path": target.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(k.encode(), v.encode()) for k, v in given.items()],
        "server": ("test", 443),
        "client": ("test", 1),
    }


@pytest.fixture
def harness() -> Harness:
    now, metrics = Now(), Metrics()
    parts = TestParts(
        reviewer=RecordingReviewer(),
        health=Told(),
        certificates=Told(),
        metrics=metrics,
        running=nullcontext,
        refresh=lambda: metrics.set("cluster_stale_seconds", 3.0),
        job_seconds=lambda: 0.0,
        status=Status,
    )
    settings = ServerSettings(max_body_bytes=128 << 10)
    life = Life(parts, settings.stuck_seconds, now)
    life.is_open = True
    budget = Budget(256 << 10)
    reviews = Reviews(parts, settings, budget, now)
    made = Harness(create_app(reviews, life), FastAPI(), parts, life, now, budget)
    watchdog = Watchdog(settings.stuck_seconds, clock=now)
    made.status_app = create_status_app(parts, life, watchdog, made)
    return made
