"""The document with exported nodes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.cli.nodes import document
from app.cli.nodes.document import Limits
from app.compat.features import Features
from app.demo import nodes as hosts
from app.errors import ConfigError
from app.ports import Snapshot
from app.scheduling.node import Node, Taint

FLAGS = frozenset({"b", "a"})
VERSION = {"minor": "1", "major": "6"}


def snapshot(**features: Features) -> Snapshot:
    """Nodes with these features."""
    return Snapshot({name: Node(name) for name in features}, features, 1)


def test_what_is_written_is_what_is_read() -> None:
    known = hosts.recorded()
    nodes = hosts.nodes(known)
    nodes["full"] = Node(
        "full",
        labels={"a": "b"},
        taints=(Taint("k", "v", "NoSchedule"), Taint("only-a-key")),
        unschedulable=True,
    )
    before = Snapshot(nodes, known, 1)
    after = document.decode(document.encode(before))
    assert dict(sorted(nodes.items())) == after.nodes
    assert known == after.features
    assert "just-joined" not in after.features


def test_the_same_nodes_give_the_same_bytes_whatever_their_order() -> None:
    one = Features(flags={"f": FLAGS}, attributes={"k": {"x": "1", "y": "2"}})
    other = Features(
        attributes={"k": {"y": "2", "x": "1"}}, flags={"f": frozenset(["a", "b"])}
    )
    first = Snapshot(
        {"a": Node("a"), "b": Node("b", labels={"x": "1", "y": "2"})}, {"a": one}, 1
    )
    second = Snapshot(
        {"b": Node("b", labels={"y": "2", "x": "1"}), "a": Node("a")}, {"a": other}, 7
    )
    assert document.encode(first) == document.encode(second)


def test_each_node_and_each_set_has_a_line() -> None:
    both = Features(
        flags={"f": FLAGS},
        attributes={"f": VERSION},
        instances={"f": ({"vendor": "10de", "class": "0300"}, {})},
    )
    expected = """\
{"apiVersion":"imagecompat.dev/v1alpha1","kind":"ExportedNodes","sets":[
{"feature":"f","kind":"attributes","elements":{"major":"6","minor":"1"}},
{"feature":"f","kind":"flags","elements":["a","b"]},
{"feature":"f","kind":"instances","elements":[{"class":"0300","vendor":"10de"},{}]}
],"nodes":[
{"name":"a","features":[0,1,2]},
{"name":"b","features":[0,1,2]}
]}
"""
    assert expected == document.encode(snapshot(b=both, a=both)).decode()


def test_null_is_not_empty_and_unknown_is_not_nothing() -> None:
    before = snapshot(
        null=Features(flags={"f": None}, attributes={"g": None}),
        empty=Features(
            flags={"f": frozenset()}, attributes={"g": {}}, instances={"h": ()}
        ),
        nothing=Features(),
    )
    before = Snapshot({**before.nodes, "unknown": Node("unknown")}, before.features, 1)
    after = document.decode(document.encode(before))
    assert before.features == after.features
    assert {"null", "empty", "nothing", "unknown"} == after.nodes.keys()


def test_a_cluster_without_nodes_is_a_document_too() -> None:
    assert Snapshot({}, {}, 1) == document.decode(document.encode(Snapshot()))


def test_sets_labels_and_taints_are_shared_as_objects() -> None:
    taints = (Taint("k", "v", "NoSchedule"),)
    own = {"overlay": "1"}
    nodes = {name: Node(name, taints=taints) for name in ("a", "b")}
    features = {
        name: Features(
            flags={"cpu.cpuid": frozenset(["AVX"])},
            attributes={"kernel.version": dict(VERSION), "own": {**own, "n": name}},
        )
        for name in nodes
    }
    content = document.encode(Snapshot(nodes, features, 1))
    assert 1 == content.count(b"AVX")
    read = document.decode(content)
    a, b = read.features["a"], read.features["b"]
    assert a.flags["cpu.cpuid"] is b.flags["cpu.cpuid"]
    assert a.attributes["kernel.version"] is b.attributes["kernel.version"]
    assert a.attributes["own"] != b.attributes["own"]
    assert read.nodes["a"].taints is read.nodes["b"].taints


def test_nodes_with_the_same_sets_share_all_of_them() -> None:
    one = Features(flags={"f": FLAGS})
    read = document.decode(
        document.encode(snapshot(a=one, b=Features(flags={"f": FLAGS})))
    )
    assert read.features["a"] is read.features["b"]


def written(**changes: Any) -> bytes:
    """A document with one node and one set, changed."""
    content: dict[str, Any] = {
        "apiVersion": "imagecompat.dev/v1alpha1",
        "kind": "ExportedNodes",
        "sets": [{"feature": "f", "kind": "flags", "elements": ["a"]}],
        "nodes": [{"name": "n", "features": [0]}],
    }
    return json.dumps({**content, **changes}).encode()


def test_what_a_later_version_adds_is_passed_over() -> None:
    node = {"name": "n", "features": [0], "zone": "z"}
    read = document.decode(written(nodes=[node], more=1))
    assert Features(flags={"f": frozenset("a")}) == read.features["n"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param(b"{", "no exported nodes: Input data was truncated", id="cut"),
        pytest.param(b"[" * 100_000, "no exported nodes: ", id="deep"),
        pytest.param(
            written(kind="Pods"),
            "got 'imagecompat.dev/v1alpha1 Pods', expected "
            "imagecompat.dev/v1alpha1 ExportedNodes",
            id="kind",
        ),
        pytest.param(
            written(apiVersion="imagecompat.dev/v2"),
            "got 'imagecompat.dev/v2 ExportedNodes'",
            id="version",
        ),
        pytest.param(written(sets=None), "at `$.sets`", id="no sets"),
        pytest.param(written(nodes=[{"name": 1}]), "at `$.nodes[0].name`", id="name"),
        pytest.param(written(nodes=[{"name": ""}]), "nodes[0]: it has no", id="empty"),
        pytest.param(
            written(nodes=[{"name": "a"}, {"name": "a"}]),
            "nodes[1]: a second 'a'",
            id="twice",
        ),
        pytest.param(
            written(nodes=[{"name": "a", "features": [1]}]),
            "nodes[0]: set 1 of 1",
            id="no such set",
        ),
        pytest.param(
            written(nodes=[{"name": "a", "features": [-1]}]),
            "nodes[0]: set -1 of 1",
            id="from the end",
        ),
        pytest.param(
            written(nodes=[{"name": "a", "features": [0, 0]}]),
            "nodes[0]: two sets are flags of 'f'",
            id="a set twice",
        ),
        pytest.param(
            written(sets=[{"feature": "f", "kind": "labels"}]),
            "Invalid enum value 'labels'",
            id="kind of a set",
        ),
        pytest.param(
            written(sets=[{"feature": "f", "kind": "flags", "elements": {}}]),
            "sets[0].elements: Expected `array | null`",
            id="flags",
        ),
        pytest.param(
            written(
                sets=[{"feature": "f", "kind": "attributes", "elements": {"a": 1}}]
            ),
            "sets[0].elements: Expected `str`, got `int`",
            id="attributes",
        ),
        pytest.param(
            written(sets=[{"feature": "f", "kind": "instances"}]),
            "sets[0].elements: Expected `array`, got `null`",
            id="instances",
        ),
    ],
)
def test_a_document_of_another_shape_is_refused(content: bytes, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        document.decode(content)
    assert "InvalidNodes" == caught.value.reason
    assert text in caught.value.message


@pytest.mark.parametrize(
    ("limits", "text"),
    [
        pytest.param(Limits(nodes=0), "nodes: 1, at most 0 are read", id="nodes"),
        pytest.param(Limits(sets=0), "sets: 1, at most 0 are read", id="sets"),
    ],
)
def test_a_document_has_bounds(limits: Limits, text: str) -> None:
    at_the_edge = Limits(nodes=1, sets=1)
    assert {"n"} == document.decode(written(), limits=at_the_edge).nodes.keys()
    with pytest.raises(ConfigError) as caught:
        document.decode(written(), limits=limits)
    assert f"no exported nodes: {text}" == caught.value.message
