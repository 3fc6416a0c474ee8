"""One spec over many nodes: rules as AND and OR of bitsets.

What `matching` does term by term on one node, and `outcome` makes of it, is done
here for all nodes at once; the rules stated there hold here. Of a list of terms:

* `going` are the nodes where NFD's evaluator has not failed yet. After a failed
  term it leaves out terms without `matchExpressions`, and does not notice their
  errors (`rule.go#L248`): such a term is unknown there, not an error.
* A node errs if an expression that is evaluated errs, whatever the others say.
* A term is unknown if no known node publishes its feature; on `rule.matched`,
  after a rule that was unknown. Terms combine by Kleene.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from app.bits import Bits, lowest
from app.compat import projections
from app.compat.budget import TOO_COSTLY, Budget
from app.compat.census import Frozen, NodeClass
from app.compat.matching import RULE_MATCHED, Variables, calls
from app.compat.plan import PlannedRule, PlannedSet, PlannedTerm, PlannedTerms, Shared
from app.compat.projections import NO_STATE, Memory, State, States
from app.compat.spec import Compatibility
from app.compat.termbits import Reader, TermBits
from app.compat.terms import FeatureSets, match_expressions, match_names
from app.errors import SpecError

_SAMPLE: Final = 64
"""Different sets whose matched elements are compared, before they are all held to
be different: then a digest of each costs more than it spares."""

_LOOKS_PER_NODE: Final = 16
"""Looks that finding a node's variables counts."""

_LOOKS_PER_CLASS: Final = 16
"""Looks that a class of nodes counts, when nodes are split by what they publish."""

_NO_SETS: Final = FeatureSets()
_ALL: Final = -1


@dataclass(frozen=True, slots=True)
class RuleBits:
    """One rule on all nodes; a node that is in neither does not fit."""

    fits: Bits
    unknown: Bits


@dataclass(frozen=True, slots=True)
class SetBits:
    """One set on all nodes; a node that is in neither does not fit.

    Attributes:
        compatibility: the set.
        fits: the nodes that fit.
        unknown: the nodes of which we cannot know.
        rules: the same for each rule, in order.
    """

    compatibility: Compatibility
    fits: Bits
    unknown: Bits
    rules: tuple[RuleBits, ...]


class _Found(NamedTuple):
    """A list of terms.

    Attributes:
        matched: all hold, as `matching` says.
        errs: one that is evaluated cannot be evaluated.
        true: all hold, as `outcome` says.
        false: one does not.
    """

    matched: Bits
    errs: Bits
    true: Bits
    false: Bits


class _Parts(NamedTuple):
    """The two parts of a term on one class of nodes."""

    matched: bool
    errs: bool
    named: bool
    name_errs: bool


_Projection: TypeAlias = tuple[object, ...]
"""Position of a state, then a digest of each term that a template sees."""


