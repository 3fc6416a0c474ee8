"""How long an event loop keeps others waiting, measured from inside.

A task sleeps a millisecond, again and again, and notes how late it wakes: as late
as everybody else who waits for the loop then. Such a wait has many causes: a long
callback, a queue of short ones, a thread of ours that holds the interpreter, another
process on the core. So every step of every task is timed too, from one `await` to
the next, by the processor time of the loop's thread: that is what we block it with,
on a busy machine as on an idle one.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, cast

from bench.client import percentile

SLEEP_SECONDS: Final = 0.001
LONG_SECONDS: Final = 0.010
Loop = asyncio.AbstractEventLoop


@dataclass(frozen=True, slots=True)
class Waits:
    """What was seen; milliseconds.

    Attributes:
        wakes: how often the task woke.
        longest: how late at worst.
        p999: what 99.9 % of the wakes do not exceed.
        p99: what 99 % of them do not exceed.
        over: how often more than 10 ms.
        step: the longest step of a task, by the processor time of the loop's thread.
        step_of: whose it was.
        steps_over: how many took more than 10 ms.
        collection: the longest garbage collection; a part of some step.
        collections: how many there were of all generations.
    """

    wakes: int
    longest: float
    p999: float
    p99: float
    over: int
    step: float
    step_of: str
    steps_over: int
    collection: float
    collections: int


_Coroutine: TypeAlias = Coroutine[Any, Any, Any]
_make_task: Final = cast("Callable[..., asyncio.Task[Any]]", asyncio.Task)


class _Timed(_Coroutine):
    """A coroutine whose steps are timed."""

    def __init__(self, inner: _Coroutine, monitor: Monitor) -> None:
        self._inner: Final = inner
        self._monitor: Final = monitor

    def send(self, value: object) -> object:
        started = time.thread_time()
        try:
            return self._inner.send(value)
        finally:
            self._note(time.thread_time() - started)

    def throw(self, *error: Any) -> object:  # noqa: ANN401 - as the protocol has it
        started = time.thread_time()
        try:
            return self._inner.throw(*error)
        finally:
            self._note(time.thread_time() - started)

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._inner.__await__()

    def _note(self, seconds: float) -> None:
        if seconds > self._monitor.step_seconds:
            self._monitor.step_seconds = seconds
            self._monitor.step_of = getattr(self._inner, "__qualname__", "?")
        self._monitor.steps_over += seconds > LONG_SECONDS


@dataclass(slots=True)
class Monitor:
    """Watches the running loop between `start` and `stop`.

    Attributes:
        step_seconds: the longest step so far.
        step_of: whose it was.
        steps_over: how many were long.
        collection_seconds: the longest garbage collection.
        collections: of all generations.
    """

    step_seconds: float = 0.0
    step_of: str = ""
    steps_over: int = 0
    collection_seconds: float = 0.0
    collections: int = 0
    _collecting_since: float = 0.0
    _late: list[float] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None

    def install(self) -> None:
        """Times the steps of all tasks that begin from now on."""

        def make(loop: Loop, inner: _Coroutine, **options: object) -> asyncio.Task[Any]:
            return _make_task(_Timed(inner, self), loop=loop, **options)

        asyncio.get_running_loop().set_task_factory(cast("Any", make))

    def start(self) -> None:
        """Begins to watch."""
        self.step_seconds, self.step_of, self.steps_over = 0.0, "", 0
        self.collection_seconds, self.collections = 0.0, 0
        gc.callbacks.append(self._collected)
        self._late = []
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> Waits:
        """What was seen."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._collected in gc.callbacks:
            gc.callbacks.remove(self._collected)
        late = sorted(self._late)
        return Waits(
            wakes=len(late),
            longest=late[-1] if late else 0.0,
            p999=percentile(late, 0.999),
            p99=percentile(late, 0.99),
            over=sum(one > 1000 * LONG_SECONDS for one in late),
            step=1000 * self.step_seconds,
            step_of=self.step_of,
            steps_over=self.steps_over,
            collection=1000 * self.collection_seconds,
            collections=self.collections,
        )

    def _collected(self, phase: str, info: Mapping[str, int]) -> None:
        del info
        if phase == "start":
            self._collecting_since = time.thread_time()
            return
        self.collections += 1
        took = time.thread_time() - self._collecting_since
        self.collection_seconds = max(self.collection_seconds, took)

    async def _watch(self) -> None:
        while True:
            due = time.perf_counter() + SLEEP_SECONDS
            await asyncio.sleep(SLEEP_SECONDS)
            self._late.append(1000 * (time.perf_counter() - due))
