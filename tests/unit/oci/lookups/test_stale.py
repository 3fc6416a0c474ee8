"""What stands in for a registry that cannot be asked, and how memory is marked."""

from collections.abc import Mapping

import pytest

from app.oci.lookups.stale import may_stand_in, remembered, stood_in
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
FOUND = Found("sha256:a", "sha256:b", "sha256:c", b"spec")
LACKING, ABSENT = PlatformAbsent(has_spec=True), PlatformAbsent(has_spec=False)
AWAY = Unavailable("ServerError", "away")
INVALID, CLOSED = Invalid("TooLarge", "x"), Unauthorized("x")
GONE = ImageNotFound("x")


def resolved(
    amd: PlatformOutcome, arm: PlatformOutcome = FOUND, *, digest: str = "sha256:1"
) -> Resolved:
    return Resolved(digest, {AMD: amd, ARM: arm}, is_index=True)


def marks(outcome: ImageOutcome | None) -> Mapping[str, str]:
    assert isinstance(outcome, Resolved), outcome
    return {
        platform.architecture: f"{type(part).__name__} {part.mark}".strip()
        for platform, part in outcome.platforms.items()
    }


@pytest.mark.parametrize("part", [FOUND, LACKING])
def test_what_was_found_stands_in_for_a_registry_that_cannot_be_asked(
    part: PlatformOutcome,
) -> None:
    former = resolved(part)
    instead = stood_in(former, AWAY)
    assert former == instead
    name = type(part).__name__
    assert {"amd64": f"{name} stale", "arm64": "Found stale"} == marks(instead)


@pytest.mark.parametrize("part", [Missing(), ABSENT, INVALID, CLOSED, AWAY])
def test_that_there_is_none_never_stands_in(part: PlatformOutcome) -> None:
    """Could not look is not there is none, for this platform either."""
    instead = stood_in(resolved(part), AWAY)
    assert {"amd64": "Unavailable", "arm64": "Found stale"} == marks(instead)
    assert stood_in(resolved(part, part), AWAY) is None


@pytest.mark.parametrize("former", [AWAY, CLOSED, GONE, INVALID])
def test_what_was_no_image_never_stands_in(former: ImageOutcome) -> None:
    assert stood_in(former, AWAY) is None


@pytest.mark.parametrize("now", [CLOSED, GONE, INVALID])
def test_an_answer_of_the_registry_counts_whatever_was_found_before(
    now: ImageOutcome,
) -> None:
    assert stood_in(resolved(FOUND), now) is None


@pytest.mark.parametrize("part", [Missing(), ABSENT, LACKING, INVALID, CLOSED, FOUND])
def test_an_answer_for_a_platform_counts_whatever_was_found_before(
    part: PlatformOutcome,
) -> None:
    assert stood_in(resolved(FOUND), resolved(part)) is None


def test_only_the_platform_that_could_not_be_asked_is_stood_in_for() -> None:
    instead = stood_in(resolved(FOUND, FOUND), resolved(AWAY, Missing()))
    assert {"amd64": "Found stale", "arm64": "Missing"} == marks(instead)


def test_what_was_found_of_another_image_never_stands_in() -> None:
    """The tag has moved; that the new image cannot be judged is the answer."""
    now = resolved(AWAY, digest="sha256:2")
    assert stood_in(resolved(FOUND), now) is None


def test_a_platform_that_was_not_asked_for_before_stays_unknown() -> None:
    former = Resolved("sha256:1", {ARM: FOUND})
    assert stood_in(former, resolved(AWAY, FOUND)) is None


@pytest.mark.parametrize(
    ("outcome", "may"),
    [
        (resolved(FOUND, AWAY), True),
        (resolved(LACKING, AWAY), True),
        (resolved(Missing(), ABSENT), False),
        (Resolved("sha256:1"), False),
        (AWAY, False),
        (CLOSED, False),
    ],
)
def test_what_may_stand_in_later(
    outcome: ImageOutcome,
    may: bool,
) -> None:
    assert may is may_stand_in(outcome)


@pytest.mark.parametrize("outcome", [AWAY, CLOSED, GONE, INVALID])
def test_a_no_from_memory_is_marked(outcome: ImageOutcome) -> None:
    marked = remembered(outcome)
    assert not isinstance(marked, Resolved)
    assert Mark.REMEMBERED is marked.mark
    assert outcome == marked


@pytest.mark.parametrize("part", [Missing(), ABSENT, LACKING, INVALID, CLOSED, AWAY])
def test_a_no_for_a_platform_is_marked_from_memory(part: PlatformOutcome) -> None:
    name = type(part).__name__
    found = marks(remembered(resolved(part)))
    assert {"amd64": f"{name} remembered", "arm64": "Found"} == found


def test_what_was_found_and_still_holds_is_not_marked() -> None:
    outcome = resolved(FOUND)
    assert outcome is remembered(outcome)


def test_a_mark_stays_as_it_is() -> None:
    stale = stood_in(resolved(LACKING), AWAY)
    assert stale is not None
    assert stale is remembered(stale)
