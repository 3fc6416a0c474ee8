"""Which rows there are, and how they are run.

Each row has a process of its own: what one leaves in memory, or in the collector's
generations, is not measured with the next. A row that fails, hangs, or lacks a
tool says so in its line; the others are measured all the same.

`python -m bench.rows MODULE ROW` measures one row here.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.figure import Figure, Row, Rows, show

MODULES: Final = (
    "evaluation",
    "candidates",
    "texts",
    "bounds",
    "checking",
    "lookups",
    "host",
    "reviews",
    "hostile",
    "event_loop",
    "start",
    "memory",
    "command_line",
)
"""In the order in which they run; each has `ROWS`, or `figures` for one row."""

ROW_SECONDS: Final = 300.0
"""A row that takes longer is given up."""
_END_SECONDS: Final = 20.0
_ROOT: Final = Path(__file__).parent.parent


class UnknownNameError(Exception):
    """There is no such module or row; the message lists those that there are."""


@dataclass(frozen=True, slots=True)
class Job:
    """One row; its module cannot be imported if there is a `fault`."""

    module: str
    row: str
    fault: str = ""


def jobs(names: Sequence[str] = (), modules: Sequence[str] = MODULES) -> list[Job]:
    """The rows that are asked for, all of them without names.

    Args:
        names: of modules, rows, or figures of a row.
        modules: which there are.

    Raises:
        UnknownNameError: a name is none of these.
    """
    known = [job for module in modules for job in _jobs(module)]
    for name in names:
        if not any(_is_meant(name, job) for job in known):
            every = ", ".join(dict.fromkeys([*modules, *(job.row for job in known)]))
            raise UnknownNameError(f"nothing is called {name}; there are: {every}")
    if not names:
        return known
    return [job for job in known if any(_is_meant(name, job) for name in names)]


def _jobs(module: str) -> list[Job]:
    try:
        rows = load(module)
    except Exception as error:  # noqa: BLE001 - its rows say so, others are measured
        return [Job(module, module, _said(error))]
    return [Job(module, row) for row in rows]


def _is_meant(name: str, job: Job) -> bool:
    return name in {job.module, job.row} or name.startswith(f"{job.row}_")


def load(module: str) -> Rows:
    """The rows of a module, by its name in this package or its full one."""
    full = module if "." in module else f"bench.{module}"
    loaded = importlib.import_module(full)
    rows: Rows | None = getattr(loaded, "ROWS", None)
    return rows if rows is not None else {module: loaded.figures}


def run(job: Job, *, limit_seconds: float = ROW_SECONDS) -> None:
    """Measures a row in a process of its own, which prints its figures."""
    if job.fault:
        show(_failed(job.row, job.fault))
        return
    command = [sys.executable, "-m", "bench.rows", job.module, job.row]
    child = subprocess.Popen(command, cwd=_ROOT, start_new_session=True)
    try:
        status = child.wait(limit_seconds)
    except subprocess.TimeoutExpired:
        show(_failed(job.row, f"not done within {limit_seconds:g} s"))
        return
    finally:
        _end(child)
    if status:
        show(_failed(job.row, f"its process ended with status {status}"))


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends what a row left behind: its process, and those that this one started."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_END_SECONDS)
            return


def measure(module: str, row: str) -> None:
    """Measures a row in this process, and prints each figure as it is known."""
    try:
        for figure in _figures(load(module)[row]):
            show(figure)
    except Exception as error:  # noqa: BLE001 - the line says so, others are measured
        traceback.print_exc()
        show(_failed(row, _said(error)))


def _figures(row: Row) -> Iterator[Figure]:
    made = row()
    if not isinstance(made, AsyncIterator):
        yield from made
        return
    with asyncio.Runner() as runner:
        while True:
            try:
                yield runner.run(_next(made))
            except StopAsyncIteration:
                return


async def _next(made: AsyncIterator[Figure]) -> Figure:
    return await anext(made)


def _failed(name: str, why: str) -> Figure:
    return Figure(name=name, value=None, unit="", note=f"not measured: {why}")


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".strip()


def main() -> None:
    """One row, here."""
    _, module, row = sys.argv
    measure(module, row)


if __name__ == "__main__":
    main()
