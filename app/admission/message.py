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

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final, TypeAlias

from app.admission.findings import (
    Answer,
    Closest,
    Group,
    ImageFinding,
    PodFinding,
    Unmet,
)
from app.admission.policy import Action, Mode
from app.admission.verdict import Cause, Code, Decision

MAX_DENIAL_BYTES: Final = 1000
"""Events cut notes at 1,024 bytes; the API server's prefix needs some too."""

MAX_WARNING_BYTES: Final = 120
"""What the API server's documentation asks of warnings."""

MAX_GROUPS: Final = 5
MAX_EXAMPLES: Final = 3
MAX_UNMET: Final = 3
_MAX_IMAGES: Final = 4
_MAX_GROUP: Final = 240
_MAX_CLOSEST: Final = 320
"""Bytes of a line, so that several groups fit into a denial; few may be longer."""

_MAX_REST: Final = 48


class Detail(StrEnum):
    """How much a text tells of the cluster."""

    FULL = "full"
    COUNTS = "counts"
    """Names no node and no feature value."""


def clean(text: str, most: int) -> str:
    """`text` as printable ASCII, cut to `most` characters.

    Anything else becomes a backslash escape, so that two names never look alike.
    """
    if len(text) <= most and text.isascii() and text.isprintable() and "\\" not in text:
        return text
    short = text[: most + 1]
    ascii_only = short.encode("unicode_escape").decode("ascii")
    if len(ascii_only) <= most and len(short) == len(text):
        return ascii_only
    return ascii_only[: most - 3] + "..."


def denial(finding: PodFinding, decision: Decision, detail: Detail) -> str:
    """Why a request is denied: one paragraph for the worst cause, lines after."""
    worst, *others = (c for c in decision.causes if c.action is not Action.ALLOW)
    tail = [_line(finding, cause, decision, detail) for cause in others]
    if worst.code is Code.INCOMPATIBLE:
        return _fitted(_misfit(finding, detail), tail)
    return _fitted([_line(finding, worst, decision, detail)], tail)


