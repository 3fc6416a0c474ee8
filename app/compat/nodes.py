"""Nodes as numbers, and what changed since when.

`index` answers for all nodes at once. It calls each node by a number, and holds a
set of nodes as a Python integer: bit `n` stands for node `n`.

A number is used again after its node is gone, so that integers stay short.
That is safe because every change of a node, its end included, is recorded under
a *generation*: whoever holds bits from an earlier generation asks which nodes
have changed since, and forgets what it knew of those before it answers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from heapq import heappop, heappush
from typing import Final

from app.bits import Bits, Members, bits_in, bits_of, members_of, numbers

MAX_ALIKE: Final = 8
"""Records of the same number of changes that are told apart; of more, the two oldest
become one of twice as many. So the latest changes are told one by one, and of `n`
changes there are about `8 * log2(n / 8)` records."""


class Nodes:
    """Names and numbers of the nodes that there are.

    Args:
        number: name -> number; asked when a node comes. `None` for numbers of our
            own: the lowest that is free.
    """

    def __init__(self, number: Callable[[str], int] | None = None) -> None:
        self._ask: Final = number
        self._numbers: Final[dict[str, int]] = {}
        self._names: Final[dict[int, str]] = {}
        self._free: Final[list[int]] = []
        self._end = 0
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

    def absent(self, names: Collection[str]) -> set[str]:
        """The nodes that there are and that are not named."""
        return self._numbers.keys() - names

    def change(self, gone: Collection[str], new: Collection[str]) -> list[int]:
        """Takes nodes away, then lets others in; the numbers of these, in order.

        All of it, or nothing.

        Args:
            gone: names of nodes that there are.
            new: names of others.

        Raises:
            ValueError: the caller's number of a node is negative, or another node
                has it.
        """
        free = {self._numbers[name]: name for name in gone}
        given = None if self._ask is None else self._given(self._ask, new, free)
        for number, name in free.items():
            del self._numbers[name], self._names[number]
            if given is None:
                heappush(self._free, number)
        taken = [self._lowest() for _ in new] if given is None else given
        self._numbers.update(zip(new, taken, strict=True))
        self._names.update(zip(taken, new, strict=True))
        self.bits = self.bits & ~bits_of(list(free)) | bits_of(taken)
        return taken

    def _given(
        self, ask: Callable[[str], int], names: Iterable[str], free: Collection[int]
    ) -> list[int]:
        taken: dict[int, str] = {}
        for name in names:
            number = ask(name)
            is_held = number in self._names and number not in free
            if number < 0 or is_held or number in taken:
                raise ValueError(f"number {number} of node {name!r} is not free")
            taken[number] = name
        return list(taken)

    def _lowest(self) -> int:
        if self._free:
            return heappop(self._free)
        self._end += 1
        return self._end - 1


class Changes:
    """Which nodes have changed since when; never too few, of the past too many."""

    def __init__(self) -> None:
        self._recorded: list[tuple[int, int, Members]] = []

    def copy(self) -> Changes:
        """The same changes, to be recorded further by somebody else."""
        other = Changes()
        other._recorded = self._recorded.copy()
        return other

    def record(self, generation: int, bits: Bits) -> None:
        """These nodes changed; generations come in ascending order."""
        recorded = self._recorded
        recorded.append((generation, 1, members_of(bits)))
        end, size = len(recorded), 1
        while end > MAX_ALIKE and recorded[end - MAX_ALIKE - 1][1] == size:
            end -= MAX_ALIKE
            older, newer = recorded[end - 1], recorded[end]
            both = bits_in(older[2]) | bits_in(newer[2])
            size *= 2
            recorded[end - 1 : end + 1] = [(newer[0], size, members_of(both))]

    def since(self, generation: int) -> Bits:
        """The nodes that changed after `generation`."""
        bits = 0
        for recorded, _, changed in reversed(self._recorded):
            if recorded <= generation:
                break
            bits |= bits_in(changed)
        return bits
