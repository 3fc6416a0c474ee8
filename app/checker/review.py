"""A review in, a response out; the policy answers for whatever fails.

The one `except Exception` of the product stands here: an error of ours must not
be an outage of the cluster.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from app.admission import annotations as pod_annotations
from app.admission import message
from app.admission.exemption import Exemption, exempt_images
from app.admission.findings import PodFinding
from app.admission.message import Detail
from app.admission.policy import Action, Mode, Policy, cap, mode_of, mode_of_pod
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
        exemptions: what is left alone.
        max_reviews: at the same time; more are answered by `policy.on_overload`.
    """

    policy: Policy = field(default_factory=Policy)
    tags: tuple[str, ...] = ()
    detail: Detail = Detail.FULL
    annotate: bool = True
    candidates: candidates.Options = field(default_factory=candidates.Options)
    exemptions: tuple[Exemption, ...] = ()
    max_reviews: int = 512


class Checker:
    """Answers reviews; implements `webhook.application.Reviewer`."""

    def __init__(
        self,
        cluster: Cluster,
        artifacts: Artifacts,
        metrics: Metrics,
        options: Options | None = None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._now = now
        self._under_way = 0
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
        mode = mode_of(self._options.policy, None)
        fields: dict[str, object]
        self._under_way += 1
        try:
            asked = self._subject(request)
            if isinstance(asked, Subject):
                mode = await self._mode(asked, request.namespace, deadline_seconds)
            if isinstance(asked, NotJudged):
                response, fields = _ALLOWED, {"not_judged": asked.why}
            elif mode is Mode.OFF:
                response, fields = _ALLOWED, {"not_judged": "off"}
            elif self._under_way > self._options.max_reviews:
                response, fields = self._overloaded(mode)
            else:
                ends = started + deadline_seconds
                response, fields = await self._decided(asked, mode, ends)
        except Exception as error:  # noqa: BLE001 - hop 7: answered by `onError`
            log_exception("validate failed", uid=request.uid)
            response, fields = self._failed(error, mode)
        finally:
            self._under_way -= 1
        self._record("validate", request, response, fields, started)
        return response

    async def mutate(self, request: Review, *, deadline_seconds: float) -> Response:
        """Allows; writes what is known in time, and removes what was forged."""
        started = time.monotonic()
        wanted: Mapping[str, str] = {}
        fields: dict[str, object] = {}
        self._under_way += 1
        try:
            wanted = await self._annotations(request, started + deadline_seconds)
        except Exception as error:  # noqa: BLE001 - hop 7: not annotated
            log_exception("mutate failed", uid=request.uid)
            fields["error"] = type(error).__name__
        finally:
            self._under_way -= 1
        is_pod = request.kind == "Pod"
        patch = pod_annotations.patch(request.object or {}, wanted) if is_pod else ()
        response = Response(allowed=True, patch=patch)
        self._record("mutate", request, response, fields, started)
        return response

    def _subject(self, request: Review) -> Subject | NotJudged:
        """What is asked about, without what the admin exempts."""
        asked = subject.of(request)
        if isinstance(asked, NotJudged) or not self._options.exemptions:
            return asked
        exempt = exempt_images(
            self._options.exemptions,
            asked.images,
            namespace=request.namespace,
            service_account=asked.pod.service_account,
            now=self._now(),
        )
        return asked.without(exempt)

    async def _decided(
        self, asked: Subject, mode: Mode, ends: float
    ) -> tuple[Response, dict[str, object]]:
        finding = await self._find(asked, ends)
        decision = decide(self._options.policy, mode, finding)
        for cause in decision.causes:
            self._metrics.count("admission_causes_total", code=cause.code.value)
        return self._response(finding, decision), _fields(finding, decision)

    async def _annotations(self, request: Review, ends: float) -> Mapping[str, str]:
        asked = self._subject(request)
        if isinstance(asked, NotJudged):
            return pod_annotations.kept(request.old_object)
        is_full = self._under_way > self._options.max_reviews
        if is_full or not self._options.annotate:
            return {}
        seconds = ends - time.monotonic()
        if await self._mode(asked, request.namespace, seconds) is Mode.OFF:
            return {}
        return pod_annotations.of(await self._find(asked, ends))

    async def _mode(self, asked: Subject, namespace: str, seconds: float) -> Mode:
        policy = self._options.policy
        found = await self._cluster.namespace(namespace, deadline_seconds=seconds / 2)
        mode = mode_of(policy, found.labels if found is not None else None)
        return mode_of_pod(policy, mode, asked.annotations)

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
        self, error: Exception, mode: Mode
    ) -> tuple[Response, dict[str, object]]:
        name = type(error).__name__
        text = message.internal_error(name)
        action = self._options.policy.on_error
        return self._unjudged(Code.ERROR, text, action, mode), {"error": name}

    def _overloaded(self, mode: Mode) -> tuple[Response, dict[str, object]]:
        action = self._options.policy.on_overload
        response = self._unjudged(Code.OVERLOAD, message.OVERLOAD, action, mode)
        return response, {"not_judged": "overload"}

    def _unjudged(self, code: Code, text: str, action: Action, mode: Mode) -> Response:
        """What is said where nothing could be found out, by our own fault."""
        self._metrics.count("admission_causes_total", code=code.value)
        what = min(action, cap(mode))
        if what is Action.DENY:
            reason = _REASONS[503]
            return Response(allowed=False, code=503, reason=reason, message=text)
        lines = (text,) if what is Action.WARN else ()
        return Response(allowed=True, warnings=lines)

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
