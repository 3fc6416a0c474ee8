"""Values as Go prints them: numbers in YAML and JSON, values in messages.

NFD turns YAML numbers into strings with `strconv.FormatFloat(f, 'g', -1, 32)`
(sigs.k8s.io/yaml v1.6.0, `yaml.go#L307`), its JSON encoder has its own format,
and two of its error messages print a value with `%#v`.
"""

from __future__ import annotations

import math
import re
import struct
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
)
from typing import Final, TypeAlias

from app.compat import gotext
from app.compat.template import strconv

Scalar: TypeAlias = str | int | float | bool | None
"""What goyaml.v2 makes of a YAML scalar."""

MAX_INT64: Final = strconv.INT64_MAX
MIN_INT64: Final = -strconv.INT64_MAX - 1

_EXPONENT_BELOW: Final = -4
_EXPONENT_FROM: Final = 6
_JSON_EXPONENT_BELOW: Final = -6
_JSON_EXPONENT_FROM: Final = 21
_MAX_ECHO: Final = 200
_UNPRINTABLE: Final = re.compile("[^ -~]+")


def float32(value: float) -> str:
    """The number as Go's `FormatFloat(value, 'g', -1, 32)`: `1.1`, `1e+06`, `+Inf`."""
    single = _as_float32(value)
    if not math.isfinite(single):
        return strconv.format_float(single, "g", -1)
    digits, exponent = _shortest(abs(single))
    sign = "-" if math.copysign(1, single) < 0 else ""
    return sign + _general(digits, exponent)


def json_number(value: float) -> str:
    """The number as Go's JSON encoder writes it: `100`, `1.5`, `1e+21`, `1e-7`."""
    if isinstance(value, int):
        return str(value)
    text = strconv.format_shortest(value, _JSON_EXPONENT_BELOW, _JSON_EXPONENT_FROM)
    return text.replace("e-0", "e-")


def syntax(value: Scalar) -> str:
    """A scalar inside an `interface{}`, as Go's `%#v` prints it."""
    match value:
        case None:
            return "interface {}(nil)"
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value:#x}" if value > MAX_INT64 else str(value)
        case float():
            return strconv.format_float(value, "g", -1)
    return gotext.quoted(value)


def clip(text: str) -> str:
    """The text, cut to what a message has room for."""
    return text if len(text) <= _MAX_ECHO else text[:_MAX_ECHO] + "..."


def echo(text: str) -> str:
    """The text for a message: printable, and not too long."""
    return _UNPRINTABLE.sub(lambda found: _escaped(found[0]), clip(text))


def _escaped(text: str) -> str:
    return gotext.quoted(text)[1:-1]


def _as_float32(value: Decimal | float) -> float:
    """The nearest float32, as a float; infinity where it overflows."""
    number = float(value)
    try:
        single: float = struct.unpack("<f", struct.pack("<f", number))[0]
    except OverflowError:
        return math.copysign(math.inf, number)
    return single


def _shortest(single: float) -> tuple[str, int]:
    """The fewest digits that read back as this float32, and their exponent.

    Ties go to the even digit; only Go's special case for powers of two rounds up
    (`ftoadbox.go` of Go 1.26; the one float32 that it concerns is 2**-12).
    """
    is_power_of_two = math.frexp(single)[0] == 0.5  # noqa: PLR2004 - its mantissa
    nearest = ROUND_HALF_UP if is_power_of_two else ROUND_HALF_EVEN
    exact = Decimal(single)
    found: list[Decimal] = []
    precision = 0
    while not found:  # nine digits are always enough
        precision += 1
        near = [
            Context(prec=precision, rounding=rounding).plus(exact)
            for rounding in (nearest, ROUND_FLOOR, ROUND_CEILING)
        ]
        found = [number for number in near if _as_float32(number) == single]
    return _digits(min(found, key=lambda number: abs(number - exact)))


def _digits(number: Decimal) -> tuple[str, int]:
    """Digits without zeros at the end, and the exponent of the first."""
    if not number:
        return "0", 0
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0")
    return digits, number.adjusted()


def _general(digits: str, exponent: int) -> str:
    """`%g`: an exponent where it is below -4 or from 6 on."""
    if not _EXPONENT_BELOW <= exponent < _EXPONENT_FROM:
        point = "." if len(digits) > 1 else ""
        return f"{digits[0]}{point}{digits[1:]}e{exponent:+03d}"
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    whole, rest = digits[: exponent + 1], digits[exponent + 1 :]
    return whole.ljust(exponent + 1, "0") + ("." + rest if rest else "")
