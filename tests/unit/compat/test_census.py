"""What all nodes publish, and what is lent of it to other threads."""

from __future__ import annotations

import pytest

from app.bits import bits_in
from app.compat.census import Census, Frozen
from app.compat.features import Features

Y, M = {"A": "y"}, {"A": "m"}


def node(config: dict[str, str] | None = None, *flags: str) -> Features:
    attributes = {} if config is None else {"kernel.config": config}
    return Features({"cpu.cpuid": frozenset(flags)} if flags else {}, attributes)


def seen(census: Frozen) -> dict[str, dict[str, int]]:
    """Feature -> what is published, as text -> the nodes."""
    found: dict[str, dict[str, int]] = {}
    for (_, feature), column in census.columns.items():
        parts = zip(column.sets.values(), column.members.values(), strict=True)
        found[feature] = {repr(one): bits_in(members) for one, members in parts}
    return found


def test_changes_are_taken_in_node_by_node() -> None:
    census = Census()
    census.change({"a": node(Y), "b": node(Y), "c": node(M)})
    assert {"kernel.config": {repr(Y): 0b011, repr(M): 0b100}} == seen(census)
    census.change({"a": None, "b": node(M), "d": node(Y)})
    assert {"kernel.config": {repr(M): 0b110, repr(Y): 0b001}} == seen(census)
    assert ["d", "b", "c"] == census.nodes.names(census.bits)


def test_what_is_the_same_object_or_was_never_there_is_no_change() -> None:
    census, known = Census(), node(Y)
    census.change({"a": known})
    census.change({"a": known, "b": None})
    assert 1 == census.generation
    census.change({"a": node(Y)})
    assert 2 == census.generation


def test_an_update_takes_away_what_it_does_not_name() -> None:
    census, known = Census(), node(Y)
    census.update({"a": known, "b": node(M)})
    census.update({"a": known})
    assert {"kernel.config": {repr(Y): 0b01}} == seen(census)
    census.change({"a": None})
    census.update({"a": known})
    assert ["a"] == census.nodes.names(census.bits)


def test_a_callers_numbers_are_asked_when_a_node_comes() -> None:
    numbers = {"a": 7, "b": 3}
    census = Census(numbers.__getitem__)
    census.change({"a": node(Y), "b": node(Y)})
    assert {"kernel.config": {repr(Y): 0b1000_1000}} == seen(census)
    numbers["c"] = 7
    census.change({"c": node(M), "a": None})
    assert {"kernel.config": {repr(Y): 0b0000_1000, repr(M): 0b1000_0000}} == seen(
        census
    )
    assert ["b", "c"] == census.nodes.names(census.bits)


@pytest.mark.parametrize("number", [-1, 3])
def test_a_callers_number_must_be_free(number: int) -> None:
    numbers = {"b": 3, "c": number}
    census = Census(numbers.__getitem__)
    census.change({"b": node(Y)})
    with pytest.raises(ValueError, match=f"number {number} of node 'c' is not free"):
        census.change({"c": node(Y)})


def test_what_is_lent_stays_what_it_was() -> None:
    census = Census()
    census.change({"a": node(Y, "AVX"), "b": node(M)})
    before = census.freeze()
    was = seen(before), before.bits, dict(before.features), before.published
    census.change({"a": node(M), "b": None, "c": node(Y)})
    between = census.freeze()
    census.change({"a": None, "c": None})
    assert was == (
        seen(before),
        before.bits,
        dict(before.features),
        before.published,
    )
    assert 1 == before.generation
    assert {"cpu.cpuid", "kernel.config"} == before.published
    assert {"kernel.config": {repr(M): 0b01, repr(Y): 0b10}} == seen(between)
    assert {} == seen(census)
    assert frozenset() == census.published


def test_only_columns_that_change_are_copied_and_only_once() -> None:
    census, shared = Census(), frozenset({"AVX"})
    census.change({"a": Features({"cpu.cpuid": shared}, {"kernel.config": Y})})
    lent = census.freeze()
    census.change({"a": Features({"cpu.cpuid": shared}, {"kernel.config": M})})
    flags, config = ("flags", "cpu.cpuid"), ("attributes", "kernel.config")
    assert lent.columns[flags] is census.columns[flags]
    copy = census.columns[config]
    assert lent.columns[config] is not copy
    assert lent.columns[config].lineage is copy.lineage
    census.change({"a": Features({"cpu.cpuid": shared}, {"kernel.config": Y})})
    assert copy is census.columns[config]


