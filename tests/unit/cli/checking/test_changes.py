import pytest

from app.cli.checking import changes
from app.cli.reports.report import Cell, Nearest, Reason, Row, Verdict, Workload

FITS, MISFIT, UNKNOWN = Verdict.FITS, Verdict.DOES_NOT_FIT, Verdict.UNKNOWN
LACKS = Reason(rule="r", what="x", want="Exists", found="absent")


def swapped(*rows: tuple[Verdict, str, tuple[Reason, ...]]) -> Workload:
    """A workload that fits, with a row for each verdict, its nodes and reasons."""
    found = (
        Row(
            nodes=tuple(nodes.split()),
            verdict=verdict,
            score=None,
            cells=(Cell(verdict=verdict, reasons=reasons),),
        )
        for verdict, nodes, reasons in rows
    )
    return Workload(name="w", verdict=FITS, rows=tuple(found))


def lacking(number: int) -> Reason:
    return Reason(rule="r", what=f"x{number}", want="Exists", found="absent")


def workload(verdict: Verdict, nodes: int = 1, nearest: int = 0) -> Workload:
    cell = Cell(verdict=verdict, reasons=() if verdict is FITS else (LACKS,))
    names = tuple(f"n{n}" for n in range(nodes))
    row = Row(nodes=names, verdict=verdict, score=None, cells=(cell,))
    lacks = tuple(map(lacking, range(nearest)))
    closest = Nearest(node="n0", reasons=lacks) if nearest else None
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
    assert tuple(map(lacking, range(changes.MAX_REASONS))) == one.reasons


def test_what_becomes_unknown_is_told_with_why() -> None:
    (one,) = changes.compare([workload(FITS)], [workload(UNKNOWN)])
    assert (LACKS,) == one.reasons


def test_without_a_candidate_it_is_told_who_is_none_any_more() -> None:
    """And that breaks: it fits now, and nothing would be left to run it."""
    pair = [workload(FITS)], [workload(UNKNOWN, 0)]
    (one,) = changes.compare(*pair)
    assert (MISFIT, 1) == (one.after, changes.exit_code(*pair))
    assert (Reason(rule="", what="no candidates any more: n0", want="", found=""),) == (
        one.reasons
    )


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


def test_two_nodes_that_swap_a_module_change_something() -> None:
    """As many as before is not the same: a rolling upgrade loses and gains."""
    before = swapped((FITS, "metal-a", ()), (MISFIT, "metal-b", (LACKS,)))
    after = swapped((FITS, "metal-b", ()), (MISFIT, "metal-a", (LACKS,)))
    (one,) = changes.compare([before], [after])
    assert (FITS, FITS, 1, 1) == (
        one.before,
        one.after,
        one.nodes_before,
        one.nodes_after,
    )
    assert (("metal-a",), ("metal-b",)) == (one.nodes_lost, one.nodes_gained)
    assert (LACKS,) == one.reasons
    assert 0 == changes.exit_code([before], [after])


def test_only_why_lost_nodes_do_not_fit_is_told() -> None:
    before = swapped((FITS, "a b", ()))
    after = swapped(
        (FITS, "b", ()),
        (UNKNOWN, "c", (lacking(1),)),
        (MISFIT, "a d", (lacking(2),)),
        (MISFIT, "e", (lacking(3),)),
    )
    (one,) = changes.compare([before], [after])
    assert ((lacking(2),), ("a",), ()) == (
        one.reasons,
        one.nodes_lost,
        one.nodes_gained,
    )


def test_what_only_gains_nodes_needs_no_reason() -> None:
    before, after = swapped((FITS, "a", ())), swapped((FITS, "c b a", ()))
    (one,) = changes.compare([before], [after])
    assert ((), (), ("b", "c")) == (one.reasons, one.nodes_lost, one.nodes_gained)


def test_nodes_that_are_gone_are_told_of() -> None:
    before, after = swapped((FITS, "a b c d e", ())), swapped((FITS, "a", ()))
    (one,) = changes.compare([before], [after])
    text = "no candidates any more: b, c, d and 1 more"
    assert [text] == [reason.what for reason in one.reasons]


@pytest.mark.parametrize("count", [changes.MAX_REASONS, changes.MAX_REASONS + 1])
def test_reasons_of_lost_nodes_are_bounded(count: int) -> None:
    """Each is told once."""
    every = tuple(map(lacking, range(count)))
    before = swapped((FITS, "a b c", ()))
    after = swapped((FITS, "a", ()), (MISFIT, "b", every[:4]), (MISFIT, "c", every))
    (one,) = changes.compare([before], [after])
    assert every[: changes.MAX_REASONS] == one.reasons


def test_workloads_that_lose_the_same_nodes_share_their_names() -> None:
    """What is remembered follows the number of answers, not of pairs."""
    before, after = swapped((FITS, "a b c", ())), swapped((FITS, "d", ()))
    one, other = changes.compare([before, before], [after, after])
    assert one.nodes_lost is other.nodes_lost
    assert one.nodes_gained is other.nodes_gained


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (FITS, MISFIT, 1),
        (FITS, UNKNOWN, 3),
        (MISFIT, UNKNOWN, 0),
        (MISFIT, MISFIT, 0),
        (UNKNOWN, MISFIT, 3),
        (UNKNOWN, UNKNOWN, 3),
        (UNKNOWN, FITS, 0),
        (MISFIT, FITS, 0),
        (FITS, FITS, 0),
    ],
)
def test_only_what_fits_now_can_break_and_what_is_unknown_may(
    before: Verdict, after: Verdict, code: int
) -> None:
    assert code == changes.exit_code([workload(before)], [workload(after)])


def test_of_several_the_worst_counts() -> None:
    before = [workload(FITS), workload(FITS), workload(MISFIT)]
    after = [workload(UNKNOWN), workload(MISFIT), workload(FITS)]
    assert 1 == changes.exit_code(before, after)


def test_no_change_breaks_nothing() -> None:
    assert 0 == changes.exit_code([], [])
