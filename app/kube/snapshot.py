"""The nodes and what is known of them, and consistent views of both.

Rules:

* NodeFeature objects count only from trusted namespaces; the first is NFD's own.
* Of one node they are merged as nfd-master does: those of NFD's own namespace
  first, then by name, then by namespace (`nfd-master.go`, `mergeNodeFeatures` at
  v0.19.0).
* Nothing is known of a node while the object that nfd-worker itself writes
  (name = node name) is missing, or while one of its objects cannot be read.
* A NodeFeature whose Node does not exist is kept aside until that appears.

The generation grows by one for each call, and each portion of a list, that changes
a view.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, TypeAlias, TypeVar

from app.compat.features import Features, merge
from app.kube.features import NodeFeature
from app.ports import Snapshot
from app.scheduling.node import Node

PORTION: Final = 64
"""Objects of a whole list that are taken in without a pause."""

_T = TypeVar("_T")

_Place: TypeAlias = tuple[str, str]
"""(namespace, name) of a NodeFeature."""


def _portions(many: Iterable[_T]) -> Iterator[list[_T]]:
    left = iter(many)
    while portion := list(islice(left, PORTION)):
        yield portion


class Store:
    """What the watches found; changed by them, read through `snapshot`."""

    def __init__(self, trusted_namespaces: Sequence[str]) -> None:
        self._trusted: Final = frozenset(trusted_namespaces)
        self._own_namespace: Final = trusted_namespaces[0]
        self._nodes: dict[str, Node] = {}
        self._objects: dict[str, dict[_Place, NodeFeature]] = {}
        self._filed: dict[_Place, str] = {}
        self._features: dict[str, Features] = {}
        self._snapshot = Snapshot()
        self._changed: set[str] = set()
        self._generation = 0

    @property
    def objects(self) -> int:
        """How many NodeFeature objects of trusted namespaces there are."""
        return len(self._filed)

    def snapshot(self) -> Snapshot:
        """The newest view; made once a generation, sharing what did not change."""
        if self._snapshot.generation != self._generation:
            last = self._snapshot
            self._snapshot = Snapshot(
                dict(self._nodes) if "nodes" in self._changed else last.nodes,
                dict(self._features) if "features" in self._changed else last.features,
                self._generation,
            )
            self._changed.clear()
        return self._snapshot

    def replace_nodes(self, nodes: Mapping[str, Node]) -> Iterator[None]:
        """These are all the nodes, now; taken in in portions, see `Sink.replace`."""
        for gone in _portions(self._nodes.keys() - nodes.keys()):
            self._count([self._drop_node(name) for name in gone])
            yield
        for portion in _portions(nodes.values()):
            self._count([self._set_node(node) for node in portion])
            yield

    def put_node(self, node: Node) -> None:
        """This node is new or has changed."""
        self._count([self._set_node(node)])

    def remove_node(self, name: str) -> None:
        """This node is gone; its NodeFeatures are kept aside."""
        self._count([self._drop_node(name)])

    def replace_features(
        self, namespace: str, objects: Iterable[NodeFeature]
    ) -> Iterator[None]:
        """These are all the NodeFeatures of `namespace`, now; in portions, too."""
        found = {(one.namespace, one.name): one for one in objects}
        gone = [
            place
            for place in self._filed
            if place[0] == namespace and place not in found
        ]
        for places in _portions(gone):
            # One that is gone by now was unfiled with its node's other objects.
            touched = {self._unfile(place) for place in places if place in self._filed}
            self._count([self._judge(name) for name in touched])
            yield
        for portion in _portions(found.values()):
            touched = set().union(*map(self._file, portion))
            self._count([self._judge(name) for name in touched])
            yield

    def put_feature(self, one: NodeFeature) -> None:
        """This NodeFeature is new or has changed."""
        self._count([self._judge(name) for name in self._file(one)])

    def remove_feature(self, namespace: str, name: str) -> None:
        """This NodeFeature is gone."""
        if (namespace, name) in self._filed:
            self._count([self._judge(self._unfile((namespace, name)))])

    def _count(self, changed: Iterable[bool]) -> None:
        if any(changed):
            self._generation += 1

    def _set_node(self, node: Node) -> bool:
        if self._nodes.get(node.name) == node:
            return False
        self._nodes[node.name] = node
        self._changed.add("nodes")
        self._judge(node.name)
        return True

    def _drop_node(self, name: str) -> bool:
        if self._nodes.pop(name, None) is None:
            return False
        self._changed.add("nodes")
        self._judge(name)
        return True

    def _file(self, one: NodeFeature) -> set[str]:
        """Puts an object with its node; the nodes whose view that may change."""
        place = (one.namespace, one.name)
        if one.namespace not in self._trusted:
            return set()
        if not one.node:
            return {self._unfile(place)} if place in self._filed else set()
        if self._objects.get(one.node, {}).get(place) == one:
            # Equal, but only the new one keeps its sets shared.
            self._objects[one.node][place] = one
            return set()
        touched = {one.node}
        if place in self._filed:
            touched.add(self._unfile(place))
        self._filed[place] = one.node
        self._objects.setdefault(one.node, {})[place] = one
        return touched

    def _unfile(self, place: _Place) -> str:
        """Takes an object away; the node that it was filed with."""
        node = self._filed.pop(place)
        objects = self._objects[node]
        del objects[place]
        if not objects:
            del self._objects[node]
        return node

    def _judge(self, name: str) -> bool:
        """Looks at one node again; whether what is known of it has changed."""
        known = self._merged(name) if name in self._nodes else None
        if self._features.get(name) == known:
            return False
        self._changed.add("features")
        if known is None:
            del self._features[name]
        else:
            self._features[name] = known
        return True

    def _merged(self, name: str) -> Features | None:
        objects = self._objects.get(name, {})
        if not any(one.name == name for one in objects.values()):
            return None
        readable: list[Features] = []
        for one in sorted(objects.values(), key=self._rank):
            if one.features is None:
                return None
            readable.append(one.features)
        return readable[0] if len(readable) == 1 else merge(readable)

    def _rank(self, one: NodeFeature) -> tuple[bool, str, str]:
        return one.namespace != self._own_namespace, one.name, one.namespace
