"""Puts an artifact into a store, so that whatever fails leaves nothing that is found.

1. Its blobs, those that are not there.
2. Its manifest, under its digest: a store that lists referrers itself lists it now.
3. Else its entry in the index under the fallback tag (`referrers_tag`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from app.oci.failure import LookupFailedError
from app.oci.images import manifests
from app.oci.images.digest import Digest
from app.oci.limits import Limits
from app.oci.writing import encoding, referrers_tag
from app.oci.writing.store import Pushed, RawDescriptor, Store

STEPS: Final = 3


@dataclass(frozen=True, slots=True)
class Artifact:
    """What is pushed.

    Attributes:
        digest: of the manifest.
        manifest: its bytes.
        media_type: of it.
        blobs: digest and content of each.
        subject: digest of what it is attached to.
    """

    digest: Digest
    manifest: bytes = field(repr=False)
    media_type: str
    blobs: tuple[tuple[Digest, bytes], ...] = field(repr=False)
    subject: Digest

    @property
    def entry(self) -> RawDescriptor:
        """Its descriptor in a list of referrers, as `oras` writes it."""
        read = manifests.read_manifest(self.manifest)
        whole = {
            "mediaType": self.media_type,
            "digest": str(self.digest),
            "size": len(self.manifest),
            "annotations": read.annotations,
            "artifactType": read.type,
        }
        return encoding.descriptor(whole)


async def push(
    store: Store,
    artifact: Artifact,
    limits: Limits,
    *,
    step: Callable[[str], None],
) -> bool:
    """Pushes an artifact; whether it had to be listed under the fallback tag.

    Args:
        store: where to.
        artifact: what.
        limits: every bound.
        step: called before each of `STEPS`, with what comes.

    Raises:
        RegistryError: it is not attached.
    """
    step("blobs")
    await _put_blobs(store, artifact)
    step("manifest")
    pushed = await _put_manifest(store, artifact)
    step("list of artifacts")
    if not pushed.is_listed:
        await referrers_tag.add(store, artifact.subject, artifact.entry, limits)
    return not pushed.is_listed


async def _put_blobs(store: Store, artifact: Artifact) -> None:
    for digest, content in artifact.blobs:
        await store.put_blob(digest, content)


async def _put_manifest(store: Store, artifact: Artifact) -> Pushed:
    """Once more with the blobs, if somebody removed them in between."""
    whole = artifact.digest, artifact.manifest, artifact.media_type
    try:
        return await store.put_manifest(*whole)
    except LookupFailedError as error:
        if error.reason != "MissingBlob":
            raise
    await _put_blobs(store, artifact)
    return await store.put_manifest(*whole)
