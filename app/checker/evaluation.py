"""Specs against candidate nodes: who fits, and why the others do not.

One evaluation is remembered for each pair of spec and feature set, so that the
second Pod of an image costs look-ups only. Memory is bounded: the specs that were
not asked for longest are forgotten first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from app.admission.findings import Closest, Group, Unmet
from app.compat import explain, outcome
from app.compat.features import Features
from app.compat.outcome import Outcome
from app.compat.spec import Spec
from app.ports import Platform
from app.scheduling.node import Node

MAX_SPECS: Final = 256
"""Specs whose answers are remembered."""

MAX_ANSWERS: Final = 200_000
"""Answers that are remembered, all specs together."""

MAX_EXPLAINED: Final = 256
"""Nodes whose misfit is explained for one denial; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A spec, and the digest that names it."""

    digest: str
    spec: Spec


@dataclass(frozen=True, slots=True)
class Lacking:
    """The image's index has no manifest for the platform, and it has a spec."""

    platform: Platform


Demand: TypeAlias = Asked | Lacking | None
"""What an image asks of the nodes of one platform; `None` for nothing."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the candidates.

    Attributes:
        fits: how many fit all images.
        unknown: how many are neither known to fit nor not to.
        misfits: the others, in their order.
    """

    fits: int = 0
    unknown: int = 0
    misfits: tuple[Node, ...] = ()


class _Memo:
    """Answers by spec and feature set.

    A feature set is told by identity: snapshots share sets that did not change.
    It is kept with the answer, so that its identity cannot be used again.
    """

    def __init__(self) -> None:
        self._specs: OrderedDict[str, dict[int, tuple[Features, Outcome]]] = (
            OrderedDict()
        )
        self._published: frozenset[str] = frozenset()
        self._count = 0

    def of(
        self, asked: Asked, published: frozenset[str]
    ) -> dict[int, tuple[Features, Outcome]]:
        if published != self._published:
            self._specs.clear()
            self._count = 0
            self._published = published
        answers = self._specs.setdefault(asked.digest, {})
        self._specs.move_to_end(asked.digest)
        return answers

    def added(self) -> None:
        self._count += 1
        while self._count > MAX_ANSWERS or len(self._specs) > MAX_SPECS:
            _, oldest = self._specs.popitem(last=False)
            self._count -= len(oldest)


@dataclass(slots=True)
class Evaluation:
    """Evaluates for all reviews of a process.

    Attributes:
        tags: as `Policy` has them; empty for all sets.
    """

    tags: tuple[str, ...] = ()
    _memo: _Memo = field(default_factory=_Memo)

    def tally(
        self,
        nodes: Sequence[Node],
        demands: Sequence[Mapping[Platform, Demand]],
        features: Mapping[str, Features],
        published: frozenset[str],
    ) -> Tally:
        """Judges `nodes` against what each image demands of their platforms."""
        fits = unknown = 0
        misfits: list[Node] = []
        for node in nodes:
            match self._node(node, demands, features, published):
                case Outcome.FITS:
                    fits += 1
                case Outcome.UNKNOWN:
                    unknown += 1
                case Outcome.DOES_NOT_FIT:
                    misfits.append(node)
        return Tally(fits, unknown, tuple(misfits))
