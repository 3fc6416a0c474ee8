"""Kubernetes objects become our values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.kube import decode
from app.kube.decode import DECODE_ERRORS, Item
from app.ports import Namespace
from app.scheduling.node import Node, Taint


def raw(content: Any) -> bytes:
    return json.dumps(content).encode()


def test_of_a_node_only_what_filters_look_at_is_kept() -> None:
    content = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": "n1",
            "resourceVersion": "7",
            "labels": {"kubernetes.io/os": "linux"},
            "annotations": {"a": "b"},
            "managedFields": [{"fieldsV1": {"f:metadata": {}}}],
        },
        "spec": {
            "podCIDR": "10.0.0.0/24",
            "unschedulable": True,
            "taints": [
                {"key": "gpu", "value": "yes", "effect": "NoSchedule"},
                {
                    "key": "k",
                    "effect": "NoExecute",
                    "timeAdded": "2026-01-01T00:00:00Z",
                },
            ],
        },
        "status": {"images": [{"names": ["x"]}]},
    }
    node = Node(
        "n1",
        labels={"kubernetes.io/os": "linux"},
        taints=(Taint("gpu", "yes", "NoSchedule"), Taint("k", "", "NoExecute")),
        unschedulable=True,
    )
    assert Item("n1", "7", node) == decode.node(raw(content))


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({}, id="empty"),
        pytest.param({"taints": None, "unschedulable": None}, id="null"),
        pytest.param({"taints": [], "unschedulable": False}, id="false"),
    ],
)
def test_a_node_may_have_no_taints(spec: Any) -> None:
    content = {"metadata": {"name": "n1", "labels": None}, "spec": spec}
    assert Item("n1", "", Node("n1")) == decode.node(raw(content))
    assert Item("n1", "", Node("n1")) == decode.node(raw({"metadata": {"name": "n1"}}))


def test_equal_labels_of_two_nodes_are_one_string() -> None:
    one, other = (
        decode.node(raw({"metadata": {"name": name, "labels": {"zone/x": "long-a"}}}))
        for name in ("n1", "n2")
    )
    (key, value), (same_key, same_value) = (
        next(iter(item.value.labels.items())) for item in (one, other)
    )
    assert key is same_key
    assert value is same_value


def test_a_namespace_has_labels() -> None:
    content = {"metadata": {"name": "a", "resourceVersion": "3", "labels": {"k": "v"}}}
    assert Item("a", "3", Namespace("a", {"k": "v"})) == decode.namespace(raw(content))


@pytest.mark.parametrize(
    ("metadata", "answer"),
    [
        pytest.param({"resourceVersion": "5"}, ("5", False), id="plain"),
        pytest.param({}, ("", False), id="no version"),
        pytest.param(
            {
                "resourceVersion": "5",
                "annotations": {"k8s.io/initial-events-end": "true"},
            },
            ("5", True),
            id="ends a list",
        ),
        pytest.param(
            {"annotations": {"k8s.io/initial-events-end": "false"}},
            ("", False),
            id="says that it does not",
        ),
    ],
)
def test_a_bookmark_has_a_version_and_may_end_a_list(
    metadata: Any, answer: tuple[str, bool]
) -> None:
    assert answer == decode.bookmark(raw({"metadata": metadata}))


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b'{"type":"ADDED","object":{"a":{}}}', id="as servers write it"),
        pytest.param(b'{"type": "ADDED", "object": {"a":{}}}', id="with blanks"),
        pytest.param(b'{"object":{"a":{}},"type":"ADDED"}', id="another order"),
        pytest.param(b'{"type":"ADDED","object":{"a":{}},"x":1}', id="more behind it"),
    ],
)
def test_a_line_of_a_watch_has_a_type_and_an_object(line: bytes) -> None:
    kind, content = decode.event(line)
    assert ("ADDED", b'{"a":{}}') == (kind, bytes(content))


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b'{"type":"ADDED"}', id="no object"),
        pytest.param(b'{"type":"ADDED","object":{}', id="no end"),
        pytest.param(b'{"type":1,"object":{}}', id="a type that is no text"),
        pytest.param(b"[]", id="no event"),
    ],
)
def test_a_line_without_both_is_an_error(line: bytes) -> None:
    with pytest.raises(DECODE_ERRORS):
        decode.event(line)


def test_what_stands_behind_an_object_is_a_fault_of_the_object() -> None:
    line = b'{"type":"ADDED","object":{"metadata":{"name":"a"}},"x":{}}'
    _, content = decode.event(line)
    with pytest.raises(DECODE_ERRORS):
        decode.node(content)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{}", id="no metadata"),
        pytest.param(b'{"metadata":{}}', id="no name"),
        pytest.param(b'{"metadata":{"name":1}}', id="a name that is no text"),
        pytest.param(b'{"metadata":{"name":"\xff"}}', id="no UTF-8"),
        pytest.param(b'{"metadata":' * 5000, id="nested too deep"),
    ],
)
def test_an_object_without_readable_metadata_is_an_error(bad: bytes) -> None:
    with pytest.raises(DECODE_ERRORS):
        decode.node(bad)
    with pytest.raises(DECODE_ERRORS):
        decode.namespace(bad)


def test_nodes_with_the_same_taints_share_them() -> None:
    one, other = (
        decode.node(
            json.dumps(
                {
                    "metadata": {"name": name},
                    "spec": {"taints": [{"key": "gpu", "effect": "NoSchedule"}]},
                }
            ).encode()
        ).value
        for name in ("a", "b")
    )
    assert one.taints is other.taints
