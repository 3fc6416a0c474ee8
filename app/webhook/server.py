"""The process from its first moment to its last: two ports in one event loop.

Start:

1. Both addresses are taken; what is taken already is an error at once.
2. The status port opens: alive, and not ready for the reasons that it tells.
3. The parts start: the way to the API server, the watches. An API server that is
   away is waited for, without end: a restart would bring it no sooner.
4. A certificate is waited for, likewise.
5. The HTTPS port opens.

End, after SIGTERM (docs/explanation/life.md tells why):

1. `/readyz` fails.
2. For `server.drainSeconds` everything is served as before, but each answer is the
   last on its connection.
3. Nothing more is accepted; what is under way has `server.shutdownSeconds`.
4. Exit with 0.

A second signal skips what is left of 2 and 3. A signal during the start ends it at
once: nobody is served yet, and a credential plugin may hang.
"""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Final

import uvloop

from app.errors import ConfigError
from app.settings.sections import ServerSettings
from app.telemetry import log_event, logger
from app.webhook import bounds, interpreter
from app.webhook.application import Reviews, create_app
from app.webhook.body import Budget
from app.webhook.life import Life
from app.webhook.listener import Listener
from app.webhook.parts import Parts
from app.webhook.status_port import create_status_app
from app.webhook.watchdog import Watchdog

INTERRUPT_SECONDS: Final = 1.0
"""Drain after SIGINT: a person waits at a terminal."""

_POLL_SECONDS: Final = 0.25
_SETTLE_SECONDS: Final = 2.0
"""From the first sync until its nodes are surely in the indexes."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a process serves.

    Attributes:
        https: reviews.
        status: health, metrics and state.
    """

    https: int
    status: int


def serve(parts: Parts, settings: ServerSettings) -> None:
    """Serves until SIGTERM or SIGINT.

    Raises:
        ConfigError: an address cannot be had, or the parts do not start.
    """
    interpreter.tune()
    with _bound(settings) as sockets:
        uvloop.run(_until_told(Process(parts, settings, sockets)))


@asynccontextmanager
async def serving(parts: Parts, settings: ServerSettings) -> AsyncIterator[Ports]:
    """Serves inside the running loop until left.

    Raises:
        ConfigError: as for `serve`.
    """
    with _bound(settings) as sockets:
        process = Process(parts, settings, sockets)
        async with process.started():
            await parts.certificates.available()
            async with process.opened() as ports:
                yield ports


@dataclass(frozen=True, slots=True)
class _Sockets:
    https: socket.socket
    status: socket.socket


