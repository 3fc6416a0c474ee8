"""Which nodes have which label and which taint, as sets that follow every change.

A set is never built anew: for each number the old node and the new one are
compared, and what differs is flipped. A number that another node takes over is
thereby cleared wherever its last holder stood, and nowhere else touched.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final, Generic, TypeAlias, TypeVar

from app.bits import Bits, Members, bits_in, flipped, union
from app.scheduling.node import Node
from app.scheduling.selector import integer

K = TypeVar("K")

TaintGroup: TypeAlias = tuple[str, str]
"""Key and effect of a taint."""

Change: TypeAlias = tuple[Node | None, Node | None]
"""The node that had a number, and the one that has it now."""

_STEP: Final = 128
"""Integers between two sums: a comparison walks over fewer."""

_EMPTY: Final = Node("")


class Values:
    """The nodes of one key, by the value that they give to it.

    Attributes:
        present: the nodes that have the key.
        nodes: value -> the nodes that have it, never none.
    """

    __slots__ = ("_integers", "_sums", "nodes", "present")

    def __init__(self) -> None:
        self.present: Members = 0
        self.nodes: dict[str, Members] = {}
        # The values that are integers, in order; read when first asked for.
        self._integers: list[tuple[int, str]] | None = None
        # The nodes of every `_STEP` of them more; `None` after a change.
        self._sums: list[Bits] | None = None

    def having(self, values: Iterable[str]) -> Bits:
        """The nodes with one of the values."""
        find = self.nodes.get
        return union([find(value, 0) for value in values])

    def without(self, values: frozenset[str]) -> Bits:
        """The nodes with a value that is none of these."""
        kept = (nodes for value, nodes in self.nodes.items() if value not in values)
        return union(kept)

    def greater(self, bound: int) -> Bits:
        """The nodes whose value is an integer above `bound`."""
        integers, sums = self._in_order()
        return sums[-1] & ~self._below(integers, sums, bound + 1)

    def less(self, bound: int) -> Bits:
        """The nodes whose value is an integer under `bound`."""
        return self._below(*self._in_order(), bound)

    def flip(self, values: Mapping[str, list[int]], holders: list[int]) -> None:
        """Changes who has which value, and who has the key at all."""
        if holders:
            self.present = flipped(self.present, holders)
        nodes = self.nodes
        for value, found in values.items():
            before = nodes.get(value, 0)
            members = flipped(before, found)
            if members:
                nodes[value] = members
            else:
                del nodes[value]
            if self._integers is not None and not (before and members):
                _toggle(self._integers, value)
        self._sums = None

    def _below(
        self, integers: list[tuple[int, str]], sums: list[Bits], bound: int
    ) -> Bits:
        end = bisect_left(integers, (bound, ""))
        full = end // _STEP
        rest = integers[full * _STEP : end]
        return sums[full] | union(self.nodes[value] for _, value in rest)

    def _in_order(self) -> tuple[list[tuple[int, str]], list[Bits]]:
        if self._integers is None:
            read = ((integer(value), value) for value in self.nodes)
            self._integers = sorted((n, value) for n, value in read if n is not None)
        if self._sums is None:
            self._sums = [0]
            for start in range(0, len(self._integers), _STEP):
                step = self._integers[start : start + _STEP]
                more = union(self.nodes[value] for _, value in step)
                self._sums.append(self._sums[-1] | more)
        return self._integers, self._sums


def _toggle(integers: list[tuple[int, str]], value: str) -> None:
    """Puts a value that is an integer in its place, or takes it away."""
    number = integer(value)
    if number is None:
        return
    at = bisect_left(integers, (number, value))
    if integers[at : at + 1] == [(number, value)]:
        del integers[at]
    else:
        integers.insert(at, (number, value))


_NONE: Final = Values()


class Table(Generic[K]):
    """Key -> its values; a key that no node has is absent."""

    def __init__(self) -> None:
        self._keys: dict[K, Values] = {}
        self._pairs: defaultdict[K, defaultdict[str, list[int]]] = defaultdict(
            partial(defaultdict, list)
        )
        self._holders: defaultdict[K, list[int]] = defaultdict(list)

    def __getitem__(self, key: K) -> Values:
        """The values of a key; none if no node has it."""
        return self._keys.get(key, _NONE)

    def items(self) -> Iterable[tuple[K, Values]]:
        """All keys with their values."""
        return self._keys.items()

    def note(
        self, number: int, pairs: Iterable[tuple[K, str]], keys: Iterable[K]
    ) -> None:
        """Node `number` gains or loses these pairs and keys once `apply` is called."""
        flips, holders = self._pairs, self._holders
        for key, value in pairs:
            flips[key][value].append(number)
        for key in keys:
            holders[key].append(number)

    def apply(self) -> None:
        """Makes the noted changes."""
        for key, flips in self._pairs.items():
            values = self._keys.get(key)
            if values is None:
                values = self._keys[key] = Values()
            values.flip(flips, self._holders.get(key, []))
            if not values.present:
                del self._keys[key]
        self._pairs.clear()
        self._holders.clear()


class Postings:
    """What the filters look at, of all nodes.

    Attributes:
        bits: all nodes.
        cordoned: those with `spec.unschedulable`.
        labels: by key.
        taints: by key and effect.
    """

    __slots__ = ("bits", "cordoned", "labels", "taints")

    def __init__(self) -> None:
        self.bits: Bits = 0
        self.cordoned: Bits = 0
        self.labels: Table[str] = Table()
        self.taints: Table[TaintGroup] = Table()

    def change(self, changes: Mapping[int, Change]) -> None:
        """Follows the change of each number."""
        there: list[int] = []
        cordoned: list[int] = []
        for number, (before, after) in changes.items():
            old, new = before or _EMPTY, after or _EMPTY
            if (before is None) != (after is None):
                there.append(number)
            if old.unschedulable != new.unschedulable:
                cordoned.append(number)
            self._note(number, old, new)
        self.bits = bits_in(flipped(self.bits, there))
        self.cordoned = bits_in(flipped(self.cordoned, cordoned))
        self.labels.apply()
        self.taints.apply()

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

    def _note(self, number: int, old: Node, new: Node) -> None:
        if old.labels != new.labels:
            self.labels.note(
                number,
                old.labels.items() ^ new.labels.items(),
                old.labels.keys() ^ new.labels.keys(),
            )
        if old.taints != new.taints:
            mine, theirs = _pairs(old), _pairs(new)
            groups = {group for group, _ in mine} ^ {group for group, _ in theirs}
            self.taints.note(number, mine ^ theirs, groups)


def _pairs(node: Node) -> set[tuple[TaintGroup, str]]:
    return {((taint.key, taint.effect), taint.value) for taint in node.taints}
