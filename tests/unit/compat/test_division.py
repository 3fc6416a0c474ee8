"""Parts of nodes that lack the same."""

import pytest

from app.compat.division import Division, divide


def test_the_largest_part_comes_first() -> None:
    assert divide(0b11111, [0b00111, 0b00001]) == [
        Division(0b11000, ()),
        Division(0b00110, (0,)),
        Division(0b00001, (0, 1)),
    ]


def test_the_order_of_equal_parts_depends_on_needs_and_not_on_numbers() -> None:
    """Numbers of nodes differ from replica to replica."""
    assert [part.lacks for part in divide(0b11, [0b01, 0b10])] == [(1,), (0,)]
    assert [part.lacks for part in divide(0b11, [0b10, 0b01])] == [(1,), (0,)]


def test_no_nodes_make_no_parts() -> None:
    assert [] == divide(0, [1])


@pytest.mark.parametrize(("most", "parts"), [(2, 2), (3, 3), (4, 3)])
def test_no_more_parts_than_asked_for(most: int, parts: int) -> None:
    assert parts == len(divide(0b111, [0b001, 0b010], most=most))


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        pytest.param(3, Division(0b11, (0, 1, 2)), id="at the bound"),
        pytest.param(2, Division(0b11, (0, 1), is_whole=False), id="beyond"),
        pytest.param(0, Division(0b11, (), is_whole=False), id="none"),
    ],
)
def test_beyond_the_bound_less_is_said(operations: int, expected: Division) -> None:
    assert [expected] == divide(0b11, [0b11] * 3, operations=operations)
