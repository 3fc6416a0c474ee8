"""Outcomes of lookups: how long they hold, and for how long they may stand in."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from app.oci.cache import TimedCache
from app.oci.lookups import stale
from app.oci.lookups.cached import Times
from app.ports import Found, ImageOutcome, PlatformOutcome, Resolved, Unavailable

K = TypeVar("K", bound=Hashable)

OUTCOMES_BYTES: Final = 16 << 20
_OUTCOME_BYTES: Final = 1024
"""What an outcome and the name of its image take beside its specs, roughly."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is remembered of one question.

    Attributes:
        answer: as it is given from memory.
        ends: until then.
        last: what was found last; `None` if that cannot stand in for anything.
        last_ends: until when it can, and all of this is kept; not before `ends`.
        by: whose answer it is; to others it can only stand in.
    """

    answer: ImageOutcome
    ends: float
    last: ImageOutcome | None
    last_ends: float
    by: object


class Outcomes(Generic[K]):
    """Remembers outcomes; bounded in bytes.

    Args:
        times: how long what holds.
        clock: in seconds, monotonic.
        evicted: called for each that goes for want of room.

    Attributes:
        cache: what is filled.
    """

    def __init__(
        self, times: Times, clock: Callable[[], float], evicted: Callable[[], None]
    ) -> None:
        self._times: Final = times
        self._clock: Final = clock
        self._own: Final = object()
        self.cache: TimedCache[K, _Kept] = TimedCache(
            clock, most_bytes=OUTCOMES_BYTES, evicted=evicted
        )

    def inherit(self, other: Outcomes[K]) -> None:
        """What another found may stand in here, too; none of it holds as an answer."""
        self.cache = other.cache

    def known(self, key: K) -> ImageOutcome | None:
        """What still holds."""
        kept = self.cache.get(key)
        if kept is None or kept.by is not self._own or self._clock() >= kept.ends:
            return None
        return kept.answer

    def stood_in(self, key: K, outcome: ImageOutcome) -> ImageOutcome | None:
        """What was found before, instead of an outcome; `None` for the outcome."""
        kept = self.cache.get(key)
        return None if kept is None else _instead(kept, outcome)

    def keep(self, key: K, outcome: ImageOutcome, ends: float) -> ImageOutcome:
        """Remembers an outcome, and says what to answer.

        Args:
            key: of the question.
            outcome: that came of asking.
            ends: until when what it rests on holds, on the clock.
        """
        ends = min(self._clock() + self._seconds(outcome), ends)
        kept = self.cache.get(key)
        instead = None if kept is None else _instead(kept, outcome)
        if kept is not None and instead is not None:
            ends = min(ends, kept.last_ends)
            self._keep(key, _Kept(instead, ends, instead, kept.last_ends, self._own))
            return instead
        answer = stale.remembered(outcome)
        last = outcome if stale.may_stand_in(outcome) else None
        last_ends = ends + self._times.stale_seconds if last is not None else ends
        self._keep(key, _Kept(answer, ends, last, last_ends, self._own))
        return outcome

    def _keep(self, key: K, kept: _Kept) -> None:
        self.cache.put(
            key,
            kept,
            seconds=kept.last_ends - self._clock(),
            content_bytes=content_bytes(kept.answer) + _OUTCOME_BYTES,
        )

    def _seconds(self, outcome: ImageOutcome) -> float:
        """How long an outcome holds at the most: as long as its weakest part."""
        if not isinstance(outcome, Resolved):
            return self._part_seconds(outcome)
        parts = map(self._part_seconds, outcome.platforms.values())
        return min(parts, default=self._times.by_digest_seconds)

    def _part_seconds(self, outcome: ImageOutcome | PlatformOutcome) -> float:
        if isinstance(outcome, Found):
            return self._times.by_digest_seconds
        if isinstance(outcome, Unavailable):
            return self._times.failed_seconds
        return self._times.missing_seconds


def _instead(kept: _Kept, outcome: ImageOutcome) -> ImageOutcome | None:
    return None if kept.last is None else stale.stood_in(kept.last, outcome)


def content_bytes(outcome: ImageOutcome) -> int:
    """What an outcome's specs take, each once."""
    if not isinstance(outcome, Resolved):
        return 0
    contents = {
        one.spec_digest: len(one.content) + len(one.created or "")
        for one in outcome.platforms.values()
        if isinstance(one, Found)
    }
    return sum(contents.values())
