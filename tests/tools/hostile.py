"""What tests of hostile registries share: one image, and the port over real sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from app.demo.registry import Registry
from app.oci.credentials import NOTHING, Credential, Entry, Keyring
from app.oci.limits import Limits
from app.oci.lookups.artifacts import RegistryArtifacts, Times
from app.oci.registry.client import Shared
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.oci.registry.transport import AiohttpTransport
from app.ports import Found, ImageOutcome, Platform, Resolved

AMD64: Final = Platform("linux", "amd64")
ARM64: Final = Platform("linux", "arm64")
SPEC: Final = b"version: v1alpha1\ncompatibilities: []\n"
DATE: Final = "2026-03-01T00:00:00Z"
CANARY: Final = "canary-91d7"
"""Part of every secret, and searched for in everything that is shown."""
HERE: Final = HostPolicy(plain_http=True, loopback=True, plain_http_credentials=True)


def filled(spec: bytes = SPEC, **more: Any) -> Registry:
    """`team/app:1` for amd64, with an artifact."""
    registry = Registry(**more)
    repository = registry.repository("team/app")
    image = repository.image("amd64", "app")
    repository.tag(image, "1")
    repository.attach(image, spec, created=DATE)
    return registry


def app(registry: Registry, tag: str = "1") -> str:
    """How a Pod names the image."""
    return f"{registry.address}/team/app:{tag}"


def subject(registry: Registry) -> dict[str, object]:
    """The descriptor of `team/app:1`."""
    repository = registry.repository("team/app")
    digest = repository.tags["1"]
    size = len(repository.blobs[digest])
    return {"mediaType": repository.types[digest], "digest": digest, "size": size}


def keys(passwords: Mapping[str, str]) -> Keyring:
    """User `u` for each key, as in a Docker config file -> password."""
    return Keyring.of(
        Entry.of(host, Credential("u", password))
        for host, password in passwords.items()
    )


@asynccontextmanager
async def reading(
    *served: Registry,
    policy: RegistryPolicy | None = None,
    keyring: Keyring = NOTHING,
    limits: Limits | None = None,
    times: Times | None = None,
    **more: Any,
) -> AsyncIterator[RegistryArtifacts]:
    """The port over real sockets; what is `served` may be here, over plain HTTP."""
    policy = policy or RegistryPolicy({one.address: HERE for one in served})
    limits = limits or Limits()
    transport = AiohttpTransport(policy, limits)
    shared = Shared(transport, policy, operator=keyring, limits=limits)
    artifacts = RegistryArtifacts(shared, times=times, **more)
    try:
        yield artifacts
    finally:
        await artifacts.close()


async def look(
    artifacts: RegistryArtifacts,
    image: str,
    *platforms: Platform,
    seconds: float = 20.0,
) -> ImageOutcome:
    """One question."""
    return await artifacts.find(image, platforms or (AMD64,), deadline_seconds=seconds)


async def outcome(served: Registry, **more: Any) -> ImageOutcome:
    """What is said of `team/app:1` by a port that nobody asked before."""
    async with reading(served, **more) as artifacts:
        return await look(artifacts, app(served))


def part(outcome: ImageOutcome, platform: Platform = AMD64) -> object:
    """Of the platform, else of the image."""
    return outcome.platforms[platform] if isinstance(outcome, Resolved) else outcome


def word(outcome: ImageOutcome, platform: Platform = AMD64) -> str:
    """What kind of outcome, and its reason: `Unavailable Timeout`."""
    one = part(outcome, platform)
    return f"{type(one).__name__} {getattr(one, 'reason', '')}".strip()


def content(outcome: ImageOutcome, platform: Platform = AMD64) -> bytes:
    """The spec that was found."""
    found = part(outcome, platform)
    assert isinstance(found, Found), found
    return found.content


@dataclass
class Names:
    """Stands in for the system's resolver (`socket.getaddrinfo`).

    Attributes:
        answers: name -> the addresses of the first question, of the second, ...; the
            last is repeated.
        asked: names, in order.
    """

    answers: Mapping[str, Sequence[Sequence[str]]]
    asked: list[str] = field(default_factory=list)

    def __call__(
        self, host: str, port: int | str | None, *_: object, **__: object
    ) -> list[tuple[object, ...]]:
        """As `socket.getaddrinfo`."""
        self.asked.append(host)
        if host not in self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        answers = self.answers[host]
        at = min(self.asked.count(host), len(answers)) - 1
        return [_address(one, int(port or 0)) for one in answers[at]]


def _address(text: str, port: int) -> tuple[object, ...]:
    if ":" in text:
        where: tuple[object, ...] = (text, port, 0, 0)
        return socket.AF_INET6, socket.SOCK_STREAM, 6, "", where
    return socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, port)


@asynccontextmanager
async def listening(host: str, port: int = 0) -> AsyncIterator[tuple[int, list[str]]]:
    """Yields a port, and who connected to it; nobody is ever answered."""
    heard: list[str] = []

    async def connected(
        _reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        heard.append(str(writer.get_extra_info("peername")))
        writer.close()

    server = await asyncio.start_server(connected, host, port)
    try:
        yield server.sockets[0].getsockname()[1], heard
    finally:
        server.close()
        await server.wait_closed()


@contextmanager
def full_queue() -> Iterator[tuple[str, socket.socket]]:
    """Yields `HOST:PORT` whose queue of connections is full, and its socket.

    Linux drops what then comes in; who connects tries again after a second. Whoever
    takes a connection from the queue (`accept`) makes room for one.
    """
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        where = server.getsockname()
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(where)
        yield f"127.0.0.1:{where[1]}", server
