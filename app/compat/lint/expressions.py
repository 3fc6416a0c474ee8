"""Whether an operator can work with what it is given, whatever the node has.

NFD looks at an expression when there is something to apply it to: what is an error
here is one on every node that has the element, and silent on the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from app.compat import dialects, gotext, govalue, regexp, version
from app.compat.limits import Limits
from app.compat.lint import features, impossible, near
from app.compat.lint.problem import Problem, Problems, found, shown
from app.compat.lint.written import Expression, Spec, Text
from app.compat.operators import OPERATORS
from app.errors import SpecError

ORDER: Final = frozenset({"Gt", "Ge", "Lt", "Le", "GtLt", "GeLe"})
"""Operators that compare, and look at `type`."""

INTERVALS: Final = frozenset({"GtLt", "GeLe"})
"""Of those the ones with two ends."""

VALUED: Final = ORDER | {"In", "NotIn", "InRegexp", "IsTrue", "IsFalse"}
"""Operators that need an element with a value."""

ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("==", "=", "Equals", "Equal", "Eq", "Is"), "In"),
        **dict.fromkeys(("!=", "NotEquals", "NotEqual", "Ne"), "NotIn"),
        ">": "Gt",
        ">=": "Ge",
        "Gte": "Ge",
        "<": "Lt",
        "<=": "Le",
        "Lte": "Le",
        **dict.fromkeys(("Regex", "Regexp", "Matches", "Match"), "InRegexp"),
        **dict.fromkeys(("NotExists", "DoesNotExists", "Absent"), "DoesNotExist"),
        "Exist": "Exists",
        "MatchAny": "Exists",
    }
)
"""What other languages call an operator -> NFD's name."""

_FOLDED: Final[Mapping[str, str]] = MappingProxyType(
    {name.lower(): known for name, known in ALIASES.items()}
)
_NAMES: Final = tuple(filter(None, OPERATORS))

_COUNTS: Final[Mapping[str, tuple[int, int, str]]] = MappingProxyType(
    {
        **dict.fromkeys(("", "Exists", "DoesNotExist"), (0, 0, "none")),
        **dict.fromkeys(("IsTrue", "IsFalse"), (0, 0, "none")),
        **dict.fromkeys(("In", "NotIn", "InRegexp"), (1, 1 << 30, "one or more")),
        **dict.fromkeys(ORDER - INTERVALS, (1, 1, "exactly one")),
        **dict.fromkeys(INTERVALS, (2, 2, "exactly two")),
    }
)
"""Operator -> least and most values, and that in words."""

MAX_CALLS: Final = 2_000_000
"""What reading all patterns of a spec may cost, in operator calls: as much as a
spec may cost in one refresh of the webhook."""


class _TooMuchError(Exception):
    """Reading patterns cost more than `MAX_CALLS`."""


def expressions(spec: Spec) -> Iterator[tuple[str, Expression]]:
    """All expressions of a spec with their features, in order, null ones left out."""
    for rule in spec.rules:
        for term in rule.every:
            key = term.key
            yield from ((key, one) for one in term.every if not one.is_null)


def check(spec: Spec, limits: Limits) -> Problems:
    """Problems of each expression by itself."""
    patterns = _Patterns(limits)
    for feature, one in expressions(spec):
        if one.op.text not in OPERATORS:
            yield _unknown(one)
            continue
        if not (yield from _count(one)):
            continue
        yield from _type(one)
        yield from _DETAILS.get(one.op.text, _nothing)(feature, one)
        if one.op.text == "InRegexp":
            yield from patterns.check(one)


def _nothing(_feature: str, _one: Expression) -> Problems:
    yield from ()


def _unknown(one: Expression) -> Problem:
    op = one.op.text
    meant = _FOLDED.get(op.lower()) or near.nearest(op, _NAMES)
    message = f"unknown operator {shown(op)}: expected one of {', '.join(_NAMES)}"
    hint = f'did you mean "{meant}"?' if meant else ""
    return found("unknown-operator", one.op.at, message, hint)


def _count(one: Expression) -> Generator[Problem, None, bool]:
    """Whether the number of values is right, besides."""
    least, most, words = _COUNTS[one.op.text]
    have = len(one.values)
    if least <= have <= most:
        return True
    name = one.op.text or "no operator"
    message = f"{name} with {_plural(have)}: expected {words}"
    hint = _INSTEAD.get(one.op.text, "")
    if not one.op.text:
        hint = "write op: In"
    yield found("wrong-value-count", one.at, message, hint)
    return False


def _plural(count: int) -> str:
    return f"{count} value" + ("" if count == 1 else "s")


_INSTEAD: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Exists": "leave out value, or write op: In",
        "DoesNotExist": "leave out value, or write op: NotIn",
        "IsTrue": "leave out value",
        "IsFalse": "leave out value",
        "GtLt": "write both ends: value: [low, high]",
        "GeLe": "write both ends: value: [low, high]",
    }
)


