"""Splits a watch's body into lines, within a bound.

aiohttp's own `readline` fails at 512 KiB, which a NodeFeature can reach; here a
line may have `limit_bytes`. One that is longer is dropped while it arrives, so
that memory stays bounded and the stream stays in step: `None` stands for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final


class LineSplitter:
    """Collects chunks until a line is whole."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit: Final = limit_bytes
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def is_inside_line(self) -> bool:
        """Whether a line has begun that has no end yet."""
        return self._size > 0

    def feed(self, chunk: bytes) -> Iterator[bytes | None]:
        """The lines that `chunk` completes, without their ends; blanks left out."""
        start = 0
        while (end := chunk.find(b"\n", start)) >= 0:
            self._keep(chunk[start:end])
            start = end + 1
            if self._size > self._limit:
                yield None
            elif line := b"".join(self._parts).strip():
                yield line
            self._parts.clear()
            self._size = 0
        self._keep(chunk[start:])

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._limit:
            self._parts.clear()
        elif part:
            self._parts.append(part)
