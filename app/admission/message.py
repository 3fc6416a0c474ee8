"""The sentences that kubectl prints.

Fact first, one code a cause, the names that the user typed, wanted and found,
nodes grouped by reason, the closest node, and how many nodes were counted. No
Pod name and a stable order, so that events aggregate.

A denial is at most `MAX_DENIAL_BYTES` of plain ASCII with line feeds; a warning
is one line of at most `MAX_WARNING_BYTES` without control characters (the API
server drops a Warning header that holds one). Input is hostile: every name and
value is cleaned and cut before it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final

from app.admission.findings import (
    Answer,
    Closest,
    Group,
    ImageFinding,
    PodFinding,
    Unmet,
)
from app.admission.policy import Action
from app.admission.verdict import Cause, Code, Decision

MAX_DENIAL_BYTES: Final = 1000
"""Events cut notes at 1,024 bytes; the API server's prefix needs some too."""

MAX_WARNING_BYTES: Final = 120
"""What the API server's documentation asks of warnings."""

MAX_GROUPS: Final = 5
_MAX_IMAGES: Final = 4
_MAX_NODES: Final = 3
_MAX_UNMET: Final = 3
_MAX_GROUP: Final = 240
"""Bytes of a group's line, so that several groups fit into a denial."""


class Detail(StrEnum):
    """How much a text tells of the cluster."""

    FULL = "full"
    COUNTS = "counts"
    """Names no node and no feature value."""


def clean(text: str, most: int) -> str:
    """`text` as printable ASCII, cut to `most` characters.

    Anything else becomes a backslash escape, so that two names never look alike.
    """
    short = text[: most + 1]
    ascii_only = short.encode("unicode_escape").decode("ascii")
    if len(ascii_only) <= most and len(short) == len(text):
        return ascii_only
    return ascii_only[: most - 3] + "..."


def denial(finding: PodFinding, decision: Decision, detail: Detail) -> str:
    """Why a request is denied: one paragraph for the worst cause, lines after."""
    worst, *others = (c for c in decision.causes if c.action is not Action.ALLOW)
    tail = [_line(finding, cause, detail) for cause in others]
    if worst.code is Code.INCOMPATIBLE:
        return _fitted(_misfit(finding, detail), tail)
    return _fitted([_line(finding, worst, detail)], tail)


def warnings(
    finding: PodFinding, decision: Decision, detail: Detail
) -> tuple[str, ...]:
    """One line for each cause worth a warning, worst first."""
    if decision.action is not Action.WARN:
        return ()
    lines = (
        clean_line(_line(finding, cause, detail))
        for cause in decision.causes
        if cause.action is not Action.ALLOW
    )
    return tuple(dict.fromkeys(lines))


def clean_line(line: str) -> str:
    """A warning within its bound."""
    return clean(line, MAX_WARNING_BYTES)


OVERLOAD: Final = f"[{Code.OVERLOAD}] not judged: too many reviews at once"
"""What is said where more reviews arrive than we take on."""


def internal_error(reason: str) -> str:
    """What is said of an exception of ours; `reason` is one of our own words."""
    return clean_line(
        f"[{Code.ERROR}] not judged: internal error ({reason}); see imagecompat's log"
    )


# One line a cause ---------------------------------------------------------------


def _line(finding: PodFinding, cause: Cause, detail: Detail) -> str:
    what = _PHRASES[cause.code](finding, cause, detail)
    subject = f"{clean(finding.template_of, 40)}: " if finding.template_of else ""
    return f"[{cause.code}] {subject}{what}"


def _incompatible(finding: PodFinding, cause: Cause, detail: Detail) -> str:
    text = _head(finding)
    if cause.capped_by:
        text += f" ({cause.capped_by})"
    closest = finding.closest
    if detail is Detail.FULL and closest is not None and closest.unmet:
        first = closest.unmet[0]
        text += f"; closest {clean(closest.node, 30)}: {_want(first)}"
    return text


def _no_candidates(finding: PodFinding, _: Cause, __: Detail) -> str:
    text = f"not judged: no candidate among {_nodes(finding.known_nodes)}"
    return f"{text}{_excluded(finding.excluded)}"


def _not_known(finding: PodFinding, _: Cause, __: Detail) -> str:
    unknown = f"{finding.unknown} of {finding.candidates} unknown"
    return f"no candidate node is known to fit: {unknown} (no or partial NFD data)"


def _of_image(why: str) -> Callable[[PodFinding, Cause, Detail], str]:
    def phrase(finding: PodFinding, cause: Cause, _: Detail) -> str:
        image = finding.images[cause.image or 0]
        detail = image.answers.get(_ANSWERS[cause.code], "")
        name = clean(image.image, 48)
        text = f"image {name} not judged: {why}"
        return f"{text}: {clean(detail, 200)}" if detail else text

    return phrase


def _missing(finding: PodFinding, cause: Cause, _: Detail) -> str:
    name = clean(finding.images[cause.image or 0].image, 48)
    return f"image {name} carries no compatibility spec"


_ANSWERS: Final[Mapping[Code, Answer]] = {
    Code.UNAVAILABLE: Answer.UNAVAILABLE,
    Code.UNAUTHORIZED: Answer.UNAUTHORIZED,
    Code.IMAGE_NOT_FOUND: Answer.NOT_FOUND,
    Code.INVALID: Answer.INVALID,
}

