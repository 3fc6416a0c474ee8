"""What one port may cost: connections, headers, bodies, and how long each may take.

The API server sends a whole review at once and keeps idle connections for 90
seconds; whoever needs more than this is somebody else, and holds only a connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.settings.sections import ServerSettings

MAX_CONNECTIONS: Final = 1024
"""Of the HTTPS port; an API server has at most 600 requests at the same time."""

MAX_STATUS_CONNECTIONS: Final = 64
"""Of the status port: probes, Prometheus, a person or two."""

MAX_HEAD_BYTES: Final = 16 << 10
"""Request line and headers; the API server's have 300 bytes."""

HEAD_SECONDS: Final = 10.0
"""From a request's first byte to the end of its headers."""

BODY_SECONDS: Final = 30.0
"""From a request's first byte to the end of its body: nobody waits longer for a
webhook (`timeoutSeconds`)."""

HANDSHAKE_SECONDS: Final = 10.0
"""Until TLS stands."""

GOODBYE_SECONDS: Final = 5.0
"""Until the other side has agreed that TLS ends."""

SMALL_BODY_BYTES: Final = 64 << 10
"""A body up to this always finds room; real ones have 5 to 20 KiB."""

MAX_BODIES_BYTES: Final = 64 << 20
"""Bodies that are being read, all together, beyond the first part of each."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of one port.

    Attributes:
        connections: open at the same time, handshakes included.
        head_bytes: of request line and headers.
        head_seconds: until they are there.
        body_seconds: until the body is there.
        idle_seconds: without a request.
        handshake_seconds: until TLS stands.
        requests: roughly so many on one connection.
        seconds: roughly so long one connection is used.
    """

    connections: int = MAX_CONNECTIONS
    head_bytes: int = MAX_HEAD_BYTES
    head_seconds: float = HEAD_SECONDS
    body_seconds: float = BODY_SECONDS
    idle_seconds: float = 120.0
    handshake_seconds: float = HANDSHAKE_SECONDS
    requests: int = 1000
    seconds: float = 300.0


def of_reviews(settings: ServerSettings) -> Bounds:
    """Of the HTTPS port."""
    return Bounds(
        idle_seconds=settings.keep_alive_seconds,
        requests=settings.requests_per_connection,
        seconds=settings.connection_seconds,
    )


def of_status(settings: ServerSettings) -> Bounds:
    """Of the status port; who reads metrics has no other replica to go to."""
    return Bounds(
        connections=MAX_STATUS_CONNECTIONS,
        idle_seconds=settings.keep_alive_seconds,
        requests=1 << 30,
        seconds=1e9,
    )
