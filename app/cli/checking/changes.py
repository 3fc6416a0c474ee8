"""What other nodes or features change: the same workloads, judged twice.

Nodes that fit are compared as sets of bits, under numbers of this comparison's own:
the two judgements number theirs each in its own way. Names of a row are numbered once
for all workloads that share the row, and workloads that lose the same nodes share
their names, so that the cost follows the number of different answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

from app.bits import Bits, bits_of, numbers, union
from app.cli.nodes.known import few
from app.cli.output import COULD_NOT_FIND_OUT, DOES_NOT_FIT, FITS
from app.cli.reports.report import Change, Reason, Verdict, Workload

MAX_REASONS: Final = 8
"""Of one workload that breaks, or loses nodes."""

_CODES: Final[Mapping[tuple[Verdict, Verdict], int]] = {
    (Verdict.FITS, Verdict.DOES_NOT_FIT): DOES_NOT_FIT,
    (Verdict.FITS, Verdict.UNKNOWN): COULD_NOT_FIND_OUT,
    (Verdict.UNKNOWN, Verdict.DOES_NOT_FIT): COULD_NOT_FIND_OUT,
    (Verdict.UNKNOWN, Verdict.UNKNOWN): COULD_NOT_FIND_OUT,
}
"""Verdicts now and then -> exit code; 0 for all others."""


def compare(
    before: Sequence[Workload], after: Sequence[Workload]
) -> tuple[Change, ...]:
    """The workloads whose verdict, or nodes that fit, would be others.

    Args:
        before: as it is.
        after: the same workloads, in the same order.
    """
    nodes = _Nodes()
    found = (_change(*pair, nodes) for pair in zip(before, after, strict=True))
    return tuple(
        one
        for one in found
        if one.before is not one.after or one.nodes_lost or one.nodes_gained
    )


def exit_code(before: Sequence[Workload], after: Sequence[Workload]) -> int:
    """1 if something breaks that fits now, else 3 if something may; else 0.

    What does not fit now cannot break. What is not known now may fit, and break.

    Args:
        before: as it is.
        after: the same workloads, in the same order.
    """
    pairs = zip(before, after, strict=True)
    codes = {_CODES.get((one.verdict, _after(one, will)), FITS) for one, will in pairs}
    worst = (DOES_NOT_FIT, COULD_NOT_FIND_OUT)
    return next((code for code in worst if code in codes), FITS)


class _Nodes:
    """Sets of names as bits, and back.

    Names of rows are known by identity: the workloads that are compared hold them.
    """

    def __init__(self) -> None:
        self._numbers: Final[dict[str, int]] = {}
        self._order: Final[list[str]] = []
        self._bits: Final[dict[int, Bits]] = {}
        self._names: Final[dict[Bits, tuple[str, ...]]] = {0: ()}

    def bits(self, names: tuple[str, ...]) -> Bits:
        """The set of the nodes of a row."""
        found = self._bits.get(id(names))
        if found is None:
            found = bits_of([self._number(name) for name in names])
            self._bits[id(names)] = found
        return found

    def names(self, nodes: Bits) -> tuple[str, ...]:
        """Sorted; of equal sets the same object."""
        found = self._names.get(nodes)
        if found is None:
            found = tuple(sorted(self._order[number] for number in numbers(nodes)))
            self._names[nodes] = found
        return found

    def _number(self, name: str) -> int:
        number = self._numbers.setdefault(name, len(self._order))
        if number == len(self._order):
            self._order.append(name)
        return number


def _change(before: Workload, after: Workload, nodes: _Nodes) -> Change:
    was, will = _fitting(before, nodes), _fitting(after, nodes)
    lost = was & ~will
    return Change(
        name=after.name,
        before=before.verdict,
        after=_after(before, after),
        nodes_before=was.bit_count(),
        nodes_after=will.bit_count(),
        reasons=_reasons(after, lost, nodes),
        nodes_lost=nodes.names(lost),
        nodes_gained=nodes.names(will & ~was),
    )


def _after(before: Workload, after: Workload) -> Verdict:
    """The verdict; what fits now and would have no candidate at all breaks."""
    if before.verdict is Verdict.FITS and not after.rows:
        return Verdict.DOES_NOT_FIT
    return after.verdict


def _fitting(workload: Workload, nodes: _Nodes) -> Bits:
    rows = (row for row in workload.rows if row.verdict is Verdict.FITS)
    return union(nodes.bits(row.nodes) for row in rows)


def _reasons(after: Workload, lost: Bits, nodes: _Nodes) -> tuple[Reason, ...]:
    """Why nothing fits any more; where something does, why not what is lost."""
    found = _of_lost(after, lost, nodes)
    if after.verdict is not Verdict.FITS:
        found = chain(_of_all(after), _gone(after, lost, nodes))
    known: dict[Reason, None] = {}
    for reason in found:
        known[reason] = None
        if len(known) == MAX_REASONS:
            break
    return tuple(known)


def _of_all(after: Workload) -> Iterator[Reason]:
    """What the closest node lacks, else why the best candidates are not known."""
    if after.nearest is not None:
        yield from after.nearest.reasons
    elif after.rows:
        for cell in after.rows[0].cells:
            yield from cell.reasons


def _of_lost(after: Workload, lost: Bits, nodes: _Nodes) -> Iterator[Reason]:
    for row in after.rows if lost else ():
        if nodes.bits(row.nodes) & lost:
            for cell in row.cells:
                yield from cell.reasons
    yield from _gone(after, lost, nodes)


def _gone(after: Workload, lost: Bits, nodes: _Nodes) -> Iterator[Reason]:
    """That lost nodes are not there any more, or the scheduler takes them out."""
    left = lost & ~union(nodes.bits(row.nodes) for row in after.rows)
    if left:
        what = f"no candidates any more: {few(nodes.names(left))}"
        yield Reason(rule="", what=what, want="", found="")
