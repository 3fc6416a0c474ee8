"""The command line: one module per command, loaded when it is used.

`commands` is the table of them all, `frame` runs a command line, `loading` brings
typer in.
"""

from __future__ import annotations

import sys
from typing import NoReturn

from app.cli import frame


def main() -> NoReturn:
    """Runs the command line of this process, and ends it."""
    sys.exit(frame.run(sys.argv))
