"""A spec prepared for judging many nodes, again and again.

Names are lowered and sorted once; each term holds on to its answers, which live
as long as some plan holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, Final, TypeAlias
from weakref import WeakValueDictionary

from app.compat.answers import Answer, Question
from app.compat.gotext import lower
from app.compat.matching import RULE_MATCHED, Variables
from app.compat.spec import Compatibility, FeatureMatcherTerm, GroupRule, Spec

Shared: TypeAlias = WeakValueDictionary[object, Answer[Any]]
"""Every answer that some plan holds, by place and question."""


class PlannedTerm:
    """One term.

    Attributes:
        term: as the spec has it.
        feature: its feature, in lower case.
        expressions: its `matchExpressions` by name; `None` if absent.
        name: its `matchName`; `None` if absent.
    """

    def __init__(self, term: FeatureMatcherTerm) -> None:
        self.term: Final = term
        self.feature: Final = lower(term.feature)
        self.name: Final = term.match_name
        self.expressions: Final = (
            None
            if term.match_expressions is None
            else tuple(sorted(term.match_expressions.items()))
        )
        self._held: Final[dict[object, Answer[Any]]] = {}

    def answer(
        self,
        part: object,
        question: object,
        make: Callable[[], Answer[Any]],
        at: Shared,
    ) -> Answer[Any]:
        """The answer for a part of the term from now on; others may hold it too."""
        key = Question(question)
        answer = at.get(key)
        if answer is None:
            answer = at[key] = make()
            answer.question = key
        self._held[part] = answer
        return answer

    def held(self, part: object) -> Answer[Any] | None:
        """The answer for a part of the term, if there is one."""
        return self._held.get(part)

    def share(self, at: Shared) -> None:
        """Gives away answers that nobody else has, and takes those that others have.

        Of two to one question, both become the newer one.
        """
        for part, mine in self._held.items():
            answer = at.setdefault(mine.question, mine)
            if answer is not mine:
                answer.adopt(mine)
                self._held[part] = answer

    def clear(self) -> None:
        """Gives up what the term holds."""
        self._held.clear()

    def answers(self) -> Iterator[Answer[Any]]:
        """What the term holds."""
        yield from self._held.values()


PlannedTerms: TypeAlias = tuple[PlannedTerm, ...]


class PlannedRule:
    """One rule.

    Attributes:
        rule: as the spec has it.
        features: the terms of `matchFeatures`.
        any: the terms of every element of `matchAny`.
    """

    def __init__(self, rule: GroupRule) -> None:
        self.rule: Final = rule
        self.features: Final[PlannedTerms] = tuple(
            map(PlannedTerm, rule.match_features)
        )
        self.any: Final[tuple[PlannedTerms, ...]] = tuple(
            tuple(map(PlannedTerm, terms)) for terms in rule.match_any
        )

    @property
    def vars(self) -> Variables:
        """The variables that the rule states itself."""
        return self.rule.vars

    def terms(self) -> Iterator[PlannedTerm]:
        """Every term."""
        yield from self.features
        for terms in self.any:
            yield from terms


class PlannedSet:
    """One compatibility set."""

    def __init__(self, compatibility: Compatibility) -> None:
        self.compatibility: Final = compatibility
        self.rules: Final = tuple(map(PlannedRule, compatibility.rules))


class Plan:
    """A spec's sets, as far as `tags` select them.

    Attributes:
        sets: in the spec's order.
        features: every feature that a term names.
        looks_at_variables: whether a term is on `rule.matched`.
        looks_at: every feature that a judgement depends on.
    """

    def __init__(self, spec: Spec, tags: Collection[str]) -> None:
        self.sets: Final = tuple(
            PlannedSet(one)
            for one in spec.compatibilities
            if not tags or one.tag in tags
        )
        self._terms: Final = tuple(
            term for one in self.sets for rule in one.rules for term in rule.terms()
        )
        self.features: Final = frozenset(term.feature for term in self._terms)
        self.looks_at_variables: Final = RULE_MATCHED in self.features
        self.looks_at: Final = self.features | {RULE_MATCHED}

    def share(self, at: Shared) -> None:
        """As `PlannedTerm.share`, for every term."""
        for term in self._terms:
            term.share(at)

    def clear(self) -> None:
        """Gives up every answer, term by term: other threads get their turn."""
        for term in self._terms:
            term.clear()

    def answers(self) -> Iterator[Answer[Any]]:
        """Every answer that the plan holds."""
        for term in self._terms:
            yield from term.answers()
