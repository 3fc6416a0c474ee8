"""The load: `python -m bench.client` sends reviews over TLS and counts.

A process of its own, and lean, so that it is not what is measured: bodies are
joined from bytes that stand ready, answers are only cut out. It reads a plan as
JSON from standard input and prints a `Result` as JSON. `load` starts one.

Closed loop: each connection sends the next review when it has its answer. Open
loop: reviews are sent at a rate, whatever the answers do; the one that finds no
connection free waits for it, and its time counts from when it was due.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
import os
import ssl
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, cast

import msgspec
import uvloop

UID: Final = "00000000-0000-0000-0000-000000000000"
"""Stands in a body where each review has a uid of its own."""
NAME: Final = "name-0000000000"
"""Stands in a body where each review has a name of its own."""

MAX_ANSWERS: Final = 8
"""Different answers to one body that are kept."""
_DRAIN_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send.

    Attributes:
        port: of the server, on loopback.
        authority: PEM file of the CA that its certificate is from.
        bodies: sent in turn, with `UID` and `NAME` replaced.
        seconds: how long.
        connections: how many.
        rate: reviews a second; `None` for a closed loop.
        path: what is posted to.
        cpu: the core that the client stays on; `None` for any.
    """

    port: int
    authority: str
    bodies: tuple[str, ...]
    seconds: float
    connections: int = 25
    rate: float | None = None
    path: str = "/v1/validate?timeout=5s"
    cpu: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came back.

    Attributes:
        answers: how many.
        failed: how many were no answer of 200.
        rate: answers a second.
        p50: the time that half of them stay below, in milliseconds, and so on.
        p99: as above.
        p999: as above.
        slowest: the longest, in milliseconds.
        busy: the client's own share of its core.
        late: how late the client itself sent, at worst, in milliseconds.
        texts: for each body the different answers, without their uid.
    """

    answers: int
    failed: int
    rate: float
    p50: float
    p99: float
    p999: float
    slowest: float
    busy: float
    late: float
    texts: tuple[tuple[str, ...], ...]


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value that `share` of sorted values do not exceed; 0 without any."""
    if not ordered:
        return 0.0
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class _Load:
    """One run."""

    def __init__(self, plan: Plan) -> None:
        self.plan: Final = plan
        self.parts: Final = [_split(body, plan.path) for body in plan.bodies]
        self.texts: Final[list[set[bytes]]] = [set() for _ in plan.bodies]
        self.seconds: Final[list[float]] = []
        self.failed = 0
        self.late = 0.0
        self.sent = 0
        self.is_over = False
        self.free: Final[collections.deque[_Connection]] = collections.deque()
        self.due: Final[collections.deque[float]] = collections.deque()

    def next(self) -> tuple[int, bytes, bytes]:
        """The next review: number of its body, its uid, all its bytes."""
        number = self.sent
        self.sent += 1
        which = number % len(self.parts)
        uid = b"%08x-0000-4000-8000-%012x" % (number & 0xFFFFFFFF, number)
        name = b"name-%010d" % number
        pieces = self.parts[which]
        filled = [
            uid if piece is _UID else name if piece is _NAME else piece
            for piece in pieces
        ]
        return which, uid, b"".join(filled)

    def take(self, which: int, uid: bytes, status: bytes, body: bytes) -> None:
        """Notes an answer."""
        if b" 200 " not in status:
            self.failed += 1
        texts = self.texts[which]
        if len(texts) < MAX_ANSWERS:
            texts.add(body.replace(uid, b""))

    def freed(self, one: _Connection) -> None:
        """A connection has its answer."""
        if self.plan.rate is None:
            if not self.is_over:
                one.send(time.perf_counter())
        elif self.due:
            one.send(self.due.popleft())
        else:
            self.free.append(one)


_UID: Final = b"(uid)"
_NAME: Final = b"(name)"


