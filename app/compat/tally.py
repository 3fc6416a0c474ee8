"""How much nodes lack, counted for all of them at once.

A number for each node is held in binary, as *digits*: for each binary digit the
nodes that have it, lowest first. Adding and comparing take a few bitset operations
a digit, however many nodes there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, zip_longest
from typing import Final, TypeAlias

from app.bits import Bits
from app.compat.explain import Need

Digits: TypeAlias = list[Bits]
"""A number for each node: the nodes that have each binary digit, lowest first."""

_ALL: Final = -1


def add(total: Digits, other: Sequence[Bits]) -> None:
    """Adds a number for each node, in place."""
    carry = 0
    total += [0] * (len(other) - len(total))
    for place, one in enumerate(total):
        two = other[place] if place < len(other) else 0
        if two or carry:
            total[place] = one ^ two ^ carry
            carry = one & two | carry & (one ^ two)
        elif place >= len(other):
            return
    if carry:
        total.append(carry)


def nearest(nodes: Bits, numbers: Iterable[Sequence[Bits]]) -> Bits:
    """The nodes with the least number; of several numbers, the first decides."""
    for digits in numbers:
        for digit in reversed(digits):
            nodes = nodes & ~digit or nodes
    return nodes


def _compared(one: Digits, other: Digits) -> tuple[Bits, Bits]:
    """The nodes where a number is smaller than another, and where it is equal."""
    less, equal = 0, _ALL
    for first, second in reversed(list(zip_longest(one, other, fillvalue=0))):
        less |= equal & ~first & second
        equal &= ~(first ^ second)
    return less, equal


def _mixed(one: Digits, other: Digits, nodes: Bits) -> Digits:
    """A number that is the other one for some nodes."""
    pairs = zip_longest(one, other, fillvalue=0)
    return [first & ~nodes | second & nodes for first, second in pairs]


@dataclass(slots=True)
class Tally:
    """What nodes lack of a list of terms, a rule or a set.

    Attributes:
        needs: each with the nodes that lack it; a need may be there twice.
        all: how many of these each node lacks.
        fixed: how many of them nobody can change.
    """

    needs: list[tuple[Need, Bits]] = field(default_factory=list)
    all: Digits = field(default_factory=list)
    fixed: Digits = field(default_factory=list)

    def lacks(self, need: Need, nodes: Bits) -> None:
        """Adds one need."""
        if nodes:
            self.needs.append((need, nodes))
            add(self.all, (nodes,))
            if not need.is_changeable:
                add(self.fixed, (nodes,))

    def extend(self, other: Tally) -> None:
        """Adds what nodes lack besides."""
        self.needs += other.needs
        add(self.all, other.all)
        add(self.fixed, other.fixed)

    def within(self, nodes: Bits) -> Tally:
        """The same, of some nodes only."""
        return Tally(
            [(need, hit) for need, bits in self.needs if (hit := bits & nodes)],
            [digit & nodes for digit in self.all],
            [digit & nodes for digit in self.fixed],
        )

    def less(self, other: Tally) -> Bits:
        """The nodes that lack less here; of as many, less that is fixed."""
        less, equal = _compared(self.all, other.all)
        return less | equal & _compared(self.fixed, other.fixed)[0]


def cheapest(options: Sequence[Tally], nodes: Bits) -> Tally:
    """Of several alternatives the one that lacks least; the first of equal ones."""
    best, chosen = Tally(), [nodes]
    for position, option in enumerate(options):
        if not position:
            best = Tally([], option.all, option.fixed)
            continue
        chosen.append(option.less(best) & nodes)
        best.all = _mixed(best.all, option.all, chosen[-1])
        best.fixed = _mixed(best.fixed, option.fixed, chosen[-1])
    # Who chose a later one did not stay with the earlier.
    later = [0, *accumulate(reversed(chosen[1:]), int.__or__)][::-1]
    for option, bits, left in zip(options, chosen, later, strict=False):
        mine = bits & ~left
        best.needs += [(need, hit) for need, on in option.needs if (hit := on & mine)]
    return best
