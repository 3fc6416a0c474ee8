"""Decisions as responses: what the API server, the audit log and our log are told.

The audit annotations are the authoritative record of a review; the line in our log
says the same, and who asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.admission import annotations as pod_annotations
from app.admission import message
from app.admission.findings import PodFinding
from app.admission.message import Detail
from app.admission.policy import Action, Mode
from app.admission.review import Response
from app.admission.verdict import Decision, limited
from app.checker.subject import NotJudged, Subject

_REASONS: Final[Mapping[int, str]] = {403: "Forbidden", 503: "ServiceUnavailable"}


def judged(
    asked: Subject, finding: PodFinding, decision: Decision, detail: Detail
) -> Response:
    """The response to a Pod that was judged."""
    audit = _audit(asked, finding, decision)
    if decision.action is not Action.DENY:
        lines = message.warnings(finding, decision, detail)
        return Response(allowed=True, warnings=lines, audit=audit)
    return Response(
        allowed=False,
        code=decision.status,
        reason=_REASONS[decision.status],
        message=message.denial(finding, decision, detail),
        audit=audit,
    )


def not_judged(asked: Subject | NotJudged, why: str) -> Response:
    """The response to what we leave alone; `why` is one stable word."""
    audit = {"not-judged": why, **_exempted_by(asked)}
    return Response(allowed=True, audit=audit)


def failed(
    text: str, why: str, action: Action, mode: Mode, *, is_template: bool
) -> Response:
    """The response where nothing could be found out, by our own fault.

    Args:
        text: for a person.
        why: one stable word, for the record.
        action: what the policy wants.
        mode: of the namespace.
        is_template: the object is no Pod yet, and never denied.
    """
    audit = {"not-judged": why, "mode": mode.value}
    what = limited(action, mode, is_template=is_template)
    if what is Action.DENY:
        reason = _REASONS[503]
        return Response(False, 503, reason, text, audit=audit)  # noqa: FBT003
    lines = (text,) if what is Action.WARN else ()
    return Response(allowed=True, warnings=lines, audit=audit)


def _exempted_by(asked: Subject | NotJudged) -> dict[str, str]:
    """Who answers for it that images are left alone; a record of its own."""
    owners = dict.fromkeys(asked.exempted.values())
    return {"exempted-by": ", ".join(owners)} if owners else {}


def _audit(asked: Subject, finding: PodFinding, decision: Decision) -> dict[str, str]:
    causes = decision.causes
    audit = {
        "verdict": decision.verdict,
        "decision": decision.action.name.lower(),
        "mode": decision.mode,
        "nodes": f"{finding.fits}/{finding.candidates}",
        "causes": ",".join(cause.code for cause in causes),
        "capped-by": ", ".join(c.capped_by for c in causes if c.capped_by),
        "images": pod_annotations.images(finding),
        "specs": pod_annotations.specs(finding),
        "left-out": ",".join(finding.left_out),
        **_exempted_by(asked),
    }
    return {key: value for key, value in audit.items() if value}


def logged(
    asked: Subject, finding: PodFinding, decision: Decision
) -> dict[str, object]:
    """What a review's line in the log says of a Pod that was judged."""
    every = finding.images + finding.others
    fields = told(asked) | {
        "verdict": decision.verdict,
        "mode": decision.mode,
        "causes": [cause.code for cause in decision.causes],
        "candidates": finding.candidates,
        "fits": finding.fits,
        "unknown": finding.unknown,
        "images": {image.image: image.digest for image in every},
    }
    if asked.pod.image_volumes:
        fields["image_volumes"] = [one.reference for one in asked.pod.image_volumes]
    if finding.left_out:
        fields["left_out"] = finding.left_out
    if finding.waited_for:
        fields["waited_for"] = finding.waited_for
    marks = {one.image: sorted(set(one.marks.values())) for one in every if one.marks}
    if marks:
        fields["marks"] = marks
    caps = [cause.capped_by for cause in decision.causes if cause.capped_by]
    if caps:
        fields["capped_by"] = caps
    return fields


def told(asked: Subject | NotJudged) -> dict[str, object]:
    """What a review's line says of any object: whose it is, what is left alone."""
    fields: dict[str, object] = {}
    if asked.owner is not None:
        fields["owner"] = f"{asked.owner.kind}/{asked.owner.name}"
    if asked.exempted:
        fields["exempted"] = asked.exempted
    return fields
