"""Removes compatibility artifacts.

1. The index under the fallback tag is updated first, where there is one that lists
   the artifact: what fails after that leaves a manifest that nobody lists, never an
   entry that leads nowhere.
2. The manifest is deleted. A registry that forbids that says so in its own way
   (400, 405, 501, or no credential is accepted); the artifact is then still listed by
   its referrers API, if it has one.

Source: OCI distribution-spec v1.1 *Deleting Manifests*.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from app.errors import RegistryError
from app.oci import artifact
from app.oci.digest import Digest
from app.oci.failure import LookupFailedError
from app.oci.limits import Limits
from app.oci.source import Source
from app.oci.writing import candidates, referrers_tag, subjects
from app.oci.writing.remembering import Remembering
from app.oci.writing.store import Deletion, Failed, Progress, Store, silent
from app.oci.writing.subjects import Image
from app.ports import Unauthorized


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
    source = Remembering(store)
    try:
        image = await subjects.read(source, limits)
        targets = await _targets(source, image, which, limits)
    except RegistryError as error:
        return (Failed.of(store.name, error),)
    finally:
        await source.close()
    outcomes: list[Removed | Failed] = []
    for done, target in enumerate(targets):
        progress(f"{store.name}: {target.digest}", done, len(targets))
        outcomes.append(await _removed(store, target, limits, is_dry=dry_run))
    progress(store.name, len(targets), len(targets))
    digest = which.digest if isinstance(which, ByDigest) else ""
    missing = Removed(store.name, digest, "", Removal.MISSING)
    return tuple(outcomes) or (missing,)


@dataclass(frozen=True, slots=True)
class _Target:
    digest: Digest
    subject: Digest
    is_of_another: bool = False
    """Listed here, but attached to something else: it only goes from the list."""


# What to remove ------------------------------------------------------------------


async def _targets(
    source: Source, image: Image, which: Which, limits: Limits
) -> list[_Target]:
    if isinstance(which, ByDigest):
        return await _of_digest(source, image, which.digest, limits)
    scope = image.subjects if isinstance(which, All) else (image.root,)
    if which.platform:
        wanted = subjects.platform(which.platform)
        scope = (await subjects.of_platform(source, image, wanted, limits),)
    targets: list[_Target] = []
    for subject in scope:
        targets += await _of_subject(source, subject.digest, which, limits)
    return targets


async def _of_digest(
    source: Source, image: Image, text: str, limits: Limits
) -> list[_Target]:
    """The artifact, if the image has it; listed for several, it goes from all."""
    digest = Digest.parse(text)
    if digest is None:
        wanted = "sha256:<64 hex> or sha512:<128 hex>"
        raise RegistryError("InvalidReference", f"not a digest: expected {wanted}")
    found: list[_Target] = []
    for subject in image.subjects:
        listed = await candidates.read(source, subject.digest, limits)
        found += [
            _Target(digest, subject.digest, one.is_of_another)
            for one in listed
            if one.entry.digest == text
        ]
    return found


async def _of_subject(
    source: Source, subject: Digest, which: All | Counting, limits: Limits
) -> list[_Target]:
    if isinstance(which, Counting):
        chosen = await artifact.choose(source, subject, limits)
        digest = Digest.parse(chosen or "")
        return [] if digest is None else [_Target(digest, subject)]
    listed = await candidates.read(source, subject, limits)
    return [_Target(one.digest, subject) for one in listed if not one.is_of_another]


# Removing ------------------------------------------------------------------------


async def _removed(
    store: Store, target: _Target, limits: Limits, *, is_dry: bool
) -> Removed | Failed:
    state, detail = Removal.PLANNED, ""
    if not is_dry:
        try:
            state, detail = await _remove(store, target, limits)
        except RegistryError as error:
            return Failed.of(store.name, error)
    return Removed(store.name, str(target.digest), str(target.subject), state, detail)


async def _remove(store: Store, target: _Target, limits: Limits) -> tuple[Removal, str]:
    was_listed = await referrers_tag.drop(store, target.subject, target.digest, limits)
    if target.is_of_another:
        return (Removal.REMOVED if was_listed else Removal.MISSING), ""
    try:
        deletion = await store.delete_manifest(target.digest)
        why = "the registry forbids deleting"
    except LookupFailedError as error:
        if not isinstance(error.outcome, Unauthorized):
            raise
        deletion, why = Deletion.FORBIDDEN, error.message
    if deletion is Deletion.MISSING:
        return (Removal.REMOVED if was_listed else Removal.MISSING), ""
    if deletion is Deletion.DELETED:
        return Removal.REMOVED, ""
    listed = await store.referrers(target.subject)
    if any(one.digest == str(target.digest) for one in listed):
        return Removal.FORBIDDEN, f"{why}: {_FORBIDDEN}"
    return Removal.UNLISTED, f"{why}: {_UNLISTED}"


_FORBIDDEN: Final = (
    "attach a newer spec, which then counts, or have its administrator delete this one"
)
_UNLISTED: Final = "its bytes stay until its administrator deletes them"
