"""Workloads on nodes: what the webhook's own checker says of them, as a report.

Nothing is decided here. `Checker.judge` gives what the webhook would answer, with
the sets of nodes that it is made of; `checker.table` divides these; here they get
names. Workloads with the same answers share their rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from app.admission.findings import ImageFinding, Unmet
from app.bits import Bits
from app.checker import Checker, Options
from app.checker.judged import Judged
from app.checker.subject import NotJudged
from app.checker.table import Cell as CheckerCell
from app.checker.table import Part, Tables, Why
from app.cli.checking import unasked
from app.cli.checking.cluster import KnownCluster
from app.cli.checking.manifests import Manifest
from app.cli.checking.obstacles import Obstacles
from app.cli.nodes.known import KnownNodes
from app.cli.reports.report import (
    Cell,
    JudgedImage,
    Nearest,
    Reason,
    Row,
    Verdict,
    Workload,
)
from app.ports import Artifacts, Platform
from app.scheduling import podspec
from app.scheduling.node import platform_of
from app.telemetry import Metrics

DEADLINE_SECONDS: Final = 300.0
"""For one workload: a spec that is new may be costly; nobody waits at an API server."""

DEFAULT_NAMESPACE: Final = "default"

_MAX_ROWS: Final = 1_024
"""Tables whose rows are remembered."""

_RANK: Final = {Verdict.FITS: 0, Verdict.UNKNOWN: 1, Verdict.DOES_NOT_FIT: 2}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is judged.

    Attributes:
        manifest: the workload.
        is_image: it only stands for an image: no webhook would be asked.
    """

    manifest: Manifest
    is_image: bool = False

    @property
    def label(self) -> str:
        """For a person."""
        return self.manifest.name if self.is_image else self.manifest.label


@dataclass(slots=True)
class Outcome:
    """What became of workloads.

    Attributes:
        workloads: those that were judged, in order.
        notes: what became of others, and what a person should know besides.
    """

    workloads: list[Workload] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


_Rows: TypeAlias = tuple[tuple[Row, Bits], ...]
"""Rows, and the nodes of each as a set."""


class Judge:
    """Judges workloads on nodes that do not change.

    Args:
        known: the nodes.
        artifacts: finds the specs of images.
        options: the webhook's.
        namespaces: Namespace -> its labels.
        namespace: of workloads that say none.
        own: the webhook's own namespace.
    """

    def __init__(
        self,
        known: KnownNodes,
        artifacts: Artifacts,
        options: Options,
        *,
        namespaces: Mapping[str, Mapping[str, str]] | None = None,
        namespace: str = DEFAULT_NAMESPACE,
        own: str = unasked.OWN,
    ) -> None:
        cluster = KnownCluster(known.snapshot, namespaces or {})
        self._checker: Final = Checker(cluster, artifacts, Metrics(), options)
        self._namespace: Final = namespace
        self._own: Final = own
        self._obstacles: Final = Obstacles(known.snapshot.nodes.values())
        self._tables: Tables | None = None
        self._rows: Final[dict[int, tuple[tuple[Part, ...], _Rows]]] = {}
        self._names: Final[dict[Bits, tuple[str, ...]]] = {}

    def running(self) -> AbstractAsyncContextManager[None]:
        """To be entered while workloads are judged."""
        return self._checker.running()

    async def judge(self, asked: Asked) -> Judged | NotJudged:
        """What the webhook would answer, and why."""
        review = asked.manifest.review(self._namespace)
        return await self._checker.judge(review, deadline_seconds=DEADLINE_SECONDS)

    async def all(
        self, asked: Sequence[Asked], told: Callable[[str, int, int], None]
    ) -> Outcome:
        """Judges workloads, one after the other."""
        outcome = Outcome()
        for number, one in enumerate(asked):
            told(f"judging {one.label}", number, len(asked))
            judged = await self.judge(one)
            if isinstance(judged, NotJudged):
                outcome.notes.append(left_alone(one, judged))
                continue
            workload = self.workload(one, judged)
            outcome.workloads.append(workload)
            outcome.notes += filter(None, (self._unasked(one), _runs(one, workload)))
            outcome.notes += _notes(one, judged)
        return outcome

    def workload(self, asked: Asked, judged: Judged) -> Workload:
        """What was found out about a workload, with all nodes."""
        finding, response = judged.gathered.finding, judged.response
        rows = self._rows_of(judged)
        is_asked = not (asked.is_image or self._unasked(asked))
        texts = tuple(response.warnings)
        if not response.allowed:
            texts = tuple(response.message.splitlines())
        return Workload(
            name=asked.label,
            place=asked.manifest.place,
            verdict=Verdict(judged.decision.verdict.value),
            action=response.decision if is_asked else "",
            texts=texts if is_asked else (),
            images=tuple(map(_image, finding.images)),
            candidates=finding.candidates,
            excluded=dict(finding.excluded),
            rows=tuple(row for row, _ in rows),
            nearest=_nearest(judged, rows),
            obstacles=self._obstacles.of(judged),
        )

    def _unasked(self, asked: Asked) -> str:
        """Why no webhook is asked about a workload; empty for all else."""
        if asked.is_image:
            return ""
        namespace = asked.manifest.namespace or self._namespace
        return unasked.why(asked.manifest, namespace, self._own)

    def _rows_of(self, judged: Judged) -> _Rows:
        if self._tables is None:
            gathering = judged.gathering
            self._tables = Tables(gathering.view, gathering.tags)
        parts = self._tables.of(judged)
        known = self._rows.get(id(parts))
        if known is None:
            made = [(self._row(judged, part), part.nodes) for part in parts]
            known = parts, tuple(sorted(made, key=lambda one: _order(one[0])))
            if len(self._rows) >= _MAX_ROWS:
                self._rows.clear()
            self._rows[id(parts)] = known
        return known[1]

    def _row(self, judged: Judged, part: Part) -> Row:
        verdict = Verdict(part.outcome.value)
        scores = [cell.score for cell in part.cells if cell.score is not None]
        fits = verdict is Verdict.FITS and scores
        return Row(
            nodes=self._named(judged, part.nodes),
            verdict=verdict,
            score=sum(scores) if fits else None,
            cells=tuple(map(_cell, part.cells)),
        )

    def _named(self, judged: Judged, nodes: Bits) -> tuple[str, ...]:
        known = self._names.get(nodes)
        if known is None:
            found = judged.gathering.view.nodes.first(nodes, nodes.bit_count())
            known = self._names[nodes] = tuple(found)
        return known


