"""The decision: findings and a policy in, an action with its causes out.

The order is that of the decision table:

1. candidates: none, or none that fits, or none known to fit;
2. each image: no artifact, registry away, no access, no such image, invalid;
3. the worst action counts, every cause is listed;
4. the namespace's mode caps the whole; a workload template is never denied.

A misfit is denied only if *every* candidate is known not to fit, and then only
if no cap holds: our view is stale, nodes may appear, the Pod is a DaemonSet's.
What may be a misfit is never treated worse than what is one, so that the same
caps hold where candidates are unknown. A Pod whose images ask for nothing fits
every node, so that neither missing candidates nor unknown nodes are worth a word.

The outcome is monotonous: a stricter row or mode, a cap less, one more image, or a
candidate that is known to be worse never makes a decision milder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from app.admission.findings import UNSEEN, Answer, PodFinding
from app.admission.policy import Action, Mode, Policy, cap


class Code(StrEnum):
    """One code a cause; each has its entry in `docs/reference/codes.md`."""

    INCOMPATIBLE = "IC101"
    NO_CANDIDATES = "IC102"
    NOT_KNOWN = "IC103"
    MISSING = "IC201"
    UNAVAILABLE = "IC202"
    UNAUTHORIZED = "IC203"
    IMAGE_NOT_FOUND = "IC204"
    INVALID = "IC205"
    ERROR = "IC301"
    OVERLOAD = "IC302"


class Verdict(StrEnum):
    """What is known of the Pod, whatever the policy makes of it."""

    FITS = "fits"
    DOES_NOT_FIT = "does not fit"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason for an action.

    Attributes:
        code: stable, for people to look up.
        action: what the policy makes of it, before the mode.
        image: index into the findings' images; `None` for the Pod as a whole.
        capped_by: every circumstance that asks for less than the policy's row
            does, or than a denial of a misfit; `""` if none does.
    """

    code: Code
    action: Action
    image: int | None = None
    capped_by: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the request.

    Attributes:
        action: after the mode.
        causes: all of them, worst first, then in the table's order.
        status: HTTP status of a denial: 503 if an image could not be judged, 403
            if the candidates were.
        verdict: for annotations and logs.
        mode: that capped the action.
    """

    action: Action
    causes: tuple[Cause, ...]
    status: int
    verdict: Verdict
    mode: Mode


def verdict_of(finding: PodFinding) -> Verdict:
    """What is known of the Pod."""
    if not finding.fits and finding.asks_for_something:
        is_known = finding.candidates and not finding.unknown
        return Verdict.DOES_NOT_FIT if is_known else Verdict.UNKNOWN
    was_seen = (UNSEEN.keys().isdisjoint(image.answers) for image in finding.images)
    return Verdict.FITS if all(was_seen) else Verdict.UNKNOWN


def decide(policy: Policy, mode: Mode, finding: PodFinding) -> Decision:
    """Decides; `mode` is the namespace's."""
    causes = sorted(
        (*_of_candidates(policy, finding), *_of_images(policy, finding)),
        key=lambda cause: -cause.action.value,
    )
    worst = causes[0] if causes else None
    wanted = worst.action if worst else Action.ALLOW
    action = limited(wanted, mode, is_template=finding.template_of is not None)
    of_image = worst is not None and worst.image is not None
    return Decision(
        action=action,
        causes=tuple(causes),
        status=503 if of_image else 403,
        verdict=verdict_of(finding),
        mode=mode,
    )


def limited(action: Action, mode: Mode, *, is_template: bool) -> Action:
    """What is left of `action`: no more than the mode lets, no template denied."""
    most = Action.WARN if is_template else Action.DENY
    return min(action, cap(mode), most)


def _of_candidates(policy: Policy, finding: PodFinding) -> Iterator[Cause]:
    if finding.fits or not finding.asks_for_something:
        return
    if not finding.candidates:
        yield Cause(Code.NO_CANDIDATES, policy.on_no_candidates)
    elif finding.unknown:
        yield _capped(policy, finding, Code.NOT_KNOWN, policy.on_unknown)
    else:
        yield _capped(policy, finding, Code.INCOMPATIBLE, Action.DENY)


def _capped(policy: Policy, finding: PodFinding, code: Code, action: Action) -> Cause:
    """The cause, with all caps that hold and ask for less than `action`."""
    stale = finding.stale_seconds > policy.stale_after_seconds
    caps = (
        (stale, policy.on_stale, "the view of the cluster is stale"),
        (finding.scalable, policy.on_scalable, "nodes may appear"),
        (finding.daemon_set, policy.daemon_sets, "the Pod is a DaemonSet's"),
    )
    lower = [(limit, why) for holds, limit, why in caps if holds and limit < action]
    least = min((limit for limit, _ in lower), default=action)
    return Cause(code, least, capped_by=", ".join(why for _, why in lower))


_Row: TypeAlias = tuple[Code, Callable[[Policy], Action]]

_OF_IMAGES: Final[Mapping[Answer, _Row]] = {
    Answer.MISSING: (Code.MISSING, lambda policy: policy.on_missing),
    Answer.UNAVAILABLE: (Code.UNAVAILABLE, lambda policy: policy.on_unavailable),
    Answer.UNAUTHORIZED: (Code.UNAUTHORIZED, lambda policy: policy.on_unauthorized),
    Answer.NOT_FOUND: (Code.IMAGE_NOT_FOUND, lambda policy: policy.on_image_not_found),
    Answer.INVALID: (Code.INVALID, lambda policy: policy.on_invalid),
}


def _of_images(policy: Policy, finding: PodFinding) -> Iterator[Cause]:
    for index, image in enumerate(finding.images):
        for answer, (code, action) in _OF_IMAGES.items():
            if answer in image.answers:
                yield Cause(code, action(policy), image=index)
