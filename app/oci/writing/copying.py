"""Copies compatibility artifacts from one place to another, as images are mirrored.

Images are not copied: what an artifact is attached to must be at the destination,
under the same digest, whatever its tag there. Bytes stay as they are, so that
digests do, too. Where the destination does not list referrers by itself, the index
under the fallback tag is made there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from app.errors import RegistryError
from app.oci.failure import invalid
from app.oci.images import manifests
from app.oci.images.digest import Digest
from app.oci.images.manifests import ARTIFACT_TYPE
from app.oci.images.source import Source
from app.oci.limits import Limits
from app.oci.writing import candidates, pushing, subjects
from app.oci.writing.candidates import Candidate
from app.oci.writing.pushing import Artifact
from app.oci.writing.remembering import Remembering
from app.oci.writing.store import Failed, Progress, Store, silent
from app.oci.writing.subjects import Subject

MAX_BLOBS: Final = 16
"""Of one artifact; ours has two."""


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
    outcomes: list[Copied | Failed] = []
    for number, (source, destination) in enumerate(pairs):
        step = _Step(progress, source.name, number, len(pairs))
        remembered = Remembering(source)
        pair = _Pair(source.name, remembered, destination, limits, dry_run)
        try:
            image = await subjects.read(remembered, limits)
            for subject in image.subjects:
                outcomes += [one async for one in _of_subject(pair, subject, step)]
        except RegistryError as error:
            outcomes.append(Failed.of(source.name, error))
        finally:
            await remembered.close()
    progress("", len(pairs), len(pairs))
    return tuple(outcomes)


@dataclass(frozen=True, slots=True)
class _Step:
    progress: Progress
    name: str
    done: int
    total: int

    def __call__(self, what: str) -> None:
        self.progress(f"{self.name}: {what}", self.done, self.total)


@dataclass(frozen=True, slots=True)
class _Pair:
    name: str
    source: Source
    destination: Store
    limits: Limits
    is_dry: bool


async def _of_subject(
    pair: _Pair, subject: Subject, step: _Step
) -> AsyncIterator[Copied | Failed]:
    """The artifacts of one manifest or index, the one that counts first.

    What cannot be copied ends it: an older one alone would count at the destination.
    """
    listed = await candidates.read(pair.source, subject.digest, pair.limits)
    own = [one for one in listed if not (one.is_gone or one.is_of_another)]
    if not own:
        return
    destination = pair.destination
    try:
        has_subject = await destination.has(subject.digest)
        there = await destination.referrers(subject.digest) if has_subject else ()
        known = {one.digest for one in there}
        for one in own:
            step(one.entry.digest)
            copied = Copied(
                source=pair.name,
                destination=destination.name,
                digest=one.entry.digest,
                subject=str(subject.digest),
                platform=subject.platform,
                state=Copy.NO_SUBJECT,
            )
            if not has_subject:
                yield copied
            elif one.entry.digest in known and await destination.has(one.digest):
                yield replace(copied, state=Copy.PRESENT)
            else:
                yield await _copied(pair, one, copied, step)
    except RegistryError as error:
        yield Failed.of(destination.name, error)


async def _copied(pair: _Pair, one: Candidate, copied: Copied, step: _Step) -> Copied:
    artifact = await _read(pair, one)
    if pair.is_dry:
        return replace(copied, state=Copy.PLANNED)
    by_tag = await pushing.push(pair.destination, artifact, pair.limits, step=step)
    return replace(copied, state=Copy.COPIED, by_tag=by_tag)


async def _read(pair: _Pair, one: Candidate) -> Artifact:
    """The whole artifact; its blobs are as small as specs are."""
    if one.fault is not None:
        raise one.fault
    manifest = manifests.read_manifest(one.content)
    if manifest.type != ARTIFACT_TYPE:
        text = f"{one.entry.digest} is listed as a compatibility artifact, and is none"
        raise invalid("TypeMismatch", text)
    named = [*(manifest.layers or []), *filter(None, [manifest.config])]
    if len(named) > MAX_BLOBS:
        raise invalid(
            "InvalidArtifact", f"the artifact has more than {MAX_BLOBS} blobs"
        )
    blobs: dict[Digest, bytes] = {}
    most = pair.limits.spec_bytes
    for blob in named:
        digest = manifests.digest_of(blob)
        blobs[digest] = await pair.source.blob(digest, most_bytes=most)
    kind = manifest.media_type or one.entry.media_type
    return Artifact(one.digest, one.content, kind, tuple(blobs.items()), one.subject)
