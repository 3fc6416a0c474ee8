"""Single objects in memory, and time that passes only when nothing else happens."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.certificates.watching import Clock
from app.errors import ClusterError
from tests.tools.certifying import NOW

TURNS = 50
"""So many rounds of the loop without a change mean that all are waiting."""

_END = b"end"


class VirtualTime:
    """A clock that jumps to the next sleeper's end when everybody waits."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._order = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def clock(self) -> Clock:
        """Chance is the lower of two bounds."""
        return Clock(
            now=self.now,
            monotonic=lambda: self.seconds,
            sleep=self.sleep,
            uniform=lambda low, _: low,
        )

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        ends: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.seconds + seconds, next(self._order), ends))
        await ends

    async def settle(self) -> None:
        """Lets everybody run until all wait."""
        for _ in range(TURNS):
            await asyncio.sleep(0)

    async def until(self, holds: Callable[[], object], *, jumps: int = 400) -> None:
        """Lets time pass until a condition holds."""
        for _ in range(jumps):
            await self.settle()
            if holds():
                return
            self._jump()
        raise AssertionError("this does not happen")

    async def passes(self, seconds: float) -> None:
        """Lets so many seconds pass."""
        ends = self.seconds + seconds
        await self.settle()
        while any(at <= ends and not one.done() for at, _, one in self._sleepers):
            self._jump()
            await self.settle()
        self.seconds = ends

    def _jump(self) -> None:
        waiting = sorted(one for one in self._sleepers if not one[2].done())
        assert waiting, "nobody waits for time to pass"
        at, _, ends = waiting[0]
        self._sleepers = waiting[1:]
        self.seconds = max(self.seconds, at)
        ends.set_result(None)


@dataclass
class FakeObjects:
    """Implements `Objects`.

    Attributes:
        time: whose clock it has.
        objects: (collection, name) -> object.
        faults: a verb, or a verb and a name -> what is raised instead of an answer.
        calls: every call, as verb and name.
        watch_ends: whether each watch ends behind what is there already.
        before_write: called once before the next write is looked at.
    """

    time: VirtualTime
    objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    faults: dict[str, Exception] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    watch_ends: bool = False
    before_write: Callable[[], None] | None = None
    _version: int = 0
    _watchers: list[tuple[tuple[str, str], asyncio.Queue[bytes | None]]] = field(
        default_factory=list
    )

    def now(self) -> datetime:
        return self.time.now()

    def put(self, collection: str, name: str, content: dict[str, Any]) -> bytes:
        """Writes an object; those who watch it see it."""
        self._version += 1
        metadata = {**content.get("metadata", {}), "name": name}
        metadata["resourceVersion"] = str(self._version)
        self.objects[collection, name] = {**content, "metadata": metadata}
        return self._tell((collection, name))

    def delete(self, collection: str, name: str) -> None:
        del self.objects[collection, name]
        for key, queue in self._watchers:
            if key == (collection, name):
                queue.put_nowait(None)

    def tell(self, collection: str, name: str, content: bytes) -> None:
        """Whoever watches sees this, whatever there is."""
        for key, queue in self._watchers:
            if key == (collection, name):
                queue.put_nowait(content)

    def end_watches(self) -> None:
        """All of them, cleanly."""
        for _, queue in self._watchers:
            queue.put_nowait(_END)

    async def get(self, collection: str, name: str) -> bytes | None:
        await self._called("get", name)
        found = self.objects.get((collection, name))
        return None if found is None else json.dumps(found).encode()

    async def create(self, collection: str, name: str, content: bytes) -> bytes | None:
        await self._called("create", name)
        if (collection, name) in self.objects:
            return None
        return self.put(collection, name, json.loads(content))

    async def merge(self, collection: str, name: str, content: bytes) -> bytes | None:
        await self._called("merge", name)
        found, change = self.objects.get((collection, name)), json.loads(content)
        version = change["metadata"]["resourceVersion"]
        if found is None or found["metadata"]["resourceVersion"] != version:
            return None
        data = {**(found.get("data") or {}), **change["data"]}
        return self.put(collection, name, {**found, "data": data})

    async def patch(
        self,
        collection: str,
        name: str,
        operations: list[dict[str, object]],
        *,
        version: str,
    ) -> bytes | None:
        await self._called("patch", name)
        found = self.objects.get((collection, name))
        if found is None or found["metadata"]["resourceVersion"] != version:
            return None
        changed = json.loads(json.dumps(found))
        for one in operations:
            _, webhooks, number, client, bundle = str(one["path"]).split("/")
            changed[webhooks][int(number)][client][bundle] = one["value"]
        return self.put(collection, name, changed)

    @asynccontextmanager
    async def watch(
        self, collection: str, name: str
    ) -> AsyncIterator[AsyncIterator[bytes | None]]:
        await self._called("watch", name)
        key, queue = (collection, name), asyncio.Queue[bytes | None]()
        if key in self.objects:
            queue.put_nowait(json.dumps(self.objects[key]).encode())
        self._watchers.append((key, queue))

        async def events() -> AsyncIterator[bytes | None]:
            while not (self.watch_ends and queue.empty()):
                found = await queue.get()
                if found == _END:
                    return
                yield found

        try:
            yield events()
        finally:
            self._watchers.remove((key, queue))

    async def _called(self, verb: str, name: str) -> None:
        await asyncio.sleep(0)
        self.calls.append(f"{verb} {name}")
        if self.before_write is not None and verb not in {"get", "watch"}:
            act, self.before_write = self.before_write, None
            act()
        fault = self.faults.get(f"{verb} {name}") or self.faults.get(verb)
        if fault is not None:
            raise fault

    def _tell(self, key: tuple[str, str]) -> bytes:
        content = json.dumps(self.objects[key]).encode()
        self.tell(*key, content)
        return content


def forbidden(what: str) -> ClusterError:
    """A 403."""
    return ClusterError("Forbidden", f"{what}: the API server answered 403: no")


def configuration(*bundles: bytes) -> dict[str, Any]:
    """A webhook configuration with a webhook for each bundle; empty: without."""
    return {
        "webhooks": [
            {"name": f"w{number}", "clientConfig": _client(one)}
            for number, one in enumerate(bundles)
        ]
    }


def _client(bundle: bytes) -> dict[str, str]:
    return {"caBundle": base64.b64encode(bundle).decode()} if bundle else {}