def _type(one: Expression) -> Problems:
    kind = one.type.text
    if not kind:
        return
    if one.op.text not in ORDER:
        message = f"type is ignored by {one.op.text or 'no operator'}"
        hint = f"only {', '.join(sorted(ORDER))} look at it"
        yield found("ignored-type", one.type.at, message, hint)
    elif kind != "version":
        message = f'type is {shown(kind)}: expected "version", or no type'
        yield found("unknown-type", one.type.at, message)


# Operands -----------------------------------------------------------------------


def _order(feature: str, one: Expression) -> Problems:
    """Whether the operands are what their type says, and in order."""
    if one.type.text not in {"", "version"}:
        return
    is_number = not one.type.text
    ends: list[tuple[int, ...]] = []
    for value in one.values:
        end = _number(value.text) if is_number else version.version(value.text)
        if end is not None:
            ends.append(end)
        elif is_number:
            message = f"{shown(value.text)} is no number: expected decimal digits"
            hint = _number_hint(feature, one.name.text, value.text)
            yield found("not-a-number", value.at, message, hint)
        else:
            message = f"{shown(value.text)} is no version: expected 1, 1.2 or 1.2.3"
            yield found("not-a-version", value.at, message, _VERSION_HINT)
    if one.op.text in INTERVALS and len(ends) == len(one.values):
        yield from _interval(one, ends, is_number=is_number)


_VERSION_HINT: Final = "at most three numbers, and no underscore"


def _number(text: str) -> tuple[int, ...] | None:
    number = version.number(text)
    return None if number is None else (number,)


def _number_hint(feature: str, name: str, text: str) -> str:
    known = features.element(feature, name)
    if text.lstrip("+-").isdecimal():
        return f"numbers are at most {govalue.MAX_INT64}"
    if version.version(text) is None:
        return ""
    if known is not None and known.kind is features.Kind.NUMBER:
        return impossible.PARTS if feature == "kernel.version" else ""
    return "add type: version"


def _interval(
    one: Expression, ends: list[tuple[int, ...]], *, is_number: bool
) -> Problems:
    low, high = ends
    if low < high:
        return
    if is_number:
        message = f"{one.op.text} from {one.operands[0]} to {one.operands[1]}"
        hint = "" if low == high else "swap them"
        if low == high:
            hint = f'write {{op: In, value: ["{low[0]}"]}}'
        yield found(
            "reversed-interval",
            one.at,
            f"{message}: expected the smaller number first, and two that differ",
            hint,
        )
    elif low > high or one.op.text == "GtLt":
        message = (
            f"no version is between {shown(one.operands[0])} and"
            f" {shown(one.operands[1])}: this never matches"
        )
        yield found("contradiction", one.at, message, "write the smaller first")


def _twice(_feature: str, one: Expression) -> Problems:
    seen: set[str] = set()
    for value in one.values:
        if value.text in seen:
            message = f"{shown(value.text)} stands in the list already"
            yield found("duplicate-value", value.at, message)
        seen.add(value.text)


_DETAILS: Final[Mapping[str, Callable[[str, Expression], Problems]]] = MappingProxyType(
    {
        **dict.fromkeys(ORDER, _order),
        **dict.fromkeys(("In", "NotIn", "InRegexp"), _twice),
    }
)


# Patterns -----------------------------------------------------------------------


_PERL: Final = re.compile(r"\(\?(?:[=!>]|<[=!])|\\[1-9]|[*+?}]\+")
_NOT_IN_RE2: Final = (
    "RE2 has no lookahead, lookbehind, backreferences or possessive quantifiers"
)


class _Patterns:
    """Reads the patterns of a spec, up to a bound."""

    def __init__(self, limits: Limits) -> None:
        self._limits: Final = limits
        self._spent = 0

    def check(self, one: Expression) -> Problems:
        for value in one.values:
            size = gotext.size_bytes(value.text)
            if size > self._limits.pattern_bytes:
                limit = self._limits.pattern_bytes
                message = f"a pattern of {size} bytes: expected at most {limit}"
                yield found("too-costly", value.at, message)
            elif self._spent <= MAX_CALLS:
                yield from self._read(value)

    def _read(self, value: Text) -> Problems:
        try:
            regexp.compiled(value.text, self._spend)
        except _TooMuchError:
            message = "the patterns of the spec take too much work to read"
            yield found("costly-patterns", value.at, message, "write fewer, or shorter")
        except SpecError as error:
            if error.reason == dialects.INVALID:
                message = f"{shown(value.text)} is no regular expression of Go (RE2)"
                hint = _NOT_IN_RE2 if _PERL.search(value.text) else ""
                yield found("invalid-pattern", value.at, message, hint)
            else:
                message = f"pattern {shown(value.text)} holds {error.message}"
                hint = "Go and RE2 read it differently: write it otherwise"
                yield found("unsupported-pattern", value.at, message, hint)

    def _spend(self, calls: int) -> None:
        self._spent += calls
        if self._spent > MAX_CALLS:
            raise _TooMuchError
