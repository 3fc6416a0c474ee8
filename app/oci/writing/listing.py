"""Which artifacts an image has, which of them count, and why the others do not.

The choice is admission's own: `finding.find` and `artifact.find` make it, on what
was read once; this only says why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Final

from app.errors import RegistryError
from app.oci.images import artifact, finding, manifests, selection
from app.oci.images.manifests import CREATED
from app.oci.limits import Limits
from app.oci.writing import candidates, subjects
from app.oci.writing.candidates import Candidate
from app.oci.writing.remembering import Remembering
from app.oci.writing.showing import failed
from app.oci.writing.store import Failed, Progress, Store, silent
from app.oci.writing.subjects import Image, Subject
from app.ports import Found, Invalid, Platform, PlatformOutcome, Resolved


class State(Enum):
    """Whether one artifact counts for anything, and why not."""

    COUNTS = "counts"
    BROKEN = "broken"
    """It would count, and is invalid: so is the image, on these platforms."""
    OLDER = "older"
    UNDATED = "undated"
    """It has no readable date, which makes it the oldest."""
    TIE_LOST = "tie-lost"
    """Another of the same date has the smaller digest."""
    SUPERSEDED = "superseded"
    """It is the index's, and each platform has one of its own."""
    OTHER_VARIANT = "other-variant"
    """It is on a manifest of an index that the nodes of no platform run."""
    DANGLING = "dangling"
    """It is listed, but gone."""
    OTHER_SUBJECT = "other-subject"
    """It is listed here, but attached to something else."""
    UNKNOWN = "unknown"
    """It could not be found out (`SubjectSpecs.outcome`)."""


class Warn(Enum):
    """What is odd about an artifact, whether or not it counts."""

    FUTURE = "future"
    """Its date is more than 24 h ahead: nothing newer will replace it until then."""
    OTHER_ANNOTATIONS = "other-annotations"
    """The registry lists it with another date than its manifest has."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One compatibility artifact.

    Attributes:
        digest: of its manifest.
        size: of that, in bytes.
        created: its date as written, `None` for none.
        spec_digest: of its spec, `""` where that cannot be told.
        state: whether it counts.
        detail: more about the state, for a person; may be empty.
        counts_for: platforms (`os/architecture`) for which it counts; empty for an
            image of one manifest, and where it does not count.
        warnings: what is odd about it.
    """

    digest: str
    size: int
    created: str | None
    spec_digest: str
    state: State
    detail: str = ""
    counts_for: tuple[str, ...] = ()
    warnings: tuple[Warn, ...] = ()


@dataclass(frozen=True, slots=True)
class SubjectSpecs:
    """The artifacts of one manifest or index of an image.

    Attributes:
        digest: of the manifest or index.
        media_type: of it.
        platform: `os/architecture[/variant]` in its index; `""` for what the
            reference names.
        artifacts: of it, in the order in which they count.
        outcome: what admission finds on it.
    """

    digest: str
    media_type: str
    platform: str
    artifacts: tuple[Listed, ...]
    outcome: PlatformOutcome


@dataclass(frozen=True, slots=True)
class ImageSpecs:
    """All compatibility artifacts of one image.

    Attributes:
        image: as the user named it.
        digest: of what the reference names.
        is_index: whether that is an index.
        subjects: what the reference names, then the manifests of its index.
        platforms: platform (`os/architecture`), sorted -> what admission finds for
            it; empty for an image of one manifest.
    """

    image: str
    digest: str
    is_index: bool
    subjects: tuple[SubjectSpecs, ...]
    platforms: tuple[tuple[str, PlatformOutcome], ...] = ()


async def list_specs(
    store: Store, limits: Limits, *, now: datetime, progress: Progress = silent
) -> ImageSpecs | Failed:
    """Every compatibility artifact of an image; never raises for an outcome.

    Args:
        store: the image.
        limits: every bound, as for admission.
        now: with its zone; dates more than 24 h later are warned of.
        progress: called for each manifest of an index.
    """
    source = Remembering(store)
    try:
        image = await subjects.read(source, limits)
        total, done = len(image.subjects), 0

        async def one(subject: Subject) -> SubjectSpecs:
            nonlocal done
            read = await _of_subject(source, subject, limits, now.timestamp())
            done += 1
            progress(f"{store.name}: {subject.platform or subject.digest}", done, total)
            return read

        found = await asyncio.gather(*map(one, image.subjects))
        return await _whole(store.name, source, image, found, limits)
    except RegistryError as error:
        return Failed.of(store.name, error)
    finally:
        await source.close()


