"""Nodes as numbers, and what changed since when.

`index` answers for all nodes at once. It calls each node by a number, and holds a
set of nodes as a Python integer: bit `n` stands for node `n`.

A number is used again after its node is gone, so that integers stay short.
That is safe because every change of a node, its end included, is recorded under
a *generation*: whoever holds bits from an earlier generation asks which nodes
have changed since, and forgets what it knew of those before it answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Final

from app.bits import Bits, bits_of, numbers

MAX_RECORDED: Final = 64
"""Changes that are told apart; older ones become one."""


class Nodes:
    """Names and numbers of the nodes that there are."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []
        self._free: list[int] = []
        self.bits: Bits = 0
        """All nodes that there are."""

    def __len__(self) -> int:
        return len(self._numbers)

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
        """Gives a node that is new the lowest free number."""
        if self._free:
            number = heappop(self._free)
            self._names[number] = name
        else:
            number = len(self._names)
            self._names.append(name)
        self._numbers[name] = number
        self.bits |= 1 << number
        return number

    def remove(self, name: str) -> int:
        """Takes a node away; the number that it had and that is free now."""
        number = self._numbers.pop(name)
        heappush(self._free, number)
        self.bits &= ~(1 << number)
        return number


class Changes:
    """Which nodes have changed since when; never too few, of the past too many."""

    def __init__(self) -> None:
        self._recorded: list[tuple[int, Bits]] = []

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
