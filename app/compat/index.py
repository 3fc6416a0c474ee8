"""All nodes at once: which of them fit a spec, kept up to date.

`matching` judges one node and explains it, `outcome` makes three values of that;
here the same answer is found for every known node together. The law, for each
node, set and rule: fits, does not fit or unknown as
`outcome.decide(matching.judge(spec, features, tags=tags), published=published)`
says, `published` being the features that any known node publishes.

* Every distinct value of an element is evaluated once, with the same operators.
* An answer is remembered with the generation that it is from; later only nodes
  that have changed since are judged again, and of them only what has changed.
* Memory is bounded: the specs that were not asked for longest are forgotten.

Bits stand for nodes by number, and a number is used again once its node is gone:
bits of one generation mean nothing in another. An index is not safe to use from
several threads at once; its results never change and are.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from weakref import WeakValueDictionary

from app.bits import Bits
from app.compat.answers import Answer
from app.compat.budget import MAX_CALLS, TOO_COSTLY, Budget
from app.compat.census import Census
from app.compat.features import Features
from app.compat.matching import RULE_MATCHED
from app.compat.plan import Plan
from app.compat.postings import KINDS
from app.compat.projections import Memory
from app.compat.spec import Spec
from app.compat.sweep import RuleBits, SetBits, Sweep
from app.errors import SpecError

__all__ = ["Index", "Judgement", "Limits", "RuleBits", "SetBits"]

_BYTES_PER_RESULT: Final = 500
_SPARE_RESULTS: Final = 256
_RESULTS_PER_NODE: Final = 4

_Slot: TypeAlias = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of an index.

    Attributes:
        specs: specs whose answers are remembered.
        bytes: what they may take together, roughly; a spec that needs more alone
            is too costly.
        calls: operator calls for one spec and one refresh.
    """

    specs: int = 256
    bytes: int = 64 * 1024 * 1024
    calls: int = MAX_CALLS


