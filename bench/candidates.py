"""Candidates among many nodes, for Pods of several shapes.

Every answer is compared with that of `candidates.find`, which asks each node, and
which is the naive loop beside. Reported is the worst of the shapes.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from msgspec import json, structs

from app.scheduling import candidates
from app.scheduling.candidates import Options
from app.scheduling.index import NodeIndex
from app.scheduling.node import Node, Taint
from app.scheduling.placement import NodeTerm, Placement
from app.scheduling.selector import Requirement
from app.scheduling.taints import Toleration
from bench import scene
from bench.figure import Figure, Rows
from bench.timing import Clock, Times, repeat

NODES: Final = 15_000
_ZONES: Final = 3
_TYPES: Final = 8
_OPTIONS: Final = Options()

ZONE: Final = "topology.kubernetes.io/zone"
TYPE: Final = "node.kubernetes.io/instance-type"
HOSTNAME: Final = "kubernetes.io/hostname"
_DEFAULTS: Final = tuple(
    Toleration(f"node.kubernetes.io/{key}", "Exists", "", "NoExecute")
    for key in ("not-ready", "unreachable")
)
_GPU: Final = Toleration("nvidia.com/gpu", "Exists", "", "NoSchedule")
_LINUX: Final = (("kubernetes.io/os", "linux"),)


def nodes(count: int) -> dict[str, Node]:
    """Nodes with some 65 labels each; every 200th is cordoned, as many not ready."""
    base, _ = scene.cluster(count)
    found: dict[str, Node] = {}
    not_ready = (Taint("node.kubernetes.io/not-ready", "", "NoExecute"),)
    for number, (name, node) in enumerate(base.items()):
        more = {
            ZONE: f"zone-{number % _ZONES}",
            TYPE: f"type-{number % _TYPES}",
            "cpus": str(8 << number % 5),
        }
        found[name] = replace(
            node,
            labels={**node.labels, **more},
            taints=node.taints + (not_ready if number % 200 == 0 else ()),
            unschedulable=number % 200 == 100,
        )
    return found


def shapes() -> Mapping[str, Placement]:
    """What Pods ask for, from nothing to what few write."""
    zones = _term(Requirement(ZONE, "In", ("zone-0", "zone-1")))
    plain = Placement(tolerations=_DEFAULTS)
    return {
        "nothing": plain,
        "operating system": structs.replace(plain, node_selector=_LINUX),
        "pool and its taint": structs.replace(
            plain,
            node_selector=(("pool", "amzn2023-eks-p5"),),
            tolerations=(*_DEFAULTS, _GPU),
        ),
        "zones": structs.replace(plain, node_selector=_LINUX, required_terms=(zones,)),
        "not these types": structs.replace(
            plain,
            required_terms=(
                _term(
                    Requirement(TYPE, "NotIn", ("type-1", "type-2", "type-3")),
                    Requirement("imagecompat.dev/never", "DoesNotExist"),
                    Requirement("cpus", "Gt", ("16",)),
                ),
            ),
        ),
        "one of four alternatives": structs.replace(
            plain,
            required_terms=tuple(
                _term(
                    Requirement(TYPE, "In", (f"type-{each}",)),
                    Requirement(ZONE, "In", (f"zone-{each % _ZONES}",)),
                )
                for each in range(4)
            ),
        ),
        "hosts by name": structs.replace(
            plain,
            required_terms=(
                _term(
                    Requirement(
                        HOSTNAME,
                        "In",
                        tuple(f"node-{each:05d}" for each in range(0, 640, 10)),
                    )
                ),
            ),
        ),
        "daemon set": structs.replace(
            plain,
            required_terms=(
                NodeTerm(
                    match_fields=(Requirement("metadata.name", "In", ("node-00777",)),)
                ),
            ),
            tolerations=(Toleration(operator="Exists"),),
        ),
    }


def _term(*requirements: Requirement) -> NodeTerm:
    return NodeTerm(match_expressions=requirements)


def figures() -> Iterator[Figure]:
    """New shapes, shapes seen before, and the loop over all nodes."""
    known = nodes(NODES)
    index = NodeIndex()
    index.update(known)
    new: dict[str, Times] = {}
    seen: dict[str, Times] = {}
    loop: dict[str, Times] = {}
    for name, placement in shapes().items():
        _compare(index, known, placement)
        new[name] = _new(index, known, placement)
        seen[name] = _seen(index, placement)
        loop[name] = repeat(
            partial(candidates.find, placement, known, options=_OPTIONS), times=5
        )
    yield _figure("candidates_new_shape", new, 200.0, loop)
    yield _figure("candidates_seen_shape", seen, 5.0, {})


def _seen(index: NodeIndex, placement: Placement) -> Times:
    """Asked again, with a Placement that was just read from JSON, as in a review."""
    content = json.encode(placement)
    waiting: list[Placement] = []

    def ask() -> None:
        index.find(waiting.pop(), _OPTIONS)

    clock = Clock()
    gc.collect()
    for _ in range(200):
        waiting += [json.decode(content, type=Placement) for _ in range(20)]
        clock.time(ask, calls=20)
    return clock.times()


def _new(index: NodeIndex, known: Mapping[str, Node], placement: Placement) -> Times:
    """Asked for the first time since a node has changed."""
    clock = Clock()
    names = sorted(known)[1::131]
    gc.collect()
    for turn in range(101):
        node = known[names[turn % len(names)]]
        labels = {**node.labels, "turn": str(turn)}
        index.set(node.name, replace(node, labels=labels))
        clock.time(lambda: index.find(placement, _OPTIONS))
    index.update(known)
    return clock.times()


def _compare(index: NodeIndex, known: Mapping[str, Node], placement: Placement) -> None:
    ours = index.nodes(index.find(placement, _OPTIONS).eventual)
    theirs = candidates.find(placement, known, options=_OPTIONS).eventual
    if {node.name for node in ours} != {node.name for node in theirs}:
        raise RuntimeError(f"the index finds {len(ours)} nodes, not {len(theirs)}")


def _figure(
    name: str, times: Mapping[str, Times], goal: float, loop: Mapping[str, Times]
) -> Figure:
    worst = max(times, key=lambda shape: times[shape].median)
    shown = {
        f"{shape}, microseconds": each.median * 1e6 for shape, each in times.items()
    }
    naive = {
        f"{shape}, loop over all nodes, microseconds": each.median * 1e6
        for shape, each in loop.items()
        if shape == worst
    }
    return Figure(
        name=f"{name}_{NODES}",
        value=times[worst].median * 1e6,
        unit="microseconds",
        goal=goal,
        beside={**times[worst].beside("microseconds"), **naive, **shown},
        note=f"the worst shape: {worst}",
    )


ROWS: Final[Rows] = {"candidates": figures}
"""One row: the figures are of the same index."""