def test_a_feature_that_vanished_and_came_back_is_another_column() -> None:
    census, place = Census(), ("attributes", "kernel.config")
    census.change({"a": node(Y)})
    lineage = census.columns[place].lineage
    census.change({"a": None})
    census.change({"a": node(Y)})
    assert lineage is not census.columns[place].lineage


def test_names_that_one_side_learns_are_not_told_to_the_other() -> None:
    census, place = Census(), ("flags", "cpu.cpuid")
    census.change({"a": node(None, "AVX")})
    assert {"AVX"} == census.columns[place].names()
    lent = census.freeze()
    census.change({"b": node(None, "AMX")})
    assert {"AVX"} == lent.columns[place].names()
    assert {"AVX", "AMX"} == census.columns[place].names()


def test_numbers_are_used_again_lowest_first() -> None:
    census = Census()
    census.change(dict.fromkeys("abc", node(Y)))
    census.change({"a": None, "c": None})
    census.change(dict.fromkeys("def", node(Y)))
    assert ["d", "b", "e", "f"] == census.nodes.names(census.bits)
    assert 4 == len(census.nodes)


# Whatever changes --------------------------------------------------------------


def flags(feature: str, *names: str) -> Features:
    return Features({feature: frozenset(names)})


def shown(of: Frozen) -> object:
    """All that a census says, by value."""
    return (
        of.generation,
        of.bits,
        dict(of.features),
        of.published,
        {
            place: (
                one.published,
                one.nulls,
                list(zip(one.sets.values(), one.members.values(), strict=True)),
                set(one.names()),
            )
            for place, one in of.columns.items()
        },
        [of.classes(feature, of.bits) for feature in sorted(of.published)],
    )


def test_a_number_that_is_not_free_changes_nothing() -> None:
    known = Census({"a": 0, "b": 0}.__getitem__)
    known.change({"a": node(Y)})
    before = shown(known)
    with pytest.raises(ValueError, match="number 0 of node 'b' is not free"):
        known.change({"a": node(M), "b": node(M)})
    assert before == shown(known)


def test_what_is_frozen_stays_whatever_changes() -> None:
    known = Census()
    known.change({"a": node(Y), "b": flags("cpu.cpuid", "AVX")})
    frozen = known.freeze()
    before = shown(frozen)
    assert before == shown(known)
    steps: list[dict[str, Features | None]] = [
        {"a": node(M)},
        {"b": flags("cpu.cpuid", "AVX", "SSE"), "c": Features({"cpu.cpuid": None})},
        {"a": None, "d": flags("new", "n")},
        {"b": None, "c": None, "d": None},
        {"a": node({"A": "y", "B": "z"})},
    ]
    between = []
    for step in steps:
        known.change(step)
        between.append((known.freeze(), shown(known)))
        assert before == shown(frozen), step
    assert all(shown(one) == told for one, told in between)


def test_changes_are_told_feature_by_feature() -> None:
    known = Census()
    both = Features({"m": frozenset("x")}, {"kernel.config": {"A": "y"}})
    known.change({"a": both, "b": both, "c": both})
    at = known.generation
    known.change({"b": Features(both.flags, {"kernel.config": {"A": "x"}})})
    assert 0b010 == known.changed(at, ["kernel.config"])
    assert 0 == known.changed(at, ["m", "no.such"])
    known.change({"d": flags("other", "o")})
    known.change({"a": None})
    assert 0b1000 == known.changed(at + 1, ["m"]) & ~1, "who came"
    assert 0b0001 == known.changed(at + 2, ["no.such"]), "who went"


def test_when_a_feature_has_vanished_all_changes_count() -> None:
    """What changed in its column is forgotten with it."""
    known = Census()
    known.change({"a": flags("m", "x"), "b": flags("n", "y"), "c": flags("n", "z")})
    at = known.generation
    known.change({"a": flags("n", "y")})
    known.change({"b": flags("n", "x")})
    assert 0b011 == known.changed(at, ["m"])
    assert 0b010 == known.changed(known.generation - 1, ["m", "n"])