class Sweep:
    """One evaluation of a spec, on some nodes.

    Args:
        census: what is known of all nodes.
        memory: results of this spec's earlier evaluations.
        budget: what this one may cost.
        among: the nodes to judge.
        shared: every answer that some plan holds.
        has_states: whether `rule.matched` matters.
        may_be_off: whether a feature that no known node publishes is unknown.
    """

    def __init__(
        self,
        census: Frozen,
        memory: Memory,
        budget: Budget,
        among: Bits,
        *,
        shared: Shared,
        has_states: bool,
        may_be_off: bool = True,
    ) -> None:
        self._census: Final = census
        self._memory: Final = memory
        self._budget: Final = budget
        self._among: Final = among
        self._reader: Final = Reader(census, shared, budget, among)
        self._has_states: Final = has_states
        self._may_be_off: Final = may_be_off
        if has_states:
            budget.look(_LOOKS_PER_NODE * among.bit_count())
        self._states: States = (
            projections.states(census, among) if has_states else [(NO_STATE, among)]
        )
        self._unknown: Bits = 0

    def judge(self, sets: Iterable[PlannedSet]) -> tuple[SetBits, ...]:
        """Judges every set, in order: variables flow from each to the next.

        Raises:
            SpecError: `TooCostly`.
        """
        return tuple(map(self._set, sets))

    def _set(self, one: PlannedSet) -> SetBits:
        rules: list[RuleBits] = []
        false = unknown = 0
        for rule in one.rules:
            bits = self._rule(rule)
            rules.append(bits)
            self._unknown |= bits.unknown
            unknown |= bits.unknown
            false |= self._among & ~(bits.fits | bits.unknown)
        fits = self._among & ~(false | unknown)
        return SetBits(one.compatibility, fits, unknown & ~false, tuple(rules))

    # Rules --------------------------------------------------------------------

    def _rule(self, rule: PlannedRule) -> RuleBits:
        alternatives = [self._terms(terms) for terms in rule.any]
        features = self._terms(rule.features)
        true, false, errs = features.true, features.false, features.errs
        if alternatives:
            any_true, all_false = 0, self._among
            for one in alternatives:
                any_true |= one.true
                all_false &= one.false
                errs |= one.errs
            true, false = true & any_true, false | all_false
        evaluated = self._among & ~errs
        if rule.rule.vars_template:
            lists = [*zip(rule.any, alternatives, strict=True)]
            lists.append((rule.features, features))
            errs |= self._run(rule, lists, evaluated)
        elif self._has_states:
            errs |= self._publish(rule.vars, evaluated, features.matched)
        return RuleBits(true & ~errs, self._among & ~true & ~false | errs)

    def _terms(self, terms: PlannedTerms) -> _Found:
        matched = going = true = self._among
        errs = false = 0
        for term in terms:
            bits = (
                self._variables(term)
                if term.feature == RULE_MATCHED
                else self._reader.read(term)
            )
            evaluated = going if term.expressions is None else _ALL
            errs |= bits.errs & evaluated
            going = (going & ~bits.published) | (bits.holds & evaluated)
            matched &= bits.published & going
            unknown = self._unknown_of(term, bits) | (bits.errs & ~evaluated)
            true &= bits.holds & ~unknown
            false |= self._among & ~bits.holds & ~unknown
        return _Found(matched, errs, true, false)

    def _unknown_of(self, term: PlannedTerm, bits: TermBits) -> Bits:
        """Where a term is unknown although it could be evaluated."""
        if term.feature == RULE_MATCHED:
            return self._unknown
        if term.feature in self._census.published or not self._may_be_off:
            return 0
        return self._among & ~bits.published

    # Variables ----------------------------------------------------------------

    def _variables(self, term: PlannedTerm) -> TermBits:
        """A term on `rule.matched`: once for each state."""
        published = holds = errs = 0
        for state, bits in self._states:
            sets = state.sets
            if sets is None:
                continue
            published |= bits
            key = (term, state.key)
            make = partial(self._parts, term, sets)
            parts: _Parts = self._memory.get(key, state, make)
            if parts.errs or (parts.matched and parts.name_errs):
                errs |= bits
            elif parts.matched and parts.named:
                holds |= bits
        return TermBits(published, holds, errs)

    def _parts(self, term: PlannedTerm, sets: FeatureSets) -> _Parts:
        spend = self._budget.call
        spend(calls(term.term, sets))
        matched, errs, named, name_errs = True, False, True, False
        if term.term.match_expressions is not None:
            try:
                matched = match_expressions(
                    term.term.match_expressions, sets, fail_fast=False, spend=spend
                ).is_match
            except SpecError as error:
                errs = _is_of_the_term(error)
        if term.name is not None:
            try:
                named = bool(match_names(term.name, sets, spend))
            except SpecError as error:
                name_errs = _is_of_the_term(error)
        return _Parts(matched, errs, named, name_errs)

    def _publish(self, values: Variables, evaluated: Bits, yields: Bits) -> Bits:
        """Publishes what a rule states itself; where that errs."""
        self._budget.spend(len(self._states))
        errs = 0
        after: list[tuple[State, Bits]] = []
        for state, bits in self._states:
            parts: tuple[tuple[Variables, Bits], ...] = (
                (values, bits & evaluated & yields),
                ({}, bits & evaluated & ~yields),
            )
            after.append((state, bits & ~evaluated))
            for published, some in parts:
                if not some:
                    continue
                new = projections.publish(state, published)
                if new is None:
                    errs |= some
                after.append((new or state, some))
        self._states = projections.merged(after)
        return errs

    def _run(
        self,
        rule: PlannedRule,
        lists: Iterable[tuple[PlannedTerms, _Found]],
        evaluated: Bits,
    ) -> Bits:
        """Runs a rule's template once for each projection; where the rule errs.

        1. Nodes are split by state, and by the elements that each list matches.
        2. The rule runs on one node of each part.
        3. What it yields is published for all of them.
        """
        parts: list[tuple[_Projection, Bits]] = [
            ((position,), bits & evaluated)
            for position, (_, bits) in enumerate(self._states)
        ]
        for terms, found in lists:  # (1)
            missed = [((*key, None), bits & ~found.matched) for key, bits in parts]
            hit = [(key, bits & found.matched) for key, bits in parts]
            for term in terms:
                hit = self._split(hit, term)
            parts = missed + hit
        errs = 0
        after = [(state, bits & ~evaluated) for state, bits in self._states]
        for key, bits in parts:
            if bits:
                state, _ = self._states[int(str(key[0]))]
                memorised = (rule, state.key, key[1:])
                make = partial(self._run_one, rule, state, bits)
                values = self._memory.get(memorised, state, make)  # (2)
                if values is None:
                    errs |= bits
                    after.append((state, bits))
                elif self._has_states:  # (3)
                    after.append((projections.publish(state, values) or state, bits))
        if self._has_states:
            self._states = projections.merged(after)
        return errs

    def _run_one(self, rule: PlannedRule, state: State, bits: Bits) -> Variables | None:
        features = self._census.features[lowest(bits)]
        return projections.run(rule.rule, features, state, self._budget)

    def _split(
        self, parts: Iterable[tuple[_Projection, Bits]], term: PlannedTerm
    ) -> list[tuple[_Projection, Bits]]:
        """Splits nodes by the elements that a term matches."""
        if term.feature == RULE_MATCHED:
            return list(parts)  # the state says it already
        found: dict[_Projection, Bits] = {}
        seen: set[object] = set()
        looked = 0
        for key, bits in parts:
            classes = self._census.classes(term.feature, bits)
            self._budget.look(bits.bit_count() + _LOOKS_PER_CLASS * len(classes))
            for one in classes:
                are_alike = looked < _SAMPLE or len(seen) < looked
                make = partial(self._elements, term, one) if are_alike else object
                elements = self._memory.get((term, one.key), one.sets, make)
                seen.add(elements)
                looked += 1
                split = (*key, elements)
                found[split] = found.get(split, 0) | one.bits
        return list(found.items())

    def _elements(self, term: PlannedTerm, one: NodeClass) -> bytes:
        sets = one.sets or _NO_SETS
        return projections.matched_elements(term.term, sets, self._budget)


def _is_of_the_term(error: SpecError) -> bool:
    """True; raises an error that says something of the budget instead."""
    if error.reason == TOO_COSTLY:
        raise error
    return True
