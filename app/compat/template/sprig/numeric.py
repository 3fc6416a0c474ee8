"""sprig's arithmetic. Integers are of 64 bits and wrap around."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from app.compat.template import runes, strconv
from app.compat.template.gofmt import sprint
from app.compat.template.limits import Meter
from app.compat.template.sprig.casting import to_float64, to_int64
from app.compat.template.sprig.decimals import folded
from app.compat.template.values import (
    ANY,
    FLOAT64,
    INT,
    INTS,
    STRING,
    Function,
    GoError,
    Number,
    Slice,
    Value,
    grown,
    int64,
    pure,
    wrap64,
)

_DIVISION_BY_ZERO: Final = "runtime error: integer divide by zero"


def atoi(data: bytes) -> int:
    """The number in a text; 0 if it is none, the nearest one if it is too large."""
    try:
        return strconv.parse_int(runes.escaped(data), 10)
    except strconv.NumberRangeError as e:
        return int(e.args[0])
    except strconv.NumberSyntaxError:
        return 0


def add(*values: Value) -> Number:
    """The sum."""
    return int64(sum(map(to_int64, values)))


def mul(*values: Value) -> Number:
    """The product."""
    product = 1
    for value in values:
        product = wrap64(product * to_int64(value))
    return int64(product)


def div(one: Value, other: Value) -> Number:
    """The quotient, towards zero."""
    dividend, divisor = to_int64(one), to_int64(other)
    if not divisor:
        raise GoError(_DIVISION_BY_ZERO)
    quotient = abs(dividend) // abs(divisor)
    return int64(quotient if (dividend < 0) == (divisor < 0) else -quotient)


def mod(one: Value, other: Value) -> Number:
    """The rest; it has the sign of the dividend."""
    dividend, divisor = to_int64(one), to_int64(other)
    if not divisor:
        raise GoError(_DIVISION_BY_ZERO)
    rest = abs(dividend) % abs(divisor)
    return int64(-rest if dividend < 0 else rest)


def maximum_float(*values: Value) -> float:
    """math.Max of all."""
    result = to_float64(values[0])
    for value in map(to_float64, values[1:]):
        result = _larger(result, value)
    return result


def minimum_float(*values: Value) -> float:
    """math.Min of all."""
    result = to_float64(values[0])
    for value in map(to_float64, values[1:]):
        result = -_larger(-result, -value)
    return result


def _larger(one: float, other: float) -> float:
    if math.inf in {one, other}:
        return math.inf
    if math.isnan(one) or math.isnan(other):
        return math.nan
    if one == other == 0:
        return other if math.copysign(1, one) < 0 else one
    return max(one, other)


def floor(value: Value) -> float:
    """The next lower whole number."""
    return _whole(to_float64(value), math.floor)


def ceil(value: Value) -> float:
    """The next higher whole number."""
    return _whole(to_float64(value), math.ceil)


def _whole(number: float, step: object) -> float:
    if not math.isfinite(number):
        return number
    whole = float(math.floor(number) if step is math.floor else math.ceil(number))
    return math.copysign(whole, number) if whole == 0 else whole


def _power_of_ten(places: int) -> float:
    """math.Pow(10, places)."""
    try:
        return 10.0**places
    except OverflowError:
        return math.inf


def _quotient(one: float, other: float) -> float:
    if other:
        return one / other
    return math.nan if not one or math.isnan(one) else math.copysign(math.inf, one)


def round_half(value: Value, places: int, *at: float) -> float:
    """Rounds to `places` decimal places; up from .5, or from what is given."""
    turn = at[0] if at else 0.5
    power = _power_of_ten(places)
    digit = power * to_float64(value)
    fraction = math.nan if not math.isfinite(digit) else math.modf(digit)[0]
    rounded = ceil(digit) if fraction >= turn else floor(digit)
    return _quotient(rounded, power)


def to_decimal(meter: Meter, value: Value) -> Number:
    """The number in octal digits; 0 if there is none."""
    text = runes.escaped(sprint(meter, [value]))
    try:
        return int64(strconv.parse_int(text, 8))
    except ValueError:
        return int64(0)


def _steps(meter: Meter, start: int, stop: int, step: int) -> range:
    if stop < start:
        steps = range(start, stop, step) if step < 0 else range(0)
    else:
        steps = range(start, stop, step) if step > 0 else range(0)
    meter.listing(_count(steps))
    return steps


def _count(steps: range) -> int:
    """len() of a range that may be larger than a machine word."""
    if not steps:
        return 0
    return (steps[-1] - steps[0]) // steps.step + 1


def until(meter: Meter, count: int) -> Slice:
    """0, 1, 2 and so on, without `count`."""
    return until_step(meter, 0, count, -1 if count < 0 else 1)


def until_step(meter: Meter, start: int, stop: int, step: int) -> Slice:
    """From `start` up or down to `stop`, without it."""
    return grown(INTS, _steps(meter, start, stop, step))


def seq(meter: Meter, *params: int) -> bytes:
    """Numbers as the command seq prints them, on one line."""
    if len(params) not in {1, 2, 3}:
        return b""
    start = params[0] if len(params) > 1 else 1
    end = params[-1]
    direction = -1 if end < start else 1
    step = params[1] if len(params) == 3 else direction  # noqa: PLR2004 - start, step, end
    if len(params) == 3 and direction < 0 < step:  # noqa: PLR2004 - as above
        return b""
    steps = _steps(meter, start, wrap64(end + direction), step)
    return meter.join(b" ", (b"%d" % number for number in steps))


FUNCTIONS: Final[Mapping[str, Function]] = {
    "add": pure(add, variadic=ANY),
    "add1": pure(lambda value: int64(to_int64(value) + 1), ANY),
    "add1f": Function(lambda m, a: folded(m, "+", a, 1), (ANY,)),
    "addf": Function(lambda m, *v: folded(m, "+", 0.0, *v), (), ANY),
    "atoi": pure(atoi, STRING),
    "biggest": pure(lambda *v: int64(max(map(to_int64, v))), ANY, variadic=ANY),
    "ceil": pure(ceil, ANY),
    "div": pure(div, ANY, ANY),
    "divf": Function(lambda m, *v: folded(m, "/", *v), (ANY,), ANY),
    "float64": pure(to_float64, ANY),
    "floor": pure(floor, ANY),
    "int": pure(to_int64, ANY),
    "int64": pure(lambda value: int64(to_int64(value)), ANY),
    "max": pure(lambda *v: int64(max(map(to_int64, v))), ANY, variadic=ANY),
    "maxf": pure(maximum_float, ANY, variadic=ANY),
    "min": pure(lambda *v: int64(min(map(to_int64, v))), ANY, variadic=ANY),
    "minf": pure(minimum_float, ANY, variadic=ANY),
    "mod": pure(mod, ANY, ANY),
    "mul": pure(mul, ANY, variadic=ANY),
    "mulf": Function(lambda m, *v: folded(m, "*", *v), (ANY,), ANY),
    "round": pure(round_half, ANY, INT, variadic=FLOAT64),
    "seq": Function(seq, (), INT),
    "sub": pure(lambda a, b: int64(to_int64(a) - to_int64(b)), ANY, ANY),
    "subf": Function(lambda m, *v: folded(m, "-", *v), (ANY,), ANY),
    "toDecimal": Function(to_decimal, (ANY,)),
    "until": Function(until, (INT,)),
    "untilStep": Function(until_step, (INT, INT, INT)),
}
"""By name."""
