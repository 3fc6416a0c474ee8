"""How long an event loop keeps others waiting, measured from inside.

A task sleeps a millisecond, again and again, and notes how late it wakes: as late
as everybody else who waits for the loop then. A wait has three causes that look
alike from inside: our own callbacks, another thread of ours that holds the
interpreter, and other processes on the core. The processor time that the loop's own
thread has spent since it last woke tells the first; what an idle process sees on the
same core tells the last.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import Final

from bench.client import percentile

SLEEP_SECONDS: Final = 0.001


@dataclass(frozen=True, slots=True)
class Waits:
    """How late the task woke; milliseconds.

    Attributes:
        wakes: how often it woke.
        longest: the worst.
        p999: what 99.9 % of the waits do not exceed.
        p99: what 99 % of them do not exceed.
        over: how often more than 10 ms.
        own: most processor time of the loop's thread between two wakes.
    """

    wakes: int
    longest: float
    p999: float
    p99: float
    over: int
    own: float


@dataclass(slots=True)
class Monitor:
    """Watches the running loop between `start` and `stop`."""

    _late: list[float] = field(default_factory=list)
    _own: list[float] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to watch."""
        self._late, self._own = [], []
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> Waits:
        """What was seen."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        late = sorted(self._late)
        return Waits(
            wakes=len(late),
            longest=late[-1] if late else 0.0,
            p999=percentile(late, 0.999),
            p99=percentile(late, 0.99),
            over=sum(one > 10 for one in late),
            own=max(self._own, default=0.0),
        )

    async def _watch(self) -> None:
        while True:
            due, spent = time.perf_counter() + SLEEP_SECONDS, time.thread_time()
            await asyncio.sleep(SLEEP_SECONDS)
            self._late.append(1000 * (time.perf_counter() - due))
            self._own.append(1000 * (time.thread_time() - spent))
