"""Removes compatibility artifacts.

1. The index under the fallback tag is updated first, where there is one that lists
   the artifact: what fails after that leaves a manifest that nobody lists, never an
   entry that leads nowhere.
2. The manifest is deleted. A registry that forbids that says so in its own way
   (400, 405, 403, `UNSUPPORTED`); the artifact is then still listed by its referrers
   API, if it has one.

Source: OCI distribution-spec v1.1 *Deleting Manifests*.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from app.oci.limits import Limits
from app.oci.writing.store import Failed, Progress, Store, silent


@dataclass(frozen=True, slots=True)
class ByDigest:
    """One artifact, by the digest of its manifest."""

    digest: str


@dataclass(frozen=True, slots=True)
class Counting:
    """The artifact that counts.

    Attributes:
        platform: `os/architecture[/variant]`: of that manifest of the index, and
            only of it; `""`: of what the reference names.
    """

    platform: str = ""


@dataclass(frozen=True, slots=True)
class All:
    """Every compatibility artifact of the image.

    Attributes:
        platform: as `Counting`; `""` for what the reference names and every
            manifest of its index.
    """

    platform: str = ""


Which: TypeAlias = ByDigest | Counting | All


class Removal(Enum):
    """What became of one artifact."""

    REMOVED = "removed"
    UNLISTED = "unlisted"
    """Nobody finds it any more, but the registry did not let us delete it."""
    FORBIDDEN = "forbidden"
    """The registry does not let us delete it, and still lists it."""
    MISSING = "missing"
    """There is no such artifact on this image."""
    PLANNED = "planned"
    """It would be removed (dry run)."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What became of one artifact.

    Attributes:
        image: as the user named it.
        digest: of the artifact's manifest; `""` where there is none to name.
        subject: digest of what it is attached to; `""` if it is missing.
        state: what became of it.
        detail: what to do, where something is to be done.
    """

    image: str
    digest: str
    subject: str
    state: Removal
    detail: str = ""


async def remove(
    store: Store,
    which: Which,
    limits: Limits,
    *,
    dry_run: bool = False,
    progress: Progress = silent,
) -> tuple[Removed | Failed, ...]:
    """Removes artifacts of one image; never raises for an outcome.

    Args:
        store: the image.
        which: of its artifacts.
        limits: every bound.
        dry_run: say what would be done, send nothing that writes.
        progress: called before each artifact, and at the end.

    Returns:
        An outcome for each artifact; one `MISSING` where there is none.
    """
    raise NotImplementedError
