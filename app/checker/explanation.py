"""Why no candidate fits: groups of nodes by what they lack, and the closest node.

A denial names them, and costs little at any number of nodes:

1. `Explainer.begin` reads off the indexes what the nodes lack (`compat.alike`),
   splits them, and takes along what it takes to tell more of the largest groups
   and of the closest node: names, and feature sets of few nodes.
2. `Job.run` puts that into words, in another thread if need be.
3. `Explainer.accept` remembers it, until a node changes.

What is said of a group holds for each of its nodes. What they have instead is read
from at most `MAX_SETS` feature sets; where that is not all, "or others" is added.
All is the same in every replica: nothing depends on the numbers of nodes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Final, NamedTuple, TypeAlias

from app.admission.findings import Unmet
from app.admission.message import MAX_EXAMPLES, MAX_GROUPS, MAX_UNMET
from app.bits import Bits, union
from app.checker.demand import Asked, Demand, Demands, Lacking
from app.checker.misfit import (
    ClosestJob,
    GroupJob,
    GroupReason,
    Job,
    Key,
    Misfit,
    Published,
    Reason,
    is_told_by_evaluation,
)
from app.compat import alike, division, tally
from app.compat.alike import Shortfall
from app.compat.census import Frozen
from app.compat.division import Division
from app.compat.explain import Need, Part
from app.compat.features import Features
from app.compat.gotext import lower
from app.compat.index import Index, Judgement
from app.compat.postings import KINDS
from app.compat.tally import Digits
from app.compat.terms import FeatureSets
from app.ports import Platform
from app.scheduling.index import NodeIndex

__all__ = ["Explainer", "Job", "Misfit", "Platforms"]

MAX_REMEMBERED: Final = 256
"""Explanations that are remembered."""

MAX_SETS: Final = 256
"""Feature sets that are looked at for what the nodes of a group have."""

_MAX_PARTS: Final = 16
_EXISTS: Final = "Exists"
_PUBLISHED: Final = FeatureSets()

Platforms: TypeAlias = Mapping[Platform | None, Bits]
"""Platform -> the candidates that are of it; `None`: those without its labels."""


@dataclass(slots=True)
class Explainer:
    """Explains the denials of a process; lives on the event loop.

    Attributes:
        index: knows what nodes publish, and who fits.
        nodes: knows the nodes, under the same numbers.
        tags: only sets with one of these count; empty for all.
    """

    index: Index
    nodes: NodeIndex
    tags: tuple[str, ...] = ()
    _known: OrderedDict[Key, Misfit] = field(default_factory=OrderedDict)

    def at_hand(
        self, demands: Demands, platforms: Platforms, candidates: Bits
    ) -> Misfit | None:
        """What is remembered of a Pod; `None` if nothing is."""
        key = self._key(demands, platforms, candidates)
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
        return found

    def begin(self, demands: Demands, platforms: Platforms, candidates: Bits) -> Job:
        """Takes along what it takes to explain a Pod that no candidate fits.

        Args:
            demands: of the Pod's images; each spec has been judged.
            platforms: the candidates by platform.
            candidates: all of them.
        """
        lacks = _Lacks()
        for image, demand in enumerate(demands):
            self._read(lacks, image, demand, platforms)
        nodes = lacks.nodes & candidates
        return Job(
            self._key(demands, platforms, candidates),
            tuple(self._groups(nodes, lacks.all)),
            self._closest(nodes, lacks),
        )

    def accept(self, job: Job, misfit: Misfit) -> None:
        """Remembers what came of a job."""
        self._known[job.key] = misfit
        self._known.move_to_end(job.key)
        if len(self._known) > MAX_REMEMBERED:
            self._known.popitem(last=False)

    def _key(self, demands: Demands, platforms: Platforms, candidates: Bits) -> Key:
        asked = tuple(
            tuple((platform, _digest(one)) for platform, one in image.items())
            for image in demands
        )
        there = tuple(platforms.items())
        generations = self.index.generation, self.nodes.generation
        return asked, there, candidates, generations

    # What is lacking ------------------------------------------------------------

    def _read(
        self,
        lacks: _Lacks,
        image: int,
        demand: Mapping[Platform, Demand],
        platforms: Platforms,
    ) -> None:
        """Reads what nodes lack of one image; each spec once."""
        asked: dict[str, tuple[Asked, Bits]] = {}
        for platform, bits in platforms.items():
            one = None if platform is None else demand.get(platform)
            if isinstance(one, Lacking):
                lacks.platform(image, one, bits)
            elif one is not None:
                known = asked.get(one.digest, (one, 0))
                asked[one.digest] = one, known[1] | bits
        for spec, bits in asked.values():
            short = self._shortfall(spec, bits, lacks.needs_left)
            if short is not None and short.nodes:
                lacks.spec(image, spec, short, self.tags)

    def _shortfall(
        self, asked: Asked, among: Bits, most_needs: int
    ) -> Shortfall | None:
        """What nodes lack of a spec; `None` if it has no judgement, and bounds none."""
        judgement = self.index.at_hand(asked.digest, self.tags)
        plan = self.index.plan(asked.digest, self.tags)
        if plan is None or not isinstance(judgement, Judgement):
            return None
        return alike.shortfall(
            plan, judgement, self.index.census, among, most_needs=most_needs
        )

    # Groups ---------------------------------------------------------------------

    def _groups(self, nodes: Bits, lacks: Sequence[_Lack]) -> Iterator[GroupJob]:
        bits = [lack.nodes for lack in lacks]
        parts = division.divide(nodes, bits, most=_MAX_PARTS)
        for part, names in self._largest([part for part in parts if part.lacks]):
            mine = [lacks[position] for position in part.lacks]
            sample = Sample(self.index.census, part.nodes, self._features(names))
            reasons = tuple(
                sample.of(lack.image, lack.reason) for lack in mine[:MAX_UNMET]
            )
            count, more = part.nodes.bit_count(), len(mine) - len(reasons)
            yield GroupJob(count, names[:MAX_EXAMPLES], reasons, more)

    def _largest(
        self, parts: Sequence[Division]
    ) -> list[tuple[Division, tuple[str, ...]]]:
        """The largest parts, and of equal ones those whose names come first."""
        sizes = [part.nodes.bit_count() for part in parts]
        least = sizes[MAX_GROUPS - 1] if len(sizes) > MAX_GROUPS else 0
        named = [
            (-size, self._first(part.nodes), part)
            for size, part in zip(sizes, parts, strict=True)
            if size >= least
        ]
        named.sort(key=lambda one: one[:2])
        return [(part, names) for _, names, part in named[:MAX_GROUPS]]

    def _first(self, nodes: Bits) -> tuple[str, ...]:
        """The names of a set of nodes in order; of a large one, the first few."""
        is_small = nodes.bit_count() <= MAX_SETS
        return tuple(self.nodes.first(nodes, MAX_SETS if is_small else MAX_EXAMPLES))

    def _features(self, names: Iterable[str]) -> tuple[Features, ...]:
        known = self.index.census.features
        found = (self.nodes.number(name) for name in names)
        return tuple(known[each] for each in found if each in known)

    # The closest node -----------------------------------------------------------

    def _closest(self, nodes: Bits, lacks: _Lacks) -> ClosestJob | None:
        """The node that lacks the fewest; nothing if none lacks what is counted."""
        nearest = tally.nearest(nodes, (lacks.count, lacks.fixed))
        if not nearest & union(lacks.count):
            return None
        name = self._first(nearest)[0]
        node = 1 << (self.nodes.number(name) or 0)
        reasons: dict[int, tuple[Reason, ...]] = {}
        for lack in lacks.all:
            if lack.nodes & node:
                known = reasons.get(lack.image, ())
                reasons[lack.image] = *known, lack.reason
        asked = {
            image: spec
            for image, spec, bits in lacks.specs
            if bits & node and any(map(is_told_by_evaluation, reasons[image]))
        }
        features = next(iter(self._features((name,))), Features())
        return ClosestJob(name, reasons, features, asked, self.tags)


class _Lack(NamedTuple):
    """What some nodes lack of an image."""

    image: int
    reason: Reason
    nodes: Bits


class _Lacks:
    """What nodes lack of all images.

    Attributes:
        nodes: the nodes that do not fit.
        all: each reason with the nodes that it holds for, in the images' order.
        count: how many needs each node lacks.
        fixed: how many of them nobody can change.
        specs: image, spec, and the nodes that do not fit it.
        needs_left: how many more needs are told apart.
    """

    def __init__(self) -> None:
        self.nodes: Bits = 0
        self.all: list[_Lack] = []
        self.count: Digits = []
        self.fixed: Digits = []
        self.specs: list[tuple[int, Asked, Bits]] = []
        self.needs_left = alike.MAX_NEEDS

    def platform(self, image: int, lacking: Lacking, nodes: Bits) -> None:
        """The image has no manifest for the platform of these nodes."""
        want = f"a manifest for {lacking.platform}"
        unmet = Unmet(image, "", "image index", want, "none")
        self.all.append(_Lack(image, unmet, nodes))
        self.nodes |= nodes
        tally.add(self.count, (nodes,))
        tally.add(self.fixed, (nodes,))

    def spec(
        self, image: int, asked: Asked, short: Shortfall, tags: Sequence[str]
    ) -> None:
        """Some nodes do not fit a spec."""
        self.nodes |= short.nodes
        self.specs.append((image, asked, short.nodes))
        self.needs_left = max(0, self.needs_left - short.size)
        tally.add(self.count, short.all)
        tally.add(self.fixed, short.fixed)
        self.all += (_Lack(image, need, bits) for need, bits in short.needs.items())
        if not short.needs:
            want = f"one with tag {' or '.join(tags)}"
            unmet = Unmet(image, "", "compatibility sets", want, "none")
            self.all.append(_Lack(image, unmet, short.nodes))


class Sample:
    """Where to read what the nodes of one group have.

    Args:
        census: what nodes publish.
        nodes: the group.
        some: what nodes of it publish: up to `MAX_SETS` all, else some.
    """

    def __init__(self, census: Frozen, nodes: Bits, some: tuple[Features, ...]) -> None:
        self._census: Final = census
        self._nodes: Final = nodes
        self._some: Final = some

    def of(self, image: int, reason: Reason) -> GroupReason:
        """A reason, with what it takes to tell what was found."""
        if isinstance(reason, Unmet) or is_told_by_evaluation(reason):
            return GroupReason(image, reason)
        feature = lower(reason.feature)
        columns = {
            kind: column
            for kind in KINDS
            if (column := self._census.column(kind, feature)) is not None
        }
        published = self._nodes & union(one.published for one in columns.values())
        absent: tuple[Published, ...] = (None,) if published != self._nodes else ()
        if not published or _is_plain(reason, columns):
            there = (_PUBLISHED,) if published else ()
            return GroupReason(image, reason, (*absent, *there))
        if prod(1 + len(one.sets) for one in columns.values()) <= MAX_SETS:
            classes = self._census.classes(feature, self._nodes)
            return GroupReason(image, reason, tuple(one.sets for one in classes))
        if self._nodes.bit_count() <= MAX_SETS:
            return GroupReason(image, reason, nodes=self._some)
        return GroupReason(image, reason, absent, self._some, is_complete=False)


def _is_plain(need: Need, kinds: Container[str]) -> bool:
    """Whether all nodes that publish the feature and lack it have the same instead."""
    if need.part is not Part.ELEMENT:
        return True
    ((_, expression),) = need.expressions
    is_exists = expression is not None and expression.op == _EXISTS
    return is_exists and KINDS[2] not in kinds


def _digest(demand: Demand) -> str | None:
    return demand.digest if isinstance(demand, Asked) else None
