"""Nodes as numbers, and what changed since when.

`index` answers for all nodes at once. It calls each node by a number, and holds a
set of nodes as a Python integer: bit `n` stands for node `n`.

A number is used again after its node is gone, so that integers stay short.
That is safe because every change of a node, its end included, is recorded under
a *generation*: whoever holds bits from an earlier generation asks which nodes
have changed since, and forgets what it knew of those before it answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from heapq import heappop, heappush
from typing import Final

from app.bits import Bits, bits_of, numbers

MAX_RECORDED: Final = 64
"""Changes that are told apart; older ones become one."""


class Nodes:
    """Names and numbers of the nodes that there are.

    Args:
        number: name -> the number of a node; asked when the node comes, and never
            the number of another one that is there. `None` for numbers of our
            own: the lowest that is free.
    """

    def __init__(self, number: Callable[[str], int] | None = None) -> None:
        self._ask: Final = number or self._lowest
        self._is_own: Final = number is None
        self._numbers: dict[str, int] = {}
        self._names: dict[int, str] = {}
        self._free: list[int] = []
        self.bits: Bits = 0
        """All nodes that there are."""

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def number(self, name: str) -> int | None:
        """The number of a node; `None` if there is no such node."""
        return self._numbers.get(name)

    def names(self, bits: Bits) -> list[str]:
        """The names of a set of nodes, by number."""
        return [self._names[number] for number in numbers(bits & self.bits)]

    def select(self, names: Iterable[str]) -> Bits:
        """Those of the named nodes that there are."""
        found = (self._numbers.get(name) for name in names)
        return bits_of([number for number in found if number is not None])

    def add(self, name: str) -> int:
        """Takes a node in that is new; its number.

        Raises:
            ValueError: the caller's number is negative, or another node has it.
        """
        number = self._ask(name)
        if number < 0 or number in self._names:
            raise ValueError(f"number {number} of node {name!r} is not free")
        self._names[number] = name
        self._numbers[name] = number
        self.bits |= 1 << number
        return number

    def remove(self, name: str) -> int:
        """Takes a node away; the number that it had and that is free now."""
        number = self._numbers.pop(name)
        del self._names[number]
        if self._is_own:
            heappush(self._free, number)
        self.bits &= ~(1 << number)
        return number

    def _lowest(self, _: str) -> int:
        return heappop(self._free) if self._free else len(self._names)


class Changes:
    """Which nodes have changed since when; never too few, of the past too many."""

    def __init__(self, recorded: Iterable[tuple[int, Bits]] = ()) -> None:
        self._recorded: list[tuple[int, Bits]] = list(recorded)

    def copy(self) -> Changes:
        """The same changes, to be recorded further by somebody else."""
        return Changes(self._recorded)

    def record(self, generation: int, bits: Bits) -> None:
        """These nodes changed; generations come in ascending order."""
        self._recorded.append((generation, bits))
        if len(self._recorded) > MAX_RECORDED:
            (_, first), (latest, second) = self._recorded[:2]
            self._recorded[:2] = [(latest, first | second)]

    def since(self, generation: int) -> Bits:
        """The nodes that changed after `generation`."""
        bits = 0
        for recorded, changed in reversed(self._recorded):
            if recorded <= generation:
                break
            bits |= changed
        return bits
