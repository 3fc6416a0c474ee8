"""A proxy of HTTP on loopback: tunnels (CONNECT), and requests with a whole URL."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_HEAD_BYTES = 64 << 10


@dataclass
class Proxy:
    """Connects clients to where names lead here.

    Attributes:
        names: `HOST:PORT` as clients say -> `HOST:PORT` of this machine; others are
            not found.
        credentials: `USER:PASSWORD` that are wanted; empty for none.
        log: the first line of every request.
        authorizations: what came as `Proxy-Authorization`.
        address: `127.0.0.1:PORT`, once it serves.
    """

    names: Mapping[str, str]
    credentials: str = ""
    log: list[str] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    address: str = ""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def serving(
        self, *, tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[Proxy]:
        """Serves on a free port of 127.0.0.1 until left."""
        server = await asyncio.start_server(self._begin, "127.0.0.1", 0, ssl=tls)
        self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._answer(reader, writer)
        finally:
            writer.close()

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        self.log.append(first)
        headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}
        given = headers.get("proxy-authorization", "")
        self.authorizations.append(given)
        wanted = base64.b64encode(self.credentials.encode()).decode()
        if self.credentials and given != f"Basic {wanted}":
            writer.write(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return
        method, target, _ = first.split(" ")
        url = urlsplit(target if "://" in target else f"//{target}")
        where = self.names.get(url.netloc)
        if where is None:
            writer.write(b"HTTP/1.1 502 Unknown\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            return
        host, _, port = where.partition(":")
        behind, onward = await asyncio.open_connection(host, int(port))
        try:
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
                await asyncio.gather(_copy(reader, onward), _copy(behind, writer))
                return
            path = f"{url.path}?{url.query}" if url.query else url.path
            kept = [one for one in lines if not one.lower().startswith("proxy-")]
            begin = [f"{method} {path} HTTP/1.1", "Connection: close"]
            onward.write("\r\n".join([*begin, *kept]).encode())
            await _copy(behind, writer)
        finally:
            onward.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while content := await reader.read(_HEAD_BYTES):
            writer.write(content)
            await writer.drain()
    with suppress(OSError):
        writer.close()
