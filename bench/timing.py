"""How long something takes: repeated, on a monotonic clock.

Garbage is collected before, not switched off: the webhook has it too. Where a
peer is measured, its turns come between ours, so that a busy machine slows both.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Times:
    """What several repetitions took, in seconds.

    Attributes:
        median: what is reported as the value.
        least: the fastest; nearest to what a machine of our own would do.
    """

    median: float
    least: float

    def scaled(self, factor: float, name: str) -> dict[str, float]:
        """The least one for `Figure.beside`, in another unit."""
        return {f"least, {name}": self.least * factor}


def of(samples: list[float]) -> Times:
    """From what each repetition took."""
    return Times(statistics.median(samples), min(samples))


def seconds(act: Callable[[], object]) -> float:
    """What one call takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def repeat(act: Callable[[], object], *, times: int = 50, calls: int = 1) -> Times:
    """Times calls of `act`, of which `calls` together are one repetition."""
    act()
    gc.collect()
    samples: list[float] = []
    for _ in range(times):
        started = time.perf_counter()
        for _ in range(calls):
            act()
        samples.append((time.perf_counter() - started) / calls)
    return of(samples)


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
    samples: list[float] = []
    for _ in range(times):
        between()
        made = make()
        gc.collect()
        started = time.perf_counter()
        act(made)
        samples.append(time.perf_counter() - started)
        del made
    return of(samples)
