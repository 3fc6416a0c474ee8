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
bits of one generation mean nothing in another. An index belongs to one thread; its
results never change. What takes long, a spec that is new, is a `FirstSight`, which
any thread may run while the index goes on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias
from weakref import WeakValueDictionary

from app.bits import Bits
from app.compat.budget import CALLS_PER_STEP, MAX_CALLS, TOO_COSTLY, Budget
from app.compat.census import Census, Frozen
from app.compat.features import Features
from app.compat.judging import Entry, Judgement, Judging, weigh
from app.compat.outcome import UnpublishedFeatures
from app.compat.plan import Plan, Shared
from app.compat.postings import KINDS
from app.compat.spec import Spec
from app.compat.sweep import RuleBits, SetBits
from app.errors import SpecError

__all__ = [
    "FirstSight",
    "Index",
    "Judgement",
    "Limits",
    "RuleBits",
    "SetBits",
    "TooCostly",
]


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
class TooCostly:
    """A spec asks for more work than it may.

    Attributes:
        message: for how much.
        generation: of the index, when that was found.
    """

    message: str
    generation: int = field(default=0, compare=False)


class FirstSight:
    """A spec that is judged on all nodes of one moment; see `Index.begin`.

    Attributes:
        slot: which spec, and which of its sets.
        calls: operator calls that it took.
        found: what came out; `None` before `run`.
    """

    def __init__(
        self,
        slot: _Slot,
        spec: Spec,
        census: Frozen,
        limits: Limits,
        *,
        may_be_off: bool,
        shared: Shared | None = None,
        forgotten: Iterable[Entry] = (),
    ) -> None:
        self.slot: Final = slot
        self.calls = 0
        self.found: Entry | TooCostly | None = None
        self._spec: Final = spec
        self._census: Final = census
        self._limits: Final = limits
        self._may_be_off: Final = may_be_off
        self._shared: Final = WeakValueDictionary() if shared is None else shared
        self._forgotten: Final = forgotten

    def run(self) -> Judgement | TooCostly:
        """Judges; touches nothing that others see.

        Tidies up first: to give up thousands of answers takes milliseconds.
        """
        for one in self._forgotten:
            one.plan.clear()
        _, tags = self.slot
        entry, budget = Entry(Plan(self._spec, tags)), Budget(self._limits.calls)
        judging = Judging(self._census, self._shared, may_be_off=self._may_be_off)
        try:
            judgement = judging.judge(entry, self._census.bits, budget)
            weigh(entry, self._limits.bytes)
        except SpecError as error:
            self.found = TooCostly(error.message, self._census.generation)
            return self.found
        finally:
            self.calls = min(budget.calls, self._limits.calls)
        self.found = entry
        return judgement


