"""The table of a workload: its nodes against its images, as wide as there is room.

In this order, the first that fits: cells that say what they come from, bare
verdicts, bare verdicts under numbers, no images at all (the reasons name them).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from app.cli.reports import words
from app.cli.reports.grid import Line, Piece, cut, fits, shortened
from app.cli.reports.labels import labels
from app.cli.reports.report import Cell, JudgedImage, Row, Workload

MAX_ROWS: Final = 40
"""Rows that are printed unless every node is asked for."""

MAX_REASONS: Final = 4
"""Reasons of a row that are printed."""

_MAX_LABEL: Final = 32
_MAX_CELL: Final = 28


def answers_of(
    workload: Workload, *, every_node: bool, width: int
) -> tuple[list[str], list[Line], str]:
    """Titles and rows of the table, and what is to be said of rows that are left out.

    Args:
        workload: of which.
        every_node: a row for each node, all of them.
        width: columns of the terminal.
    """
    rows = list(_single(workload.rows) if every_node else workload.rows[:MAX_ROWS])
    left = () if every_node else workload.rows[MAX_ROWS:]
    names = labels([one.image for one in workload.images])
    layouts = list(_layouts(workload, rows, names))
    found = (one for one in layouts if fits(*one, width))
    header, lines = next(found, layouts[-1])
    return header, lines, _left(left)


def _single(rows: Sequence[Row]) -> Iterator[Row]:
    for row in rows:
        yield from (replace(row, nodes=(node,)) for node in row.nodes)


def _left(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    nodes = words.counted(sum(len(row.nodes) for row in rows), "node")
    return f"+{len(rows):,} more answers, of {nodes}"


def _layouts(
    workload: Workload, rows: Sequence[Row], names: Sequence[str]
) -> Iterator[tuple[list[str], list[Line]]]:
    """The ways to print the table, best first; the last fits any terminal."""
    numbers = [f"#{number}" for number in range(1, len(names) + 1)]
    short = [shortened(name, _MAX_LABEL) for name in names]
    if len(set(short)) < len(short):
        short = numbers
    yield _table(workload, rows, names, titles=short, is_bare=False)
    yield _table(workload, rows, names, titles=short, is_bare=True)
    yield _table(workload, rows, names, titles=numbers, is_bare=True)
    yield _table(workload, rows, names, titles=(), is_bare=True)


def _table(
    workload: Workload,
    rows: Sequence[Row],
    names: Sequence[str],
    *,
    titles: Sequence[str],
    is_bare: bool,
) -> tuple[list[str], list[Line]]:
    with_all = len(workload.images) != 1 or not titles
    with_score = with_all and any(row.score is not None for row in rows)
    header = ["NODE", *titles]
    header += ["ALL"] if with_all else []
    header += ["SCORE"] if with_score else []
    lines = []
    for row in rows:
        pairs = zip(row.cells, workload.images, strict=True)
        told = [
            _bare(*pair) if is_bare else cut(words.cell(*pair), _MAX_CELL)
            for pair, _ in zip(pairs, titles, strict=False)
        ]
        told += [words.SHORT[row.verdict]] if with_all else []
        told += [words.score(row)] if with_score else []
        pieces = tuple(Piece(text) for text in (words.nodes(row.nodes), *told))
        reasons = words.some(words.reasons(row, names), MAX_REASONS)
        lines.append(Line(pieces, reasons))
    return header, lines


def _bare(cell: Cell, image: JudgedImage) -> str:
    return words.SHORT[cell.verdict] if words.is_judged(image) else "-"
