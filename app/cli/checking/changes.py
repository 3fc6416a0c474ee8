"""What other nodes or features change: the same workloads, judged twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from app.cli.output import COULD_NOT_FIND_OUT, DOES_NOT_FIT, FITS
from app.cli.reports.report import Change, Reason, Verdict, Workload

MAX_REASONS: Final = 8
"""Of one workload that breaks."""

_CODES: Final[Mapping[Verdict, int]] = {
    Verdict.FITS: FITS,
    Verdict.DOES_NOT_FIT: DOES_NOT_FIT,
    Verdict.UNKNOWN: COULD_NOT_FIND_OUT,
}


def compare(
    before: Sequence[Workload], after: Sequence[Workload]
) -> tuple[Change, ...]:
    """The workloads whose verdict, or number of nodes that fit, would be another.

    Args:
        before: as it is.
        after: the same workloads, in the same order.
    """
    found = (_change(*pair) for pair in zip(before, after, strict=True))
    return tuple(
        one
        for one in found
        if (one.before, one.nodes_before) != (one.after, one.nodes_after)
    )


def exit_code(changes: Sequence[Change]) -> int:
    """1 if something breaks that fits now, else 3 if something becomes unknown."""
    after = {one.after for one in changes if one.before is Verdict.FITS}
    worst = (Verdict.DOES_NOT_FIT, Verdict.UNKNOWN)
    return next((_CODES[one] for one in worst if one in after), FITS)


def _change(before: Workload, after: Workload) -> Change:
    is_worse = after.verdict is not Verdict.FITS
    return Change(
        name=after.name,
        before=before.verdict,
        after=after.verdict,
        nodes_before=_fitting(before),
        nodes_after=_fitting(after),
        reasons=_reasons(after) if is_worse else (),
    )


def _fitting(workload: Workload) -> int:
    return sum(len(row.nodes) for row in workload.rows if row.verdict is Verdict.FITS)


def _reasons(workload: Workload) -> tuple[Reason, ...]:
    """What the closest node lacks, else why the best candidates are not known."""
    if workload.nearest is not None:
        return workload.nearest.reasons[:MAX_REASONS]
    cells = workload.rows[0].cells if workload.rows else ()
    return tuple(reason for cell in cells for reason in cell.reasons)[:MAX_REASONS]
