"""Durations, as Go writes them."""

import pytest

from app.oci.durations import seconds_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("12h", 43200, id="hours"),
        pytest.param("1h30m", 5400, id="two-parts"),
        pytest.param("1.5h", 5400, id="fraction"),
        pytest.param(".5s", 0.5, id="no-digit-before"),
        pytest.param("1.s", 1, id="no-digit-behind"),
        pytest.param("250ms", 0.25, id="milliseconds"),
        pytest.param("5us", 5e-6, id="microseconds"),
        pytest.param("5µs", 5e-6, id="micro-sign"),
        pytest.param("5μs", 5e-6, id="greek-letter"),
        pytest.param("7ns", 7e-9, id="nanoseconds"),
        pytest.param("0", 0, id="nought"),
        pytest.param("+0", 0, id="nought-with-a-sign"),
        pytest.param("0s", 0, id="no-seconds"),
        pytest.param("+5s", 5, id="plus"),
        pytest.param("-5s", -5, id="minus"),
        pytest.param("9223372036s", 9223372036, id="longest"),
        pytest.param("9223372037s", None, id="too-long"),
        pytest.param("1" * 63 + "s", None, id="as-many-characters"),
        pytest.param("0" * 62 + "1s", 1, id="zeros"),
        pytest.param("0" * 63 + "1s", None, id="too-many-characters"),
        pytest.param("", None, id="empty"),
        pytest.param("-", None, id="sign-alone"),
        pytest.param("5", None, id="no-unit"),
        pytest.param("s", None, id="no-number"),
        pytest.param(".s", None, id="point-alone"),
        pytest.param("5d", None, id="days"),
        pytest.param("5 s", None, id="blank"),
        pytest.param("--5s", None, id="two-signs"),
        pytest.param("1h30", None, id="rest"),
        pytest.param("٥s", None, id="other-digits"),
    ],
)
def test_a_duration_is_read(text: str, expected: float | None) -> None:
    assert pytest.approx(expected) == seconds_of(text)
