"""What the rest of this package needs of HTTP, and what a refusal means.

`connection` implements `Transport` with aiohttp; tests implement it with
recorded bytes. Every fault is a `ClusterError`: an answer other than 200 is a
`RefusedError` whose `reason` comes from the table below, a fault on the way has one
of `Unreachable`, `Timeout`, `TlsFailure` and `Truncated`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

import msgspec

from app.errors import ClusterError

GONE: Final = "Gone"
FORBIDDEN: Final = "Forbidden"
NOT_FOUND: Final = "NotFound"
CONFLICT: Final = "Conflict"
INVALID: Final = "Invalid"
UNAUTHORIZED: Final = "Unauthorized"
TIMEOUT: Final = "Timeout"
TLS_FAILURE: Final = "TlsFailure"
TOO_LARGE: Final = "TooLarge"
TRUNCATED: Final = "Truncated"

_REASONS: Final = {
    400: "BadRequest",
    401: UNAUTHORIZED,
    403: FORBIDDEN,
    404: NOT_FOUND,
    409: CONFLICT,
    410: GONE,
    422: INVALID,
    429: "TooManyRequests",
}

_STATUS_BYTES: Final = 16 << 10
"""Of a refusal's body; a Status is far below."""

_DETAIL_CHARACTERS: Final = 300


class RefusedError(ClusterError):
    """The API server answered, but not with what we asked for.

    Attributes:
        status: the HTTP status, or the code of a Status inside a watch.
        retry_after_seconds: how long it wants us to wait, `None` if it did not say.
    """

    def __init__(
        self, status: int, detail: str, *, retry_after_seconds: float | None = None
    ) -> None:
        server_side = "ServerError" if status >= 500 else "UnexpectedStatus"  # noqa: PLR2004 - HTTP's class
        message = f"the API server answered {status}: {_plain(detail) or 'no detail'}"
        super().__init__(_REASONS.get(status, server_side), message)
        self.status: Final = status
        self.retry_after_seconds: Final = retry_after_seconds


class Response(Protocol):
    """An answer whose body has not been read yet."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...

    @property
    def retry_after_seconds(self) -> float | None:
        """`Retry-After`, if it is there and a number of seconds."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives; raises `ClusterError` for every fault."""
        ...


class Transport(Protocol):
    """Asks the API server; knows the address, TLS and credentials."""

    def get(
        self, path: str, query: Mapping[str, str]
    ) -> AbstractAsyncContextManager[Response]:
        """GETs `path`; raises `ClusterError` for every fault, inside `with` too."""
        ...

    async def renew(self) -> None:
        """Loads address, TLS and credentials again."""
        ...


class _Status(msgspec.Struct):
    message: str = ""


async def read(response: Response, *, limit_bytes: int) -> bytes:
    """The whole body.

    Raises:
        ClusterError: it is longer than `limit_bytes` (`TooLarge`), or breaks off.
    """
    body = bytearray()
    async for chunk in response.chunks():
        body += chunk
        if len(body) > limit_bytes:
            raise ClusterError(TOO_LARGE, f"an answer exceeds {limit_bytes} bytes")
    return bytes(body)


async def require_ok(response: Response) -> None:
    """Raises `RefusedError` unless the status is 200."""
    if response.status == 200:  # noqa: PLR2004 - HTTP's
        return
    detail = ""
    try:
        body = await read(response, limit_bytes=_STATUS_BYTES)
        detail = msgspec.json.decode(body, type=_Status).message
    except (ClusterError, ValueError, RecursionError):
        pass  # the status says enough
    raise RefusedError(
        response.status, detail, retry_after_seconds=response.retry_after_seconds
    )


def _plain(text: str) -> str:
    """One short line without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[
        :_DETAIL_CHARACTERS
    ]
