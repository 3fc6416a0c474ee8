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
import re
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from types import MappingProxyType
from typing import Final, NoReturn, Protocol, TypeAlias

from app.compat import dialects, regexp, version
from app.compat.gotext import listed, quoted
from app.compat.regexp import Spend, free
from app.compat.spec import MatchExpression
from app.errors import SpecError


class Check(Protocol):
    """What an expression says of an input."""

    def __call__(self, exists: bool, value: str | None, spend: Spend = free, /) -> bool:  # noqa: FBT001 - a Check
        """Whether the input satisfies the expression.

        Args:
            exists: whether there is such an input.
            value: its value; `None` for a flag.
            spend: counts what makes it cost more than one operator call.

        Raises:
            SpecError: with NFD's text where NFD returns an error; or what `spend`
                raises.
        """
        ...


Test: TypeAlias = Callable[[str, Spend], bool]
"""A check of an input that exists and has a value."""

VALUES_PER_CALL: Final = 16
"""Operands that cost as much as one operator call, while a check is made."""

QUOTED_PER_CALL: Final = 64
"""Characters that an error quotes in one operator call; of those that it has to
escape, one."""

_Bound: TypeAlias = tuple[int, ...]
_Order: TypeAlias = Callable[[_Bound, _Bound], bool]
_Read: TypeAlias = Callable[[str], _Bound | None]

EVALUATION: Final = "EvaluationError"
"""Reason of the error where NFD gives one too."""


_PLAIN: Final = re.compile(r"[ !#-\[\]-~]*")


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


def price(expression: MatchExpression | None) -> int:
    """What making a check costs beside its first call, in operator calls."""
    return 0 if expression is None else len(expression.value) // VALUES_PER_CALL


def described(expression: MatchExpression) -> str:
    """An expression as NFD prints it: `{op: "In", value: ["a" "b"]}`, no type."""
    if not expression.value:
        return f"{{op: {quoted(expression.op)}}}"
    values = listed(quoted(value) for value in expression.value)
    return f"{{op: {quoted(expression.op)}, value: {values}}}"


def _raise(message: str) -> NoReturn:
    raise SpecError(EVALUATION, message)


def _failing(message: str) -> Check:
    def fail(_exists: bool, _value: str | None, _spend: Spend = free) -> bool:  # noqa: FBT001 - a Check
        _raise(message)

    return fail


def _broken(message: str) -> Test:
    def fail(_value: str, _spend: Spend) -> bool:
        _raise(message)

    return fail


def _wrong_count(expression: MatchExpression, wanted: str, *, shown: bool) -> str:
    have = f" (have {listed(expression.value)})" if shown else ""
    op = quoted(expression.op)
    return f"invalid expression, 'value' field must {wanted} for Op {op}{have}"


def _presence(answer: Callable[[bool], bool], expression: MatchExpression) -> Check:
    if expression.value:
        return _failing(_wrong_count(expression, "be empty", shown=True))

    def test(exists: bool, _value: str | None, _spend: Spend = free) -> bool:  # noqa: FBT001 - a Check
        return answer(exists)

    return test


def _value(
    make: Callable[[MatchExpression], Test], expression: MatchExpression
) -> Check:
    test = make(expression)

    def check_value(exists: bool, value: str | None, spend: Spend = free) -> bool:  # noqa: FBT001 - a Check
        return exists and value is not None and test(value, spend)

    return check_value


# What operators with a value do -------------------------------------------------


def _in(expression: MatchExpression) -> Test:
    if not expression.value:
        return _broken(_wrong_count(expression, "be non-empty", shown=False))
    wanted = frozenset(expression.value)
    return lambda value, _spend: value in wanted


def _not_in(expression: MatchExpression) -> Test:
    if not expression.value:
        return _broken(_wrong_count(expression, "be non-empty", shown=False))
    refused = frozenset(expression.value)
    return lambda value, _spend: value not in refused


