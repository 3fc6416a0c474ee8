"""An API server that has Secrets, and answers as it is told; Pods that name them."""

from __future__ import annotations

import asyncio
import base64
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.kube.observer import SilentObserver
from app.kube.secrets import KubePullSecrets
from app.ports import Pulled, Puller, PullSecret

JSON = "kubernetes.io/dockerconfigjson"
CANARY = b"canary-7f3a"
ACCOUNT = "/api/v1/namespaces/n/serviceaccounts/sa"
SOON = 5.0


@dataclass
class Given:
    """Implements `DatedResponse`."""

    status: int
    body: bytes
    date: datetime | None = None
    retry_after_seconds: float | None = None

    async def chunks(self) -> AsyncIterator[bytes]:
        yield self.body


@dataclass
class Api:
    """Implements `SendingTransport`; has objects by their path.

    Attributes:
        objects: path -> body; others are not there.
        refused: path -> status.
        faults: path -> what is raised.
        opened: once it is set, or at once without one, requests are answered.
        asked: paths, in order.
    """

    objects: dict[str, bytes] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    faults: dict[str, Exception] = field(default_factory=dict)
    opened: asyncio.Event | None = None
    asked: list[str] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    @asynccontextmanager
    async def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        body: bytes | None = None,
        content_type: str = "application/json",
    ) -> AsyncIterator[Given]:
        assert ("GET", {}, None) == (method, query, body), content_type
        self.asked.append(path)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            if self.opened is not None:
                await self.opened.wait()
            if path in self.faults:
                raise self.faults[path]
            status = self.refused.get(path, 200 if path in self.objects else 404)
            yield Given(status, self.objects.get(path, b"{}"))
        finally:
            self.under_way -= 1

    async def renew(self) -> None:
        """Does nothing."""


class Counts(SilentObserver):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()

    def counted(self, resource: str, event: str) -> None:
        self.events[f"{resource} {event}"] += 1


def path(name: str, namespace: str = "n") -> str:
    return f"/api/v1/namespaces/{namespace}/secrets/{name}"


def secret(content: bytes = CANARY, kind: str = JSON) -> bytes:
    data = {".dockerconfigjson": base64.b64encode(content).decode()}
    return json.dumps({"type": kind, "data": data}).encode()


def account(*names: str) -> bytes:
    return json.dumps({"imagePullSecrets": [{"name": one} for one in names]}).encode()


def having(*names: str, namespace: str = "n") -> dict[str, bytes]:
    return {path(name, namespace): secret(name.encode()) for name in names}


def reader(api: Api, **settings: Any) -> KubePullSecrets:
    given: dict[str, Any] = {"read": "namespaces", "namespaces": {"n"}} | settings
    return KubePullSecrets(api, **given)


def pod(*names: str, namespace: str = "n") -> Puller:
    return Puller(namespace, names)


async def read(
    given: KubePullSecrets, puller: Puller, *, seconds: float = SOON
) -> list[str]:
    """The names of those that were read; `?` before one that was not."""
    return told(await given.read(puller, deadline_seconds=seconds))


def told(found: Pulled | None) -> list[str]:
    """As `read`; `["wait"]` where it would have to be read."""
    if found is None:
        return ["wait"]
    return [
        one.name if isinstance(one, PullSecret) else f"?{one.name}" for one in found
    ]
