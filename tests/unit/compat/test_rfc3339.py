"""Times of taints; every expected text is what NFD's own decoder gave."""

from __future__ import annotations

import pytest

from app.compat import nodefeaturerule, rfc3339
from app.compat.nodefeaturerule import Taint
from app.errors import SpecError

LAYOUT = '"2006-01-02T15:04:05Z07:00"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2020-02-29T00:00:00Z", "2020-02-29T00:00:00Z"),
        ("2020-01-01T00:00:00.5+02:00", "2019-12-31T22:00:00Z"),
        ("2020-01-01T01:02:03,5Z", "2020-01-01T01:02:03Z"),
        ("2020-01-01T1:02:03Z", "2020-01-01T01:02:03Z"),
        ("2000-02-29T23:00:00-05:00", "2000-03-01T04:00:00Z"),
        ("2020-01-01T01:02:03+24:60", "2019-12-31T00:02:03Z"),
        ("9999-12-31T23:59:59-01:00", "10000-01-01T00:59:59Z"),
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
        ("0000-01-01T00:00:00+01:00", "-0001-12-31T23:00:00Z"),
        ("0001-01-01T00:00:00Z", None),
    ],
)
def test_a_time_is_printed_in_utc_to_the_second(
    text: str, expected: str | None
) -> None:
    assert expected == rfc3339.normalise(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", f'"" as {LAYOUT}: cannot parse "" as "2006"'),
        ("2020", f'"2020" as {LAYOUT}: cannot parse "" as "-"'),
        ("2020-1", f'"2020-1" as {LAYOUT}: cannot parse "1" as "01"'),
        ("2020-01-01", f'"2020-01-01" as {LAYOUT}: cannot parse "" as "T"'),
        (
            "2020-01-01T01:02:03",
            f'"2020-01-01T01:02:03" as {LAYOUT}: cannot parse "" as "Z07:00"',
        ),
        (
            'é"\\',
            rf'"\xc3\xa9\"\\" as {LAYOUT}: cannot parse "\xc3\xa9\"\\" as "2006"',
        ),
        ("2020-13-01T00:00:00Z", '"2020-13-01T00:00:00Z": month out of range'),
        ("2020-02-30T00:00:00Z", '"2020-02-30T00:00:00Z": day out of range'),
        ("2020-01-01T24:00:00Z", '"2020-01-01T24:00:00Z": hour out of range'),
        ("2020-01-01T01:60:03Z", '"2020-01-01T01:60:03Z": minute out of range'),
        ("2020-01-01T01:02:60Z", '"2020-01-01T01:02:60Z": second out of range'),
        (
            "2020-01-01T01:02:03+25:00",
            '"2020-01-01T01:02:03+25:00": time zone offset hour out of range',
        ),
        (
            "2020-01-01T01:02:03+24:61",
            '"2020-01-01T01:02:03+24:61": time zone offset minute out of range',
        ),
        ("2020-01-01T01:02:03Zx", '"2020-01-01T01:02:03Zx": extra text: "x"'),
    ],
)
def test_another_text_is_refused_in_the_words_of_go(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match="parsing time ") as caught:
        rfc3339.normalise(text)
    assert f"parsing time {expected}" == str(caught.value)


def test_a_taint_holds_its_time() -> None:
    text = b"""
    rules:
    - taints:
      - {key: a, value: 1, effect: NoSchedule, timeAdded: 2020-01-01T00:00:00+01:00}
      - {key: b, timeAdded: ~}
      - ~
    """
    (rule,) = nodefeaturerule.read(text)
    assert (
        Taint("a", "1", "NoSchedule", "2019-12-31T23:00:00Z"),
        Taint("b"),
        Taint(),
    ) == rule.taints


def test_a_taint_with_another_time_is_refused() -> None:
    with pytest.raises(SpecError, match="while decoding JSON: parsing time") as caught:
        nodefeaturerule.read(b"rules:\n- taints: [{timeAdded: soon}]")
    assert (2, 24) == (caught.value.line, caught.value.column)
