"""Candidates among all nodes at once, as sets of numbers.

`candidates` asks every node; here every label and taint is asked once and stands
for its nodes. The law: for any Pod, both leave the same nodes, and take each of
the others out by the same filter. `filters` reads them from sets; this module
keeps who is there, under which number, and what was answered.

* The index is not safe for threads: change and ask it from one. Its answers are
  values, and may go anywhere.
* Answers are remembered until a node really changes.
* Numbers are the index's own, or the caller's, so that sets can be joined with
  those of `compat`. A number may go to another node once its first one is gone:
  the index takes nodes out before it lets others in.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Iterable, Mapping
from heapq import heappop, heappush
from itertools import compress
from operator import is_not
from typing import Final

from app.bits import Bits, bits_in, numbers, union
from app.scheduling.candidates import Options
from app.scheduling.filters import CandidateBits, Filters
from app.scheduling.memo import Memo
from app.scheduling.node import Node
from app.scheduling.placement import LIMITS, Limits, Placement
from app.scheduling.postings import Change, Postings

_DEFAULTS: Final = Options()
_FEW: Final = 256
"""Nodes of a set that are put in order by themselves, rather than found in that of
all nodes."""


class NodeIndex:
    """All nodes of a cluster, ready to be asked who takes a Pod.

    Args:
        number: name -> the number of a node; asked when a node comes or changes,
            and trusted to stay the same until then. `None` for numbers of the
            index's own: the lowest that is free.
        limits: how much of a placement is asked for.
    """

    def __init__(
        self, *, number: Callable[[str], int] | None = None, limits: Limits = LIMITS
    ) -> None:
        self._limits = limits
        # Not a method of its own: what is in no cycle goes when nobody holds it.
        self._ask = number
        self._nodes: dict[str, Node] = {}
        self._numbers: dict[str, int] = {}
        self._holders: dict[int, str] = {}
        self._free: list[int] = []
        self._in_order: list[str] | None = None
        self._end = 0
        self._postings = Postings()
        self._filters = Filters(self._postings, self._numbers)
        self._answers: Memo[CandidateBits] = Memo()
        self.generation = 0
        """Goes up with every change of a node."""

    def __len__(self) -> int:
        return len(self._nodes)

    # Who is there

    @property
    def bits(self) -> Bits:
        """All nodes."""
        return self._postings.bits

    def number(self, name: str) -> int | None:
        """The number of a node; `None` if there is no such node."""
        return self._numbers.get(name)

    def nodes(self, bits: Bits) -> tuple[Node, ...]:
        """The nodes of a set, by number; numbers that no node has are passed over."""
        names = self._holders
        return tuple(self._nodes[names[each]] for each in numbers(bits & self.bits))

    def first(self, bits: Bits, most: int) -> list[str]:
        """The first names of a set in alphabetical order, as many as that."""
        bits &= self.bits
        if bits.bit_count() <= _FEW:
            return sorted(self._holders[each] for each in numbers(bits))[:most]
        if self._in_order is None:
            self._in_order = sorted(self._nodes)
        flags = f"{bits:b}"
        highest, found = len(flags) - 1, list[str]()
        for name in self._in_order:
            number = self._numbers[name]
            if number <= highest and flags[highest - number] == "1":
                found.append(name)
                if len(found) == most:
                    break
        return found

    def labelled(self, key: str) -> Bits:
        """The nodes that carry a label, whatever its value."""
        return bits_in(self._postings.labels[key].present)

    def platforms(self, bits: Bits) -> dict[tuple[str, str] | None, Bits]:
        """`node.platform_of` -> the nodes of a set that are of it, never none."""
        found: dict[tuple[str, str] | None, Bits] = {}
        left = bits & self.bits
        architectures = self._postings.by_label("arch")
        for system, having in self._postings.by_label("os").items():
            for architecture, also in architectures.items():
                both = having & also & left
                if both and system and architecture:
                    found[system, architecture] = both
        unlabelled = left & ~union(found.values())
        return found | ({None: unlabelled} if unlabelled else {})

    # Changes

    def update(self, nodes: Mapping[str, Node]) -> None:
        """These are all the nodes, now; costs little for those that are the same.

        A Node is taken for unchanged if it is the object that was given before.

        Args:
            nodes: `Node.name` -> Node.

        Raises:
            ValueError: as for `change`.
        """
        mine = self._nodes
        differ = map(is_not, map(mine.get, nodes), nodes.values())
        changed = {name: nodes[name] for name in compress(nodes, differ)}
        added = sum(name not in mine for name in changed)
        is_any_gone = len(mine) + added > len(nodes)
        gone = mine.keys() - nodes.keys() if is_any_gone else ()
        if changed or gone:
            self.change(changed, gone)

    def set(self, name: str, node: Node) -> None:
        """Adds a node, or changes the one of this name; as `change`."""
        self.change({name: node})

    def remove(self, name: str) -> None:
        """Takes a node away; one that is not there is none."""
        self.change({}, (name,))

    def change(self, changed: Mapping[str, Node], gone: Collection[str] = ()) -> None:
        """Some nodes go, then others come or change; all of it, or nothing.

        Takes as long as they are many, however many nodes there are besides.

        Args:
            changed: `Node.name` -> Node.
            gone: names; one that is not there, or that comes back in `changed`, is
                passed over.

        Raises:
            ValueError: the caller's number of a node is negative, or another
                node has it.
        """
        mine = self._nodes
        leaving = {name for name in gone if name in mine and name not in changed}
        released = {
            number: name
            for name in (*leaving, *changed)
            if (number := self._numbers.get(name)) is not None
        }
        if self._ask is None:
            for name in leaving:
                heappush(self._free, self._numbers[name])
        taken = self._taken(changed, released)
        changes: dict[int, Change] = {
            number: (mine[name], None) for number, name in released.items()
        }
        for number, name in taken.items():
            before = released.get(number)
            changes[number] = (mine[before] if before else None, changed[name])
        is_moved = released.items() != taken.items()
        self._reorder(changed.keys() - mine.keys(), leaving)
        for name in leaving:
            del mine[name], self._numbers[name]
        for number in released:
            del self._holders[number]
        mine.update(changed)
        self._holders.update(taken)
        self._numbers.update({name: number for number, name in taken.items()})
        if self._postings.change(changes) or is_moved:
            self._answers.clear()
            self.generation += 1

    def _reorder(self, coming: Collection[str], leaving: Collection[str]) -> None:
        if self._in_order is None:
            return
        for name in leaving:
            del self._in_order[bisect_left(self._in_order, name)]
        for name in coming:
            insort(self._in_order, name)

    def _taken(self, names: Iterable[str], released: Collection[int]) -> dict[int, str]:
        """The number of each node that comes or changes -> its name."""
        taken: dict[int, str] = {}
        for name in names:
            number = self._ask(name) if self._ask else self._own_number(name)
            is_held = number in self._holders and number not in released
            if number < 0 or is_held or number in taken:
                raise ValueError(f"number {number} of node {name!r} is not free")
            taken[number] = name
        return taken

    def _own_number(self, name: str) -> int:
        number = self._numbers.get(name)
        if number is not None:
            return number
        if self._free:
            return heappop(self._free)
        self._end += 1
        return self._end - 1

    # Answers

    def find(
        self,
        placement: Placement,
        options: Options | None = None,
        *,
        is_running: bool = False,
    ) -> CandidateBits:
        """The candidates; arguments as for `candidates.find`.

        Options are known again by identity: pass the same object every time.
        """
        chosen = options if options is not None else _DEFAULTS
        found = self._answers.get(placement, chosen, is_running=is_running)
        if found is None:
            found = self._filters.find(
                placement, chosen, self._limits, is_running=is_running
            )
            self._answers.put(placement, chosen, found, is_running=is_running)
        return found
