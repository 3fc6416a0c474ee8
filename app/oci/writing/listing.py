"""Which artifacts an image has, which of them count, and why the others do not.

The choice is admission's own: `finding.find` and `artifact.find` make it, on what
was read once; this only says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from app.oci.limits import Limits
from app.oci.writing.store import Failed, Progress, Store, silent
from app.ports import PlatformOutcome


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
    """The choice could not be made (`SubjectSpecs.outcome`)."""


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
    raise NotImplementedError
