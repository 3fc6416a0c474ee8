"""A report for a person at a terminal.

One workload is told in full: its nodes, its images, the closest node and what the
webhook would do. Several get one table of all, and those that do not fit follow
in full. Texts are folded; cut are only the titles of images and what stands beside
a verdict, which are told in full beneath. `grid` cleans every text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from typing import Final

from app.cli.reports import words
from app.cli.reports.grid import MIN_WIDTH, Line, Pen, Piece, Style, paragraph, table
from app.cli.reports.report import Change, Report, Verdict, Workload
from app.cli.reports.rows import answers_of

_MAX_WHY: Final = 2
_MAX_DETAILS: Final = 1 + _MAX_WHY
_MAX_OBSTACLES: Final = 4

_BOLD: Final = {
    Verdict.FITS: Style.GREEN_BOLD,
    Verdict.DOES_NOT_FIT: Style.RED_BOLD,
    Verdict.UNKNOWN: Style.YELLOW_BOLD,
}
_COLOUR: Final = {
    Verdict.FITS: Style.GREEN,
    Verdict.DOES_NOT_FIT: Style.RED,
    Verdict.UNKNOWN: Style.YELLOW,
}


def text(report: Report, *, width: int, colour: bool, every_node: bool = False) -> str:
    """Text that is at most `width` columns wide, with the end of its last line.

    Args:
        report: what to print.
        width: columns of the terminal; at least `MIN_WIDTH` are used.
        colour: whether verdicts and titles have colours.
        every_node: tell of every workload and every node by itself.
    """
    pen = Pen(colour)
    width = max(width, MIN_WIDTH)
    blocks = _blocks(report, every_node=every_node, width=width, pen=pen)
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks)


def _blocks(
    report: Report, *, every_node: bool, width: int, pen: Pen
) -> Iterator[Iterator[str]]:
    """Parts between which a line is left empty."""
    found = report.workloads
    if report.changes is not None:
        yield _changes(report.changes, width=width, pen=pen)
    if not found:
        yield iter(("no workloads: nothing was judged",))
    if len(found) > 1:
        yield _overview(report, width=width, pen=pen)
    for one in found:
        if len(found) == 1 or every_node or one.verdict is not Verdict.FITS:
            where = f" on {words.origin(report)}" if len(found) == 1 else ""
            lines = _table(one, every_node=every_node, width=width, pen=pen)
            yield chain(_title(one, where, width=width, pen=pen), lines)
            yield _outcome(one, width=width, pen=pen)
    if report.notes:
        yield _notes(report, width=width)


# All workloads ------------------------------------------------------------------


def _overview(report: Report, *, width: int, pen: Pen) -> Iterator[str]:
    header = ["WORKLOAD", "VERDICT", "NODES"]
    with_webhook = any(one.action for one in report.workloads)
    if with_webhook:
        header.append("WEBHOOK")
    lines = []
    for one in report.workloads:
        nodes = f"{words.fitting(one):,}/{one.candidates:,}"
        pieces = [
            Piece(one.name),
            Piece(one.verdict, _COLOUR[one.verdict]),
            Piece(nodes),
        ]
        if with_webhook:
            pieces.append(Piece(one.action or "-"))
        lines.append(Line(tuple(pieces), words.some(words.why(one), _MAX_WHY)))
    yield from table(header, lines, "REASON", width=width, pen=pen)
    yield ""
    yield from _judged(words.total(report), report.verdict, width=width, pen=pen)


def _judged(text: str, verdict: Verdict, *, width: int, pen: Pen) -> Iterator[str]:
    """A text with a verdict at its end, on a line of its own if need be."""
    lines = list(paragraph(text, width=width, indent=""))
    word = pen(verdict, _BOLD[verdict])
    if len(lines) == 1 and len(lines[0]) + 2 + len(verdict) <= width:
        yield f"{lines[0]}  {word}"
    else:
        yield from lines
        yield word


# One workload -------------------------------------------------------------------


def _title(one: Workload, where: str, *, width: int, pen: Pen) -> Iterator[str]:
    place = f" ({one.place})" if one.place else ""
    for line in paragraph(f"{one.name}{place}{where}", width=width, indent=""):
        yield pen(line, Style.BOLD)


def _table(one: Workload, *, every_node: bool, width: int, pen: Pen) -> Iterator[str]:
    header, lines, more = answers_of(one, every_node=every_node, width=width)
    if lines:
        coloured = [_coloured(line) for line in lines]
        yield from table(header, coloured, "REASON", width=width, pen=pen)
    if more:
        yield from paragraph(more, width=width, indent="")


_WORDS: Final = {
    **{word: _COLOUR[verdict] for verdict, word in words.SHORT.items()},
    words.NOT_JUDGED.partition(" ")[0]: Style.YELLOW,
}
"""First words of cells."""


def _coloured(line: Line) -> Line:
    """Cells that begin with a verdict have its colour; the first is a node's name."""
    node, *rest = line.pieces
    found = (Piece(p.text, _WORDS.get(p.text.partition(" ")[0], p.style)) for p in rest)
    return Line((node, *found), line.notes)


def _outcome(one: Workload, *, width: int, pen: Pen) -> Iterator[str]:
    yield from _judged(words.summary(one), one.verdict, width=width, pen=pen)
    if one.obstacles:
        told = "; ".join(words.some(one.obstacles, _MAX_OBSTACLES))
        yield from paragraph(f"excluded by: {told}", width=width, indent="  ", first="")
    if one.nearest is not None:
        nearest = one.nearest
        yield from paragraph(
            f"closest: {words.closest(nearest)}", width=width, indent="  ", first=""
        )
        changes = [words.change(each) for each in nearest.reasons]
        yield from _list(changes, nearest.more, width=width)
    if one.action:
        acts = words.acts(one) + (":" if one.texts else "")
        yield from paragraph(acts, width=width, indent="  ", first="")
        for text in one.texts:
            for line in text.split("\n"):
                yield from paragraph(line, width=width, indent="    ", first="  ")
    yield from _images(one, width=width)


def _images(one: Workload, *, width: int) -> Iterator[str]:
    if one.images:
        yield "images:"
    for told in words.images(one.images):
        yield from paragraph(told, width=width, indent="    ", first="  ")


def _list(texts: Sequence[str], more: int, *, width: int) -> Iterator[str]:
    for text in texts:
        yield from paragraph(text, width=width, indent="    ", first="  - ")
    if more:
        yield f"  +{more:,} more"


# What other nodes or features would change --------------------------------------


def _changes(changes: Sequence[Change], *, width: int, pen: Pen) -> Iterator[str]:
    if not changes:
        yield "what if: nothing would change"
        return
    ordered = words.by_outcome(changes)
    for number, (outcome, group) in enumerate(groupby(ordered, words.outcome)):
        if number:
            yield ""
        lines = [_change(one) for one in group]
        total = words.counted(len(lines), "workload")
        yield pen(f"what if: {outcome}: {total}", Style.BOLD)
        header = ("WORKLOAD", "NOW", "THEN", "NODES")
        yield from table(header, lines, "DETAILS", width=width, pen=pen)


def _change(one: Change) -> Line:
    pieces = (
        Piece(one.name),
        Piece(one.before, _COLOUR[one.before]),
        Piece(one.after, _COLOUR[one.after]),
        Piece(f"{one.nodes_before:,} -> {one.nodes_after:,}"),
    )
    return Line(pieces, words.some(words.details(one), _MAX_DETAILS))


def _notes(report: Report, *, width: int) -> Iterator[str]:
    for note in report.notes:
        yield from paragraph(f"note: {note}", width=width, indent="  ", first="")
