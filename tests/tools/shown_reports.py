"""Reports as commands make them, for the tests of what is printed of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from app.admission.findings import Answer
from app.cli.reports.report import (
    Cell,
    Change,
    JudgedImage,
    Nearest,
    Reason,
    Report,
    Row,
    Verdict,
    Workload,
)

FITS, DOES_NOT_FIT, UNKNOWN = Verdict.FITS, Verdict.DOES_NOT_FIT, Verdict.UNKNOWN

_LOADED: Final = "kernel.loadedmodule"

NVIDIA: Final = Reason(
    rule="driver",
    what=f"{_LOADED} nvidia",
    want="Exists",
    found="not loaded",
    changeable=True,
    advice="load kernel module nvidia",
)
VFIO: Final = replace(
    NVIDIA,
    rule="vfio",
    what=f"{_LOADED} vfio_pci",
    advice="load kernel module vfio_pci",
)
AVX512: Final = Reason(
    rule="cpu", what="cpu.cpuid AVX512F", want="Exists", found="absent"
)
RELEASE: Final = Reason(
    rule="os",
    what="system.osrelease VERSION_ID",
    want="version >= 24.04",
    found="22.04",
)
UNPUBLISHED: Final = Reason(
    rule="smart-nic",
    what="vendor.firmware version",
    want="version >= 16.35",
    found="",
)


def _no(*reasons: Reason) -> Cell:
    return Cell(verdict=DOES_NOT_FIT, reasons=reasons)


def _yes(chosen: str = "", score: int | None = None) -> Cell:
    return Cell(verdict=FITS, chosen=chosen, score=score)


def _row(*nodes: str, verdict: Verdict, cells: tuple[Cell, ...]) -> Row:
    scores = [one.score for one in cells if one.score is not None]
    score = sum(scores) if scores else None
    return Row(nodes=nodes, verdict=verdict, score=score, cells=cells)


TRAINER: Final = JudgedImage(
    image="registry.example.com/ml/trainer:2.1",
    containers=("trainer", "init"),
    answers={Answer.FOUND: ""},
    digest="sha256:" + "c1" * 32,
    specs=("sha256:3f9a2c01" + "0" * 56,),
)
DPDK: Final = JudgedImage(
    image="registry.example.com/net/dpdk:24.11",
    containers=("dpdk",),
    answers={Answer.FOUND: ""},
    digest="sha256:" + "d2" * 32,
    specs=("sha256:88d1e07b" + "0" * 56,),
)
SIDECAR: Final = JudgedImage(
    image="quay.example.com/mesh/proxy:1.9",
    containers=("proxy",),
    answers={Answer.UNAVAILABLE: "quay.example.com: 503 Service Unavailable"},
)
BUSYBOX: Final = JudgedImage(
    image="busybox:1", containers=("wait",), answers={Answer.MISSING: ""}
)

NEAREST: Final = Nearest(node="gpu-a", reasons=(VFIO,))

DENIAL: Final = """\
[IC101] no node fits all images: 0 of 3 candidate nodes fit (excluded: NodeAffinity 2)
container trainer +1 more: registry.example.com/ml/trainer:2.1, spec 3f9a2c01
container dpdk: registry.example.com/net/dpdk:24.11, spec 88d1e07b
- gpu-a: dpdk: rule "vfio": kernel.loadedmodule vfio_pci: want Exists, found not loaded
closest: gpu-a, 1 change would do: dpdk: kernel.loadedmodule vfio_pci: want Exists
counting the 5 nodes that exist now"""

MISFIT: Final = Workload(
    name="Deployment ml/train",
    place="train.yaml:12",
    verdict=DOES_NOT_FIT,
    action="deny",
    texts=(DENIAL,),
    images=(TRAINER, DPDK),
    candidates=3,
    excluded={"NodeAffinity": 2},
    rows=(
        _row(
            "gpu-a",
            verdict=DOES_NOT_FIT,
            cells=(_yes("preferred", 10), _no(VFIO)),
        ),
        _row("gpu-b", verdict=DOES_NOT_FIT, cells=(_no(NVIDIA), _yes("#2", 1))),
        _row("cpu-c", verdict=DOES_NOT_FIT, cells=(_no(AVX512), _no(VFIO))),
    ),
    nearest=NEAREST,
)
"""One that fits nowhere: the draft of a developer's day."""

