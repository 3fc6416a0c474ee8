"""One term against one node: NFD's `MatchMulti` and `MatchNamesMulti`.

A feature may be published as flags, as attributes and as instances at once
(`expression.go#L490` and `#L583` at v0.19.0):

* flags and attributes are one union: each expression must hold in one of them,
  `DoesNotExist` in both;
* some instance must satisfy all expressions by itself;
* the term holds if either does. A name expression holds if any name satisfies it.

Names are walked in sorted order where NFD walks a Go map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from app.compat import operators
from app.compat.features import Attributes, Flags, Instances
from app.compat.regexp import Spend, free
from app.compat.spec import FeatureMatcherTerm, MatchExpression

Element: TypeAlias = Mapping[str, str]
"""A matched element as templates see it: `Name` and `Value`, or an instance."""

Expressions: TypeAlias = Mapping[str, MatchExpression | None]

NAME: Final = "Name"
VALUE: Final = "Value"
_EXISTS: Final = True
_DOES_NOT_EXIST: Final = "DoesNotExist"


class FeatureSets(NamedTuple):
    """One feature of one node, in its three kinds; `None` is Go's nil map."""

    flags: Flags = None
    attributes: Attributes = None
    instances: Instances = ()


class TermResult(NamedTuple):
    """What became of one term.

    Attributes:
        term: the term.
        holds: whether the term holds; `None` if it cannot be evaluated and NFD
            did not notice.
        is_match: what NFD takes from here to the next term. It forgets to start
            afresh (`rule.go#L248`): after a failed term, one without
            `matchExpressions` fails unevaluated.
        is_published: whether the node has the feature at all.
        satisfied: names of the expressions that NFD's report holds to match.
        is_name_match: whether NFD's report holds the name expression to match.
    """

    term: FeatureMatcherTerm
    holds: bool | None
    is_match: bool
    is_published: bool = True
    satisfied: frozenset[str] = frozenset()
    is_name_match: bool = False


@dataclass(slots=True)
class Matched:
    """What the expressions of one term found, while they are evaluated.

    Attributes:
        is_match: whether the term holds as far as it was evaluated.
        elements: what matched, for templates.
        satisfied: names of the expressions that hold somewhere.
    """

    is_match: bool = False
    elements: list[Element] = field(default_factory=list)
    satisfied: set[str] = field(default_factory=set)


_Checks: TypeAlias = Sequence[tuple[str, MatchExpression | None, operators.Check]]


def match_expressions(
    expressions: Expressions,
    sets: FeatureSets,
    *,
    fail_fast: bool,
    spend: Spend = free,
) -> Matched:
    """Evaluates a set of expressions against all kinds of a feature.

    Args:
        expressions: name -> expression.
        sets: the feature.
        fail_fast: whether one that fails ends it.
        spend: counts what costs more than an operator call.

    Raises:
        SpecError: an expression cannot be evaluated, or what `spend` raises.
    """
    checks = [
        (name, expression, operators.check(expression))
        for name, expression in sorted(expressions.items())
    ]
    matched = _match_union(checks, sets, spend, fail_fast=fail_fast)
    match = _match_fast if fail_fast else _match_instance
    for instance in sets.instances:
        match(checks, instance, matched, spend)
    return matched


def match_names(
    expression: MatchExpression, sets: FeatureSets, spend: Spend = free
) -> list[Element]:
    """Evaluates an expression against the names of all elements.

    Returns:
        The elements whose name satisfies it; of instances, those with such a
        name. The term holds if there is any.

    Raises:
        SpecError: the expression cannot be evaluated against some name, or what
            `spend` raises.
    """
    check = operators.check(expression)
    elements: list[Element] = [
        {NAME: name} for name in sorted(sets.flags or ()) if check(_EXISTS, name, spend)
    ]
    elements += [
        {NAME: name, VALUE: value}
        for name, value in sorted((sets.attributes or {}).items())
        if check(_EXISTS, name, spend)
    ]
    if sets.flags and sets.attributes:
        elements.sort(key=_name)
    for instance in sets.instances:
        # A list, because NFD looks at every name, and may find an error there.
        matches = [check(_EXISTS, name, spend) for name in sorted(instance)]
        if any(matches):
            elements.append(instance)
    return elements


def _match_union(
    checks: _Checks, sets: FeatureSets, spend: Spend, *, fail_fast: bool
) -> Matched:
    is_published = sets.flags is not None or sets.attributes is not None
    matched = Matched(is_match=is_published)
    for name, expression, check in checks:
        wants_both = expression is not None and expression.op == _DOES_NOT_EXIST
        if _holds(name, check, sets, matched, spend=spend, wants_both=wants_both):
            continue
        if fail_fast:
            return Matched()
        matched.is_match = False
    matched.elements.sort(key=_name)
    return matched


def _holds(
    name: str,
    check: operators.Check,
    sets: FeatureSets,
    matched: Matched,
    *,
    spend: Spend,
    wants_both: bool,
) -> bool:
    """Evaluates one expression against flags, then against attributes.

    Where `wants_both`, what held for the flags stays reported as matching even
    if it fails for the attributes, as in NFD (`expression.go#L514`).
    """
    is_found = False
    if sets.flags is not None:
        if check(name in sets.flags, None, spend):
            is_found = True
            matched.elements.append({NAME: name})
            matched.satisfied.add(name)
        elif wants_both:
            return False
    if sets.attributes is not None:
        value = sets.attributes.get(name, "")
        if check(name in sets.attributes, value, spend):
            is_found = True
            matched.elements.append({NAME: name, VALUE: value})
            matched.satisfied.add(name)
        elif wants_both:
            return False
    return is_found


def _match_instance(
    checks: _Checks, instance: Element, matched: Matched, spend: Spend
) -> None:
    satisfied = [
        name
        for name, _, check in checks
        if check(name in instance, instance.get(name, ""), spend)
    ]
    # Different instances may satisfy different expressions: NFD reports each of
    # them as matching even if no instance satisfies all (`expression.go#L466`).
    if satisfied:
        matched.satisfied.update(satisfied)
    if len(satisfied) == len(checks):
        matched.is_match = True
        matched.elements.append(instance)


def _match_fast(
    checks: _Checks, instance: Element, matched: Matched, spend: Spend
) -> None:
    """An instance that fails an expression is not looked at any further."""
    if all(
        check(name in instance, instance.get(name, ""), spend)
        for name, _, check in checks
    ):
        matched.satisfied.update(name for name, _, _ in checks)
        matched.is_match = True
        matched.elements.append(instance)


def _name(element: Element) -> str:
    return element[NAME]
