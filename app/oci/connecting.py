"""How connections are made: names, and what a proxy may be that a registry may not."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from app.oci.guard import RefusedAddressError

_RESOLVING_THREADS: Final = 8


class SystemResolver(AbstractResolver):
    """The system's resolver on threads of its own.

    A name server that does not answer would else hold up other work that waits for
    a thread. It asks anew for each connection: what is checked is what is used.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_RESOLVING_THREADS, "resolve")

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,
    ) -> list[ResolveResult]:
        """See `AbstractResolver`."""
        ask = partial(
            socket.getaddrinfo,
            host,
            port,
            family=family,
            type=socket.SOCK_STREAM,
            flags=socket.AI_ADDRCONFIG,
        )
        found = await asyncio.get_running_loop().run_in_executor(self._pool, ask)
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

    async def close(self) -> None:
        """Waits for no thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)


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
