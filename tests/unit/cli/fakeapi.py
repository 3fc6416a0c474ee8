"""An API server in memory; implements `asking.Api`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from app.cli.installed.asking import Created
from app.kube.connection import JSON
from app.kube.transport import RefusedError


class FakeApi:
    """Answers GETs from a table, and creations one after the other.

    Attributes:
        objects: path -> what stands there, or the status of a refusal. A path with
            a query (`?labelSelector=...`) comes before the one without; what is not
            there is a 404.
        asked: `(path, query, accept)` of each GET.
        created: `(path, query, body)` of each creation.
    """

    def __init__(
        self,
        objects: Mapping[str, Any] | None = None,
        answers: Sequence[Created] = (),
    ) -> None:
        self.objects = dict(objects or {})
        self.asked: list[tuple[str, dict[str, str], str]] = []
        self.created: list[tuple[str, dict[str, str], Any]] = []
        self._answers = list(answers)

    async def get(
        self, path: str, query: Mapping[str, str], *, accept: str = JSON
    ) -> bytes:
        """See `asking.Api`."""
        self.asked.append((path, dict(query), accept))
        full = path + "".join(f"?{k}={v}" for k, v in sorted(query.items()))
        found = self.objects.get(full, self.objects.get(path, 404))
        if isinstance(found, int):
            raise RefusedError(found, f"refused {path}")
        if isinstance(found, Exception):
            raise found
        return found if isinstance(found, bytes) else json.dumps(found).encode()

    async def create(self, path: str, query: Mapping[str, str], body: bytes) -> Created:
        """See `asking.Api`; the last answer holds for good."""
        self.created.append((path, dict(query), json.loads(body)))
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


class Clock:
    """Time that passes while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Returns at once; so much later."""
        self.now += seconds
