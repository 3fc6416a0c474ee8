"""A review in, a response out; the policy answers for whatever fails.

An error of ours must not be an outage of the cluster, so any exception ends here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

from app.admission import annotations as pod_annotations
from app.admission import message
from app.admission.exemption import exempt_images, expired
from app.admission.findings import PodFinding
from app.admission.policy import (
    Mode,
    Policy,
    mode_of,
    mode_of_pod,
    nodes_may_appear,
)
from app.admission.review import Response, Review
from app.admission.verdict import Code, decide
from app.checker import answering, subject
from app.checker.judged import Judged
from app.checker.options import Options
from app.checker.record import Recorder, State, Webhook
from app.checker.setup import Setup, Setups, first_setup
from app.checker.subject import NotJudged, Subject
from app.ports import Artifacts, Cluster
from app.telemetry import Metrics, log_exception

FOLLOW_SECONDS: Final = 0.5
"""How often changes are taken in while no review asks for them."""


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
        self._recorder = Recorder(metrics, now)
        chosen = options or Options()
        self._setups = Setups(first_setup(cluster, artifacts, metrics, chosen))

    @property
    def options(self) -> Options:
        """What reviews that begin now are decided by."""
        return self._setups.current.options

    async def exchange(
        self, options: Options, artifacts: Artifacts | None = None
    ) -> None:
        """Decides reviews that begin after this by other options.

        Those under way end on the old ones. What takes long is done before.

        Args:
            options: the new ones.
            artifacts: another port to ask; `None` for the same as before.
        """
        await self._setups.exchange(options, artifacts)

    async def until_unused(self, artifacts: Artifacts) -> None:
        """Ends when no review asks a port any more that was exchanged."""
        await self._setups.until_unused(artifacts)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follows the cluster between reviews too, so that none pays for many."""
        following = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await self._setups.current.gathering.worker.close()

    def refresh(self) -> None:
        """Brings gauges up to date."""
        gathering = self._setups.current.gathering
        index, worker = gathering.view.index, gathering.worker
        self._metrics.set("specs_remembered", len(index))
        self._metrics.set("answers_bytes", index.size_bytes)
        self._metrics.set("evaluations_waiting", len(worker))
        self._metrics.set("admission_in_flight", self._under_way)
        given = self.options.exemptions
        past = len(expired(given, now=self._now()))
        self._metrics.set("exemptions", past, state="expired")
        self._metrics.set("exemptions", len(given) - past, state="holding")
        policy, view = self.options.policy, gathering.view
        for mode in Mode:
            self._metrics.set("policy_mode", float(mode is policy.mode), mode=mode)
        may_appear = nodes_may_appear(policy, view.labelled)
        self._metrics.set("nodes_may_appear", float(may_appear))

    def job_seconds(self) -> float:
        """For how long the worker thread is in one job; 0 if in none."""
        return self._setups.current.gathering.worker.job_seconds()

    def state(self) -> State:
        """What is told of it to whoever may ask."""
        gathering, options = self._setups.current.gathering, self.options
        index, labelled = gathering.view.index, gathering.view.labelled
        past = len(expired(options.exemptions, now=self._now()))
        return State(
            options=options,
            reviews=self._under_way,
            specs=len(index),
            answers_bytes=index.size_bytes,
            evaluations_waiting=len(gathering.worker),
            nodes_may_appear=nodes_may_appear(options.policy, labelled),
            exemptions=len(options.exemptions) - past,
            decisions=tuple(self._recorder.last),
        )

    async def _follow(self) -> None:
        while True:
            try:
                await self._setups.current.gathering.view.catch_up()
            except Exception:  # noqa: BLE001 - reviews meet it too, and answer it
                log_exception("following the cluster failed")
            await asyncio.sleep(FOLLOW_SECONDS)

    async def validate(self, request: Review, *, deadline_seconds: float) -> Response:
        """Allows, warns or denies."""
        started = time.monotonic()
        with self._setups.use() as setup:
            ends = started + deadline_seconds
            response, fields = await self._validated(setup, request, ends)
        self._recorder.record("validate", request, response, fields, started)
        return response

    async def _validated(
        self, setup: Setup, request: Review, ends: float
    ) -> tuple[Response, dict[str, object]]:
        policy = setup.options.policy
        mode = mode_of(policy, None)
        fields: dict[str, object]
        self._under_way += 1
        is_over = self._under_way > setup.options.max_reviews
        try:
            asked = self._subject(setup.options, request)
            if isinstance(asked, Subject):
                seconds = ends - time.monotonic()
                mode = await self._mode(policy, asked, request.namespace, seconds)
            if isinstance(asked, NotJudged) or mode is Mode.OFF:
                why = asked.why if isinstance(asked, NotJudged) else "off"
                response = answering.not_judged(asked, why)
                fields = answering.told(asked) | {"not_judged": why}
            elif is_over:
                response = self._overloaded(policy, "validate", request, mode)
                fields = answering.told(asked) | {"not_judged": "overload"}
            else:
                response, fields = await self._decided(setup, asked, mode, ends)
        except Exception as error:  # noqa: BLE001 - hop 7: answered by `onError`
            log_exception("validate failed", uid=request.uid)
            name = type(error).__name__
            text = message.internal_error(name)
            response = self._failed(policy, Code.ERROR, text, request, mode)
            fields = {"error": name}
        finally:
            self._under_way -= 1
        return response, fields

    async def judge(
        self, request: Review, *, deadline_seconds: float
    ) -> Judged | NotJudged:
        """What `validate` would answer, and why; nothing is counted or logged.

        A namespace's mode `off` keeps nothing from being judged; then the answer is
        that of a review that is left alone.

        Raises:
            Exception: what `validate` would answer by the policy `onError`.
        """
        ends = time.monotonic() + deadline_seconds
        with self._setups.use() as setup:
            asked = self._subject(setup.options, request)
            if isinstance(asked, NotJudged):
                return asked
            policy = setup.options.policy
            mode = await self._mode(policy, asked, request.namespace, deadline_seconds)
            return await _judge(setup, asked, mode, ends)

    async def mutate(self, request: Review, *, deadline_seconds: float) -> Response:
        """Allows; writes what is known in time, and removes what was forged."""
        started = time.monotonic()
        wanted: Mapping[str, str] = {}
        fields: dict[str, object] = {}
        self._under_way += 1
        try:
            with self._setups.use() as setup:
                ends = started + deadline_seconds
                wanted = await self._annotations(setup, request, ends)
        except Exception as error:  # noqa: BLE001 - hop 7: not annotated
            log_exception("mutate failed", uid=request.uid)
            fields["error"] = type(error).__name__
        finally:
            self._under_way -= 1
        is_pod = request.kind == "Pod"
        patch = pod_annotations.patch(request.object or {}, wanted) if is_pod else ()
        fields["patched"] = len(patch)
        response = Response(allowed=True, patch=patch)
        self._recorder.record("mutate", request, response, fields, started)
        return response

    async def shed(
        self, request: Review, webhook: Webhook, *, deadline_seconds: float
    ) -> Response:
        """The answer to a review for which there was no room, not even to be read.

        Args:
            request: without its object.
            webhook: that was asked.
            deadline_seconds: for the namespace's mode, which caps the policy.
        """
        started = time.monotonic()
        policy = self.options.policy
        response = Response(allowed=True)
        if webhook == "validate":
            name = request.namespace
            mode = await self._namespace_mode(policy, name, deadline_seconds)
            if mode is not Mode.OFF:
                response = self._overloaded(policy, webhook, request, mode)
        else:
            self._metrics.count("admission_shed_total", webhook=webhook)
        fields = {"not_judged": "overload"}
        self._recorder.record(webhook, request, response, fields, started)
        return response

    def _subject(self, options: Options, request: Review) -> Subject | NotJudged:
        """What is asked about, without what the admin exempts."""
        asked = subject.of(request)
        if isinstance(asked, NotJudged) or not options.exemptions:
            return asked
        exempt = exempt_images(
            options.exemptions,
            (*asked.images, *asked.others),
            namespace=request.namespace,
            service_account=asked.pod.service_account,
            now=self._now(),
        )
        return asked.without({image: one.owner for image, one in exempt.items()})

    async def _decided(
        self, setup: Setup, asked: Subject, mode: Mode, ends: float
    ) -> tuple[Response, dict[str, object]]:
        judged = await _judge(setup, asked, mode, ends)
        for cause in judged.decision.causes:
            self._metrics.count("admission_causes_total", code=cause.code.value)
        fields = answering.logged(asked, judged.gathered.finding, judged.decision)
        return judged.response, fields

    async def _annotations(
        self, setup: Setup, request: Review, ends: float
    ) -> Mapping[str, str]:
        options = setup.options
        asked = self._subject(options, request)
        if isinstance(asked, NotJudged):
            return pod_annotations.kept(request.old_object)
        is_full = self._under_way > options.max_reviews
        if is_full:
            self._metrics.count("admission_shed_total", webhook="mutate")
        if is_full or not options.annotate:
            return {}
        seconds = ends - time.monotonic()
        mode = await self._mode(options.policy, asked, request.namespace, seconds)
        if mode is Mode.OFF:
            return {}
        finding = await _find(setup, asked, ends)
        return pod_annotations.of(finding) if finding.in_time else {}

    async def _mode(
        self, policy: Policy, asked: Subject, namespace: str, seconds: float
    ) -> Mode:
        mode = await self._namespace_mode(policy, namespace, seconds)
        return mode_of_pod(policy, mode, asked.annotations)

    async def _namespace_mode(self, policy: Policy, name: str, seconds: float) -> Mode:
        """Looks for half of the time at most; the rest is for the Pod."""
        found = await self._cluster.namespace(name, deadline_seconds=seconds / 2)
        return mode_of(policy, found.labels if found is not None else None)

    def _overloaded(
        self, policy: Policy, webhook: Webhook, request: Review, mode: Mode
    ) -> Response:
        self._metrics.count("admission_shed_total", webhook=webhook)
        return self._failed(policy, Code.OVERLOAD, message.OVERLOAD, request, mode)

    def _failed(
        self, policy: Policy, code: Code, text: str, request: Review, mode: Mode
    ) -> Response:
        """What is said where nothing could be found out, by our own fault."""
        self._metrics.count("admission_causes_total", code=code.value)
        is_overload = code is Code.OVERLOAD
        action = policy.on_overload if is_overload else policy.on_error
        why = "overload" if is_overload else "error"
        is_template = request.kind != "Pod"
        return answering.failed(text, why, action, mode, is_template=is_template)


async def _judge(setup: Setup, asked: Subject, mode: Mode, ends: float) -> Judged:
    left = ends - time.monotonic()
    gathered = await setup.gathering.gather(asked, deadline_seconds=left)
    decision = decide(setup.options.policy, mode, gathered.finding)
    detail = setup.options.detail
    response = answering.judged(asked, gathered.finding, decision, detail)
    return Judged(setup.gathering, asked, gathered, decision, response)


async def _find(setup: Setup, asked: Subject, ends: float) -> PodFinding:
    left = ends - time.monotonic()
    return await setup.gathering.find(asked, deadline_seconds=left)
