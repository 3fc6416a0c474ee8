"""Removes compatibility artifacts.

1. The index under the fallback tag is updated first, where there is one that lists
   the artifact: what fails after that leaves a manifest that nobody lists, never an
   entry that leads nowhere.
2. The manifest is deleted, if it was read and says itself that it is a compatibility
   artifact of this very subject: whoever may write tags lists what he likes, the image
   itself, too. What says something else, or cannot be an artifact, only goes from the
   list. What could not be read stays as it is, and so do the image's own manifests.
3. A registry that forbids deleting says so in its own way
   (400, 405, 501, or no credential is accepted); the artifact is then still listed by
   its referrers API, if it has one.

Source: OCI distribution-spec v1.1 *Deleting Manifests*.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from app.errors import RegistryError
from app.oci.failure import LookupFailedError, TooLargeError
from app.oci.images import artifact, manifests, selection
from app.oci.images.digest import Digest
from app.oci.images.source import Source
from app.oci.limits import Limits
from app.oci.writing import candidates, referrers_tag, subjects
from app.oci.writing.candidates import Candidate
from app.oci.writing.remembering import Remembering
from app.oci.writing.store import Deletion, Failed, Progress, Store, silent
from app.oci.writing.subjects import Image
from app.ports import Invalid, Unauthorized


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
    """Nobody finds it any more, but it was not deleted: the registry did not let us,
    or it is no artifact of this image."""
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


class _Way(Enum):
    """What is done with one artifact."""

    DELETE = "delete"
    UNLIST = "unlist"
    """It only goes from the list."""
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class _Target:
    """One artifact, and what is done with it.

    Attributes:
        digest: of its manifest.
        subject: digest of what it is listed for.
        way: what is done.
        why: it is not deleted; `None` where that needs no word.
    """

    digest: Digest
    subject: Digest
    way: _Way = _Way.DELETE
    why: RegistryError | None = None


# What to remove ------------------------------------------------------------------


async def _targets(
    source: Source, image: Image, which: Which, limits: Limits
) -> list[_Target]:
    own = _own(image)
    if isinstance(which, ByDigest):
        listed = await _of_digest(source, image, which.digest, limits)
        return [_target(one, own) for one in listed]
    scope = image.subjects if isinstance(which, All) else (image.root,)
    if which.platform:
        wanted = subjects.platform(which.platform)
        scope = (await subjects.of_platform(source, image, wanted, limits),)
    found: list[Candidate] = []
    for subject in scope:
        found += await _of_subject(source, subject.digest, which, limits)
    return [_target(one, own) for one in found]


def _own(image: Image) -> frozenset[str]:
    """Digests of what the image consists of."""
    own = {str(one.digest) for one in image.subjects}
    if image.root.is_index:
        listed = manifests.read_index(image.content).manifests or []
        own |= {one.digest for one in listed}
    return frozenset(own)


async def _of_digest(
    source: Source, image: Image, text: str, limits: Limits
) -> list[Candidate]:
    """The artifact, if the image has it; listed for several, it goes from all."""
    if Digest.parse(text) is None:
        wanted = "sha256:<64 hex> or sha512:<128 hex>"
        raise RegistryError("InvalidReference", f"not a digest: expected {wanted}")
    if text in _own(image):
        raise _is_own(text)
    found: list[Candidate] = []
    for subject in image.subjects:
        listed = await candidates.read(source, subject.digest, limits)
        found += [one for one in listed if one.entry.digest == text]
    return found


async def _of_subject(
    source: Source, subject: Digest, which: All | Counting, limits: Limits
) -> list[Candidate]:
    if isinstance(which, All):
        listed = await candidates.read(source, subject, limits)
        return [one for one in listed if not one.is_of_another]
    chosen = await artifact.choose(source, subject, limits)
    entries = [one for one in await source.referrers(subject) if one.digest == chosen]
    reads = [candidates.read_one(source, subject, one, limits) for one in entries[:1]]
    return [await one for one in reads]


# What may be done ----------------------------------------------------------------


def _target(one: Candidate, own: frozenset[str]) -> _Target:
    way, why = _way(one, own)
    return _Target(one.digest, one.subject, way, why)


def _way(one: Candidate, own: frozenset[str]) -> tuple[_Way, RegistryError | None]:
    """Deleted is only what was read, and is what the list says of it."""
    digest = one.entry.digest
    if digest in own:
        return _Way.REFUSE, _is_own(digest)
    if one.is_confirmed:
        return _Way.DELETE, None
    if one.is_gone or one.is_of_another:
        return _Way.UNLIST, None
    if one.fault is None:
        text = f"{digest} is no compatibility artifact: it is not deleted"
        return _Way.UNLIST, RegistryError("TypeMismatch", text)
    text = f"{digest} cannot be read, so it is not deleted: {one.fault.message}"
    why = RegistryError(one.fault.reason, text)
    is_listed_as_ours = selection.is_ours(one.entry)
    if is_listed_as_ours and _is_of_the_content(one.fault):
        return _Way.UNLIST, why
    return _Way.REFUSE, why


def _is_own(digest: str) -> RegistryError:
    text = f"{digest} is a manifest of the image itself: it is never removed"
    return RegistryError("OwnManifest", text)


def _is_of_the_content(fault: RegistryError) -> bool:
    """Whether another try would end as this one: it cannot be an artifact."""
    if isinstance(fault, LookupFailedError) and not isinstance(fault, TooLargeError):
        return isinstance(fault.outcome, Invalid)
    return True


# Removing ------------------------------------------------------------------------


async def _removed(
    store: Store, target: _Target, limits: Limits, *, is_dry: bool
) -> Removed | Failed:
    if target.way is _Way.REFUSE and target.why is not None:
        return Failed.of(store.name, target.why)
    state, detail = Removal.PLANNED, ""
    if not is_dry:
        try:
            state, detail = await _remove(store, target, limits)
        except RegistryError as error:
            return Failed.of(store.name, error)
    return Removed(store.name, str(target.digest), str(target.subject), state, detail)


async def _remove(store: Store, target: _Target, limits: Limits) -> tuple[Removal, str]:
    was_listed = await referrers_tag.drop(store, target.subject, target.digest, limits)
    if target.way is _Way.UNLIST:
        return _unlisted(target, was_listed=was_listed)
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


def _unlisted(target: _Target, *, was_listed: bool) -> tuple[Removal, str]:
    """What became of one that is only taken from the list.

    Raises:
        RegistryError: nothing: the registry lists it by itself.
    """
    if target.why is None:
        return (Removal.REMOVED if was_listed else Removal.MISSING), ""
    if not was_listed:
        raise target.why
    return Removal.UNLISTED, target.why.message


_FORBIDDEN: Final = (
    "attach a newer spec, which then counts, or have its administrator delete this one"
)
_UNLISTED: Final = "its bytes stay until its administrator deletes them"