def _in_regexp(expression: MatchExpression) -> Test:
    if not expression.value:
        return _broken(_wrong_count(expression, "be non-empty", shown=False))
    return _Regexps(expression)


class _Regexps:
    """Patterns, of which one is to be found; compiled when they are needed."""

    def __init__(self, expression: MatchExpression) -> None:
        self._expression: Final = expression
        self._are_read = False
        self._problem: tuple[str, str] | None = None

    def __call__(self, value: str, spend: Spend) -> bool:
        if not self._are_read:
            self._problem = self._read(spend)
            self._are_read = True
        if self._problem is not None:
            raise SpecError(*self._problem)
        for text in self._expression.value:
            pattern = regexp.compiled(text, spend)
            spend(pattern.price(value))
            if pattern(value):
                return True
        return False

    def _read(self, spend: Spend) -> tuple[str, str] | None:
        """Reason and message of the first pattern that is none."""
        for text in self._expression.value:
            try:
                regexp.compiled(text, spend)
            except SpecError as error:
                if error.reason == dialects.INVALID:
                    return EVALUATION, _invalid_pattern(self._expression)
                if error.reason == dialects.UNSUPPORTED:
                    message = f"pattern {quoted(text)}: {error.message}"
                    return error.reason, message
                raise
        return None


def _invalid_pattern(expression: MatchExpression) -> str:
    # NFD misspells "expression" here (`expression.go#L151`).
    return (
        "invalid expressiom, 'value' field must only contain valid regexps "
        f"for Op {quoted(expression.op)} (have {listed(expression.value)})"
    )


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
    bounds = _Bounds(expression)
    (bound,) = bounds.found

    def test(value: str, spend: Spend) -> bool:
        found = bounds.read(value, spend)
        if bound is None:
            _raise(bounds.problem)
        return compare(found, bound)

    return test


def _two_bounds(above: _Order, below: _Order, expression: MatchExpression) -> Test:
    if len(expression.value) != 2:  # noqa: PLR2004 - the ends of an interval
        wanted = "contain exactly two elements"
        return _broken(_wrong_count(expression, wanted, shown=True))
    if expression.type not in _TYPES:
        return _type_error(expression)
    bounds = _Bounds(expression)
    low, high = bounds.found

    def test(value: str, spend: Spend) -> bool:
        found = bounds.read(value, spend)
        # Only numbers must be in order; `5, 5` is wrong even for `GeLe`.
        if low is None or high is None or (not expression.type and low >= high):
            _raise(bounds.problem)
        return above(found, low) and below(found, high)

    return test


class _Bounds:
    """The operands of a comparison.

    Attributes:
        found: what each is; `None` if it is none.
    """

    def __init__(self, expression: MatchExpression) -> None:
        self._expression: Final = expression
        self._noun, self._as_bound = _TYPES[expression.type]
        self.found: Final = tuple(map(self._as_bound, expression.value))

    def read(self, value: str, spend: Spend) -> _Bound:
        """The value of an input.

        Raises:
            SpecError: it is none.
        """
        found = self._as_bound(value)
        if found is None:
            is_plain = _PLAIN.fullmatch(value)
            spend(len(value) // QUOTED_PER_CALL if is_plain else len(value))
            _raise(f"not a {self._noun} {quoted(value)}")
        return found

    @cached_property
    def problem(self) -> str:
        """What is wrong with the operands; made once, they may be long."""
        expression = self._expression
        for operand, bound in zip(expression.value, self.found, strict=True):
            if bound is None:
                where = described(expression)
                return f"not a {self._noun} {quoted(operand)} in {where}"
        wanted = "value[0] must be less than Value[1]"
        op, have = quoted(expression.op), listed(expression.value)
        return f"invalid expression, {wanted} for Op {op} (have {have})"


def _equal(wanted: str, expression: MatchExpression) -> Test:
    if expression.value:
        return _broken(_wrong_count(expression, "be empty", shown=True))
    return lambda value, _spend: value == wanted


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
