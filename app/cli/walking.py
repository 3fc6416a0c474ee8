"""One node walked through one spec, rule by rule, with what is wanted and found.

The evaluator is the one that judges a single node (`compat.matching`, which is NFD),
and what is made of it are the three values of `compat.outcome`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.cli.reports.verdict import Verdict
from app.compat import explain
from app.compat.doubts import doubt
from app.compat.explain import Need, Part
from app.compat.features import Features
from app.compat.gotext import lower
from app.compat.matching import RULE_MATCHED, Results, View
from app.compat.outcome import Outcome, RuleOutcome, SetOutcome, SpecOutcome
from app.compat.spec import Spec
from app.compat.terms import FeatureSets, TermResult

YES: Final = "yes"
NO: Final = "no"
UNKNOWN: Final = "unknown"

NAME: Final = "a name"
DEVICE: Final = "a device"
"""What of a term a check is about, if not one element."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One expression.

    Attributes:
        what: name of the element; `a name` for `matchName`, `a device` for one that
            satisfies all, empty for the feature itself.
        want: the expression in words.
        found: what the node has.
        result: `yes`, `no` or `unknown`.
    """

    what: str
    want: str
    found: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term.

    Attributes:
        feature: its feature, as it was written.
        result: whether it holds: `yes`, `no` or `unknown`.
        checks: its expressions.
    """

    feature: str
    result: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        name: its name.
        verdict: on this node.
        terms: of `matchFeatures`.
        any: of `matchAny`, those of each element.
        why_unknown: reasons; empty if it is known.
    """

    name: str
    verdict: Verdict
    terms: tuple[Term, ...] = ()
    any: tuple[tuple[Term, ...], ...] = ()
    why_unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """One compatibility set.

    Attributes:
        name: its tag, else `#2`.
        weight: of the set.
        description: empty if it has none.
        verdict: on this node.
        rules: in order.
    """

    name: str
    weight: int
    description: str
    verdict: Verdict
    rules: tuple[Rule, ...]


def walk(
    found: SpecOutcome,
    spec: Spec,
    features: Features,
    *,
    published: Collection[str] | None = None,
) -> tuple[Set, ...]:
    """Every set that was judged, in order.

    Args:
        found: what `outcome.decide` made of a spec on a node.
        spec: the spec.
        features: of the node.
        published: as for `outcome.decide`; `None` if what the node does not publish
            is not there.
    """
    places = {id(one): n for n, one in enumerate(spec.compatibilities, start=1)}
    walked = _Walk(View(features), published)
    return tuple(
        walked.of_set(one, places[id(one.result.compatibility)]) for one in found.sets
    )


class _Walk:
    """Walks one node through one spec; variables of rules are seen by later ones."""

    def __init__(self, view: View, published: Collection[str] | None) -> None:
        self._view: Final = view
        self._published: Final = published
        self._has_unknown = False

    def of_set(self, found: SetOutcome, place: int) -> Set:
        of = found.result.compatibility
        return Set(
            name=of.tag or f"#{place}",
            weight=of.weight,
            description=of.description,
            verdict=Verdict(found.outcome.value),
            rules=tuple(map(self._rule, found.rules)),
        )

    def _rule(self, found: RuleOutcome) -> Rule:
        result = found.result
        terms = self._terms(result.features)
        alternatives = tuple(map(self._terms, result.any))
        if result.error is None:
            self._view.publish(result.vars)
        self._has_unknown |= found.outcome is Outcome.UNKNOWN
        doubts = map(doubt, found.reasons)
        return Rule(
            name=result.rule.name,
            verdict=Verdict(found.outcome.value),
            terms=terms,
            any=alternatives,
            why_unknown=tuple(f"{one.what}: {one.found}" for one in doubts),
        )

    def _terms(self, results: Results) -> tuple[Term, ...]:
        return tuple(map(self._term, results))

    def _term(self, result: TermResult) -> Term:
        feature = lower(result.term.feature)
        sets = self._view.find(feature)
        word = self._word(feature, result)
        return Term(
            feature=result.term.feature,
            result=word,
            checks=tuple(_checks(result, sets, word)),
        )

    def _word(self, feature: str, result: TermResult) -> str:
        if feature == RULE_MATCHED:
            is_unknown = self._has_unknown
        else:
            published = self._published
            is_unknown = not (
                result.is_published or published is None or feature in published
            )
        if is_unknown or result.holds is None:
            return UNKNOWN
        return YES if result.holds else NO


def _checks(result: TermResult, sets: FeatureSets | None, word: str) -> Iterator[Check]:
    """The expressions of a term, each with what the node has."""
    term = result.term
    absent = explain.NOT_PUBLISHED if sets is None else ""
    for name, expression in sorted((term.match_expressions or {}).items()):
        need = Need("", term.feature, Part.ELEMENT, ((name, expression),))
        holds = YES if name in result.satisfied else NO
        yield Check(
            what=name,
            want=need.want,
            found=explain.found(need, sets),
            result=UNKNOWN if word == UNKNOWN else holds,
        )
    if term.match_name is not None:
        need = Need("", term.feature, Part.NAME, (("", term.match_name),))
        holds = YES if result.is_name_match else NO
        found = absent or ("there is one" if holds == YES else explain.NONE)
        shown = UNKNOWN if word == UNKNOWN else holds
        yield Check(what=NAME, want=need.want, found=found, result=shown)
    elif not term.match_expressions:
        found = absent or "published"
        yield Check(what="", want="published", found=found, result=word)
    if _lacks_device(result, sets):
        want = "one that satisfies all"
        yield Check(what=DEVICE, want=want, found=explain.NONE, result=NO)


def _lacks_device(result: TermResult, sets: FeatureSets | None) -> bool:
    """Whether every expression holds somewhere, and all of them nowhere."""
    wanted: Sequence[str] = list(result.term.match_expressions or ())
    several = len(wanted) > 1 and sets is not None and bool(sets.instances)
    return several and result.holds is False and result.satisfied.issuperset(wanted)
