"""Which requests are sent again, and after how long."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.oci.registry.retrying import Bounds, Tried, retry_after_seconds, wait_seconds

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
BOUNDS = Bounds(retries=2, retry_after_seconds=5.0)
TRIED = Tried("GET", 0, status=503)


def wait(
    tried: Tried = TRIED,
    *,
    bounds: Bounds = BOUNDS,
    left: float = 10.0,
    chance: float = 0.5,
) -> float | None:
    return wait_seconds(tried, bounds, left=left, chance=chance, now=NOW)


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_what_may_pass_is_asked_again(status: int) -> None:
    assert wait(replace(TRIED, status=status)) is not None


@pytest.mark.parametrize(
    "status", [200, 301, 400, 401, 403, 404, 405, 410, 418, 425, 500, 501, 505]
)
def test_what_is_final_is_not_asked_again(status: int) -> None:
    assert wait(replace(TRIED, status=status)) is None


@pytest.mark.parametrize(
    "reason", ["CannotConnect", "NetworkError", "NoSuchHost", "ProxyUnreachable"]
)
def test_a_connection_that_failed_before_an_answer_is_tried_again(reason: str) -> None:
    assert wait(Tried("GET", 0, reason=reason)) is not None


@pytest.mark.parametrize(
    "reason",
    [
        "Timeout",
        "UntrustedCertificate",
        "TlsError",
        "AddressRefused",
        "CutOff",
        "BadAnswer",
        "TooLarge",
        "CircuitOpen",
        "ProxyRefused",
    ],
)
def test_other_failures_are_final(reason: str) -> None:
    """A timeout too: to wait as long once more helps no caller."""
    assert wait(Tried("GET", 0, reason=reason)) is None


@pytest.mark.parametrize(
    ("method", "again"),
    [
        ("GET", True),
        ("HEAD", True),
        ("POST", False),
        ("PUT", False),
        ("PATCH", False),
        ("DELETE", False),
    ],
)
def test_only_reading_is_repeated(method: str, again: bool) -> None:
    assert again is (wait(replace(TRIED, method=method)) is not None)


@pytest.mark.parametrize(("made", "again"), [(0, True), (1, True), (2, False)])
def test_tries_are_counted(made: int, again: bool) -> None:
    assert again is (wait(replace(TRIED, retries=made)) is not None)


def test_no_retries_are_none() -> None:
    assert wait(bounds=Bounds(0, 5.0)) is None


@pytest.mark.parametrize(
    ("made", "chance", "seconds"),
    [
        (0, 0.0, 0.0),
        (0, 1.0, 0.2),
        (1, 1.0, 0.4),
        (1, 0.5, 0.2),
        (3, 1.0, 1.6),
        (4, 1.0, 2.0),
        (9, 1.0, 2.0),
    ],
)
def test_a_wait_is_random_below_a_bound_that_doubles(
    made: int, chance: float, seconds: float
) -> None:
    bounds = Bounds(10, 5.0)
    assert seconds == wait(replace(TRIED, retries=made), bounds=bounds, chance=chance)


@pytest.mark.parametrize(("left", "again"), [(0.11, True), (0.1, False), (-1, False)])
def test_a_wait_ends_before_the_lookup(left: float, again: bool) -> None:
    assert again is (wait(left=left) is not None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("3", 3.0, id="seconds"),
        pytest.param(" 5 ", 5.0, id="the-most-and-spaces"),
        pytest.param("6", None, id="longer"),
        pytest.param("9999", None, id="much-longer"),
        pytest.param("Sun, 01 Mar 2026 12:00:04 GMT", 4.0, id="date"),
        pytest.param("Sun, 01 Mar 2026 12:00:06 GMT", None, id="late-date"),
        pytest.param("Sun, 01 Mar 2026 11:00:00 GMT", 0.0, id="past"),
    ],
)
def test_a_retry_after_is_waited_for_besides_unless_it_is_too_long(
    text: str, seconds: float | None
) -> None:
    assert seconds == wait(replace(TRIED, retry_after=text), chance=0.0)


def test_those_who_are_told_to_come_later_do_not_come_together() -> None:
    tried = replace(TRIED, retry_after="3")
    assert 3.2 == wait(tried, chance=1.0)


@pytest.mark.parametrize(("left", "again"), [(3.1, True), (3.0, False)])
def test_a_retry_after_is_not_waited_for_longer_than_the_lookup(
    left: float,
    again: bool,
) -> None:
    tried = replace(TRIED, retry_after="3")
    assert again is (wait(tried, left=left, chance=0.0) is not None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("", 0.0),
        ("soon", 0.0),
        ("-1", 0.0),
        ("1.5", 0.0),
        ("\u0663", 0.0),
        ("9" * 9, 999999999.0),
        ("9" * 10, 0.0),
        ("9" * 5000, 0.0),
        ("Sun, 99 Mar 2026 12:00:04 GMT", 0.0),
        ("Sun, 01 Mar 99999999 12:00:04 GMT", 0.0),
        ("Sun, 01 Mar 2026 12:00:04", 4.0),
        ("Sunday, 01-Mar-26 12:00:04 GMT", 4.0),
        ("Sun, 01 Mar 2026 12:00:04 +9999999999", 0.0),
        ("Sun, 01 Mar 2026 12:00:04 GMT" + " x" * 50, 0.0),
    ],
)
def test_a_retry_after_is_read_and_never_raises(text: str, seconds: float) -> None:
    """Ten digits are more than 30 years: as good as no number."""
    assert seconds == retry_after_seconds(text, NOW)