FITTING: Final = Workload(
    name="Deployment web/shop",
    place="shop.yaml:1",
    verdict=FITS,
    action="allow",
    images=(TRAINER,),
    candidates=14,
    excluded={"TaintToleration": 1},
    rows=(
        _row(
            *(f"node-{number:02}" for number in range(1, 13)),
            verdict=FITS,
            cells=(_yes("preferred", 10),),
        ),
        _row("old-1", verdict=DOES_NOT_FIT, cells=(_no(RELEASE, NVIDIA),)),
        _row("old-2", verdict=DOES_NOT_FIT, cells=(_no(NVIDIA),)),
    ),
)
"""One that runs on most nodes."""

UNCLEAR: Final = Workload(
    name="DaemonSet net/offload",
    place="net.yaml:40",
    verdict=UNKNOWN,
    action="warn",
    texts=(
        "[IC103] no node is known to fit the image: 2 of 2 candidate nodes unknown",
    ),
    images=(DPDK, SIDECAR, BUSYBOX),
    candidates=2,
    excluded={"NodeAffinity": 11, "TaintToleration": 2},
    rows=(
        Row(
            nodes=("edge-1", "edge-2"),
            verdict=UNKNOWN,
            score=None,
            cells=(
                Cell(verdict=UNKNOWN, reasons=(UNPUBLISHED,)),
                Cell(verdict=UNKNOWN),
                _yes(),
            ),
        ),
    ),
)
"""One that nobody can be sure of."""

HOMELESS: Final = Workload(
    name="CronJob ml/nightly",
    place="nightly.yaml:1",
    verdict=UNKNOWN,
    action="warn",
    texts=("[IC102] not judged: none of 5 nodes is a candidate",),
    images=(TRAINER,),
    excluded={"NodeAffinity": 4, "TaintToleration": 1},
    obstacles=(
        "nodeSelector pool=batch (holds on 1 of 5 nodes)",
        "taint night=only:NoSchedule is not tolerated (1 node)",
    ),
)
"""One without any candidate."""

BREAKS: Final = Change(
    name=MISFIT.name,
    before=FITS,
    after=DOES_NOT_FIT,
    nodes_before=3,
    nodes_after=0,
    reasons=(VFIO, RELEASE, AVX512),
    nodes_lost=("edge-1", "edge-2", "metal-a"),
)
BEGINS: Final = Change(
    name=FITTING.name,
    before=DOES_NOT_FIT,
    after=FITS,
    nodes_before=0,
    nodes_after=6,
    nodes_gained=tuple(f"gpu-{letter}" for letter in "abcdef"),
)
BLURS: Final = Change(
    name=UNCLEAR.name,
    before=FITS,
    after=UNKNOWN,
    nodes_before=2,
    nodes_after=0,
    reasons=(UNPUBLISHED,),
    nodes_lost=("edge-1", "edge-2"),
)
SHRINKS: Final = Change(
    name="Job ml/once",
    before=FITS,
    after=FITS,
    nodes_before=2,
    nodes_after=1,
    nodes_lost=("metal-a", "metal-c"),
    nodes_gained=("metal-b",),
    reasons=(VFIO,),
)

ONE: Final = Report(origin="nodes.json", known_nodes=5, workloads=(MISFIT,))
SEVERAL: Final = Report(
    origin="cluster kind-imagecompat",
    known_nodes=15,
    workloads=(MISFIT, FITTING, UNCLEAR, HOMELESS),
    notes=("2 nodes have no features: cpu-x, cpu-y",),
)
WHAT_IF: Final = replace(SEVERAL, changes=(SHRINKS, BEGINS, BREAKS, BLURS), notes=())
NOTHING_CHANGES: Final = replace(ONE, workloads=(FITTING,), changes=())
EMPTY: Final = Report(origin="this host", known_nodes=1, workloads=())

REPORTS: Final = {
    "one": ONE,
    "several": SEVERAL,
    "what-if": WHAT_IF,
    "nothing-changes": NOTHING_CHANGES,
    "empty": EMPTY,
}
