"""NodeFeature objects, read as NFD reads them, sharing what is equal."""

from __future__ import annotations

import gc
import json
from typing import Any

import pytest

from app.compat.features import Features, from_json
from app.kube.decode import DECODE_ERRORS
from app.kube.features import FeatureSets, NodeFeature
from tests.tools.scripted import node_feature


def raw(content: Any) -> bytes:
    return json.dumps(content).encode()


def read(spec: Any) -> NodeFeature:
    return FeatureSets().decode(raw(node_feature("n1", spec=spec))).value


FULL = {
    "flags": {"cpu.cpuid": {"elements": {"AVX": {}, "AVX2": {}}}},
    "attributes": {"kernel.version": {"elements": {"full": "6.1.0", "major": "6"}}},
    "instances": {
        "pci.device": {
            "elements": [
                {"attributes": {"vendor": "10de"}},
                {"attributes": {"vendor": "8086"}},
            ]
        }
    },
}


def test_all_three_kinds_are_read() -> None:
    features = Features(
        flags={"cpu.cpuid": frozenset({"AVX", "AVX2"})},
        attributes={"kernel.version": {"full": "6.1.0", "major": "6"}},
        instances={"pci.device": ({"vendor": "10de"}, {"vendor": "8086"})},
    )
    assert features == read({"features": FULL, "labels": {"a": "b"}}).features


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(FULL, id="full"),
        pytest.param({}, id="empty"),
        pytest.param({"flags": None, "attributes": None, "instances": None}, id="null"),
        pytest.param(
            {"flags": {"a": None, "b": {}, "c": {"elements": None}}}, id="flags"
        ),
        pytest.param({"flags": {"a": {"elements": {"x": None}}}}, id="null flag"),
        pytest.param(
            {"attributes": {"a": None, "b": {}, "c": {"elements": {}}}}, id="attributes"
        ),
        pytest.param({"attributes": {"a": {"elements": {"x": None}}}}, id="null value"),
        pytest.param(
            {"instances": {"a": None, "b": {}, "c": {"elements": [None, {}]}}},
            id="instances",
        ),
        pytest.param(
            {"instances": {"a": {"elements": [{"attributes": {"x": None}}]}}},
            id="null attribute",
        ),
        pytest.param(
            {"flags": {"a": {"elements": {}}}, "attributes": {"a": {"elements": {}}}},
            id="one name, two kinds",
        ),
        pytest.param({"new": 1, "flags": {"a": {"new": [1]}}}, id="unknown keys"),
    ],
)
def test_null_and_absent_are_read_as_the_core_reads_them(content: Any) -> None:
    assert from_json(content) == read({"features": content}).features


@pytest.mark.parametrize("spec", [{}, {"features": None}, {"features": {}}])
def test_a_node_may_have_no_features(spec: Any) -> None:
    assert Features() == read(spec).features
    assert (
        Features() == FeatureSets().decode(b'{"metadata":{"name":"a"}}').value.features
    )


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param([], id="spec"),
        pytest.param({"features": []}, id="features"),
        pytest.param({"features": {"flags": []}}, id="flags"),
        pytest.param({"features": {"flags": {"a": []}}}, id="flag set"),
        pytest.param({"features": {"flags": {"a": {"elements": ["x"]}}}}, id="a list"),
        pytest.param({"features": {"flags": {"a": {"elements": {"x": 1}}}}}, id="flag"),
        pytest.param(
            {"features": {"attributes": {"a": {"elements": {"x": 1}}}}}, id="value"
        ),
        pytest.param(
            {"features": {"instances": {"a": {"elements": {"x": 1}}}}}, id="instances"
        ),
        pytest.param(
            {"features": {"instances": {"a": {"elements": [{"attributes": []}]}}}},
            id="instance",
        ),
    ],
)
def test_a_spec_of_another_shape_is_an_object_that_cannot_be_read(spec: Any) -> None:
    item = FeatureSets().decode(raw(node_feature("n1", spec=spec)))
    assert not item.is_readable
    assert NodeFeature("n1", "nfd", "n1", None) == item.value


def test_what_is_no_text_or_nested_too_deep_cannot_be_read() -> None:
    whole = raw(node_feature("n1", flags={"a": ["XX"]}))
    assert not FeatureSets().decode(whole.replace(b"XX", b"\xff")).is_readable
    with pytest.raises(DECODE_ERRORS):
        FeatureSets().decode(whole.replace(b'"XX"', b"[" * 5000))


def test_the_label_names_the_node_and_the_object_may_be_called_otherwise() -> None:
    value = FeatureSets().decode(raw(node_feature("extra", of="n7"))).value
    assert ("n7", "nfd", "extra") == (value.node, value.namespace, value.name)


@pytest.mark.parametrize("labels", [None, {}, {"other": "n1"}])
def test_an_object_without_the_label_names_no_node(labels: Any) -> None:
    content = node_feature("n1")
    content["metadata"]["labels"] = labels
    assert "" == FeatureSets().decode(raw(content)).value.node


def test_equal_sets_of_two_nodes_are_one_object() -> None:
    sets = FeatureSets()
    held = [
        sets.decode(raw(node_feature(name, spec={"features": FULL}))).value
        for name in ("n1", "n2")
    ]
    one, other = (value.features or Features() for value in held)
    assert one.flags["cpu.cpuid"] is other.flags["cpu.cpuid"]
    assert one.attributes["kernel.version"] is other.attributes["kernel.version"]
    assert one.instances["pci.device"] is other.instances["pci.device"]


def test_a_set_lives_as_long_as_a_node_has_it() -> None:
    sets = FeatureSets()
    held = [
        sets.decode(raw(node_feature(name, flags={"a": ["x"], "b": [name]}))).value
        for name in ("n1", "n2")
    ]
    assert 3 == len(sets)
    held.pop()
    gc.collect()
    assert 2 == len(sets)
    held.pop()
    gc.collect()
    assert 0 == len(sets)
