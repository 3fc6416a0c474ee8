"""How long to wait before the API server is asked again.

As client-go's reflector: 0.8 s, doubled up to 30 s, each stretched by up to its
own length, and from the start again after two minutes without a failure
(`tools/cache/reflector.go`, `NewExponentialBackoffManager`).
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

FIRST_SECONDS: Final = 0.8
LIMIT_SECONDS: Final = 30.0
HEALTHY_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance, so that tests need neither.

    Attributes:
        now: seconds on a clock that never goes back.
        sleep: waits that many seconds; 0 lets others run.
        uniform: a number between two others.
    """

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    uniform: Callable[[float, float], float] = random.uniform


class Backoff:
    """The waits of one watch."""

    def __init__(self, clock: Clock) -> None:
        self._clock: Final = clock
        self._next_seconds = FIRST_SECONDS
        self._failed_at: float | None = None

    def pause_seconds(self, *, at_least: float = 0.0) -> float:
        """How long to wait after the failure that has just happened."""
        now = self._clock.now()
        if self._failed_at is not None and now - self._failed_at > HEALTHY_SECONDS:
            self._next_seconds = FIRST_SECONDS
        seconds = self._next_seconds
        self._next_seconds = min(seconds * 2, LIMIT_SECONDS)
        pause = max(self._clock.uniform(seconds, seconds * 2), at_least)
        self._failed_at = now + pause
        return pause