# One manifest or index -----------------------------------------------------------


async def _of_subject(
    source: Remembering, subject: Subject, limits: Limits, now: float
) -> SubjectSpecs:
    """Its artifacts; the first is the one that counts, if any does."""
    outcome = await artifact.find(source, subject.digest, limits)
    chosen: str | None = None
    is_chosen = True
    try:
        chosen = await artifact.choose(source, subject.digest, limits)
    except RegistryError:
        is_chosen = False
    listed = await candidates.read(source, subject.digest, limits)
    first = next((one for one in listed if one.entry.digest == chosen), None)
    explained = [
        _listed(one, _state(one, first, outcome, is_chosen=is_chosen), outcome, now)
        for one in listed
    ]
    explained.sort(key=lambda one: (one.digest != chosen, one.state in _ELSEWHERE))
    return SubjectSpecs(
        str(subject.digest),
        subject.media_type,
        subject.platform,
        tuple(explained),
        outcome,
    )


def _state(
    one: Candidate,
    first: Candidate | None,
    outcome: PlatformOutcome,
    *,
    is_chosen: bool,
) -> State:
    if one is first:
        return _OF_CHOSEN.get(type(outcome), State.UNKNOWN)
    if one.is_gone:
        return State.DANGLING
    if one.fault is not None:
        return State.BROKEN
    if one.is_of_another:
        return State.OTHER_SUBJECT
    if first is None or not is_chosen:
        return State.UNKNOWN
    mine, its = _instant(one), _instant(first)
    if mine == its:
        return State.TIE_LOST
    return State.UNDATED if mine is None else State.OLDER


def _instant(one: Candidate) -> selection.Instant | None:
    return selection.instant(one.created or "")


def _listed(
    one: Candidate, state: State, outcome: PlatformOutcome, now: float
) -> Listed:
    layers = (one.manifest.layers if one.manifest is not None else None) or []
    detail = "" if one.fault is None or one.is_gone else one.fault.message
    if state in {State.BROKEN, State.UNKNOWN}:
        detail = detail or getattr(outcome, "detail", "")
    warnings = []
    if selection.is_future(one.created or "", now=now):
        warnings.append(Warn.FUTURE)
    said = (one.entry.annotations or {}).get(CREATED)
    if said is not None and said != one.created:
        warnings.append(Warn.OTHER_ANNOTATIONS)
    return Listed(
        digest=one.entry.digest,
        size=len(one.content) or one.entry.size,
        created=one.created,
        spec_digest=layers[0].digest if len(layers) == 1 else "",
        state=state,
        detail=detail,
        warnings=tuple(warnings),
    )


# The image -----------------------------------------------------------------------


async def _whole(
    name: str,
    source: Remembering,
    image: Image,
    found: list[SubjectSpecs],
    limits: Limits,
) -> ImageSpecs | Failed:
    if not image.root.is_index:
        digest = str(image.root.digest)
        return ImageSpecs(name, digest, is_index=False, subjects=tuple(found))
    read = await finding.find(source, _platforms(image), limits)
    if not isinstance(read, Resolved):
        return failed(name, read)
    counted = [_counted(one, read.platforms) for one in found]
    platforms = tuple((str(one), read.platforms[one]) for one in _platforms(image))
    return ImageSpecs(
        name,
        str(image.root.digest),
        is_index=True,
        subjects=tuple(counted),
        platforms=platforms,
    )


def _platforms(image: Image) -> list[Platform]:
    """Every platform of the index, without variants, which nodes do not tell."""
    fields = (one.entry.platform for one in image.children)
    return sorted({manifests.platform_of(one) for one in fields if one is not None})


def _counted(
    one: SubjectSpecs, platforms: Mapping[Platform, PlatformOutcome]
) -> SubjectSpecs:
    """With the platforms for which the first artifact counts, or why it does not."""
    if not one.artifacts or not platforms:
        return one
    first, *others = one.artifacts
    if first.state not in {State.COUNTS, State.BROKEN}:
        return one
    names = [str(name) for name, each in platforms.items() if each == one.outcome]
    first = replace(first, counts_for=tuple(sorted(names)))
    if first.state is State.COUNTS and not names:
        lost = State.OTHER_VARIANT if one.platform else State.SUPERSEDED
        first = replace(first, state=lost)
    return replace(one, artifacts=(first, *others))


_OF_CHOSEN: Final = {Found: State.COUNTS, Invalid: State.BROKEN}
_ELSEWHERE: Final = frozenset({State.DANGLING, State.OTHER_SUBJECT})
