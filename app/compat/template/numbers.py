"""Number constants of a template.

A constant has no type of its own: it is read as every type that can hold it, and
the place where it stands decides.
"""

from __future__ import annotations

import re
from typing import Final

from app.compat.template.nodes import Number
from app.compat.template.strconv import (
    INT64_MAX,
    UINT64_MAX,
    NumberRangeError,
    NumberSyntaxError,
    parse_float,
    parse_int,
    parse_uint,
    quote_text,
    unquote_char,
)

_FLOAT_TOKEN: Final = re.compile(
    r"[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?"
    r"|[0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?)"
)
_FLOAT_MARKS: Final = frozenset(".eEpP")


class ConstantError(ValueError):
    """The text is no number; `args[0]` is Go's text."""


def read_char(position: int, text: str) -> Number:
    """Reads a character constant, quotes included.

    Raises:
        ConstantError: it is none.
    """
    try:
        code, tail = unquote_char(text[1:])
    except NumberSyntaxError:
        raise ConstantError("invalid syntax") from None
    if tail != "'":
        raise ConstantError(f"malformed character constant: {text}")
    return Number(position, text, code, code, float(code), code)


def read_number(position: int, text: str) -> Number:
    """Reads an integer, a float or an imaginary number.

    Raises:
        ConstantError: it is none, or needs more than 64 bits.
    """
    if text.endswith("i"):
        try:
            return _from_complex(position, text, complex(0, parse_float(text[:-1])))
        except ValueError:
            pass
    integer = _integer(text)
    unsigned = _unsigned(text)
    if integer == 0:
        unsigned = 0
    if integer is not None or unsigned is not None:
        whole = integer if integer is not None else unsigned
        return Number(position, text, integer, unsigned, float(whole or 0), integer)
    return _read_float(position, text)


def _read_float(position: int, text: str) -> Number:
    try:
        real = parse_float(text)
    except ValueError:
        raise ConstantError(f"illegal number syntax: {quote_text(text)}") from None
    if _FLOAT_MARKS.isdisjoint(text):
        raise ConstantError(f"integer overflow: {quote_text(text)}")
    return Number(position, text, *_whole(real), real, real)


def read_complex(position: int, text: str) -> Number:
    """Reads a complex constant, `1+2i`.

    Raises:
        ConstantError: it is none.
    """
    match = _FLOAT_TOKEN.match(text)
    real = match.group() if match else ""
    imaginary = text[len(real) :]
    if imaginary[:1] not in {"+", "-"} or not _FLOAT_TOKEN.fullmatch(imaginary[:-1]):
        raise ConstantError("syntax error scanning complex number")
    value = complex(_part(real), _part(imaginary[:-1]))
    return _from_complex(position, text, value)


def _part(text: str) -> float:
    problem = "invalid syntax"
    try:
        return parse_float(text)
    except NumberSyntaxError:
        pass
    except NumberRangeError:
        problem = "value out of range"
    raise ConstantError(f"strconv.ParseFloat: parsing {quote_text(text)}: {problem}")


def _from_complex(position: int, text: str, value: complex) -> Number:
    if value.imag:
        return Number(position, text, None, None, None, value)
    return Number(position, text, *_whole(value.real), value.real, value)


def _whole(real: float) -> tuple[int | None, int | None]:
    """A float as signed and as unsigned integer, if it is one."""
    whole = int(real)
    if whole != real:
        return None, None
    return (
        whole if -INT64_MAX - 1 <= whole <= INT64_MAX else None,
        whole if 0 <= whole <= UINT64_MAX else None,
    )


def _integer(text: str) -> int | None:
    try:
        return parse_int(text)
    except ValueError:
        return None


def _unsigned(text: str) -> int | None:
    try:
        return parse_uint(text)
    except ValueError:
        return None
