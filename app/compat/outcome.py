"""Three values on top of NFD's two: fits, does not fit, unknown.

NFD's evaluator says yes, no, or nothing at all. Whoever admits Pods needs to tell
"no" from "cannot know":

1. A rule that cannot be evaluated is unknown, whatever its other terms say.
2. A term whose feature no known node of the cluster publishes is unknown: the
   feature may be switched off. If other nodes publish it, the term is false. With
   `UnpublishedFeatures.NO`, as in NFD, it is false in any case.
3. A term on `rule.matched` is unknown after a rule that was unknown.
4. Within a rule that could be evaluated, these combine by Kleene: a false term
   decides an AND, a true element decides `matchAny`.
5. A set does not fit if a rule is false, else is unknown if a rule is, else fits.
   A spec fits if a set does, else is unknown if a set is, else does not fit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from app.compat.gotext import lower
from app.compat.matching import RULE_MATCHED, Results, RuleResult, SetResult
from app.compat.terms import TermResult


class Outcome(StrEnum):
    """What is known of a node and what it is judged by."""

    FITS = "fits"
    DOES_NOT_FIT = "does not fit"
    UNKNOWN = "unknown"


class UnpublishedFeatures(StrEnum):
    """What a term is on a feature that no known node publishes."""

    UNKNOWN = "unknown"
    NO = "no"
    """False, as in NFD."""


@dataclass(frozen=True, slots=True)
class Unpublished:
    """No known node publishes this feature."""

    feature: str


@dataclass(frozen=True, slots=True)
class Erred:
    """The rule cannot be evaluated on this node; in NFD's words."""

    error: str


@dataclass(frozen=True, slots=True)
class AfterUnknown:
    """The rule looks at variables of a rule that is unknown itself."""


Reason: TypeAlias = Unpublished | Erred | AfterUnknown
"""Why a rule is unknown."""


class RuleOutcome(NamedTuple):
    """One rule on one node.

    Attributes:
        result: NFD's own result.
        outcome: what we make of it.
        reasons: why it is unknown, each once; empty otherwise.
    """

    result: RuleResult
    outcome: Outcome
    reasons: tuple[Reason, ...] = ()


class SetOutcome(NamedTuple):
    """One set on one node, rule by rule."""

    result: SetResult
    outcome: Outcome
    rules: tuple[RuleOutcome, ...]


class SpecOutcome(NamedTuple):
    """One spec on one node.

    Attributes:
        outcome: fits, does not fit or unknown.
        sets: every set that was judged, in order.
        score: the highest weight among the sets that fit; `None` if none does.
    """

    outcome: Outcome
    sets: tuple[SetOutcome, ...]
    score: int | None = None


def all_of(outcomes: Iterable[Outcome]) -> Outcome:
    """What several outcomes amount to if all must fit; none at all fits."""
    return _worst(outcomes, (Outcome.DOES_NOT_FIT, Outcome.UNKNOWN), Outcome.FITS)


def any_of(outcomes: Iterable[Outcome]) -> Outcome:
    """What several outcomes amount to if one suffices; none at all does not fit."""
    return _worst(outcomes, (Outcome.FITS, Outcome.UNKNOWN), Outcome.DOES_NOT_FIT)


def decide(
    results: Sequence[SetResult],
    *,
    published: Collection[str] | None = None,
    unpublished: UnpublishedFeatures = UnpublishedFeatures.UNKNOWN,
) -> SpecOutcome:
    """Makes three values of what `matching.judge` found.

    Args:
        results: every judged set of one spec on one node.
        published: the features (in lower case) that any known node publishes;
            `None` takes rule (2) out: what is not published is false.
        unpublished: `NO` takes rule (2) out too.
    """
    has_rule_2 = unpublished is UnpublishedFeatures.UNKNOWN
    memory = _Memory(published if has_rule_2 else None)
    sets = tuple(_decide_set(result, memory) for result in results)
    weights = [
        one.result.compatibility.weight for one in sets if one.outcome is Outcome.FITS
    ]
    return SpecOutcome(
        any_of(one.outcome for one in sets), sets, max(weights, default=None)
    )


def _worst(
    outcomes: Iterable[Outcome], order: tuple[Outcome, Outcome], default: Outcome
) -> Outcome:
    found = set(outcomes)
    return next((outcome for outcome in order if outcome in found), default)


@dataclass(slots=True)
class _Memory:
    """What carries over from rule to rule, set to set."""

    published: Collection[str] | None
    has_unknown: bool = False


def _decide_set(result: SetResult, memory: _Memory) -> SetOutcome:
    rules: list[RuleOutcome] = []
    for rule in result.rules:
        rules.append(_decide_rule(rule, memory))
        memory.has_unknown |= rules[-1].outcome is Outcome.UNKNOWN
    return SetOutcome(result, all_of(rule.outcome for rule in rules), tuple(rules))


def _decide_rule(result: RuleResult, memory: _Memory) -> RuleOutcome:
    if result.error is not None:
        return RuleOutcome(result, Outcome.UNKNOWN, (Erred(result.error),))
    reasons: dict[Reason, None] = {}
    parts = [_decide_terms(result.features, memory, reasons)]
    if result.any:
        parts.append(
            any_of(_decide_terms(terms, memory, reasons) for terms in result.any)
        )
    outcome = all_of(parts)
    return RuleOutcome(
        result, outcome, tuple(reasons) if outcome is Outcome.UNKNOWN else ()
    )


def _decide_terms(
    results: Results, memory: _Memory, reasons: dict[Reason, None]
) -> Outcome:
    return all_of([_decide_term(result, memory, reasons) for result in results])


def _decide_term(
    result: TermResult, memory: _Memory, reasons: dict[Reason, None]
) -> Outcome:
    feature = lower(result.term.feature)
    if feature == RULE_MATCHED:
        if memory.has_unknown:
            reasons[AfterUnknown()] = None
            return Outcome.UNKNOWN
    elif not result.is_published and not _is_known(feature, memory.published):
        reasons[Unpublished(feature)] = None
        return Outcome.UNKNOWN
    return _OF_TRUTH[result.holds]


def _is_known(feature: str, published: Collection[str] | None) -> bool:
    return published is None or feature in published


# A term that NFD left out and that cannot be evaluated (`None`) stands behind one
# that failed; it counts only if that one is unknown now.
_OF_TRUTH = {True: Outcome.FITS, False: Outcome.DOES_NOT_FIT, None: Outcome.UNKNOWN}
