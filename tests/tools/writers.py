"""Stores on real registries, for tests of writing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from app.demo.content import Repository
from app.oci.credentials import NOTHING, Keyring
from app.oci.limits import Limits
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.oci.registry.shared import Shared
from app.oci.registry.transport import AiohttpTransport
from app.oci.writing.opening import open_store
from app.oci.writing.store import Store
from tests.tools.writable import NAME, fill

WINDOW_SECONDS: Final = 0.5
"""On this machine a list is read and written in a few milliseconds."""

LIMITS: Final = Limits()


@dataclass(frozen=True)
class Ways:
    """A way to registries on this machine.

    Attributes:
        shared: the way.
    """

    shared: Shared

    def store(self, address: str, wanted: str = "1", *, name: str = NAME) -> Store:
        """An image there; two stores of one image are two writers."""
        mark = "@" if ":" in wanted else ":"
        text = f"{address}/{name}{mark}{wanted}"
        return open_store(text, self.shared, window_seconds=WINDOW_SECONDS)


@asynccontextmanager
async def ways(*addresses: str, keyring: Keyring = NOTHING) -> AsyncIterator[Ways]:
    """A way to these, over plain HTTP."""
    host = HostPolicy(plain_http=True, loopback=True, plain_http_credentials=True)
    policy = RegistryPolicy(dict.fromkeys(addresses, host))
    transport = AiohttpTransport(policy, LIMITS)
    try:
        yield Ways(Shared(transport, policy, operator=keyring, limits=LIMITS))
    finally:
        await transport.close()


def content() -> Repository:
    """An image `1`, and an index `multi` of it and another one."""
    repository = Repository()
    fill(repository)
    return repository
