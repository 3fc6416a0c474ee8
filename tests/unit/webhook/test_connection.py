"""A connection without a socket: bytes in, bytes out."""

import asyncio
import socket
import time
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from uvicorn import Config
from uvicorn.server import ServerState

from app.webhook.bounds import Bounds
from app.webhook.connection import EXTENSION, Connection, Joined, Phase, Told

WIDE = Bounds(requests=1 << 30, seconds=1e9)
REQUEST = b"POST /v1/validate HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody"
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbody"
LAST = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbody"


class Wire(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.is_closed = False
        self.is_aborted = False

    def write(self, data: Any) -> None:
        self.writes.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = self.is_aborted = True

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        return

    def resume_reading(self) -> None:
        return


class Silent(socket.socket):
    """A socket of a system that does not tell when data came."""

    def getsockopt(self, *_: Any) -> Any:
        raise OSError("not here")


@dataclass
class Side:
    """One connection, and what it did."""

    connection: Connection
    wire: Wire
    dropped: list[str] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    held: asyncio.Event | None = None

    async def echo(self, scope: Any, receive: Any, send: Any) -> None:
        self.arrived.append(scope["extensions"][EXTENSION])
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if self.held is not None:
            await self.held.wait()
        headers = [(b"content-length", str(len(body)).encode())]
        start = {"type": "http.response.start", "status": 200, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": body})

    async def settled(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)


def side(bounds: Bounds = WIDE) -> Side:
    wire, dropped, opened = Wire(), list[str](), list[int]()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await made.echo(scope, receive, send)

    config = Config(app, interface="asgi3", lifespan="off", log_config=None)
    config.load()
    sock = Silent.__new__(Silent)
    told = Told(lambda: opened.append(1), dropped.append)
    connection = Connection(config, ServerState(), bounds, sock, told)
    made = Side(connection, wire, dropped, opened)
    connection.connection_made(wire)
    return made


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_a_request_is_the_same_however_it_is_cut(size: int) -> None:
    one = side()
    whole = REQUEST + REQUEST
    for at in range(0, len(whole), size):
        one.connection.data_received(whole[at : at + size])
        await one.settled()
    assert [ANSWER, ANSWER] == one.wire.writes
    assert (Phase.IDLE, [1]) == (one.connection.phase, one.opened)


async def test_phases_follow_a_request() -> None:
    one = side()
    phases = [one.connection.phase]
    one.held = asyncio.Event()
    for part in (REQUEST[:10], REQUEST[10:-2], REQUEST[-2:]):
        one.connection.data_received(part)
        await one.settled()
        phases.append(one.connection.phase)
    one.held.set()
    await one.settled()
    phases.append(one.connection.phase)
    assert [Phase.IDLE, Phase.HEAD, Phase.BODY, Phase.ANSWER, Phase.IDLE] == phases


async def test_where_the_kernel_is_silent_a_request_arrives_when_it_is_read() -> None:
    one = side()
    before = time.monotonic()
    one.connection.data_received(REQUEST)
    await one.settled()
    assert before <= one.arrived[0] <= time.monotonic()


async def test_the_last_answer_by_count_says_so() -> None:
    one = side(replace(WIDE, requests=4))
    for _ in range(5):
        if one.wire.is_closed:
            break
        one.connection.data_received(REQUEST)
        await one.settled()
    *others, last = one.wire.writes
    assert 2 <= len(others) <= 4
    assert ({ANSWER}, LAST, True) == (set(others), last, one.wire.is_closed)


async def test_the_last_answer_by_age_says_so() -> None:
    one = side(replace(WIDE, seconds=0.0))
    one.connection.data_received(REQUEST)
    await one.settled()
    assert ([LAST], True) == (one.wire.writes, one.wire.is_closed)


async def test_ends_are_drawn_from_a_quarter_around_the_setting() -> None:
    ends = [side(replace(WIDE, requests=1000)).connection for _ in range(200)]
    left = [one._requests_left for one in ends]
    assert 750 <= min(left) < 850
    assert 1150 < max(left) <= 1250


@pytest.mark.parametrize(
    ("sent", "bounds", "answer", "is_aborted"),
    [
        pytest.param(b"", replace(WIDE, idle_seconds=5.0), b"", False, id="idle"),
        pytest.param(
            REQUEST[:9], replace(WIDE, head_seconds=5.0), b"408", False, id="head"
        ),
        pytest.param(
            REQUEST[:-1], replace(WIDE, body_seconds=5.0), b"", True, id="body"
        ),
    ],
)
async def test_what_does_not_come_in_time_is_given_up(
    sent: bytes, bounds: Bounds, answer: bytes, is_aborted: bool
) -> None:
    one = side(bounds)
    if sent:
        one.connection.data_received(sent)
    since = one.connection.since
    assert not one.connection.is_overdue(since + 5.0)
    assert one.connection.is_overdue(since + 5.1)
    one.connection.give_up()
    assert answer in b"".join(one.wire.writes)
    assert (True, is_aborted) == (one.wire.is_closed, one.wire.is_aborted)
    one.connection.connection_lost(None)
    await one.settled()


async def test_an_answer_is_waited_for_as_long_as_it_takes() -> None:
    one = side(Bounds(head_seconds=0, body_seconds=0, idle_seconds=0))
    one.held = asyncio.Event()
    one.connection.data_received(REQUEST)
    assert not one.connection.is_overdue(time.monotonic() + 1e6)
    one.held.set()
    await one.settled()


async def test_who_hangs_up_gets_no_answer() -> None:
    one = side()
    one.held = asyncio.Event()
    one.connection.data_received(REQUEST)
    await one.settled()
    one.connection.connection_lost(None)
    await one.settled()
    assert (["/v1/validate"], []) == (one.dropped, one.wire.writes)


async def test_who_hangs_up_after_the_answer_dropped_nothing() -> None:
    one = side()
    one.connection.data_received(REQUEST)
    await one.settled()
    one.connection.connection_lost(None)
    assert [] == one.dropped


async def test_a_refusal_is_said_once() -> None:
    one = side(replace(WIDE, head_bytes=64))
    one.connection.data_received(b"GET / HTTP/1.1\r\nA: " + b"x" * 100)
    one.connection.data_received(b"x" * 100)
    (text,) = one.wire.writes
    assert text.startswith(b"HTTP/1.1 431 ")


async def test_a_connection_that_was_never_asked_can_be_finished() -> None:
    one = side()
    one.connection.finish()
    one.connection.abort()
    assert one.wire.is_aborted


def test_head_and_body_leave_together() -> None:
    wire = Wire()
    joined = Joined(wire)
    for text in (b"HTTP/1.1 100 Continue\r\n\r\n", b"head", b"body", b"more"):
        joined.write(text)
    joined.end()
    joined.write(b"head without body")
    joined.close()
    expected = [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"headbody",
        b"more",
        b"head without body",
    ]
    assert (expected, True) == (wire.writes, joined.is_closing())
