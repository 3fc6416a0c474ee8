"""One expression on one column: on which nodes it holds, and on which it errs.

An answer is made once from the distinct sets of a column, and every distinct
value is evaluated once, by the same operators as on one node. From then on only
nodes whose set in that column has changed are looked at again, with what is
remembered of values. Answers are shared by all specs that ask the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import compress
from operator import itemgetter
from typing import Final, Generic, TypeAlias, TypeVar, cast

from app.bits import Bits, bits_of, numbers, union
from app.compat import operators
from app.compat.budget import Budget, Verdict
from app.compat.features import Features
from app.compat.operators import Check
from app.compat.postings import ABSENT, NAMES, Column, FeatureSet, Place, read
from app.compat.spec import MatchExpression

MAX_REMEMBERED: Final = 1_024
"""Values whose verdict one expression remembers; a column with more of them, such
as the nodes' own names, has hardly any twice."""

MAX_NAMES: Final = 8_192
"""The same for names of elements: a kernel has 6,500 options."""

_LOOKS_PER_NODE: Final = 32
"""Looks that finding one node's set counts, and joining what is found."""

_BYTES_PER_VALUE: Final = 100
_BYTES: Final = 1_000

Key: TypeAlias = str | tuple[str | None, ...] | None
"""What of an instance the expressions of a term look at."""

_Value = TypeVar("_Value", str | None, bool)
_EXISTS: Final = True


class Question:
    """What an answer answers, by place and expressions; hashed once."""

    __slots__ = ("_hash", "_parts")

    def __init__(self, parts: object) -> None:
        self._parts: Final = parts
        self._hash: Final = hash(parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Question) and self._parts == other._parts

    def __hash__(self) -> int:
        return self._hash


class Answer(ABC, Generic[FeatureSet]):
    """What is known of one expression on one column.

    Attributes:
        question: what it is known by to specs that ask the same.
        holds: the nodes where it holds.
        errs: the nodes where it cannot be evaluated.
    """

    question: Question

    def __init__(self, place: Place) -> None:
        self.holds: Bits = 0
        self.errs: Bits = 0
        self._place: Final = place
        self._lineage: object = None
        self._generation = -1

    def refresh(
        self,
        column: Column[FeatureSet],
        nodes: Mapping[int, Features],
        generation: int,
        budget: Budget,
    ) -> None:
        """Brings the answer up to `generation`, which `column` and `nodes` are at.

        Raises:
            SpecError: `TooCostly`; the answer stays what it was.
        """
        if self._generation == generation and self._lineage is column.lineage:
            return
        try:
            self.holds, self.errs = self._now(column, nodes, budget)
        finally:
            self._forget()
        self._lineage, self._generation = column.lineage, generation

    def adopt(self, other: Answer[FeatureSet]) -> None:
        """Becomes what another answer to the same question is, if that is newer."""
        if other._generation > self._generation:
            self.holds, self.errs = other.holds, other.errs
            self._lineage, self._generation = other._lineage, other._generation

    @property
    def size_bytes(self) -> int:
        """Roughly what the answer takes."""
        bits = self.holds.bit_length() + self.errs.bit_length()
        return _BYTES + bits // 8 + _BYTES_PER_VALUE * self._remembered()

    def _now(
        self,
        column: Column[FeatureSet],
        nodes: Mapping[int, Features],
        budget: Budget,
    ) -> tuple[Bits, Bits]:
        """Where it holds and errs; looks as far as something has changed."""
        if self._lineage is not column.lineage:
            return self._of_all(column, budget)
        changed = column.changes.since(self._generation)
        if not changed:
            return self.holds, self.errs
        if changed.bit_count() < len(column.sets):
            return self._again(changed, nodes, budget)
        return self._of_all(column, budget)

    def _again(
        self, changed: Bits, nodes: Mapping[int, Features], budget: Budget
    ) -> tuple[Bits, Bits]:
        """Looks at the changed nodes one by one."""
        found = numbers(changed)
        budget.look(_LOOKS_PER_NODE * len(found))
        holds: list[int] = []
        errs: list[int] = []
        for number in found:
            features = nodes.get(number)
            one = ABSENT if features is None else read(features, self._place)
            if one is ABSENT or one is None:
                continue
            does_hold, does_err = self._of_one(cast("FeatureSet", one), budget)
            if does_hold:
                holds.append(number)
            if does_err:
                errs.append(number)
        same = ~changed
        return self.holds & same | bits_of(holds), self.errs & same | bits_of(errs)

    @abstractmethod
    def _of_all(self, column: Column[FeatureSet], budget: Budget) -> tuple[Bits, Bits]:
        """Where it holds and errs, from every set of the column."""

    @abstractmethod
    def _of_one(self, one: FeatureSet, budget: Budget) -> tuple[bool, bool]:
        """Whether it holds for one set, and whether it errs."""

    @abstractmethod
    def _remembered(self) -> int:
        """How many verdicts are remembered."""

    @abstractmethod
    def _forget(self) -> None:
        """Gives up what is remembered where it is too much."""


