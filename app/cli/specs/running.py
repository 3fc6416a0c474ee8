"""Runs a command to its end: what is printed where, and with which exit code."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import typer

from app.cli.output import BAD_INPUT, COULD_NOT_FIND_OUT, safe
from app.cli.specs import printing
from app.cli.specs.options import Format
from app.oci.writing.store import Failed

R = TypeVar("R")

_CODES: Final[Mapping[str, int]] = {
    "InvalidPlatform": BAD_INPUT,
    "InvalidReference": BAD_INPUT,
    "NoSuchPlatform": BAD_INPUT,
}
"""Reasons that are the caller's fault -> exit code."""


def warn(text: str) -> None:
    """One line on standard error."""
    print(safe(f"imagecompat: {text}"), file=sys.stderr)  # noqa: T201


@dataclass(frozen=True, slots=True)
class View(Generic[R]):
    """How results of one kind are shown to people.

    Attributes:
        columns: of the table.
        rows: the rows of one result.
        head: lines before the table.
        write: prints a result instead of any of that.
    """

    columns: Sequence[str] = ()
    rows: Callable[[R], Iterable[Sequence[str]]] = lambda _: ()
    head: Callable[[R], Iterable[str]] = lambda _: ()
    write: Callable[[R], None] | None = None


def finish(
    work: Coroutine[Any, Any, tuple[R | Failed, ...]],
    output: Format,
    view: View[R],
    *,
    codes: Mapping[str, int] | None = None,
    code: Callable[[R], int] = lambda _: 0,
) -> None:
    """Does the work and prints its results; failures go to standard error.

    Args:
        work: gives an outcome for each thing that was asked.
        output: how the results are printed.
        view: of them as a table.
        codes: reason of a failure -> exit code, beside those of all commands.
        code: exit code for a result.

    Raises:
        typer.Exit: with the largest of all exit codes.
    """
    found = asyncio.run(work)
    failures = [one for one in found if isinstance(one, Failed)]
    done = [one for one in found if not isinstance(one, Failed)]
    if output is Format.TABLE:
        _show(done, view)
    elif done or not failures:
        sys.stdout.write(printing.document(printing.plain(done), output))
    printing.report(failures)
    table = {**_CODES, **(codes or {})}
    ended = [table.get(one.reason, COULD_NOT_FIND_OUT) for one in failures]
    raise typer.Exit(max([*ended, *map(code, done)], default=0))


def _show(done: Sequence[R], view: View[R]) -> None:
    if view.write is not None:
        for one in done:
            view.write(one)
        return
    for one in done:
        sys.stdout.writelines(f"{safe(line)}\n" for line in view.head(one))
    rows = [cells for one in done for cells in view.rows(one)]
    if rows:
        sys.stdout.write(printing.table(view.columns, rows))
