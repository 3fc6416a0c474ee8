"""Numbers of many nodes in binary."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.compat.explain import Need, Part
from app.compat.tally import Tally, add, cheapest, nearest, total

FIXED = Need("r", "cpu.cpuid", Part.FEATURE)
LOOSE = Need("r", "vendor.gpu", Part.FEATURE)


@pytest.mark.parametrize(
    ("total", "other", "expected"),
    [
        pytest.param([], [0b1], [0b1], id="nothing yet"),
        pytest.param([0b1], [0b1], [0b0, 0b1], id="carried"),
        pytest.param([0b11, 0b1], [0b1], [0b10, 0b0, 0b1], id="carried on"),
        pytest.param([0b1, 0b1, 0b1], [0b10], [0b11, 0b1, 0b1], id="ends early"),
        pytest.param([0b1], [0b0, 0b1], [0b1, 0b1], id="longer, with a gap"),
        pytest.param([0b1], [], [0b1], id="nothing added"),
    ],
)
def test_numbers_are_added(
    total: list[int], other: list[int], expected: list[int]
) -> None:
    add(total, other)
    assert expected == total


@given(st.lists(st.integers(0, 2**8 - 1)))
def test_the_total_says_in_how_many_sets_each_node_is(sets: list[int]) -> None:
    digits = total(sets)
    for node in range(8):
        assert sum(bits >> node & 1 for bits in sets) == sum(
            (digit >> node & 1) << place for place, digit in enumerate(digits)
        )


def test_the_nearest_have_the_least_number_and_then_the_least_of_the_next() -> None:
    first, second = [0b0001, 0b0010], [0b0100]
    assert 0b1000 == nearest(0b1111, (first, second))
    assert 0b1100 == nearest(0b1111, (first,))
    assert 0b0010 == nearest(0b0010, (first, second))


def test_needs_that_nobody_can_change_are_counted_besides() -> None:
    found = Tally.of([(FIXED, 0b01), (LOOSE, 0b11)])
    assert ([0b10, 0b01], [0b01]) == (found.all, found.fixed)


def test_of_alternatives_each_node_has_its_cheapest() -> None:
    options = [[(FIXED, 0b111)], [(LOOSE, 0b011)], [(FIXED, 0b1), (LOOSE, 0b111)]]
    found = cheapest(options, 0b111)
    # Node 2 lacks nothing of the second.
    assert [(LOOSE, 0b011)] == found.needs
    assert [0b011, 0] == found.all
    assert not any(found.fixed)


def test_of_equal_alternatives_the_first_counts() -> None:
    other = Need("r", "vendor.net", Part.FEATURE)
    found = cheapest([[(LOOSE, 0b1)], [(other, 0b1)]], 0b1)
    assert [(LOOSE, 0b1)] == found.needs


def test_without_alternatives_nothing_is_lacking() -> None:
    assert Tally() == cheapest([], 0b1)
