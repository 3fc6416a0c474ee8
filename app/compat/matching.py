"""One node against rules and specs: NFD's evaluator, bit for bit.

`judge` does what `nfd compat validate-node` does (`node-validator.go#L63` and
`rule.go#L159` at v0.19.0), with these differences, which never show in a report:

* NFD gives up at the first rule that cannot be evaluated. Here every rule gets
  its own result, an error included; it publishes no variables, and the next rule
  is evaluated. `status.report` raises the first error, as NFD does.
* Where NFD walks a Go map, and so errs on a random one of several expressions,
  names are walked in sorted order.
* Where NFD crashes (a null expression; variables for a `rule.matched` whose
  elements are null), the rule has an error.

Everything is evaluated to the end (NFD's failFast=false), unless `fail_fast`,
which is how nfd-master runs the rules of groups and of NodeFeatureRules.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol, TypeAlias

from app.compat.budget import TOO_COSTLY, Budget
from app.compat.features import Features
from app.compat.gotext import lower
from app.compat.operators import EVALUATION, price
from app.compat.regexp import Spend, free
from app.compat.spec import Compatibility, FeatureMatcherTerm, GroupRule, Spec
from app.compat.terms import (
    Element,
    FeatureSets,
    Matched,
    TermResult,
    match_expressions,
    match_names,
)
from app.errors import SpecError

RULE_MATCHED: Final = "rule.matched"
"""The attribute feature that holds the variables of earlier rules."""

Terms: TypeAlias = tuple[FeatureMatcherTerm, ...]
Results: TypeAlias = tuple[TermResult, ...]
Variables: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RuleResult:
    """What became of one rule.

    Attributes:
        rule: the rule.
        is_match: whether it matches; false with an error.
        error: why it could not be evaluated, in NFD's words; `None` if it was.
        features: a result for every term of `matchFeatures`; empty with an error.
        any: the same for every element of `matchAny`.
        vars: what the rule publishes for later rules.
    """

    rule: GroupRule
    is_match: bool
    error: str | None = None
    features: Results = ()
    any: tuple[Results, ...] = ()
    vars: Variables = field(default_factory=dict)


class SetResult(NamedTuple):
    """What became of one compatibility set; the rules in the set's order."""

    compatibility: Compatibility
    rules: tuple[RuleResult, ...]


class Matchers(Protocol):
    """What a rule of any kind has: when it matches."""

    @property
    def match_features(self) -> Terms:
        """Terms that must all hold; empty if absent."""
        ...

    @property
    def match_any(self) -> tuple[Terms, ...]:
        """Alternatives; empty if absent."""
        ...


class View:
    """A node's features as rules see them: `rule.matched` grows with each rule.

    Attributes:
        budget: what evaluating rules on it may cost; `None` for no bound.
    """

    def __init__(self, features: Features, budget: Budget | None = None) -> None:
        self.budget: Final = budget
        self._flags = features.flags
        self._attributes = features.attributes
        self._instances = features.instances

    def find(self, feature: str) -> FeatureSets | None:
        """The feature of this (lower-case) name; `None` if the node has none."""
        if (
            feature in self._attributes
            or feature in self._flags
            or feature in self._instances
        ):
            return FeatureSets(
                self._flags.get(feature),
                self._attributes.get(feature),
                self._instances.get(feature, ()),
            )
        return None

    def publish(self, values: Variables) -> None:
        """Adds variables to `rule.matched`; without any it exists from then on.

        Raises:
            SpecError: the node publishes it with null elements (NFD crashes).
        """
        known = self._attributes.get(RULE_MATCHED, {})
        if known is None:
            if values:
                raise SpecError(EVALUATION, "elements of rule.matched are null")
            return
        if not values and RULE_MATCHED in self._attributes:
            return
        self._attributes = {**self._attributes, RULE_MATCHED: {**known, **values}}


def judge(
    spec: Spec,
    features: Features,
    *,
    tags: Collection[str] = (),
    budget: Budget | None = None,
) -> tuple[SetResult, ...]:
    """Evaluates every set of `spec` that `tags` selects, on one node.

    Variables of a set's rules are seen by all later rules, of later sets too.

    Args:
        spec: the spec.
        features: what is known of the node.
        tags: if any, only sets with one of these tags are evaluated (`""` selects
            sets without a tag).
        budget: what it may cost; `None` for no bound.

    Raises:
        SpecError: `TooCostly`, the budget does not suffice.
    """
    view = View(features, budget)
    return tuple(
        SetResult(
            compatibility, tuple(judge_rule(rule, view) for rule in compatibility.rules)
        )
        for compatibility in spec.compatibilities
        if not tags or compatibility.tag in tags
    )


def judge_rule(rule: GroupRule, view: View, *, fail_fast: bool = False) -> RuleResult:
    """Evaluates one rule and publishes its variables in `view`.

    Raises:
        SpecError: `TooCostly`, the view's budget does not suffice.
    """
    try:
        ran = run(rule, (rule.vars_template,), view, fail_fast=fail_fast)
        variables: Variables = {}
        if ran.outputs is not None:
            variables = {**ran.outputs[0], **rule.vars}
        view.publish(variables)
    except SpecError as error:
        if error.reason == TOO_COSTLY:
            raise
        return RuleResult(rule, is_match=False, error=error.message)
    return RuleResult(
        rule, ran.is_match, features=ran.features, any=ran.any, vars=variables
    )


def fits(results: Sequence[SetResult]) -> bool:
    """Whether some evaluated set has all its rules matched.

    A set without rules fits; without any set nothing does. This is our verdict:
    NFD gives none.
    """
    return any(all(rule.is_match for rule in result.rules) for result in results)


