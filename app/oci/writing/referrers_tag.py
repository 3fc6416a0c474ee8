"""The index under the fallback tag, which stands in for a referrers API.

1. What the tag points to is read; no such tag is an empty index, and so is the
   subject itself. Anything else than an index is refused: it is somebody's image.
2. The artifact's entry is added, unless it is there, or taken out. Other entries,
   and fields that we do not know, stay as they are. An index without entries stays.
3. It is written back, under `If-Match` where the registry names versions. Registries
   refuse a list with entries that lead nowhere; these are then left out.
4. Few registries look at that, so what was written is read again once nobody can
   still write who read before (`Store.settle`). If somebody did, it is done again,
   `TRIES` times in all; then the loser is told: `Lost`.

Two writers that do so lose nothing, whichever of them is overwritten.

Source: OCI distribution-spec v1.1, sections *Referrers Tag Schema*, *Pushing
Manifests with Subject* and *Deleting Manifests*.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeAlias

from app.errors import RegistryError
from app.oci.failure import LookupFailedError
from app.oci.images import manifests
from app.oci.images.digest import Digest
from app.oci.images.manifests import INDEX_TYPES
from app.oci.limits import Limits
from app.oci.writing.raw_index import RawIndex
from app.oci.writing.store import Edit, Edited, RawDescriptor, Store, Tagged

TRIES: Final = 4
_REFUSALS: Final = frozenset({"Rejected", "ImageNotFound"})
"""What registries say to a list with an entry that leads nowhere: 400, or 404."""


Change: TypeAlias = Callable[[RawIndex], RawIndex | None]
"""Makes a new list of the old one; `None` where there is nothing to change."""


async def add(
    store: Store, subject: Digest, entry: RawDescriptor, limits: Limits
) -> None:
    """Lists an artifact under its subject's tag.

    Raises:
        RegistryError: `NotAnIndex`, `TooManyReferrers`, or `Lost`; what the store
            raises.
    """
    digest = str(entry["digest"])

    def change(index: RawIndex) -> RawIndex | None:
        if index.lists(digest):
            return None
        if len(index.entries) >= limits.descriptors:
            text = f"{limits.descriptors} artifacts refer to it already"
            raise RegistryError("TooManyReferrers", text)
        longer = index.adding(entry)
        if len(longer.encode()) > limits.manifest_bytes:
            text = f"the list would be larger than {limits.manifest_bytes} bytes"
            raise RegistryError("TooManyReferrers", text)
        return longer

    if not await _List(store, subject, limits, must_be_list=True).change(change):
        text = "somebody else keeps changing the list of artifacts"
        raise RegistryError("Lost", f"{text}: nothing is attached; try again")


async def drop(store: Store, subject: Digest, digest: Digest, limits: Limits) -> bool:
    """Takes an artifact out of the list; false if it was not there.

    Raises:
        RegistryError: `Lost`; what the store raises.
    """
    was_listed = False

    def change(index: RawIndex) -> RawIndex | None:
        nonlocal was_listed
        if not index.lists(str(digest)):
            return None
        was_listed = True
        return index.without(str(digest))

    if not await _List(store, subject, limits).change(change):
        text = "somebody else keeps changing the list of artifacts"
        raise RegistryError("Lost", f"{text}: nothing is removed; try again")
    return was_listed


async def lists(store: Store, subject: Digest, digest: Digest, limits: Limits) -> bool:
    """Whether the tag lists an artifact."""
    return (await _List(store, subject, limits).read()).lists(str(digest))


class _List:
    """The list of one subject.

    Args:
        store: where it is.
        subject: whose artifacts it lists.
        limits: every bound.
        must_be_list: whether something else under the tag is an error.
    """

    def __init__(
        self,
        store: Store,
        subject: Digest,
        limits: Limits,
        *,
        must_be_list: bool = False,
    ) -> None:
        self._store = store
        self._subject = subject
        self._limits = limits
        self._must_be_list = must_be_list
        self._gone: frozenset[str] = frozenset()

    async def read(self) -> RawIndex:
        """What is listed now."""
        most = self._limits.manifest_bytes
        tag = self._subject.fallback_tag
        return self._index(await self._store.tagged(tag, most_bytes=most))

    async def change(self, change: Change) -> bool:
        """Changes it until it stays so; false if others win every time."""

        def edit(tagged: Tagged | None) -> bytes | None:
            changed = change(self._index(tagged))
            if changed is None:
                return None
            for digest in self._gone:
                changed = changed.without(digest)
            return changed.encode()

        for _ in range(TRIES):
            edited = await self._edit(edit)
            if edited is Edited.UNCHANGED:
                return True
            await self._store.settle()
        return change(await self.read()) is None

    async def _edit(self, edit: Edit) -> Edited:
        """One try; once more without the entries that lead nowhere."""
        tag, most = self._subject.fallback_tag, self._limits.manifest_bytes
        try:
            return await self._store.edit_tag(tag, edit, most_bytes=most)
        except LookupFailedError as error:
            if error.reason not in _REFUSALS:
                raise
            self._gone = await self._leading_nowhere()
            if not self._gone:
                raise
        return await self._store.edit_tag(tag, edit, most_bytes=most)

    async def _leading_nowhere(self) -> frozenset[str]:
        digests = [manifests.digest_of(one) for one in (await self.read()).descriptors]
        if len(digests) > self._limits.descriptors:
            return frozenset()
        there = await asyncio.gather(*map(self._store.has, digests))
        pairs = zip(digests, there, strict=True)
        return frozenset(str(digest) for digest, is_there in pairs if not is_there)

    def _index(self, tagged: Tagged | None) -> RawIndex:
        """What the tag lists; nothing if it is something else."""
        subject = self._subject
        if tagged is None or subject.matches(tagged.content):
            # GitLab takes a tag that is not there for the digest.
            return RawIndex.empty()
        if tagged.media_type in INDEX_TYPES:
            return RawIndex.read(tagged.content)
        if self._must_be_list:
            text = f"the tag {subject.fallback_tag} is no list of artifacts"
            raise RegistryError("NotAnIndex", f"{text}: remove it first")
        return RawIndex.empty()
