"""How connections are made: names, and what a proxy may be that a registry may not."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Final, TypeAlias

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from app.oci.lookups.known import Known, zone
from app.oci.lookups.turns import Gate, Turns
from app.oci.registry.guard import RefusedAddressError

_Found: TypeAlias = Sequence[tuple[Any, ...]]
"""As `socket.getaddrinfo` gives it."""

THREADS: Final = 16
"""For names that are known, and as many for the others."""
ZONE_THREADS: Final = 4
"""Of either, for all names of one zone."""
QUEUE_SECONDS: Final = 1.0
"""Until a name that found no thread is given up."""


class CrowdedError(OSError):
    """There was no thread for a name: nothing was asked, which is not its fault."""


class SystemResolver(AbstractResolver):
    """The system's resolver on threads of its own.

    It asks anew for each connection: what is checked is what is used.

    A question to a name server that does not answer cannot be cancelled: it holds its
    thread for as long as the system tries, whoever waits for it. So it would hold up
    other work that waits for a thread, and names are anybody's:

    1. Names that were found lately or that settings name (`known`) have threads of
       their own. A name that is not found is unknown again.
    2. All names of one zone have a few threads, known or not.
    3. Who finds no thread waits `seconds`, and is told so: that is our own time.

    Args:
        named: by settings.
        seconds: to wait for a thread.
        clock: in seconds, monotonic.
    """

    def __init__(
        self,
        named: Iterable[str] = (),
        *,
        seconds: float = QUEUE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._named: Final = frozenset(named)
        self._seconds: Final = seconds
        self._known: Final = Known(clock)
        self._turns: Final = Turns()
        self._asking: Final[set[asyncio.Task[_Found]]] = set()
        self._pool = ThreadPoolExecutor(2 * THREADS, "resolve")

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,
    ) -> list[ResolveResult]:
        """See `AbstractResolver`.

        Raises:
            CrowdedError: it did not get a thread.
        """
        ask = partial(
            socket.getaddrinfo,
            host,
            port,
            family=family,
            type=socket.SOCK_STREAM,
            flags=socket.AI_ADDRCONFIG,
        )
        found = await self._asked(host, ask)
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
        ]

    async def _asked(self, host: str, ask: Callable[[], _Found]) -> _Found:
        """What a thread finds; it holds its turn to the end, though nobody waits."""
        turn = AsyncExitStack()
        try:
            async with asyncio.timeout(self._seconds):
                await turn.enter_async_context(self._turns.turn(self._gates(host)))
        except TimeoutError as error:
            raise CrowdedError(f"no thread for {host}") from error
        task = asyncio.create_task(self._held(turn, host, ask))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return await asyncio.shield(task)

    def _gates(self, host: str) -> tuple[Gate, ...]:
        is_known = host in self._named or host in self._known
        kind = "known" if is_known else "unknown"
        return Gate(f"{kind} in {zone(host)}", ZONE_THREADS), Gate(kind, THREADS)

    async def _held(
        self, turn: AsyncExitStack, host: str, ask: Callable[[], _Found]
    ) -> _Found:
        async with turn:
            loop = asyncio.get_running_loop()
            try:
                found = await loop.run_in_executor(self._pool, ask)
            except OSError:
                self._known.forget(host)
                raise
            self._known.learn(host)
            return found

    async def close(self) -> None:
        """Waits for no thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for task in self._asking:
            task.cancel()


class ProxyResolver(AbstractResolver):
    """Resolves the names of proxies to any address, and no other name.

    A proxy is the operator's word, and stands in the cluster or beside us. No image
    can name it here: connections through proxies are made to nothing else.

    Args:
        proxies: names and ports.
        resolver: asks.
    """

    def __init__(
        self, proxies: Collection[tuple[str, int]], resolver: AbstractResolver
    ) -> None:
        self._proxies: Final = frozenset(proxies)
        self._resolver: Final = resolver

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,
    ) -> list[ResolveResult]:
        """See `AbstractResolver`.

        Raises:
            RefusedAddressError: it is no proxy.
        """
        if (host, port) not in self._proxies:
            raise RefusedAddressError(f"{host} is no proxy")
        return await self._resolver.resolve(host, port, family)

    async def close(self) -> None:
        """Closes the inner resolver."""
        await self._resolver.close()


class ProxyConnector(aiohttp.TCPConnector):
    """Connects to proxies.

    A proxy on HTTPS is none of the hosts behind it: it is trusted by the system's
    authorities, and sees no client certificate of theirs.
    """

    def _get_ssl_context(self, req: aiohttp.ClientRequest) -> ssl.SSLContext | None:
        if req.proxy is None and req.is_ssl() and isinstance(self._ssl, ssl.SSLContext):
            return self._ssl
        return super()._get_ssl_context(req)
