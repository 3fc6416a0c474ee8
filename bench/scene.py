"""What the served webhook knows: the cluster, the specs, and the Pods of the load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from random import Random
from typing import Final

from app.compat.features import Features
from app.demo import nodes as demo_nodes
from app.scheduling.node import Node
from bench import objects, pods, registry

SHAPES: Final = 50
POOLS: Final = 12
_MODULES: Final = [f"kmod_{number:03d}" for number in range(400)]


@dataclass(frozen=True, slots=True)
class Size:
    """How large NodeFeatures are.

    Attributes:
        options: of `kernel.config`.
        modules: of `kernel.enabledmodule`.
        is_managed: whether `managedFields` repeats every key.
    """

    options: int
    modules: int
    is_managed: bool


SIZES: Final = {
    "63 KB": Size(options=1_745, modules=340, is_managed=False),
    "380 KB": Size(options=6_441, modules=600, is_managed=True),
}


def cluster(
    count: int, *, size: str = "63 KB"
) -> tuple[Mapping[str, Node], Mapping[str, Features]]:
    """Nodes and features of *pools*."""
    pools = _pools(SIZES[size])
    known = sorted(pools)
    nodes: dict[str, Node] = {}
    features: dict[str, Features] = {}
    base = demo_nodes.nodes(pools)
    for number in range(count):
        pool, name = known[number % POOLS], f"node-{number:05d}"
        labels = {**base[pool].labels, "kubernetes.io/hostname": name, "pool": pool}
        labels |= {f"feature.node.kubernetes.io/x-{i}": "true" for i in range(60)}
        nodes[name] = Node(name, labels, base[pool].taints)
        loaded = frozenset(Random(number).sample(_MODULES, 150))
        one = pools[pool]
        features[name] = Features(
            {**one.flags, "kernel.loadedmodule": loaded},
            {**one.attributes, "system.name": {"nodename": name}},
            one.instances,
        )
    return nodes, features


def _pools(size: Size) -> dict[str, Features]:
    found: dict[str, Features] = {}
    for pool, one in sorted(demo_nodes.recorded().items())[:POOLS]:
        seed = len(found)
        config = dict(one.attributes.get("kernel.config") or {})
        for i in range(size.options - len(config)):
            config[f"SUBSYS_{i % 90:02d}_OPTION_{i:04d}"] = "ymm"[(i * seed) % 3]
        modules = frozenset(f"kmod_{i:03d}" for i in range(size.modules))
        enabled = (one.flags.get("kernel.enabledmodule") or frozenset()) | modules
        found[pool] = Features(
            {**one.flags, "kernel.enabledmodule": enabled},
            {**one.attributes, "kernel.config": config},
            one.instances,
        )
    return found


@cache
def specs() -> dict[str, bytes]:
    """Name -> spec, as `bench.registry` wants them."""
    folder = resources.files("app.demo") / "data" / "specs"
    found = {
        entry.name.removesuffix(".yaml"): entry.read_bytes()
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
    }
    return {**found, "plain": b""}


def bodies(nodes: Mapping[str, Node]) -> tuple[str, ...]:
    """The load's reviews, one for each shape."""
    images = [registry.image(name) for name in specs()]
    return tuple(pods.shapes(nodes, images, SHAPES))


def feature_bytes(size: str) -> float:
    """What one NodeFeature takes as JSON, on average over the pools."""
    _, features = cluster(POOLS, size=size)
    writer = objects.NodeFeatures(is_managed=SIZES[size].is_managed)
    return sum(len(writer.write(name, one)) for name, one in features.items()) / POOLS
