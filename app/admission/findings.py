"""What was found out about one Pod, before anything is decided.

`checker` fills these; `verdict` decides on them; `message` and `annotations`
put them into words. Nothing here knows a policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Answer(StrEnum):
    """What is known of an image's compatibility spec on some platform."""

    FOUND = "found"
    MISSING = "missing"
    PLATFORM_ABSENT = "platform absent"
    UNAVAILABLE = "unavailable"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "image not found"
    INVALID = "invalid"


UNSEEN: Final[Mapping[Answer, str]] = {
    Answer.UNAVAILABLE: "not judged: its registry could not answer",
    Answer.UNAUTHORIZED: "not judged: no access",
    Answer.NOT_FOUND: "not judged: not found",
    Answer.INVALID: "not judged: its compatibility spec is invalid",
}
"""Answers after which nobody knows what the image asks for -> in words."""

STALE: Final = "stale"
"""What stands in for a registry that cannot be asked."""


@dataclass(frozen=True, slots=True, order=True)
class Attached:
    """An artifact that counts for an image: who answered.

    Attributes:
        spec: digest of the spec.
        artifact: digest of the artifact's manifest.
        level: what it is attached to: `manifest`, `index`, or the platform whose
            manifest in an index it is (`linux/arm64`).
        subject: digest of that.
        doubts: what is odd about it, in words.
    """

    spec: str
    artifact: str
    level: str
    subject: str
    doubts: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line of the record."""
        odd = f" ({'; '.join(self.doubts)})" if self.doubts else ""
        return f"{self.spec} in {self.artifact} at {self.level} {self.subject}{odd}"


@dataclass(frozen=True, slots=True)
class ImageFinding:
    """One image of the Pod.

    Attributes:
        image: the reference as the user wrote it.
        containers: names of the containers that use it, in the Pod's order.
        answers: what was answered -> detail for a person (`""` for none). More
            than one entry where platforms differ.
        digest: digest of what the reference names; `None` if not resolved.
        specs: digests of the specs that were judged, sorted.
        artifacts: that count, whether their specs could be judged or not.
        marks: what was not answered just now -> how it was come by: `remembered`
            for a "no" from memory, `stale` for what stands in for a registry that
            cannot be asked.
    """

    image: str
    containers: tuple[str, ...]
    answers: Mapping[Answer, str]
    digest: str | None = None
    specs: tuple[str, ...] = ()
    artifacts: tuple[Attached, ...] = ()
    marks: Mapping[Answer, str] = field(default_factory=dict)

    @property
    def is_stale(self) -> bool:
        """Whether what it asks for stands in for a registry that cannot be asked."""
        asking = (Answer.FOUND, Answer.PLATFORM_ABSENT)
        return any(self.marks.get(answer) == STALE for answer in asking)

    @property
    def has_spec(self) -> bool:
        """Whether the image asks for anything."""
        return Answer.FOUND in self.answers or Answer.PLATFORM_ABSENT in self.answers


@dataclass(frozen=True, slots=True, order=True)
class Unmet:
    """One thing that an image wants and a node does not have.

    Attributes:
        image: index into the Pod's findings.
        rule: name of the rule; `""` if it is none of the spec's.
        feature: the feature, and the element where one is meant; `""` if it is only
            known that the rule does not match.
        want: the expression in words, bounded; `""` without a feature.
        found: what nodes have, bounded; `""` if that is not known.
        changeable: whether an admin could change it on the node.
    """

    image: int
    rule: str
    feature: str
    want: str
    found: str
    changeable: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Candidate nodes that fail for the same reasons.

    Attributes:
        count: how many nodes, at least.
        examples: the names of some, the first in alphabetical order.
        unmet: why, in the images' order; what each of the nodes lacks.
        more: how many more reasons all of them have.
    """

    count: int
    examples: tuple[str, ...]
    unmet: tuple[Unmet, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Closest:
    """The candidate that fails the fewest expressions.

    Attributes:
        node: its name.
        unmet: what it lacks, in the images' order.
        more: how many more things it lacks.
        more_fixed: how many of those nobody can change.
    """

    node: str
    unmet: tuple[Unmet, ...]
    more: int = 0
    more_fixed: int = 0

    @property
    def is_changeable(self) -> bool:
        """Whether an admin could make the node fit."""
        return not self.more_fixed and all(one.changeable for one in self.unmet)


@dataclass(frozen=True, slots=True)
class PodFinding:
    """All that was found out.

    Attributes:
        images: each distinct image once, in the Pod's order; on an UPDATE only
            those that the request adds or changes.
        others: the other images; they are reported, and decide nothing.
        candidates: how many nodes the scheduler's filters leave, transient
            obstacles set aside.
        fits: how many of them fit all images.
        unknown: how many are not known to fit nor not to fit.
        undescribed: of how many candidates NFD has published nothing.
        known_nodes: how many Nodes exist at all.
        excluded: scheduler plugin -> how many nodes it takes out.
        groups: why candidates do not fit; the largest groups, largest first. Who is
            in none of them fails for other reasons.
        closest: `None` if a candidate fits or none is known.
        stale_seconds: age of our view of the cluster.
        scalable: nodes that do not exist yet may appear.
        daemon_set: the Pod belongs to a DaemonSet.
        template_of: kind and name of the workload (`Deployment web`) if this is
            a template and no Pod yet.
        left_out: scheduler plugins that were too costly to run: there may be fewer
            candidates.
        in_time: whether everything was found out within the deadline.
        waited_for: what was not at hand: `registry`, `evaluation`.
    """

    images: tuple[ImageFinding, ...]
    others: tuple[ImageFinding, ...] = ()
    candidates: int = 0
    fits: int = 0
    unknown: int = 0
    undescribed: int = 0
    known_nodes: int = 0
    excluded: Mapping[str, int] = field(default_factory=dict)
    groups: tuple[Group, ...] = ()
    closest: Closest | None = None
    stale_seconds: float = 0.0
    scalable: bool = False
    daemon_set: bool = False
    template_of: str | None = None
    left_out: tuple[str, ...] = ()
    in_time: bool = True
    waited_for: tuple[str, ...] = ()

    @property
    def asks_for_something(self) -> bool:
        """Whether any image carries a spec that could be judged."""
        return any(image.has_spec for image in self.images)
