"""A review in, a response out; the policy answers for whatever fails.

The one `except Exception` of the product stands here: an error of ours must not
be an outage of the cluster.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from app.admission import annotations as pod_annotations
from app.admission import message
from app.admission.findings import PodFinding
from app.admission.message import Detail
from app.admission.policy import Action, Mode, Policy, cap, mode_of
from app.admission.review import Response, Review
from app.admission.verdict import Code, Decision, decide, verdict_of
from app.checker import subject
from app.checker.evaluation import Evaluation
from app.checker.gathering import Gathering
from app.checker.subject import NotJudged, Subject
from app.ports import Artifacts, Cluster
from app.scheduling import candidates
from app.telemetry import Metrics, log_event, log_exception

_ALLOWED: Final = Response(allowed=True)
_REASONS: Final[Mapping[int, str]] = {403: "Forbidden", 503: "ServiceUnavailable"}


@dataclass(frozen=True, slots=True)
class Options:
    """What an admin decides about reviews.

    Attributes:
        policy: actions and modes.
        tags: only compatibility sets with one of these count; empty for all.
        detail: how much a text tells of the cluster.
        annotate: whether Pods are annotated.
        candidates: which nodes count.
    """

    policy: Policy = field(default_factory=Policy)
    tags: tuple[str, ...] = ()
    detail: Detail = Detail.FULL
    annotate: bool = True
    candidates: candidates.Options = field(default_factory=candidates.Options)


class Checker:
    """Answers reviews; implements `webhook.application.Reviewer`."""

    def __init__(
        self,
        cluster: Cluster,
        artifacts: Artifacts,
        metrics: Metrics,
        options: Options | None = None,
    ) -> None:
        self._cluster = cluster
        self._metrics = metrics
        self._options = options or Options()
        self._gathering = Gathering(
            cluster,
            artifacts,
            self._options.policy,
            self._options.candidates,
            Evaluation(self._options.tags),
        )

    async def validate(self, request: Review, *, deadline_seconds: float) -> Response:
        """Allows, warns or denies."""
        started = time.monotonic()
        asked = subject.of(request)
        mode = mode_of(self._options.policy, None)
        fields: dict[str, object]
        try:
            if isinstance(asked, NotJudged):
                response, fields = _ALLOWED, {"not_judged": asked.why}
            else:
                mode = await self._mode(request.namespace, deadline_seconds)
                ends = started + deadline_seconds
                response, fields = await self._decided(asked, mode, ends)
        except Exception as error:  # noqa: BLE001 - hop 7: answered by `onError`
            response, fields = self._failed(request, error, mode)
        self._record("validate", request, response, fields, started)
        return response

    async def mutate(self, request: Review, *, deadline_seconds: float) -> Response:
        """Allows; writes what is known in time, and removes what was forged."""
        started = time.monotonic()
        wanted: Mapping[str, str] = {}
        fields: dict[str, object] = {}
        try:
            wanted = await self._annotations(request, started + deadline_seconds)
        except Exception as error:  # noqa: BLE001 - hop 7: not annotated
            log_exception("mutate failed", uid=request.uid)
            fields["error"] = type(error).__name__
        is_pod = request.kind == "Pod"
        patch = pod_annotations.patch(request.object or {}, wanted) if is_pod else ()
        response = Response(allowed=True, patch=patch)
        self._record("mutate", request, response, fields, started)
        return response

    async def _decided(
        self, asked: Subject, mode: Mode, ends: float
    ) -> tuple[Response, dict[str, object]]:
        if mode is Mode.OFF:
            return _ALLOWED, {"not_judged": "off"}
        finding = await self._find(asked, ends)
        decision = decide(self._options.policy, mode, finding)
        for cause in decision.causes:
            self._metrics.count("admission_causes_total", code=cause.code.value)
        return self._response(finding, decision), _fields(finding, decision)

    async def _annotations(self, request: Review, ends: float) -> Mapping[str, str]:
        asked = subject.of(request)
        if isinstance(asked, NotJudged):
            return pod_annotations.kept(request.old_object)
        if not self._options.annotate:
            return {}
        seconds = ends - time.monotonic()
        if await self._mode(request.namespace, seconds) is Mode.OFF:
            return {}
        return pod_annotations.of(await self._find(asked, ends))

    async def _mode(self, namespace: str, seconds: float) -> Mode:
        found = await self._cluster.namespace(namespace, deadline_seconds=seconds / 2)
        labels = found.labels if found is not None else None
        return mode_of(self._options.policy, labels)

    async def _find(self, asked: Subject, ends: float) -> PodFinding:
        left = ends - time.monotonic()
        return await self._gathering.find(asked, deadline_seconds=left)

    def _response(self, finding: PodFinding, decision: Decision) -> Response:
        detail = self._options.detail
        audit = {
            "verdict": decision.verdict.value,
            "nodes": f"{finding.fits}/{finding.candidates}",
        }
        if decision.causes:
            audit["causes"] = ",".join(c.code.value for c in decision.causes)
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

    def _failed(
        self, request: Review, error: Exception, mode: Mode
    ) -> tuple[Response, dict[str, object]]:
        name = type(error).__name__
        log_exception("validate failed", uid=request.uid)
        self._metrics.count("admission_causes_total", code=Code.ERROR.value)
        text = message.internal_error(name)
        action = min(self._options.policy.on_error, cap(mode))
        fields: dict[str, object] = {"error": name}
        if action is Action.DENY:
            reason = _REASONS[503]
            denied = Response(allowed=False, code=503, reason=reason, message=text)
            return denied, fields
        lines = (text,) if action is Action.WARN else ()
        return Response(allowed=True, warnings=lines), fields

    def _record(
        self,
        webhook: str,
        request: Review,
        response: Response,
        fields: Mapping[str, object],
        started: float,
    ) -> None:
        decision = "deny" if not response.allowed else "allow"
        if response.warnings:
            decision = "warn"
        self._metrics.count(
            "admission_requests_total",
            webhook=webhook,
            operation=request.operation if request.operation in _OPERATIONS else "?",
            decision=decision,
        )
        log_event(
            "review",
            webhook=webhook,
            uid=request.uid,
            kind=request.kind,
            namespace=request.namespace,
            name=request.name,
            operation=request.operation,
            dry_run=request.dry_run,
            decision=decision,
            seconds=round(time.monotonic() - started, 6),
            **fields,
        )


_OPERATIONS: Final = frozenset({"CREATE", "UPDATE", "DELETE", "CONNECT"})


def _fields(finding: PodFinding, decision: Decision) -> dict[str, object]:
    """What the review's line in the log says beside who asked."""
    return {
        "verdict": verdict_of(finding).value,
        "mode": decision.mode.value,
        "causes": [cause.code.value for cause in decision.causes],
        "candidates": finding.candidates,
        "fits": finding.fits,
        "unknown": finding.unknown,
        "images": {image.image: image.digest for image in finding.images},
    }
