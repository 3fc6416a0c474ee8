"""Expressions that cannot all hold, so that no node ever fits.

All rules of a set must match, all terms of matchFeatures, and all expressions of a
term. What several of them say of one element is put together, and answered with
NFD's own operators:

* Where values are listed, one of them must pass everything else.
* Else the bounds of order operators must leave something between them.
* What must be absent can have no value.

Flags and attributes exist once on a node, so that this goes across the terms of a
set; an instance is one of many, so that there it stays inside a term. The terms of
a matchAny are alternatives: each is looked at by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

from app.compat import operators, version
from app.compat.lint import cpuid
from app.compat.lint.expressions import INTERVALS, ORDER, VALUED
from app.compat.lint.features import FEATURES, Form
from app.compat.lint.problem import Problems, found, shown
from app.compat.lint.written import Expression, Spec, Term
from app.compat.spec import MatchExpression
from app.errors import SpecError

MAX_TRIES: Final = 20_000
"""Operator calls that one element is worth."""

_Asked: TypeAlias = tuple[Term, Expression]
_Group: TypeAlias = dict[tuple[str, str], list[_Asked]]


def check(spec: Spec) -> Problems:
    """Contradictions inside each set."""
    for one in spec.sets:
        terms = [term for rule in one.rules for term in rule.terms]
        yield from _together(terms)
        for rule in one.rules:
            for alternative in rule.alternatives:
                yield from _together(alternative.terms)


def _together(terms: Sequence[Term]) -> Problems:
    for (key, name), asked in _groups(terms).items():
        if len(asked) > 1 and not _can_hold(asked):
            *_, (_, last) = asked
            lines = sorted({one.at.line for _, one in asked[:-1]})
            before = " and ".join(map(str, lines))
            message = (
                f"no value of {key} {shown(name)} passes this and what stands in line"
                f" {before}: this never matches"
            )
            yield found("contradiction", last.at, message, "")
    yield from _architectures(terms)


def _groups(terms: Iterable[Term]) -> _Group:
    """What is asked of each element that exists once; of instances, by term."""
    groups: _Group = {}
    for number, term in enumerate(terms):
        feature = FEATURES.get(term.key)
        is_instance = feature is None or feature.form is Form.INSTANCE
        scope = f"{term.key} in term {number + 1}" if is_instance else term.key
        for one in term.expressions:
            if _is_sound(one):
                groups.setdefault((scope, one.name.text), []).append((term, one))
    return groups


def _is_sound(one: Expression) -> bool:
    """Whether it can be evaluated; what cannot is reported elsewhere."""
    return one.op.text in operators.OPERATORS and not one.is_null


def _can_hold(asked: Sequence[_Asked]) -> bool:
    expressions = [one for _, one in asked]
    ops = {one.op.text for one in expressions}
    if "DoesNotExist" in ops:
        return not ops & (VALUED | {"Exists"})
    lists = [set(values) for one in expressions if (values := _listed(one))]
    if not lists:
        return _has_room(expressions)
    candidates = set.intersection(*lists)
    if len(candidates) * len(expressions) > MAX_TRIES:
        return True
    return any(_passes(value, expressions) for value in candidates)


_LISTED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"IsTrue": ("true",), "IsFalse": ("false",)}
)


def _listed(one: Expression) -> tuple[str, ...]:
    """All values that pass; empty if there are others."""
    return one.operands if one.op.text == "In" else _LISTED.get(one.op.text, ())


def _passes(value: str, expressions: Iterable[Expression]) -> bool:
    """Whether one value passes all; one that errs is taken for passed."""
    for one in expressions:
        expression = MatchExpression(one.op.text, one.operands, one.type.text)
        try:
            if not operators.check(expression)(True, value):  # noqa: FBT003 - a Check
                return False
        except SpecError:
            continue
    return True


# Bounds -------------------------------------------------------------------------

_End: TypeAlias = tuple[tuple[int, ...], bool]
"""A bound, and whether it is outside itself."""


def _has_room(expressions: Sequence[Expression]) -> bool:
    """Whether something is between the bounds of all comparisons of one type."""
    for kind in ("", "version"):
        bounds = [
            one for one in expressions if one.op.text in ORDER and one.type.text == kind
        ]
        lows = [end for one in bounds for end in _low(one)]
        highs = [end for one in bounds for end in _high(one)]
        if lows and highs and not _is_between(max(lows), min(highs, key=_tight), kind):
            return False
    return True


def _tight(end: _End) -> tuple[tuple[int, ...], bool]:
    bound, is_open = end
    return bound, not is_open


def _is_between(low: _End, high: _End, kind: str) -> bool:
    (bottom, bottom_open), (top, top_open) = low, high
    if not kind:
        return bottom[0] + bottom_open <= top[0] - top_open
    return bottom < top or (bottom == top and not bottom_open and not top_open)


def _low(one: Expression) -> Iterator[_End]:
    if one.op.text in {"Gt", "Ge"} | INTERVALS:
        yield from _end(one, 0, is_open=one.op.text in {"Gt", "GtLt"})


def _high(one: Expression) -> Iterator[_End]:
    if one.op.text in {"Lt", "Le"} | INTERVALS:
        yield from _end(one, -1, is_open=one.op.text in {"Lt", "GtLt"})


def _end(one: Expression, index: int, *, is_open: bool) -> Iterator[_End]:
    """A bound, unless it is none, which is an error of its own."""
    text = one.operands[index] if one.operands else ""
    if one.type.text:
        end: tuple[int, ...] | None = version.version(text)
    else:
        number = version.number(text)
        end = None if number is None else (number,)
    if end is not None:
        yield end, is_open


# Architectures ------------------------------------------------------------------

_AMD64_ONLY: Final = cpuid.AMD64 - cpuid.ARM64
_ARM64_ONLY: Final = cpuid.ARM64 - cpuid.AMD64


def _architectures(terms: Iterable[Term]) -> Problems:
    """Flags of amd64 beside flags of arm64."""
    names = [
        one.name
        for term in terms
        if term.key == "cpu.cpuid"
        for one in term.expressions
        if one.op.text == "Exists"
    ]
    amd64 = [name for name in names if name.text in _AMD64_ONLY]
    arm64 = [name for name in names if name.text in _ARM64_ONLY]
    if amd64 and arm64:
        message = (
            f"{shown(arm64[0].text)} is a flag of arm64, and {shown(amd64[0].text)} in"
            f" line {amd64[0].at.line} one of amd64: no node has both"
        )
        hint = "write a set, or an element of matchAny, for each architecture"
        yield found("mixed-architectures", arm64[0].at, message, hint)
