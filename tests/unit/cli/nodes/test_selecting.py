"""Some of the nodes that are known."""

from __future__ import annotations

import pytest

from app.cli.nodes.known import KnownNodes
from app.cli.nodes.selecting import select
from app.compat.features import Features
from app.errors import ConfigError
from app.ports import Snapshot
from app.scheduling.node import Node

NODES = {
    "a": Node("a", labels={"pool": "gpu"}),
    "b": Node("b", labels={"pool": "web"}),
    "c": Node("c"),
}
KNOWN = KnownNodes(
    Snapshot(NODES, {"a": Features(), "c": Features()}, 4),
    "nodes.json",
    ("a note",),
    frozenset({"b", "c"}),
)


def test_all_are_what_they_were() -> None:
    assert KNOWN is select(KNOWN, names=None, selector=None)
    assert KNOWN is select(KNOWN, names=[], selector=None)


def test_names_choose_each_once() -> None:
    found = select(KNOWN, names=["b", "a", "b"], selector=None)
    assert ["a", "b"] == list(found.snapshot.nodes)
    assert {"a"} == set(found.snapshot.features)
    assert ({"b"}, ("a note",), 4) == (
        set(found.inferred),
        found.notes,
        found.snapshot.generation,
    )


def test_labels_choose() -> None:
    found = select(KNOWN, names=None, selector="pool,pool!=web")
    assert (("a note",), frozenset()) == (found.notes, found.inferred)
    assert {"a"} == set(found.snapshot.nodes)
    assert {"b", "c"} == set(
        select(KNOWN, names=["b", "c"], selector="").snapshot.nodes
    )


def test_names_that_are_not_there_are_named() -> None:
    with pytest.raises(ConfigError) as caught:
        select(KNOWN, names=["z", "a", "y"], selector=None)
    expected = ("NoSuchNode", "nodes.json: no such node: y, z")
    assert expected == (caught.value.reason, caught.value.message)


def test_labels_that_no_node_has_are_named() -> None:
    with pytest.raises(ConfigError) as caught:
        select(KNOWN, names=["c"], selector="pool=gpu")
    assert "no node has the labels 'pool=gpu'" == caught.value.message


def test_what_is_no_selector_is_refused() -> None:
    with pytest.raises(ConfigError, match="no label selector at column 1"):
        select(KNOWN, names=None, selector="=")
