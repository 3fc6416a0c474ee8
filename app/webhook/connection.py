"""One connection: uvicorn's HTTP/1.1, with the bounds and the clock of a webhook.

What uvicorn leaves open is added here:

1. A request's time runs from when its first bytes reached this machine, not from
   when the loop got to them: the kernel knows for how long they have waited.
2. A connection ends after a number of requests or some time, so that the API server
   connects again and finds replicas that are new. Each draws its own end from a
   quarter around the setting: connections that began together, after a rollout, do
   not end together. The answer says `Connection: close`, so no request is lost.
3. What is asked for by somebody who has hung up is cancelled.
4. An answer's head and body leave in one write, so in one segment: two would wait for
   each other where somebody delays acknowledgements.
5. Headers and bodies that do not come, or do not end, are not waited for
   (`is_overdue`; the listener looks around).
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final, cast

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from app.telemetry import LOGGER
from app.webhook.bounds import Bounds

EXTENSION: Final = "imagecompat.arrived"
"""Key of the ASGI extension with a request's arrival, on `time.monotonic`."""

_JITTER: Final = (0.75, 1.25)
_TCP_INFO_BYTES: Final = 56
_LAST_DATA_RECEIVED: Final = struct.Struct("=52xI")
"""`tcpi_last_data_recv` of Linux' `struct tcp_info`, in milliseconds."""

_CONTINUE: Final = b"HTTP/1.1 100 "

LOG: Final = logging.getLogger(f"{LOGGER}.http")


class Phase(Enum):
    """What a connection waits for."""

    IDLE = auto()
    HEAD = auto()
    BODY = auto()
    ANSWER = auto()


class TooLargeHeadError(Exception):
    """Headers beyond the bound; the parser gives up by an exception only."""


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told what happens to a connection.

    Attributes:
        opened: that it stands, TLS included.
        dropped: the path of a request whose sender has hung up.
    """

    opened: Callable[[], None]
    dropped: Callable[[str], None]


class Joined:
    """A transport that holds an answer's head back until there is more of it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport: Final = transport
        self._head = b""
        self._is_begun = False

    def write(self, content: bytes) -> None:
        """Writes, or keeps what is the head of an answer."""
        if self._is_begun:
            self._transport.write(self._head + content)
            self._head = b""
        elif content.startswith(_CONTINUE):
            self._transport.write(content)
        else:
            self._is_begun, self._head = True, content

    def end(self) -> None:
        """The answer is complete."""
        if self._head:
            self._transport.write(self._head)
        self._is_begun, self._head = False, b""

    def close(self) -> None:
        """Ends the connection after what was written."""
        self.end()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether it ends."""
        return self._transport.is_closing()


class Connection(HttpToolsProtocol):
    """A connection of one port.

    Attributes:
        phase: what it waits for.
        since: for as long as this, on `time.monotonic`.
    """

    def __init__(
        self,
        config: Config,
        state: ServerState,
        bounds: Bounds,
        sock: socket.socket,
        told: Told,
    ) -> None:
        """Takes over an accepted socket.

        Args:
            config: uvicorn's.
            state: of the port.
            bounds: of the port.
            sock: the socket, for what the kernel knows of it.
            told: is told what happens.
        """
        super().__init__(config, state, {}, asyncio.get_running_loop())
        self.logger = LOG
        self.phase = Phase.IDLE
        self.since = time.monotonic()
        self._bounds: Final = bounds
        self._sock: Final = sock
        self._told: Final = told
        self._task: asyncio.Task[None] | None = None
        self._head_bytes = 0
        self._read_bytes = 0
        self._refusal = 400
        self._joined: Joined
        self._requests_left = bounds.requests * random.uniform(*_JITTER)  # noqa: S311
        self._ends = self.since + bounds.seconds * random.uniform(*_JITTER)  # noqa: S311

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The connection stands; its first request may take as long as any other."""
        super().connection_made(transport)
        self._joined = Joined(transport)
        self.since = time.monotonic()
        self._told.opened()

    # What comes in -----------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Bytes; headers that have no end are refused before they fill memory."""
        self._read_bytes = len(data)
        super().data_received(data)
        if self.phase is Phase.HEAD:
            self._head_bytes += len(data)
            if self._head_bytes > self._bounds.head_bytes:
                self._refuse(431)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self.phase = Phase.HEAD
        self._head_bytes = 0
        self.since = arrived = time.monotonic() - self._waited_seconds()
        cast("dict[str, Any]", self.scope)["extensions"] = {EXTENSION: arrived}

    def on_headers_complete(self) -> None:
        """All headers; the answer may be the last on this connection.

        Raises:
            TooLargeHeadError: there are too many of them.
        """
        most = self._bounds.head_bytes
        if self._head_bytes + self._read_bytes > most:  # else they cannot be
            size = len(self.url) + sum(len(k) + len(v) for k, v in self.headers)
            if size > most:
                self._refusal = 431
                raise TooLargeHeadError
        super().on_headers_complete()
        self.cycle.transport = cast("asyncio.Transport", self._joined)
        self.phase = Phase.BODY
        self._requests_left -= 1
        if self._requests_left <= 0 or self.since >= self._ends:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        """The whole request."""
        super().on_message_complete()
        self.phase = Phase.ANSWER

    def on_response_complete(self) -> None:
        """An answer has been written."""
        self._joined.end()
        if self.cycle.response_complete:
            self.phase = Phase.IDLE
            self.since = time.monotonic()
        super().on_response_complete()

    def _waited_seconds(self) -> float:
        """For how long the newest bytes lay with the kernel; 0 where it is silent."""
        try:
            info = self._sock.getsockopt(
                socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES
            )
            return float(_LAST_DATA_RECEIVED.unpack(info)[0]) / 1000
        except (OSError, AttributeError, struct.error):
            return 0.0

    # What ends ---------------------------------------------------------------

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:  # noqa: ANN401 - uvicorn's
        task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)
        self._task = task

    def connection_lost(self, exc: Exception | None) -> None:
        """The other side is gone: nobody wants the answer any more."""
        super().connection_lost(exc)
        task = self._task
        if task is None or task.done() or self.cycle.response_complete:
            return
        task.cancel()
        self._told.dropped(self.cycle.scope["path"])

    def is_overdue(self, now: float) -> bool:
        """Whether what it waits for has not come in time."""
        waited = now - self.since
        match self.phase:
            case Phase.HEAD:
                return waited > self._bounds.head_seconds
            case Phase.BODY:
                return waited > self._bounds.body_seconds
            case Phase.IDLE:
                return waited > self._bounds.idle_seconds
            case _:
                return False

    def give_up(self) -> None:
        """Ends a connection that is overdue."""
        if self.phase is Phase.HEAD:
            self._refuse(408)
        elif self.phase is Phase.BODY:
            self.transport.abort()
        else:
            self.transport.close()

    def finish(self) -> None:
        """The answer that is under way, if any, is the last."""
        if self.cycle is not None:
            self.cycle.keep_alive = False

    def abort(self) -> None:
        """Ends at once, whatever is under way."""
        self.transport.abort()

    def _refuse(self, status: int) -> None:
        self._refusal = status
        self.send_400_response("")

    def send_400_response(self, msg: str) -> None:
        """What is no request that we take: its status, and the end."""
        del msg
        if self.transport.is_closing():
            return
        self.phase = Phase.IDLE
        self.transport.write(
            STATUS_LINE[self._refusal]
            + b"content-length: 0\r\nconnection: close\r\n\r\n"
        )
        self.transport.close()
