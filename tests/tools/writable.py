"""Registries in memory that can be written to, without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias
from unittest.mock import Mock
from urllib.parse import urlsplit

from aiohttp.streams import StreamReader
from aiohttp.test_utils import make_mocked_request

from app.demo.content import Repository
from app.demo.registry import Registry
from app.demo.registry_writing import Writing
from app.oci.credentials import NOTHING, Offers
from app.oci.failure import TooLargeError, unavailable
from app.oci.images import reference
from app.oci.limits import Limits
from app.oci.registry.guard import RegistryPolicy
from app.oci.registry.shared import Shared
from app.oci.registry.transport import Answer, Request
from app.oci.writing import attaching
from app.oci.writing.remote import RemoteStore
from app.oci.writing.store import Store

HOST: Final = "r.example"
NAME: Final = "org/app"
LIMITS: Final = Limits(retries=0)
DATE: Final = "2026-03-01T00:00:00Z"
SPEC: Final = b"""\
version: v1alpha1
compatibilities:
- rules:
  - name: kernel
    matchFeatures:
    - feature: kernel.version
      matchExpressions:
        major: {op: Ge, value: ["4"]}
"""
OTHER: Final = SPEC.replace(b'"4"', b'"6"')

Hook: TypeAlias = Callable[[Request], Awaitable[Answer | None]]


@dataclass
class Clock:
    """A clock that goes on when somebody waits."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


@dataclass
class Memory:
    """Implements `oci.transport.Transport` on registries in memory.

    Attributes:
        registries: host -> what answers there.
        asked: every request, in order.
        before: is called with each request; may answer it, or raise.
        after: is called with each request that was answered.
    """

    registries: dict[str, Registry]
    asked: list[Request] = field(default_factory=list)
    before: Hook | None = None
    after: Hook | None = None

    async def send(self, request: Request) -> Answer:
        self.asked.append(request)
        if self.before is not None:
            answer = await self.before(request)
            if answer is not None:
                return answer
        answer = await self._answer(request)
        if self.after is not None:
            answer = await self.after(request) or answer
        return answer

    async def _answer(self, request: Request) -> Answer:
        parts = urlsplit(request.url)
        registry = self.registries.get(parts.netloc)
        if registry is None:
            raise unavailable("NoSuchHost", f"{parts.hostname} has no address")
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        payload = StreamReader(Mock(), limit=1 << 20, loop=asyncio.get_running_loop())
        payload.feed_data(request.body)
        payload.feed_eof()
        response = await registry._handle(
            make_mocked_request(
                request.method, path, headers=dict(request.headers), payload=payload
            )
        )
        body = getattr(response, "body", b"") or b""
        is_read = response.status == 200 and request.method == "GET"
        if is_read and len(body) > request.most_bytes:
            raise TooLargeError(f"{parts.hostname} answered with too much")
        return Answer(
            response.status,
            {name.lower(): value for name, value in response.headers.items()},
            tuple(response.headers.getall("WWW-Authenticate", ())),
            body if is_read else b"",
        )

    async def close(self) -> None:
        return

    def writes(self) -> list[str]:
        """Method and path of what changes something."""
        return [
            f"{one.method} {urlsplit(one.url).path}"
            for one in self.asked
            if one.method not in {"GET", "HEAD"}
        ]


@dataclass
class World:
    """One registry, and ways to it.

    Attributes:
        registry: that answers at `HOST`.
        writing: how it takes what is written.
        transport: to it.
        clock: of everybody.
        operator: credentials.
        limits: every bound.
    """

    registry: Registry
    writing: Writing
    transport: Memory
    clock: Clock = field(default_factory=Clock)
    operator: Offers = NOTHING
    limits: Limits = LIMITS

    @property
    def repository(self) -> Repository:
        return self.registry.repository(NAME)

    def shared(self) -> Shared:
        return Shared(
            self.transport,
            RegistryPolicy(),
            operator=self.operator,
            limits=self.limits,
            clock=self.clock,
        )

    def store(self, wanted: str = "1", *, name: str = NAME) -> RemoteStore:
        """A store of its own way: two of them are two writers."""
        mark = "@" if ":" in wanted else ":"
        return RemoteStore(
            self.shared(),
            reference.parse(f"{HOST}/{name}{mark}{wanted}"),
            pause=self.clock.pause,
            chance=lambda: 0.0,
        )


def world(writing: Writing | None = None) -> World:
    """A registry with a single image `1` and an index `multi` of two platforms."""
    writing = writing or Writing()
    registry = Registry(address=HOST, scheme="https")
    registry.handlers |= writing.handlers()
    fill(registry.repository(NAME))
    return World(registry, writing, Memory({HOST: registry}))


def fill(repository: Repository) -> None:
    """Puts in an image `1`, and an index `multi` of it and another one."""
    amd, arm = repository.image("amd64", "one"), repository.image("arm64", "one")
    repository.tag(amd, "1")
    repository.tag(repository.index([("amd64", amd), ("arm64", arm)]), "multi")


def digest_of(repository: Repository, tag: str) -> str:
    """What a tag points to."""
    return repository.tags[tag]


def spec(content: bytes = SPEC, title: str = "spec.yaml") -> attaching.Spec:
    return attaching.read(content, title=title, limits=LIMITS)


async def attach(
    stores: Store | Sequence[Store],
    content: bytes = SPEC,
    *,
    created: str = DATE,
    platform: str | None = None,
) -> attaching.Attached:
    """Attaches a spec, and fails if that fails."""
    several = stores if isinstance(stores, Sequence) else [stores]
    outcomes = await attaching.attach(
        several, spec(content), LIMITS, created=created, platform=platform
    )
    assert all(isinstance(one, attaching.Attached) for one in outcomes), outcomes
    assert isinstance(outcomes[0], attaching.Attached)
    return outcomes[0]


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
