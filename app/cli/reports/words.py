"""What a report says in words, whatever form they stand in.

Nothing here is cleaned: each form cleans what it prints in its own way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from app.admission.findings import UNSEEN, Answer
from app.cli.nodes.known import few
from app.cli.reports.labels import labels
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

SHORT: Final[Mapping[Verdict, str]] = {
    Verdict.FITS: "yes",
    Verdict.DOES_NOT_FIT: "no",
    Verdict.UNKNOWN: "unknown",
}
"""A verdict where there is little room."""

_ACTIONS: Final[Mapping[str, str]] = {
    "allow": "the webhook would admit it",
    "warn": "the webhook would admit it, with a warning",
    "deny": "the webhook would deny it",
}

ANSWERS: Final[Mapping[Answer, str]] = {
    Answer.FOUND: "its compatibility spec was judged",
    Answer.MISSING: "carries no compatibility spec, so it asks for nothing",
    Answer.PLATFORM_ABSENT: "is not built for the platform of some nodes",
    **UNSEEN,
}
"""What is known of an image's spec."""

NOT_JUDGED: Final = "not judged"

SAME: Final = "keeps its verdict"

_OUTCOMES: Final[Mapping[Verdict, str]] = {
    Verdict.DOES_NOT_FIT: "breaks",
    Verdict.UNKNOWN: "becomes unknown",
    Verdict.FITS: "begins to fit",
}

OUTCOMES: Final = (*_OUTCOMES.values(), SAME)
"""What can become of a workload, the worst first."""

_DIGEST: Final = 8
"""Digits of a digest that are shown."""


def counted(count: int, thing: str) -> str:
    """`1 node`, `2 nodes`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def fitting(workload: Workload, verdict: Verdict = Verdict.FITS) -> int:
    """How many candidates have this verdict."""
    return sum(len(row.nodes) for row in workload.rows if row.verdict is verdict)


def counts(report: Report) -> dict[Verdict, int]:
    """How many workloads have each verdict, in the verdicts' order."""
    found = [one.verdict for one in report.workloads]
    return {verdict: found.count(verdict) for verdict in Verdict}


def origin(report: Report) -> str:
    """Which nodes were looked at: `5 nodes of nodes.json`, `this host`."""
    if report.known_nodes == 1:
        return report.origin
    return f"{counted(report.known_nodes, 'node')} of {report.origin}"


def total(report: Report) -> str:
    """How many workloads have which verdict, and where."""
    found = counts(report)
    parts = ", ".join(f"{verdict} {found[verdict]:,}" for verdict in Verdict)
    return f"{counted(len(report.workloads), 'workload')} on {origin(report)}: {parts}"


def summary(workload: Workload) -> str:
    """`0 of 3 candidate nodes can run it (2 of 5 excluded: NodeAffinity)`."""
    total = counted(workload.candidates, "candidate node")
    text = f"{fitting(workload):,} of {total} can run it"
    unknown = fitting(workload, Verdict.UNKNOWN)
    if unknown:
        text += f", {unknown:,} unknown"
    return f"{text}{_excluded(workload)}"


def _excluded(workload: Workload) -> str:
    excluded = workload.excluded
    total = sum(excluded.values())
    if not total:
        return ""
    if len(excluded) == 1:
        why = next(iter(excluded))
    else:
        why = ", ".join(f"{name} {count:,}" for name, count in sorted(excluded.items()))
    return f" ({total:,} of {total + workload.candidates:,} excluded: {why})"


def reason(one: Reason) -> str:
    """`kernel.loadedmodule vfio_pci: want Exists, found not loaded`."""
    if not one.what:
        rule = f'rule "{one.rule}" does not match'
        return rule if one.rule else "no compatibility set fits"
    text = f"{one.what}: want {one.want}" if one.want else one.what
    return f"{text}, found {one.found}" if one.found else text


def told(found: Sequence[Reason]) -> tuple[str, ...]:
    """Each reason once."""
    return tuple(dict.fromkeys(map(reason, found)))


def change(one: Reason) -> str:
    """What would change it, else what is lacking and whether that can be changed."""
    fixed = "" if one.changeable else " (cannot be changed)"
    return one.advice or f"{reason(one)}{fixed}"


def closest(nearest: Nearest) -> str:
    """`gpu-a, 1 change would do`, or `gpu-a lacks 3`."""
    count = len(nearest.reasons) + nearest.more
    if not nearest.more and all(one.changeable for one in nearest.reasons):
        return f"{nearest.node}, {counted(count, 'change')} would do"
    return f"{nearest.node} lacks {counted(count, 'thing')}"


def is_judged(image: JudgedImage) -> bool:
    """Whether it is known what an image asks for, if only on some platform."""
    return not image.answers or not image.answers.keys() <= UNSEEN.keys()