class Process:
    """Both ports, and what watches over them."""

    def __init__(
        self, parts: Parts, settings: ServerSettings, sockets: _Sockets
    ) -> None:
        self.parts: Final = parts
        self.settings: Final = settings
        self.life: Final = Life(parts, settings.stuck_seconds)
        self._budget: Final = Budget()
        self._sockets: Final = sockets
        self._reviews: Listener | None = None
        watchdog = Watchdog(settings.stuck_seconds)
        self._watchdog: Final = watchdog
        self._status: Final = Listener(
            create_status_app(parts, self.life, watchdog, self),
            sockets.status,
            bounds.of_status(settings),
        )

    @property
    def connections(self) -> int:
        """Open on the HTTPS port."""
        return len(self._reviews) if self._reviews is not None else 0

    @property
    def body_bytes(self) -> int:
        """Of bodies that are being read."""
        return self._budget.held

    @asynccontextmanager
    async def started(self) -> AsyncIterator[None]:
        """The status port is open, and the parts run."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._watchdog.running())
            await stack.enter_async_context(self._status.accepting())
            await stack.enter_async_context(self.parts.running())
            await stack.enter_async_context(self.parts.certificates.running())
            yield

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Ports]:
        """The HTTPS port is open; there must be a certificate."""
        reviews = Reviews(self.parts, self.settings, self._budget)
        self._reviews = listener = Listener(
            create_app(reviews, self.life),
            self._sockets.https,
            bounds.of_reviews(self.settings),
            context=self.parts.certificates.context(),
            dropped=reviews.dropped,
            refused=reviews.refused,
        )
        async with listener.accepting():
            self.life.is_open = True
            ports = Ports(listener.port, self._status.port)
            log_event("serving", port=ports.https, status_port=ports.status)
            yield ports

    async def drain(self, seconds: float, told: _Told) -> None:
        """Ends without failing anybody, as the module says."""
        log_event("draining", seconds=seconds)
        self.life.is_draining = True
        assert self._reviews is not None, "only what is open can be drained"  # noqa: S101
        self._reviews.drain()
        await told.again_within(seconds)
        await self._reviews.stop(self.settings.shutdown_seconds, at_once=told.again)


class _Told:
    """The signals that have come.

    Attributes:
        by: the first.
        again: set by the second.
    """

    def __init__(self) -> None:
        self.by: signal.Signals | None = None
        self.again: Final = asyncio.Event()
        self._first: Final = asyncio.Event()
        self._cancels: Callable[[], object] | None = None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._tell, number)

    def _tell(self, number: signal.Signals) -> None:
        if self.by is None:
            self.by = number
            self._first.set()
            if self._cancels is not None:
                self._cancels()
        else:
            self.again.set()

    @contextmanager
    def cancelling(self) -> Iterator[None]:
        """Inside, the first signal cancels the task."""
        task = asyncio.current_task()
        assert task is not None, "signals come to a loop"  # noqa: S101
        self._cancels = task.cancel
        try:
            yield
        finally:
            self._cancels = None

    async def wait(self) -> signal.Signals:
        """The first signal."""
        await self._first.wait()
        assert self.by is not None, "set together"  # noqa: S101
        return self.by

    async def before(self, done: Awaitable[object]) -> bool:
        """Waits for `done`; whether a signal came before it.

        Raises:
            Exception: what `done` raises.
        """
        task = asyncio.ensure_future(done)
        first = asyncio.create_task(self._first.wait())
        await asyncio.wait({task, first}, return_when=asyncio.FIRST_COMPLETED)
        first.cancel()
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return True
        task.result()
        return False

    async def again_within(self, seconds: float) -> None:
        """Waits, at most until the second signal."""
        try:
            async with asyncio.timeout(seconds):
                await self.again.wait()
        except TimeoutError:
            return


async def _until_told(process: Process) -> None:
    """Ends with status 0 when told to."""
    asyncio.get_running_loop().set_exception_handler(_log_fault)
    told = _Told()
    try:
        async with AsyncExitStack() as stack:
            with told.cancelling():
                await stack.enter_async_context(process.started())
            await _serve_until(told, process)
    except asyncio.CancelledError:
        if told.by is None:
            raise
    log_event("stopped")


async def _serve_until(told: _Told, process: Process) -> None:
    parts = process.parts
    if await told.before(parts.certificates.available()):
        return
    async with process.opened():
        settling = asyncio.create_task(_settled_when_ready(parts))
        try:
            by = await told.wait()
        finally:
            settling.cancel()
            await asyncio.gather(settling, return_exceptions=True)
        seconds = process.settings.drain_seconds
        if by is signal.SIGINT:
            seconds = min(seconds, INTERRUPT_SECONDS)
        await process.drain(seconds, told)


async def _settled_when_ready(parts: Parts) -> None:
    """Keeps the collector away from the cluster, once that is taken in."""
    while parts.health.problems():  # noqa: ASYNC110 - no event there
        await asyncio.sleep(_POLL_SECONDS)
    await asyncio.sleep(_SETTLE_SECONDS)
    interpreter.settle()


def _log_fault(loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    """What nobody waits for goes wrong: one line, as for everything else.

    Broken connections are no fault of ours, and strangers could fill the log.
    """
    del loop
    error = context.get("exception")
    if not isinstance(error, OSError):
        fields = {"message": context.get("message"), "error": repr(error)}
        logger().error("fault", extra={"fields": fields})


@contextmanager
def _bound(settings: ServerSettings) -> Iterator[_Sockets]:
    """Both addresses, taken; nobody is listened to yet."""
    with (
        _socket(settings.host, settings.port, "server.port") as https,
        _socket(settings.host, settings.status_port, "server.statusPort") as status,
    ):
        yield _Sockets(https, status)


@contextmanager
def _socket(host: str, port: int, name: str) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((host, port))
        except OSError as error:
            text = f"server.host {host}, {name} {port}: {error.strerror}"
            raise ConfigError("AddressInUse", text) from error
        yield one
