"""What the served webhook knows: the cluster, the specs, and the Pods of the load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Final

from app.compat import matching, parse
from app.compat.features import Features
from app.compat.spec import Spec
from app.demo import images
from app.demo import nodes as demo_nodes
from app.recipes import NAMED
from app.scheduling.node import Node
from bench import objects, pods, registry

SHAPES: Final = 50
MISFITS: Final = 3
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
    names = sorted({*NAMED, "cuda-13.0"})
    return {**{name: images.spec(name) for name in names}, "plain": b""}


def bodies() -> tuple[str, ...]:
    """The load's reviews, one for each shape.

    A Pod of most shapes is meant for one kind of host, and its one or two images
    fit that; those of the last `MISFITS` fit no node that they may run on.
    """
    pools = _pools(SIZES["63 KB"])
    names, nodes = sorted(pools), demo_nodes.nodes(pools)
    parsed = {name: parse.read(text) for name, text in specs().items() if text}
    made: list[str] = []
    for number in range(SHAPES):
        pool, other = names[number % POOLS], names[(number * 5 + 1) % POOLS]
        fitting = [name for name, one in parsed.items() if _fits(one, pools[pool])]
        others = [name for name in parsed if name not in fitting]
        is_misfit = number >= SHAPES - MISFITS
        some = others if is_misfit else [*fitting, "plain"]
        chosen = some[number % len(some)], some[(number // 7) % len(some)]
        taints = [taint.key for taint in nodes[pool].taints]
        how = pods.placed(1 if is_misfit else number, pool, other, taints)
        images = [registry.image(name) for name in chosen]
        made.append(pods.review(pods.pod(images, number=number, **how)))
    return tuple(made)


def _fits(spec: Spec, features: Features) -> bool:
    return any(
        all(rule.is_match for rule in one.rules)
        for one in matching.judge(spec, features)
    )


def feature_bytes(size: str) -> float:
    """What one NodeFeature takes as JSON, on average over the pools."""
    _, features = cluster(POOLS, size=size)
    writer = objects.NodeFeatures(is_managed=SIZES[size].is_managed)
    return sum(len(writer.write(name, one)) for name, one in features.items()) / POOLS
