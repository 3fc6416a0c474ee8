"""The body of a review: its bounds, and what is done when memory is short.

A body up to `SMALL_BODY_BYTES` always finds room: there are only so many
connections. What is longer shares `MAX_BODIES_BYTES` with all others that are being
read. One that finds no room there is read to its end without being kept, because
whoever sends a request may not look for the answer before it is sent; its beginning
names the request, so that `policy.onOverload` can answer it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fastapi import Request

from app.admission import review
from app.errors import ReviewError
from app.webhook.bounds import MAX_BODIES_BYTES, SMALL_BODY_BYTES

JSON: Final = "application/json"

_OBJECT: Final = b',"object":'
"""What the API server's encoder writes after all that names a request."""


class Budget:
    """Bytes that all bodies share which are being read.

    Attributes:
        held: taken now.
    """

    def __init__(self, most: int = MAX_BODIES_BYTES) -> None:
        self.held = 0
        self._most: Final = most

    def take(self, size: int) -> bool:
        """Whether there is room; if so it is taken."""
        if self.held + size > self._most:
            return False
        self.held += size
        return True

    def give_back(self, size: int) -> None:
        """What was taken."""
        self.held -= size


@dataclass(frozen=True, slots=True)
class Beginning:
    """Of a body for which there was no room."""

    content: bytes


async def read(
    request: Request, most: int, budget: Budget
) -> review.Review | Beginning:
    """Reads and decodes a body.

    Args:
        request: whose.
        most: bytes of one body.
        budget: of all bodies.

    Raises:
        ReviewError: it is no review by its own word, larger than `most` bytes, or
            cannot be decoded.
    """
    kind = _header(request, b"content-type").partition(";")[0].strip().lower()
    if kind != JSON:
        text = f"expected Content-Type {JSON}"
        raise ReviewError("UnsupportedMediaType", text, status=415)
    declared = _header(request, b"content-length")
    if declared.isdecimal() and int(declared[:20]) > most:
        raise _too_large(most)
    body = _Body(most, budget)
    try:
        async for chunk in request.stream():
            body.add(chunk)
        if body.is_cut:
            return Beginning(b"".join(body.chunks))
        return review.read(b"".join(body.chunks))
    finally:
        budget.give_back(body.taken)


def _header(request: Request, name: bytes) -> str:
    """The first of a name, as from `request.headers`, which is five times as dear."""
    for key, value in request.scope["headers"]:
        if key == name:
            text: str = value.decode("latin-1")
            return text
    return ""


class _Body:
    """What is kept of a body while it comes in."""

    def __init__(self, most: int, budget: Budget) -> None:
        self.chunks: Final[list[bytes]] = []
        self.taken = 0
        self.is_cut = False
        self._size = 0
        self._most: Final = most
        self._budget: Final = budget

    def add(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._most:
            raise _too_large(self._most)
        if self.is_cut:
            return
        if self._size > SMALL_BODY_BYTES:
            if not self._budget.take(len(chunk)):
                self._cut(chunk)
                return
            self.taken += len(chunk)
        self.chunks.append(chunk)

    def _cut(self, chunk: bytes) -> None:
        self.is_cut = True
        kept = b"".join([*self.chunks, chunk])[:SMALL_BODY_BYTES]
        self.chunks[:] = [kept]
        self._budget.give_back(self.taken)
        self.taken = 0


def named(beginning: Beginning) -> review.Review | None:
    """The review without its object; `None` if it does not begin as usual.

    The API server's encoder writes all that names a request before its object.
    """
    head, found, _ = beginning.content.partition(_OBJECT)
    if not found:
        return None
    try:
        return review.read(head + b"}}")
    except ReviewError:
        return None


def _too_large(most: int) -> ReviewError:
    text = f"the body is larger than {most} bytes"
    return ReviewError("BodyTooLarge", text, status=413)
