"""The application without a socket: ASGI messages in, ASGI messages out."""

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import FastAPI

from app.admission import review
from app.settings import ServerSettings
from app.telemetry import Metrics
from app.webhook.application import create_app


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


@dataclass
class TestParts:
    """Implements `Parts`."""

    __test__ = False

    reviewer: RecordingReviewer
    health: Any
    metrics: Metrics
    running: Any
    refresh: Any


@dataclass
class Harness:
    """The application, and what it is made of."""

    app: FastAPI
    reviewer: RecordingReviewer
    metrics: Metrics
    problems: list[str]

    async def call(
        self,
        method: str,
        path: str,
        chunks: Iterable[bytes] = (b"",),
        headers: dict[str, str] | None = None,
    ) -> Answered:
        """One request; `chunks` are the body as the server receives it."""
        given = {"content-type": "application/json", **(headers or {})}
        target, _, query = path.partition("?")
        scope = {
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

        await self.app(scope, receive, send)
        start = sent[0]
        return Answered(
            status=start["status"],
            headers={k.decode(): v.decode() for k, v in start["headers"]},
            body=b"".join(message.get("body", b"") for message in sent[1:]),
        )


@pytest.fixture
def harness() -> Harness:
    problems: list[str] = []

    class Health:
        def problems(self) -> tuple[str, ...]:
            return tuple(problems)

    reviewer, metrics = RecordingReviewer(), Metrics()
    parts = TestParts(
        reviewer=reviewer,
        health=Health(),
        metrics=metrics,
        running=nullcontext,
        refresh=lambda: metrics.set("cluster_stale_seconds", 3.0),
    )
    settings = ServerSettings(max_body_bytes=2048)
    return Harness(create_app(parts, settings), reviewer, metrics, problems)
