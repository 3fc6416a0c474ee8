"""Which NodeFeatures count for a node, and when a view has changed."""

from __future__ import annotations

import pytest

from app.compat.features import Features
from app.kube import snapshot
from app.kube.features import NodeFeature
from app.kube.snapshot import Store
from app.scheduling.node import Node


def says(
    name: str, value: str, *, of: str = "n1", namespace: str = "nfd"
) -> NodeFeature:
    """An object that sets the attribute `a.x` to `value`."""
    return NodeFeature(of, namespace, name, Features(attributes={"a": {"x": value}}))


def value(store: Store, node: str = "n1") -> str | None:
    """What counts for the attribute `a.x`; `None` if nothing is known."""
    features = store.snapshot().features.get(node)
    return None if features is None else (features.attributes["a"] or {})["x"]


@pytest.fixture
def store() -> Store:
    """A store with the node n1; trusts nfd (NFD's own), then aaa."""
    store = Store(["nfd", "aaa"])
    store.put_node(Node("n1"))
    return store


def test_nothing_is_known_without_the_workers_own_object(store: Store) -> None:
    store.put_feature(says("extra", "1"))
    assert value(store) is None
    store.put_feature(says("n1", "0"))
    assert value(store) is not None
    store.remove_feature("nfd", "n1")
    assert value(store) is None


def test_the_workers_own_object_may_be_in_any_trusted_namespace(store: Store) -> None:
    store.put_feature(says("n1", "0", namespace="aaa"))
    assert "0" == value(store)


def test_an_object_called_like_the_node_that_names_another_is_not_its_own(
    store: Store,
) -> None:
    store.put_feature(says("n1", "0", of="n2"))
    assert value(store) is None


def test_objects_of_other_namespaces_do_not_count(store: Store) -> None:
    before = store.snapshot()
    store.put_feature(says("n1", "0", namespace="zzz"))
    store.remove_feature("zzz", "n1")
    assert before is store.snapshot()
    assert 0 == store.objects


@pytest.mark.parametrize(
    ("wins", "objects"),
    [
        pytest.param("b", [("n1", "a", "nfd"), ("z", "b", "nfd")], id="by name"),
        pytest.param("a", [("n1", "a", "nfd"), ("b", "b", "nfd")], id="name before it"),
        pytest.param(
            "b", [("n1", "a", "nfd"), ("b", "b", "aaa")], id="other namespaces last"
        ),
        pytest.param(
            "b", [("n1", "a", "nfd"), ("n1", "b", "aaa")], id="the same name elsewhere"
        ),
        pytest.param(
            "c",
            [("n1", "a", "nfd"), ("z", "b", "bbb"), ("z", "c", "ccc")],
            id="by namespace",
        ),
        pytest.param(
            "b",
            [("n1", "a", "nfd"), ("z", "b", "aaa"), ("y", "c", "bbb")],
            id="by name before namespace",
        ),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_later_objects_win_in_nfd_masters_order(
    wins: str, objects: list[tuple[str, str, str]], order: int
) -> None:
    store = Store(["nfd", "ccc", "bbb", "aaa"])
    store.put_node(Node("n1"))
    for name, text, namespace in objects[::order]:
        store.put_feature(says(name, text, namespace=namespace))
    assert wins == value(store)


@pytest.mark.parametrize(("name", "later"), [("n1", "1"), ("extra", "0")])
def test_one_object_that_cannot_be_read_makes_its_node_unknown(
    store: Store, name: str, later: str
) -> None:
    store.put_feature(says("n1", "0"))
    store.put_feature(NodeFeature("n1", "nfd", name, None))
    assert value(store) is None
    store.put_feature(says(name, "1"))
    assert later == value(store)


def test_objects_are_kept_aside_until_their_node_appears(store: Store) -> None:
    store.put_feature(says("n2", "0", of="n2"))
    assert {} == store.snapshot().features
    store.put_node(Node("n2"))
    assert "0" == value(store, "n2")
    store.remove_node("n2")
    assert {} == store.snapshot().features
    store.put_node(Node("n2"))
    assert "0" == value(store, "n2")


def test_an_object_may_move_to_another_node(store: Store) -> None:
    store.put_node(Node("n2"))
    store.put_feature(says("n2", "0", of="n1"))
    store.put_feature(says("n2", "0", of="n2"))
    assert {"n2"} == store.snapshot().features.keys()
    store.put_feature(says("n2", "0", of=""))
    assert {} == store.snapshot().features
    store.put_feature(says("n2", "0", of=""))
    assert 0 == store.objects


def test_a_list_replaces_what_its_namespace_had_and_nothing_else(store: Store) -> None:
    store.put_node(Node("n2"))
    store.put_feature(says("n1", "0"))
    store.put_feature(says("x", "1", namespace="aaa"))
    list(store.replace_features("nfd", [says("n2", "2", of="n2")]))
    assert {"n2"} == store.snapshot().features.keys()
    store.put_feature(says("n1", "0"))
    assert "1" == value(store)


def test_a_list_of_nodes_replaces_all_of_them(store: Store) -> None:
    store.put_feature(says("n1", "0"))
    list(store.replace_nodes({"n2": Node("n2")}))
    assert {"n2"} == store.snapshot().nodes.keys()
    assert {} == store.snapshot().features


def test_a_view_never_changes(store: Store) -> None:
    before = store.snapshot()
    store.put_node(Node("n2"))
    store.put_feature(says("n1", "0"))
    store.remove_node("n1")
    assert {"n1"} == before.nodes.keys()
    assert {} == before.features


def test_the_generation_grows_by_one_for_each_visible_change(store: Store) -> None:
    generation = store.snapshot().generation
    store.put_feature(says("n1", "0"))
    store.put_node(Node("n2"))
    store.put_node(Node("n2", labels={"a": "b"}))
    list(store.replace_features("nfd", [says("n1", "1"), says("n2", "1", of="n2")]))
    assert generation + 4 == store.snapshot().generation


def test_what_changes_nothing_keeps_the_view(store: Store) -> None:
    store.put_feature(says("n1", "0"))
    before = store.snapshot()
    store.put_node(Node("n1"))
    store.put_feature(says("n1", "0"))
    store.put_feature(says("nobody", "0", of="no-node"))
    store.remove_feature("nfd", "nobody")
    store.remove_feature("nfd", "nobody")
    store.remove_node("nobody")
    list(store.replace_nodes({"n1": Node("n1")}))
    list(store.replace_features("nfd", [says("n1", "0")]))
    assert before is store.snapshot()


def test_a_change_of_one_half_shares_the_other(store: Store) -> None:
    store.put_feature(says("n1", "0"))
    before = store.snapshot()
    store.put_node(Node("n1", unschedulable=True))
    assert before.features is store.snapshot().features
    after = store.snapshot()
    store.put_feature(says("n1", "1"))
    assert after.nodes is store.snapshot().nodes


def test_a_whole_list_is_taken_in_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "PORTION", 2)
    store = Store(["nfd"])
    seen = [
        len(store.snapshot().nodes)
        for _ in store.replace_nodes({name: Node(name) for name in "abcde"})
    ]
    assert [2, 4, 5] == seen
    objects = [says(name, "1", of=name) for name in "abcde"]
    known = [
        len(store.snapshot().features) for _ in store.replace_features("nfd", objects)
    ]
    assert [2, 4, 5] == known
    left = [
        len(store.snapshot().features)
        for _ in store.replace_features("nfd", objects[3:])
    ]
    assert [3, 2, 2] == left
    gone = [len(store.snapshot().nodes) for _ in store.replace_nodes({})]
    assert [3, 1, 0] == gone
