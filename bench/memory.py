"""What `imagecompat serve` takes of memory, above one with an empty cluster.

Each in a fresh process, the real command, on an API server in another process
(`bench.apiserver`) that pages or streams as kube-apiserver does. Resident memory is
read when every shape of Pod has been reviewed once, so that indexes and answers are
in it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import apiserver, objects, process, scene
from bench.apiserver import Load
from bench.figure import Figure


@dataclass(frozen=True, slots=True)
class _Case:
    """One cluster and its goal in MiB."""

    name: str
    load: Load
    goal: float


CASES: Final = (
    _Case("memory_5000_nodes", Load(5_000), 100.0),
    _Case("memory_15000_nodes", Load(15_000), 250.0),
    _Case("memory_5000_nodes_380_kb", Load(5_000, "380 KB"), 200.0),
)
IDLE_GOAL: Final = 120.0
_SAMPLE: Final = 400


@dataclass(frozen=True, slots=True)
class _Taken:
    """MiB and seconds of one process."""

    now: float
    peak: float
    ready_seconds: float


async def figures() -> AsyncIterator[Figure]:
    """Idle memory, and what each cluster adds."""
    idle = await _taken(Load(0))
    yield Figure(
        name="memory_idle",
        value=idle.now,
        unit="MiB",
        goal=IDLE_GOAL,
        beside={"peak": idle.peak, "seconds to ready": idle.ready_seconds},
    )
    for case in CASES:
        taken = await _taken(case.load)
        yield Figure(
            name=case.name,
            value=taken.now - idle.now,
            unit="MiB above an idle process",
            goal=case.goal,
            beside={
                "peak above idle": taken.peak - idle.now,
                "seconds to ready": taken.ready_seconds,
                "MB of JSON": _megabytes(case.load),
                "the same objects from json.loads": await _plainly(case.load),
            },
        )


async def _taken(load: Load) -> _Taken:
    bodies = scene.bodies()
    with tempfile.TemporaryDirectory(prefix="imagecompat-bench-") as name:
        folder = Path(name)
        async with (
            apiserver.serving(load, folder) as kubeconfig,
            process.serving(folder, kubeconfig, scene.specs()) as webhook,
        ):
            await webhook.review(bodies)
            now, peak = webhook.memory()
            return _Taken(now, peak, webhook.ready_seconds)


async def _plainly(load: Load) -> float:
    """What the NodeFeatures take as `json.loads` gives them; MiB, from a sample."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bench.memory", load.size),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
    )
    said, _ = await child.communicate()
    return float(said) * load.nodes / _SAMPLE


def _sample(size: str) -> float:
    """What `_SAMPLE` decoded NodeFeatures add to this process; MiB."""
    _, features = scene.cluster(_SAMPLE, size=size)
    writer = objects.NodeFeatures(is_managed=scene.SIZES[size].is_managed)
    lines = [writer.write(name, one) for name, one in features.items()]
    before = process.resident(os.getpid())
    kept = [json.loads(line) for line in lines]
    assert len(kept) == _SAMPLE
    return process.resident(os.getpid()) - before


def _megabytes(load: Load) -> float:
    """What the NodeFeatures of a cluster take on the wire."""
    return load.nodes * scene.feature_bytes(load.size) / 1e6


if __name__ == "__main__":
    print(_sample(sys.argv[1]))
