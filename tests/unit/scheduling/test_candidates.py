from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from app.scheduling.candidates import FILTERS, Candidates, Options, find
from app.scheduling.node import Node, Taint
from app.scheduling.placement import LIMITS, Limits, NodeTerm, Placement
from app.scheduling.selector import Requirement
from app.scheduling.taints import TRANSIENT, Toleration

ANYWHERE = Placement()
CORDON_TOLERATED = Toleration("node.kubernetes.io/unschedulable", "Exists")
EVERYTHING_TOLERATED = Toleration(operator="Exists")

FREE = Node("free", {"kubernetes.io/os": "linux"})
CORDONED = Node("cordoned", unschedulable=True)
GPU = Node("gpu", taints=(Taint("gpu", "", "NoSchedule"),))
EVICTING = Node("evicting", taints=(Taint("gpu", "", "NoExecute"),))
SOFT = Node("soft", taints=(Taint("gpu", "", "PreferNoSchedule"),))
STARTING = Node(
    "starting", taints=(Taint("karpenter.sh/unregistered", "", "NoExecute"),)
)
GONE = Node(
    "gone",
    taints=(Taint("node.kubernetes.io/unreachable", "", "NoSchedule"),),
    unschedulable=True,
)
VIRTUAL = Node("virtual", {"type": "virtual-kubelet"})
WINDOWS = Node("windows", {"kubernetes.io/os": "windows"})
ALL = (FREE, CORDONED, GPU, EVICTING, SOFT, STARTING, GONE, VIRTUAL, WINDOWS)


def names(*found: Node) -> list[str]:
    return [node.name for node in found]


def test_the_two_views_differ_by_what_goes_away() -> None:
    assert Candidates(
        eventual=(FREE, CORDONED, SOFT, STARTING, GONE, WINDOWS),
        now=(FREE, SOFT, WINDOWS),
        excluded={"Ignored": (VIRTUAL,), "TaintToleration": (GPU, EVICTING)},
        waiting={
            "NodeUnschedulable": (CORDONED, GONE),
            "TaintToleration": (STARTING,),
        },
    ) == find(ANYWHERE, ALL)


def test_exclusions_are_counted() -> None:
    found = find(ANYWHERE, ALL)
    assert {"Ignored": 1, "TaintToleration": 2} == found.excluded_counts
    assert {"NodeUnschedulable": 2, "TaintToleration": 1} == found.waiting_counts


def test_nodes_may_come_by_name() -> None:
    by_name: Mapping[str, Node] = {node.name: node for node in ALL}
    assert find(ANYWHERE, ALL) == find(ANYWHERE, by_name)


def test_no_nodes_no_candidates() -> None:
    assert Candidates() == find(ANYWHERE, ())


@pytest.mark.parametrize(
    ("expected", "placement"),
    [
        pytest.param(
            [FREE, CORDONED, SOFT, WINDOWS],
            Placement(tolerations=(CORDON_TOLERATED,)),
            id="a-tolerated-cordon",
        ),
        pytest.param(
            [FREE, CORDONED, GPU, EVICTING, SOFT, STARTING, GONE, WINDOWS],
            Placement(tolerations=(EVERYTHING_TOLERATED,)),
            id="everything-tolerated",
        ),
        pytest.param(
            [FREE],
            Placement(node_selector=(("kubernetes.io/os", "linux"),)),
            id="selector",
        ),
        pytest.param(
            [], Placement(node_selector=(("q", ""),)), id="selector-on-missing-label"
        ),
        pytest.param([], Placement(required_terms=()), id="no-terms"),
        pytest.param(
            [FREE],
            Placement(
                required_terms=(
                    NodeTerm(
                        (),
                        (Requirement("metadata.name", "In", ("free",)),),
                    ),
                )
            ),
            id="terms",
        ),
        pytest.param(
            [],
            Placement(
                node_selector=(("kubernetes.io/os", "linux"),),
                required_terms=(
                    NodeTerm((Requirement("kubernetes.io/os", "NotIn", ("linux",)),)),
                ),
            ),
            id="selector-and-terms",
        ),
        pytest.param(
            [FREE, SOFT], Placement(os="linux"), id="an-unlabelled-os-may-be-right"
        ),
    ],
)
def test_now_is_what_the_scheduler_takes(
    expected: list[Node], placement: Placement
) -> None:
    assert names(*expected) == names(*find(placement, ALL).now)


def test_a_node_is_excluded_by_the_first_filter_that_fails() -> None:
    nowhere = Placement(node_selector=(("q", "x"),), os="linux")
    both = replace(VIRTUAL, name="both", taints=GPU.taints)
    assert {
        "Ignored": (VIRTUAL, both),
        "TaintToleration": (GPU,),
        "NodeAffinity": (FREE, WINDOWS),
    } == find(nowhere, (VIRTUAL, both, GPU, FREE, WINDOWS)).excluded


def test_the_kubelet_refuses_another_operating_system() -> None:
    found = find(Placement(os="linux"), (FREE, WINDOWS))
    assert {"PodOSNotSupported": (WINDOWS,)} == found.excluded


@pytest.mark.parametrize(
    ("expected", "node"),
    [
        pytest.param(True, FREE, id="free"),
        pytest.param(True, CORDONED, id="cordon-does-not-count"),
        pytest.param(True, GPU, id="no-schedule-does-not-count"),
        pytest.param(False, EVICTING, id="no-execute-does"),
    ],
)
def test_a_named_node_is_the_only_candidate(expected: bool, node: Node) -> None:
    found = find(Placement(node_name=node.name), ALL)
    assert ((node,) if expected else ()) == found.eventual == found.now


def test_a_named_node_may_be_waited_for() -> None:
    found = find(Placement(node_name="starting"), ALL)
    assert (STARTING,) == found.eventual
    assert {"TaintToleration": (STARTING,)} == found.waiting


