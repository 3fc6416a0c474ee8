"""The compatibility artifacts of one manifest or index, all of them.

Admission reads as few of them as it can. Who lists, removes or copies them needs
each one's manifest, also of those that do not count.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from app.errors import RegistryError
from app.oci.failure import NotThereError
from app.oci.images import manifests, selection
from app.oci.images.digest import Digest
from app.oci.images.manifests import ARTIFACT_TYPE, CREATED, Descriptor, Manifest
from app.oci.images.source import Source
from app.oci.limits import Limits


@dataclass(frozen=True, slots=True)
class Candidate:
    """One artifact as it is listed, and as it is.

    Attributes:
        entry: its descriptor in the list.
        content: its manifest's bytes; empty if it cannot be read.
        manifest: decoded; `None` if it cannot be read.
        fault: why not, `NotThereError` if it is gone.
        subject: digest of what it is listed for.
    """

    entry: Descriptor
    content: bytes
    manifest: Manifest | None
    fault: RegistryError | None
    subject: Digest

    @property
    def digest(self) -> Digest:
        """Of its manifest.

        Raises:
            RegistryError: its entry has none.
        """
        return manifests.digest_of(self.entry)

    @property
    def is_gone(self) -> bool:
        """Whether it is listed, but not there."""
        return isinstance(self.fault, NotThereError)

    @property
    def is_of_another(self) -> bool:
        """Whether it says that it is attached to something else."""
        if self.manifest is None:
            return False
        subject = self.manifest.subject
        return subject is None or subject.digest != str(self.subject)

    @property
    def is_confirmed(self) -> bool:
        """Whether it was read, and says itself that it is ours and attached here.

        A list is no word on that: whoever may write tags writes lists.
        """
        manifest = self.manifest
        if manifest is None or self.is_of_another:
            return False
        return manifest.type == ARTIFACT_TYPE

    @property
    def created(self) -> str | None:
        """Its date: its own, where its manifest can be read."""
        said = self.entry if self.manifest is None else self.manifest
        return (said.annotations or {}).get(CREATED)

    @property
    def dated(self) -> Descriptor:
        """Its descriptor as its manifest would have it."""
        annotations = {} if self.created is None else {CREATED: self.created}
        return Descriptor(self.entry.digest, annotations=annotations)


async def read(source: Source, subject: Digest, limits: Limits) -> list[Candidate]:
    """All artifacts that are of our type, or may be; the newest first.

    Raises:
        RegistryError: they cannot be listed.
    """
    listed = await source.referrers(subject)
    distinct = {
        one.digest: one
        for one in listed
        if selection.is_ours(one) or selection.may_be_ours(one)
    }
    reads = (read_one(source, subject, one, limits) for one in distinct.values())
    found = {one.entry.digest: one for one in await asyncio.gather(*reads)}
    ours = {digest: one for digest, one in found.items() if _is_ours(one)}
    ordered = selection.newest_first(one.dated for one in ours.values())
    return [ours[one.digest] for one in ordered]


def _is_ours(one: Candidate) -> bool:
    if selection.is_ours(one.entry):
        return True
    if one.manifest is None:
        return not one.is_gone
    return one.manifest.type == ARTIFACT_TYPE


async def read_one(
    source: Source, subject: Digest, entry: Descriptor, limits: Limits
) -> Candidate:
    """One that is listed for a subject, whatever it is; never raises."""
    try:
        content = await _content(source, entry, limits)
        manifest = manifests.read_manifest(content)
    except RegistryError as error:
        return Candidate(entry, b"", None, error, subject)
    return Candidate(entry, content, manifest, None, subject)


async def _content(source: Source, entry: Descriptor, limits: Limits) -> bytes:
    most = limits.artifact_bytes
    return await source.manifest(manifests.digest_of(entry), most_bytes=most)
