"""How much nodes lack, counted for all of them at once.

A number for each node is held in binary, as *digits*: for each binary digit the
nodes that have it, lowest first. Adding and comparing take a few bitset operations
a digit, however many nodes there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, zip_longest
from typing import TypeAlias

from app.bits import Bits
from app.compat.explain import Need

Digits: TypeAlias = list[Bits]
"""A number for each node: the nodes that have each binary digit, lowest first."""


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


def total(sets: Iterable[Bits]) -> Digits:
    """In how many of the sets each node is.

    Three sets of one weight become one of it and one of the next, so that it takes
    five operations a set, however many there are.
    """
    digits: Digits = []
    level = list(sets)
    while level:
        carries: list[Bits] = []
        while len(level) > 1:
            one, two = level.pop(), level.pop()
            three = level.pop() if level else 0
            either = one ^ two
            level.append(either ^ three)
            carries.append(one & two | either & three)
        digits.append(level[0])
        level = [carry for carry in carries if carry]
    return digits


def nearest(nodes: Bits, numbers: Iterable[Sequence[Bits]]) -> Bits:
    """The nodes with the least number; of several numbers, the first decides."""
    for digits in numbers:
        for digit in reversed(digits):
            nodes = nodes ^ (nodes & digit) or nodes
    return nodes


def _compared(one: Digits, other: Digits, nodes: Bits) -> tuple[Bits, Bits]:
    """The nodes where a number is smaller than another, and where it is equal."""
    less, equal = 0, nodes
    for first, second in reversed(list(zip_longest(one, other, fillvalue=0))):
        different = equal & (first ^ second)
        less |= different & second
        equal ^= different
    return less, equal


def _mixed(one: Digits, other: Digits, nodes: Bits) -> Digits:
    """A number that is the other one for some nodes."""
    pairs = zip_longest(one, other, fillvalue=0)
    return [first ^ ((first ^ second) & nodes) for first, second in pairs]


Needs: TypeAlias = list[tuple[Need, Bits]]
"""Needs with the nodes that lack each; a need may be there twice."""


@dataclass(slots=True)
class Tally:
    """What nodes lack.

    Attributes:
        needs: what, and which nodes.
        all: how many of these each node lacks.
        fixed: how many of them nobody can change.
    """

    needs: Needs = field(default_factory=list)
    all: Digits = field(default_factory=list)
    fixed: Digits = field(default_factory=list)

    @classmethod
    def of(cls, needs: Needs) -> Tally:
        """Counts."""
        return cls(
            needs,
            total(nodes for _, nodes in needs),
            total(nodes for need, nodes in needs if not need.is_changeable),
        )

    def less(self, other: Tally, nodes: Bits) -> Bits:
        """The nodes that lack less here; of as many, less that is fixed."""
        less, equal = _compared(self.all, other.all, nodes)
        return less | _compared(self.fixed, other.fixed, equal)[0]


def cheapest(options: Sequence[Needs], nodes: Bits) -> Tally:
    """Of several alternatives the one that lacks least; the first of equal ones."""
    if not options:
        return Tally()
    first, *others = options
    best, chosen = Tally.of(first), [nodes]
    for needs in others:
        option = Tally.of(needs)
        better = option.less(best, nodes)
        best.all = _mixed(best.all, option.all, better)
        best.fixed = _mixed(best.fixed, option.fixed, better)
        chosen.append(better)
    if others:
        # Who chose a later one did not stay with the earlier.
        later = [0, *accumulate(reversed(chosen[1:]), int.__or__)][::-1]
        best.needs = [
            (need, hit)
            for needs, bits, left in zip(options, chosen, later, strict=True)
            for need, on in needs
            if (hit := on & (bits ^ (bits & left)))
        ]
    return best
