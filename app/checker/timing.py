"""What becomes of new specs, and how long that takes, as metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeVar

from app.compat.budget import TOO_COSTLY
from app.compat.index import TooCostly
from app.errors import SpecError
from app.telemetry import Metrics

_T = TypeVar("_T")

Result: TypeAlias = Literal["judged", "invalid", "too_costly", "failed", "refused"]
"""`failed`: an error of ours, or nobody wants it any more; `refused`: no place."""

REGISTRY: Final = "registry"
EVALUATION: Final = "evaluation"
"""What a review may have to wait for."""


@dataclass(slots=True)
class Evaluation:
    """One spec on its way through the worker thread.

    Attributes:
        result: what became of it so far.
        seconds: that the thread took.
    """

    result: Result = "failed"
    seconds: float = 0.0

    def timed(self, act: Callable[[], _T]) -> _T:
        """What `act` gives; to be called in the thread."""
        started = time.perf_counter()
        try:
            return act()
        finally:
            self.seconds += time.perf_counter() - started

    def ended(self, found: object) -> None:
        """Notes what came out: an error, a refusal, or a judgement."""
        match found:
            case SpecError() if found.reason != TOO_COSTLY:
                self.result = "invalid"
            case SpecError() | TooCostly():
                self.result = "too_costly"
            case _:
                self.result = "judged"


@contextmanager
def evaluation(metrics: Metrics) -> Iterator[Evaluation]:
    """Counts and times what is done inside."""
    one = Evaluation()
    try:
        yield one
    finally:
        metrics.count("evaluations_total", result=one.result)
        metrics.observe("evaluation_duration_seconds", one.seconds)


def refused(metrics: Metrics) -> None:
    """Counts a spec that found no place in the queue."""
    metrics.count("evaluations_total", result="refused")
