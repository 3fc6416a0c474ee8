"""What each operator says of one input: NFD's `evaluateMatchExpression`.

`OPERATORS` holds every operator of NFD (`expression.go#L98` at v0.19.0). Making
a check from an expression never fails; using it may, because NFD looks at an
expression's operands only when there is an input to apply them to. The order of
its checks decides which error is raised, and is kept:

1. An unknown operator is an error, even if the input does not exist.
2. The presence operators (`Exists`, `DoesNotExist` and none at all) take no
   operand, and answer from whether the input exists.
3. For every other operator, `NotIn` included, an input that does not exist, or
   has no value (a flag), does not match; its operands are not looked at.
4. Then the number of operands, then their type, then the input, then each
   operand.

The same checks serve one node (`matching`) and all distinct values (`index`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, NoReturn, TypeAlias

from app.compat import regexp, version
from app.compat.gotext import listed, quoted
from app.compat.spec import MatchExpression
from app.errors import SpecError

Check: TypeAlias = Callable[[bool, str | None], bool]
"""Called with whether the input exists and its value (`None` for a flag).

It raises `SpecError` with NFD's text where NFD returns an error.
"""

Test: TypeAlias = Callable[[str], bool]
"""A check of an input that exists and has a value."""

_Bound: TypeAlias = tuple[int, ...]
_Order: TypeAlias = Callable[[_Bound, _Bound], bool]
_Read: TypeAlias = Callable[[str], _Bound | None]

EVALUATION: Final = "EvaluationError"
"""Reason of the error where NFD gives one too."""


def _number(text: str) -> _Bound | None:
    value = version.number(text)
    return None if value is None else (value,)


_TYPES: Final[Mapping[str, tuple[str, _Read]]] = MappingProxyType(
    {"": ("number", _number), "version": ("version", version.version)}
)


def check(expression: MatchExpression | None) -> Check:
    """Makes the check that an expression stands for.

    A null expression makes one that always fails: NFD crashes there.
    """
    if expression is None:
        return _failing("the expression is null")
    make = OPERATORS.get(expression.op)
    if make is None:
        return _failing(f"invalid Op {quoted(expression.op)}")
    return make(expression)


def described(expression: MatchExpression) -> str:
    """An expression as NFD prints it: `{op: "In", value: ["a" "b"]}`, no type."""
    if not expression.value:
        return f"{{op: {quoted(expression.op)}}}"
    values = listed(quoted(value) for value in expression.value)
    return f"{{op: {quoted(expression.op)}, value: {values}}}"


def _raise(message: str) -> NoReturn:
    raise SpecError(EVALUATION, message)


def _failing(message: str) -> Check:
    def fail(_exists: bool, _value: str | None) -> bool:  # noqa: FBT001 - a Check
        _raise(message)

    return fail


def _broken(message: str) -> Test:
    def fail(_value: str) -> bool:
        _raise(message)

    return fail


def _wrong_count(expression: MatchExpression, wanted: str, *, shown: bool) -> str:
    have = f" (have {listed(expression.value)})" if shown else ""
    op = quoted(expression.op)
    return f"invalid expression, 'value' field must {wanted} for Op {op}{have}"


def _presence(answer: Callable[[bool], bool], expression: MatchExpression) -> Check:
    if expression.value:
        return _failing(_wrong_count(expression, "be empty", shown=True))

    def test(exists: bool, _value: str | None) -> bool:  # noqa: FBT001 - a Check
        return answer(exists)

    return test


def _value(
    make: Callable[[MatchExpression], Test], expression: MatchExpression
) -> Check:
    test = make(expression)

    def check_value(exists: bool, value: str | None) -> bool:  # noqa: FBT001 - a Check
        return exists and value is not None and test(value)

    return check_value


# What operators with a value do -------------------------------------------------


def _in(expression: MatchExpression) -> Test:
    if not expression.value:
        return _broken(_wrong_count(expression, "be non-empty", shown=False))
    return frozenset(expression.value).__contains__


def _not_in(expression: MatchExpression) -> Test:
    if not expression.value:
        return _broken(_wrong_count(expression, "be non-empty", shown=False))
    refused = frozenset(expression.value)
    return lambda value: value not in refused


def _in_regexp(expression: MatchExpression) -> Test:
    if not expression.value:
        return _broken(_wrong_count(expression, "be non-empty", shown=False))
    searches: list[regexp.Search] = []
    for pattern in expression.value:
        try:
            searches.append(regexp.compiled(pattern))
        except SpecError as error:
            return _broken_pattern(expression, pattern, error)
    if len(searches) == 1:
        return searches[0]
    return lambda value: any(search(value) for search in searches)


def _broken_pattern(
    expression: MatchExpression, pattern: str, error: SpecError
) -> Test:
    if error.reason == regexp.INVALID:
        # NFD misspells "expression" here (`expression.go#L151`).
        return _broken(
            "invalid expressiom, 'value' field must only contain valid regexps "
            f"for Op {quoted(expression.op)} (have {listed(expression.value)})"
        )

    def refuse(_value: str) -> bool:
        raise SpecError(error.reason, f"pattern {quoted(pattern)}: {error.message}")

    return refuse


def _type_error(expression: MatchExpression) -> Test:
    return _broken(
        "invalid expression, 'type' field only accepts \"version\" value "
        f"for Op {quoted(expression.op)} (have {quoted(expression.type)})"
    )


def _one_bound(compare: _Order, expression: MatchExpression) -> Test:
    if len(expression.value) != 1:
        wanted = "contain exactly one element"
        return _broken(_wrong_count(expression, wanted, shown=True))
    if expression.type not in _TYPES:
        return _type_error(expression)
    noun, read = _TYPES[expression.type]
    operand = expression.value[0]
    bound = read(operand)

    def test(value: str) -> bool:
        found = read(value)
        if found is None:
            _raise(f"not a {noun} {quoted(value)}")
        if bound is None:
            _raise(f"not a {noun} {quoted(operand)} in {described(expression)}")
        return compare(found, bound)

    return test


def _two_bounds(above: _Order, below: _Order, expression: MatchExpression) -> Test:
    if len(expression.value) != 2:  # noqa: PLR2004 - the ends of an interval
        wanted = "contain exactly two elements"
        return _broken(_wrong_count(expression, wanted, shown=True))
    if expression.type not in _TYPES:
        return _type_error(expression)
    noun, read = _TYPES[expression.type]
    low, high = map(read, expression.value)

    def test(value: str) -> bool:
        found = read(value)
        if found is None:
            _raise(f"not a {noun} {quoted(value)}")
        if low is None or high is None:
            operand = expression.value[0 if low is None else 1]
            _raise(f"not a {noun} {quoted(operand)} in {described(expression)}")
        if not expression.type and low >= high:
            # Only numbers must be in order; `5, 5` is wrong even for `GeLe`.
            wanted = "value[0] must be less than Value[1]"
            op, have = quoted(expression.op), listed(expression.value)
            _raise(f"invalid expression, {wanted} for Op {op} (have {have})")
        return above(found, low) and below(found, high)

    return test


def _equal(wanted: str, expression: MatchExpression) -> Test:
    if expression.value:
        return _broken(_wrong_count(expression, "be empty", shown=True))
    return lambda value: value == wanted


OPERATORS: Final[Mapping[str, Callable[[MatchExpression], Check]]] = MappingProxyType(
    {
        "": partial(_presence, lambda _: True),
        "Exists": partial(_presence, lambda exists: exists),
        "DoesNotExist": partial(_presence, operator.not_),
        "In": partial(_value, _in),
        "NotIn": partial(_value, _not_in),
        "InRegexp": partial(_value, _in_regexp),
        "Gt": partial(_value, partial(_one_bound, operator.gt)),
        "Ge": partial(_value, partial(_one_bound, operator.ge)),
        "Lt": partial(_value, partial(_one_bound, operator.lt)),
        "Le": partial(_value, partial(_one_bound, operator.le)),
        "GtLt": partial(_value, partial(_two_bounds, operator.gt, operator.lt)),
        "GeLe": partial(_value, partial(_two_bounds, operator.ge, operator.le)),
        "IsTrue": partial(_value, partial(_equal, "true")),
        "IsFalse": partial(_value, partial(_equal, "false")),
    }
)
"""Operator -> what makes a check of an expression; `""` is NFD's MatchAny."""

TAKES_NO_VALUE: Final = frozenset({"", "Exists", "DoesNotExist"})
"""Operators that answer from presence alone."""
