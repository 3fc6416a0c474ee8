"""Copies compatibility artifacts from one place to another, as images are mirrored.

Images are not copied: what an artifact is attached to must be at the destination,
under the same digest, whatever its tag there. Bytes stay as they are, so that
digests do, too. Where the destination does not list referrers by itself, the index
under the fallback tag is made there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from app.oci.limits import Limits
from app.oci.writing.store import Failed, Progress, Store, silent


class Copy(Enum):
    """What became of one artifact."""

    COPIED = "copied"
    PRESENT = "present"
    """It is at the destination already, and listed there."""
    NO_SUBJECT = "no-subject"
    """What it is attached to is not at the destination: copy the image first."""
    PLANNED = "planned"
    """It would be copied (dry run)."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of one artifact.

    Attributes:
        source: the image as the user named it.
        destination: likewise.
        digest: of the artifact's manifest, on both sides.
        subject: digest of what it is attached to.
        platform: `os/architecture[/variant]` of that in its index, else `""`.
        state: what became of it.
        by_tag: whether it had to be listed under the fallback tag.
    """

    source: str
    destination: str
    digest: str
    subject: str
    platform: str
    state: Copy
    by_tag: bool = False


async def copy(
    pairs: Sequence[tuple[Store, Store]],
    limits: Limits,
    *,
    dry_run: bool = False,
    progress: Progress = silent,
) -> tuple[Copied | Failed, ...]:
    """Copies all artifacts of several images; never raises for an outcome.

    Args:
        pairs: image, and the image of the same digest at the destination. The tag
            or digest of the second does not matter: its place does.
        limits: every bound.
        dry_run: say what would be done, send nothing that writes.
        progress: called before each artifact, and at the end.

    Returns:
        An outcome for each artifact, images in their order; nothing for an image
        without artifacts. `Failed` stands for an image that could not be read, or
        an artifact that could not be written.
    """
    raise NotImplementedError
