"""What is answered from memory, over any sequence of answers and waits.

A model remembers every answer that was ever given, and when. From memory comes only
what was said last and still holds; or, marked as stale, what was found last for the
same digest, within its time.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from app.oci.lookups.cached import Times
from app.oci.lookups.outcomes import Outcomes
from app.ports import (
    Found,
    ImageNotFound,
    ImageOutcome,
    Invalid,
    Mark,
    Missing,
    Platform,
    PlatformAbsent,
    PlatformOutcome,
    Resolved,
    Unauthorized,
    Unavailable,
)

AMD, ARM = Platform("linux", "amd64"), Platform("linux", "arm64")
TIMES = Times(
    by_digest_seconds=60, missing_seconds=15, failed_seconds=5, stale_seconds=100
)
AWAY = Unavailable("ServerError", "x")

parts: st.SearchStrategy[PlatformOutcome] = st.sampled_from(
    [
        Found("sha256:a", "sha256:s", "sha256:1", b"one"),
        Found("sha256:b", "sha256:s", "sha256:2", b"two"),
        Missing(),
        PlatformAbsent(has_spec=True),
        PlatformAbsent(has_spec=False),
        Invalid("TooLarge", "x"),
        Unauthorized("x"),
        AWAY,
    ]
)
answers: st.SearchStrategy[ImageOutcome] = st.one_of(
    st.sampled_from(
        [AWAY, Unauthorized("x"), ImageNotFound("x"), Invalid("NoManifest", "x")]
    ),
    st.builds(
        lambda digest, amd, arm: Resolved(digest, {AMD: amd, ARM: arm}),
        st.sampled_from(["sha256:d", "sha256:e"]),
        parts,
        parts,
    ),
)


@dataclass(frozen=True)
class Step:
    """Time passes, then the registry is asked unless the answer is known."""

    seconds: float
    answer: ImageOutcome


steps = st.lists(
    st.builds(Step, st.sampled_from([0.0, 4.0, 5.0, 15.0, 61.0, 99.0, 161.0]), answers),
    max_size=12,
)


def flat(outcome: ImageOutcome) -> list[tuple[str, PlatformOutcome | ImageOutcome]]:
    """Each part with the digest that it is of."""
    if isinstance(outcome, Resolved):
        return [(outcome.digest, part) for part in outcome.platforms.values()]
    return [("", outcome)]


@given(steps)
def test_memory_holds_no_lie(sequence: list[Step]) -> None:
    now = [0.0]
    memory: Outcomes[str] = Outcomes(TIMES, lambda: now[0], lambda: None)
    given_at: list[tuple[float, ImageOutcome]] = []
    for step in sequence:
        now[0] += step.seconds
        known = memory.known("k")
        if known is None:
            said = memory.keep("k", step.answer, float("inf"))
            _is_honest(said, step.answer, given_at, now[0])
            given_at.append((now[0], step.answer))
        else:
            at, last = given_at[-1]
            assert now[0] - at < TIMES.by_digest_seconds
            _is_honest(known, last, given_at[:-1], now[0])


def _is_honest(
    said: ImageOutcome,
    last: ImageOutcome,
    before: list[tuple[float, ImageOutcome]],
    now: float,
) -> None:
    """Every part is the last answer's, or stands in for one that could not be asked.

    Args:
        said: what came of asking, or from memory.
        last: what the registry said last.
        before: when, and what it said before that.
        now: the time.
    """
    for number, (digest, part) in enumerate(flat(said)):
        if getattr(part, "mark", Mark.NONE) is not Mark.STALE:
            assert part == last or (digest, part) in flat(last)
            continue
        assert isinstance(part, Found | PlatformAbsent)
        was = flat(last)[number] if isinstance(last, Resolved) else flat(last)[0]
        assert isinstance(was[1], Unavailable)
        assert was[0] in {"", digest}
        times = [at for at, one in before if (digest, part) in flat(one)]
        assert times
        assert now - times[-1] < TIMES.by_digest_seconds + TIMES.stale_seconds
        since = [one for at, one in before if at > times[-1]]
        assert not any(isinstance(one, Unauthorized | ImageNotFound) for one in since)


@given(answers, answers)
def test_an_answer_of_the_registry_is_never_replaced(
    before: ImageOutcome, now: ImageOutcome
) -> None:
    """Only what could not be asked is."""
    memory: Outcomes[str] = Outcomes(TIMES, lambda: 0.0, lambda: None)
    memory.keep("k", before, float("inf"))
    said = memory.keep("k", now, float("inf"))
    if not any(isinstance(part, Unavailable) for _, part in flat(now)):
        assert now is said
