"""Progress of long work: one line on standard error, and only where somebody looks."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import Final, Self, TextIO

from app.cli.reports.grid import cut
from app.compat.columns import width

AFTER_SECONDS: Final = 1.0
"""What takes less is not told of."""

EVERY_SECONDS: Final = 0.1
"""How often the line changes at most; more could not be read."""

_ERASE: Final = "\x1b[K"


class Meter:
    """Implements `writing.store.Progress`; a context manager that wipes its line.

    What was called last is shown by itself as soon as it takes long, by a thread of its
    own: whoever waits for an answer does not come back to tell of it.

    Args:
        stream: to write to; nothing is written unless it is a terminal.
        quiet: write nothing at all.
        clock: in seconds, monotonic.
        columns: of the terminal; what is longer is cut, as a second line could not
            be wiped.
        ticks: whether there is such a thread.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
        columns: Callable[[], int] = lambda: shutil.get_terminal_size().columns,
        ticks: bool = True,
    ) -> None:
        self._stream: Final = stream
        self._is_shown: Final = not quiet and stream.isatty()
        self._can_erase: Final = os.environ.get("TERM") != "dumb"
        self._clock: Final = clock
        self._columns: Final = columns
        self._starts = clock()
        self._told = ""
        self._written = ""
        self._written_at = float("-inf")
        self._lock: Final = Lock()
        self._ended: Final = Event()
        self._thread: Final = Thread(target=self._tick, daemon=True) if ticks else None

    def __call__(self, what: str, done: int, total: int) -> None:
        """What is done now, how many steps are done, and of how many."""
        self._told = f"{done:,}/{total:,} {what}" if total != 1 else what
        self.show()

    def show(self) -> None:
        """Writes what was told last, if it is time to."""
        if not self._is_shown:
            return
        with self._lock:
            now = self._clock()
            is_new = self._told != self._written
            is_time = now - self._written_at >= EVERY_SECONDS
            if is_new and is_time and now - self._starts >= AFTER_SECONDS:
                line = cut(self._told, self._columns() - 1)
                self._stream.write(f"{self._wiping()}{line}")
                self._stream.flush()
                self._written, self._written_at = self._told, now

    def _wiping(self) -> str:
        """What empties the line; a dumb terminal can only write over it."""
        if self._can_erase:
            return f"\r{_ERASE}"
        columns = min(width(self._written), self._columns() - 1)
        return f"\r{' ' * columns}\r"

    def _tick(self) -> None:
        while not self._ended.wait(EVERY_SECONDS):
            self.show()

    def __enter__(self) -> Self:
        self._starts = self._clock()
        if self._thread is not None and self._is_shown:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._thread is not None and self._is_shown:
            self._thread.join()
        if self._written:
            self._stream.write(self._wiping())
            self._stream.flush()
