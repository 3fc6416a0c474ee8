"""Laws of the store: it equals a naive model after any sequence of events."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.compat.features import Features, merge
from app.kube.features import NodeFeature
from app.kube.snapshot import Store
from app.scheduling.node import Node

NODES = st.sampled_from(["n1", "n2", "n3"])
NAMESPACES = st.sampled_from(["nfd", "aaa", "zzz", "untrusted"])
TRUSTED = ["nfd", "zzz", "aaa"]
FEATURES = st.builds(
    lambda flag, value: Features({"f": frozenset({flag})}, {"a": {"x": value}}),
    st.sampled_from("pq"),
    st.sampled_from("01"),
)
OBJECTS = st.builds(
    NodeFeature,
    st.one_of(NODES, st.just("")),
    NAMESPACES,
    st.sampled_from(["n1", "n2", "n3", "extra"]),
    st.one_of(FEATURES, st.none()),
)
NODE_OBJECTS = st.builds(Node, NODES, st.sampled_from([{}, {"a": "b"}]))
EVENTS = st.one_of(
    st.tuples(st.just("put node"), NODE_OBJECTS),
    st.tuples(st.just("remove node"), NODES),
    st.tuples(st.just("list nodes"), st.lists(NODE_OBJECTS, max_size=3)),
    st.tuples(st.just("put"), OBJECTS),
    st.tuples(st.just("remove"), OBJECTS),
    st.tuples(st.just("list"), NAMESPACES, st.lists(OBJECTS, max_size=4)),
)


class Model:
    """The same, written down as the rules say, with no thought of cost."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.objects: dict[tuple[str, str], NodeFeature] = {}

    def features(self) -> dict[str, Features]:
        return {name: known for name in self.nodes if (known := self.known(name))}

    def known(self, name: str) -> Features | None:
        mine = [
            one
            for one in self.objects.values()
            if one.node == name and one.namespace in TRUSTED
        ]
        mine.sort(key=lambda one: (one.namespace != "nfd", one.name, one.namespace))
        found = [one.features for one in mine if one.features is not None]
        if len(found) < len(mine) or all(one.name != name for one in mine):
            return None
        return merge(found)


def apply(event: tuple[object, ...], store: Store, model: Model) -> None:
    match event:
        case ("put node", Node() as node):
            store.put_node(node)
            model.nodes[node.name] = node
        case ("remove node", str() as name):
            store.remove_node(name)
            model.nodes.pop(name, None)
        case ("list nodes", list() as nodes):
            model.nodes = {node.name: node for node in nodes}
            list(store.replace_nodes(model.nodes.copy()))
        case ("put", NodeFeature() as one):
            store.put_feature(one)
            model.objects[one.namespace, one.name] = one
        case ("remove", NodeFeature() as one):
            store.remove_feature(one.namespace, one.name)
            model.objects.pop((one.namespace, one.name), None)
        case ("list", str() as namespace, list() as found):
            found = [one for one in found if one.namespace == namespace]
            list(store.replace_features(namespace, found))
            kept = [one for one in model.objects.values() if one.namespace != namespace]
            model.objects = {(one.namespace, one.name): one for one in kept + found}
        case _:
            raise AssertionError(event)


@given(st.lists(EVENTS, max_size=30))
def test_after_any_events_the_view_is_what_the_rules_say(
    events: list[tuple[object, ...]],
) -> None:
    store, model = Store(TRUSTED), Model()
    for event in events:
        apply(event, store, model)
        assert model.nodes == store.snapshot().nodes
        assert model.features() == store.snapshot().features


@given(st.lists(EVENTS, max_size=30))
def test_the_generation_grows_when_the_view_changes(
    events: list[tuple[object, ...]],
) -> None:
    """By one; with a list, which comes in portions, perhaps by more."""
    store, model = Store(TRUSTED), Model()
    before = store.snapshot()
    nodes, features = dict(before.nodes), dict(before.features)
    for event in events:
        apply(event, store, model)
        after = store.snapshot()
        is_same = (nodes, features) == (after.nodes, after.features)
        grown = after.generation - before.generation
        assert grown >= (not is_same)
        if not str(event[0]).startswith("list"):
            assert grown == (not is_same)
        before, nodes, features = after, dict(after.nodes), dict(after.features)


@given(st.lists(EVENTS, max_size=30), st.lists(EVENTS, max_size=10))
def test_a_view_that_was_taken_never_changes(
    events: list[tuple[object, ...]], later: list[tuple[object, ...]]
) -> None:
    store, model = Store(TRUSTED), Model()
    for event in events:
        apply(event, store, model)
    taken = store.snapshot()
    nodes, features = dict(taken.nodes), dict(taken.features)
    for event in later:
        apply(event, store, model)
        store.snapshot()
    assert (nodes, features) == (taken.nodes, taken.features)
