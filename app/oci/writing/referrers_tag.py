"""The index under the fallback tag, which stands in for a referrers API.

1. What the tag points to is read; no such tag is an empty index, and so is the
   subject itself. Anything else than an index is refused: it is somebody's image.
2. The artifact's entry is added, unless it is there, or taken out. Other entries,
   and fields that we do not know, stay as they are. An index without entries stays.
3. It is written back, under `If-Match` where the registry names versions.
4. Few registries look at that, so what was written is read again once nobody can
   still write who read before (`Store.settle`). If somebody did, it is done again,
   `TRIES` times in all; then the loser is told: `Lost`.

Two writers that do so lose nothing, whichever of them is overwritten.

Source: OCI distribution-spec v1.1, sections *Referrers Tag Schema*, *Pushing
Manifests with Subject* and *Deleting Manifests*.
"""

from __future__ import annotations

from typing import Final

from app.errors import RegistryError
from app.oci.digest import Digest
from app.oci.limits import Limits
from app.oci.manifests import INDEX_TYPES
from app.oci.writing.raw_index import RawIndex
from app.oci.writing.store import Edit, Edited, RawDescriptor, Store, Tagged

TRIES: Final = 4


async def add(
    store: Store, subject: Digest, entry: RawDescriptor, limits: Limits
) -> None:
    """Lists an artifact under its subject's tag.

    Raises:
        RegistryError: `NotAnIndex`, `TooManyReferrers`, or `Lost`; what the store
            raises.
    """
    digest = str(entry["digest"])

    def edit(tagged: Tagged | None) -> bytes | None:
        index = _index(tagged, subject)
        if index.lists(digest):
            return None
        if len(index.entries) >= limits.descriptors:
            text = f"{limits.descriptors} artifacts refer to it already"
            raise RegistryError("TooManyReferrers", text)
        return index.adding(entry).encode()

    if not await _edited(store, subject, edit, limits):
        text = "somebody else keeps changing the list of artifacts"
        raise RegistryError("Lost", f"{text}: nothing is attached; try again")


async def drop(store: Store, subject: Digest, digest: Digest, limits: Limits) -> bool:
    """Takes an artifact out of the list; false if it was not there.

    Raises:
        RegistryError: `Lost`; what the store raises.
    """
    was_listed = False

    def edit(tagged: Tagged | None) -> bytes | None:
        index = _list(tagged, subject)
        if not index.lists(str(digest)):
            return None
        nonlocal was_listed
        was_listed = True
        return index.without(str(digest)).encode()

    if not await _edited(store, subject, edit, limits):
        text = "somebody else keeps changing the list of artifacts"
        raise RegistryError("Lost", f"{text}: nothing is removed; try again")
    return was_listed


async def lists(store: Store, subject: Digest, digest: Digest, limits: Limits) -> bool:
    """Whether the tag lists an artifact."""
    most = limits.manifest_bytes
    tagged = await store.tagged(subject.fallback_tag, most_bytes=most)
    return _list(tagged, subject).lists(str(digest))


async def _edited(store: Store, subject: Digest, edit: Edit, limits: Limits) -> bool:
    """Changes the list until it stays so; false if others win every time."""
    tag, most = subject.fallback_tag, limits.manifest_bytes
    for _ in range(TRIES):
        edited = await store.edit_tag(tag, edit, most_bytes=most)
        if edited is Edited.UNCHANGED:
            return True
        await store.settle()
    tagged = await store.tagged(tag, most_bytes=most)
    return edit(tagged) is None


def _index(tagged: Tagged | None, subject: Digest) -> RawIndex:
    """The list to write to."""
    is_list = tagged is None or tagged.media_type in INDEX_TYPES
    if not (is_list or _is_subject(tagged, subject)):
        text = f"the tag {subject.fallback_tag} is no list of artifacts"
        raise RegistryError("NotAnIndex", f"{text}: remove it first")
    return _list(tagged, subject)


def _list(tagged: Tagged | None, subject: Digest) -> RawIndex:
    """The list to read; empty if the tag is something else."""
    if tagged is None or _is_subject(tagged, subject):
        return RawIndex.empty()
    if tagged.media_type not in INDEX_TYPES:
        return RawIndex.empty()
    return RawIndex.read(tagged.content)


def _is_subject(tagged: Tagged | None, subject: Digest) -> bool:
    """GitLab takes a tag that it does not have for the digest."""
    return tagged is not None and subject.matches(tagged.content)
