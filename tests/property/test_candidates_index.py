"""The index of nodes against `candidates.find`, which asks every node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec import structs

from app.bits import numbers
from app.scheduling.candidates import Options, find
from app.scheduling.index import NodeIndex
from app.scheduling.kinds import KINDS
from app.scheduling.node import Node, Taint, platform_of
from app.scheduling.placement import LIMITS, Limits, NodeTerm, Placement
from app.scheduling.podspec import of
from app.scheduling.selector import Requirement
from app.scheduling.taints import CORDON, TRANSIENT, Toleration
from tests.conformance import scheduling_cases as cases

OS_KEYS = ("kubernetes.io/os", "beta.kubernetes.io/os")
ARCH_KEYS = ("kubernetes.io/arch", "beta.kubernetes.io/arch")
NODE_NAMES = tuple(f"n{number}" for number in range(1, 7))

KEYS = st.sampled_from(("zone", "number", "type", *OS_KEYS, "-bad", ""))
NUMBERS = st.sampled_from(tuple(cases.NUMBERS.values())) | st.integers(-9, 9).map(str)
VALUES = NUMBERS | st.sampled_from(
    ("a", "b", "linux", "windows", "virtual-kubelet", *cases.BAD_VALUES.values())
)
EFFECTS = st.sampled_from(("NoSchedule", "NoExecute", "PreferNoSchedule", "", "x"))
TAINT_KEYS = st.sampled_from(("gpu", "tenant", CORDON.key, "startup-taint.x"))
TAINT_VALUES = st.sampled_from(("", "a", "b", "-", "a-"))
OPERATORS = st.sampled_from(
    ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "in", "")
)
NAMES = st.sampled_from((*NODE_NAMES, "absent", ""))


def tuples(what: st.SearchStrategy[Any], size: int = 3) -> st.SearchStrategy[Any]:
    return st.lists(what, max_size=size).map(tuple)


def requirements(
    keys: st.SearchStrategy[str], values: st.SearchStrategy[str]
) -> st.SearchStrategy[Requirement]:
    """Mostly as Kubernetes accepts them, sometimes with anything anywhere."""
    one = st.tuples(values)
    many = st.lists(values, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Requirement, keys, st.sampled_from(("In", "NotIn")), one | many),
        st.builds(Requirement, keys, st.sampled_from(("Exists", "DoesNotExist"))),
        st.builds(Requirement, keys, st.sampled_from(("Gt", "Lt")), st.tuples(NUMBERS)),
        st.builds(Requirement, keys, OPERATORS, tuples(values)),
    )


FIELDS = requirements(st.sampled_from(("metadata.name",) * 4 + ("x",)), NAMES)
TERMS = st.builds(
    NodeTerm,
    tuples(requirements(KEYS, VALUES)),
    tuples(FIELDS),
)
TOLERATIONS = st.builds(
    Toleration,
    st.one_of(st.just(""), TAINT_KEYS),
    st.sampled_from(("", "Equal", "Exists", "Gt", "x")),
    TAINT_VALUES,
    EFFECTS,
)
PLACEMENTS = st.builds(
    Placement,
    node_name=st.just("") | NAMES,
    node_selector=tuples(st.tuples(KEYS, VALUES), 2),
    required_terms=st.none() | tuples(TERMS),
    tolerations=tuples(TOLERATIONS),
    scheduler_name=st.sampled_from(("default-scheduler",) * 3 + ("other",)),
    os=st.sampled_from(("", "", "linux", "windows")),
)
NODES = st.builds(
    Node,
    st.sampled_from(NODE_NAMES),
    st.dictionaries(KEYS | st.sampled_from(ARCH_KEYS), VALUES, max_size=5),
    tuples(st.builds(Taint, TAINT_KEYS, TAINT_VALUES, EFFECTS)),
    st.booleans(),
)
CLUSTERS = st.lists(NODES, unique_by=lambda node: node.name).map(
    lambda nodes: {node.name: node for node in nodes}
)
OPTIONS = st.none() | st.builds(
    Options,
    st.just(frozenset({"default-scheduler"})) | st.just(frozenset({"other"})),
    tuples(requirements(KEYS, VALUES), 2),
    st.just(TRANSIENT) | st.just(TRANSIENT.extended(("gpu",))),
)


def check(
    index: NodeIndex,
    nodes: Mapping[str, Node],
    placement: Placement,
    options: Options | None = None,
    is_running: bool = False,
    limits: Limits = LIMITS,
) -> None:
    """The law."""
    expected = find(
        placement, nodes, options=options, is_running=is_running, limits=limits
    )
    found = index.find(placement, options, is_running=is_running)
    assert set(map(id, expected.eventual)) == set(map(id, index.nodes(found.eventual)))
    assert set(map(id, expected.now)) == set(map(id, index.nodes(found.now)))
    assert len(expected.eventual) == found.eventual.bit_count()
    assert len(expected.now) == found.now.bit_count()
    assert expected.excluded_counts == found.excluded
    assert expected.waiting_counts == found.waiting
    assert expected.left_out == found.left_out


@given(CLUSTERS, PLACEMENTS, OPTIONS, st.booleans())
def test_the_index_finds_what_asking_every_node_finds(
    nodes: dict[str, Node],
    placement: Placement,
    options: Options | None,
    is_running: bool,
) -> None:
    index = NodeIndex()
    index.update(nodes)
    check(index, nodes, placement, options, is_running)


@given(CLUSTERS, PLACEMENTS, st.builds(Limits, *[st.integers(0, 3)] * 7))
def test_what_is_left_out_is_the_same_and_takes_no_candidate_away(
    nodes: dict[str, Node], placement: Placement, limits: Limits
) -> None:
    index = NodeIndex(limits=limits)
    index.update(nodes)
    check(index, nodes, placement, limits=limits)
    whole = find(placement, nodes)
    less = find(placement, nodes, limits=limits)
    assert set(map(id, whole.eventual)) <= set(map(id, less.eventual))
    assert set(map(id, whole.now)) <= set(map(id, less.now))
    assert less.left_out or whole == less


@given(CLUSTERS, tuples(FIELDS), tuples(tuples(FIELDS), 4))
def test_terms_on_names_find_what_asking_every_node_finds(
    nodes: dict[str, Node], fields: Any, more: Any
) -> None:
    index = NodeIndex()
    index.update(nodes)
    terms = tuple(NodeTerm((), each) for each in (fields, *more))
    check(index, nodes, Placement(required_terms=terms))
    check(index, nodes, Placement(required_terms=terms[:1]))


@given(CLUSTERS, st.sets(st.sampled_from(NODE_NAMES)))
def test_platforms_part_a_set_as_the_labels_of_each_node_do(
    nodes: dict[str, Node], chosen: set[str]
) -> None:
    index = NodeIndex()
    index.update(nodes)
    names = sorted(chosen & nodes.keys())
    expected: dict[tuple[str, str] | None, set[str]] = {}
    for name in names:
        expected.setdefault(platform_of(nodes[name]), set()).add(name)
    asked = sum(1 << (index.number(name) or 0) for name in names)
    found = index.platforms(asked | 1 << 99)
    assert expected == {
        platform: {node.name for node in index.nodes(bits)}
        for platform, bits in found.items()
    }


def test_every_trap_of_the_scheduler_is_the_same_in_the_index() -> None:
    """The traps of the live conformance test, several nodes and Pods at a time."""
    generator = cases.Generator(seed=4)
    for _ in range(300):
        made = [generator.case(number) for number in range(len(NODE_NAMES))]
        nodes = {
            name: replace(cases.node_of(case.node), name=name)
            for name, case in zip(NODE_NAMES, made, strict=True)
        }
        index = NodeIndex()
        index.update(nodes)
        for case in made:
            placement = of(KINDS["Pod"], case.pod).placement
            check(index, nodes, placement)
            check(index, nodes, structs.replace(placement, node_name=""))
    assert set() == cases.WANTED_HITS - {hit for hit, n in generator.hits.items() if n}


class Numbering:
    """Numbers that are given out as the test says, and used again."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def __call__(self, name: str) -> int:
        return self.numbers[name]

    def follow(self, names: set[str], wish: int) -> None:
        for gone in self.numbers.keys() - names:
            del self.numbers[gone]
        for name in sorted(names - self.numbers.keys()):
            free = set(range(wish, wish + 99)) - set(self.numbers.values())
            self.numbers[name] = min(free)


