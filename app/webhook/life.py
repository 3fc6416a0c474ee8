"""What `/livez` and `/readyz` say, from the first moment to the last.

Ready is: reviews can be judged, the certificate is good, and nobody told us to end.
Alive is a question for the process alone: an API server that is away, or a broken
certificate, gets no better by a restart.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from app.webhook.parts import Parts

WORKER_FACTOR: Final = 10
"""The worker thread may be in one job for so many times `server.stuckSeconds`. The
dearest spec takes three seconds of a core (docs/explanation/cost.md), half a minute
where a Pod gets a tenth of one; and a restart would judge it again."""

DRAINING: Final = "draining: told to end"
NOT_OPEN: Final = "the HTTPS port is not open yet"


class Life:
    """One process, from start to end.

    Attributes:
        started: when.
        is_open: whether the HTTPS port is.
        is_draining: whether it was told to end.
    """

    def __init__(
        self,
        parts: Parts,
        stuck_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.started: Final = datetime.now(UTC)
        self.is_open = False
        self.is_draining = False
        self._parts: Final = parts
        self._worker_seconds: Final = stuck_seconds * WORKER_FACTOR
        self._clock: Final = clock
        self._started_at: Final = clock()

    @property
    def uptime_seconds(self) -> float:
        """Since the start."""
        return self._clock() - self._started_at

    def faults(self) -> tuple[str, ...]:
        """Why only a restart helps; empty while alive."""
        seconds = self._parts.job_seconds()
        if seconds <= self._worker_seconds:
            return ()
        return (f"the worker thread has been in one job for {seconds:.0f} s",)

    def problems(self) -> tuple[str, ...]:
        """Why not to send us reviews; empty when ready."""
        if self.is_draining:
            return (DRAINING,)
        parts = self._parts
        found = parts.health.problems() + parts.certificates.problems()
        return found or (() if self.is_open else (NOT_OPEN,))

    def warnings(self) -> tuple[str, ...]:
        """What somebody should look at."""
        return self._parts.health.warnings() + self._parts.certificates.warnings()
