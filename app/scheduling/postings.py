"""Which nodes have which label and which taint, as sets that follow every change.

A set is never built anew: for each number the old node and the new one are
compared, and what differs is flipped. A number that another node takes over is
thereby cleared wherever its last holder stood, and nowhere else touched.

What many nodes change alike is flipped at once. While changes are gathered, a set
of changed nodes is a *mask*: bit `n` stands for the change that comes n-th, which
makes it as short as there are few changes.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import Final, Generic, TypeAlias, TypeVar

from app.bits import Bits, Members, bits_in, bits_of, members_of, numbers, union
from app.scheduling.node import Node, Taint
from app.scheduling.selector import integer

K = TypeVar("K")

Mask: TypeAlias = int
"""A set of changes: bit `n` stands for the one that comes n-th."""

TaintGroup: TypeAlias = tuple[str, str, int]
"""Key and effect of a taint, and how many of the same the node has before it: none,
where the API server checks. So a node has one value at most in a group."""

Change: TypeAlias = tuple[Node | None, Node | None]
"""The node that had a number, and the one that has it now."""

_STEP: Final = 32
"""Integers between two sums: a comparison walks over fewer."""

_AT_ONCE: Final = 1024
"""Changes that are gathered before they are made: masks stay short."""


_EMPTY: Final = Node("")


class Values:
    """The nodes of one key, by the value that they give to it.

    Attributes:
        present: the nodes that have the key.
        nodes: value -> the nodes that have it, never none.
    """

    __slots__ = ("_ordered", "nodes", "present")

    def __init__(self) -> None:
        self.present: Members = 0
        self.nodes: dict[str, Members] = {}
        # Read when first asked for; `None` after a change.
        self._ordered: _Ordered | None = None

    def having(self, values: Iterable[str]) -> Bits:
        """The nodes with one of the values."""
        find = self.nodes.get
        return union(find(value, 0) for value in values)

    def greater(self, bound: int) -> Bits:
        """The nodes whose value is an integer above `bound`."""
        ordered = self._in_order()
        return ordered.sums[-1] & ~ordered.below(bound + 1)

    def less(self, bound: int) -> Bits:
        """The nodes whose value is an integer under `bound`."""
        return self._in_order().below(bound)

    def flip(
        self, masks: Mapping[str, Mask], expand: Callable[[Mask], Members]
    ) -> None:
        """Takes each value from the nodes that have it, gives it to the others.

        A node has one value at most: gaining one and losing another leaves it
        among those that have the key.
        """
        nodes = self.nodes
        holders = 0
        for value, mask in masks.items():
            holders ^= mask
            members = _flipped(nodes.get(value, 0), expand(mask))
            if members:
                nodes[value] = members
            else:
                del nodes[value]
        self.present = _flipped(self.present, expand(holders))
        self._ordered = None

    def _in_order(self) -> _Ordered:
        if self._ordered is None:
            self._ordered = _Ordered.of(self.nodes)
        return self._ordered


@dataclass(frozen=True, slots=True)
class _Ordered:
    """The values of a key that are integers, for comparisons.

    Attributes:
        integers: in ascending order; `007` and `7` are two.
        members: the nodes of each.
        sums: the nodes of the first `_STEP` of them, twice as many and so on,
            after none; the last is of all.
    """

    integers: list[int]
    members: list[Members]
    sums: list[Bits]

    @classmethod
    def of(cls, nodes: Mapping[str, Members]) -> _Ordered:
        read = ((integer(value), members) for value, members in nodes.items())
        pairs = [(number, found) for number, found in read if number is not None]
        pairs.sort(key=itemgetter(0))
        members = [found for _, found in pairs]
        sums = [0]
        for start in range(0, len(members), _STEP):
            sums.append(sums[-1] | union(members[start : start + _STEP]))
        return cls([number for number, _ in pairs], members, sums)

    def below(self, bound: int) -> Bits:
        """The nodes whose value is under `bound`."""
        end = bisect_left(self.integers, bound)
        full = end // _STEP
        return self.sums[full] | union(self.members[full * _STEP : end])


_NONE: Final = Values()


class Table(Generic[K]):
    """Key -> its values; a key that no node has is absent."""

    def __init__(self) -> None:
        self._keys: dict[K, Values] = {}
        self._masks: defaultdict[K, dict[str, Mask]] = defaultdict(dict)

    def __getitem__(self, key: K) -> Values:
        """The values of a key; none if no node has it."""
        return self._keys.get(key, _NONE)

    def items(self) -> Iterable[tuple[K, Values]]:
        """All keys with their values."""
        return self._keys.items()

    def note(self, bit: Mask, old: Mapping[K, str], new: Mapping[K, str]) -> None:
        """The change `bit` is from the values `old` to `new`; made by `apply`."""
        changed = self._masks
        find = old.get
        for key, value in new.items():
            before = find(key)
            if before != value:
                masks = changed[key]
                masks[value] = masks.get(value, 0) ^ bit
                if before is not None:
                    masks[before] = masks.get(before, 0) ^ bit
        if not old.keys() <= new.keys():
            for key, before in old.items():
                if key not in new:
                    masks = changed[key]
                    masks[before] = masks.get(before, 0) ^ bit

    def apply(self, expand: Callable[[Mask], Members]) -> bool:
        """Makes the noted changes; whether there were any."""
        changed, self._masks = self._masks, defaultdict(dict)
        for key, masks in changed.items():
            values = self._keys.get(key)
            if values is None:
                values = self._keys[key] = Values()
            values.flip(masks, expand)
            if not values.present:
                del self._keys[key]
        return bool(changed)


class Postings:
    """What the filters look at, of all nodes.

    Attributes:
        bits: all nodes.
        cordoned: those with `spec.unschedulable`.
        labels: by key.
        taints: by group.
    """

    __slots__ = ("bits", "cordoned", "labels", "taints")

    def __init__(self) -> None:
        self.bits: Bits = 0
        self.cordoned: Bits = 0
        self.labels: Table[str] = Table()
        self.taints: Table[TaintGroup] = Table()

    def change(self, changes: Mapping[int, Change]) -> bool:
        """Follows the change of each number; whether anything differs."""
        left = iter(changes.items())
        is_changed = False
        while some := dict(islice(left, _AT_ONCE)):
            is_changed |= self._change(some)
        return is_changed

    def _change(self, changes: Mapping[int, Change]) -> bool:
        there = cordoned = 0
        for nth, (before, after) in enumerate(changes.values()):
            bit = 1 << nth
            old, new = before or _EMPTY, after or _EMPTY
            if before is None or after is None:
                there ^= bit
            if old.unschedulable != new.unschedulable:
                cordoned ^= bit
            if old.labels != new.labels:
                self.labels.note(bit, old.labels, new.labels)
            if old.taints != new.taints:
                self.taints.note(bit, _grouped(old.taints), _grouped(new.taints))
        expand = _Expansion(tuple(changes))
        self.bits ^= bits_in(expand(there))
        self.cordoned ^= bits_in(expand(cordoned))
        applied = self.labels.apply(expand), self.taints.apply(expand)
        return bool(there or cordoned or any(applied))

    def by_label(self, name: str) -> dict[str, Bits]:
        """Value -> nodes, as `node` reads the labels `os` and `arch`; `""` without.

        The beta label counts where the other one is absent or empty.
        """
        found: dict[str, Bits] = {}
        left = self.bits
        for key in (f"kubernetes.io/{name}", f"beta.kubernetes.io/{name}"):
            for value, members in self.labels[key].nodes.items():
                bits = bits_in(members) & left
                if value and bits:
                    found[value] = found.get(value, 0) | bits
            left &= ~union(found.values())
        found[""] = left
        return found


class _Expansion:
    """Mask -> the nodes with the numbers that changed; many keys share a mask."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = numbers
        self._known: dict[Mask, Members] = {0: 0}

    def __call__(self, mask: Mask) -> Members:
        if not mask & (mask - 1) and mask:
            return ~self._numbers[mask.bit_length() - 1]
        found = self._known.get(mask)
        if found is None:
            found = bits_of([self._numbers[nth] for nth in numbers(mask)])
            self._known[mask] = found
        return found


def _flipped(members: Members, change: Members) -> Members:
    """With each node of `change` taken out or put in."""
    if not members:
        return change
    if members == change:
        return 0
    return members_of(bits_in(members) ^ bits_in(change)) if change else members


def _grouped(taints: Iterable[Taint]) -> dict[TaintGroup, str]:
    found: dict[TaintGroup, str] = {}
    for taint in taints:
        nth = 0
        while (taint.key, taint.effect, nth) in found:
            nth += 1
        found[taint.key, taint.effect, nth] = taint.value
    return found
