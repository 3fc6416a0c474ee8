"""What the artifacts of a Pod's images ask, as far as the answers are at hand.

Everything here is memory: what would take longer is named in `Reading.cold`, and
left to whoever can wait.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, assert_never

from app.admission.findings import UNSEEN, Answer, Attached, ImageFinding
from app.checker.demand import LATE, Asked, Judged, Lacking, Stand
from app.checker.specs import Specs
from app.compat.index import Index, Judgement
from app.errors import SpecError
from app.ports import (
    Found,
    ImageNotFound,
    ImageOutcome,
    Invalid,
    Mark,
    Missing,
    Platform,
    PlatformAbsent,
    PlatformOutcome,
    Resolved,
    Unauthorized,
    Unavailable,
)

REFRESH_CALLS: Final = 4_000
"""Operator calls for one Pod that bring remembered answers up to date on the event
loop: some milliseconds."""

REFRESH_PRICE: Final = 50
"""What one answer costs at least, in operator calls."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What the registries said.

    Attributes:
        platforms: that were asked for.
        outcomes: image -> outcome, in the Pod's order.
        waited: whether any of them was not at hand.
    """

    platforms: frozenset[Platform]
    outcomes: Mapping[str, ImageOutcome]
    waited: bool = False

    @property
    def in_time(self) -> bool:
        """Whether every lookup ended before its deadline."""
        return not any(
            isinstance(one, Unavailable) and one.reason == "Timeout"
            for one in self.outcomes.values()
        )


@dataclass(slots=True)
class Reading:
    """What the images of one Pod ask.

    Attributes:
        images: a finding for each image, in the Pod's order.
        stands: for each image: platform -> where it stands.
        unseen: for each image: platform -> why nobody knows what it asks there;
            `None` stands for nodes that do not say what they are.
        cold: spec digest -> an artifact that is not read or not judged yet.
    """

    images: list[ImageFinding] = field(default_factory=list)
    stands: list[Mapping[Platform, Stand]] = field(default_factory=list)
    unseen: list[Mapping[Platform | None, Said]] = field(default_factory=list)
    cold: dict[str, Found] = field(default_factory=dict)

    @property
    def in_time(self) -> bool:
        """Whether nothing is late."""
        return not any(LATE in image.values() for image in self.stands)


def read(
    looked: Looked,
    containers: Mapping[str, tuple[str, ...]],
    platforms: Sequence[Platform],
    memory: Memory,
) -> Reading:
    """Reads what was found for each image.

    Args:
        looked: what the registries said.
        containers: the images to read -> names of the containers that use it.
        platforms: of the candidates; one that was not asked for is late.
        memory: of this process.
    """
    reading = Reading()
    for image, names in containers.items():
        outcome = looked.outcomes[image]
        one = _Image(image, names, outcome)
        if isinstance(outcome, Resolved):
            for platform in platforms:
                one.take(platform, outcome.platforms.get(platform), memory, reading)
        else:
            said = Said(*_answer(outcome))
            for place in platforms:
                one.say(place, said, outcome.mark)
        reading.images.append(one.finding())
        reading.stands.append(one.stands)
        reading.unseen.append(one.unseen)
    return reading


@dataclass(frozen=True, slots=True)
class Said:
    """What is answered for a person where a spec asks nothing."""

    answer: Answer
    detail: str


_FOUND: Final = Said(Answer.FOUND, "")

Unseen: TypeAlias = Sequence[Mapping[Platform | None, Said]]
"""For each image: platform -> why nobody knows what it asks there; `None` stands for
nodes that do not say what they are."""


class Memory:
    """What is remembered of specs and their answers; one for each Pod.

    Args:
        specs: what specs say.
        index: what they say of the nodes.
        tags: only sets with one of these count; empty for all.
    """

    def __init__(self, specs: Specs, index: Index, tags: tuple[str, ...]) -> None:
        self._specs: Final = specs
        self._index: Final = index
        self._tags: Final = tags
        self._read: Final[dict[str, Judged | Said | None]] = {}
        self._calls_left = REFRESH_CALLS

    def judged(self, found: Found) -> Judged | Said | None:
        """A spec with its answer; what to say instead; `None` if not at hand."""
        digest = found.spec_digest
        if digest not in self._read:
            self._read[digest] = self._judged(digest)
        return self._read[digest]

    def _judged(self, digest: str) -> Judged | Said | None:
        spec = self._specs.known(digest)
        if spec is None:
            return None
        if isinstance(spec, SpecError):
            return Said(Answer.INVALID, fault(spec))
        tags = {one.tag for one in spec.compatibilities}
        if self._tags and tags.isdisjoint(self._tags):
            return Said(Answer.MISSING, "no set of its spec has a tag that counts")
        index = self._index
        answer = index.at_hand(digest, self._tags)
        if answer is None and self._calls_left > 0:
            before = index.spent
            answer = index.at_hand(digest, self._tags, calls=self._calls_left)
            self._calls_left -= REFRESH_PRICE + index.spent - before
        if answer is None:
            return None
        if isinstance(answer, Judgement):
            return Judged(Asked(digest, spec), answer)
        return Said(Answer.INVALID, answer.message)


class _Image:
    """One image, while its platforms are read."""

    def __init__(
        self, image: str, containers: tuple[str, ...], outcome: ImageOutcome
    ) -> None:
        self.answers: Final[dict[Answer, str]] = {}
        self.stands: Final[dict[Platform, Stand]] = {}
        self.unseen: Final[dict[Platform | None, Said]] = {}
        self.marks: Final[dict[Answer, str]] = {}
        self._image: Final = image
        self._containers: Final = containers
        self._resolved = outcome if isinstance(outcome, Resolved) else None
        self._attached: Final[dict[str, Attached]] = {}
        self._specs: Final[set[str]] = set()

    def say(self, platform: Platform | None, said: Said, mark: Mark) -> None:
        """Takes in what is answered for a person; of several marks the worst stays."""
        answer = said.answer
        self.answers.setdefault(answer, said.detail)
        if answer in UNSEEN:
            self.unseen[platform] = said
            self.unseen.setdefault(None, said)
        if mark is not Mark.NONE and self.marks.get(answer) != Mark.STALE:
            self.marks[answer] = mark.value

    def take(
        self,
        platform: Platform,
        outcome: PlatformOutcome | None,
        memory: Memory,
        reading: Reading,
    ) -> None:
        """Takes in what was found for one platform; `None` if it was not asked for."""
        if outcome is None:
            self.stands[platform] = LATE
        elif not isinstance(outcome, Found):
            said = Said(*_answer(outcome))
            if said.answer is Answer.PLATFORM_ABSENT:
                self.stands[platform] = Lacking(platform)
            self.say(platform, said, outcome.mark)
        else:
            self._take_spec(platform, outcome, memory, reading)

    def _take_spec(
        self, platform: Platform, found: Found, memory: Memory, reading: Reading
    ) -> None:
        if found.digest not in self._attached:
            self._attached[found.digest] = self._attachment(platform, found)
        judged = memory.judged(found)
        if isinstance(judged, Said):
            self.say(platform, judged, found.mark)
            return
        if judged is None:
            reading.cold[found.spec_digest] = found
        self.stands[platform] = judged or LATE
        self.say(platform, _FOUND, found.mark)
        self._specs.add(found.spec_digest)

    def _attachment(self, platform: Platform, found: Found) -> Attached:
        resolved = self._resolved
        if resolved is not None and found.subject == resolved.digest:
            level = "index" if resolved.is_index else "manifest"
        else:
            level = str(platform)
        return Attached(
            found.spec_digest, found.digest, level, found.subject, found.doubts
        )

    def finding(self) -> ImageFinding:
        return ImageFinding(
            self._image,
            self._containers,
            self.answers,
            self._resolved.digest if self._resolved is not None else None,
            tuple(sorted(self._specs)),
            tuple(sorted(self._attached.values())),
            self.marks,
        )


_WRAPPERS: Final = (
    "error converting YAML to JSON: yaml: ",
    "error unmarshaling JSON: while decoding JSON: ",
)
"""How NFD's text begins whatever is wrong; a short line has no room for it."""


def fault(error: SpecError) -> str:
    """What is wrong with a spec, its place first."""
    text = error.message
    for wrapper in _WRAPPERS:
        text = text.removeprefix(wrapper)
    if error.line is None or text.startswith("line "):
        return text
    return f"line {error.line}: {text}"


_NoSpec: TypeAlias = (
    Missing | PlatformAbsent | Invalid | Unavailable | Unauthorized | ImageNotFound
)


def _answer(outcome: _NoSpec) -> tuple[Answer, str]:
    """The answer for a person, where there is no spec to judge."""
    match outcome:
        case Missing():
            return Answer.MISSING, ""
        case PlatformAbsent(has_spec=True):
            return Answer.PLATFORM_ABSENT, ""
        case PlatformAbsent():
            return Answer.MISSING, ""
        case Invalid(detail=detail):
            return Answer.INVALID, detail
        case Unavailable(detail=detail):
            return Answer.UNAVAILABLE, detail
        case Unauthorized(detail=detail):
            return Answer.UNAUTHORIZED, detail
        case ImageNotFound(detail=detail):
            return Answer.NOT_FOUND, detail
        case _:
            assert_never(outcome)
