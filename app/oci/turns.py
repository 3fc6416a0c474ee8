"""How many lookups run at the same time, in all and for each registry."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final


class Turns:
    """Lets so many in, in all and for each registry; the others wait.

    What is kept of a registry goes with its last lookup.

    Args:
        most: in all.
        per_host: for each registry.
    """

    def __init__(self, most: int, per_host: int) -> None:
        self._all: Final = asyncio.Semaphore(most)
        self._per_host: Final = per_host
        self._hosts: Final[dict[str, tuple[asyncio.Semaphore, int]]] = {}

    def __len__(self) -> int:
        """How many registries somebody waits for, or asks."""
        return len(self._hosts)

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Waits for its turn; the registry's comes first, so that it takes no slot."""
        own, users = self._hosts.get(host, (asyncio.Semaphore(self._per_host), 0))
        self._hosts[host] = (own, users + 1)
        try:
            async with own, self._all:
                yield
        finally:
            own, users = self._hosts.pop(host)
            if users > 1:
                self._hosts[host] = (own, users - 1)