# One rule -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ran:
    """What a rule's matchers gave.

    Attributes:
        is_match: whether the rule matches.
        features: as in `RuleResult`.
        any: as in `RuleResult`; with fail_fast only the evaluated ones.
        outputs: what each template yielded; `None` if the rule yields nothing,
            not even what it states itself.
    """

    is_match: bool
    features: Results = ()
    any: tuple[Results, ...] = ()
    outputs: tuple[Variables, ...] | None = None


def run(
    rule: Matchers, templates: Sequence[str], view: View, *, fail_fast: bool
) -> Ran:
    """Runs the matchers of a rule of any kind (`rule.go#L64` and `#L159`).

    1. Every element of `matchAny` is evaluated; the templates run on each that
       matches. With `fail_fast` and without templates the first one decides.
    2. With `fail_fast`, no match so far ends it. Without, a failed `matchAny`
       does not keep `matchFeatures` from yielding (`node-validator.go#L91`).
    3. `matchFeatures` is evaluated; the templates run if it matches.

    Raises:
        SpecError: an expression or a template cannot be evaluated, or `TooCostly`.
    """
    outputs: tuple[dict[str, str], ...] = tuple({} for _ in templates)
    has_templates = any(templates)
    any_results: list[Results] = []
    is_any = not rule.match_any
    for terms in rule.match_any:  # (1)
        found = _match_terms(terms, view, fail_fast=fail_fast)
        any_results.append(found.results)
        if found.is_match:
            is_any = True
            if fail_fast and not has_templates:
                break
            _yield(templates, found.data, outputs, view.budget)
    alternatives = tuple(any_results)
    if fail_fast and not is_any:  # (2)
        return Ran(is_match=False, any=alternatives)
    if not rule.match_features:
        return Ran(is_any, any=alternatives, outputs=outputs)
    found = _match_terms(rule.match_features, view, fail_fast=fail_fast)  # (3)
    if not found.is_match:
        return Ran(is_match=False, features=found.results, any=alternatives)
    _yield(templates, found.data, outputs, view.budget)
    return Ran(is_any, found.results, alternatives, outputs)


_Data: TypeAlias = dict[str, dict[str, list[Element]]]


@dataclass(slots=True)
class _Found:
    is_match: bool
    results: Results
    data: _Data


def _match_terms(terms: Terms, view: View, *, fail_fast: bool) -> _Found:
    """All terms must hold (`rule.go#L245`)."""
    is_match = is_term_match = True
    data: _Data = {}
    results: list[TermResult] = []
    for term in terms:
        result, elements = _match_term(
            term, view, before=is_term_match, fail_fast=fail_fast
        )
        results.append(result)
        is_term_match = result.is_match
        domain, feature = _split(term.feature)
        data.setdefault(domain, {}).setdefault(feature, []).extend(elements)
        if not result.is_published or not result.is_match:
            is_match = False
            if fail_fast:
                break
    return _Found(is_match, tuple(results), data)


def _match_term(
    term: FeatureMatcherTerm, view: View, *, before: bool, fail_fast: bool
) -> tuple[TermResult, list[Element]]:
    """Evaluates one term; `before` is what NFD took from the term before it."""
    sets = view.find(lower(term.feature))
    if sets is None:
        result = TermResult(term, holds=False, is_match=before, is_published=False)
        return result, []
    spend = free if view.budget is None else view.budget.call
    if view.budget is not None:
        view.budget.call(calls(term, sets))
    if term.match_expressions is None:
        if not before:
            holds = _holds(term, sets, spend)
            return TermResult(term, holds, is_match=False), []
        matched = Matched(is_match=True)
    else:
        matched = match_expressions(
            term.match_expressions, sets, fail_fast=fail_fast, spend=spend
        )
    is_match, is_name_match = matched.is_match, False
    if is_match and term.match_name is not None:
        named = match_names(term.match_name, sets, spend)
        matched.elements += named
        is_match = is_name_match = bool(named)
    satisfied = frozenset(matched.satisfied)
    result = TermResult(
        term, is_match, is_match, satisfied=satisfied, is_name_match=is_name_match
    )
    return result, matched.elements


def calls(term: FeatureMatcherTerm, sets: FeatureSets) -> int:
    """How often a term calls an operator, at most, its operands counted in.

    What a call costs beyond that is counted as it is made.
    """
    asked = term.match_expressions or {}
    count = len(asked) * (2 + len(sets.instances)) + sum(map(price, asked.values()))
    if term.match_name is not None:
        count += price(term.match_name)
        count += len(sets.flags or ()) + len(sets.attributes or ())
        count += sum(map(len, sets.instances))
    return count


def _holds(term: FeatureMatcherTerm, sets: FeatureSets, spend: Spend) -> bool | None:
    """Whether a term holds that NFD leaves out."""
    if term.match_name is None:
        return True
    try:
        return bool(match_names(term.match_name, sets, spend))
    except SpecError as error:
        if error.reason == TOO_COSTLY:
            raise
        return None


def _split(feature: str) -> tuple[str, str]:
    """Domain and feature as templates know them, in the spec's spelling."""
    domain, dot, name = feature.partition(".")
    return (domain, name) if dot else (lower(feature), "")


def _yield(
    templates: Sequence[str],
    data: _Data,
    outputs: Sequence[dict[str, str]],
    budget: Budget | None,
) -> None:
    for text, output in zip(templates, outputs, strict=True):
        if text:
            # Of what a command imports this is a third, and few specs need it.
            from app.compat.varstemplate import expand  # noqa: PLC0415

            output.update(expand(text, data, budget))
