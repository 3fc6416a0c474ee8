"""An API server that answers from a script, and a clock that nobody waits for.

Tests of `app.kube` feed recorded bytes through these: no socket, no sleep. A
script that is used up raises `ScriptEnded`, which ends a reflector's loop.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from app.errors import ImagecompatError
from app.kube.backoff import Clock
from app.kube.transport import Response


class ScriptEnded(Exception):  # noqa: N818 - nothing went wrong
    """Everything in the script was asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        chunks: the body, as it arrives.
        status: the HTTP status.
        retry_after_seconds: what `Retry-After` says.
        fault: raised behind the last chunk; instead of the answer if `status` is 0.
        seconds: how long the clock goes on behind each chunk.
    """

    chunks: tuple[bytes, ...] = ()
    status: int = 200
    retry_after_seconds: float | None = None
    fault: BaseException | None = None
    seconds: float = 0.0


class FakeTime:
    """A clock that goes on only when somebody sleeps, or a script says so."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []

    async def sleep(self, seconds: float) -> None:
        if seconds:
            self.sleeps.append(seconds)
        self.now += seconds

    def clock(self) -> Clock:
        """Chance is the lower of two bounds."""
        return Clock(
            now=lambda: self.now, sleep=self.sleep, uniform=lambda low, _: float(low)
        )


@dataclass
class _Given:
    """Implements `Response`."""

    answer: Answer
    time: FakeTime

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def retry_after_seconds(self) -> float | None:
        return self.answer.retry_after_seconds

    async def chunks(self) -> AsyncIterator[bytes]:
        for chunk in self.answer.chunks:
            yield chunk
            self.time.now += self.answer.seconds
        if self.answer.fault is not None:
            raise self.answer.fault


@dataclass
class ScriptedApi:
    """Implements `Transport`; gives the answers of `script` in order.

    Attributes:
        script: answers; or path -> answers, for several who ask side by side.
        requests: (path, query) of every request.
        renewals: how often credentials were asked for again.
        renewal_fault: what that raises.
    """

    time: FakeTime
    script: list[Answer] | dict[str, list[Answer]]
    requests: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    renewals: int = 0
    renewal_fault: ImagecompatError | None = None

    @asynccontextmanager
    async def get(self, path: str, query: Mapping[str, str]) -> AsyncIterator[Response]:
        script = self.script
        answers = script.get(path, []) if isinstance(script, dict) else script
        if not answers:
            raise ScriptEnded
        self.requests.append((path, dict(query)))
        answer = answers.pop(0)
        if not answer.status and answer.fault is not None:
            raise answer.fault
        yield _Given(answer, self.time)

    async def renew(self) -> None:
        self.renewals += 1
        if self.renewal_fault is not None:
            raise self.renewal_fault

    def asked(self) -> list[str]:
        """What each request was for: `stream`, `list`, `watch VERSION` or `get`."""
        return [_kind(query) for _, query in self.requests]


def _kind(query: Mapping[str, str]) -> str:
    if "sendInitialEvents" in query:
        return "stream"
    if "watch" in query:
        return f"watch {query['resourceVersion']}"
    return "list" if "limit" in query else "get"


@dataclass
class Recorder:
    """Implements `Observer`."""

    counts: list[str] = field(default_factory=list)
    notes: list[tuple[Any, ...]] = field(default_factory=list)

    def counted(self, resource: str, event: str) -> None:  # noqa: ARG002 - one resource
        self.counts.append(event)

    def synced(self, resource: str, objects: int) -> None:
        self.notes.append(("synced", resource, objects))

    def failed(self, resource: str, reason: str, detail: str) -> None:  # noqa: ARG002 - texts are tested where they are made
        self.notes.append(("failed", resource, reason))

    def recovered(self, resource: str) -> None:
        self.notes.append(("recovered", resource))

    def installed(self, resource: str, *, is_installed: bool) -> None:
        self.notes.append(("installed", resource, is_installed))


def event(kind: str, content: Mapping[str, Any]) -> bytes:
    """One line of a watch, as API servers write it."""
    line = json.dumps({"type": kind, "object": content}, separators=(",", ":"))
    return line.encode() + b"\n"


def bookmark(version: str, *, ends_list: bool = False) -> bytes:
    """A BOOKMARK."""
    metadata: dict[str, Any] = {"resourceVersion": version}
    if ends_list:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    return event("BOOKMARK", {"kind": "Node", "metadata": metadata})


def status(code: int, message: str = "") -> bytes:
    """An ERROR inside a watch."""
    return event("ERROR", {"kind": "Status", "code": code, "message": message})


def page(
    *objects: Mapping[str, Any], version: str = "10", token: str = "", pad: int = 0
) -> bytes:
    """One page of a list, in the order in which custom resources are written."""
    metadata = {"continue": token, "resourceVersion": version}
    content = {"items": [*objects], "kind": "List", "metadata": metadata}
    return json.dumps(content, separators=(",", ":")).encode() + b" " * pad


def node(
    name: str, version: str = "1", labels: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """A Node."""
    metadata = {"name": name, "resourceVersion": version, "labels": labels or {}}
    return {"kind": "Node", "metadata": metadata, "spec": {}}


def node_feature(
    name: str,
    *,
    of: str | None = None,
    namespace: str = "nfd",
    version: str = "1",
    flags: Mapping[str, list[str]] | None = None,
    spec: Any = None,
) -> dict[str, Any]:
    """A NodeFeature; of the node called like it unless `of` says otherwise."""
    sets: dict[str, Any] = {
        feature: {"elements": {element: {} for element in elements}}
        for feature, elements in (flags or {}).items()
    }
    metadata = {
        "name": name,
        "namespace": namespace,
        "resourceVersion": version,
        "labels": {"nfd.node.kubernetes.io/node-name": name if of is None else of},
        "managedFields": [{"manager": "nfd-worker", "fieldsV1": {"f:spec": {}}}],
    }
    return {
        "apiVersion": "nfd.k8s-sigs.io/v1alpha1",
        "kind": "NodeFeature",
        "metadata": metadata,
        "spec": {"features": {"flags": sets}} if spec is None else spec,
    }
