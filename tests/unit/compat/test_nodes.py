"""Numbers of nodes, sets of nodes, and what changed since when."""

from __future__ import annotations

from app.compat import nodes
from app.compat.nodes import Changes, Nodes


def test_a_node_has_a_number_and_a_name() -> None:
    known = Nodes()
    assert [0, 1] == [known.add("a"), known.add("b")]
    assert 1 == known.number("b")
    assert ["a", "b"] == known.names(0b11)
    assert 0b10 == known.select(["b", "no such node"])
    assert 2 == len(known)


def test_a_number_is_used_again_once_its_node_is_gone() -> None:
    known = Nodes()
    for name in "abc":
        known.add(name)
    assert [2, 0] == [known.remove("c"), known.remove("a")]
    assert known.number("a") is None
    assert 0b010 == known.bits
    assert ["b"] == known.names(0b111)
    assert [0, 2, 3] == [known.add("d"), known.add("a"), known.add("e")]
    assert ["d", "b", "a", "e"] == known.names(0b1111)


def test_changes_are_those_after_a_generation() -> None:
    changes = Changes()
    for generation, bits in ((1, 0b001), (4, 0b010), (6, 0b100)):
        changes.record(generation, bits)
    since = [changes.since(generation) for generation in range(7)]
    assert [0b111, 0b110, 0b110, 0b110, 0b100, 0b100, 0] == since


def test_the_oldest_changes_become_one_and_none_is_lost() -> None:
    changes = Changes()
    for generation in range(1, nodes.MAX_RECORDED + 1):
        changes.record(generation, 1 << generation)
    assert 0b1100 == changes.since(1) & 0b1111
    changes.record(nodes.MAX_RECORDED + 1, 1)
    assert 0b1111 == changes.since(1) & 0b1111
    assert 0b1001 == changes.since(2) & 0b1111
