"""Nodes without names."""

from __future__ import annotations

import json
import re

import pytest

from app.cli.nodes import document
from app.cli.nodes.anonymous import anonymize
from app.compat import matching, outcome, parse
from app.compat.features import Features
from app.demo import nodes as hosts
from app.ports import Snapshot
from app.recipes import RECIPES
from app.scheduling.node import Node, Taint


def one(features: Features, node: Node | None = None) -> tuple[Node, Features]:
    """A node without names, and its features."""
    node = node or Node("secret-1.acme.internal")
    snapshot = anonymize(Snapshot({node.name: node}, {node.name: features}, 1))
    return snapshot.nodes["node-1"], snapshot.features["node-1"]


def attributes(feature: str, **elements: str) -> dict[str, str]:
    """What becomes of an attribute feature, whatever it is called then."""
    _, found = one(Features(attributes={feature: elements}))
    (changed,) = found.attributes.values()
    assert changed is not None
    return dict(changed)


def test_every_recipe_answers_the_same_on_every_host() -> None:
    known = hosts.recorded()
    before = Snapshot({name: Node(name) for name in known}, known, 1)
    after = anonymize(before)
    names = dict(zip(sorted(known), after.nodes, strict=True))
    assert 15 == len(names)
    for recipe in RECIPES:
        spec = parse.read(recipe.content)
        for old, new in names.items():
            verdicts = [
                outcome.decide(matching.judge(spec, features)).score
                for features in (known[old], after.features[new])
            ]
            rules = [
                [
                    (rule.is_match, rule.error)
                    for each in matching.judge(spec, features)
                    for rule in each.rules
                ]
                for features in (known[old], after.features[new])
            ]
            assert (verdicts[0], rules[0]) == (verdicts[1], rules[1]), (
                recipe.name,
                old,
            )


def test_no_name_of_a_host_is_left() -> None:
    known = hosts.recorded()
    nodes = {
        name: Node(
            name,
            labels={
                "kubernetes.io/hostname": name,
                "acme.example/rack": f"{name}-rack",
                "topology.kubernetes.io/zone": "acme-dc-1",
            },
            taints=(Taint("acme.example/team", "acme-ml", "NoSchedule"),),
        )
        for name in known
    }
    text = document.encode(anonymize(Snapshot(nodes, known, 1))).decode()
    for name in [*known, "acme"]:
        assert name not in text
    # Each is in what goes in, so that it could be there.
    whole = document.encode(Snapshot(nodes, known, 1)).decode()
    assert all(name in whole for name in [*known, "acme"])


def test_nodes_are_numbered_in_the_order_of_their_names() -> None:
    nodes = {name: Node(name, unschedulable=name == "b") for name in ("c", "b", "a")}
    found = anonymize(Snapshot(nodes, {"c": Features()}, 5))
    assert ["node-1", "node-2", "node-3"] == list(found.nodes)
    assert [False, True, False] == [one.unschedulable for one in found.nodes.values()]
    assert ({"node-3"}, 5) == (set(found.features), found.generation)


def test_labels_keep_what_platforms_and_vendors_say() -> None:
    labels = {
        "kubernetes.io/arch": "arm64",
        "kubernetes.io/hostname": "secret-1",
        "nvidia.com/gpu.product": "NVIDIA-H100",
        "nvidia.com/gpu.clique": "3f2a.1",
        "topology.kubernetes.io/zone": "acme-1a",
        "node-role.kubernetes.io/worker": "",
        "acme.example/team": "research",
        "acme.example/is-new": "true",
    }
    node, _ = one(Features(), Node("secret-1.acme.internal", labels=labels))
    assert {
        "key-1": "true",
        "key-2": "value-1",
        "kubernetes.io/arch": "arm64",
        "kubernetes.io/hostname": "node-1",
        "node-role.kubernetes.io/worker": "",
        "nvidia.com/gpu.clique": "value-2",
        "nvidia.com/gpu.product": "NVIDIA-H100",
        "topology.kubernetes.io/zone": "value-3",
    } == node.labels


