"""An event loop whose time passes only while everybody waits.

What takes minutes is over at once, and in the same order on every machine.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

_T = TypeVar("_T")

_THREADS_SECONDS: Final = 5.0
"""Real time for work in a thread, where nothing else is left to wait for."""


class _Selector(selectors.DefaultSelector):
    """Waits for nothing: says how long it would have waited."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(
        self, timeout: float | None = None
    ) -> list[tuple[selectors.SelectorKey, int]]:
        """See `selectors.BaseSelector`.

        Raises:
            RuntimeError: nothing will ever happen.
        """
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            ready = super().select(_THREADS_SECONDS)
            if not ready:
                raise RuntimeError("everybody waits, and nothing will happen")
            return ready
        self.now += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Seconds since its start are `time()`; nobody waits for them."""

    def __init__(self) -> None:
        """At 0."""
        self._virtual: Final = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """In seconds, from 0."""
        return self._virtual.now


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """`asyncio.run` on a `VirtualLoop`."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)
