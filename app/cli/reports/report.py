"""What was found out about workloads on nodes, before it is printed in any form.

`check` and `validate-node` fill these; tables, JSON, JUnit and HTML are made of
them. Nodes with the same answer share one row, so that a report's size follows the
number of different answers, never the number of pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.admission.findings import Answer
from app.cli.reports.verdict import Verdict as Verdict  # noqa: PLC0414 - exported
from app.cli.reports.verdict import worst


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that an image wants, where it is missing or not known.

    Attributes:
        rule: name of the rule; empty if it is none of the spec's.
        what: the feature, and its element where one is meant.
        want: the expression in words.
        found: what the nodes have; empty if that is not known.
        changeable: whether an admin could change it on a node.
        advice: what would change it (`load kernel module vfio_pci`); empty if
            nothing is known to.
    """

    rule: str
    what: str
    want: str
    found: str
    changeable: bool = False
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One image on the nodes of a row.

    Attributes:
        verdict: of the image there.
        score: highest weight among the sets that fit; `None` if none has one.
        chosen: the set that gives it: its tag, else `#2`; empty if none fits.
        reasons: why it does not fit, or why that is not known.
    """

    verdict: Verdict
    score: int | None = None
    chosen: str = ""
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Candidate nodes with the same answer for every image.

    Attributes:
        nodes: their names, sorted.
        verdict: of all images together on each of them.
        score: sum of the images' scores; `None` if no image has one.
        cells: one for each image, in the workload's order.
    """

    nodes: tuple[str, ...]
    verdict: Verdict
    score: int | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedImage:
    """An image of a workload.

    Attributes:
        image: as it was written.
        containers: that use it, in order.
        answers: what is known of its spec -> detail for a person (`""` for none).
        digest: of what the reference names; `None` if it was not resolved.
        specs: digests of the specs that were judged.
    """

    image: str
    containers: tuple[str, ...] = ()
    answers: Mapping[Answer, str] = field(default_factory=dict)
    digest: str | None = None
    specs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearest:
    """The candidate that lacks the fewest things.

    Attributes:
        node: its name.
        reasons: what it lacks, with advice where there is some.
        more: how many more things it lacks.
    """

    node: str
    reasons: tuple[Reason, ...]
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One workload, or one image alone, on the candidate nodes.

    Attributes:
        name: kind, namespace and name (`Deployment ml/trainer`), or a reference.
        place: where it was read: `train.yaml:12`, `cluster`; empty if typed.
        verdict: fits if a candidate fits all images.
        action: what the webhook would do: `allow`, `warn` or `deny`; empty where
            no webhook would be asked.
        texts: what it would say, in order.
        images: in the workload's order.
        candidates: how many nodes the scheduler's filters leave.
        excluded: scheduler plugin -> how many nodes it takes out.
        rows: the candidates, best first.
        nearest: `None` if a candidate fits, or nothing is known.
        obstacles: where no node is a candidate: what in the manifest or on the nodes
            excludes them (`taint gpu:NoSchedule is not tolerated (2 nodes)`).
    """

    name: str
    place: str = ""
    verdict: Verdict
    action: str = ""
    texts: tuple[str, ...] = ()
    images: tuple[JudgedImage, ...] = ()
    candidates: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()
    nearest: Nearest | None = None
    obstacles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A workload whose verdict, or nodes that fit, others would change.

    Attributes:
        name: of the workload.
        before: its verdict now.
        after: and with the change.
        nodes_before: how many nodes fit it now.
        nodes_after: and with the change.
        reasons: why it would not fit, or not be known to, any more; where it keeps
            fitting, why not on the nodes that it loses.
        nodes_lost: names of the nodes that fit it now, and would not; sorted.
        nodes_gained: of those that do not fit it now, and would.
    """

    name: str
    before: Verdict
    after: Verdict
    nodes_before: int
    nodes_after: int
    reasons: tuple[Reason, ...] = ()
    nodes_lost: tuple[str, ...] = ()
    nodes_gained: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that a command found out.

    Attributes:
        origin: where the nodes come from: `cluster kind`, `nodes.json`, `this host`.
        known_nodes: how many nodes there are.
        workloads: in the order in which they were read.
        changes: with `--what-if`: what breaks and what begins to fit; else `None`.
        notes: what a person should know besides (what could not be read).
    """

    origin: str
    known_nodes: int
    workloads: tuple[Workload, ...]
    changes: tuple[Change, ...] | None = None
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of all: does not fit, else unknown, else fits."""
        return worst(one.verdict for one in self.workloads)