def test_taints_keep_their_effect_and_what_is_equal_stays_equal() -> None:
    labels = {"acme.example/team": "ml"}
    taints = (
        Taint("acme.example/team", "ml", "NoSchedule"),
        Taint("nvidia.com/gpu", "present", "NoExecute"),
    )
    node, _ = one(Features(), Node("secret-1", labels=labels, taints=taints))
    assert (
        {"key-1": "value-1"},
        (
            Taint("key-1", "value-1", "NoSchedule"),
            Taint("nvidia.com/gpu", "value-2", "NoExecute"),
        ),
    ) == (node.labels, node.taints)


def test_a_name_is_found_inside_what_is_kept() -> None:
    found = attributes("kernel.version", full="6.1.0-secret-1")
    assert {"full": "6.1.0-node-1"} == found
    found = attributes("system.osrelease", PRETTY_NAME="Linux on SECRET-1, Debian")
    assert {"PRETTY_NAME": "Linux on node-1, Debian"} == found
    found = attributes("system.name", nodename="Secret-1.acme.internal")
    assert {"nodename": "node-1"} == found


def test_the_whole_of_a_name_is_found_and_not_only_its_first_part() -> None:
    found = attributes("kernel.version", full="6.1.0-secret-1.acme.internal")
    assert {"full": "6.1.0-node-1"} == found


@pytest.mark.parametrize("module", ["vx-1", "x-12", "x-1a"])
def test_a_name_is_not_found_inside_a_word(module: str) -> None:
    features = Features(flags={"kernel.loadedmodule": frozenset([module])})
    _, found = one(features, Node("x-1"))
    assert {"kernel.loadedmodule": frozenset([module])} == found.flags


def test_a_name_is_found_as_modules_write_it() -> None:
    features = Features(flags={"kernel.loadedmodule": frozenset(["SECRET_1_x"])})
    _, found = one(features, Node("secret-1"))
    assert {"kernel.loadedmodule": frozenset(["node-1_x"])} == found.flags


def test_a_node_called_like_a_word_is_not_looked_for_inside() -> None:
    features = Features(attributes={"system.osrelease": {"ID": "ubuntu"}})
    _, found = one(features, Node("ubuntu"))
    assert {"ID": "ubuntu"} == found.attributes["system.osrelease"]


@pytest.mark.parametrize(
    ("feature", "name", "value", "kept"),
    [
        pytest.param("cpu.model", "vendor_id", "Intel", True, id="cpu"),
        pytest.param("memory.numa", "node_count", "2", True, id="memory"),
        pytest.param("kernel.version", "full", "6.1-x", True, id="kernel"),
        pytest.param("kernel.config", "VFIO", "m", True, id="module"),
        pytest.param("kernel.config", "HZ", "-1000", True, id="number"),
        pytest.param("kernel.config", "BASE", "0xffFF", True, id="hex"),
        pytest.param("kernel.config", "LSM", "yama,bpf", True, id="option"),
        pytest.param("kernel.config", "LOCALVERSION", "-acme", False, id="local"),
        pytest.param("system.osrelease", "VERSION_ID", "22.04", True, id="version"),
        pytest.param("system.osrelease", "IMAGE_ID", "acme-7", False, id="image"),
        pytest.param("system.dmiid", "sys_vendor", "Dell Inc.", True, id="vendor"),
        pytest.param("system.dmiid", "board_asset_tag", "A-1", False, id="asset"),
        pytest.param("system.dmiid", "product_serial", "S-1", False, id="serial"),
        pytest.param("kernel.config", "ACME", "990021", False, id="odd number"),
        pytest.param("system.dmiid", "product_serial", "482133", False, id="digits"),
        pytest.param("system.dmiid", "sys_vendor", "Acme", False, id="own vendor"),
        pytest.param("local.label", "nvidia.com/gpu.family", "hopper", True, id="gpu"),
        pytest.param("local.label", "nvidia.com/gpu.clique", "c.1", False, id="clique"),
        pytest.param("local.feature", "nvidia.com/gpu.count", "8", True, id="count"),
    ],
)
def test_fields_are_kept_or_replaced(
    feature: str, name: str, value: str, *, kept: bool
) -> None:
    found = attributes(feature, **{name: value})
    assert {name: value if kept else "value-1"} == found


