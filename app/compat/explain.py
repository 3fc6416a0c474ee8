"""Why a node does not fit: what each set wants and the node does not have.

Everything here is a value; whoever prints it decides on words and cleans what
comes from specs and nodes. Of alternatives (`matchAny`, devices), the one that
lacks least is explained. A device is one thing: where none satisfies all that a
term asks of one, the device is lacking, whatever single values there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from app.compat.features import Features
from app.compat.gotext import lower
from app.compat.matching import Results, RuleResult, SetResult, Terms, View
from app.compat.spec import FeatureMatcherTerm, MatchExpression
from app.compat.terms import Expressions, FeatureSets, match_expressions, match_names
from app.errors import SpecError

MAX_TEXT: Final = 80
"""Characters of a wanted or found text."""

MAX_VALUES: Final = 3
"""Values that are shown of several devices."""

ABSENT: Final = "absent"
NONE: Final = "none"
NOT_LOADED: Final = "not loaded"
NOT_PUBLISHED: Final = "no such feature"
NO_ELEMENTS: Final = "no elements"

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

_Named: TypeAlias = tuple[str, MatchExpression | None]


class Part(StrEnum):
    """What of a term a node can lack."""

    ELEMENT = "element"
    """One of `matchExpressions`."""
    NAME = "name"
    """`matchName`."""
    DEVICE = "device"
    """An instance that satisfies all of several `matchExpressions` by itself."""
    FEATURE = "feature"
    """The feature, which need not have any element in particular."""
    RULE = "rule"
    """Something, where it is only known that the rule does not match."""


class Need(NamedTuple):
    """One thing that a rule wants of a node: what closeness is counted in.

    Attributes:
        rule: name of the rule.
        feature: the feature as the spec writes it; `""` for a rule.
        part: what of it.
        expressions: name of the element -> expression, in order: one for an
            element, one without a name for `matchName`, all of a device's; none
            for the feature itself.
    """

    rule: str
    feature: str
    part: Part = Part.FEATURE
    expressions: tuple[_Named, ...] = ()

    @property
    def name(self) -> str:
        """Name of the element; `""` if it is not about one."""
        return self.expressions[0][0] if self.part is Part.ELEMENT else ""

    @property
    def want(self) -> str:
        """What is wanted, in few words: `In [a, b]`, `version >= 12.4`."""
        if not self.expressions:
            return "published" if self.part is Part.FEATURE else ""
        if self.part is Part.DEVICE:
            all_of = (f"{name} {want(one)}" for name, one in self.expressions)
            return _cut(f"one with {', '.join(all_of)}")
        ((_, expression),) = self.expressions
        text = want(expression)
        return _cut(f"a name {text}") if self.part is Part.NAME else text

    @property
    def is_changeable(self) -> bool:
        """Whether an admin can change it on a node."""
        return is_changeable(self.feature)


class Unmet(NamedTuple):
    """One thing that a node does not have.

    Attributes:
        need: what is wanted.
        found: what the node has: the value, values of several devices, `absent`,
            `not loaded`, `no such feature`.
        alternatives: how many alternatives the rule has, of which this belongs to
            the one that lacks least; 0 if there is no choice.
    """

    need: Need
    found: str
    alternatives: int = 0


class SetExplanation(NamedTuple):
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
    return min(explanations, key=lambda one: _distance(one.unmet), default=None)


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


def found(need: Need, sets: FeatureSets | None) -> str:
    """What a node has of something that it lacks.

    Args:
        need: what is wanted.
        sets: the feature as the node publishes it; `None` if it does not.
    """
    if sets is None:
        return NOT_PUBLISHED
    if need.part is Part.ELEMENT:
        return _cut(_value(need.name, sets, lower(need.feature)))
    return NO_ELEMENTS if need.part is Part.FEATURE else NONE


def is_changeable(feature: str) -> bool:
    """Whether an admin can change what this feature says of a node."""
    name = lower(feature)
    return name in _CHANGEABLE or name.partition(".")[0] not in _NFD_DOMAINS


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 3] + "..."


def _distance(unmet: Sequence[Unmet]) -> tuple[int, int]:
    return len(unmet), sum(not one.need.is_changeable for one in unmet)


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
            list(_explain_terms(name, terms, results, view, len(rule.match_any)))
            for terms, results in zip(rule.match_any, result.any, strict=True)
        ]
        yield from min(options, key=_distance)
    yield from _explain_terms(name, rule.match_features, result.features, view, 0)


def _explain_terms(
    rule: str, terms: Terms, results: Results, view: View, alternatives: int
) -> Iterator[Unmet]:
    for term, result in zip(terms, results, strict=True):
        if result.holds:
            continue
        sets = view.find(lower(term.feature))
        for need in _needs(rule, term, sets):
            yield Unmet(need, found(need, sets), alternatives)


# One term -----------------------------------------------------------------------


def _needs(rule: str, term: FeatureMatcherTerm, sets: FeatureSets | None) -> list[Need]:
    """What a term that does not hold lacks; never nothing."""
    lacking = _expressions(term.match_expressions or {}, sets)
    if term.match_name is not None and _lacks_name(term.match_name, sets):
        lacking.append((Part.NAME, (("", term.match_name),)))
    return [
        Need(rule, term.feature, part, expressions)
        for part, expressions in lacking or [(Part.FEATURE, ())]
    ]


def _expressions(
    expressions: Expressions, sets: FeatureSets | None
) -> list[tuple[Part, tuple[_Named, ...]]]:
    """The expressions that fail where fewest do: flags and attributes, or a device."""
    wanted = tuple(sorted(expressions.items()))
    failing = list(expressions)
    if sets is not None:
        devices = [FeatureSets(instances=(one,)) for one in sets.instances]
        has_union = sets.flags is not None or sets.attributes is not None
        if has_union:
            failing = _failing(expressions, FeatureSets(sets.flags, sets.attributes))
        if any(not _failing(expressions, one) for one in devices):
            return []
        if len(failing) > 1 and (devices or not has_union):
            return [(Part.DEVICE, wanted)]
    return [(Part.ELEMENT, ((name, one),)) for name, one in wanted if name in failing]


def _failing(expressions: Expressions, sets: FeatureSets) -> list[str]:
    return [
        name
        for name, expression in expressions.items()
        if not match_expressions({name: expression}, sets, fail_fast=False).is_match
    ]


def _value(name: str, sets: FeatureSets, feature: str) -> str:
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


def _lacks_name(expression: MatchExpression, sets: FeatureSets | None) -> bool:
    try:
        return sets is None or not match_names(expression, sets)
    except SpecError:
        # NFD did not get here, because the term had failed before.
        return False
