"""Specs against candidate nodes: who fits, and why the others do not.

One evaluation is remembered for each pair of spec and feature set, so that the
second Pod of an image costs look-ups only. Memory is bounded: the specs that were
not asked for longest are forgotten first.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from app.admission.findings import Closest, Group, PodFinding, Unmet
from app.compat import explain, matching, outcome
from app.compat.features import Features
from app.compat.outcome import Outcome
from app.compat.spec import Spec
from app.ports import Platform, Snapshot
from app.scheduling.node import Node, platform_of

MAX_SPECS: Final = 256
"""Specs whose answers are remembered."""

MAX_ANSWERS: Final = 200_000
"""Answers that are remembered, all specs together."""

MAX_EXPLAINED: Final = 256
"""Nodes whose misfit is explained for one denial; the rest is only counted."""


MAX_FOUND: Final = 2
"""Different findings that are shown for one group of nodes."""


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

_Answers: TypeAlias = dict[int, tuple[Features, Outcome]]


class _Memo:
    """Answers by spec and feature set.

    A feature set is told by identity: snapshots share sets that did not change.
    It is kept with the answer, so that its identity cannot be used again. What the
    cluster publishes decides too: when that changes, everything is forgotten.
    """

    def __init__(self) -> None:
        self._specs: OrderedDict[str, _Answers] = OrderedDict()
        self._published: frozenset[str] = frozenset()
        self._generation = -1
        self._count = 0

    def published(self, snapshot: Snapshot) -> frozenset[str]:
        """The features that any known node publishes, in lower case."""
        if self._generation != snapshot.generation:
            published = frozenset(_names(snapshot.features.values()))
            if published != self._published:
                self._specs.clear()
                self._count = 0
            self._published, self._generation = published, snapshot.generation
        return self._published

    def of(self, digest: str) -> _Answers:
        """The answers of one spec, to be read and added to."""
        answers = self._specs.setdefault(digest, {})
        self._specs.move_to_end(digest)
        return answers

    def added(self) -> None:
        """Counts an answer, and forgets where there are too many."""
        self._count += 1
        while len(self._specs) > 1 and (
            self._count > MAX_ANSWERS or len(self._specs) > MAX_SPECS
        ):
            _, oldest = self._specs.popitem(last=False)
            self._count -= len(oldest)

    def __len__(self) -> int:
        return self._count


@dataclass(slots=True)
class Evaluation:
    """Evaluates for all reviews of a process; safe to use from several threads.

    Attributes:
        tags: only sets with one of these count; empty for all.
    """

    tags: tuple[str, ...] = ()
    _memo: _Memo = field(default_factory=_Memo)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def judge(
        self,
        finding: PodFinding,
        nodes: Sequence[Node],
        demands: Demands,
        snapshot: Snapshot,
        *,
        may_wait: bool = False,
    ) -> PodFinding:
        """The finding, with who fits and why the others do not.

        Args:
            finding: to be completed.
            nodes: the candidates.
            demands: of the Pod's images.
            snapshot: where the nodes are from.
            may_wait: whether the caller's thread may wait for another evaluation;
                if not and there is one, nothing is remembered.
        """
        is_ours = self._lock.acquire(blocking=may_wait)
        try:
            memo = self._memo if is_ours else _Memo()
            one = _Judgement(memo, self.tags, demands, snapshot)
            return _judged(finding, one, nodes)
        finally:
            if is_ours:
                self._lock.release()


def _judged(
    finding: PodFinding, judgement: _Judgement, nodes: Sequence[Node]
) -> PodFinding:
    outcomes = [judgement.node(node) for node in nodes]
    fits = outcomes.count(Outcome.FITS)
    unknown = outcomes.count(Outcome.UNKNOWN)
    judged = replace(finding, fits=fits, unknown=unknown)
    if fits or unknown:
        return judged
    groups, closest = _explained(judgement, nodes)
    return replace(judged, groups=groups, closest=closest)


def _names(every: Iterable[Features]) -> Iterator[str]:
    for features in every:
        for kind in (features.flags, features.attributes, features.instances):
            yield from (name.lower() for name in kind)


class _Judgement:
    """One Pod against nodes of one snapshot."""

    def __init__(
        self,
        memo: _Memo,
        tags: tuple[str, ...],
        demands: Demands,
        snapshot: Snapshot,
    ) -> None:
        self._memo = memo
        self._tags = tags
        self._demands = demands
        self._snapshot = snapshot
        self._published = memo.published(snapshot)

    def node(self, node: Node) -> Outcome:
        """What is known of the Pod on a node: all images must fit."""
        return outcome.all_of(
            self.image(index, node) for index in range(len(self._demands))
        )

    def image(self, index: int, node: Node) -> Outcome:
        """What is known of one image on a node."""
        platform = platform_of(node)
        if platform is None:
            return Outcome.UNKNOWN if self._demands[index] else Outcome.FITS
        demand = self._demands[index].get(Platform(*platform))
        if demand is None:
            return Outcome.FITS
        if isinstance(demand, Lacking):
            return Outcome.DOES_NOT_FIT
        features = self._snapshot.features.get(node.name)
        if features is None:
            return Outcome.UNKNOWN
        return self._outcome(demand, features)

    def _outcome(self, asked: Asked, features: Features) -> Outcome:
        """One spec on one node, remembered."""
        answers = self._memo.of(asked.digest)
        known = answers.get(id(features))
        if known is not None:
            return known[1]
        results = matching.judge(asked.spec, features, tags=self._tags)
        found = outcome.decide(results, published=self._published).outcome
        answers[id(features)] = (features, found)
        self._memo.added()
        return found

    def unmet(self, node: Node) -> tuple[Unmet, ...]:
        """What the images that do not fit want and the node does not have."""
        return tuple(
            one
            for index in range(len(self._demands))
            if self.image(index, node) is Outcome.DOES_NOT_FIT
            for one in self._unmet(index, node)
        )

    def _unmet(self, index: int, node: Node) -> Iterator[Unmet]:
        platform = Platform(*(platform_of(node) or ("", "")))
        demand = self._demands[index][platform]
        if isinstance(demand, Lacking):
            offered = "a manifest for this platform"
            yield Unmet(index, "platform", "image index", offered, str(platform))
            return
        features = self._snapshot.features[node.name]
        results = matching.judge(demand.spec, features, tags=self._tags)
        cheapest = explain.closest(explain.explain(results, features))
        for one in cheapest.unmet if cheapest is not None else ():
            name = f"{one.feature} {one.name}" if one.name else one.feature
            yield Unmet(index, one.rule, name, one.want, one.found, one.changeable)


def _explained(
    judgement: _Judgement, nodes: Sequence[Node]
) -> tuple[tuple[Group, ...], Closest | None]:
    """Nodes by what they lack, the largest group first, and the closest node."""
    lacks = {node.name: judgement.unmet(node) for node in nodes[:MAX_EXPLAINED]}
    wanted: dict[tuple[Unmet, ...], list[str]] = {}
    for name, unmet in lacks.items():
        reason = tuple(replace(one, found="") for one in unmet)
        wanted.setdefault(reason, []).append(name)
    groups = sorted(
        (_group(sorted(names), lacks) for names in wanted.values()),
        key=lambda group: (-len(group.nodes), group.nodes),
    )
    rest = tuple(sorted(node.name for node in nodes[MAX_EXPLAINED:]))
    if rest:
        groups.append(Group(rest, ()))
    nearest = min(lacks.items(), key=_distance, default=None)
    closest = Closest(*nearest) if nearest is not None and nearest[1] else None
    return tuple(groups), closest


def _group(names: Sequence[str], lacks: Mapping[str, tuple[Unmet, ...]]) -> Group:
    """Nodes that lack the same, with all that was found on them."""
    columns = zip(*(lacks[name] for name in names), strict=True)
    return Group(tuple(names), tuple(_together(column) for column in columns))


def _together(column: Sequence[Unmet]) -> Unmet:
    found = sorted({one.found for one in column})
    more = " or others" if len(found) > MAX_FOUND else ""
    return replace(column[0], found=" or ".join(found[:MAX_FOUND]) + more)


def _distance(lack: tuple[str, tuple[Unmet, ...]]) -> tuple[int, int, str]:
    """Fewest expressions first, then fewest that cannot be changed, then the name."""
    name, unmet = lack
    return len(unmet), sum(not one.changeable for one in unmet), name