LIMITS: Final = Limits()
"""The bounds that hold unless a caller says otherwise."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """One spec on all known nodes; a node that is in neither does not fit.

    Attributes:
        generation: of the index; the bits mean nothing in another.
        nodes: all known nodes.
        fits: the nodes that fit some set.
        unknown: the other nodes of which we cannot know.
        sets: the same for each set that was judged, in order.
    """

    generation: int
    nodes: Bits
    fits: Bits
    unknown: Bits
    sets: tuple[SetBits, ...]


@dataclass(slots=True)
class _Entry:
    """What is remembered of one spec."""

    plan: Plan
    memory: Memory = field(default_factory=Memory)
    published: frozenset[str] | None = None
    judgement: Judgement | None = None
    size_bytes: int = 0


class Index:
    """Judges specs on all known nodes.

    Attributes:
        calls: operator calls so far.
    """

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.calls = 0
        self._limits: Final = limits
        self._census: Final = Census()
        self._entries: Final[OrderedDict[_Slot, _Entry | str]] = OrderedDict()
        self._shared: Final[WeakValueDictionary[object, Answer[Any]]] = (
            WeakValueDictionary()
        )
        self._size_bytes = 0

    def __len__(self) -> int:
        """How many specs are remembered."""
        return len(self._entries)

    @property
    def generation(self) -> int:
        """Grows with every update that changes something."""
        return self._census.generation

    @property
    def published(self) -> frozenset[str]:
        """The features that any known node publishes, in lower case."""
        return self._census.published

    @property
    def size_bytes(self) -> int:
        """Roughly what all remembered answers take."""
        return self._size_bytes

    def update(self, features: Mapping[str, Features]) -> None:
        """Takes in what is known of all nodes now.

        What is the same object as before has not changed. Neither the mapping nor
        what it holds may change afterwards.
        """
        self._census.update(features)

    def number(self, name: str) -> int | None:
        """The bit of a node; `None` if nothing is known of it."""
        return self._census.nodes.number(name)

    def names(self, bits: Bits) -> list[str]:
        """The names of the nodes in a set, by number."""
        return self._census.nodes.names(bits)

    def select(self, names: Collection[str]) -> Bits:
        """Those of the named nodes of which something is known."""
        return self._census.nodes.select(names)

    def known(self, key: str, tags: Collection[str] = ()) -> Judgement | None:
        """The answer for a spec if it is at hand and up to date; else `None`."""
        entry = self._entries.get((key, tuple(tags)))
        if not isinstance(entry, _Entry) or entry.judgement is None:
            return None
        is_current = entry.judgement.generation == self.generation
        return entry.judgement if is_current else None

    def judge(self, key: str, spec: Spec, tags: Collection[str] = ()) -> Judgement:
        """Judges a spec on all known nodes.

        Args:
            key: names the spec: the same key, the same spec.
            spec: the spec.
            tags: if any, only sets with one of these tags are judged.

        Raises:
            SpecError: `TooCostly`; remembered like an answer.
        """
        slot = (key, tuple(tags))
        entry = self._entries.get(slot)
        if entry is None:
            entry = self._entries[slot] = _Entry(Plan(spec, tags))
        self._entries.move_to_end(slot)
        if isinstance(entry, str):
            raise SpecError(TOO_COSTLY, entry)
        judgement = entry.judgement
        if judgement is None or judgement.generation != self.generation:
            try:
                judgement = entry.judgement = self._judge(entry)
                self._weigh(entry)
            except SpecError as error:
                self._size_bytes -= entry.size_bytes
                self._entries[slot] = error.message
                raise
            self._evict()
        return judgement

    def _judge(self, entry: _Entry) -> Judgement:
        census, plan, last = self._census, entry.plan, entry.judgement
        published = plan.features & census.published
        if last is None or published != entry.published:
            last, changed = None, census.nodes.bits
        else:
            changed = census.changes.since(last.generation)
        among = changed & census.nodes.bits
        budget = Budget(self._limits.calls)
        try:
            sweep = Sweep(
                census,
                entry.memory,
                budget,
                among,
                shared=self._shared,
                has_states=plan.looks_at_variables or self._has_own_variables(),
            )
            sets = sweep.judge(plan.sets)
        finally:
            self.calls += budget.calls
        capacity = _SPARE_RESULTS + _RESULTS_PER_NODE * len(census.nodes)
        entry.memory.settle(is_whole=last is None, capacity=capacity)
        entry.published = published
        if last is not None:
            sets = tuple(map(_updated, last.sets, sets, [~changed] * len(sets)))
        return _judgement(census, sets)

    def _has_own_variables(self) -> bool:
        """Whether a node itself publishes `rule.matched`."""
        return any(self._census.column(kind, RULE_MATCHED) for kind in KINDS)

    def _weigh(self, entry: _Entry) -> None:
        size = _BYTES_PER_RESULT * len(entry.memory)
        size += sum(answer.size_bytes for answer in entry.plan.answers())
        self._size_bytes += size - entry.size_bytes
        entry.size_bytes = size
        if size > self._limits.bytes:
            wanted = f"more than {self._limits.bytes:,} bytes for this cluster"
            raise SpecError(TOO_COSTLY, f"spec is too costly: it needs {wanted}")

    def _evict(self) -> None:
        while len(self._entries) > 1 and (
            len(self._entries) > self._limits.specs
            or self._size_bytes > self._limits.bytes
        ):
            _, oldest = self._entries.popitem(last=False)
            self._size_bytes -= 0 if isinstance(oldest, str) else oldest.size_bytes


def _judgement(census: Census, sets: tuple[SetBits, ...]) -> Judgement:
    fits = unknown = 0
    for one in sets:
        fits |= one.fits
        unknown |= one.unknown
    nodes = census.nodes.bits
    return Judgement(census.generation, nodes, fits, unknown & ~fits, sets)


def _updated(old: SetBits, new: SetBits, same: Bits) -> SetBits:
    """An earlier answer where nothing changed, and a new one elsewhere."""
    rules = tuple(
        RuleBits(
            (before.fits & same) | after.fits, (before.unknown & same) | after.unknown
        )
        for before, after in zip(old.rules, new.rules, strict=True)
    )
    return SetBits(
        new.compatibility,
        (old.fits & same) | new.fits,
        (old.unknown & same) | new.unknown,
        rules,
    )
