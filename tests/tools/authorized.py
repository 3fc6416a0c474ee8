"""Registries and token servers that ask who is there, for tests without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from app.oci.credentials import Credential
from app.oci.images import reference
from app.oci.images.reference import Reference
from app.oci.registry.client import RemoteSource, Shared
from app.oci.registry.transport import Answer, Request
from tests.tools.answers import (
    BASE,
    DIGEST,
    HOST,
    SCOPE,
    TOKEN,
    Table,
    challenged,
    keyring,
    opens,
    token,
)

MANIFESTS = f"{BASE}/manifests/1"
BLOB = f"{BASE}/blobs/{DIGEST}"
BASIC = Answer(401, challenges=('Basic realm="x"',))
ASKED = f"{TOKEN}?{SCOPE}"


def source(by: Shared, *ring: Credential, image: str = "org/app:1") -> RemoteSource:
    named = reference.parse(f"{HOST}/{image}")
    return RemoteSource(by, named, ends=by.clock() + 10, keyring=keyring(*ring))


def by_user(tokens: dict[str, str]) -> Callable[[Request], Answer]:
    """A token server: `Authorization` -> token; refuses all others."""

    def reply(request: Request) -> Answer:
        given = tokens.get(request.headers.get("Authorization", ""))
        return Answer(401) if given is None else token(given)

    return reply


def tokened(*values: str) -> Callable[[Request], Answer]:
    return opens(*(f"Bearer {value}" for value in values), otherwise=challenged())


@dataclass
class Gated(Table):
    """Its token server answers when `gate` is set."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, request: Request) -> Answer:
        if request.url == ASKED:
            await self.gate.wait()
        return await super().send(request)


async def settled() -> None:
    """Until all tasks wait for something from outside."""
    for _ in range(50):
        await asyncio.sleep(0)


@dataclass
class Offered:
    """Implements `Offers`, and tells what was taken of it."""

    credentials: tuple[Credential, ...] = ()
    taken: list[Credential] = field(default_factory=list)

    async def offers(self, image: Reference) -> AsyncIterator[Credential]:
        assert HOST == image.host
        for one in self.credentials:
            self.taken.append(one)
            yield one
