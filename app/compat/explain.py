"""Why a node does not fit: what each set wants and the node does not have.

Everything here is a value; whoever prints it decides on words and cleans what
comes from specs and nodes. Of alternatives (`matchAny`, devices), the one that
lacks least is explained.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.compat.features import Features
from app.compat.gotext import lower
from app.compat.matching import Results, RuleResult, SetResult, Terms, View
from app.compat.spec import FeatureMatcherTerm, MatchExpression
from app.compat.status import MATCH_EXPRESSION, MATCH_NAME
from app.compat.terms import Expressions, FeatureSets, match_expressions, match_names
from app.errors import SpecError

MAX_TEXT: Final = 80
"""Characters of a wanted or found text."""

MAX_VALUES: Final = 3
"""Values that are shown of several devices."""

ABSENT: Final = "absent"
NOT_LOADED: Final = "not loaded"
NOT_PUBLISHED: Final = "feature not published"

_MODULES: Final = frozenset({"kernel.loadedmodule", "kernel.enabledmodule"})

_NFD_DOMAINS: Final = frozenset(
    {"cpu", "kernel", "memory", "network", "pci", "storage", "system", "usb"}
)
"""Where NFD itself looks; what it finds there is fixed, unless named below."""

_CHANGEABLE: Final = _MODULES | {
    "kernel.selinux",
    "memory.hugepages",
    "memory.swap",
}
"""What an admin can change on a node: modules, huge pages, swap, a mode.

