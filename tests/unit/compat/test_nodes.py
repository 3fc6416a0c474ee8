"""Numbers of nodes, sets of nodes, and what changed since when."""

from __future__ import annotations

import pytest

from app.bits import bits_of
from app.compat.nodes import MAX_ALIKE, Changes, Nodes


def test_a_node_has_a_number_and_a_name() -> None:
    known = Nodes()
    assert [0, 1] == known.change((), ("a", "b"))
    assert 1 == known.number("b")
    assert ["a", "b"] == known.names(0b11)
    assert {"a"} == known.absent(["b", "no such node"])
    assert 2 == len(known)


def test_a_number_is_used_again_once_its_node_is_gone() -> None:
    known = Nodes()
    known.change((), "abc")
    assert [] == known.change("ca", ())
    assert known.number("a") is None
    assert 0b010 == known.bits
    assert ["b"] == known.names(0b111)
    assert [0, 2, 3] == known.change((), "dae")
    assert ["d", "b", "a", "e"] == known.names(0b1111)


def test_nodes_go_before_others_come() -> None:
    known = Nodes()
    known.change((), "ab")
    assert [0, 2] == known.change("a", "cd")
    assert ["c", "b", "d"] == known.names(known.bits)


def test_a_callers_numbers_are_asked_for_when_a_node_comes() -> None:
    numbers = {"a": 7, "b": 3}
    asked: list[str] = []

    def number(name: str) -> int:
        asked.append(name)
        return numbers[name]

    known = Nodes(number)
    assert [7, 3] == known.change((), "ab")
    assert ["b", "a"] == known.names(known.bits)
    numbers |= {"a": 1, "c": 7}
    assert [7] == known.change("a", "c"), "a number that becomes free at once"
    assert [1] == known.change((), "a"), "another number than before"
    assert ["a", "b", "c"] == known.names(known.bits)
    assert ["a", "b", "c", "a"] == asked


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(-1, id="negative"),
        pytest.param(0, id="another node has it"),
        pytest.param(5, id="another node gets it in the same change"),
    ],
)
def test_a_callers_number_that_is_not_free_changes_nothing(number: int) -> None:
    numbers = {"a": 0, "b": 1, "c": 5, "d": number}
    known = Nodes(numbers.__getitem__)
    known.change((), "ab")
    with pytest.raises(ValueError, match=rf"number {number} of node 'd' is not free"):
        known.change("b", "cd")
    assert ["a", "b"] == known.names(known.bits)
    assert (2, None, None) == (len(known), known.number("c"), known.number("d"))


def test_changes_are_those_after_a_generation() -> None:
    changes = Changes()
    for generation, bits in ((1, 0b001), (4, 0b010), (6, 0b100)):
        changes.record(generation, bits)
    since = [changes.since(generation) for generation in range(7)]
    assert [0b111, 0b110, 0b110, 0b110, 0b100, 0b100, 0] == since


def test_a_copy_of_changes_is_recorded_further_by_itself() -> None:
    changes = Changes()
    changes.record(1, 0b01)
    other = changes.copy()
    other.record(2, 0b10)
    assert [0b01, 0b11] == [one.since(0) for one in (changes, other)]


def test_old_changes_become_one_and_none_is_lost() -> None:
    """One more record than is told apart, and the two oldest are one."""
    changes = Changes()
    for generation in range(1, MAX_ALIKE + 1):
        changes.record(generation, 1 << generation)
    assert bits_of(range(2, MAX_ALIKE + 1)) == changes.since(1)
    changes.record(MAX_ALIKE + 1, 1)
    everything = bits_of(range(MAX_ALIKE + 1))
    assert everything == changes.since(1), "a change too many, of the past"
    assert everything & ~0b110 == changes.since(2)


def test_what_is_told_of_a_time_covers_little_more_than_that_time() -> None:
    count = 5_000
    changes = Changes()
    for generation in range(1, count + 1):
        changes.record(generation, 1 << generation)
    for ago in (1, 8, 50, 400, 3_000):
        told = changes.since(count - ago).bit_count()
        assert ago <= told <= ago + ago // 4, ago
    assert len(changes._recorded) <= MAX_ALIKE * 11