def test_local_features_of_nobody_we_know_lose_key_and_value() -> None:
    found = attributes("local.label", **{"acme.example/rack": "r7", "plain": "true"})
    assert {"key-1": "value-1", "key-2": "true"} == found


def test_features_of_nobody_we_know_lose_their_name() -> None:
    features = Features(
        flags={"acme.flags": frozenset(["secret", "5"])},
        attributes={"acme.box": {"rack": "r7", "slot": "12"}},
        instances={"acme.card": ({"id": "x"},)},
    )
    _, found = one(features)
    assert (
        Features(
            flags={"feature-1": frozenset(["value-1", "value-2"])},
            attributes={"feature-2": {"value-3": "value-4", "value-5": "value-6"}},
            instances={"feature-3": ({"value-7": "value-8"},)},
        )
        == found
    )


@pytest.mark.parametrize(
    ("feature", "before", "after"),
    [
        pytest.param(
            "usb.device",
            {"class": "09", "vendor": "1d6b", "serial": "0815"},
            {"class": "09", "vendor": "1d6b", "serial": "serial-1"},
            id="usb",
        ),
        pytest.param(
            "network.device",
            {"name": "enp65s0f0np0", "speed": "-1", "address": "00:11"},
            {"name": "enp65s0f0np0", "speed": "-1", "address": "value-1"},
            id="an address",
        ),
        pytest.param(
            "network.device",
            {"name": "enx001122334455"},
            {"name": "device-1"},
            id="a name with an address",
        ),
        pytest.param(
            "network.virtual", {"name": "acme0"}, {"name": "device-1"}, id="own name"
        ),
        pytest.param(
            "network.virtual", {"name": "eth0-acme"}, {"name": "device-1"}, id="own end"
        ),
        pytest.param("network.virtual", {"name": "lo"}, {"name": "lo"}, id="loopback"),
        pytest.param(
            "storage.block",
            {"name": "nvme0n1", "rotational": "0"},
            {"name": "nvme0n1", "rotational": "0"},
            id="disk",
        ),
        pytest.param(
            "pci.device",
            {"class": "0300", "vendor": "10de"},
            {"class": "0300", "vendor": "10de"},
            id="pci",
        ),
    ],
)
def test_devices_lose_what_is_theirs_alone(
    feature: str, before: dict[str, str], after: dict[str, str]
) -> None:
    _, found = one(Features(instances={feature: (before,)}))
    assert (after,) == found.instances[feature]


def test_flags_are_names_of_modules_or_keys() -> None:
    features = Features(
        flags={
            "kernel.loadedmodule": frozenset(["vfio_pci", "secret-1"]),
            "cpu.cpuid": frozenset(["AVX"]),
            "local.label": frozenset(["acme.example/x", "nvidia.com/gpu.present"]),
            "rule.none": None,
        }
    )
    _, found = one(features, Node("secret-1"))
    assert {
        "kernel.loadedmodule": frozenset(["vfio_pci", "node-1"]),
        "cpu.cpuid": frozenset(["AVX"]),
        "local.label": frozenset(["key-1", "nvidia.com/gpu.present"]),
        "feature-1": None,
    } == found.flags


def test_null_stays_null() -> None:
    _, found = one(Features(attributes={"kernel.config": None}))
    assert {"kernel.config": None} == found.attributes


def test_what_was_shared_stays_shared() -> None:
    config = {"HZ": "250", "LOCALVERSION": "-acme"}
    features = {name: Features(attributes={"kernel.config": config}) for name in "ab"}
    found = anonymize(Snapshot({name: Node(name) for name in "ab"}, features, 1))
    a, b = (one.attributes["kernel.config"] for one in found.features.values())
    assert a is b


def test_the_same_twice_is_the_same() -> None:
    known = hosts.recorded()
    snapshot = Snapshot(hosts.nodes(known), known, 1)
    assert document.encode(anonymize(snapshot)) == document.encode(anonymize(snapshot))
    numbers = re.findall(r"serial-(\d+)", json.dumps(str(anonymize(snapshot).features)))
    assert numbers


def test_a_cluster_without_nodes_has_no_names() -> None:
    assert Snapshot() == anonymize(Snapshot())
