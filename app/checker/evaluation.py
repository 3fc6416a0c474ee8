"""Candidate nodes against what all images of a Pod ask, as sets of nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from app.bits import Bits
from app.checker.demand import Judged, Lacking, Stand
from app.ports import Platform

Stands: TypeAlias = Sequence[Mapping[Platform, Stand]]
"""For each image: platform -> where it stands; one that is not there asks nothing."""

Platforms: TypeAlias = Mapping[Platform | None, Bits]
"""Platform -> candidates; `None` for nodes that do not say what they are."""


@dataclass(frozen=True, slots=True)
class Tally:
    """The candidates, divided.

    Attributes:
        fits: those that fit every image.
        unknown: those that may.
        misfits: those that do not fit one.
    """

    fits: Bits
    unknown: Bits
    misfits: Bits


def tally(stands: Stands, platforms: Platforms) -> Tally:
    """Divides candidates by what is known of all images.

    A node that does not fit one image does not fit the Pod, whatever is unknown
    of others (design: not if an image does not fit, else unknown if one is).
    """
    every = misfits = unsure = 0
    for platform, nodes in platforms.items():
        every |= nodes
        for image in stands:
            if platform is None:
                unsure |= nodes if image else 0
            elif platform in image:
                no, maybe = _divided(image[platform], nodes)
                misfits |= no
                unsure |= maybe
    unknown = unsure & ~misfits
    return Tally(every & ~(misfits | unknown), unknown, misfits)


def _divided(stand: Stand, nodes: Bits) -> tuple[Bits, Bits]:
    """Those of `nodes` that do not fit, and those of which we cannot know."""
    if isinstance(stand, Lacking):
        return nodes, 0
    if not isinstance(stand, Judged):
        return 0, nodes
    found = stand.judgement
    maybe = nodes & (found.unknown | ~found.nodes)
    return nodes & ~(found.fits | maybe), maybe