_PHRASES: Final[Mapping[Code, Callable[[PodFinding, Cause, Detail], str]]] = {
    Code.INCOMPATIBLE: _incompatible,
    Code.NO_CANDIDATES: _no_candidates,
    Code.NOT_KNOWN: _not_known,
    Code.MISSING: _missing,
    Code.UNAVAILABLE: _of_image("registry could not answer"),
    Code.UNAUTHORIZED: _of_image("no access"),
    Code.IMAGE_NOT_FOUND: _of_image("not found"),
    Code.INVALID: _of_image("its compatibility spec is invalid"),
}


# The paragraph of a misfit ------------------------------------------------------


def _misfit(finding: PodFinding, detail: Detail) -> list[str]:
    head = f"[{Code.INCOMPATIBLE}] {_head(finding)}{_excluded(finding.excluded)}"
    ends = [f"counting the {_nodes(finding.known_nodes)} that exist now"]
    if detail is Detail.FULL and finding.closest is not None:
        ends.insert(0, _closest(finding.closest))
    images = list(_images(finding))
    groups = list(_groups(finding)) if detail is Detail.FULL else []
    room = MAX_DENIAL_BYTES - sum(len(line) + 1 for line in (head, *ends))
    return [head, *_within(room, [*images, *groups]), *ends]


def _head(finding: PodFinding) -> str:
    which = "all images" if len(finding.images) > 1 else "its image"
    return f"no node fits {which}: 0 of {_candidates(finding.candidates)} fit"


def _candidates(count: int) -> str:
    return f"{count} candidate node{'' if count == 1 else 's'}"


def _nodes(count: int) -> str:
    return f"{count} node{'' if count == 1 else 's'}"


def _excluded(excluded: Mapping[str, int]) -> str:
    if not excluded:
        return ""
    parts = ", ".join(f"{name} {count}" for name, count in sorted(excluded.items()))
    return f" (excluded: {clean(parts, 120)})"


def _images(finding: PodFinding) -> Iterator[str]:
    asking = [image for image in finding.images if image.has_spec]
    for image in asking[:_MAX_IMAGES]:
        yield f"image {_name(image)}: {clean(image.image, 100)}{_specs(image)}"
    if len(asking) > _MAX_IMAGES:
        yield f"+{len(asking) - _MAX_IMAGES} more images"


def _name(image: ImageFinding) -> str:
    return clean(image.containers[0], 30) if image.containers else "-"


def _specs(image: ImageFinding) -> str:
    if not image.specs:
        return ""
    short = ", ".join(
        clean(spec.rpartition(":")[2], 12)[:8] for spec in image.specs[:2]
    )
    return f", spec {short}"


def _groups(finding: PodFinding) -> Iterator[str]:
    for group in finding.groups[:MAX_GROUPS]:
        line = f"- {_names(group.nodes)}: {_reasons(finding, group.unmet)}"
        yield line if len(line) <= _MAX_GROUP else line[: _MAX_GROUP - 3] + "..."
    if len(finding.groups) > MAX_GROUPS:
        yield f"- +{_rest(finding.groups[MAX_GROUPS:])}"


def _rest(groups: Iterable[Group]) -> str:
    nodes = sum(len(group.nodes) for group in groups)
    return f"{_nodes(nodes)} for other reasons"


def _names(nodes: tuple[str, ...]) -> str:
    shown = ", ".join(clean(node, 40) for node in nodes[:_MAX_NODES])
    more = len(nodes) - _MAX_NODES
    return f"{shown} +{more} more" if more > 0 else shown


def _reasons(finding: PodFinding, unmet: tuple[Unmet, ...]) -> str:
    if not unmet:
        return "not explained"
    several = sum(1 for image in finding.images if image.has_spec) > 1
    parts = []
    for one in unmet[:_MAX_UNMET]:
        who = f"{_name(finding.images[one.image])}: " if several else ""
        parts.append(f'{who}rule "{clean(one.rule, 40)}": {_want(one)}')
    more = len(unmet) - _MAX_UNMET
    return "; ".join(parts) + (f"; +{more} more" if more > 0 else "")


def _want(unmet: Unmet) -> str:
    what = clean(unmet.feature, 60)
    return f"{what}: want {clean(unmet.want, 60)}, found {clean(unmet.found, 60)}"


def _closest(closest: Closest) -> str:
    count = len(closest.unmet)
    changes = f"{count} change{'' if count == 1 else 's'}"
    parts = [_change(one) for one in closest.unmet[:_MAX_UNMET]]
    more = f"; +{count - _MAX_UNMET} more" if count > _MAX_UNMET else ""
    return f"closest: {clean(closest.node, 40)}, {changes}: {'; '.join(parts)}{more}"


def _change(unmet: Unmet) -> str:
    fixed = "" if unmet.changeable else ", cannot be changed"
    what = f"{clean(unmet.feature, 60)} {clean(unmet.want, 40)}"
    return f"{what} (found {clean(unmet.found, 40)}{fixed})"


# Bounds -------------------------------------------------------------------------


def _within(room: int, lines: list[str]) -> list[str]:
    """As many of `lines`, in order, as fit into `room` bytes."""
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept


def _fitted(lines: list[str], tail: list[str]) -> str:
    used = sum(len(line) + 1 for line in lines) - 1
    text = "\n".join([*lines, *_within(MAX_DENIAL_BYTES - used, tail)])
    return text[:MAX_DENIAL_BYTES]
