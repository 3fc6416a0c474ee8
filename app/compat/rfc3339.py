"""A time of Kubernetes (`metav1.Time`): read as RFC 3339, printed in UTC.

Go's `time.Parse` with its layout `RFC3339` is a little looser than the standard:
an hour of one digit and a comma before the fraction pass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from app.compat import govalue

_LAYOUT: Final = "2006-01-02T15:04:05Z07:00"
_ZERO: Final = "0001-01-01T00:00:00Z"
_CYCLE_YEARS: Final = 400  # after which the calendar repeats


@dataclass(frozen=True, slots=True)
class _Part:
    """What the layout wants next: its name there, what fits, and the bounds."""

    wanted: str
    pattern: re.Pattern[str]
    name: str = ""
    lowest: int = 0
    highest: int = 0


_PARTS: Final = (
    _Part("2006", re.compile("([0-9]{4})"), "year", 0, 9999),
    _Part("-", re.compile("-")),
    _Part("01", re.compile("([0-9]{2})"), "month", 1, 12),
    _Part("-", re.compile("-")),
    _Part("02", re.compile("([0-9]{2})"), "day", 0, 99),
    _Part("T", re.compile("T")),
    _Part("15", re.compile("([0-9]{1,2})"), "hour", 0, 23),
    _Part(":", re.compile(":")),
    _Part("04", re.compile("([0-9]{2})"), "minute", 0, 59),
    _Part(":", re.compile(":")),
    _Part("05", re.compile("([0-9]{2})(?:[.,][0-9]+)?"), "second", 0, 59),
)
_ZONE: Final = re.compile(r"Z|(?P<sign>[-+])(?P<hours>[0-9]{2}):(?P<minutes>[0-9]{2})")
_MAX_ZONE_HOURS: Final = 24
_MAX_ZONE_MINUTES: Final = 60


def normalise(text: str) -> str | None:
    """The time in UTC, to the second, as Kubernetes prints it.

    The first second of the year 1 is Go's zero time, which prints as null: `None`.

    Raises:
        ValueError: with Go's message: `text` is no such time.
    """
    numbers: list[int] = []
    position = 0
    for part in _PARTS:
        found = part.pattern.match(text, position)
        if found is None:
            raise _not_there(text, position, part.wanted)
        if part.name:
            number = int(found[1])
            if not part.lowest <= number <= part.highest:
                raise _refusal(text, f"{part.name} out of range")
            numbers.append(number)
        position = found.end()
    zone = _ZONE.match(text, position)
    if zone is None:
        raise _not_there(text, position, "Z07:00")
    offset = _offset(text, zone)
    if zone.end() < len(text):
        raise _refusal(text, f"extra text: {_quote(text[zone.end() :])}")
    utc = _in_utc(text, numbers, offset)
    return None if utc == _ZERO else utc


def _offset(text: str, zone: re.Match[str]) -> timedelta:
    if zone["sign"] is None:
        return timedelta()
    hours, minutes = int(zone["hours"]), int(zone["minutes"])
    if hours > _MAX_ZONE_HOURS:
        raise _refusal(text, "time zone offset hour out of range")
    if minutes > _MAX_ZONE_MINUTES:
        raise _refusal(text, "time zone offset minute out of range")
    offset = timedelta(hours=hours, minutes=minutes)
    return -offset if zone["sign"] == "-" else offset


def _in_utc(text: str, numbers: list[int], offset: timedelta) -> str:
    year, month, day, hour, minute, second = numbers
    cycles, year_of_cycle = divmod(year, _CYCLE_YEARS)
    try:  # in a year that `datetime` can leave in both directions
        local = datetime(
            year_of_cycle + _CYCLE_YEARS, month, day, hour, minute, second, tzinfo=UTC
        )
    except ValueError as error:
        raise _refusal(text, "day out of range") from error
    utc = local - offset
    year = utc.year + (cycles - 1) * _CYCLE_YEARS
    return f"{year:0{4 if year >= 0 else 5}d}-{utc:%m-%dT%H:%M:%SZ}"


def _not_there(text: str, position: int, wanted: str) -> ValueError:
    return ValueError(
        f'parsing time {_quote(text)} as "{_LAYOUT}":'
        f' cannot parse {_quote(text[position:])} as "{wanted}"'
    )


def _refusal(text: str, problem: str) -> ValueError:
    return ValueError(f"parsing time {_quote(text)}: {problem}")


def _quote(text: str) -> str:
    r"""As Go's package time quotes: bytes beyond ASCII as `\xNN`."""
    text = govalue.clip(text).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(_printable(char) for char in text) + '"'


def _printable(char: str) -> str:
    if " " <= char <= "~":
        return char
    return "".join(f"\\x{byte:02x}" for byte in char.encode())
