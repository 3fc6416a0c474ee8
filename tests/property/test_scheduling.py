"""Laws of candidates, over arbitrary Pods and nodes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from app.admission import review
from app.admission.large import MAX_WHOLE_BYTES
from app.scheduling.candidates import FILTERS, Options, find
from app.scheduling.kinds import KINDS, POD, Kind
from app.scheduling.node import Node, Taint
from app.scheduling.placement import NodeTerm, Placement
from app.scheduling.podspec import images_changed, of
from app.scheduling.selector import Requirement, integer, parse
from app.scheduling.taints import TRANSIENT, Toleration
from tests.conformance import scheduling_cases

KEYS = st.sampled_from(("zone", "number", "a.b/c", "-bad", ""))
VALUES = st.sampled_from(("a", "b", "5", "+5", "007", "", "bad value"))
EFFECTS = st.sampled_from(("NoSchedule", "NoExecute", "PreferNoSchedule", "", "x"))
TAINT_KEYS = st.sampled_from(("gpu", "node.kubernetes.io/not-ready", "startup-taint.x"))
OPERATORS = st.sampled_from(("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", ""))
NAMES = st.sampled_from(("n1", "n2", "n3"))


def tuples(of_what: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of_what, max_size=3).map(tuple)


REQUIREMENTS = st.builds(Requirement, KEYS, OPERATORS, tuples(VALUES))
FIELDS = st.builds(Requirement, st.just("metadata.name"), OPERATORS, tuples(NAMES))
TERMS = st.builds(NodeTerm, tuples(REQUIREMENTS), tuples(FIELDS))
TOLERATIONS = st.builds(
    Toleration,
    st.one_of(st.just(""), TAINT_KEYS),
    st.sampled_from(("", "Equal", "Exists", "Gt", "x")),
    VALUES,
    EFFECTS,
)
PLACEMENTS = st.builds(
    Placement,
    node_name=st.sampled_from(("", "", "n1")),
    node_selector=st.dictionaries(KEYS, VALUES, max_size=1).map(
        lambda pairs: tuple(pairs.items())
    ),
    required_terms=st.none() | tuples(TERMS),
    tolerations=tuples(TOLERATIONS),
    scheduler_name=st.sampled_from(("default-scheduler", "other")),
    os=st.sampled_from(("", "linux", "windows")),
)
NODES = st.builds(
    Node,
    NAMES,
    st.dictionaries(KEYS, VALUES),
    tuples(st.builds(Taint, TAINT_KEYS, VALUES, EFFECTS)),
    st.booleans(),
)
CLUSTERS = st.lists(NODES, max_size=4, unique_by=lambda node: node.name).map(tuple)
EVERY_NODE = Options(ignore=())

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ("spec", "template", "containers", "image", "name", "affinity", "os")
            )
            | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=20,
)


@given(placement=PLACEMENTS, nodes=CLUSTERS, is_running=st.booleans())
def test_every_node_is_a_candidate_or_is_excluded_once(
    placement: Placement, nodes: tuple[Node, ...], is_running: bool
) -> None:
    found = find(placement, nodes, is_running=is_running)
    excluded = [node for taken in found.excluded.values() for node in taken]
    waiting = [node for taken in found.waiting.values() for node in taken]
    by_name = sorted(nodes, key=lambda node: node.name)
    assert by_name == sorted([*found.eventual, *excluded], key=lambda node: node.name)
    assert sorted(node.name for node in found.eventual) == sorted(
        node.name for node in (*found.now, *waiting)
    )


@given(placement=PLACEMENTS, nodes=CLUSTERS)
def test_now_is_what_every_filter_admits(
    placement: Placement, nodes: tuple[Node, ...]
) -> None:
    """Holds for what the scheduler places, which is not a Pod that names its node."""
    placement = structs.replace(
        placement, node_name="", scheduler_name="default-scheduler"
    )
    tests = [make(placement) for make in FILTERS.values()]
    expected = tuple(node for node in nodes if all(test(node) for test in tests))
    assert expected == find(placement, nodes, options=EVERY_NODE).now


@given(placement=PLACEMENTS, nodes=CLUSTERS)
def test_eventual_is_now_once_everything_transient_is_gone(
    placement: Placement, nodes: tuple[Node, ...]
) -> None:
    settled = tuple(
        replace(
            node,
            taints=tuple(taint for taint in node.taints if taint.key not in TRANSIENT),
            unschedulable=False,
        )
        for node in nodes
    )
    expected = [node.name for node in find(placement, settled).now]
    assert expected == [node.name for node in find(placement, nodes).eventual]


@given(placement=PLACEMENTS, nodes=CLUSTERS, more=tuples(TOLERATIONS))
def test_more_tolerations_take_no_candidate_away(
    placement: Placement, nodes: tuple[Node, ...], more: tuple[Toleration, ...]
) -> None:
    tolerant = structs.replace(placement, tolerations=(*placement.tolerations, *more))
    assert set(find(placement, nodes).excluded_counts) <= {
        "Ignored",
        "NodeName",
        "TaintToleration",
        "NodeAffinity",
        "PodOSNotSupported",
    }
    names = {node.name for node in find(tolerant, nodes).eventual}
    assert {node.name for node in find(placement, nodes).eventual} <= names


@given(placement=PLACEMENTS, nodes=CLUSTERS, terms=tuples(TERMS))
def test_more_terms_take_no_candidate_away(
    placement: Placement, nodes: tuple[Node, ...], terms: tuple[NodeTerm, ...]
) -> None:
    few = structs.replace(placement, required_terms=terms[:1])
    many = structs.replace(placement, required_terms=terms)
    names = {node.name for node in find(many, nodes).eventual}
    assert {node.name for node in find(few, nodes).eventual} <= names


@given(kind=st.sampled_from(sorted(KINDS.values(), key=str)), spec=JSON)
def test_reading_never_fails_and_its_placement_can_be_a_key(
    kind: Kind, spec: object
) -> None:
    obj: dict[str, object] = {"metadata": spec, "spec": spec}
    for key in reversed(kind.template):
        obj = {key: obj}
    pod = of(kind, obj)
    assert pod == of(kind, obj)
    assert hash(pod.placement) == hash(of(kind, obj).placement)
    assert () == images_changed(pod, pod)
    assert pod.images == images_changed(None, pod)


def test_a_large_review_asks_for_the_same_as_a_small_one() -> None:
    """Whatever the API server sends, and an author may write."""
    generator = scheduling_cases.Generator(seed=7)
    for number in range(500):
        pod = generator.case(number).pod
        request = {"uid": "u", "object": pod}
        body = {"apiVersion": review.API_VERSION, "kind": review.KIND}
        small = review.read(json.dumps({**body, "request": request}).encode())
        request["padding"] = "x" * MAX_WHOLE_BYTES
        large = review.read(json.dumps({**body, "request": request}).encode())
        assert small.object == pod
        assert large.object is not None
        assert of(POD, pod) == of(POD, large.object)


@given(number=st.integers(), zeros=st.integers(0, 80))
def test_integers_are_read_within_64_bits(number: int, zeros: int) -> None:
    sign, digits = ("-" if number < 0 else ""), str(abs(number))
    expected = number if -(2**63) <= number < 2**63 else None
    assert expected == integer(f"{sign}{'0' * zeros}{digits}")


@given(
    keys=st.lists(
        st.sampled_from(("a", "a.b/c", "in", "notin", "x-y")), min_size=1, max_size=4
    ),
    values=st.lists(st.sampled_from(("", "b", "1", "in")), min_size=1, max_size=3),
    space=st.sampled_from(("", " ")),
)
def test_a_selector_that_is_written_is_read_again(
    keys: list[str], values: list[str], space: str
) -> None:
    text = f"{space},{space}".join(f"{key} in ({','.join(values)})" for key in keys)
    wanted = tuple(Requirement(key, "In", tuple(values)) for key in keys)
    assert wanted == parse(text)
