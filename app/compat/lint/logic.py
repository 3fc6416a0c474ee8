"""Expressions that cannot all hold, so that no node ever fits.

All rules of a set must match, all terms of matchFeatures, and all expressions of a
term. What several of them say of one element is put together, and answered with
NFD's own operators:

* Where values are listed, one of them must pass everything else.
* Else the bounds of order operators must leave something between them.
* What must be absent can have no value.

Flags and attributes exist once on a node, so that this goes across the terms of a
set; an instance is one of many, so that there it stays inside a term, and what
rule.matched holds changes from rule to rule. The terms of a matchAny are
alternatives: each is looked at by itself, and they are told of if none of them can
hold beside what the set asks for anyway.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

from app.compat import operators
from app.compat.lint import architectures, bounds
from app.compat.lint.expressions import VALUED
from app.compat.lint.features import FEATURES, Form
from app.compat.lint.problem import Problem, Problems, found, shown
from app.compat.lint.written import Alternative, Expression, Rule, Spec, Term
from app.compat.spec import MatchExpression
from app.errors import SpecError

MAX_CALLS: Final = 100_000
"""What trying values may cost in a whole spec, in operator calls."""

MAX_LINES: Final = 3
"""Lines that a message names."""

_Element: TypeAlias = tuple[str, str, str]
"""Feature, the scope in which it is one and the same, and the element's name."""

_Asked: TypeAlias = tuple[Term, Expression]
_Group: TypeAlias = dict[_Element, list[_Asked]]


class _TooMuchError(Exception):
    """Trying values cost more than `MAX_CALLS`."""


class _Work:
    """Counts what trying values costs."""

    def __init__(self) -> None:
        self.left = MAX_CALLS

    def spend(self, calls: int) -> None:
        self.left -= calls
        if self.left < 0:
            raise _TooMuchError


def check(spec: Spec) -> Problems:
    """Contradictions inside each set; none more where looking takes too long."""
    work = _Work()
    try:
        for one in spec.sets:
            terms = [
                (f"rule {number}", term)
                for number, rule in enumerate(one.rules)
                for term in rule.terms
            ]
            together = _groups(terms)
            yield from _contradictions(together, work)
            for number, rule in enumerate(one.rules):
                yield from _alternatives(rule, f"rule {number}", together, work)
    except _TooMuchError:
        pass
    for one in spec.sets:
        yield from architectures.check(one)


def _contradictions(groups: _Group, work: _Work) -> Problems:
    for element, asked in groups.items():
        if not _can_hold(asked, work):
            yield _never(element, asked)


def _never(element: _Element, asked: Sequence[_Asked]) -> Problem:
    key, _, name = element
    _, last = asked[-1]
    what = f"no value of {shown(key)[1:-1]} {shown(name)} passes this"
    if len(asked) > 1:
        lines = sorted({one.at.line for _, one in asked[:-1]})
        before = " and ".join(map(str, lines[:MAX_LINES]))
        if len(lines) > MAX_LINES:
            before += " and others"
        what += f" and what stands in line {before}"
    return found("contradiction", last.at, f"{what}: this never matches")


def _alternatives(
    rule: Rule, scope: str, together: Mapping[_Element, Sequence[_Asked]], work: _Work
) -> Problems:
    """Alternatives that contradict themselves; or all of them the rest of the set."""
    conflicts: list[tuple[_Element, list[_Asked]]] = []
    for one in rule.alternatives:
        groups = _groups((f"{scope} alternative", term) for term in one.terms)
        problems = list(_contradictions(groups, work))
        yield from problems
        conflict = None if problems else _conflict(one, scope, together, work)
        if conflict is not None:
            conflicts.append(conflict)
    if conflicts and len(conflicts) == len(rule.alternatives):
        yield _none_of(conflicts)


def _conflict(
    one: Alternative,
    scope: str,
    together: Mapping[_Element, Sequence[_Asked]],
    work: _Work,
) -> tuple[_Element, list[_Asked]] | None:
    """An element of which an alternative asks what the set does not leave open."""
    for element, asked in _groups((scope, term) for term in one.terms).items():
        before = together.get(element, ())
        work.spend(len(before))
        if before and not _is_of_instances(element[0]):
            both = [*before, *asked]
            if _can_hold(before, work) and not _can_hold(both, work):
                return element, both
    return None


def _none_of(conflicts: Sequence[tuple[_Element, list[_Asked]]]) -> Problem:
    (key, _, name), asked = conflicts[0]
    _, last = asked[-1]
    what = f"{shown(key)[1:-1]} {shown(name)}"
    message = (
        f"what is asked of {what} elsewhere in the set leaves no value for this: no"
        " alternative of this matchAny ever matches"
    )
    return found("contradiction", last.at, message)


def _groups(terms: Iterable[tuple[str, Term]]) -> _Group:
    """What is asked of each element that exists once; of instances, by term."""
    groups: _Group = {}
    for number, (rule, term) in enumerate(terms):
        scope = ""
        if _is_of_instances(term.key):
            scope = f"term {number}"
        elif term.key == "rule.matched":
            scope = rule
        for one in term.expressions:
            if _is_sound(one):
                element = (term.key, scope, one.name.text)
                groups.setdefault(element, []).append((term, one))
    return groups


def _is_of_instances(key: str) -> bool:
    feature = FEATURES.get(key)
    return feature is None or feature.form is Form.INSTANCE


def _is_sound(one: Expression) -> bool:
    """Whether it can be evaluated; what cannot is reported elsewhere."""
    return one.op.text in operators.OPERATORS and not one.is_null


def _can_hold(asked: Sequence[_Asked], work: _Work) -> bool:
    work.spend(len(asked))
    expressions = [one for _, one in asked]
    if len(asked) == 1:
        (one,) = expressions
        return not bounds.is_in_order(one) or bounds.has_room(expressions)
    ops = {one.op.text for one in expressions}
    if "DoesNotExist" in ops:
        return not ops & (VALUED | {"Exists"})
    lists = [set(values) for one in expressions if (values := _listed(one))]
    if not lists:
        return bounds.has_room(expressions)
    checks = [_check(one) for one in expressions]
    candidates = set.intersection(*lists)
    return any(_passes(value, checks, work) for value in sorted(candidates))


_LISTED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"IsTrue": ("true",), "IsFalse": ("false",)}
)


def _listed(one: Expression) -> tuple[str, ...]:
    """All values that pass; empty if there are others."""
    return one.operands if one.op.text == "In" else _LISTED.get(one.op.text, ())


def _check(one: Expression) -> operators.Check:
    expression = MatchExpression(one.op.text, one.operands, one.type.text)
    return operators.check(expression)


def _passes(value: str, checks: Iterable[operators.Check], work: _Work) -> bool:
    """Whether one value passes all; one that errs is taken for passed."""
    for check_value in checks:
        work.spend(1)
        try:
            if not check_value(True, value, work.spend):  # noqa: FBT003 - a Check
                return False
        except SpecError:
            continue
    return True
