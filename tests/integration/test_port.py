"""One port and its bounds, each at its edge, on real sockets."""

import asyncio
import contextlib
import logging
import resource
import socket
import ssl
import struct
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import pytest
import uvloop

from app.demo import certificates
from app.telemetry import LOGGER
from app.webhook import listener as module
from app.webhook.bounds import Bounds
from app.webhook.connection import EXTENSION
from app.webhook.listener import Listener
from tests.tools.served import Client, head, request

pytestmark = pytest.mark.integration

_P = ParamSpec("_P")

WIDE = Bounds(requests=1 << 30, seconds=1e9)
"""Bounds that no test meets by chance."""


@dataclass
class Echo:
    """An ASGI application: answers with the length of the body.

    Attributes:
        held: requests wait for this.
        asked: seconds that each had waited when it was looked at.
        cancelled: how many ended before their answer.
    """

    held: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[float] = field(default_factory=list)
    cancelled: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(time.monotonic() - scope["extensions"][EXTENSION])
        size, more = 0, True
        try:
            while more:
                message = await receive()
                size += len(message.get("body", b""))
                more = message.get("more_body", False)
            await self.held.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        text = str(size).encode()
        headers = [(b"content-length", str(len(text)).encode())]
        start = {"type": "http.response.start", "status": 200, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": text})


@dataclass
class Port:
    """A port that is open."""

    listener: Listener
    echo: Echo
    dropped: list[str]
    refused: list[int]
    context: ssl.SSLContext | None
    clients: list[Client] = field(default_factory=list)

    async def client(self) -> Client:
        """A connection, with TLS where the port has it."""
        return await self._opened(self.context)

    async def plain(self) -> Client:
        """A connection without."""
        return await self._opened(None)

    async def _opened(self, context: ssl.SSLContext | None) -> Client:
        made = await Client.open(self.listener.port, context)
        self.clients.append(made)
        return made


@asynccontextmanager
async def port(
    bounds: Bounds = WIDE, *, folder: Path | None = None, is_held: bool = False
) -> AsyncIterator[Port]:
    echo = Echo()
    if not is_held:
        echo.held.set()
    serving = client = None
    if folder is not None:
        authority = certificates.write_pair(folder)
        client = ssl.create_default_context(cafile=str(authority))
        serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        serving.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    dropped, refused = list[str](), list[int]()
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        listener = Listener(
            echo,
            sock,
            bounds,
            context=serving,
            dropped=dropped.append,
            refused=lambda: refused.append(1),
        )
        async with listener.accepting():
            made = Port(listener, echo, dropped, refused, client)
            try:
                yield made
            finally:
                for each in made.clients:
                    await each.close()


def on_uvloop(test: Callable[_P, Coroutine[Any, Any, None]]) -> Callable[_P, None]:
    """Runs a test on the product's event loop."""

    @wraps(test)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        uvloop.run(test(*args, **kwargs))

    return run


@pytest.fixture(autouse=True)
def swept_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Overdue connections are looked for more often than in the product."""
    monkeypatch.setattr(module, "SWEEP_SECONDS", 0.02)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - others tell nobody
            await asyncio.sleep(0.01)


# Time ------------------------------------------------------------------------


@on_uvloop
async def test_headers_that_do_not_end_are_not_waited_for() -> None:
    async with port(replace(WIDE, head_seconds=0.5)) as one:
        client = await one.client()
        client.send(request(b"x")[:20])
        began = time.monotonic()
        assert (await client.answer()).status == 408
        assert time.monotonic() - began >= 0.5
        assert await client.is_closed()


@on_uvloop
async def test_headers_that_trickle_are_not_waited_for_either() -> None:
    async with port(replace(WIDE, head_seconds=0.5)) as one:
        client = await one.client()
        with contextlib.suppress(ConnectionError):
            for byte in b"POST / HTTP/1.1\r\nX: " + b"y" * 1000:
                client.send(bytes([byte]))
                await asyncio.sleep(0.01)
                if one.listener.connections == []:
                    break
        assert [] == one.echo.asked
        await until(lambda: not one.listener.connections)


@on_uvloop
async def test_headers_within_their_time_are_taken() -> None:
    async with port(replace(WIDE, head_seconds=5.0)) as one:
        client = await one.client()
        whole = request(b"body")
        for at in range(0, len(whole), 10):
            client.send(whole[at : at + 10])
            await asyncio.sleep(0.005)
        assert (await client.answer()).body == b"4"


@on_uvloop
async def test_a_body_that_does_not_end_is_not_waited_for() -> None:
    async with port(replace(WIDE, body_seconds=0.5)) as one:
        client = await one.client()
        client.send(head(100) + b"half")
        assert await client.is_closed()
        await until(lambda: one.echo.cancelled == 1)
        assert ["/v1/validate"] == one.dropped


@on_uvloop
async def test_a_body_that_trickles_in_time_is_taken() -> None:
    async with port(replace(WIDE, body_seconds=5.0)) as one:
        client = await one.client()
        client.send(head(20))
        for _ in range(20):
            client.send(b"x")
            await asyncio.sleep(0.005)
        assert (await client.answer()).body == b"20"


@on_uvloop
async def test_an_answer_may_take_its_time() -> None:
    bounds = replace(WIDE, head_seconds=0.1, body_seconds=0.1)
    async with port(bounds, is_held=True) as one:
        client = await one.client()
        client.send(request(b"body"))
        await asyncio.sleep(0.5)
        one.echo.held.set()
        assert (await client.answer()).body == b"4"


@on_uvloop
async def test_a_handshake_that_does_not_end_is_not_waited_for(tmp_path: Path) -> None:
    async with port(replace(WIDE, handshake_seconds=0.5), folder=tmp_path) as one:
        client = await one.plain()
        await until(lambda: len(one.listener) == 1)
        assert await client.is_closed()
        await until(lambda: len(one.listener) == 0)
        good = await one.client()
        assert (await good.ask()).status == 200


# Size ------------------------------------------------------------------------


def padded(size: int) -> bytes:
    """A request whose target, names and values of headers have that many bytes."""
    target, names = "/v1/validate", "HostContent-Lengthh4X"
    padding = "y" * (size - len(target) - len(names))
    lines = (f"POST {target} HTTP/1.1", "Host: h", "Content-Length: 4", f"X: {padding}")
    return "\r\n".join([*lines, "", "body"]).encode()


@on_uvloop
async def test_headers_up_to_the_bound_are_taken() -> None:
    async with port(replace(WIDE, head_bytes=4096)) as one:
        client = await one.client()
        client.send(padded(4096))
        assert (await client.answer()).body == b"4"
        client.send(padded(4097))
        assert (await client.answer()).status == 431
        assert await client.is_closed()


@on_uvloop
async def test_headers_without_end_are_refused_before_they_fill_memory() -> None:
    async with port(replace(WIDE, head_bytes=4096)) as one:
        client = await one.client()
        client.send(b"POST / HTTP/1.1\r\nX: ")
        for _ in range(5):
            client.send(b"y" * 1000)
            await asyncio.sleep(0.01)
        assert (await client.answer()).status == 431
        assert [] == one.echo.asked


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", id="HTTP/2"),
        pytest.param(b"\x16\x03\x01\x00\xa5\x01\x00\x00", id="TLS on a plain port"),
        pytest.param(b"GET / HTTP/1.1\r\nA B: c\r\n\r\n", id="no header"),
    ],
)
@on_uvloop
async def test_what_is_not_http_1_1_is_refused_without_a_word(
    text: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with port() as one:
        client = await one.client()
        client.send(text)
        assert (await client.answer()).status == 400
        assert await client.is_closed()
    assert [] == caplog.messages


# Number ----------------------------------------------------------------------


@on_uvloop
async def test_at_the_bound_the_longest_idle_connection_goes() -> None:
    async with port(replace(WIDE, connections=3)) as one:
        oldest, middle, newest = [await one.client() for _ in range(3)]
        await until(lambda: len(one.listener) == 3)
        assert (await oldest.ask()).status == 200
        more = await one.client()
        assert (await more.ask()).status == 200
        assert await middle.is_closed()
        for client in (oldest, newest):
            assert (await client.ask()).status == 200
        assert [] == one.refused


@on_uvloop
async def test_a_connection_more_than_are_busy_is_refused() -> None:
    async with port(replace(WIDE, connections=2), is_held=True) as one:
        busy = [await one.client() for _ in range(2)]
        for client in busy:
            client.send(request(b"body"))
        await until(lambda: len(one.echo.asked) == 2)
        more = await one.client()
        assert await more.is_closed()
        assert [1] == one.refused
        one.echo.held.set()
        for client in busy:
            assert (await client.answer()).body == b"4"
        again = await one.client()
        assert (await again.ask()).status == 200


@on_uvloop
async def test_handshakes_count_as_connections(tmp_path: Path) -> None:
    async with port(replace(WIDE, connections=2), folder=tmp_path) as one:
        silent = [await one.plain() for _ in range(2)]
        await until(lambda: len(one.listener) == 2)
        more = await one.plain()
        assert await more.is_closed()
        assert len(silent) == len(one.listener)


@on_uvloop
async def test_a_connection_for_which_no_descriptor_is_left_is_accepted_later(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with port() as one:
        with socket.create_connection(("127.0.0.1", one.listener.port)) as sock:
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
            try:
                await until(lambda: "accept failed" in caplog.messages)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            await until(lambda: len(one.listener) == 1)
            sock.sendall(request(b"body"))
            await until(lambda: one.echo.asked)


# What a webhook needs ---------------------------------------------------------


@on_uvloop
async def test_a_requests_time_includes_what_it_lay_with_the_kernel() -> None:
    async with port() as one:
        client = await one.client()
        assert (await client.ask()).status == 200
        sock = socket.create_connection(("127.0.0.1", one.listener.port))
        await until(lambda: len(one.listener) == 2)
        sender = threading.Timer(0.1, sock.sendall, [request(b"body")])
        sender.start()
        time.sleep(1.1)  # noqa: ASYNC251 - the loop stands still
        await until(lambda: len(one.echo.asked) == 2)
        sender.join()
        sock.close()
        assert one.echo.asked[1] >= 0.5


@on_uvloop
async def test_an_answer_is_one_write(tmp_path: Path) -> None:
    """Two would cost forty milliseconds where somebody delays acknowledgements."""
    async with port(folder=tmp_path) as one:
        assert one.context
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = one.context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        wire = await one.plain()

        async def exchanged(act: Callable[[], Any]) -> Any:
            while True:
                try:
                    return act()
                except ssl.SSLWantReadError:
                    wire.send(outgoing.read())
                    incoming.write(await wire.reader.read(65536))

        await exchanged(tls.do_handshake)
        tls.write(request(b"the first comes with session tickets"))
        text = b""
        while not text.endswith(b"\r\n\r\n36"):
            text += await exchanged(tls.read)
        sock = wire.writer.get_extra_info("socket")
        before = segments(sock)
        tls.write(request(b"body"))
        text = b""
        while not text.endswith(b"\r\n\r\n4"):
            text += await exchanged(tls.read)
        assert text.startswith(b"HTTP/1.1 200 ")
        assert 1 == segments(sock) - before


def segments(sock: socket.socket) -> int:
    """Segments with data that a socket has received: Linux' `tcpi_data_segs_in`."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 156)
    return int(struct.unpack("=152xI", info)[0])


@on_uvloop
async def test_who_asks_whether_to_go_on_is_told_before_the_answer() -> None:
    async with port() as one:
        client = await one.client()
        client.send(head(4).replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        assert (await client.answer()).status == 100
        client.send(b"body")
        assert (await client.answer()).body == b"4"


@on_uvloop
async def test_an_answer_without_a_body_is_sent() -> None:
    async with port() as one:
        client = await one.client()
        client.send(b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
        reader = client.reader
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        assert (await client.ask()).status == 200


@on_uvloop
async def test_work_is_cancelled_when_its_sender_hangs_up() -> None:
    async with port(is_held=True) as one:
        client = await one.client()
        client.send(request(b"body"))
        await until(lambda: one.echo.asked)
        await client.close()
        await until(lambda: one.echo.cancelled == 1)
        assert ["/v1/validate"] == one.dropped
        await until(lambda: len(one.listener) == 0)


@on_uvloop
async def test_requests_sent_before_their_turn_are_answered_in_order() -> None:
    async with port(is_held=True) as one:
        client = await one.client()
        client.send(request(b"one") + request(b"three") + request(b"seven77"))
        await until(lambda: one.echo.asked)
        one.echo.held.set()
        assert [b"3", b"5", b"7"] == [(await client.answer()).body for _ in range(3)]


@on_uvloop
async def test_an_application_that_fails_is_answered_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with port() as one:
        one.echo.asked = None  # type: ignore[assignment]
        client = await one.client()
        assert (await client.ask()).status == 500
    (record,) = caplog.records
    assert "imagecompat.http" == record.name
