"""A registry in memory that is asked without a socket, and a clock to set."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import make_mocked_request

from app.demo.registry import Registry
from app.oci.failure import TooLargeError
from app.oci.limits import Limits
from app.oci.lookups.artifacts import RegistryArtifacts
from app.oci.lookups.cached import Times
from app.oci.registry.client import Shared
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.oci.registry.sending import Chance
from app.oci.registry.transport import Answer, Request
from app.ports import PullSecrets

HOST = "registry.example"


@dataclass
class Clock:
    """A clock that stands until it is set."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        """Goes on at once, that much later."""
        self.now += seconds

    @property
    def chance(self) -> Chance:
        """For senders: this clock, and waits that are as short as can be."""
        return Chance(self, random=lambda: 0.0, pause=self.pause)


@dataclass
class MemoryTransport:
    """Implements `Transport` on a registry in memory.

    Attributes:
        registry: answers, and logs what it was asked.
        held: requests wait here while it is not set.
        under_way: requests that wait now.
        most: requests that ever waited at the same time.
        is_closed: whether it was closed.
    """

    registry: Registry
    held: asyncio.Event = field(default_factory=asyncio.Event)
    under_way: int = 0
    most: int = 0
    is_closed: bool = False

    def __post_init__(self) -> None:
        self.held.set()

    async def send(self, request: Request) -> Answer:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.held.wait()
        finally:
            self.under_way -= 1
        parts = urlsplit(request.url)
        mocked = make_mocked_request(
            request.method,
            f"{parts.path}?{parts.query}" if parts.query else parts.path,
            headers=dict(request.headers),
        )
        response = await self.registry._handle(mocked)
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
        self.is_closed = True


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def registry() -> Registry:
    return Registry(address=HOST, scheme="https")


@pytest.fixture
def transport(registry: Registry) -> MemoryTransport:
    return MemoryTransport(registry)


@pytest.fixture
def policy() -> RegistryPolicy:
    return RegistryPolicy({"plain.example": HostPolicy(plain_http=True)})


@pytest.fixture
def shared(transport: MemoryTransport, policy: RegistryPolicy, clock: Clock) -> Shared:
    return Shared(transport, policy, clock=clock, chance=clock.chance)


Make = Callable[..., RegistryArtifacts]


@pytest.fixture
async def make(
    transport: MemoryTransport, policy: RegistryPolicy, clock: Clock
) -> AsyncIterator[Make]:
    """Makes the port on the registry in memory; closes it at the end."""
    made: list[RegistryArtifacts] = []

    def _make(
        times: Times | None = None,
        limits: Limits | None = None,
        secrets: PullSecrets | None = None,
    ) -> RegistryArtifacts:
        shared = Shared(
            transport,
            policy,
            limits=limits or Limits(),
            clock=clock,
            chance=clock.chance,
        )
        one = RegistryArtifacts(shared, secrets=secrets, times=times, clock=clock)
        made.append(one)
        return one

    yield _make
    for one in made:
        await one.close()
