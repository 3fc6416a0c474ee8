"""Nodes that lack the same, as parts; the largest come first, and are enough.

What is said of a part holds for each of its nodes; where a bound ends the
splitting, less is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

from app.bits import Bits

MAX_OPERATIONS: Final = 2_048
"""Bitset operations of one division: a millisecond or two for 15,000 nodes."""

MAX_PARTS: Final = 64

_OPERATIONS_OF_A_SPLIT: Final = 16


@dataclass(frozen=True, slots=True)
class Division:
    """Nodes that lack the same.

    Attributes:
        nodes: the nodes.
        lacks: positions of the needs that each of them lacks, in order.
        is_whole: whether they lack nothing else; false beyond a bound.
    """

    nodes: Bits
    lacks: tuple[int, ...]
    is_whole: bool = True


def divide(
    nodes: Bits,
    lacking: Sequence[Bits],
    *,
    most: int = MAX_PARTS,
    operations: int = MAX_OPERATIONS,
) -> list[Division]:
    """Splits nodes by what they lack; the largest parts, largest first.

    The order depends on the needs and on how many nodes lack them, never on which
    numbers the nodes have.

    Args:
        nodes: to be split.
        lacking: for each need the nodes that lack it, more nodes allowed.
        most: parts to return.
        operations: on bitsets, about; then parts are as far as they got.
    """
    found: list[Division] = []
    heap: list[tuple[int, tuple[int, ...], int, Bits]] = []
    _push(heap, (), 0, nodes)
    left = operations
    while heap and len(found) < most:
        _, lacks, position, part = heappop(heap)
        while position < len(lacking) and left > 0:
            left -= 1
            hit = part & lacking[position]
            position += 1
            if hit == part:
                lacks = (*lacks, position - 1)
            elif hit:
                left -= _OPERATIONS_OF_A_SPLIT
                _push(heap, lacks, position, part ^ hit)
                _push(heap, (*lacks, position - 1), position, hit)
                break
        else:
            found.append(Division(part, lacks, position == len(lacking)))
    return found


def _push(
    heap: list[tuple[int, tuple[int, ...], int, Bits]],
    lacks: tuple[int, ...],
    position: int,
    nodes: Bits,
) -> None:
    if nodes:
        heappush(heap, (-nodes.bit_count(), lacks, position, nodes))
