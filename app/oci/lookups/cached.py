"""What registries said, remembered: a lookup asks only for what it does not know.

* What a tag points to holds for `by_tag_seconds`.
* What refers to a digest holds for `by_digest_seconds`, an empty list only for
  `missing_seconds`: an author who attaches a spec does not wait long.
* Content goes by its digest and never changes; it holds for `content_seconds`, so
  that what we may no longer read is forgotten.

Keys hold the registry, as the Pod names it, for each name may have mirrors of its own;
and the repository: who may read the one repository need not be allowed to read another
that has the same content. They hold the fingerprint of the
credentials that a Pod brings along, too: what these earned serves no other Pod.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

import msgspec

from app.oci.cache import Filled, TimedCache
from app.oci.images import selection
from app.oci.images.digest import Digest
from app.oci.images.manifests import Descriptor
from app.oci.images.reference import Reference
from app.oci.images.source import Root, Source

_Key: TypeAlias = tuple[str, str, str, str]

_DESCRIPTOR_BYTES: Final = 1024
"""What a descriptor takes beside its texts, roughly."""
TAGS_BYTES: Final = 8 << 20
LISTS_BYTES: Final = 8 << 20
CONTENTS_BYTES: Final = 32 << 20


@dataclass(frozen=True, slots=True)
class Times:
    """How long answers hold, and how long one is waited for; in seconds.

    Attributes:
        by_digest_seconds: which artifact counts for a digest.
        by_tag_seconds: what a tag points to.
        missing_seconds: that nothing is attached, that the image is not there, that
            it is broken, or that we may not see it.
        failed_seconds: that we could not look.
        patience_seconds: how old a lookup may be until nobody waits for it.
        content_seconds: content that goes by its digest.
        stale_seconds: for how long after its time an answer stands in for a registry
            that cannot be asked.
    """

    by_digest_seconds: float = 60.0
    by_tag_seconds: float = 30.0
    missing_seconds: float = 15.0
    failed_seconds: float = 5.0
    patience_seconds: float = 4.0
    content_seconds: float = 3600.0
    stale_seconds: float = 600.0


@dataclass(slots=True)
class Memory:
    """What all lookups of a process remember; bounded in bytes.

    Attributes:
        clock: in seconds, monotonic.
        times: how long what holds.
        evicted: told what kind of entry went for want of room.
    """

    clock: Callable[[], float]
    times: Times
    evicted: Callable[[str], None] = lambda _: None
    roots: TimedCache[_Key, Root] = field(init=False)
    lists: TimedCache[_Key, Sequence[Descriptor]] = field(init=False)
    contents: TimedCache[_Key, bytes] = field(init=False)

    def __post_init__(self) -> None:
        """Makes what fills up with use."""
        self.roots = TimedCache(
            self.clock, most_bytes=TAGS_BYTES, evicted=partial(self.evicted, "tags")
        )
        self.lists = TimedCache(
            self.clock,
            most_bytes=LISTS_BYTES,
            evicted=partial(self.evicted, "referrers"),
        )
        self.contents = TimedCache(
            self.clock,
            most_bytes=CONTENTS_BYTES,
            evicted=partial(self.evicted, "contents"),
        )

    def caches(self) -> Mapping[str, Filled]:
        """All of it, by what it is."""
        return {"tags": self.roots, "referrers": self.lists, "contents": self.contents}


class CachedSource:
    """One lookup that asks `source` for what `memory` does not hold.

    Args:
        source: asked for the rest.
        image: what is looked for.
        memory: of all lookups.
        ring: fingerprint of the Pod's own credentials for the image.

    Attributes:
        ends: when the first thing that was used here stops to hold, on the
            memory's clock.
    """

    def __init__(
        self, source: Source, image: Reference, memory: Memory, *, ring: str = ""
    ) -> None:
        self._source = source
        self._image = image
        self._memory = memory
        self._ring = ring
        self.ends = float("inf")

    async def resolve(self) -> Root:
        """See `source.Source`."""
        key = self._key(self._image.wanted)
        known = self._memory.roots.entry(key)
        if known is not None:
            self._hold(known[1])
            return known[0]
        root = await self._source.resolve()
        times = self._memory.times
        is_fixed = self._image.digest is not None
        seconds = times.by_digest_seconds if is_fixed else times.by_tag_seconds
        self._memory.roots.put(key, root, seconds=seconds, content_bytes=0)
        self._hold(self._memory.clock() + seconds)
        return root

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """See `source.Source`."""
        key = self._key(str(subject))
        known = self._memory.lists.entry(key)
        if known is not None:
            self._hold(known[1])
            return known[0]
        listed = await self._source.referrers(subject)
        kept = [
            one
            for one in listed
            if selection.is_ours(one) or selection.may_be_ours(one)
        ]
        times = self._memory.times
        seconds = times.by_digest_seconds if kept else times.missing_seconds
        texts = len(msgspec.json.encode(kept))
        size = len(kept) * _DESCRIPTOR_BYTES + texts
        self._memory.lists.put(key, kept, seconds=seconds, content_bytes=size)
        self._hold(self._memory.clock() + seconds)
        return kept

    async def manifest(self, digest: Digest, *, most_bytes: int) -> bytes:
        """See `source.Source`."""
        key = self._key(str(digest))
        known = self._memory.contents.get(key)
        if known is None or len(known) > most_bytes:
            known = await self._source.manifest(digest, most_bytes=most_bytes)
            self._keep(key, known)
        return known

    async def blob(self, digest: Digest, *, most_bytes: int) -> bytes:
        """See `source.Source`."""
        key = self._key(str(digest))
        known = self._memory.contents.get(key)
        if known is None or len(known) > most_bytes:
            known = await self._source.blob(digest, most_bytes=most_bytes)
            self._keep(key, known)
        return known

    def _key(self, what: str) -> _Key:
        return self._image.domain, self._image.repository, what, self._ring

    def _keep(self, key: _Key, content: bytes) -> None:
        seconds = self._memory.times.content_seconds
        self._memory.contents.put(
            key, content, seconds=seconds, content_bytes=len(content)
        )

    def _hold(self, ends: float) -> None:
        self.ends = min(self.ends, ends)