def platforms(known: KnownNodes) -> frozenset[Platform]:
    """The platforms of all nodes."""
    pairs = set(map(platform_of, known.snapshot.nodes.values()))
    return frozenset(Platform(*pair) for pair in pairs if pair is not None)


def images_of(asked: Iterable[Asked]) -> list[str]:
    """Every image that is run, each once, in order."""
    found: dict[str, None] = {}
    for one in asked:
        pod = podspec.of(one.manifest.kind, one.manifest.object)
        found |= dict.fromkeys(use.image for use in pod.images)
    return list(found)


def _order(row: Row) -> tuple[object, ...]:
    """The best first; of misfits those that lack least, then the most nodes."""
    lacking = sum(len(cell.reasons) for cell in row.cells)
    return _RANK[row.verdict], -(row.score or 0), lacking, -len(row.nodes), row.nodes


def _cell(cell: CheckerCell) -> Cell:
    reasons = tuple(map(_reason, cell.reasons))
    if cell.more:
        more = Reason(rule="", what=f"{cell.more} more", want="", found="")
        reasons = (*reasons, more)
    return Cell(
        verdict=Verdict(cell.outcome.value),
        score=cell.score,
        chosen=cell.chosen,
        reasons=reasons,
    )


def _reason(why: Why) -> Reason:
    return Reason(
        rule=why.rule,
        what=why.what,
        want=why.want,
        found=why.found,
        changeable=why.changeable,
        advice=why.advice,
    )


def _image(finding: ImageFinding) -> JudgedImage:
    return JudgedImage(
        image=finding.image,
        containers=finding.containers,
        answers=finding.answers,
        digest=finding.digest or None,
        specs=finding.specs,
    )


def _nearest(judged: Judged, rows: _Rows) -> Nearest | None:
    """The node that a denial names, with all that its row says of it."""
    closest = judged.gathered.finding.closest
    if closest is None:
        return None
    number = judged.gathering.view.nodes.number(closest.node) or 0
    cells = next((row.cells for row, nodes in rows if nodes >> number & 1), ())
    reasons = tuple(reason for cell in cells for reason in cell.reasons)
    if not any(reason.want for reason in reasons):
        # One of very many different answers: what the denial says of it.
        told = tuple(map(_unmet, closest.unmet))
        return Nearest(node=closest.node, reasons=told, more=closest.more)
    return Nearest(node=closest.node, reasons=reasons)


def _unmet(unmet: Unmet) -> Reason:
    return Reason(
        rule=unmet.rule,
        what=unmet.feature or "the rule does not match",
        want=unmet.want,
        found=unmet.found,
        changeable=unmet.changeable,
    )


_WORDS: Final = {
    "exempt": "all its images are exempt",
    "images": "no image could be read in it",
    "owned": "its owner is judged instead",
}
"""Why the checker leaves something alone -> in words."""


def left_alone(asked: Asked, why: NotJudged) -> str:
    """That a workload was not judged, and why."""
    who = ", ".join(dict.fromkeys(why.exempted.values()))
    text = _WORDS.get(why.why, why.why)
    return f"{asked.label} was not judged: {text}{f' ({who})' if who else ''}"


_RUNS: Final = {
    Verdict.UNKNOWN: "is not known to fit",
    Verdict.DOES_NOT_FIT: "does not fit",
}


def _runs(asked: Asked, workload: Workload) -> str:
    """That a Pod, which is judged as if created again, runs where it does not fit."""
    node = asked.manifest.runs_on
    row = next((row for row in workload.rows if node in row.nodes), None)
    told = "is no candidate" if row is None else _RUNS.get(row.verdict, "")
    return f"{asked.label} runs on {node}, which {told}" if node and told else ""


def _notes(asked: Asked, judged: Judged) -> list[str]:
    """What a person should know of one workload besides."""
    pod, notes = judged.asked.pod, []
    notes += [f"{asked.label}: cannot read {path}" for path in pod.unreadable]
    notes += [
        f"{asked.label}: image {one.reference} of volume {one.volume} is data, and not "
        "judged"
        for one in pod.image_volumes
    ]
    notes += [
        f"{asked.label}: {image} is exempt ({who})"
        for image, who in judged.asked.exempted.items()
    ]
    notes += [
        f"{asked.label}: too large to be read whole: {key}"
        for key in sorted(pod.too_large)
    ]
    return notes
