"""Progress of long work: one line on standard error, and only where somebody looks."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import Final, Self, TextIO

from app.cli.reports.grid import cut

AFTER_SECONDS: Final = 1.0
"""What takes less is not told of."""

_CLEAR: Final = "\r\x1b[K"


class Meter:
    """Implements `writing.store.Progress`; a context manager that wipes its line.

    Args:
        stream: to write to; nothing is written unless it is a terminal.
        quiet: write nothing at all.
        clock: in seconds, monotonic.
        columns: of the terminal; what is longer is cut, as a second line could not
            be wiped.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
        columns: Callable[[], int] = lambda: shutil.get_terminal_size().columns,
    ) -> None:
        self._stream: Final = stream
        self._is_shown: Final = not quiet and stream.isatty()
        self._clock: Final = clock
        self._columns: Final = columns
        self._starts = clock()
        self._has_line = False

    def __call__(self, what: str, done: int, total: int) -> None:
        """What is done now, how many steps are done, and of how many."""
        if not self._is_shown or self._clock() - self._starts < AFTER_SECONDS:
            return
        line = cut(f"{done:,}/{total:,} {what}", self._columns() - 1)
        self._stream.write(f"{_CLEAR}{line}")
        self._stream.flush()
        self._has_line = True

    def __enter__(self) -> Self:
        self._starts = self._clock()
        return self

    def __exit__(self, *_: object) -> None:
        if self._has_line:
            self._stream.write(_CLEAR)
            self._stream.flush()
