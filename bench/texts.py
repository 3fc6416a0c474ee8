"""Denials among many nodes, from the review to the text that kubectl prints.

*First*: the specs are known and judged, but nobody has asked about a Pod with these
candidates yet, so that groups, closest node and words are all made now. *Again*: the
next Pod of the same shape. All of `Checker.validate` is timed; registries answer at
once.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from app.admission.review import Review
from app.checker import Checker
from app.demo import images
from app.telemetry import Metrics
from bench import pods, scene
from bench.figure import Figure, Rows
from bench.live import LiveCluster
from bench.timing import Clock, Times
from tests.tools.doubles import FakeArtifacts, resolved

NODES: Final = 15_000
FIRST_GOAL: Final = 20.0
AGAIN_GOAL: Final = 1.0

SHAPES: Final = {
    "one image": ("rdma-infiniband",),
    "two images": ("cuda-13.0", "realtime-kernel"),
    "every node lacks others": ("modules",),
}
"""Pods that no node can run, by what their images are called."""

_TIMES: Final = 11
_MODULES: Final = 8
_DEADLINE_SECONDS: Final = 60.0


async def figures() -> AsyncIterator[Figure]:
    """The first text, and those after it; the worst of the shapes."""
    nodes, features = scene.cluster(NODES)
    denier = _Denier(Checker(LiveCluster(nodes, features), _artifacts(), Metrics()))
    first: dict[str, Times] = {}
    again: dict[str, Times] = {}
    for shape, asked in SHAPES.items():
        first[shape] = await _first(denier, asked)
        again[shape] = await _again(denier, asked)
    beside = {
        f"{shape}, bytes of text": float(len(denier.texts[asked]))
        for shape, asked in SHAPES.items()
    }
    yield _figure("denial_text_first", first, FIRST_GOAL, beside)
    yield _figure("denial_text_again", again, AGAIN_GOAL, {})


def _artifacts() -> FakeArtifacts:
    found = {
        name: resolved(_modules() if name == "modules" else images.spec(name).decode())
        for asked in SHAPES.values()
        for name in asked
    }
    return FakeArtifacts(images=dict(found))


def _modules() -> str:
    """Of each module some nodes have it; of one, none."""
    names = [*(f"kmod_{number:03d}" for number in range(_MODULES)), "bench_never"]
    rules = "".join(
        f"  - name: {name}\n"
        "    matchFeatures:\n"
        "    - feature: kernel.loadedmodule\n"
        f"      matchExpressions: {{{name}: {{op: Exists}}}}\n"
        for name in names
    )
    return f"version: v1alpha1\ncompatibilities:\n- rules:\n{rules}"


@dataclass(slots=True)
class _Denier:
    """Asks for denials.

    Attributes:
        checker: knows the cluster and the images.
        texts: images -> the last denial.
    """

    checker: Checker
    texts: dict[tuple[str, ...], str] = field(default_factory=dict)

    async def deny(self, asked: tuple[str, ...], made: Review) -> None:
        """One review, which must be denied for what it asks."""
        seconds = _DEADLINE_SECONDS
        said = await self.checker.validate(made, deadline_seconds=seconds)
        if said.allowed or said.code != 403:
            raise RuntimeError(f"not denied: {said}")
        self.texts[asked] = said.message


async def _first(denier: _Denier, asked: tuple[str, ...]) -> Times:
    """Each Pod keeps away from another node, so that candidates are new."""
    clock = Clock()
    await denier.deny(asked, _review(asked, "node-00000"))
    for number in range(1, _TIMES + 1):
        made = _review(asked, f"node-{number * 97:05d}")
        gc.collect()
        await clock.wait(denier.deny(asked, made))
    return clock.times()


async def _again(denier: _Denier, asked: tuple[str, ...]) -> Times:
    clock = Clock()
    await denier.deny(asked, _review(asked, ""))
    gc.collect()
    for _ in range(5 * _TIMES):
        made = _review(asked, "")
        await clock.wait(denier.deny(asked, made))
    return clock.times()


def _review(asked: tuple[str, ...], avoided: str) -> Review:
    """A Pod with these images that tolerates everything and avoids one node."""
    wanted = {"key": "kubernetes.io/hostname", "operator": "NotIn", "values": [avoided]}
    terms = {"nodeSelectorTerms": [{"matchExpressions": [wanted]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": terms}
    pod: Mapping[str, Any] = pods.pod(
        asked,
        tolerations=[{"operator": "Exists"}],
        affinity={"nodeAffinity": required},
    )
    # As it comes from the wire: every string its own.
    read: dict[str, object] = msgspec.json.decode(msgspec.json.encode(pod))
    return Review("uid", "Pod", "pods", "CREATE", namespace="default", object=read)


def _figure(
    name: str,
    times: Mapping[str, Times],
    goal: float,
    more: Mapping[str, float],
) -> Figure:
    worst = max(times, key=lambda shape: times[shape].median)
    shapes = {f"{shape}, milliseconds": 1e3 * t.median for shape, t in times.items()}
    return Figure(
        name=f"{name}_{NODES}",
        value=1e3 * times[worst].median,
        unit="milliseconds",
        goal=goal,
        beside={**times[worst].beside("milliseconds"), **shapes, **more},
        note=f"the worst shape: {worst}",
    )


ROWS: Final[Rows] = {"denial_text": figures}
