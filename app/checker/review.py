"""A review in, a response out; the policy answers for whatever fails.

The one `except Exception` of the product stands here: an error of ours must not
be an outage of the cluster.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from app.admission import annotations as pod_annotations
from app.admission import message
from app.admission.exemption import Exemption, exempt_images, expired
from app.admission.findings import PodFinding
from app.admission.message import Detail
from app.admission.policy import Mode, Policy, mode_of, mode_of_pod
from app.admission.review import Response, Review
from app.admission.verdict import Code, decide
from app.checker import answering, subject
from app.checker.explanation import Explainer
from app.checker.gathering import Gathering
from app.checker.subject import NotJudged, Subject
from app.checker.view import View
from app.compat.outcome import UnpublishedFeatures
from app.ports import Artifacts, Cluster
from app.scheduling import candidates
from app.telemetry import Metrics, log_event, log_exception

FOLLOW_SECONDS: Final = 0.5
"""How often changes are taken in while no review asks for them."""


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
        unpublished: what a feature is that no known node publishes.
        max_reviews: at the same time; more are answered by `policy.on_overload`.
    """

    policy: Policy = field(default_factory=Policy)
    tags: tuple[str, ...] = ()
    detail: Detail = Detail.FULL
    annotate: bool = True
    candidates: candidates.Options = field(default_factory=candidates.Options)
    exemptions: tuple[Exemption, ...] = ()
    unpublished: UnpublishedFeatures = UnpublishedFeatures.UNKNOWN
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
        self._options = chosen = options or Options()
        self._view = view = View(cluster, unpublished=chosen.unpublished)
        self._gathering = Gathering(
            cluster,
            artifacts,
            chosen.policy,
            chosen.candidates,
            chosen.tags,
            view,
            Explainer(view.index, view.nodes, chosen.tags),
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follows the cluster between reviews too, so that none pays for many."""
        following = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await self._gathering.worker.close()

    def refresh(self) -> None:
        """Brings gauges up to date."""
        index, worker = self._view.index, self._gathering.worker
        self._metrics.set("specs_remembered", len(index))
        self._metrics.set("answers_bytes", index.size_bytes)
        self._metrics.set("evaluations_waiting", len(worker))
        given = self._options.exemptions
        past = len(expired(given, now=self._now()))
        self._metrics.set("exemptions", past, state="expired")
        self._metrics.set("exemptions", len(given) - past, state="holding")

    async def _follow(self) -> None:
        while True:
            try:
                await self._view.catch_up()
            except Exception:  # noqa: BLE001 - reviews meet it too, and answer it
                log_exception("following the cluster failed")
            await asyncio.sleep(FOLLOW_SECONDS)

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
            if isinstance(asked, NotJudged) or mode is Mode.OFF:
                why = asked.why if isinstance(asked, NotJudged) else "off"
                response, fields = answering.not_judged(why), {"not_judged": why}
            elif self._under_way > self._options.max_reviews:
                response = self._failed(Code.OVERLOAD, message.OVERLOAD, request, mode)
                fields = {"not_judged": "overload"}
            else:
                ends = started + deadline_seconds
                response, fields = await self._decided(asked, mode, ends)
        except Exception as error:  # noqa: BLE001 - hop 7: answered by `onError`
            log_exception("validate failed", uid=request.uid)
            name = type(error).__name__
            text = message.internal_error(name)
            response = self._failed(Code.ERROR, text, request, mode)
            fields = {"error": name}
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
            (*asked.images, *asked.others),
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
        response = answering.judged(finding, decision, self._options.detail)
        return response, answering.logged(asked, finding, decision)

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
        finding = await self._find(asked, ends)
        return pod_annotations.of(finding) if finding.in_time else {}

    async def _mode(self, asked: Subject, namespace: str, seconds: float) -> Mode:
        policy = self._options.policy
        found = await self._cluster.namespace(namespace, deadline_seconds=seconds / 2)
        mode = mode_of(policy, found.labels if found is not None else None)
        return mode_of_pod(policy, mode, asked.annotations)

    async def _find(self, asked: Subject, ends: float) -> PodFinding:
        left = ends - time.monotonic()
        return await self._gathering.find(asked, deadline_seconds=left)

    def _failed(self, code: Code, text: str, request: Review, mode: Mode) -> Response:
        """What is said where nothing could be found out, by our own fault."""
        self._metrics.count("admission_causes_total", code=code.value)
        policy = self._options.policy
        is_overload = code is Code.OVERLOAD
        action = policy.on_overload if is_overload else policy.on_error
        why = "overload" if is_overload else "error"
        is_template = request.kind != "Pod"
        return answering.failed(text, why, action, mode, is_template=is_template)

    def _record(
        self,
        webhook: str,
        request: Review,
        response: Response,
        fields: Mapping[str, object],
        started: float,
    ) -> None:
        decision = response.decision
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
