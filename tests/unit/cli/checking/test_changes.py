import pytest

from app.cli.checking import changes
from app.cli.reports.report import Cell, Nearest, Reason, Row, Verdict, Workload

FITS, MISFIT, UNKNOWN = Verdict.FITS, Verdict.DOES_NOT_FIT, Verdict.UNKNOWN
LACKS = Reason(rule="r", what="x", want="Exists", found="absent")


def workload(verdict: Verdict, nodes: int = 1, nearest: int = 0) -> Workload:
    cell = Cell(verdict=verdict, reasons=() if verdict is FITS else (LACKS,))
    names = tuple(f"n{n}" for n in range(nodes))
    row = Row(nodes=names, verdict=verdict, score=None, cells=(cell,))
    closest = Nearest(node="n0", reasons=(LACKS,) * nearest) if nearest else None
    rows = (row,) if nodes else ()
    return Workload(name="w", verdict=verdict, rows=rows, nearest=closest)


def test_what_stays_the_same_is_not_told() -> None:
    every = [workload(FITS), workload(MISFIT), workload(UNKNOWN)]
    assert () == changes.compare(every, every)


def test_what_breaks_is_told_with_what_the_closest_node_lacks() -> None:
    (one,) = changes.compare([workload(FITS, 3)], [workload(MISFIT, 3, nearest=9)])
    assert (FITS, MISFIT, 3, 0) == (
        one.before,
        one.after,
        one.nodes_before,
        one.nodes_after,
    )
    assert (LACKS,) * changes.MAX_REASONS == one.reasons


def test_what_becomes_unknown_is_told_with_why() -> None:
    (one,) = changes.compare([workload(FITS)], [workload(UNKNOWN)])
    assert (LACKS,) == one.reasons


def test_without_a_candidate_there_is_no_reason() -> None:
    (one,) = changes.compare([workload(FITS)], [workload(UNKNOWN, 0)])
    assert () == one.reasons


def test_what_begins_to_fit_needs_no_reason() -> None:
    (one,) = changes.compare([workload(MISFIT)], [workload(FITS, 2)])
    assert ((), 0, 2) == (one.reasons, one.nodes_before, one.nodes_after)


def test_a_workload_that_loses_nodes_is_told() -> None:
    (one,) = changes.compare([workload(FITS, 5)], [workload(FITS, 1)])
    assert (FITS, FITS, 5, 1) == (
        one.before,
        one.after,
        one.nodes_before,
        one.nodes_after,
    )


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (FITS, MISFIT, 1),
        (FITS, UNKNOWN, 3),
        (MISFIT, UNKNOWN, 0),
        (UNKNOWN, MISFIT, 0),
        (MISFIT, FITS, 0),
    ],
)
def test_only_what_fits_now_can_break(
    before: Verdict, after: Verdict, code: int
) -> None:
    found = changes.compare([workload(before)], [workload(after)])
    assert code == changes.exit_code(found)


def test_of_several_the_worst_counts() -> None:
    found = changes.compare(
        [workload(FITS), workload(FITS), workload(MISFIT)],
        [workload(UNKNOWN), workload(MISFIT), workload(FITS)],
    )
    assert 1 == changes.exit_code(found)


def test_no_change_breaks_nothing() -> None:
    assert 0 == changes.exit_code(())
