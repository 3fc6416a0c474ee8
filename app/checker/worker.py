"""One thread for what is too costly for the event loop.

One, because threads share one interpreter: a second would take the loop's time,
not save any. What waits for it waits in order, and no more than `MAX_WAITING`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeAlias, TypeVar

from app.telemetry import log_exception

MAX_WAITING: Final = 64
"""Pieces of work that wait or run; who comes then finds no place."""

_T = TypeVar("_T")

Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
"""Steps on the loop, with calls of `Worker.run` for what takes long."""


class Worker:
    """Does pieces of work one after the other; the same one only once at a time."""

    def __init__(self) -> None:
        self._thread: Final = ThreadPoolExecutor(1, thread_name_prefix="evaluation")
        self._turn: Final = asyncio.Lock()
        self._began_at: float | None = None
        self._under_way: Final[dict[str, asyncio.Task[None]]] = {}

    def __len__(self) -> int:
        """How many pieces of work wait or run."""
        return len(self._under_way)

    async def do(self, works: Mapping[str, Work], seconds: float) -> int:
        """Does the named pieces of work; ends when all are done, or after `seconds`.

        What is late goes on, so that the next Pod finds it done. What does not
        find a place is left undone; how many did not.

        Raises:
            Exception: what a piece of work raises.
        """
        tasks = [self._task(name, work) for name, work in works.items()]
        waiting = [task for task in tasks if task is not None]
        if waiting:
            done, _ = await asyncio.wait(waiting, timeout=max(seconds, 0))
            for task in done:
                task.result()
        return len(tasks) - len(waiting)

    async def run(self, act: Callable[[], _T]) -> _T:
        """What `act` gives, from the thread."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._timed, act)

    def job_seconds(self) -> float:
        """For how long the thread is in one job; 0 if it is in none."""
        began = self._began_at
        return 0.0 if began is None else time.monotonic() - began

    def _timed(self, act: Callable[[], _T]) -> _T:
        self._began_at = time.monotonic()
        try:
            return act()
        finally:
            self._began_at = None

    async def close(self) -> None:
        """Gives up what waits; a call that runs in the thread ends by itself."""
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _task(self, name: str, work: Work) -> asyncio.Task[None] | None:
        task = self._under_way.get(name)
        if task is None:
            if len(self._under_way) >= MAX_WAITING:
                return None
            task = self._under_way[name] = asyncio.create_task(self._in_turn(work))
            task.add_done_callback(lambda ended: self._ended(name, ended))
        return task

    async def _in_turn(self, work: Work) -> None:
        async with self._turn:
            try:
                await work()
            except Exception:
                log_exception("evaluation failed")
                raise

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        del self._under_way[name]
        if not task.cancelled():
            task.exception()  # it is in the log, whether somebody waits or not
