from pathlib import Path
from typing import Any

import pytest

from app.checker import Options
from app.cli.checking import typed
from app.cli.checking.manifests import Manifest
from app.cli.checking.options import What
from app.cli.checking.typed import Given, Wanted
from app.cli.nodes.known import KnownNodes
from app.cli.nodes.options import NodesFrom
from app.compat.features import Features
from app.ports import Snapshot
from app.scheduling.kinds import POD
from app.scheduling.manifest import REQUIRED
from app.scheduling.node import Node
from app.settings.sections import Settings
from tests.tools.doubles import ARM, LINUX

TRUSTED = Settings().model_copy(
    update={
        "cluster": Settings().cluster.model_copy(
            update={"trusted_namespaces": ("nfd", "vendor")}
        )
    }
)


def test_without_settings_the_webhooks_defaults_hold() -> None:
    assert Options() == typed.options(Wanted(), None)


def test_tags_that_are_typed_take_the_place_of_the_settings_tags() -> None:
    wanted = Wanted(what=What(tags=["a,b", "c"]))
    assert ("a", "b", "c") == typed.options(wanted, Settings()).tags


@pytest.mark.parametrize("nodes", [NodesFrom(), NodesFrom(files=["nodes.json"])])
def test_features_count_where_the_settings_say(nodes: NodesFrom) -> None:
    found = typed.nodes_from(nodes, TRUSTED)
    assert ["nfd", "vendor"] == found.nfd_namespaces


@pytest.mark.parametrize(
    "nodes", [NodesFrom(nfd_namespaces=["x"]), NodesFrom(root=Path("/x"))]
)
def test_but_not_against_what_is_typed_and_not_of_this_host(nodes: NodesFrom) -> None:
    assert nodes is typed.nodes_from(nodes, TRUSTED)
    assert nodes is typed.nodes_from(nodes, None)


@pytest.mark.parametrize(
    ("wanted", "is_live", "is_of_cluster"),
    [
        (Wanted(objects=("pod/x",), nodes=NodesFrom(files=["x"])), True, True),
        (Wanted(what=What(every=True), nodes=NodesFrom(files=["x"])), True, True),
        (Wanted(what=What(everywhere=True)), True, True),
        (Wanted(), False, True),
        (Wanted(nodes=NodesFrom(files=["x"])), False, False),
    ],
)
def test_when_a_cluster_is_asked(
    wanted: Wanted, *, is_live: bool, is_of_cluster: bool
) -> None:
    assert (is_live, is_of_cluster) == (wanted.is_live, wanted.is_of_cluster)


def test_only_nodes_without_a_platform_are_given_one() -> None:
    nodes = {"a": Node("a", {"x": "y"}), "b": Node("b", ARM)}
    known = KnownNodes(Snapshot(nodes, {"a": Features()}), "here", ("note",))
    placed = typed.placed(known)
    assert {"x": "y", **LINUX} == placed.snapshot.nodes["a"].labels
    assert nodes["b"] is placed.snapshot.nodes["b"]
    assert ({"a": Features()}, "here", ("note",)) == (
        placed.snapshot.features,
        placed.origin,
        placed.notes,
    )


def pod(image: str = "app", **spec: object) -> Manifest:
    containers = [{"name": "c", "image": image}]
    return Manifest(POD, "", "p", "", {"spec": {"containers": containers, **spec}})


ARCH = {"key": "kubernetes.io/arch", "operator": "In", "values": ["arm64"]}


def required(key: str) -> dict[str, Any]:
    terms = [{"matchExpressions": [{**ARCH, "key": key}]}]
    wanted = {REQUIRED: {"nodeSelectorTerms": terms}}
    return {"affinity": {"nodeAffinity": wanted}}


def test_without_a_spec_that_is_given_platforms_count() -> None:
    given = Given({}, None, ())
    assert not typed.holds_everywhere(given, [])


@pytest.mark.parametrize(
    ("manifest", "holds"),
    [
        pytest.param(pod(), True, id="nothing asked"),
        pytest.param(pod("docker.io/library/app:latest"), True, id="as the kubelet"),
        pytest.param(pod("other"), False, id="another image"),
        pytest.param(pod(nodeSelector={"pool": "x"}), True, id="another label"),
        pytest.param(pod(nodeSelector={"kubernetes.io/os": "linux"}), False, id="os"),
        pytest.param(pod(os={"name": "linux"}), False, id="the Pod's system"),
        pytest.param(pod(**required("pool")), True, id="another affinity"),
        pytest.param(pod(**required("kubernetes.io/arch")), False, id="an affinity"),
    ],
)
def test_when_a_nodes_platform_changes_nothing(
    manifest: Manifest, *, holds: bool
) -> None:
    given = Given({"app": b""}, None, ())
    assert holds == typed.holds_everywhere(given, [pod(), manifest])
