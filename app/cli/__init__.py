"""The command line: one module per command, loaded when it is used.

`commands` is the table of them all, `frame` is what every command line goes through.
"""

from __future__ import annotations

import gc
import sys
from typing import Final, NoReturn

from app.cli.frame import completing, running

_COLLECT_EVERY: Final = 50_000
"""New objects between two searches for garbage: imports alone make some 40,000."""


def main() -> NoReturn:
    """Runs the command line of this process, and ends it."""
    _end(sys.argv)


def complete() -> NoReturn:
    """Completes for kubectl, which runs it with the words after `imagecompat`."""
    _end([running.NAME, completing.WORDS, *sys.argv[1:]])


def _end(words: list[str]) -> NoReturn:
    gc.set_threshold(_COLLECT_EVERY)
    status = running.run(words)
    gc.freeze()  # what is left goes with the process: no last search
    sys.exit(status)
