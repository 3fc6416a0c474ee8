"""What is kept of a review: counters, one line in the log, and the last decisions.

The last decisions are for whoever asks the process how it is, and anybody may: they
hold no name of an object, an image or a node. Only what had something to say is
among them; reviews that are simply allowed would push out everything else.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from app.admission.review import Response, Review
from app.checker.options import Options
from app.telemetry import Metrics, log_event

Webhook: TypeAlias = Literal["validate", "mutate"]
"""Which of the two is asked; also a metric's label."""

MAX_DECISIONS: Final = 20
"""That are remembered."""

_OPERATIONS: Final = frozenset({"CREATE", "UPDATE", "DELETE", "CONNECT"})
_FAULTS: Final = frozenset({"overload", "error"})
"""Why a review was not judged, where that is worth telling."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A review of the validating webhook that had something to say.

    Attributes:
        at: when it was answered.
        kind: of the object.
        namespace: empty for what has none.
        operation: `CREATE`, `UPDATE`.
        is_dry_run: nothing was stored.
        decision: `deny`, `warn` or `allow`.
        mode: of the namespace; empty if it was not judged.
        codes: why.
        not_judged: why not, one word; empty if it was.
        candidates: nodes that could take the Pod.
        fits: those that fit.
        unknown: those of which nothing is known.
        seconds: how long it took.
    """

    at: datetime
    kind: str
    namespace: str
    operation: str
    is_dry_run: bool
    decision: str
    mode: str
    codes: tuple[str, ...]
    not_judged: str
    candidates: int
    fits: int
    unknown: int
    seconds: float


@dataclass(frozen=True, slots=True)
class State:
    """How the checker is.

    Attributes:
        options: that decide now.
        reviews: under way.
        specs: whose answers are kept.
        answers_bytes: what these take, roughly.
        evaluations_waiting: new specs that wait for the worker thread.
        nodes_may_appear: what that option amounts to.
        exemptions: that hold.
        decisions: the last ones, the newest last.
    """

    options: Options
    reviews: int
    specs: int
    answers_bytes: int
    evaluations_waiting: int
    nodes_may_appear: bool
    exemptions: int
    decisions: tuple[Remembered, ...]


class Recorder:
    """Keeps what is kept of reviews.

    Attributes:
        last: the last decisions, the newest last.
    """

    def __init__(self, metrics: Metrics, now: Callable[[], datetime]) -> None:
        self.last: Final[deque[Remembered]] = deque(maxlen=MAX_DECISIONS)
        self._metrics: Final = metrics
        self._now: Final = now

    def record(
        self,
        webhook: Webhook,
        request: Review,
        response: Response,
        fields: Mapping[str, Any],
        started: float,
    ) -> None:
        """Keeps what there is to keep of one review.

        Args:
            webhook: that was asked.
            request: the question.
            response: the answer.
            fields: of the line in the log, beside who asked.
            started: on `time.monotonic`.
        """
        decision = response.decision
        seconds = round(time.monotonic() - started, 6)
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
            seconds=seconds,
            **fields,
        )
        why = "error" if "error" in fields else fields.get("not_judged", "")
        if webhook == "validate" and why:
            self._metrics.count("admission_not_judged_total", why=why)
        codes = tuple(fields.get("causes", ()))
        if webhook == "validate" and (codes or why in _FAULTS):
            self._remember(request, fields, (decision, why, codes), seconds)

    def _remember(
        self,
        request: Review,
        fields: Mapping[str, Any],
        answer: tuple[str, str, tuple[str, ...]],
        seconds: float,
    ) -> None:
        decision, why, codes = answer
        self.last.append(
            Remembered(
                at=self._now(),
                kind=request.kind,
                namespace=request.namespace,
                operation=request.operation,
                is_dry_run=request.dry_run,
                decision=decision,
                mode=fields.get("mode", ""),
                codes=codes,
                not_judged=why,
                candidates=fields.get("candidates", 0),
                fits=fields.get("fits", 0),
                unknown=fields.get("unknown", 0),
                seconds=seconds,
            )
        )