def warnings(
    finding: PodFinding, decision: Decision, detail: Detail
) -> tuple[str, ...]:
    """One line for each cause worth a warning, worst first."""
    if decision.action is not Action.WARN:
        return ()
    lines = (
        clean_line(_line(finding, cause, decision, detail))
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

_Phrase: TypeAlias = Callable[[PodFinding, Cause], str]


def _line(finding: PodFinding, cause: Cause, decision: Decision, detail: Detail) -> str:
    if cause.code is Code.INCOMPATIBLE:
        what = _incompatible(finding, cause, decision, detail)
    else:
        what = _PHRASES[cause.code](finding, cause)
    subject = f"{clean(finding.template_of, 40)}: " if finding.template_of else ""
    return f"[{cause.code}] {subject}{what}"


def _incompatible(
    finding: PodFinding, cause: Cause, decision: Decision, detail: Detail
) -> str:
    text = _head(finding)
    is_denied = cause.action is Action.DENY and decision.mode is Mode.ENFORCE
    if finding.template_of and is_denied:
        text = f"its Pods will be denied, as {text}"
    if cause.capped_by:
        text += f" (only a warning: {cause.capped_by})"
    closest = finding.closest
    if detail is Detail.FULL and closest is not None and closest.unmet:
        text += f"; closest {clean(closest.node, 30)}: {_want(closest.unmet[0])}"
    return text


def _no_candidates(finding: PodFinding, _: Cause) -> str:
    none = f"none of {_nodes(finding.known_nodes)} is a candidate"
    return f"not judged: {none}{_stale(finding)}{_excluded(finding.excluded)}"


def _not_known(finding: PodFinding, cause: Cause) -> str:
    unknown = f"{finding.unknown} of {_candidates(finding.candidates)} unknown"
    why = "; ".join(filter(None, (_why(finding), cause.capped_by)))
    return f"no node is known to fit {_images_of(finding)}: {unknown} ({why})"


def _why(finding: PodFinding) -> str:
    """Why nodes are unknown; of several reasons the one that is mended first."""
    if finding.undescribed:
        all_of_them = finding.undescribed >= finding.unknown
        return (
            "no NFD data" if all_of_them else f"{finding.undescribed} without NFD data"
        )
    if not finding.in_time:
        return "not judged in time"
    return "NFD publishes too little"


def _of_image(why: str) -> _Phrase:
    def phrase(finding: PodFinding, cause: Cause) -> str:
        image = finding.images[cause.image or 0]
        detail = image.answers.get(_ANSWERS[cause.code], "")
        name = f"{clean(image.image, 48)}{_mark(image, _ANSWERS[cause.code])}"
        text = f"image {name} not judged: {why}"
        return f"{text}: {clean(detail, 200)}" if detail else text

    return phrase


def _missing(finding: PodFinding, cause: Cause) -> str:
    image = finding.images[cause.image or 0]
    name = f"{clean(image.image, 48)}{_mark(image, Answer.MISSING)}"
    return f"image {name} carries no compatibility spec"


def _mark(image: ImageFinding, answer: Answer) -> str:
    """How an answer was come by, if not by asking just now.

    It stands before what may be cut off.
    """
    return f" ({clean(image.marks[answer], 20)})" if answer in image.marks else ""


def _stale(finding: PodFinding) -> str:
    """That a spec stands in for a registry that cannot be asked."""
    return " (stale spec)" if any(one.is_stale for one in finding.images) else ""


_ANSWERS: Final[Mapping[Code, Answer]] = {
    Code.UNAVAILABLE: Answer.UNAVAILABLE,
    Code.UNAUTHORIZED: Answer.UNAUTHORIZED,
    Code.IMAGE_NOT_FOUND: Answer.NOT_FOUND,
    Code.INVALID: Answer.INVALID,
}

_PHRASES: Final[Mapping[Code, _Phrase]] = {
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
    verb = "exists" if finding.known_nodes == 1 else "exist"
    ends = [f"counting the {_nodes(finding.known_nodes)} that {verb} now"]
    if detail is Detail.FULL and finding.closest is not None:
        ends.insert(0, _closest(finding, finding.closest))
    room = MAX_DENIAL_BYTES - sum(len(line) + 1 for line in (head, *ends))
    images = _within(room, list(_images(finding)))
    room -= sum(len(line) + 1 for line in images)
    groups = _groups(finding, room) if detail is Detail.FULL else []
    return [head, *images, *groups, *ends]


def _head(finding: PodFinding) -> str:
    candidates = _candidates(finding.candidates)
    return f"no node fits {_images_of(finding)}: 0 of {candidates} fit"


def _images_of(finding: PodFinding) -> str:
    images = "all images" if _has_several(finding) else "the image"
    return f"{images}{_stale(finding)}"


def _has_several(finding: PodFinding) -> bool:
    return sum(image.has_spec for image in finding.images) > 1


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
        others = len(image.containers) - 1
        more = f" +{others} more" if others > 0 else ""
        name = clean(image.image, 100)
        yield f"container {_name(image)}{more}: {name}{_specs(image)}{_old(image)}"
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


def _old(image: ImageFinding) -> str:
    return ", stale: its registry cannot be asked now" if image.is_stale else ""


def _groups(finding: PodFinding, room: int) -> list[str]:
    """As many groups as fit, and how many nodes are in none of them."""
    groups = finding.groups[:MAX_GROUPS]
    most = max(_MAX_GROUP, (room - _MAX_REST) // max(1, len(groups)) - 1)
    lines = [_cut(_group(finding, group), most) for group in groups]
    while lines:
        told = sum(group.count for group in groups[: len(lines)])
        left = finding.candidates - told
        rest = f"- {left} more node{'' if left == 1 else 's'}, for other reasons"
        shown = [*lines, rest] if left > 0 else lines
        if len(_within(room, shown)) == len(shown):
            return shown
        lines.pop()
    return lines


def _group(finding: PodFinding, group: Group) -> str:
    shown = ", ".join(clean(node, 40) for node in group.examples[:MAX_EXAMPLES])
    others = group.count - len(group.examples[:MAX_EXAMPLES])
    names = f"{shown} +{others} more" if others > 0 else shown
    parts = [_reason(finding, one) for one in group.unmet[:MAX_UNMET]]
    reasons = _listed(parts, len(group.unmet) + group.more)
    return f"- {names}: {reasons or 'not explained'}"


def _listed(parts: Sequence[str], count: int) -> str:
    more = count - len(parts)
    return "; ".join(parts) + (f"; +{more} more" if more > 0 else "")


def _reason(finding: PodFinding, unmet: Unmet) -> str:
    rule = f'rule "{clean(unmet.rule, 40)}": ' if unmet.rule and unmet.feature else ""
    return f"{_who(finding, unmet)}{rule}{_want(unmet)}"


def _who(finding: PodFinding, unmet: Unmet) -> str:
    if not _has_several(finding):
        return ""
    return f"{_name(finding.images[unmet.image])}: "


def _want(unmet: Unmet) -> str:
    if not unmet.feature:
        rule = f'rule "{clean(unmet.rule, 40)}" does not match'
        return rule if unmet.rule else "no compatibility set fits"
    text = f"{clean(unmet.feature, 60)}: want {clean(unmet.want, 60)}"
    return f"{text}, found {clean(unmet.found, 60)}" if unmet.found else text


def _closest(finding: PodFinding, closest: Closest) -> str:
    count = len(closest.unmet) + closest.more
    parts = [_change(finding, one) for one in closest.unmet[:MAX_UNMET]]
    changes = f"{count} change{'' if count == 1 else 's'} would do"
    what = changes if closest.is_changeable else f"lacks {count}"
    line = f"closest: {clean(closest.node, 40)}, {what}: {_listed(parts, count)}"
    return _cut(line, _MAX_CLOSEST)


def _change(finding: PodFinding, unmet: Unmet) -> str:
    fixed = "" if unmet.changeable else " (cannot be changed)"
    return f"{_who(finding, unmet)}{_want(unmet)}{fixed}"


# Bounds -------------------------------------------------------------------------


def _cut(line: str, most: int) -> str:
    return line if len(line) <= most else line[: most - 3] + "..."


def _within(room: int, lines: Sequence[str]) -> list[str]:
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