def test_the_kubelet_checks_the_affinity_on_a_named_node() -> None:
    placement = Placement(node_name="free", node_selector=(("q", "x"),), os="linux")
    found = find(placement, (FREE, SOFT))
    assert {"NodeAffinity": (FREE,), "NodeName": (SOFT,)} == found.excluded


def test_nothing_but_the_name_counts_where_the_pod_runs() -> None:
    placement = Placement(
        node_name="evicting", node_selector=(("q", "x"),), os="windows"
    )
    found = find(placement, ALL, is_running=True)
    assert (EVICTING,) == found.eventual == found.now
    assert {"Ignored": 1, "NodeName": 7} == found.excluded_counts


def test_a_pod_without_node_does_not_run_yet() -> None:
    assert find(ANYWHERE, ALL) == find(ANYWHERE, ALL, is_running=True)


def test_a_node_that_is_ignored_stays_so_when_named() -> None:
    found = find(Placement(node_name="virtual"), ALL)
    assert () == found.eventual


def test_taints_do_not_filter_for_another_scheduler() -> None:
    found = find(Placement(scheduler_name="mine"), ALL)
    assert {"Ignored": (VIRTUAL,)} == found.excluded
    assert {} == found.waiting


def test_another_scheduler_can_be_declared_alike() -> None:
    options = Options(schedulers=frozenset({"mine"}))
    mine = Placement(scheduler_name="mine")
    assert find(ANYWHERE, ALL) == find(mine, ALL, options=options)
    assert (GPU,) == find(ANYWHERE, (GPU,), options=options).now


@pytest.mark.parametrize(
    ("expected", "ignore"),
    [
        pytest.param([], (), id="nothing"),
        pytest.param(
            [WINDOWS],
            (Requirement("kubernetes.io/os", "In", ("windows",)),),
            id="one-requirement",
        ),
        pytest.param(
            [],
            (
                Requirement("kubernetes.io/os", "In", ("windows",)),
                Requirement("type", "Exists"),
            ),
            id="all-requirements",
        ),
        pytest.param([], (Requirement("type", "Near"),), id="invalid-ignores-nothing"),
    ],
)
def test_nodes_can_be_ignored(
    expected: list[Node], ignore: tuple[Requirement, ...]
) -> None:
    found = find(ANYWHERE, (FREE, VIRTUAL, WINDOWS), options=Options(ignore=ignore))
    assert tuple(expected) == found.excluded.get("Ignored", ())


def test_transient_taints_are_a_setting() -> None:
    options = Options(transient=TRANSIENT.extended(["gpu"]))
    found = find(ANYWHERE, (GPU,), options=options)
    assert (GPU,) == found.eventual
    assert {"TaintToleration": (GPU,)} == found.waiting


def test_an_affinity_that_is_too_large_excludes_no_node() -> None:
    term = NodeTerm((Requirement("q", "Exists"),) * (LIMITS.requirements + 1))
    linux = (("kubernetes.io/os", "linux"),)
    found = find(Placement(node_selector=linux, required_terms=(term,)), ALL)
    assert (("NodeAffinity",), (FREE,)) == (found.left_out, found.eventual)


def test_tolerations_that_are_too_many_leave_taints_and_cordons_out() -> None:
    many = (Toleration("x", "Exists"),) * (LIMITS.tolerations + 1)
    found = find(Placement(tolerations=many), ALL)
    assert ("NodeUnschedulable", "TaintToleration") == found.left_out
    assert {"Ignored": (VIRTUAL,)} == found.excluded
    assert found.eventual == found.now


def test_values_to_compare_are_counted_among_the_nodes() -> None:
    nodes = tuple(Node(f"n{number}", {"n": str(number)}) for number in range(5))
    placement = Placement(required_terms=(NodeTerm((Requirement("n", "Gt", ("3",)),)),))
    at_limit = find(placement, (*nodes, FREE), limits=Limits(compared=5))
    beyond = find(placement, nodes, limits=Limits(compared=4))
    assert ((), nodes[4:]) == (at_limit.left_out, at_limit.eventual)
    assert (("NodeAffinity",), nodes) == (beyond.left_out, beyond.eventual)


def test_nodes_may_share_their_taints() -> None:
    twin = replace(GPU, name="twin")
    assert {"TaintToleration": (GPU, twin)} == find(ANYWHERE, (GPU, twin)).excluded


def test_verdicts_on_taints_are_kept_for_a_bounded_number() -> None:
    many = [
        Node(f"n{number}", taints=(Taint("gpu", str(number), "NoSchedule"),))
        for number in range(5000)
    ]
    one = Placement(tolerations=(Toleration("gpu", "Equal", "4999"),))
    assert (many[-1],) == find(one, many).now


@pytest.mark.parametrize(
    ("expected", "name", "placement", "node"),
    [
        pytest.param(True, "NodeName", ANYWHERE, FREE, id="any-name"),
        pytest.param(False, "NodeName", Placement("n"), FREE, id="other-name"),
        pytest.param(False, "NodeUnschedulable", ANYWHERE, CORDONED, id="cordon"),
        pytest.param(True, "NodeAffinity", ANYWHERE, FREE, id="any-labels"),
        pytest.param(True, "TaintToleration", ANYWHERE, SOFT, id="soft-taint"),
        pytest.param(True, "TaintToleration", ANYWHERE, FREE, id="no-taint"),
        pytest.param(True, "PodOSNotSupported", ANYWHERE, WINDOWS, id="any-os"),
    ],
)
def test_a_filter_can_be_asked_by_itself(
    expected: bool, name: str, placement: Placement, node: Node
) -> None:
    assert expected is FILTERS[name](placement)(node)
