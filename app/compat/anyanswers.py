"""Expressions of which one input of many is enough: a name, or an instance.

An expression on names holds if one name satisfies it; several on instances hold if
one instance satisfies all of them by itself. Inputs are few, however many nodes
there are: each is evaluated once, and then only looked for.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain
from operator import itemgetter
from typing import Final, Generic, TypeVar, cast

from app.bits import Bits, union
from app.compat import operators
from app.compat.answers import (
    MAX_REMEMBERED,
    Answer,
    Inputs,
    Key,
    Round,
    Verdicts,
    judge_value,
)
from app.compat.budget import Budget, Verdict
from app.compat.postings import NAMES, Column, FeatureSet, Place
from app.compat.spec import MatchExpression

MAX_NAMES: Final = 8_192
"""The same for names of elements: a kernel has 6,500 options."""

_EXISTS: Final = True

_Input = TypeVar("_Input", bound=Key)


class _OfAny(Answer[FeatureSet], Generic[FeatureSet, _Input]):
    """An expression that holds if one of a set's inputs satisfies it.

    It errs if it cannot be evaluated for one of them.
    """

    def __init__(self, place: Place, limit: int) -> None:
        super().__init__(place)
        self._limit: Final = limit
        self._seen: Final[set[_Input]] = set()
        self._true: Final[set[_Input]] = set()
        self._bad: Final[set[_Input]] = set()

    @abstractmethod
    def _inputs(self, one: FeatureSet) -> AbstractSet[_Input]:
        """What it looks at in one set."""

    @abstractmethod
    def _judge(self, one: _Input, budget: Budget) -> Verdict:
        """Whether one input satisfies it."""

    def _learn(self, inputs: AbstractSet[_Input], budget: Budget) -> None:
        for one in inputs - self._seen:
            verdict = self._judge(one, budget)
            if verdict is not False:
                (self._true if verdict else self._bad).add(one)
            self._seen.add(one)

    def _of_one(self, one: FeatureSet, budget: Budget) -> tuple[bool, bool]:
        inputs = self._inputs(one)
        budget.look(len(inputs))
        self._learn(inputs, budget)
        return (
            not inputs.isdisjoint(self._true),
            not inputs.isdisjoint(self._bad),
        )

    def _remembered(self) -> int:
        return len(self._seen)

    def _forget(self) -> None:
        if len(self._seen) > self._limit:
            for remembered in (self._seen, self._true, self._bad):
                remembered.clear()


class OfNames(_OfAny[FeatureSet, str]):
    """`matchName`: an expression on the names of all elements."""

    def __init__(self, place: Place, expression: MatchExpression) -> None:
        super().__init__(place, MAX_NAMES)
        self._check: Final = operators.check(expression)
        self._names: Final = cast(
            "Callable[[FeatureSet], AbstractSet[str]]", NAMES[place[0]]
        )

    def _inputs(self, one: FeatureSet) -> AbstractSet[str]:
        return self._names(one)

    def _judge(self, one: str, budget: Budget) -> Verdict:
        return budget.judge(self._check, one, exists=_EXISTS)

    def _of_all(self, column: Column[FeatureSet], at: Round) -> tuple[Bits, Bits]:
        names = column.names()
        self._learn(names, at.budget)
        true, bad = self._true & names, self._bad & names
        at.budget.look(len(column.sets) * (1 + len(true | bad) // 4))
        return self._where(column, true), self._where(column, bad)

    def _where(self, column: Column[FeatureSet], wanted: set[str]) -> Bits:
        """The nodes that have one of these names."""
        if not wanted:
            return 0
        members, names = column.members, self._names
        return union(
            members[key]
            for key, one in column.sets.items()
            if not names(one).isdisjoint(wanted)
        )


class OfInstances(_OfAny[tuple[Mapping[str, str], ...], Key]):
    """`matchExpressions` on instances: one must satisfy all of them by itself."""

    def __init__(
        self,
        place: Place,
        expressions: Sequence[tuple[str, MatchExpression | None]],
    ) -> None:
        super().__init__(place, MAX_REMEMBERED)
        self._names: Final = [name for name, _ in expressions]
        self._verdicts: Final = [
            Verdicts(judge_value(operators.check(expression)))
            for _, expression in expressions
        ]
        self._get: Final = itemgetter(*self._names) if self._names else None

    def _inputs(self, one: tuple[Mapping[str, str], ...]) -> AbstractSet[Key]:
        if self._get is None:
            return {()} if one else set()
        try:
            return set(map(self._get, one))
        except KeyError:
            pass
        if len(self._names) == 1:
            return {instance.get(self._names[0]) for instance in one}
        return {tuple(map(instance.get, self._names)) for instance in one}

    def _judge(self, one: Key, budget: Budget) -> Verdict:
        values = one if isinstance(one, tuple) else (one,)
        found = [
            verdicts.of(value, budget)
            for verdicts, value in zip(self._verdicts, values, strict=True)
        ]
        return None if None in found else all(found)

    def _of_all(
        self, column: Column[tuple[Mapping[str, str], ...]], at: Round
    ) -> tuple[Bits, Bits]:
        nodes = self._inputs_of_all(column, at)
        self._learn(nodes.keys(), at.budget)
        true, bad = self._true & nodes.keys(), self._bad & nodes.keys()
        at.budget.look(sum(len(nodes[key]) for key in true | bad))
        return (
            union(chain.from_iterable(nodes[key] for key in true)),
            union(chain.from_iterable(nodes[key] for key in bad)),
        )

    def _inputs_of_all(
        self, column: Column[tuple[Mapping[str, str], ...]], at: Round
    ) -> Inputs:
        """What it looks at in all sets, and on which nodes.

        Terms often look at the same: vendor and class. What the last one read of a
        column serves the next, if that looks at no more.
        """
        names, known = at.devices.get(column.lineage, ([], {}))
        if self._names and names == self._names:
            return known
        found: Inputs = defaultdict(list)
        if self._names and set(self._names) < set(names):
            at.budget.look(sum(map(len, known.values())))
            get = itemgetter(*map(names.index, self._names))
            for key, members in known.items():
                found[get(cast("tuple[str | None, ...]", key))] += members
            return found
        at.budget.look(sum(map(len, column.sets.values())) + len(column.sets))
        for one, here in zip(
            column.sets.values(), column.members.values(), strict=True
        ):
            for key in self._inputs(one):
                found[key].append(here)
        if self._names:
            at.devices[column.lineage] = self._names, found
        return found

    def _remembered(self) -> int:
        return super()._remembered() + sum(len(one.known) for one in self._verdicts)

    def _forget(self) -> None:
        super()._forget()
        for verdicts in self._verdicts:
            verdicts.forget()
