"""One evaluation of one spec, on all nodes or on those that have changed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from app.bits import Bits
from app.compat.budget import TOO_COSTLY, Budget
from app.compat.census import Frozen
from app.compat.matching import RULE_MATCHED
from app.compat.plan import Plan, Shared
from app.compat.postings import KINDS
from app.compat.projections import Memory
from app.compat.sweep import RuleBits, SetBits, Sweep
from app.errors import SpecError

_BYTES_PER_RESULT: Final = 500
_SPARE_RESULTS: Final = 256
_RESULTS_PER_NODE: Final = 4


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
class Entry:
    """What is remembered of one spec."""

    plan: Plan
    memory: Memory = field(default_factory=Memory)
    published: frozenset[str] | None = None
    judgement: Judgement | None = None
    size_bytes: int = 0


class Judging:
    """Judges specs on the nodes of a census.

    Args:
        census: the nodes.
        shared: answers that other specs may hold as well.
        may_be_off: as for `Sweep`.
    """

    def __init__(self, census: Frozen, shared: Shared, *, may_be_off: bool) -> None:
        self._census: Final = census
        self._shared: Final = shared
        self._may_be_off: Final = may_be_off

    def judge(self, entry: Entry, changed: Bits, budget: Budget) -> Judgement:
        """Judges all nodes, or only those that have changed where that is enough.

        Args:
            entry: what is remembered.
            changed: the nodes of which a judgement that is remembered may not hold.
            budget: what it may cost.

        Raises:
            SpecError: `TooCostly`; the entry stays sound, and the next time costs
                less.
        """
        census, last = self._census, entry.judgement
        published = entry.plan.features & census.published
        if last is None or published != entry.published:
            last, changed = None, census.bits
        if last is not None and not changed:
            entry.judgement = replace(last, generation=census.generation)
            return entry.judgement
        is_whole = False
        try:
            sets = self._sweep(entry, changed & census.bits, budget)
            is_whole = last is None
        finally:
            capacity = _SPARE_RESULTS + _RESULTS_PER_NODE * len(census.features)
            entry.memory.settle(is_whole=is_whole, capacity=capacity)
        entry.published = published
        if last is not None:
            sets = tuple(map(_updated, last.sets, sets, [~changed] * len(sets)))
        entry.judgement = _judgement(census, sets)
        return entry.judgement

    def _sweep(self, entry: Entry, among: Bits, budget: Budget) -> tuple[SetBits, ...]:
        plan = entry.plan
        sweep = Sweep(
            self._census,
            entry.memory,
            budget,
            among,
            shared=self._shared,
            has_states=plan.looks_at_variables or self._has_own_variables(),
            may_be_off=self._may_be_off,
        )
        return sweep.judge(plan.sets)

    def _has_own_variables(self) -> bool:
        """Whether a node itself publishes `rule.matched`."""
        return any(self._census.column(kind, RULE_MATCHED) for kind in KINDS)


def weigh(entry: Entry, most_bytes: int) -> None:
    """Notes what an entry takes.

    Raises:
        SpecError: `TooCostly`: more than `most_bytes`.
    """
    size = _BYTES_PER_RESULT * len(entry.memory)
    size += sum(answer.size_bytes for answer in entry.plan.answers())
    entry.size_bytes = size
    if size > most_bytes:
        wanted = f"more than {most_bytes:,} bytes for this cluster"
        raise SpecError(TOO_COSTLY, f"spec is too costly: it needs {wanted}")


def _judgement(census: Frozen, sets: tuple[SetBits, ...]) -> Judgement:
    fits = unknown = 0
    for one in sets:
        fits |= one.fits
        unknown |= one.unknown
    nodes = census.bits
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
