"""Sets of nodes as integers."""

from __future__ import annotations

import pytest

from app.bits import bits_in, bits_of, flipped, lowest, members_of, numbers, union


@pytest.mark.parametrize(
    "found",
    [
        pytest.param([], id="none"),
        pytest.param([0], id="the first"),
        pytest.param([3, 15_000], id="two far apart"),
        pytest.param(list(range(8)), id="few"),
        pytest.param(list(range(9)), id="one more than few"),
        pytest.param(list(range(0, 1_536, 3)), id="several"),
        pytest.param(list(range(0, 1_539, 3)), id="one more than several"),
        pytest.param(list(range(1, 20_000, 3)), id="many"),
    ],
)
def test_a_set_of_nodes_gives_its_numbers_back(found: list[int]) -> None:
    bits = bits_of(found)
    assert found == numbers(bits)
    assert len(found) == bits.bit_count()
    if found:
        assert found[0] == lowest(bits)


@pytest.mark.parametrize(
    ("bits", "members"),
    [
        pytest.param(0b1, ~0, id="node 0 alone"),
        pytest.param(0b100, ~2, id="node 2 alone"),
        pytest.param(0b101, 0b101, id="two nodes"),
    ],
)
def test_one_node_is_held_by_its_number(bits: int, members: int) -> None:
    assert members == members_of(bits)
    assert bits == bits_in(members)


def test_sets_unite_in_either_form() -> None:
    assert 0b1111 == union([~0, 0b110, ~3, ~1])
    assert 0 == union([])


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
