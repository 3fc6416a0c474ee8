"""addf, subf, mulf and divf: shopspring/decimal v1.4.0, from floats and back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from app.compat.template import strconv
from app.compat.template.limits import Meter
from app.compat.template.sprig.casting import to_float64
from app.compat.template.values import GoError, Value

Decimal: TypeAlias = tuple[int, int]
"""A coefficient and a power of ten."""

_PLACES: Final = 16
"""Decimal places of a quotient."""

_LARGEST_POWER: Final = 310
_SMALLEST_POWER: Final = -345
_BITS_PER_DIGIT: Final = math.log2(10)


def from_float(number: float) -> Decimal:
    """The decimal with the fewest digits that reads back as `number`."""
    if not math.isfinite(number):
        shown = strconv.format_float(number, "g", -1)
        raise GoError(f"Cannot create a Decimal from {shown}")
    if number == 0:
        return 0, 0
    digits, point = strconv.shortest(number)
    coefficient = int(digits)
    return (-coefficient if number < 0 else coefficient), point - len(digits)


def to_float(number: Decimal) -> float:
    """The nearest float."""
    coefficient, power = number
    magnitude = coefficient.bit_length() / _BITS_PER_DIGIT + power
    if not coefficient:
        return 0.0
    sign = -1.0 if coefficient < 0 else 1.0
    if magnitude > _LARGEST_POWER:
        return sign * math.inf
    if magnitude < _SMALLEST_POWER:
        return sign * 0.0
    try:
        if power < 0:
            return float(coefficient / 10**-power)
        return float(coefficient * 10**power)
    except OverflowError:
        return sign * math.inf


def _aligned(one: Decimal, other: Decimal) -> tuple[int, int, int]:
    power = min(one[1], other[1])
    return (
        one[0] * int(10 ** (one[1] - power)),
        other[0] * int(10 ** (other[1] - power)),
        power,
    )


def add(one: Decimal, other: Decimal) -> Decimal:
    """The exact sum."""
    first, second, power = _aligned(one, other)
    return first + second, power


def subtract(one: Decimal, other: Decimal) -> Decimal:
    """The exact difference."""
    return add(one, (-other[0], other[1]))


def multiply(one: Decimal, other: Decimal) -> Decimal:
    """The exact product."""
    return one[0] * other[0], one[1] + other[1]


def divide(one: Decimal, other: Decimal) -> Decimal:
    """The quotient to 16 decimal places; a half is rounded away from zero."""
    if not other[0]:
        raise GoError("decimal division by 0")
    first, second, _ = _aligned(one, other)
    scaled, divisor = abs(first) * 10**_PLACES, abs(second)
    quotient, rest = divmod(scaled, divisor)
    quotient += rest * 2 >= divisor
    return (quotient if (first < 0) == (second < 0) else -quotient), -_PLACES


_OPERATIONS: Final[Mapping[str, Callable[[Decimal, Decimal], Decimal]]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
}


def folded(meter: Meter, sign: str, first: Value, *others: Value) -> float:
    """Applies an operation from the left to all values."""
    operation = _OPERATIONS[sign]
    result = from_float(to_float64(first))
    for value in others:
        operand = from_float(to_float64(value))
        meter.step()
        meter.work(result[0].bit_length())
        result = operation(result, operand)
    return to_float(result)
