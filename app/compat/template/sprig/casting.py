"""How sprig's functions turn any value into a number or a text.

Numbers follow spf13/cast: what cannot be cast is 0, and no error.
"""

from __future__ import annotations

from typing import Final

from app.compat.template import runes, strconv
from app.compat.template.gofmt import sprint
from app.compat.template.limits import Meter
from app.compat.template.values import (
    GoError,
    Number,
    Pointer,
    Slice,
    Struct,
    Value,
    kind_of,
    strings,
    wrap64,
)

_INT64_MIN: Final = -(1 << 63)
_TWO_63: Final = float(1 << 63)

NIL_DEREFERENCE: Final = (
    "runtime error: invalid memory address or nil pointer dereference"
)


def float_to_int64(number: float) -> int:
    """Go's int64(f) on amd64: what does not fit is the smallest int64."""
    if -_TWO_63 <= number < _TWO_63:
        return int(number)
    return _INT64_MIN


def _without_zero_decimal(text: str) -> str:
    """`1.00` without its `.00`; other texts as they are."""
    body = text.rstrip("0")
    return body[:-1] if body != text and body.endswith(".") else text


def to_int64(value: Value) -> int:
    """cast.ToInt64."""
    match value:
        case bool():
            return int(value)
        case int():
            return value
        case Number():
            return wrap64(value.number)
        case float():
            return float_to_int64(value)
        case bytes():
            try:
                return strconv.parse_int(_without_zero_decimal(runes.escaped(value)))
            except ValueError:
                return 0
    return 0


def to_float64(value: Value) -> float:
    """cast.ToFloat64."""
    match value:
        case bool() | int() | float():
            return float(value)
        case Number():
            return float(value.number)
        case bytes():
            try:
                return strconv.parse_float(runes.escaped(value))
            except ValueError:
                return 0.0
    return 0.0


def to_bytes(meter: Meter, value: Value) -> bytes:
    """The strval of sprig."""
    if isinstance(value, bytes):
        return value
    target = value.target if isinstance(value, Pointer) else value
    if isinstance(target, Struct):
        return target.text()
    return sprint(meter, [value])


def to_strings(meter: Meter, value: Value) -> Slice:
    """The strslice of sprig: texts of the elements that are not nil."""
    if isinstance(value, Slice):
        if value.type.elem is not None and value.type.elem.kind == "string":
            return value
        meter.slow(len(value))
        items = [to_bytes(meter, v) for v in value.values() if v is not None]
        result = strings(items)
        result.exact = len(items) == len(value)
        return result
    return strings([] if value is None else [to_bytes(meter, value)])


def listed(value: Value, action: str) -> Slice:
    """The list that a function works on.

    Raises:
        GoError: it is none; the text says `Cannot {action} type {kind}`.
    """
    if isinstance(value, Slice):
        return value
    if value is None:
        raise GoError(NIL_DEREFERENCE)
    raise GoError(f"Cannot {action} type {kind_of(value)}")
