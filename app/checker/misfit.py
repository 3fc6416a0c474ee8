"""What is said of a Pod that no candidate fits, and the work of saying it.

A `Job` holds what `explanation` took from the indexes on the event loop: values
that never change, so that it may be put into words in another thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from app.admission.findings import Closest, Group, Unmet
from app.admission.message import MAX_UNMET
from app.checker.demand import Asked
from app.compat import explain, matching
from app.compat.budget import Budget
from app.compat.explain import Need, Part
from app.compat.features import Features
from app.compat.gotext import lower
from app.compat.matching import RULE_MATCHED, View
from app.compat.postings import KINDS
from app.compat.terms import FeatureSets
from app.errors import SpecError

MAX_FOUND: Final = 2
"""Different findings that are shown for one group of nodes."""

MAX_CALLS: Final = 4_000
"""Operator calls for what only an evaluation of the closest node tells."""

MAX_LIGHT_SETS: Final = 512
"""Feature sets that a job may look at on the event loop."""

Key: TypeAlias = tuple[object, ...]

Reason: TypeAlias = Need | Unmet
"""What a spec wants, or what is said whatever the nodes have."""

Published: TypeAlias = FeatureSets | None
"""A feature as some node publishes it; `None` if it does not."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why no candidate fits.

    Attributes:
        groups: the largest groups, largest first.
        closest: `None` if no node lacks anything that it could have.
    """

    groups: tuple[Group, ...] = ()
    closest: Closest | None = None


def is_told_by_evaluation(reason: Reason) -> bool:
    """Whether bitsets tell too little of it: which expression, or what was found."""
    if isinstance(reason, Unmet):
        return False
    return reason.part is Part.RULE or lower(reason.feature) == RULE_MATCHED


@dataclass(frozen=True, slots=True)
class GroupReason:
    """One reason of a group, and where to read what its nodes have instead.

    Attributes:
        image: index into the Pod's images.
        reason: the reason.
        sets: the feature as some of the nodes publish it.
        nodes: other nodes to read it from.
        is_complete: whether these are all that there is.
    """

    image: int
    reason: Reason
    sets: tuple[Published, ...] = ()
    nodes: tuple[Features, ...] = ()
    is_complete: bool = True

    def run(self) -> Unmet:
        """Puts it into words."""
        if isinstance(self.reason, Unmet):
            return self.reason
        found = {explain.found(self.reason, one) for one in self.sets}
        found |= self._of_nodes(self.reason)
        shown = sorted(found)[:MAX_FOUND]
        if not self.is_complete or len(found) > MAX_FOUND:
            shown.append("others")
        return _unmet(self.image, self.reason, " or ".join(shown))

    def _of_nodes(self, need: Need) -> set[str]:
        feature = lower(need.feature)
        different = {
            tuple(id(getattr(one, kind).get(feature)) for kind in KINDS): one
            for one in self.nodes
        }
        views = map(View, different.values())
        return {explain.found(need, view.find(feature)) for view in views}


@dataclass(frozen=True, slots=True)
class GroupJob:
    """A group, before it is put into words; attributes as in `Group`."""

    count: int
    examples: tuple[str, ...]
    reasons: tuple[GroupReason, ...]
    more: int

    def run(self) -> Group:
        """Puts it into words."""
        unmet = tuple(reason.run() for reason in self.reasons)
        return Group(self.count, self.examples, unmet, self.more)


@dataclass(frozen=True, slots=True)
class ClosestJob:
    """The closest node, before it is put into words.

    Attributes:
        name: its name.
        reasons: image -> what the node lacks.
        features: what is known of it.
        asked: image -> the spec of which bitsets tell too little.
        tags: that select sets.
    """

    name: str
    reasons: Mapping[int, tuple[Reason, ...]]
    features: Features
    asked: Mapping[int, Asked]
    tags: tuple[str, ...]

    def run(self) -> Closest:
        """Puts it into words."""
        unmet: list[Unmet] = []
        budget = Budget(MAX_CALLS)
        for image, reasons in self.reasons.items():
            asked = self.asked.get(image)
            told = [] if asked is None else self._evaluated(image, asked, budget)
            unmet += told or [self._unmet(image, reason) for reason in reasons]
        rest = unmet[MAX_UNMET:]
        fixed = sum(not one.changeable for one in rest)
        return Closest(self.name, tuple(unmet[:MAX_UNMET]), len(rest), fixed)

    def _unmet(self, image: int, reason: Reason) -> Unmet:
        if isinstance(reason, Unmet):
            return reason
        if is_told_by_evaluation(reason):
            return _unmet(image, reason, "")
        sets = View(self.features).find(lower(reason.feature))
        return _unmet(image, reason, explain.found(reason, sets))

    def _evaluated(self, image: int, asked: Asked, budget: Budget) -> list[Unmet]:
        """What evaluating the node says; nothing if that costs too much."""
        try:
            results = matching.judge(
                asked.spec, self.features, tags=self.tags, budget=budget
            )
        except SpecError:
            return []
        nearest = explain.closest(explain.explain(results, self.features))
        unmet = nearest.unmet if nearest is not None else ()
        return [_unmet(image, one.need, one.found) for one in unmet]


@dataclass(frozen=True, slots=True)
class Job:
    """A denial to be put into words; nothing that it holds ever changes.

    Attributes:
        key: what it is about.
        groups: the largest groups, largest first.
        closest: the closest node, if there is one.
    """

    key: Key
    groups: tuple[GroupJob, ...] = ()
    closest: ClosestJob | None = None

    @property
    def is_light(self) -> bool:
        """Whether `run` may be called on the event loop."""
        if self.closest is not None and self.closest.asked:
            return False
        reasons = [reason for group in self.groups for reason in group.reasons]
        sets = sum(len(one.sets) + len(one.nodes) for one in reasons)
        return sets <= MAX_LIGHT_SETS

    def run(self) -> Misfit:
        """Puts it into words."""
        closest = None if self.closest is None else self.closest.run()
        return Misfit(tuple(group.run() for group in self.groups), closest)


def _unmet(image: int, need: Need, found: str) -> Unmet:
    what = f"{need.feature} {need.name}" if need.name else need.feature
    return Unmet(image, need.rule, what, need.want, found, need.is_changeable)