def cell(one: Cell, image: JudgedImage) -> str:
    """`yes (preferred, 10)`, `no (driver)`: a verdict and what it comes from.

    An image that could not be looked up bounds no node, which is no `yes`.
    """
    if not is_judged(image):
        return NOT_JUDGED
    if one.verdict is Verdict.FITS:
        score = "" if one.score is None else str(one.score)
        why = ", ".join(filter(None, (one.chosen, score)))
    else:
        rules = list(dict.fromkeys(each.rule for each in one.reasons if each.rule))
        more = f" +{len(rules) - 1}" if len(rules) > 1 else ""
        why = f"{rules[0]}{more}" if rules else ""
    return f"{SHORT[one.verdict]} ({why})" if why else SHORT[one.verdict]


def score(one: Row) -> str:
    """A row's score; `-` if it has none, or its nodes do not fit."""
    return (
        "-" if one.score is None or one.verdict is not Verdict.FITS else f"{one.score}"
    )


def nodes(names: Sequence[str]) -> str:
    """`gpu-a`, `gpu-a +11`."""
    more = f" +{len(names) - 1:,}" if len(names) > 1 else ""
    return f"{names[0]}{more}" if names else "-"


def reasons(row: Row, names: Sequence[str]) -> tuple[str, ...]:
    """Why nodes of a row do not fit; where several images were judged, which."""
    several = len(row.cells) > 1
    found = (
        f"{label}: {reason(one)}" if several else reason(one)
        for label, cell in zip(names, row.cells, strict=True)
        for one in cell.reasons
    )
    return tuple(dict.fromkeys(found))


def images(found: Sequence[JudgedImage]) -> Iterator[str]:
    """One line for each image: who uses it, and what is known of its spec.

    Where there are several, each has its number.
    """
    for number, one in enumerate(found, start=1):
        start = f"#{number} " if len(found) > 1 else ""
        used_by = f" ({', '.join(one.containers)})" if one.containers else ""
        yield f"{start}{one.image}{used_by}: {spec(one)}"


def spec(image: JudgedImage) -> str:
    """What is known of an image's spec."""
    known = []
    if Answer.FOUND in image.answers:
        digests = [one.rpartition(":")[2][:_DIGEST] for one in image.specs]
        known.append(f"spec {', '.join(digests)}" if digests else ANSWERS[Answer.FOUND])
    known += (text for _, text in answers(image))
    return "; ".join(known) or "its spec was given"


def answers(image: JudgedImage) -> Iterator[tuple[Answer, str]]:
    """What is known of an image's spec besides that it was judged."""
    for answer, detail in image.answers.items():
        if answer is not Answer.FOUND:
            text = ANSWERS[answer]
            yield answer, f"{text}: {detail}" if detail else text


def outcome(one: Change) -> str:
    """What becomes of a workload: one of `OUTCOMES`."""
    return SAME if one.before is one.after else _OUTCOMES[one.after]


def why(workload: Workload) -> tuple[str, ...]:
    """The first reasons why a workload does not fit, or is not known to."""
    if workload.verdict is Verdict.FITS:
        return ()
    if workload.nearest is not None:
        return told(workload.nearest.reasons)
    names = labels([one.image for one in workload.images])
    unseen = [
        (name, text)
        for name, one in zip(names, workload.images, strict=True)
        for answer, text in answers(one)
        if answer in UNSEEN
    ]
    told_already = {text for _, text in unseen}
    found = [f"{name}: {text}" for name, text in unseen]
    rows = (row for row in workload.rows if row.verdict is workload.verdict)
    every = (text for row in rows for text in reasons(row, names))
    found += (text for text in every if text not in told_already)
    if not workload.candidates:
        found += ("no node is a candidate", *workload.obstacles)
    return tuple(dict.fromkeys(found))


def moved(one: Change) -> str:
    """`loses metal-a, gains metal-b`: nodes that fit now or then; empty for none."""
    pairs = (("loses", one.nodes_lost), ("gains", one.nodes_gained))
    return ", ".join(f"{word} {few(nodes)}" for word, nodes in pairs if nodes)


def details(one: Change) -> tuple[str, ...]:
    """Which nodes a workload loses and gains, and each reason once."""
    return tuple(filter(None, (moved(one), *told(one.reasons))))


def by_outcome(changes: Sequence[Change]) -> list[Change]:
    """What breaks first; else in their order."""
    return sorted(changes, key=lambda one: OUTCOMES.index(outcome(one)))


def acts(workload: Workload) -> str:
    """What the webhook would do."""
    return _ACTIONS.get(workload.action, workload.action)


def short(verdict: Verdict) -> str:
    """`yes`, `no`, `unknown`."""
    return SHORT[verdict]


def some(texts: Sequence[str], most: int) -> tuple[str, ...]:
    """The first `most` of them, and how many more there are."""
    more = len(texts) - most
    return (*texts[:most], f"+{more:,} more") if more > 0 else tuple(texts)
