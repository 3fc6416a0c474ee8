"""What keeps all nodes from being candidates is told in the manifest's own words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from app.checker import Options
from app.checker.judged import Judged
from app.cli.checking import obstacles
from app.cli.checking.images import Images
from app.cli.checking.judging import Asked, Judge
from app.cli.checking.manifests import Manifest
from app.cli.nodes.known import KnownNodes
from app.ports import Snapshot
from app.scheduling.candidates import FILTERS
from app.scheduling.kinds import POD
from app.scheduling.node import Node, Taint
from app.scheduling.placement import IGNORED, NODE_UNSCHEDULABLE
from tests.tools.doubles import LINUX

GPU = Taint("gpu", "a100", "NoSchedule")
DRAINED = Taint("drained", "", "NoExecute")
WAITS = Taint("node.kubernetes.io/not-ready", "", "NoExecute")
NODES = (
    Node("a", {**LINUX, "disk": "ssd", "zone": "x"}),
    Node("b", {**LINUX, "disk": "hdd", "zone": "y"}),
)
TAINTED = (
    Node("a", LINUX, (GPU, WAITS)),
    Node("b", LINUX, (GPU, DRAINED)),
)


def affinity(*terms: Mapping[str, object]) -> dict[str, object]:
    required = {"nodeSelectorTerms": list(terms)}
    return {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}
    }


def wants(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, **({"values": values} if values else {})}


async def told(nodes: tuple[Node, ...], **spec: object) -> tuple[str, ...]:
    known = KnownNodes(Snapshot({node.name: node for node in nodes}), "here")
    judge = Judge(known, Images(None, {}), Options())
    obj = {"spec": {"containers": [{"name": "c", "image": "i"}], **spec}}
    asked = Asked(Manifest(POD, "", "p", "", obj))
    judged = await judge.judge(asked)
    assert isinstance(judged, Judged)
    return judge.workload(asked, judged).obstacles


async def test_labels_that_no_node_has_together_are_each_told_with_how_many() -> None:
    found = await told(NODES, nodeSelector={"disk": "ssd", "zone": "y"})
    assert (
        "nodeSelector disk=ssd (holds on 1 of 2 nodes)",
        "nodeSelector zone=y (holds on 1 of 2 nodes)",
    ) == found


async def test_a_label_that_every_node_has_is_no_obstacle() -> None:
    wanted = {"kubernetes.io/os": "linux", "disk": "nvme"}
    found = await told(NODES, nodeSelector=wanted)
    assert ("nodeSelector disk=nvme (holds on 0 of 2 nodes)",) == found


async def test_terms_of_an_affinity_are_alternatives() -> None:
    terms = (
        {"matchExpressions": [wants("zone", "In", "z", "w"), wants("gpu", "Exists")]},
        {"matchFields": [wants("metadata.name", "In", "c")]},
    )
    (found,) = await told(NODES, affinity=affinity(*terms))
    wanted = "zone In [z, w] and gpu Exists or metadata.name In [c]"
    assert f"node affinity {wanted} (holds on 0 of 2 nodes)" == found


async def test_a_term_that_asks_nothing_holds_nowhere() -> None:
    found = await told(NODES, affinity=affinity({}))
    assert ("node affinity nothing (holds on 0 of 2 nodes)",) == found


async def test_taints_are_told_the_most_frequent_first() -> None:
    """Not those that are tolerated, nor those that go away by themselves."""
    assert (
        "taint gpu=a100:NoSchedule is not tolerated (2 nodes)",
        "taint drained:NoExecute is not tolerated (1 node)",
    ) == await told(TAINTED)
    tolerations = [{"key": "drained", "operator": "Exists"}]
    assert ("taint gpu=a100:NoSchedule is not tolerated (2 nodes)",) == await told(
        TAINTED, tolerations=tolerations
    )


async def test_a_node_that_a_pod_names_may_not_be_there() -> None:
    assert ("nodeName z: there is no such node",) == await told(NODES, nodeName="z")


async def test_of_a_node_that_a_pod_names_only_what_evicts_counts() -> None:
    assert (
        "nodeName b",
        "taint drained:NoExecute is not tolerated (1 node)",
    ) == await told(TAINTED, nodeName="b")


async def test_nodes_that_do_not_count_and_other_systems_are_told() -> None:
    virtual = Node("v", {"type": "virtual-kubelet"})
    assert ("nodes with type In [virtual-kubelet] do not count",) == (
        await told((virtual,))
    )
    assert ("spec.os.name windows",) == await told(NODES, os={"name": "windows"})


async def test_where_a_candidate_is_left_or_no_node_is_there_nothing_is_told() -> None:
    assert () == await told(NODES, nodeSelector={"disk": "ssd"})
    assert () == await told(())


@pytest.mark.parametrize("more", [0, 1])
async def test_obstacles_are_bounded(more: int) -> None:
    wanted = {f"label-{n}": "x" for n in range(obstacles.MAX_OBSTACLES + more)}
    found = await told(NODES, nodeSelector=wanted)
    assert obstacles.MAX_OBSTACLES == len(found)


@pytest.mark.parametrize("more", [0, 1])
async def test_labels_that_are_looked_at_are_bounded(more: int) -> None:
    """The others hold on every node."""
    labels = {f"a{n:03}": "x" for n in range(obstacles.MAX_LABELS - 1 + more)}
    node = Node("n", {**LINUX, **labels})
    found = await told((node,), nodeSelector={**labels, "z": "x"})
    assert 1 - more == len(found)


@pytest.mark.parametrize(
    ("count", "end"),
    [(obstacles.MAX_PARTS, "[v0, v1, v2, v3]"), (5, "[v0, v1, v2, v3, 1 more]")],
)
async def test_values_are_bounded(count: int, end: str) -> None:
    wanted = wants("zone", "In", *(f"v{n}" for n in range(count)))
    found = await told(NODES, affinity=affinity({"matchExpressions": [wanted]}))
    assert (f"node affinity zone In {end} (holds on 0 of 2 nodes)",) == found


async def test_texts_are_cut_and_say_what_no_terminal_obeys() -> None:
    (found,) = await told(NODES, nodeSelector={"\x1b[2J": "x" * 1_000})
    assert found.startswith("nodeSelector \\x1b[2J=xxx")
    assert len(found) < 2 * obstacles.MAX_TEXT


async def test_what_is_said_of_a_placement_is_remembered() -> None:
    known = KnownNodes(Snapshot({node.name: node for node in NODES}), "here")
    judge = Judge(known, Images(None, {}), Options())
    found = []
    for name in ("p", "q"):
        containers = [{"name": "c", "image": "i"}]
        spec = {"containers": containers, "nodeSelector": {"disk": "nvme"}}
        asked = Asked(Manifest(POD, "", name, "", {"spec": spec}))
        judged = await judge.judge(asked)
        assert isinstance(judged, Judged)
        found.append(judge.workload(asked, judged).obstacles)
    assert found[0] is found[1]


def test_every_filter_that_excludes_has_words() -> None:
    """Cordons are set aside: they only make a Pod wait."""
    assert (FILTERS.keys() | {IGNORED}) - {
        NODE_UNSCHEDULABLE
    } == obstacles._TEXTS.keys()