class _Verdicts(Generic[_Value]):
    """Verdicts of one check by value, each found once."""

    def __init__(self, judge: Callable[[_Value, Budget], Verdict]) -> None:
        self.known: Final[dict[_Value, Verdict]] = {}
        self._judge: Final[Callable[[_Value, Budget], Verdict]] = judge

    def of(self, value: _Value, budget: Budget) -> Verdict:
        try:
            return self.known[value]
        except KeyError:
            verdict = self.known[value] = self._judge(value, budget)
            return verdict

    def forget(self) -> None:
        if len(self.known) > MAX_REMEMBERED:
            self.known.clear()


class _OfValue(Answer[FeatureSet], Generic[FeatureSet, _Value]):
    """An expression that looks at one value of each set."""

    def __init__(
        self, place: Place, judge: Callable[[_Value, Budget], Verdict]
    ) -> None:
        super().__init__(place)
        self._verdicts: Final[_Verdicts[_Value]] = _Verdicts(judge)

    @abstractmethod
    def _values(self, sets: Iterable[FeatureSet]) -> list[_Value]:
        """The value of each set."""

    def _of_all(self, column: Column[FeatureSet], budget: Budget) -> tuple[Bits, Bits]:
        budget.look(len(column.sets))
        found: dict[_Value, list[int]] = {}
        values = self._values(column.sets.values())
        for value, members in zip(values, column.members.values(), strict=True):
            try:
                found[value].append(members)
            except KeyError:
                found[value] = [members]
        by_verdict: dict[Verdict, list[int]] = {True: [], False: [], None: []}
        for value, several in found.items():
            by_verdict[self._verdicts.of(value, budget)] += several
        return union(by_verdict[True]), union(by_verdict[None])

    def _of_one(self, one: FeatureSet, budget: Budget) -> tuple[bool, bool]:
        (value,) = self._values([one])
        verdict = self._verdicts.of(value, budget)
        return verdict is True, verdict is None

    def _remembered(self) -> int:
        return len(self._verdicts.known)

    def _forget(self) -> None:
        self._verdicts.forget()


class OfFlag(_OfValue[frozenset[str], bool]):
    """`matchExpressions` on a flag, which is there or not, and has no value."""

    def __init__(
        self, place: Place, name: str, expression: MatchExpression | None
    ) -> None:
        check = operators.check(expression)
        super().__init__(
            place, lambda exists, budget: budget.judge(check, None, exists=exists)
        )
        self._name: Final = name

    def _values(self, sets: Iterable[frozenset[str]]) -> list[bool]:
        name = self._name
        return [name in one for one in sets]

    def _of_all(
        self, column: Column[frozenset[str]], budget: Budget
    ) -> tuple[Bits, Bits]:
        budget.look(len(column.sets))
        there = self._values(column.sets.values())
        having = union(compress(column.members.values(), there))
        holds = errs = 0
        for value, bits in ((True, having), (False, column.filled & ~having)):
            verdict = self._verdicts.of(value, budget) if bits else False
            holds |= bits if verdict else 0
            errs |= bits if verdict is None else 0
        return holds, errs


class OfAttribute(_OfValue[Mapping[str, str], str | None]):
    """`matchExpressions` on an attribute; `None` where there is none."""

    def __init__(
        self, place: Place, name: str, expression: MatchExpression | None
    ) -> None:
        super().__init__(place, _judge_value(operators.check(expression)))
        self._name: Final = name

    def _values(self, sets: Iterable[Mapping[str, str]]) -> list[str | None]:
        name = self._name
        return [one.get(name) for one in sets]


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

    def _of_all(self, column: Column[FeatureSet], budget: Budget) -> tuple[Bits, Bits]:
        names = column.names()
        self._learn(names, budget)
        true, bad = self._true & names, self._bad & names
        budget.look(len(column.sets) * (1 + len(true | bad) // 4))
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
            _Verdicts(_judge_value(operators.check(expression)))
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
        self, column: Column[tuple[Mapping[str, str], ...]], budget: Budget
    ) -> tuple[Bits, Bits]:
        budget.look(sum(map(len, column.sets.values())) + len(column.sets))
        seen, true, bad = self._seen, self._true, self._bad
        holds: list[int] = []
        errs: list[int] = []
        for one, members in zip(
            column.sets.values(), column.members.values(), strict=True
        ):
            inputs = self._inputs(one)
            if not inputs <= seen:
                self._learn(inputs, budget)
            if not inputs.isdisjoint(true):
                holds.append(members)
            if not inputs.isdisjoint(bad):
                errs.append(members)
        return union(holds), union(errs)

    def _remembered(self) -> int:
        return super()._remembered() + sum(len(one.known) for one in self._verdicts)

    def _forget(self) -> None:
        super()._forget()
        for verdicts in self._verdicts:
            verdicts.forget()


def _judge_value(check: Check) -> Callable[[str | None, Budget], Verdict]:
    """Makes the judge of an element's value; `None` stands for no such element."""

    def judge(value: str | None, budget: Budget) -> Verdict:
        return budget.judge(check, value or "", exists=value is not None)

    return judge
