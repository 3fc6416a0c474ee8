"""Notices when the event loop stands still, and says where.

A task of the loop sets a mark every quarter of a second; a thread looks at the mark.
A loop that stands still answers no probe, so the kubelet restarts it; what it stood
at is gone then, unless it was written down before: all threads' stacks, once for
each standstill, as one line of the log. Stacks name files, lines and functions, no
values.

A standstill inside C code that keeps Python's lock stops this thread too: it is
noticed when it ends.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import FrameType
from typing import Final, NoReturn

from app.telemetry import log_event, logger

BEAT_SECONDS: Final = 0.25
MAX_FRAMES: Final = 64
"""Of one thread; the innermost are kept."""

Report = Callable[[float, Mapping[str, list[str]]], None]
"""Is given the seconds of standstill, and each thread's stack, innermost first."""


class Watchdog:
    """Watches one event loop."""

    def __init__(
        self,
        stuck_seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        report: Report | None = None,
    ) -> None:
        """Prepares.

        Args:
            stuck_seconds: a longer standstill is reported.
            clock: monotonic, in seconds.
            report: is told of it; writes it to the log without one.
        """
        self._stuck_seconds: Final = stuck_seconds
        self._clock: Final = clock
        self._report: Final = report or _log
        self._beaten_at = clock()
        self._longest = 0.0
        self._is_told = False
        self._ended: Final = threading.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watches the running loop until left."""
        self._beaten_at = self._clock()
        beating = asyncio.create_task(self._beat(), name="heartbeat")
        thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    def lag_seconds(self, *, forget: bool = False) -> float:
        """The longest standstill since it was last forgotten."""
        longest = self._longest
        if forget:
            self._longest = 0.0
        return longest

    def beat(self) -> None:
        """The loop runs."""
        now = self._clock()
        self._longest = max(self._longest, now - self._beaten_at - BEAT_SECONDS)
        self._beaten_at = now

    def look(self) -> None:
        """Reports a standstill, once, and its end."""
        silent = self._clock() - self._beaten_at
        is_stuck = silent > self._stuck_seconds
        if is_stuck and not self._is_told:
            self._report(silent, stacks())
        elif self._is_told and not is_stuck:
            log_event("event loop goes on")
        self._is_told = is_stuck

    async def _beat(self) -> NoReturn:
        while True:
            self.beat()
            await asyncio.sleep(BEAT_SECONDS)

    def _watch(self) -> None:
        while not self._ended.wait(min(1.0, self._stuck_seconds / 4)):
            self.look()


def stacks() -> dict[str, list[str]]:
    """All threads by name: where each is, innermost first."""
    names = {one.ident: one.name for one in threading.enumerate()}
    own = threading.get_ident()
    return {
        f"{names.get(number, '?')} {number}": _lines(frame)
        for number, frame in sys._current_frames().items()  # noqa: SLF001 - the only way
        if number != own
    }


def _lines(frame: FrameType) -> list[str]:
    lines: list[str] = []
    at: FrameType | None = frame
    while at is not None and len(lines) < MAX_FRAMES:
        code = at.f_code
        lines.append(f"{code.co_filename}:{at.f_lineno} {code.co_name}")
        at = at.f_back
    return lines


def _log(seconds: float, threads: Mapping[str, list[str]]) -> None:
    fields = {"seconds": round(seconds, 3), "threads": threads}
    logger().error("event loop stands still", extra={"fields": fields})
