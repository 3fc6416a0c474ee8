from __future__ import annotations

import pytest

from app.scheduling.bits import bits_in, bits_of, flipped, numbers, union


@pytest.mark.parametrize(
    "found",
    [
        pytest.param([], id="none"),
        pytest.param([0], id="the first"),
        pytest.param([3, 9_000], id="few"),
        pytest.param([0, *range(5, 90, 3), 9_000], id="many"),
    ],
)
def test_numbers_are_read_back_in_order(found: list[int]) -> None:
    assert found == numbers(bits_of(found[::-1]))


def test_a_union_takes_both_forms() -> None:
    assert 0b1_1011 == union([0b1, ~1, 0b1001, ~4])


@pytest.mark.parametrize(
    ("expected", "members", "found"),
    [
        pytest.param(~5, 0, [5], id="one comes"),
        pytest.param(0b11, ~1, [0], id="a second comes"),
        pytest.param(~0, 0b11, [1], id="one of two goes"),
        pytest.param(0, ~7, [7], id="the last goes"),
        pytest.param(~7, ~6, [6, 7], id="another takes its place"),
        pytest.param(0b111, 0, [0, 1, 2], id="three come"),
        pytest.param(0, 0, [], id="nothing happens to nobody"),
    ],
)
def test_a_set_of_one_node_is_its_number(
    expected: int, members: int, found: list[int]
) -> None:
    assert expected == flipped(members, found)


def test_the_longer_form_is_bits() -> None:
    assert [0b100, 0b110, 0] == [bits_in(~2), bits_in(0b110), bits_in(0)]
