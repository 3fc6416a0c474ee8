"""The laws of groups: bitsets say of each node what one node's explanation says.

On generated clusters, node by node, with the generator of `test_index`'s kind but
terms on variables left out, of which bitsets tell rules only.
"""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from app.bits import numbers
from app.compat.alike import Shortfall, shortfall
from app.compat.division import divide
from app.compat.explain import Need, SetExplanation, closest, explain
from app.compat.features import Features
from app.compat.index import Index
from app.compat.matching import judge
from app.compat.operators import OPERATORS
from app.compat.spec import (
    Compatibility,
    FeatureMatcherTerm,
    GroupRule,
    MatchExpression,
    Spec,
)
from app.compat.tally import add, nearest

NAMES = st.sampled_from(("a", "b", "c"))
VALUES = st.sampled_from(("", "1", "2", "10", "true", "x"))
KEYS = st.sampled_from(("cpu.cpuid", "pci.device", "kernel.loadedmodule", "V.x"))
FLAGS = st.none() | st.frozensets(NAMES, max_size=3)
ATTRIBUTES = st.none() | st.dictionaries(NAMES, VALUES, max_size=3)
INSTANCES = st.lists(st.dictionaries(NAMES, VALUES, max_size=3), max_size=3).map(tuple)
NODES = st.builds(
    Features,
    flags=st.dictionaries(KEYS, FLAGS, max_size=2),
    attributes=st.dictionaries(KEYS, ATTRIBUTES, max_size=2),
    instances=st.dictionaries(KEYS, INSTANCES, max_size=2),
)
EXPRESSIONS = st.builds(
    MatchExpression,
    op=st.sampled_from(("Exists", "DoesNotExist", "In", "NotIn", "Gt", *OPERATORS)),
    value=st.lists(VALUES, max_size=2).map(tuple),
    type=st.sampled_from(("", "version")),
)
TERM = st.builds(
    FeatureMatcherTerm,
    feature=st.sampled_from(
        ("cpu.cpuid", "PCI.device", "kernel.loadedmodule", "v.x", "no.such")
    ),
    match_expressions=st.none() | st.dictionaries(NAMES, EXPRESSIONS, max_size=3),
    match_name=st.none() | EXPRESSIONS,
)
TERMS = st.lists(TERM, max_size=3).map(tuple)
RULES = st.builds(
    GroupRule,
    name=st.sampled_from(("r", "s")),
    vars=st.dictionaries(NAMES, VALUES, max_size=1),
    match_features=TERMS,
    match_any=st.lists(TERMS, max_size=3).map(tuple),
)
SPECS = st.lists(
    st.builds(Compatibility, rules=st.lists(RULES, max_size=3).map(tuple)), max_size=3
).map(lambda sets: Spec("", tuple(sets)))
CLUSTERS = st.lists(NODES, min_size=1, max_size=6)


def short_of(
    kinds: list[Features], spec: Spec, copies: int = 1
) -> tuple[Index, Shortfall]:
    """What is short in a cluster, with some nodes of each kind."""
    index = Index()
    cluster = {f"{n}-{m}": kinds[n] for n in range(len(kinds)) for m in range(copies)}
    index.update(cluster)
    judgement = index.judge("key", spec)
    plan = index.plan("key")
    assert plan is not None
    return index, shortfall(plan, judgement, index.census, judgement.nodes)


def explained(spec: Spec, features: Features) -> SetExplanation | None:
    return closest(explain(judge(spec, features), features))


def number_of(digits: list[int], node: int) -> int:
    return sum((digit >> node & 1) << place for place, digit in enumerate(digits))


@settings(deadline=None, max_examples=150)
@given(CLUSTERS, SPECS)
def test_bitsets_say_of_every_node_what_explaining_it_says(
    kinds: list[Features], spec: Spec
) -> None:
    index, found = short_of(kinds, spec)
    for node in numbers(found.nodes):
        (name,) = index.names(1 << node)
        one = explained(spec, kinds[int(name.partition("-")[0])])
        unmet = () if one is None else one.unmet
        needs = [lack.need for lack in unmet]
        assert set(needs) == {
            need for need, bits in found.needs.items() if bits >> node & 1
        }
        assert number_of(found.all, node) == len(needs)
        fixed = sum(not need.is_changeable for need in needs)
        assert number_of(found.fixed, node) == fixed


@settings(deadline=None, max_examples=100)
@given(CLUSTERS, SPECS, st.integers(1, 3))
def test_parts_are_the_groups_that_judging_every_node_finds(
    kinds: list[Features], spec: Spec, copies: int
) -> None:
    index, found = short_of(kinds, spec, copies)
    needs = list(found.needs)
    parts = divide(found.nodes, list(found.needs.values()))
    groups: dict[frozenset[Need], set[str]] = defaultdict(set)
    for name in index.names(found.nodes):
        one = explained(spec, kinds[int(name.partition("-")[0])])
        unmet = () if one is None else one.unmet
        groups[frozenset(lack.need for lack in unmet)].add(name)
    assert groups == {
        frozenset(needs[position] for position in part.lacks): set(
            index.names(part.nodes)
        )
        for part in parts
    }
    sizes = [part.nodes.bit_count() for part in parts]
    assert sizes == sorted(sizes, reverse=True)
    assert all(part.is_whole for part in parts)


@settings(deadline=None, max_examples=100)
@given(CLUSTERS, st.lists(SPECS, min_size=1, max_size=2))
def test_the_nearest_nodes_are_those_that_explaining_every_node_finds(
    kinds: list[Features], specs: list[Spec]
) -> None:
    total: list[int] = []
    fixed: list[int] = []
    among = -1
    for spec in specs:
        index, found = short_of(kinds, spec)
        among &= found.nodes
        add(total, found.all)
        add(fixed, found.fixed)
    distances = {
        node: (number_of(total, node), number_of(fixed, node))
        for node in numbers(among)
    }
    least = min(distances.values(), default=None)
    assert numbers(nearest(among, (total, fixed))) == [
        node for node, distance in distances.items() if distance == least
    ]
    assert index.generation == 1


BITS = st.integers(0, 2**12 - 1)


@given(BITS, st.lists(BITS, max_size=6), st.integers(1, 8), st.integers(0, 40))
def test_within_any_bounds_what_is_said_of_a_part_holds(
    nodes: int, lacking: list[int], most: int, operations: int
) -> None:
    parts = divide(nodes, lacking, most=most, operations=operations)
    assert len(parts) <= most
    seen = 0
    for part in parts:
        assert part.nodes & ~nodes == part.nodes & seen == 0
        seen |= part.nodes
        for position, bits in enumerate(lacking):
            if position in part.lacks:
                assert part.nodes & ~bits == 0
            elif part.is_whole:
                assert part.nodes & bits == 0
