"""Standard streams that never surprise a command.

A closed one is the null device, but that an answer which goes nowhere is an error: a
script would take the exit status for one that was read. What an encoding lacks is
printed as `?`; who stops reading our output (`| head`) ends the command without a word.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import IO, Any, Final, TextIO

PIPE_CLOSED: Final = 141
"""Exit status when nobody reads on, as of a program that SIGPIPE ended: 128 + 13."""


def prepare() -> None:
    """Makes the standard streams fit to be used."""
    sys.stdin = _open(sys.stdin, "r")
    is_closed = sys.stdout is None
    sys.stdout = _open(sys.stdout, "w")
    if is_closed:
        sys.stdout = Closed(sys.stdout)
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


class Closed(io.TextIOBase):
    """Standard output that was closed before we began: nothing can be written to it.

    Args:
        place: holds its descriptor, so that no file gets it.
    """

    encoding = "utf-8"
    errors = "strict"

    def __init__(self, place: TextIO) -> None:
        super().__init__()
        self.place: Final = place

    def write(self, text: str) -> int:
        """Raises `OSError`."""
        del text
        raise OSError(errno.EBADF, "it is closed", "standard output")


def allow_closed() -> None:
    """Lets what is written to a closed standard output go nowhere: for servers."""
    if isinstance(sys.stdout, Closed):
        sys.stdout = sys.stdout.place


def drop(stream: IO[str]) -> None:
    """Lets what is still to be written go nowhere, so that Python's end is quiet."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, number)
    os.close(null)
