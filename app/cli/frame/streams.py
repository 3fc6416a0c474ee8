"""Standard streams that never surprise a command.

A closed one is the null device; what an encoding lacks is printed as `?`; who stops
reading our output (`| head`) ends the command without a word.
"""

from __future__ import annotations

import os
import sys
from typing import IO, Any, Final, TextIO

PIPE_CLOSED: Final = 141
"""Exit status when nobody reads on, as of a program that SIGPIPE ended: 128 + 13."""


def prepare() -> None:
    """Makes the standard streams fit to be used."""
    sys.stdin = _open(sys.stdin, "r")
    sys.stdout = _open(sys.stdout, "w")
    sys.stderr = _open(sys.stderr, "w")
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _open(stream: TextIO | None, mode: str) -> Any:  # noqa: ANN401 - a text stream
    if stream is not None:
        return stream
    # For the rest of the process, as the stream itself would be.
    return open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123


def drop(stream: IO[str]) -> None:
    """Lets what is still to be written go nowhere, so that Python's end is quiet."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, number)
    os.close(null)
