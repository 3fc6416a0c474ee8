"""Whether anything is between the bounds of order operators.

Numbers are whole and have 64 bits; versions have three whole numbers. So nothing is
greater than 9223372036854775807, between 1 and 2, or between 1.2.3 and 1.2.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

from app.compat import govalue, version
from app.compat.lint.expressions import INTERVALS, ORDER
from app.compat.lint.written import Expression

_Bound: TypeAlias = tuple[int, ...]

_LEAST: Final = {"": (govalue.MIN_INT64,), "version": (0, 0, 0)}
_MOST: Final = {"": (govalue.MAX_INT64,), "version": (1 << 64, 0, 0)}
"""What is less than or equal to, and greater than or equal to everything."""


def has_room(expressions: Sequence[Expression]) -> bool:
    """Whether something is between the bounds of all comparisons of one type."""
    for kind in ("", "version"):
        bounds = [
            one for one in expressions if one.op.text in ORDER and one.type.text == kind
        ]
        lows = [end for one in bounds for end in _low(one)]
        highs = [end for one in bounds for end in _high(one)]
        if max([_LEAST[kind], *lows]) > min([_MOST[kind], *highs]):
            return False
    return True


def is_in_order(one: Expression) -> bool:
    """Whether the ends of an interval are as they should be, or it is no interval."""
    if one.op.text not in INTERVALS:
        return True
    low, high = _read(one, 0), _read(one, -1)
    return low is not None and high is not None and low < high


def _low(one: Expression) -> Iterator[_Bound]:
    """The least that passes; nothing for an operand that is an error of its own."""
    if one.op.text in {"Gt", "Ge"} | INTERVALS:
        end = _read(one, 0)
        if end is not None:
            is_open = one.op.text in {"Gt", "GtLt"}
            yield (*end[:-1], end[-1] + is_open)


def _high(one: Expression) -> Iterator[_Bound]:
    """The greatest that passes, or what is just below the first that does not."""
    if one.op.text in {"Lt", "Le"} | INTERVALS:
        end = _read(one, -1)
        if end is not None:
            is_open = one.op.text in {"Lt", "GtLt"}
            yield (*end[:-1], end[-1] - is_open)


def _read(one: Expression, index: int) -> _Bound | None:
    text = one.operands[index] if one.operands else ""
    if one.type.text:
        return version.version(text)
    number = version.number(text)
    return None if number is None else (number,)
