"""A cluster whose objects come as from watches, without the watches.

It is the store that reflectors fill, `app.kube.snapshot.Store`, told what they would
tell it. What the wire costs is measured in `start` and `memory`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from app.compat.features import Features
from app.kube.features import NodeFeature
from app.kube.snapshot import Store
from app.ports import Namespace, Snapshot
from app.scheduling.node import Node

NAMESPACE: Final = "node-feature-discovery"
_CHANGED: Final = "bench_changed"


class LiveCluster:
    """Implements `ports.Cluster`."""

    def __init__(
        self, nodes: Mapping[str, Node], features: Mapping[str, Features]
    ) -> None:
        self._nodes: Final = dict(nodes)
        self._features: Final = dict(features)
        self._names: Final = sorted(features)
        self._store: Final = Store((NAMESPACE,))
        self._turn = 0
        for _ in self._listed():
            pass

    def snapshot(self) -> Snapshot:
        """The newest view."""
        return self._store.snapshot()

    def stale_seconds(self) -> float:
        """Always 0."""
        return 0.0

    async def namespace(
        self, name: str, *, deadline_seconds: float
    ) -> Namespace | None:
        """Every Namespace exists, and has no label."""
        del deadline_seconds
        return Namespace(name)

    def change(self, count: int) -> None:
        """So many nodes load a kernel module, or unload it: one event each."""
        for _ in range(count):
            name = self._names[self._turn * 7919 % len(self._names)]
            self._turn += 1
            self._features[name] = _toggled(self._features[name])
            self._store.put_feature(self._object(name))

    async def relist(self) -> None:
        """A list of everything: new objects that say the same; as a reflector does.

        The objects are made between the portions, as decoding makes them.
        """
        for _ in self._listed():
            await asyncio.sleep(0)

    def _listed(self) -> Iterator[None]:
        nodes = {
            name: replace(node, labels=dict(node.labels))
            for name, node in self._nodes.items()
        }
        yield from self._store.replace_nodes(nodes)
        made: list[NodeFeature] = []
        for name in self._names:
            made.append(self._object(name))
            yield
        yield from self._store.replace_features(NAMESPACE, made)

    def _object(self, name: str) -> NodeFeature:
        one = self._features[name]
        sets = Features(dict(one.flags), dict(one.attributes), dict(one.instances))
        return NodeFeature(name, NAMESPACE, name, sets)


def _toggled(features: Features) -> Features:
    loaded = features.flags.get("kernel.loadedmodule") or frozenset()
    changed = loaded ^ {_CHANGED}
    return replace(features, flags={**features.flags, "kernel.loadedmodule": changed})