Everything outside NFD's own domains is, too: labels, files in `features.d`, what
vendors publish of drivers and packages.
"""

_SIGNS: Final[Mapping[str, tuple[str, ...]]] = {
    "Gt": (">",),
    "Ge": (">=",),
    "Lt": ("<",),
    "Le": ("<=",),
    "GtLt": (">", "<"),
    "GeLe": (">=", "<="),
}


@dataclass(frozen=True, slots=True)
class Unmet:
    """One expression that a node does not satisfy.

    Attributes:
        rule: name of the rule.
        feature: the feature as the spec writes it.
        name: name of the element; `""` for `matchName` and for a bare feature.
        expression: `None` if the term wants the feature only.
        matcher: `matchExpression` or `matchName`.
        want: the expression in few words: `In [a, b]`, `version >= 12.4`.
        found: what the node has: the value, values of several devices, `absent`,
            `not loaded`, `feature not published`.
        changeable: whether an admin can change it on the node.
        alternatives: how many alternatives the rule has, of which this belongs to
            the one that lacks least; 0 if there is no choice.
        is_split: another device of the node satisfies this expression, but no
            device satisfies all of the term.
    """

    rule: str
    feature: str
    name: str
    expression: MatchExpression | None
    matcher: str
    want: str
    found: str
    changeable: bool
    alternatives: int = 0
    is_split: bool = False


@dataclass(frozen=True, slots=True)
class SetExplanation:
    """What one set lacks on one node.

    Attributes:
        result: the set, rule by rule.
        unmet: what its rules want and the node does not have, in their order.
        errors: the rules that could not be evaluated -> why, in NFD's words.
    """

    result: SetResult
    unmet: tuple[Unmet, ...]
    errors: Mapping[str, str]


def explain(
    results: Sequence[SetResult], features: Features
) -> tuple[SetExplanation, ...]:
    """Explains every set, in order; one that fits has nothing unmet.

    Args:
        results: what `matching.judge` found on a node.
        features: of that node.
    """
    view = View(features)
    return tuple(_explain_set(result, view) for result in results)


def closest(explanations: Iterable[SetExplanation]) -> SetExplanation | None:
    """The set that lacks least; the one with more to change wins a tie."""
    return min(explanations, key=_distance, default=None)


def want(expression: MatchExpression | None) -> str:
    """An expression in few words; `None` wants the feature itself."""
    if expression is None:
        return "published"
    values = expression.value
    signs = _SIGNS.get(expression.op)
    if expression.type == "version" and signs and len(signs) == len(values):
        pairs = zip(signs, values, strict=True)
        return _cut("version " + " and ".join(f"{s} {value}" for s, value in pairs))
    if not values:
        return _cut(expression.op or "any")
    if len(values) == 1 and signs:
        return _cut(f"{expression.op} {values[0]}")
    return _cut(f"{expression.op} [{', '.join(values)}]")


def is_changeable(feature: str) -> bool:
    """Whether an admin can change what this feature says of a node."""
    name = lower(feature)
    return name in _CHANGEABLE or name.partition(".")[0] not in _NFD_DOMAINS


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 3] + "..."


def _distance(explanation: SetExplanation) -> tuple[int, int]:
    fixed = sum(not unmet.changeable for unmet in explanation.unmet)
    return len(explanation.unmet), fixed


def _explain_set(result: SetResult, view: View) -> SetExplanation:
    unmet: list[Unmet] = []
    errors: dict[str, str] = {}
    for rule in result.rules:
        if rule.error is not None:
            errors[rule.rule.name] = rule.error
            continue
        if not rule.is_match:
            unmet += _explain_rule(rule, view)
        view.publish(rule.vars)
    return SetExplanation(result, tuple(unmet), errors)


def _explain_rule(result: RuleResult, view: View) -> Iterator[Unmet]:
    name, rule = result.rule.name, result.rule
    if rule.match_any:
        options = [
            list(_explain_terms(name, terms, found, view, len(rule.match_any)))
            for terms, found in zip(rule.match_any, result.any, strict=True)
        ]
        yield from min(options, key=len)
    yield from _explain_terms(name, rule.match_features, result.features, view, 0)


def _explain_terms(
    rule: str, terms: Terms, results: Results, view: View, alternatives: int
) -> Iterator[Unmet]:
    for term, result in zip(terms, results, strict=True):
        if result.holds:
            continue
        sets = view.find(lower(term.feature))
        for lack in _lacks(term, sets):
            yield Unmet(
                rule=rule,
                feature=term.feature,
                name=lack.name,
                expression=lack.expression,
                matcher=lack.matcher,
                want=want(lack.expression),
                found=_cut(lack.found),
                changeable=is_changeable(term.feature),
                alternatives=alternatives,
                is_split=lack.is_split,
            )


# One term -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Lack:
    name: str
    expression: MatchExpression | None
    found: str
    matcher: str = MATCH_EXPRESSION
    is_split: bool = False


def _lacks(term: FeatureMatcherTerm, sets: FeatureSets | None) -> list[_Lack]:
    """What a term that does not hold lacks; never nothing."""
    expressions = term.match_expressions or {}
    if sets is None:
        lacks = [_Lack(n, e, NOT_PUBLISHED) for n, e in sorted(expressions.items())]
        if term.match_name is not None:
            lacks.append(_Lack("", term.match_name, NOT_PUBLISHED, MATCH_NAME))
        return lacks or [_Lack("", None, NOT_PUBLISHED)]
    lacks = _cheapest(expressions, sets, lower(term.feature))
    if term.match_name is not None:
        lacks += _lacks_name(term.match_name, sets)
    return lacks or [_Lack("", None, "no elements")]


def _cheapest(expressions: Expressions, sets: FeatureSets, feature: str) -> list[_Lack]:
    """The expressions that fail where fewest do: flags and attributes, or a device."""
    options: list[FeatureSets] = []
    if sets.flags is not None or sets.attributes is not None:
        options.append(FeatureSets(sets.flags, sets.attributes))
    options += (FeatureSets(instances=(instance,)) for instance in sets.instances)
    failing = min(
        (_failing(expressions, option) for option in options),
        key=len,
        default=sorted(expressions),
    )
    return [
        _Lack(
            name,
            expressions[name],
            _found(name, sets, feature),
            is_split=any(
                name not in _failing({name: expressions[name]}, option)
                for option in options
            ),
        )
        for name in failing
    ]


def _failing(expressions: Expressions, sets: FeatureSets) -> list[str]:
    return [
        name
        for name, expression in sorted(expressions.items())
        if not match_expressions({name: expression}, sets, fail_fast=False).is_match
    ]


def _found(name: str, sets: FeatureSets, feature: str) -> str:
    """What a node has of an element, over all kinds of the feature."""
    values: dict[str, None] = {}
    for attributes in (sets.attributes or {}, *sets.instances):
        if name in attributes:
            values[attributes[name]] = None
    if not values and name in (sets.flags or ()):
        return "present"
    if not values:
        return NOT_LOADED if feature in _MODULES else ABSENT
    shown = ", ".join(list(values)[:MAX_VALUES])
    more = len(values) - MAX_VALUES
    return f"{shown} +{more} more" if more > 0 else shown


def _lacks_name(expression: MatchExpression, sets: FeatureSets) -> list[_Lack]:
    try:
        if match_names(expression, sets):
            return []
    except SpecError:
        # NFD did not get here, because the term had failed before.
        return []
    names = set(sets.flags or ()).union(sets.attributes or (), *sets.instances)
    found = f"none of {len(names)} names" if names else ABSENT
    return [_Lack("", expression, found, MATCH_NAME)]
