"""One port: accepts connections within bounds, looks after them, and drains.

Connections are accepted here rather than by the event loop's server, so that those
that are still in their TLS handshake count too, and end.

At the bound the connection goes that has been idle for longest; if none is idle the
new one does. So whoever opens many and says nothing pushes out only himself.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final, NoReturn

from uvicorn import Config
from uvicorn.server import ServerState

from app.telemetry import log_exception, log_warning
from app.webhook import connection
from app.webhook.bounds import GOODBYE_SECONDS, Bounds
from app.webhook.connection import Connection, Phase, Told

BACKLOG: Final = 2048
SWEEP_SECONDS: Final = 0.5
RETRY_SECONDS: Final = 0.1
"""After a connection could not be accepted: no descriptors are left, say."""

POLL_SECONDS: Final = 0.02
ABORT_SECONDS: Final = 1.0
"""Until connections that are broken off have ended what they were asked."""

_CLOSE: Final = (b"connection", b"close")
_NO_CONNECTION: Final = (OSError, ssl.SSLError, TimeoutError, EOFError)


class Listener:
    """Serves an application on a bound socket."""

    def __init__(
        self,
        app: Any,  # noqa: ANN401 - ASGI has no type
        sock: socket.socket,
        bounds: Bounds,
        *,
        context: ssl.SSLContext | None = None,
        dropped: Callable[[str], None] = lambda _: None,
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepares; nothing is accepted yet.

        Args:
            app: ASGI.
            sock: bound, not listening.
            bounds: what it may cost.
            context: for TLS; plain without.
            dropped: is told the path of a request whose sender has hung up.
            refused: is told that there was no room for a connection.
        """
        self._config: Final = _config(app, bounds)
        self._sock: Final = sock
        self._bounds: Final = bounds
        self._context: Final = context
        self._dropped: Final = dropped
        self._refused: Final = refused
        self._state: Final = ServerState()
        self._opening: Final[set[socket.socket]] = set()
        self._opens: Final[set[asyncio.Task[None]]] = set()
        self._tasks: tuple[asyncio.Task[NoReturn], ...] = ()

    @property
    def port(self) -> int:
        """The TCP port."""
        port: int = self._sock.getsockname()[1]
        return port

    def __len__(self) -> int:
        """Connections, handshakes included."""
        return len(self._state.connections) + len(self._opening)

    @property
    def connections(self) -> list[Connection]:
        """Those that are established."""
        return [one for one in self._state.connections if isinstance(one, Connection)]

    @asynccontextmanager
    async def accepting(self) -> AsyncIterator[None]:
        """Accepts until left; what is under way then is broken off."""
        self._sock.listen(BACKLOG)
        self._sock.settimeout(0)
        self._tasks = (
            asyncio.create_task(self._accept(), name=f"accept {self.port}"),
            asyncio.create_task(self._sweep(), name=f"sweep {self.port}"),
        )
        try:
            yield
        finally:
            await self.stop(0)

    def drain(self) -> None:
        """From now on each answer is the last on its connection."""
        self._state.default_headers[:] = [_CLOSE]
        for one in self.connections:
            one.finish()

    async def stop(
        self, seconds: float, *, at_once: asyncio.Event | None = None
    ) -> None:
        """Stops to accept; what is under way may end for so many seconds.

        Args:
            seconds: then it is broken off.
            at_once: set when nobody wants to wait any longer.
        """
        await _ended(*self._tasks, *self._opens)
        self._tasks = ()
        self._sock.close()
        for one in self.connections:
            one.finish()
            if one.phase is Phase.IDLE:
                one.transport.close()
        ends = time.monotonic() + seconds
        while self._state.connections and time.monotonic() < ends:
            if at_once is not None and at_once.is_set():
                break
            await asyncio.sleep(POLL_SECONDS)
        for one in self.connections:
            one.abort()
        ends = time.monotonic() + ABORT_SECONDS
        while self._state.connections and time.monotonic() < ends:  # noqa: ASYNC110
            await asyncio.sleep(0)
        await _ended(*self._state.tasks)

    async def _accept(self) -> NoReturn:
        """Accepts for ever: whatever goes wrong, nobody else would open the port."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, _ = await loop.sock_accept(self._sock)
                self._admit(sock)
            except OSError as error:
                log_warning("accept failed", port=self.port, error=error.strerror)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:  # noqa: BLE001 - a bug of ours must not close the port
                log_exception("accept failed", port=self.port)
                await asyncio.sleep(RETRY_SECONDS)
            await asyncio.sleep(0)

    def _admit(self, sock: socket.socket) -> None:
        if not self._has_room():
            self._refused()
            sock.close()
            return
        self._opening.add(sock)
        task = asyncio.create_task(self._open(sock))
        self._opens.add(task)
        task.add_done_callback(self._opens.discard)

    def _has_room(self) -> bool:
        if len(self) < self._bounds.connections:
            return True
        idle = [one for one in self.connections if one.phase is Phase.IDLE]
        idle = [one for one in idle if not one.transport.is_closing()]
        if not idle:
            return False
        min(idle, key=lambda one: one.since).transport.abort()
        return True

    async def _open(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()

        def opened() -> None:
            self._opening.discard(sock)

        def made() -> Connection:
            told = Told(opened, self._dropped)
            return Connection(self._config, self._state, self._bounds, sock, told)

        opening: Coroutine[Any, Any, object]
        if self._context is None:
            opening = loop.connect_accepted_socket(made, sock)
        else:
            opening = loop.connect_accepted_socket(
                made,
                sock,
                ssl=self._context,
                ssl_handshake_timeout=self._bounds.handshake_seconds,
                ssl_shutdown_timeout=GOODBYE_SECONDS,
            )
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await opening
        except _NO_CONNECTION:
            sock.close()
        finally:
            opened()

    async def _sweep(self) -> NoReturn:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = time.monotonic()
            for one in self.connections:
                if one.is_overdue(now) and not one.transport.is_closing():
                    one.give_up()


def _config(app: Any, bounds: Bounds) -> Config:  # noqa: ANN401
    connection.LOG.setLevel(logging.ERROR)  # below is what strangers can cause
    config = Config(
        app,
        interface="asgi3",
        http=Connection,
        ws="none",
        loop="none",
        lifespan="off",
        proxy_headers=False,
        timeout_keep_alive=round(bounds.idle_seconds),
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=False,
    )
    config.load()
    return config


async def _ended(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
