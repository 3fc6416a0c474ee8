"""A cache that is bounded in bytes and time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, Protocol, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

ENTRY_BYTES: Final = 1024
"""What an entry costs beside its content."""


class Filled(Protocol):
    """How full a cache is."""

    @property
    def size_bytes(self) -> int:
        """Of all entries, roughly."""
        ...

    def __len__(self) -> int: ...


class TimedCache(Generic[K, V]):
    """Least recently used entries go first; entries end at their time.

    Whatever is put in takes one or two with it that have ended, if those were used
    least: names that nobody asks for again leave as others come.

    Attributes:
        size_bytes: of all entries, roughly.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        most_bytes: int,
        evicted: Callable[[], None] = lambda: None,
    ) -> None:
        """Empty.

        Args:
            clock: in seconds, monotonic.
            most_bytes: of all entries.
            evicted: called for each that goes before its time, for want of room.
        """
        self.size_bytes = 0
        self._evicted = evicted
        self._clock = clock
        self._most = most_bytes
        self._entries: OrderedDict[K, tuple[V, float, int]] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value; `None` if there is none that still holds."""
        entry = self.entry(key)
        return entry[0] if entry is not None else None

    def entry(self, key: K) -> tuple[V, float] | None:
        """The value and when it ends; `None` if there is none that still holds."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        value, ends, _ = entry
        if self._clock() >= ends:
            self.drop(key)
            return None
        self._entries.move_to_end(key)
        return value, ends

    def put(self, key: K, value: V, *, seconds: float, content_bytes: int) -> None:
        """Keeps a value; one that is larger than the whole cache is not kept."""
        self.drop(key)
        size = content_bytes + ENTRY_BYTES
        if size > self._most:
            return
        self._entries[key] = (value, self._clock() + seconds, size)
        self.size_bytes += size
        self._drop_ended()
        while self.size_bytes > self._most:
            self.drop(next(iter(self._entries)))
            self._evicted()

    def _drop_ended(self) -> None:
        for _ in range(2):
            oldest = next(iter(self._entries))
            if self._clock() < self._entries[oldest][1] or len(self._entries) == 1:
                return
            self.drop(oldest)

    def drop(self, key: K) -> None:
        """Forgets an entry, if there is one."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.size_bytes -= entry[2]

    def __len__(self) -> int:
        return len(self._entries)
