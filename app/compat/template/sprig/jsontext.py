"""Writes JSON as Go's encoding/json does."""

from __future__ import annotations

import math
import re
from typing import Final

from app.compat.template import runes, strconv
from app.compat.template.limits import Meter
from app.compat.template.values import (
    GoError,
    Map,
    Number,
    Pointer,
    Slice,
    Struct,
    Value,
    type_of,
)

_SHORT: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}
_ALWAYS: Final = re.compile('["\\\\\x00-\x1f\u2028\u2029\ud800-\udfff]')
_FOR_HTML: Final = re.compile('["\\\\\x00-\x1f\u2028\u2029\ud800-\udfff<>&]')
_LOWEST_EXPONENT: Final = -6
_HIGHEST_EXPONENT: Final = 21
_ZERO_EXPONENT: Final = re.compile(r"e-0([0-9])$")


def _escaped(match: re.Match[str]) -> str:
    rune = match.group()
    if "\ud800" <= rune <= "\udfff":
        return "\\ufffd"
    return _SHORT.get(rune) or f"\\u{ord(rune):04x}"


def _number(number: float) -> str:
    if not math.isfinite(number):
        shown = strconv.format_float(number, "g", -1)
        raise GoError(f"json: unsupported value: {shown}")
    text = strconv.format_shortest(number, _LOWEST_EXPONENT, _HIGHEST_EXPONENT)
    return _ZERO_EXPONENT.sub(r"e-\1", text)


class Writer:
    """Writes one value.

    Args:
        meter: counts the work.
        for_html: whether `<`, `>` and `&` are escaped.
        step: what one level is indented by; `""` for all on one line.
    """

    def __init__(self, meter: Meter, *, for_html: bool = True, step: str = "") -> None:
        self.meter = meter
        self.pattern = _FOR_HTML if for_html else _ALWAYS
        self.step = step
        self.parts: list[bytes] = []
        self.size = 0

    def text(self, value: Value) -> bytes:
        """The JSON text.

        Raises:
            GoError: the value, or one inside, cannot be written.
        """
        self._value(value, 0)
        return self.meter.join(b"", self.parts)

    def _put(self, text: str) -> None:
        data = text.encode()
        self.size += len(data)
        if self.size > self.meter.limits.string_bytes:
            self.meter.text(self.size)
        self.parts.append(data)

    def _value(self, value: Value, depth: int) -> None:
        self.meter.nested(depth)
        match value:
            case None:
                self._put("null")
            case bool():
                self._put("true" if value else "false")
            case int():
                self._put(str(value))
            case Number():
                self._put(str(value.number))
            case float():
                self._put(_number(value))
            case bytes():
                self._string(value)
            case _:
                self._composite(value, depth)

    def _composite(self, value: Value, depth: int) -> None:
        target = value.target if isinstance(value, Pointer) else value
        match target:
            case Map():
                self._map(target, depth)
            case Slice():
                self._slice(target, depth)
            case Struct():
                self._string(target.text())
            case _:
                raise GoError(f"json: unsupported type: {type_of(value)}")

    def _string(self, data: bytes) -> None:
        self.meter.work(len(data))
        text, count = self.pattern.subn(_escaped, runes.escaped(data))
        self.meter.step(count)
        self._put(f'"{text}"')

    def _line(self, depth: int) -> None:
        if self.step:
            self._put("\n" + self.step * depth)

    def _map(self, value: Map, depth: int) -> None:
        if value.is_nil:
            self._put("null")
            return
        self._put("{")
        for index, key in enumerate(value.keys()):
            self._put("," if index else "")
            self._line(depth + 1)
            self._string(key)
            self._put(": " if self.step else ":")
            self._value(value.entries[key], depth + 1)
        if len(value):
            self._line(depth)
        self._put("}")

    def _slice(self, value: Slice, depth: int) -> None:
        if value.is_nil:
            self._put("null")
            return
        self._put("[")
        for index, item in enumerate(value.values()):
            self._put("," if index else "")
            self._line(depth + 1)
            self._value(item, depth + 1)
        if len(value):
            self._line(depth)
        self._put("]")
