"""sprig's functions on JSON. Those without `must` keep errors to themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.compat.template.limits import Meter
from app.compat.template.sprig.jsonread import Reader
from app.compat.template.sprig.jsontext import Writer
from app.compat.template.values import ANY, STRING, Function, GoError, Value

_STEP: Final = "  "


def from_json(meter: Meter, data: bytes) -> Value:
    """The value of a JSON text; nil if it is none."""
    try:
        return Reader(meter, data).read()[0]
    except GoError:
        return None


def must_from_json(meter: Meter, data: bytes) -> Value:
    """The value of a JSON text."""
    value, problem = Reader(meter, data).read()
    if problem:
        raise GoError(problem)
    return value


def must_to_json(meter: Meter, value: Value) -> bytes:
    """The value as JSON, on one line."""
    return Writer(meter).text(value)


def must_to_pretty_json(meter: Meter, value: Value) -> bytes:
    """The value as JSON, indented."""
    return Writer(meter, step=_STEP).text(value)


def must_to_raw_json(meter: Meter, value: Value) -> bytes:
    """The value as JSON, where `<`, `>` and `&` stay."""
    return Writer(meter, for_html=False).text(value)


def to_json(meter: Meter, value: Value) -> bytes:
    """The value as JSON, on one line; nothing if it cannot be written."""
    try:
        return must_to_json(meter, value)
    except GoError:
        return b""


def to_pretty_json(meter: Meter, value: Value) -> bytes:
    """The value as JSON, indented; nothing if it cannot be written."""
    try:
        return must_to_pretty_json(meter, value)
    except GoError:
        return b""


FUNCTIONS: Final[Mapping[str, Function]] = {
    "fromJson": Function(from_json, (STRING,), boxed=True),
    "mustFromJson": Function(must_from_json, (STRING,), boxed=True),
    "mustToJson": Function(must_to_json, (ANY,)),
    "mustToPrettyJson": Function(must_to_pretty_json, (ANY,)),
    "mustToRawJson": Function(must_to_raw_json, (ANY,)),
    "toJson": Function(to_json, (ANY,)),
    "toPrettyJson": Function(to_pretty_json, (ANY,)),
    "toRawJson": Function(must_to_raw_json, (ANY,)),
}
"""By name."""