def _split(body: str, path: str) -> list[bytes]:
    """Head and body of a request, cut at what changes."""
    content = body.encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Type: application/json\r\nAccept: application/json, */*\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    ).encode()
    pieces: list[bytes] = []
    for index, by_uid in enumerate((head + content).split(UID.encode())):
        pieces += [_UID] if index else []
        for second, by_name in enumerate(by_uid.split(NAME.encode())):
            pieces += [_NAME, by_name] if second else [by_name]
    return pieces


class _Connection(asyncio.Protocol):
    """One connection, one review at a time."""

    def __init__(self, load: _Load) -> None:
        self._load: Final = load
        self._transport: asyncio.WriteTransport | None = None
        self._got = b""
        self._started = 0.0
        self._which = 0
        self._uid = b""
        self.is_waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.is_waiting:
            self._load.failed += 1
            self.is_waiting = False
        del error

    def send(self, started: float) -> None:
        """Sends the next review; `started` is when its time begins."""
        assert self._transport is not None
        self._started = started
        self._which, self._uid, content = self._load.next()
        self.is_waiting = True
        self._transport.write(content)

    def data_received(self, data: bytes) -> None:
        self._got = self._got + data if self._got else data
        end = self._got.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._got[:end].lower()
        at = head.find(b"content-length:") + len(b"content-length:")
        length = int(head[at:].split(b"\r\n", 1)[0])
        if len(self._got) < end + 4 + length:
            return
        load = self._load
        load.seconds.append(time.perf_counter() - self._started)
        body, self._got = self._got[end + 4 :], b""
        self.is_waiting = False
        load.take(self._which, self._uid, head.split(b"\r\n", 1)[0] + b" ", body)
        load.freed(self)

    def close(self) -> None:
        """Ends the connection."""
        if self._transport is not None:
            self._transport.close()


async def _run(plan: Plan) -> Result:
    load = _Load(plan)
    context = ssl.create_default_context(cafile=plan.authority)
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(
            lambda: _Connection(load), "127.0.0.1", plan.port, ssl=context
        )
        for _ in range(plan.connections)
    ]
    connections = [protocol for _, protocol in opened]
    started, spent = time.perf_counter(), time.process_time()
    if plan.rate is None:
        for one in connections:
            one.send(time.perf_counter())
        await asyncio.sleep(plan.seconds)
    else:
        load.free.extend(connections)
        await _paced(load, plan.rate, plan.seconds)
    load.is_over = True
    elapsed, busy = time.perf_counter() - started, time.process_time() - spent
    answers = len(load.seconds)
    await _drained(load, connections)
    for one in connections:
        one.close()
    return _result(load, answers / elapsed, busy / elapsed)


async def _paced(load: _Load, rate: float, seconds: float) -> None:
    started = time.perf_counter()
    for number in range(int(rate * seconds)):
        due = started + number / rate
        while (wait := due - time.perf_counter()) > 0:  # noqa: ASYNC110 - a clock
            await asyncio.sleep(wait)
        now = time.perf_counter()
        load.late = max(load.late, now - due)
        if load.free:
            load.free.popleft().send(now)
        else:
            load.due.append(now)


async def _drained(load: _Load, connections: Sequence[_Connection]) -> None:
    """Waits for the answers that are still to come."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_SECONDS):
            while load.due or any(one.is_waiting for one in connections):  # noqa: ASYNC110 - no event there
                await asyncio.sleep(0.005)
    load.failed += len(load.due) + sum(one.is_waiting for one in connections)


def _result(load: _Load, rate: float, busy: float) -> Result:
    ordered = sorted(1000 * one for one in load.seconds)
    return Result(
        answers=len(ordered),
        failed=load.failed,
        rate=rate,
        p50=percentile(ordered, 0.5),
        p99=percentile(ordered, 0.99),
        p999=percentile(ordered, 0.999),
        slowest=ordered[-1] if ordered else 0.0,
        busy=busy,
        late=1000 * load.late,
        texts=tuple(
            tuple(sorted(text.decode() for text in texts)) for texts in load.texts
        ),
    )


async def load(plan: Plan) -> Result:
    """Runs the plan in a process of its own.

    Raises:
        RuntimeError: the client failed; the message is what it printed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench.client",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
        limit=64 << 20,
    )
    try:
        said, error = await process.communicate(json.dumps(asdict(plan)).encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError(f"the client failed:\n{error.decode()[-2000:]}")
    return msgspec.json.decode(said, type=Result)


def pin(cpu: int | None) -> None:
    """Keeps this process on one core, where the system can do that."""
    if cpu is not None and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[cpu % len(cores)]})


def main() -> None:
    """Reads the plan, runs it, prints the result."""
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    pin(plan.cpu)
    print(json.dumps(asdict(uvloop.run(_run(plan)))))


if __name__ == "__main__":
    main()
