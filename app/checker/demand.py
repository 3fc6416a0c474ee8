"""What images ask of the nodes of one platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from app.compat.index import Judgement
from app.compat.spec import Spec
from app.ports import Platform


@dataclass(frozen=True, slots=True)
class Asked:
    """A spec, and the digest that names it."""

    digest: str
    spec: Spec


@dataclass(frozen=True, slots=True)
class Lacking:
    """The image's index has no manifest for the platform, and it has a spec."""

    platform: Platform


Demand: TypeAlias = Asked | Lacking
"""What an image asks of the nodes of one platform."""

Demands: TypeAlias = Sequence[Mapping[Platform, Demand]]
"""For each image: platform -> demand; a platform that is not there asks nothing."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A spec with its answer for all nodes."""

    asked: Asked
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Late:
    """What the image asks of the platform's nodes is not found out yet."""


Stand: TypeAlias = Judged | Lacking | Late
"""Where an image stands with the nodes of one platform."""

LATE = Late()
