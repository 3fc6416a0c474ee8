"""What the API server said, for a while: bounded in number and bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

from app.kube.backoff import Clock

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Values until their time; the least recently used go first.

    Args:
        clock: tells the time.
        most: values.
        most_bytes: of all values together.

    Attributes:
        size_bytes: of all values together.
    """

    def __init__(self, clock: Clock, *, most: int, most_bytes: int) -> None:
        self._clock: Final = clock
        self._most: Final = most
        self._most_bytes: Final = most_bytes
        self._values: Final[OrderedDict[K, tuple[V, float, int]]] = OrderedDict()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: K) -> V | None:
        """The value; `None` if there is none that still holds."""
        entry = self._values.get(key)
        if entry is None:
            return None
        value, ends, _ = entry
        if self._clock.now() >= ends:
            self._drop(key)
            return None
        self._values.move_to_end(key)
        return value

    def put(self, key: K, value: V, *, seconds: float, size_bytes: int) -> None:
        """Keeps a value; one that is larger than all may be is not kept."""
        self._drop(key)
        self._values[key] = (value, self._clock.now() + seconds, size_bytes)
        self.size_bytes += size_bytes
        while len(self._values) > self._most or self.size_bytes > self._most_bytes:
            self._drop(next(iter(self._values)))

    def _drop(self, key: K) -> None:
        entry = self._values.pop(key, None)
        if entry is not None:
            self.size_bytes -= entry[2]