class Index:
    """Judges specs on all known nodes.

    Args:
        limits: bounds.
        number: name -> the number of a node, so that sets can be joined with
            others; see `nodes.Nodes`.
        unpublished: what a term is on a feature that no known node publishes.

    Attributes:
        calls: operator calls so far.
        spent: what refreshes have cost so far, in operator calls, other work
            included; never more than they were granted.
    """

    def __init__(
        self,
        limits: Limits = LIMITS,
        *,
        number: Callable[[str], int] | None = None,
        unpublished: UnpublishedFeatures = UnpublishedFeatures.UNKNOWN,
    ) -> None:
        self.calls = 0
        self.spent = 0
        self._limits: Final = limits
        self.unpublished: Final = unpublished
        self._may_be_off: Final = unpublished is UnpublishedFeatures.UNKNOWN
        self._census: Final = Census(number)
        self._entries: Final[OrderedDict[_Slot, Entry | TooCostly]] = OrderedDict()
        self._shared: Final[Shared] = WeakValueDictionary()
        self._size_bytes = 0
        self._forgotten: list[Entry] = []

    def __len__(self) -> int:
        """How many specs are remembered."""
        return len(self._entries)

    def keys(self, tags: Collection[str] = ()) -> list[str]:
        """The specs that are remembered; those that were asked for last come first.

        Args:
            tags: as for `judge`.
        """
        wanted = tuple(tags)
        return [key for key, found in reversed(self._entries) if found == wanted]

    @property
    def census(self) -> Frozen:
        """What the nodes publish; changes with the index."""
        return self._census

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

    # Nodes --------------------------------------------------------------------

    def update(self, features: Mapping[str, Features]) -> None:
        """Takes in what is known of all nodes now.

        What is the same object as before has not changed. Neither the mapping nor
        what it holds may change afterwards.
        """
        self._census.update(features)

    def change(self, changed: Mapping[str, Features | None]) -> None:
        """Takes in what is known of some nodes now; `None` for nothing any more."""
        self._census.change(changed)

    def number(self, name: str) -> int | None:
        """The bit of a node; `None` if nothing is known of it."""
        return self._census.nodes.number(name)

    def names(self, bits: Bits) -> list[str]:
        """The names of the nodes in a set, by number."""
        return self._census.nodes.names(bits)

    def features(self, number: int) -> Features | None:
        """What a node publishes; `None` if nothing is known of it."""
        return self._census.features.get(number)

    # Answers ------------------------------------------------------------------

    def at_hand(
        self, key: str, tags: Collection[str] = (), *, calls: int = 0
    ) -> Judgement | TooCostly | None:
        """The answer for a spec if it is remembered, or found again for little.

        Args:
            key: names the spec: the same key, the same spec.
            tags: as for `judge`.
            calls: operator calls that may be spent on nodes that have changed;
                other work counts as in `Budget`.

        Returns:
            `None` if the answer is not at hand; what was found out until then is
            not lost.
        """
        slot = (key, tuple(tags))
        entry = self._entries.get(slot)
        if entry is None:
            return None
        self._entries.move_to_end(slot)
        if isinstance(entry, TooCostly):
            return entry
        judgement = entry.judgement
        if judgement is not None and judgement.generation == self._census.generation:
            return judgement
        return self._refreshed(slot, entry, calls) if calls > 0 else None

    def judge(self, key: str, spec: Spec, tags: Collection[str] = ()) -> Judgement:
        """Judges a spec on all known nodes, however long that takes.

        Args:
            key: names the spec: the same key, the same spec.
            spec: the spec.
            tags: if any, only sets with one of these tags are judged.

        Raises:
            SpecError: `TooCostly`; remembered like an answer.
        """
        found = self.at_hand(key, tags, calls=self._limits.calls)
        if found is None:
            job = self._job((key, tuple(tags)), spec, self._census, self._shared)
            found = job.run()
            self.accept(job)
        if isinstance(found, TooCostly):
            raise SpecError(TOO_COSTLY, found.message)
        return found

    def begin(self, key: str, spec: Spec, tags: Collection[str] = ()) -> FirstSight:
        """Prepares to judge a spec in another thread, on the nodes as they are now.

        `FirstSight.run` is what that thread calls; `accept` takes the answer in.
        """
        return self._job((key, tuple(tags)), spec, self._census.freeze(), None)

    def accept(self, job: FirstSight) -> None:
        """Remembers what a job found out, unless something as new is remembered.

        What has changed since it began is looked at when somebody asks.
        """
        self.calls += job.calls
        found, known = job.found, self._entries.get(job.slot)
        if found is None or _generation(known) >= _generation(found):
            return
        if isinstance(found, Entry):
            found.plan.share(self._shared)
        self._put(job.slot, found)
        self._evict()

    def plan(self, key: str, tags: Collection[str] = ()) -> Plan | None:
        """A remembered spec with its answers; `None` if it is not remembered."""
        entry = self._entries.get((key, tuple(tags)))
        return entry.plan if isinstance(entry, Entry) else None

    def _job(
        self, slot: _Slot, spec: Spec, census: Frozen, shared: Shared | None
    ) -> FirstSight:
        forgotten, self._forgotten = self._forgotten, []
        return FirstSight(
            slot,
            spec,
            census,
            self._limits,
            may_be_off=self._may_be_off,
            shared=shared,
            forgotten=forgotten,
        )

    def _refreshed(
        self, slot: _Slot, entry: Entry, calls: int
    ) -> Judgement | TooCostly | None:
        """Judges what has changed since the entry's judgement."""
        last, granted = entry.judgement, min(calls, self._limits.calls)
        budget = Budget(granted)
        judging = Judging(self._census, self._shared, may_be_off=self._may_be_off)
        judgement = None
        try:
            changed = self._changed(entry, budget)
            judgement = judging.judge(entry, changed, budget)
        except SpecError:
            pass  # the budget is spent
        finally:
            self.calls += min(budget.calls, granted)
            self.spent += granted - budget.steps * CALLS_PER_STEP
        if judgement is not None and last is not None and judgement.sets is last.sets:
            return judgement
        return self._too_large(slot, entry) or judgement

    def _changed(self, entry: Entry, budget: Budget) -> Bits:
        """The nodes of which the entry's judgement may not hold any more.

        Raises:
            SpecError: as `Budget.look`.
        """
        looks_at = entry.plan.looks_at
        budget.look(len(KINDS) * len(looks_at))
        return self._census.changed(_generation(entry), looks_at)

    def _too_large(self, slot: _Slot, entry: Entry) -> TooCostly | None:
        """Notes what an entry takes; forgets it, or others, if that is too much."""
        before, too_costly = entry.size_bytes, None
        try:
            weigh(entry, self._limits.bytes)
            self._size_bytes += entry.size_bytes - before
        except SpecError as error:
            too_costly = TooCostly(error.message, self.generation)
            entry.size_bytes = before
            self._put(slot, too_costly)
        self._evict()
        return too_costly

    def _put(self, slot: _Slot, found: Entry | TooCostly) -> None:
        known = self._entries.get(slot)
        if known is not None:
            self._forget(known)
        self._size_bytes += _size(found)
        self._entries[slot] = found
        self._entries.move_to_end(slot)

    def _evict(self) -> None:
        while len(self._entries) > 1 and (
            len(self._entries) > self._limits.specs
            or self._size_bytes > self._limits.bytes
        ):
            _, oldest = self._entries.popitem(last=False)
            self._forget(oldest)

    def _forget(self, known: Entry | TooCostly) -> None:
        """Leaves what is no longer remembered to the next job."""
        self._size_bytes -= _size(known)
        if isinstance(known, Entry):
            self._forgotten.append(known)


def _size(found: Entry | TooCostly | None) -> int:
    return found.size_bytes if isinstance(found, Entry) else 0


def _generation(found: Entry | TooCostly | None) -> int:
    """Of the index, when something was found; -1 stands for never."""
    if isinstance(found, TooCostly):
        return found.generation
    judgement = found.judgement if found is not None else None
    return judgement.generation if judgement is not None else -1
