"""Sets of nodes as integers: bit `n` stands for the node with number `n`.

`scheduling` finds candidates and `compat` judges nodes in this form, under the
same numbers, so that what both say is joined by one `&`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import compress
from typing import Final, TypeAlias

Bits: TypeAlias = int
"""A set of nodes: bit `n` is set if node `n` belongs to it; never negative."""

Members: TypeAlias = int
"""A set of nodes that is often one: `~n` stands for node `n` alone, what is not
negative are `Bits`. The bits of one node in 15,000 may take 2 KB."""

_FEW: Final = 8
_SEVERAL: Final = 512
_ZERO, _ONE = b"01"
_AS_FLAGS: Final = bytes.maketrans(b"01", b"\x00\x01")


def numbers(bits: Bits) -> list[int]:
    """The numbers in a set of nodes, in ascending order."""
    if bits.bit_count() <= _FEW:
        few: list[int] = []
        while bits:
            few.append(bits.bit_length() - 1)
            bits ^= 1 << few[-1]
        return few[::-1]
    flags = f"{bits:b}"[::-1].encode().translate(_AS_FLAGS)
    return list(compress(range(len(flags)), flags))


def lowest(bits: Bits) -> int:
    """The lowest number in a set of nodes that is not empty."""
    return (bits & -bits).bit_length() - 1


def bits_of(found: Sequence[int]) -> Bits:
    """The set of the nodes with these numbers."""
    if len(found) <= _SEVERAL:
        octets = bytearray((max(found, default=0) >> 3) + 1)
        for number in found:
            octets[number >> 3] |= 1 << (number & 7)
        return int.from_bytes(octets, "little")
    digits = bytearray([_ZERO]) * (max(found) + 1)
    for number in found:
        digits[~number] = _ONE
    return int(digits, 2)


def union(many: Iterable[Members]) -> Bits:
    """All nodes of several sets."""
    bits = 0
    single: list[int] = []
    for members in many:
        if members < 0:
            single.append(~members)
        else:
            bits |= members
    return bits | bits_of(single)


def members_of(bits: Bits) -> Members:
    """The shorter form of a set; none stays none."""
    return bits if bits & (bits - 1) or not bits else ~(bits.bit_length() - 1)


def bits_in(members: Members) -> Bits:
    """The longer form of a set."""
    return 1 << ~members if members < 0 else members


def flipped(members: Members, found: Sequence[int]) -> Members:
    """With each of the numbers, which are distinct, taken out or put in."""
    if not members and len(found) == 1:
        return ~found[0]
    return members_of(bits_in(members) ^ bits_of(found))
