"""Reads a list in pages that fit into memory.

Without a resource version, so that what comes is the newest: with version 0 the
limit is ignored by servers older than 1.34. How many objects a page asks for
follows their size: a page should have 4 MiB and may have 8 MiB. A page of a single
object that exceeds that is passed over, all but its end, which says where the list
goes on (custom resources are listed with their metadata behind the items).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from app.errors import ClusterError
from app.kube import decode
from app.kube.decode import DECODE_ERRORS
from app.kube.resource import Resource
from app.kube.transport import (
    FORBIDDEN,
    TOO_LARGE,
    Response,
    Transport,
    require_ok,
)

MAX_PAGE_BYTES: Final = 8 << 20
TARGET_PAGE_BYTES: Final = 4 << 20
MAX_SKIPPED_BYTES: Final = 256 << 20
"""So much of a single object is passed over before the list is given up."""

PAGE_LIMITS: Final = (1, 500)
"""Objects a page asks for; 500 is kubectl's own."""

_TAIL_BYTES: Final = 8 << 10
_TAIL: Final = re.compile(rb'"metadata":(\{[^{}]*\})\}\s*\Z')


@dataclass(frozen=True, slots=True)
class Part:
    """One page.

    Attributes:
        items: its objects, raw.
        lost: how many objects were passed over.
        token: where the list goes on; empty at its end.
        version: resource version of the whole list.
    """

    items: Sequence[msgspec.Raw]
    lost: int
    token: str
    version: str


class Pages:
    """Reads the lists of one resource; remembers how large its objects are.

    Args:
        resource: the collection.
        transport: the way to it.
        selectors: `labelSelector` and `fieldSelector`, where not all is wanted.
    """

    def __init__(
        self,
        resource: Resource,
        transport: Transport,
        *,
        selectors: Mapping[str, str] | None = None,
    ) -> None:
        self._path: Final = resource.path
        self._selectors: Final = dict(selectors or {})
        self._transport: Final = transport
        self._limit = resource.page_limit

    async def fetch(self, token: str) -> Part:
        """The page at `token`, the first one if that is empty.

        Raises:
            ClusterError: it was refused, broke off, or is no list.
        """
        while True:
            query = {**self._selectors, "limit": str(self._limit)}
            if token:
                query["continue"] = token
            async with self._transport.get(self._path, query) as response:
                await require_ok(response)
                body, tail = await _read(response, skip=self._limit == 1)
            if body is not None:
                return self._part(body)
            if self._limit == 1:
                return _passed_over(tail)
            self._limit = max(1, self._limit // 2)

    async def unwatchable(self) -> tuple[str, ...]:
        """The missing verbs, where watching is forbidden: listing may be, too."""
        try:
            async with self._transport.get(self._path, {"limit": "1"}) as response:
                await require_ok(response)
        except ClusterError as error:
            if error.reason == FORBIDDEN:
                return ("list", "watch")
        return ("watch",)

    def _part(self, body: bytes) -> Part:
        try:
            page = decode.page(body)
        except DECODE_ERRORS as error:
            text = f"{self._path}: the answer is no list"
            raise ClusterError("Malformed", text) from error
        items = page.items or []
        if items:
            fitting = TARGET_PAGE_BYTES * len(items) // len(body)
            low, high = PAGE_LIMITS
            self._limit = max(low, min(fitting, self._limit * 2, high))
        return Part(items, 0, page.metadata.token, page.metadata.version)


async def _read(response: Response, *, skip: bool) -> tuple[bytes | None, bytes]:
    """The body, or `None` if it is too large and, with `skip`, its end."""
    body = bytearray()
    size = 0
    async for chunk in response.chunks():
        size += len(chunk)
        body += chunk
        if size > MAX_PAGE_BYTES:
            if not skip:
                return None, b""
            if size > MAX_SKIPPED_BYTES:
                raise ClusterError(TOO_LARGE, f"an object exceeds {size} bytes")
            del body[:-_TAIL_BYTES]
    if size > MAX_PAGE_BYTES:
        return None, bytes(body)
    return bytes(body), b""


def _passed_over(tail: bytes) -> Part:
    match = _TAIL.search(tail)
    if match is None:
        raise ClusterError(TOO_LARGE, "an object is too large, and hides the next")
    page = decode.page(b'{"metadata":' + match[1] + b"}")
    return Part((), 1, page.metadata.token, page.metadata.version)
