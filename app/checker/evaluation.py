"""Specs against candidate nodes: who fits, and why the others do not.

The index answers for all known nodes at once and remembers; the second Pod of an
image costs look-ups only. What is not at hand is evaluated in a thread: an index
serves one thread at a time, so it has a lock, for which the event loop never waits.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from app.admission.findings import (
    Answer,
    Closest,
    Group,
    ImageFinding,
    PodFinding,
    Unmet,
)
from app.checker.demand import Asked, Demand, Demands, Lacking
from app.compat import explain, matching
from app.compat.index import Index, Judgement
from app.errors import SpecError
from app.ports import Platform, Snapshot
from app.scheduling.node import Node, platform_of

MAX_EXPLAINED: Final = 256
"""Nodes whose misfit is explained for one denial; the rest is only counted."""

MAX_FOUND: Final = 2
"""Different findings that are shown for one group of nodes."""


_Names: TypeAlias = frozenset[str]


@dataclass(slots=True)
class Evaluation:
    """Evaluates for all reviews of a process; safe to use from several threads.

    Attributes:
        tags: only sets with one of these count; empty for all.
        index: answers for all nodes; only under the lock.
    """

    tags: tuple[str, ...] = ()
    index: Index = field(default_factory=Index)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _seen: Snapshot | None = None

    def at_hand(
        self,
        finding: PodFinding,
        nodes: Sequence[Node],
        demands: Demands,
        snapshot: Snapshot,
    ) -> PodFinding | None:
        """As `judge`, if that takes no evaluation and no waiting; else `None`.

        Taking in a whole cluster for the first time is no work for the loop either.
        """
        if self._seen is None or not self._lock.acquire(blocking=False):
            return None
        try:
            self._see(snapshot)
            if not all(
                isinstance(one, Lacking) or self.index.known(one.digest, self.tags)
                for image in demands
                for one in image.values()
            ):
                return None
            return self._judge(finding, nodes, demands, snapshot)
        finally:
            self._lock.release()

    def judge(
        self,
        finding: PodFinding,
        nodes: Sequence[Node],
        demands: Demands,
        snapshot: Snapshot,
    ) -> PodFinding:
        """The finding, with who fits and why the others do not.

        Args:
            finding: to be completed; an image whose spec is too costly becomes
                invalid in it, and bounds no node.
            nodes: the candidates.
            demands: of the Pod's images.
            snapshot: where the nodes are from.
        """
        with self._lock:
            self._see(snapshot)
            return self._judge(finding, nodes, demands, snapshot)

    def _see(self, snapshot: Snapshot) -> None:
        if snapshot is not self._seen:
            self.index.update(snapshot.features)
            self._seen = snapshot

    def _judge(
        self,
        finding: PodFinding,
        nodes: Sequence[Node],
        demands: Demands,
        snapshot: Snapshot,
    ) -> PodFinding:
        by_platform: dict[Platform | None, set[str]] = defaultdict(set)
        for node in nodes:
            pair = platform_of(node)
            by_platform[Platform(*pair) if pair else None].add(node.name)
        images, usable = list(finding.images), [dict(one) for one in demands]
        misfits: set[str] = set()
        unsure: set[str] = set()
        for number, image in enumerate(usable):
            for platform, there in by_platform.items():
                names = frozenset(there)
                if platform is None:
                    unsure |= names if image else frozenset()
                    continue
                demand = image.get(platform)
                try:
                    no, maybe = self._divided(demand, names)
                except SpecError as error:
                    del image[platform]
                    images[number] = _too_costly(images[number], error)
                    continue
                misfits |= no
                unsure |= maybe
        unknown = len(unsure - misfits)
        fits = len(nodes) - len(misfits) - unknown
        judged = replace(finding, images=tuple(images), fits=fits, unknown=unknown)
        if fits or unknown or not nodes:
            return judged
        reasons = _Reasons(usable, snapshot, self.tags, self._fails)
        groups, closest = _explained(reasons, nodes)
        return replace(judged, groups=groups, closest=closest)

    def _divided(self, demand: Demand | None, names: _Names) -> tuple[_Names, _Names]:
        """Those of `names` that do not fit, and those of which we cannot know.

        Raises:
            SpecError: the spec is too costly.
        """
        if demand is None:
            return frozenset(), frozenset()
        if isinstance(demand, Lacking):
            return names, frozenset()
        found = self._judgement(demand)
        select = self.index.select(names)
        known = frozenset(self.index.names(select))
        no = select & ~found.fits & ~found.unknown
        maybe = frozenset(self.index.names(select & found.unknown))
        return frozenset(self.index.names(no)), maybe | (names - known)

    def _judgement(self, asked: Asked) -> Judgement:
        return self.index.judge(asked.digest, asked.spec, self.tags)

    def _fails(self, asked: Asked, name: str) -> bool:
        """Whether a known node is known not to fit."""
        found, number = self._judgement(asked), self.index.number(name)
        return number is not None and not (found.fits | found.unknown) >> number & 1


def _too_costly(image: ImageFinding, error: SpecError) -> ImageFinding:
    answers: dict[Answer, str] = dict(image.answers)
    answers.pop(Answer.FOUND, None)
    return replace(image, answers={**answers, Answer.INVALID: error.message})


@dataclass(frozen=True, slots=True)
class _Reasons:
    """Why nodes do not fit."""

    demands: Demands
    snapshot: Snapshot
    tags: tuple[str, ...]
    fails: Callable[[Asked, str], bool]

    def unmet(self, node: Node) -> tuple[Unmet, ...]:
        """What the images that do not fit want and the node does not have."""
        platform = Platform(*(platform_of(node) or ("", "")))
        return tuple(
            one
            for index, image in enumerate(self.demands)
            for one in self._unmet(index, image.get(platform), node)
        )

    def _unmet(self, index: int, demand: Demand | None, node: Node) -> Iterator[Unmet]:
        if isinstance(demand, Lacking):
            offered = "a manifest for this platform"
            found = str(demand.platform)
            yield Unmet(index, "platform", "image index", offered, found)
        elif demand is not None and self.fails(demand, node.name):
            features = self.snapshot.features[node.name]
            results = matching.judge(demand.spec, features, tags=self.tags)
            cheapest = explain.closest(explain.explain(results, features))
            for one in cheapest.unmet if cheapest is not None else ():
                need = one.need
                name = f"{need.feature} {need.name}" if need.name else need.feature
                can_change = need.is_changeable
                yield Unmet(index, need.rule, name, need.want, one.found, can_change)


def _explained(
    reasons: _Reasons, nodes: Sequence[Node]
) -> tuple[tuple[Group, ...], Closest | None]:
    """Nodes by what they lack, the largest group first, and the closest node."""
    lacks = {node.name: reasons.unmet(node) for node in nodes[:MAX_EXPLAINED]}
    wanted: dict[tuple[Unmet, ...], list[str]] = {}
    for name, unmet in lacks.items():
        reason = tuple(replace(one, found="") for one in unmet)
        wanted.setdefault(reason, []).append(name)
    groups = sorted(
        (_group(sorted(names), lacks) for names in wanted.values()),
        key=lambda group: (-group.count, group.examples),
    )
    nearest = min(lacks.items(), key=_distance, default=None)
    closest = Closest(*nearest) if nearest is not None and nearest[1] else None
    return tuple(groups), closest


def _group(names: Sequence[str], lacks: Mapping[str, tuple[Unmet, ...]]) -> Group:
    """Nodes that lack the same, with all that was found on them."""
    columns = zip(*(lacks[name] for name in names), strict=True)
    unmet = tuple(_together(column) for column in columns)
    return Group(len(names), tuple(names[:3]), unmet)


def _together(column: Sequence[Unmet]) -> Unmet:
    found = sorted({one.found for one in column})
    more = " or others" if len(found) > MAX_FOUND else ""
    return replace(column[0], found=" or ".join(found[:MAX_FOUND]) + more)


def _distance(lack: tuple[str, tuple[Unmet, ...]]) -> tuple[int, int, str]:
    """Fewest expressions first, then fewest that cannot be changed, then the name."""
    name, unmet = lack
    return len(unmet), sum(not one.changeable for one in unmet), name
