"""`check` of many manifests on many nodes, in one process: from text to report.

The nodes are *pools* (`scene.py`), as if they had been exported. Manifests are 50
shapes of Deployments as helm prints them, each with images of its own, whose specs
are the recipes; all in one stream. Timed are reading the stream, taking the nodes
in, every verdict with its table, and printing.

That nothing is done for each pair is told by two ratios: ten times the nodes, and a
hundred times the manifests, must not cost as many times as much.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import yaml

from app.checker import Options
from app.cli.checking import manifests
from app.cli.checking.files import File
from app.cli.checking.images import Images
from app.cli.checking.judging import Asked, Judge
from app.cli.checking.manifests import Found
from app.cli.nodes.known import KnownNodes
from app.cli.reports import formats
from app.cli.reports.formats import ReportFormat
from app.cli.reports.report import Report, Verdict, Workload
from app.ports import Snapshot
from bench import scene
from bench.figure import Figure, Rows

NODES: Final = 5_000
MANIFESTS: Final = 1_000
FEW_NODES: Final = 500
FEW_MANIFESTS: Final = 10
NODES_GOAL: Final = 5.0
"""Judging on ten times the nodes: taking them in is all that grows with them."""

_TURNS: Final = 3


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of one run, by what they were spent on."""

    reading: float
    judging: float
    printing: float
    printing_json: float

    @property
    def whole(self) -> float:
        """From text to a table."""
        return self.reading + self.judging + self.printing


def figures() -> Iterator[Figure]:
    """The whole, and how it grows."""
    many, few = _known(NODES), _known(FEW_NODES)
    text, specs = _stream(MANIFESTS)
    short, _ = _stream(FEW_MANIFESTS)
    runs: dict[str, Callable[[], Took]] = {
        "many": lambda: _run(text, specs, many),
        "few nodes": lambda: _run(text, specs, few),
        "few manifests": lambda: _run(short, specs, many),
    }
    took: dict[str, list[Took]] = {name: [] for name in runs}
    for _ in range(_TURNS):
        for name, run in runs.items():
            gc.collect()
            took[name].append(run())
    found = {
        name: sorted(every, key=lambda one: one.whole)[_TURNS // 2]
        for name, every in took.items()
    }
    whole, slim, brief = (found[name] for name in runs)
    yield Figure(
        name=f"check_{MANIFESTS}_manifests_{NODES}_nodes",
        value=whole.whole,
        unit="seconds",
        beside={
            "reading the manifests, seconds": whole.reading,
            "judging, seconds": whole.judging,
            "printing a table, seconds": whole.printing,
            "printing JSON instead, seconds": whole.printing_json,
            f"with {FEW_MANIFESTS} manifests, seconds": brief.whole,
            f"with {FEW_NODES} nodes, seconds": slim.whole,
        },
    )
    yield Figure(
        name="check_ten_times_the_nodes",
        value=whole.judging / slim.judging,
        unit="times",
        goal=NODES_GOAL,
        beside={"all of it, times": whole.whole / slim.whole},
    )
    yield Figure(
        name="check_one_more_manifest",
        value=1e3 * (whole.whole - brief.whole) / (MANIFESTS - FEW_MANIFESTS),
        unit="milliseconds",
        beside={
            "with few nodes, milliseconds": 1e3 * slim.whole / MANIFESTS,
        },
    )


def _known(count: int) -> KnownNodes:
    nodes, features = scene.cluster(count)
    return KnownNodes(Snapshot(nodes, features), "nodes.json")


def _stream(count: int) -> tuple[bytes, Mapping[str, bytes]]:
    """As many Deployments as helm would print them, and the specs of their images."""
    bodies = [_pod(body) for body in scene.bodies()]
    named = list(scene.specs().values())
    specs: dict[str, bytes] = {}
    documents: list[str] = []
    for number in range(count):
        pod = msgspec.json.decode(msgspec.json.encode(bodies[number % len(bodies)]))
        for place, container in enumerate(pod["spec"]["containers"]):
            image = f"registry.example.com/team-{number}/app-{place}:1"
            # What a shape asks for stays the same, under another name.
            specs[image] = _spec_of(container["image"]) or named[-1]
            container["image"] = image
        deployment = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": f"app-{number}", "namespace": f"team-{number % 40}"},
            "spec": {"template": pod},
        }
        text = yaml.dump(deployment, Dumper=yaml.CSafeDumper)
        documents.append(f"---\n# Source: chart/templates/{number}.yaml\n{text}")
    given = {image: spec for image, spec in specs.items() if spec}
    return "".join(documents).encode(), given


def _pod(body: str) -> dict[str, Any]:
    found = msgspec.json.decode(body)["request"]["object"]
    return {"metadata": found.get("metadata", {}), "spec": found["spec"]}


def _spec_of(image: str) -> bytes | None:
    name = image.rpartition("/")[2].partition(":")[0]
    return scene.specs().get(name)


def _run(text: bytes, specs: Mapping[str, bytes], known: KnownNodes) -> Took:
    started = time.perf_counter()
    found = Found()
    manifests.read(File("<stdin>", text), found)
    asked = [Asked(one) for one in found.manifests]
    read = time.perf_counter()
    workloads: list[Workload] = []
    asyncio.run(_judge(asked, specs, known, workloads))
    report = Report(
        origin=known.origin,
        known_nodes=len(known.snapshot.nodes),
        workloads=tuple(workloads),
    )
    judged = time.perf_counter()
    formats.render(report, ReportFormat.TABLE, width=120)
    printed = time.perf_counter()
    formats.render(report, ReportFormat.JSON)
    ended = time.perf_counter()
    verdicts = {one.verdict for one in report.workloads}
    if len(report.workloads) != len(asked) or Verdict.DOES_NOT_FIT not in verdicts:
        raise RuntimeError(f"{len(report.workloads)} judged: {verdicts}")
    return Took(read - started, judged - read, printed - judged, ended - printed)


async def _judge(
    asked: list[Asked],
    specs: Mapping[str, bytes],
    known: KnownNodes,
    into: list[Workload],
) -> None:
    """Gives nothing back: asyncio prints what a task gives, at its end."""
    judge = Judge(known, Images(None, specs), Options())
    async with judge.running():
        outcome = await judge.all(asked, lambda *_: None)
    into += outcome.workloads


ROWS: Final[Rows] = {"check": figures}
