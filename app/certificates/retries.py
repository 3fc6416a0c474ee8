"""When something that failed, or was undone, may be tried again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from app.certificates.watching import Clock

FIRST_SECONDS: Final = 0.5
LIMIT_SECONDS: Final = 30.0
LOST_SECONDS: Final = 0.05
"""After a lost race: soon, but not all at once."""

CALM_SECONDS: Final = 1.0
"""What has to be done again sooner than that was undone by somebody."""


class Retries:
    """Failures by what was tried, each with a pause that doubles, and its chance.

    Attributes:
        failures: what was tried -> why it failed the last time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock: Final = clock
        self._tries: dict[str, int] = {}
        self._until: dict[str, float] = {}
        self._done: dict[str, tuple[float, float]] = {}
        self.failures: dict[str, str] = {}

    def failed(self, what: str, why: str) -> bool:
        """It failed; whether this is news."""
        tries = self._tries[what] = self._tries.get(what, 0) + 1
        pause = min(FIRST_SECONDS * 2.0 ** min(tries - 1, 10), LIMIT_SECONDS)
        self._block(what, pause)
        is_news = self.failures.get(what) != why
        self.failures[what] = why
        return is_news

    def lost(self, what: str) -> None:
        """Somebody else was quicker."""
        self._block(what, LOST_SECONDS)

    def went_well(self, what: str) -> bool:
        """It did not fail; whether it had failed before."""
        self._tries.pop(what, None)
        self._until.pop(what, None)
        return self.failures.pop(what, None) is not None

    def done(self, what: str) -> None:
        """It was done; if that is undone again and again, the pauses grow.

        Somebody else may want it otherwise: nobody wins, but nobody runs hot.
        """
        now = self._clock.monotonic()
        before, pause = self._done.get(what, (-LIMIT_SECONDS, 0.0))
        if now - before < max(CALM_SECONDS, 3 * pause):
            pause = min(max(2 * pause, FIRST_SECONDS), LIMIT_SECONDS)
            self._block(what, pause)
        else:
            pause = 0.0
        self._done[what] = now, pause

    def is_blocked(self, what: str) -> bool:
        """Whether it has to wait."""
        return self.wait_seconds(what) > 0

    def wait_seconds(self, what: str) -> float:
        """How long it has to wait yet."""
        return max(self._until.get(what, 0.0) - self._clock.monotonic(), 0.0)

    def waits(self) -> Iterator[float]:
        """How long each thing that has to wait has to."""
        yield from (one for one in map(self.wait_seconds, self._until) if one > 0)

    def _block(self, what: str, seconds: float) -> None:
        pause = self._clock.uniform(seconds, seconds * 2)
        self._until[what] = self._clock.monotonic() + pause
