"""How long something takes: repeated, on a monotonic clock.

Garbage is collected before, not switched off: the webhook has it too. Where a
peer is measured, its turns come between ours, so that a busy machine slows both.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

UNITS: Final = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6}

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Times:
    """What several repetitions took, in seconds.

    Attributes:
        median: what is reported as the value.
        least: the fastest; nearest to what a machine of our own would do.
        processor: the median of processor time, of all threads: without what other
            processes took.
    """

    median: float
    least: float
    processor: float

    def beside(self, unit: str) -> dict[str, float]:
        """All but the value, for `Figure.beside`."""
        scale = UNITS[unit]
        return {
            f"least, {unit}": self.least * scale,
            f"processor time, {unit}": self.processor * scale,
        }


class Clock:
    """Collects what repetitions take."""

    def __init__(self) -> None:
        self._samples: list[tuple[float, float]] = []

    def time(self, act: Callable[[], object], calls: int = 1) -> None:
        """One repetition; it takes as long as one of its calls."""
        spent, started = time.process_time(), time.perf_counter()
        for _ in range(calls):
            act()
        ended, used = time.perf_counter(), time.process_time()
        self._samples.append(((ended - started) / calls, (used - spent) / calls))

    async def wait(self, act: Awaitable[object]) -> None:
        """One repetition of what is awaited."""
        spent, started = time.process_time(), time.perf_counter()
        await act
        ended, used = time.perf_counter(), time.process_time()
        self._samples.append((ended - started, used - spent))

    def times(self) -> Times:
        """Of all repetitions so far."""
        elapsed, spent = zip(*self._samples, strict=True)
        median = statistics.median
        return Times(median(elapsed), min(elapsed), median(spent))


def repeat(act: Callable[[], object], *, times: int = 50, calls: int = 1) -> Times:
    """Times calls of `act`, of which `calls` together are one repetition."""
    act()
    gc.collect()
    clock = Clock()
    for _ in range(times):
        clock.time(act, calls)
    return clock.times()


def fresh(
    make: Callable[[], _Made],
    act: Callable[[_Made], object],
    *,
    times: int = 9,
    between: Callable[[], object] = lambda: None,
) -> Times:
    """Times `act`, each time on something just made, which is not timed.

    Args:
        make: makes it.
        act: what is timed.
        times: repetitions.
        between: called before each repetition: a peer's turn.
    """
    clock = Clock()
    for _ in range(times):
        between()
        made = make()
        gc.collect()
        clock.time(partial(act, made))
        del made
    return clock.times()
