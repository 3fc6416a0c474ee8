"""What a law cannot say: where the index does less, and what never happens to it."""

from __future__ import annotations

import pytest

from app.bits import numbers
from app.scheduling.candidates import Options
from app.scheduling.filters import CandidateBits, Filters
from app.scheduling.node import Node, Taint
from app.scheduling.placement import NodeTerm, Placement
from app.scheduling.postings import Postings
from app.scheduling.selector import Requirement
from app.scheduling.taints import Toleration

CLUSTER = (
    Node("free", {"n": "1", "kubernetes.io/os": "linux"}),
    Node("cordoned", {"n": "2"}, unschedulable=True),
    Node("gpu", {"n": "x"}, (Taint("gpu", "a", "NoSchedule"),)),
    Node("other", {}, (Taint("gpu", "b", "NoExecute"),)),
    Node("starting", {}, (Taint("startup-taint.x", "", "NoExecute"),)),
    Node("virtual", {"type": "virtual-kubelet"}),
    Node("windows", {"kubernetes.io/os": "windows"}),
)


def find(
    placement: Placement, options: Options | None = None, *, is_running: bool = False
) -> CandidateBits:
    postings = Postings()
    postings.change({number: (None, node) for number, node in enumerate(CLUSTER)})
    filters = Filters(postings, {node.name: n for n, node in enumerate(CLUSTER)})
    return filters.find(placement, options or Options(), is_running=is_running)


def eventual(placement: Placement) -> list[str]:
    return [CLUSTER[number].name for number in numbers(find(placement).eventual)]


def affine(*terms: NodeTerm) -> Placement:
    return Placement(required_terms=terms)


def names(operator: str, *values: str) -> NodeTerm:
    return NodeTerm((), (Requirement("metadata.name", operator, values),))


def both(first: str, second: str, value: str) -> NodeTerm:
    fields = [Requirement("metadata.name", each, (value,)) for each in (first, second)]
    return NodeTerm((), tuple(fields))


def labels(key: str, operator: str, *values: str) -> NodeTerm:
    return NodeTerm((Requirement(key, operator, values),))


TWO_NAMES = NodeTerm(
    (), (*names("In", "free").match_fields, *names("In", "windows").match_fields)
)
ALL = ["free", "cordoned", "starting", "windows"]


def test_both_views_and_both_counts() -> None:
    assert CandidateBits(
        eventual=0b101_0011,
        now=0b100_0001,
        excluded={"Ignored": 1, "TaintToleration": 2},
        waiting={"NodeUnschedulable": 1, "TaintToleration": 1},
    ) == find(Placement())


@pytest.mark.parametrize(
    ("expected", "placement"),
    [
        pytest.param(ALL, Placement(), id="nothing asked"),
        pytest.param(
            [*ALL[:2], "gpu", *ALL[2:]],
            Placement(tolerations=(Toleration("gpu", "Equal", "a"),)),
            id="one value tolerated",
        ),
        pytest.param(
            [*ALL[:2], "gpu", "other", *ALL[2:]],
            Placement(tolerations=(Toleration("gpu", "Exists"),)),
            id="every value tolerated",
        ),
        pytest.param(
            ALL,
            Placement(tolerations=(Toleration("gpu", "Equal", "c"),)),
            id="another value tolerated",
        ),
        pytest.param(
            ALL,
            Placement(tolerations=(Toleration("gpu", "Equal", ""),)),
            id="the empty value tolerated",
        ),
        pytest.param([], affine(both("In", "NotIn", "free")), id="name in and not in"),
        pytest.param(["free"], affine(both("In", "In", "free")), id="name in twice"),
        pytest.param([], affine(TWO_NAMES), id="one name and another"),
        pytest.param(["free"], Placement(node_selector=(("n", "1"),)), id="selector"),
        pytest.param([], Placement(node_selector=(("z", ""),)), id="no such label"),
        pytest.param([], affine(), id="no term"),
        pytest.param([], affine(NodeTerm()), id="empty term"),
        pytest.param(["free"], affine(names("In", "free")), id="name in"),
        pytest.param([], affine(names("In", "free", "gpu")), id="two names"),
        pytest.param(ALL[1:], affine(names("NotIn", "free")), id="name not in"),
        pytest.param(ALL, affine(names("NotIn", "x"), names("In", "free")), id="all"),
        pytest.param(["free"], affine(labels("n", "Lt", "2")), id="less"),
        pytest.param(["cordoned"], affine(labels("n", "Gt", "1")), id="greater"),
        pytest.param([], affine(labels("n", "Gt", "x")), id="invalid"),
        pytest.param(ALL[:2], affine(labels("n", "Exists")), id="exists"),
        pytest.param(ALL[2:], affine(labels("n", "DoesNotExist")), id="absent"),
        pytest.param(ALL[1:], affine(labels("n", "NotIn", "1", "9")), id="not in"),
        pytest.param(["free"], affine(labels("n", "In", "1", "9")), id="in"),
        pytest.param(ALL[:3], Placement(os="linux"), id="labelled or unlabelled"),
        pytest.param(ALL[1:3], Placement(os="darwin"), id="unlabelled alone"),
    ],
)
def test_candidates_of(expected: list[str], placement: Placement) -> None:
    assert expected == eventual(placement)


def test_a_pod_on_its_node_is_asked_for_nothing_but_the_name() -> None:
    placed = Placement(node_name="other", node_selector=(("n", "1"),))
    running = find(placed, is_running=True)
    assert [3] == numbers(running.eventual) == numbers(running.now)
    assert 0 == find(placed).eventual


def test_a_named_node_that_does_not_exist_leaves_none() -> None:
    assert {"Ignored": 1, "NodeName": 6} == find(Placement(node_name="x")).excluded


def test_taints_do_not_filter_for_another_scheduler() -> None:
    found = find(Placement(scheduler_name="other"))
    assert [0, 1, 2, 3, 4, 6] == numbers(found.now)


@pytest.mark.parametrize(
    "ignore",
    [
        pytest.param((), id="nothing"),
        pytest.param((Requirement("n", "Near"),), id="an invalid requirement"),
    ],
)
def test_no_node_is_ignored_for(ignore: tuple[Requirement, ...]) -> None:
    assert "Ignored" not in find(Placement(), Options(ignore=ignore)).excluded


def test_what_is_too_large_is_left_out_and_said() -> None:
    terms = (NodeTerm((Requirement("n", "In", ("1",)),) * 999),)
    found = find(Placement(required_terms=terms))
    assert ("NodeAffinity",) == found.left_out
    assert find(Placement()).eventual == found.eventual
    running = Placement("free", required_terms=terms)
    assert () == find(running, is_running=True).left_out


def test_a_field_that_no_node_has_reads_as_empty() -> None:
    def field(operator: str, value: str) -> NodeTerm:
        return NodeTerm((), (Requirement("metadata.x", operator, (value,)),))

    assert ALL == eventual(affine(field("In", "")))
    assert [] == eventual(affine(field("NotIn", "")))
