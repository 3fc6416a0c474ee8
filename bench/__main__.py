"""`python -m bench [NAME ...]`: one JSON line for each figure.

A name is that of a module or a row; without names everything is measured, one
after the other. What is missed is reported and decides nothing: the exit status is
0, or 2 for a name that does not exist. `README.md` says how each is measured.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence

from bench import rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="a module or a row")
    parser.add_argument("--list", action="store_true", help="print the rows' names")
    options = parser.parse_args(arguments)
    try:
        jobs = rows.jobs(options.names)
    except rows.UnknownNameError as error:
        print(error, file=sys.stderr)
        return 2
    if options.list:
        print(*(f"{job.module}\t{job.row}" for job in jobs), sep="\n")
        return 0
    _say(f"{os.cpu_count()} cores, Python {platform.python_version()}")
    started = time.monotonic()
    for job in jobs:
        load = " ".join(f"{each:.1f}" for each in os.getloadavg())
        _say(f"{job.row}; {time.monotonic() - started:.0f} s, load {load}")
        rows.run(job)
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
