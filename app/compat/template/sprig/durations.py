"""sprig's functions on durations that need no clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from app.compat.template import runes, strconv
from app.compat.template.values import (
    ANY,
    INT64,
    Function,
    Number,
    Value,
    pure,
    wrap64,
)

_SECOND: Final = 1_000_000_000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,
    "\u03bcs": 1_000,
    "ms": 1_000_000,
    "s": _SECOND,
    "m": _MINUTE,
    "h": _HOUR,
}
_PART: Final = re.compile(r"([0-9]*)(?:(\.)([0-9]*))?([^0-9.]+)")
_ROUNDED: Final = (
    (365 * _DAY, "y"),
    (30 * _DAY, "mo"),
    (_DAY, "d"),
    (_HOUR, "h"),
    (_MINUTE, "m"),
    (_SECOND, "s"),
)
_MAX: Final = 1 << 63


def _nanoseconds(text: str) -> int:
    """Go's time.ParseDuration; 0 where it returns an error."""
    sign = -1 if text[:1] == "-" else 1
    body = text[1:] if text[:1] in {"-", "+"} else text
    total, at = 0, 0
    while at < len(body):
        match = _PART.match(body, at)
        if match is None:
            return 0
        whole, _, fraction, unit = match.groups("")
        if unit not in _UNITS or not whole + fraction:
            return 0
        total += int(whole[-40:] or "0") * _UNITS[unit] + _fraction(fraction, unit)
        if total > _MAX or len(whole.lstrip("0")) > 20:  # noqa: PLR2004 - more than 64 bits
            return 0
        at = match.end()
    if total == _MAX and sign > 0:
        return 0
    return sign * total


def _fraction(digits: str, unit: str) -> int:
    """A decimal fraction of a unit; digits beyond 63 bits do not count."""
    number, scale = 0, 1.0
    for digit in digits:
        if number > (_MAX - 1) // 10 or number * 10 + int(digit) > _MAX:
            break
        number = number * 10 + int(digit)
        scale *= 10
    return int(float(number) * (float(_UNITS[unit]) / scale)) if number else 0


def show(nanoseconds: int) -> str:
    """A duration of whole seconds as Go prints it (`1h2m3s`)."""
    left = abs(nanoseconds)
    hours, left = divmod(left, _HOUR)
    minutes, left = divmod(left, _MINUTE)
    shown = f"{_seconds(left)}s"
    if hours or minutes:
        shown = f"{minutes}m{shown}"
    if hours:
        shown = f"{hours}h{shown}"
    return f"-{shown}" if nanoseconds < 0 else shown


def _seconds(nanoseconds: int) -> str:
    whole, rest = divmod(nanoseconds, _SECOND)
    return f"{whole}.{rest:09d}".rstrip("0") if rest else str(whole)


def duration(value: Value) -> bytes:
    """Seconds as a duration; only texts and int64 count, as in sprig."""
    seconds = 0
    if isinstance(value, Number) and value.type is INT64:
        seconds = value.number
    elif isinstance(value, bytes):
        try:
            seconds = strconv.parse_int(runes.escaped(value), 10)
        except strconv.NumberRangeError as e:
            seconds = int(e.args[0])
        except strconv.NumberSyntaxError:
            seconds = 0
    return _go_text(wrap64(seconds * _SECOND)).encode()


def _go_text(nanoseconds: int) -> str:
    if 0 < abs(nanoseconds) < _SECOND:
        return _below_a_second(nanoseconds)
    return show(nanoseconds)


def _below_a_second(nanoseconds: int) -> str:
    size = abs(nanoseconds)
    unit, scale = ("ns", 1) if size < 1_000 else ("\u00b5s", 1_000)  # noqa: PLR2004 - Go's units
    if size >= 1_000_000:  # noqa: PLR2004 - as above
        unit, scale = "ms", 1_000_000
    whole, rest = divmod(size, scale)
    digits = f".{rest:0{len(str(scale)) - 1}d}".rstrip("0") if rest else ""
    return f"{'-' if nanoseconds < 0 else ''}{whole}{digits}{unit}"


def duration_round(value: Value) -> bytes:
    """A duration in its largest unit (`2h`)."""
    nanoseconds = 0
    if isinstance(value, Number) and value.type is INT64:
        nanoseconds = value.number
    elif isinstance(value, bytes):
        nanoseconds = _nanoseconds(runes.escaped(value))
    size = abs(nanoseconds)
    for unit, letter in _ROUNDED:
        if size > unit:
            return f"{size // unit}{letter}".encode()
    return b"0s"


FUNCTIONS: Final[Mapping[str, Function]] = {
    "duration": pure(duration, ANY),
    "durationRound": pure(duration_round, ANY),
}
"""By name."""
