"""Reads JSON as Go's encoding/json does, with its error texts."""

from __future__ import annotations

import re
from typing import Final, NoReturn

from app.compat.template import runes, strconv
from app.compat.template.limits import Meter
from app.compat.template.values import (
    ANYS,
    DICT,
    GoError,
    Map,
    Value,
    grown,
)

_SPACES: Final = re.compile(r"[ \t\r\n]*")
_PLAIN: Final = re.compile(r'[^"\\\x00-\x1f]*')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_HEX: Final = re.compile(r"[0-9a-fA-F]")
_ESCAPES: Final = {
    '"': '"',
    "\\": "\\",
    "/": "/",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}
_LITERALS: Final = {"true": True, "false": False, "null": None}
_END: Final = "unexpected end of JSON input"
_INSIDE: Final = (
    "in literal",
    "in numeric",
    "in \\u",
    "in exponent",
    "in string e",
    "after d",
)
"""Contexts where Go looks at a space behind the end before it gives up."""
_HIGH: Final = range(0xD800, 0xDC00)
_LOW: Final = range(0xDC00, 0xE000)


class Reader:
    """Reads one text."""

    def __init__(self, meter: Meter, data: bytes) -> None:
        self.meter = meter
        self.text = runes.escaped(data)
        self.at = 0
        self.problem = ""

    def read(self) -> tuple[Value, str]:
        """The value, and Go's text for numbers that do not fit (`""` if all do).

        Raises:
            GoError: it is no JSON.
        """
        value = self._value(0)
        self._skip()
        if self.at < len(self.text):
            self._fail("after top-level value")
        return value, self.problem

    def _skip(self) -> None:
        match = _SPACES.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _fail(self, context: str) -> NoReturn:
        raise self._failure(context)

    def _failure(self, context: str) -> GoError:
        if self.at < len(self.text):
            code = runes.to_bytes(self.text[self.at])[0]
        elif context.startswith(_INSIDE):
            code = ord(" ")
        else:
            return GoError(_END)
        return GoError(f"invalid character {_shown(code)} {context}")

    def _value(self, depth: int) -> Value:
        self.meter.nested(depth)
        self._skip()
        letter = self._peek()
        match letter:
            case "{":
                return self._object(depth)
            case "[":
                return self._array(depth)
            case '"':
                return self._string()
            case "t" | "f" | "n":
                return self._literal(letter)
        if letter != "" and letter in "-0123456789":
            return self._number()
        raise self._failure("looking for beginning of value")

    def _literal(self, letter: str) -> Value:
        word = next(word for word in _LITERALS if word[0] == letter)
        for expected in word:
            if self._peek() != expected:
                self._fail(f"in literal {word} (expecting '{expected}')")
            self.at += 1
        return _LITERALS[word]

    def _number(self) -> Value:
        match = _NUMBER.match(self.text, self.at)
        if match is None:
            self.at += 1
            raise self._failure("in numeric literal")
        self.at = match.end()
        rest = self._peek()
        text = match.group()
        if rest == "." and not set(text) & set(".eE"):
            self.at += 1
            self._fail("after decimal point in numeric literal")
        if rest in {"e", "E"} and not set(text) & set("eE"):
            self.at += 1
            if self._peek() in {"+", "-"}:
                self.at += 1
            self._fail("in exponent of numeric literal")
        return self._converted(text)

    def _converted(self, text: str) -> float | None:
        try:
            return strconv.parse_float(text)
        except strconv.NumberRangeError:
            self.problem = self.problem or (
                f"json: cannot unmarshal number {text} into Go value of type float64"
            )
            return None

    def _array(self, depth: int) -> Value:
        items: list[Value] = []
        self.at += 1
        self._skip()
        if self._peek() == "]":
            self.at += 1
            return grown(ANYS, items)
        while True:
            items.append(self._value(depth + 1))
            self.meter.listing(len(items))
            self._skip()
            letter = self._peek()
            if letter not in {",", "]"}:
                self._fail("after array element")
            self.at += 1
            if letter == "]":
                return grown(ANYS, items)

    def _object(self, depth: int) -> Value:
        entries: dict[bytes, Value] = {}
        self.at += 1
        self._skip()
        if self._peek() == "}":
            self.at += 1
            return Map(DICT, entries)
        while True:
            self._skip()
            if self._peek() != '"':
                self._fail("looking for beginning of object key string")
            key = self._string()
            self._skip()
            if self._peek() != ":":
                self._fail("after object key")
            self.at += 1
            entries[key] = self._value(depth + 1)
            self.meter.listing(len(entries))
            self._skip()
            letter = self._peek()
            if letter not in {",", "}"}:
                self._fail("after object key:value pair")
            self.at += 1
            if letter == "}":
                return Map(DICT, entries)

    def _string(self) -> bytes:
        self.at += 1
        parts: list[str] = []
        while True:
            self.meter.step()
            match = _PLAIN.match(self.text, self.at)
            plain = match.group() if match else ""
            parts.append(runes.clean(plain))
            self.at += len(plain)
            letter = self._peek()
            if letter == '"':
                self.at += 1
                return "".join(parts).encode()
            if letter != "\\":
                self._fail("in string literal")
            self.at += 1
            parts.append(self._escape())

    def _escape(self) -> str:
        letter = self._peek()
        if letter != "" and letter in _ESCAPES:
            self.at += 1
            return _ESCAPES[letter]
        if letter != "u":
            self._fail("in string escape code")
        self.at += 1
        code = self._four()
        if code in _HIGH and self.text.startswith("\\u", self.at):
            mark = self.at
            self.at += 2
            low = self._four()
            if low in _LOW:
                return chr(0x10000 + (code - _HIGH.start) * 0x400 + low - _LOW.start)
            self.at = mark
        return runes.char(code)

    def _four(self) -> int:
        start = self.at
        for _ in range(4):
            if not _HEX.fullmatch(self._peek()):
                self._fail("in \\u hexadecimal character escape")
            self.at += 1
        return int(self.text[start : self.at], 16)


def _shown(code: int) -> str:
    """A byte as Go's scanner quotes it: read as a rune."""
    rune = chr(code)
    if rune == "'":
        return r"'\''"
    if rune == '"':
        return "'\"'"
    body = strconv.quote(rune.encode()).decode()[1:-1]
    return f"'{body}'"