class AnyHistory(RuleBasedStateMachine):
    """After any history, an index answers as if it were new."""

    def __init__(self) -> None:
        super().__init__()
        self.nodes: dict[str, Node] = {}
        self.numbering = Numbering()
        self.own = NodeIndex()
        self.shared = NodeIndex(number=self.numbering)
        self.asked: list[tuple[Placement, Options | None, bool]] = []

    @rule(node=NODES, wish=st.integers(0, 9))
    def put(self, node: Node, wish: int) -> None:
        self.nodes[node.name] = node
        self.numbering.follow(set(self.nodes), wish)
        for index in (self.own, self.shared):
            index.set(node.name, node)

    @rule(name=st.sampled_from(NODE_NAMES))
    def remove(self, name: str) -> None:
        self.nodes.pop(name, None)
        self.numbering.follow(set(self.nodes), 0)
        for index in (self.own, self.shared):
            index.remove(name)

    @rule(nodes=CLUSTERS, kept=st.sets(st.sampled_from(NODE_NAMES)))
    def replace_all(self, nodes: dict[str, Node], kept: set[str]) -> None:
        same = {name: self.nodes[name] for name in kept & self.nodes.keys()}
        self.nodes = {**nodes, **same}
        self.numbering.follow(set(self.nodes), 0)
        for index in (self.own, self.shared):
            index.update(self.nodes)

    @rule(nodes=CLUSTERS, gone=st.sets(st.sampled_from(NODE_NAMES)))
    def change(self, nodes: dict[str, Node], gone: set[str]) -> None:
        for name in gone:
            self.nodes.pop(name, None)
        self.nodes = {**self.nodes, **nodes}
        self.numbering.follow(set(self.nodes), 0)
        for index in (self.own, self.shared):
            index.change(nodes, gone)

    @rule(wish=st.integers(0, 9))
    def renumber(self, wish: int) -> None:
        """Every node goes and comes back between two updates."""
        self.nodes = {
            name: replace(node) for name, node in reversed(self.nodes.items())
        }
        self.numbering.follow(set(), 0)
        self.numbering.follow(set(self.nodes), wish)
        for index in (self.own, self.shared):
            index.update(self.nodes)

    @rule(placement=PLACEMENTS, options=OPTIONS, is_running=st.booleans())
    def ask(
        self, placement: Placement, options: Options | None, is_running: bool
    ) -> None:
        self.asked.append((placement, options, is_running))

    @invariant()
    def answers_are_those_of_a_new_index(self) -> None:
        for index in (self.own, self.shared):
            for placement, options, is_running in (
                *self.asked[-3:],
                (Placement(), None, False),
            ):
                check(index, self.nodes, placement, options, is_running)

    @invariant()
    def numbers_are_the_callers_or_the_lowest(self) -> None:
        assert self.numbering.numbers == {
            name: self.shared.number(name) for name in self.nodes
        }
        assert len(self.nodes) == len(self.own) == len(self.shared)
        assert len(self.nodes) == len(numbers(self.own.bits))

    @invariant()
    def nothing_of_nodes_that_are_gone_is_kept(self) -> None:
        fresh = NodeIndex(number=self.numbering)
        fresh.update(self.nodes)
        mine, new = self.shared._postings, fresh._postings
        assert new.bits == mine.bits
        assert new.cordoned == mine.cordoned
        for expected, found in ((new.labels, mine.labels), (new.taints, mine.taints)):
            assert contents(expected) == contents(found)


def contents(table: Any) -> dict[Any, Any]:
    return {key: (values.present, dict(values.nodes)) for key, values in table.items()}


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(
    TestAnyHistory.settings, max_examples=60, stateful_step_count=20
)
