"""One expression on one column: on which nodes it holds, and on which it errs.

An answer is made once from the distinct sets of a column, and every distinct
value is evaluated once, by the same operators as on one node. From then on only
nodes whose set in that column has changed are looked at again, with what is
remembered of values. Answers are shared by all specs that ask the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from itertools import compress
from typing import Final, Generic, TypeAlias, TypeVar, cast

from app.bits import Bits, Members, bits_of, numbers, union
from app.compat import operators
from app.compat.budget import Budget, Verdict
from app.compat.features import Features
from app.compat.operators import Check
from app.compat.postings import ABSENT, Column, FeatureSet, Place, read
from app.compat.spec import MatchExpression

MAX_REMEMBERED: Final = 1_024
"""Values whose verdict one expression remembers; a column with more of them, such
as the nodes' own names, has hardly any twice."""

_LOOKS_PER_NODE: Final = 32
"""Looks that finding one node's set counts, and joining what is found."""

_BYTES_PER_VALUE: Final = 100
_BYTES: Final = 1_000

Key: TypeAlias = str | tuple[str | None, ...] | None
"""What of an instance the expressions of a term look at."""

Inputs: TypeAlias = dict[Key, list[Members]]
"""What is looked at of instances -> the nodes where one is like that, set by set."""

_Value = TypeVar("_Value", str | None, bool)


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


class Round:
    """One evaluation of one spec, as its answers see it.

    Attributes:
        features: node number -> features.
        generation: of all that is read.
        budget: what the evaluation may cost.
        devices: column (by its lineage) -> what was read of its instances last:
            names, and what they are on which nodes.
    """

    __slots__ = ("budget", "devices", "features", "generation")

    def __init__(
        self, features: Mapping[int, Features], generation: int, budget: Budget
    ) -> None:
        self.features: Final = features
        self.generation: Final = generation
        self.budget: Final = budget
        self.devices: Final[dict[object, tuple[list[str], Inputs]]] = {}


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

    def refresh(self, column: Column[FeatureSet], at: Round) -> None:
        """Brings the answer up to the generation of a round, which `column` is of.

        Raises:
            SpecError: `TooCostly`; the answer stays what it was.
        """
        if self._generation == at.generation and self._lineage is column.lineage:
            return
        try:
            self.holds, self.errs = self._now(column, at)
        finally:
            self._forget()
        self._lineage, self._generation = column.lineage, at.generation

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

    def _now(self, column: Column[FeatureSet], at: Round) -> tuple[Bits, Bits]:
        """Where it holds and errs; looks as far as something has changed."""
        if self._lineage is not column.lineage:
            return self._of_all(column, at)
        changed = column.changes.since(self._generation)
        if not changed:
            return self.holds, self.errs
        if changed.bit_count() < len(column.sets):
            return self._again(changed, at)
        return self._of_all(column, at)

    def _again(self, changed: Bits, at: Round) -> tuple[Bits, Bits]:
        """Looks at the changed nodes one by one."""
        found = numbers(changed)
        at.budget.look(_LOOKS_PER_NODE * len(found))
        holds: list[int] = []
        errs: list[int] = []
        for number in found:
            features = at.features.get(number)
            one = ABSENT if features is None else read(features, self._place)
            if one is ABSENT or one is None:
                continue
            does_hold, does_err = self._of_one(cast("FeatureSet", one), at.budget)
            if does_hold:
                holds.append(number)
            if does_err:
                errs.append(number)
        same = ~changed
        return self.holds & same | bits_of(holds), self.errs & same | bits_of(errs)

    @abstractmethod
    def _of_all(self, column: Column[FeatureSet], at: Round) -> tuple[Bits, Bits]:
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


class Verdicts(Generic[_Value]):
    """Verdicts of one check by value, each found once."""

    def __init__(self, judge: Callable[[_Value, Budget], Verdict]) -> None:
        self.known: Final[dict[_Value, Verdict]] = {}
        self._judge: Final[Callable[[_Value, Budget], Verdict]] = judge

    def of(self, value: _Value, budget: Budget) -> Verdict:
        """The verdict on a value.

        Raises:
            SpecError: `TooCostly`.
        """
        try:
            return self.known[value]
        except KeyError:
            verdict = self.known[value] = self._judge(value, budget)
            return verdict

    def forget(self) -> None:
        """Gives up all verdicts if they are too many."""
        if len(self.known) > MAX_REMEMBERED:
            self.known.clear()


class _OfValue(Answer[FeatureSet], Generic[FeatureSet, _Value]):
    """An expression that looks at one value of each set."""

    def __init__(
        self, place: Place, judge: Callable[[_Value, Budget], Verdict]
    ) -> None:
        super().__init__(place)
        self._verdicts: Final[Verdicts[_Value]] = Verdicts(judge)

    @abstractmethod
    def _values(self, sets: Iterable[FeatureSet]) -> list[_Value]:
        """The value of each set."""

    def _of_all(self, column: Column[FeatureSet], at: Round) -> tuple[Bits, Bits]:
        budget = at.budget
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

    def _of_all(self, column: Column[frozenset[str]], at: Round) -> tuple[Bits, Bits]:
        budget = at.budget
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
        super().__init__(place, judge_value(operators.check(expression)))
        self._name: Final = name

    def _values(self, sets: Iterable[Mapping[str, str]]) -> list[str | None]:
        name = self._name
        return [one.get(name) for one in sets]


def judge_value(check: Check) -> Callable[[str | None, Budget], Verdict]:
    """Makes the judge of an element's value; `None` stands for no such element."""

    def judge(value: str | None, budget: Budget) -> Verdict:
        return budget.judge(check, value or "", exists=value is not None)

    return judge
