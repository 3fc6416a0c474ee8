"""What an image carries: the same procedure for registries and layouts.

1. Resolve the reference to a digest; a manifest is judged as it is.
2. Of an index, take for each platform the manifest that its nodes run, and look
   for that manifest's artifact (`artifact`), else for the index's own. An index
   may list indexes, which list manifests. One that lists no image at all (a build
   cache, a bundle of artifacts) is judged as a manifest is.
3. A platform that the index lacks cannot run there. Whether that matters depends
   on whether the image has any spec at all: the index's, one of a platform that
   was asked for, else one of the others, `MAX_OTHERS` at the most. That costs no
   request unless a platform is lacking, then one for the index and one for each
   manifest until a spec is found (two without a referrers API). Indexes that lie
   deeper are not read: what they list is not lacking, but not known.

Requests to a registry, for an image that has a spec: 4 for a manifest (resolve,
referrers, artifact, layer), 6 for an index and one platform (its content, and the
referrers of manifest and index); one more for each list of referrers that is read
from the fallback tag.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from typing import Final

from app.errors import RegistryError
from app.oci.failure import LookupFailedError, NotThereError, invalid, unavailable
from app.oci.images import artifact, manifests
from app.oci.images.digest import Digest
from app.oci.images.manifests import (
    DOCKER_SCHEMA_1,
    INDEX_TYPES,
    MANIFEST_TYPES,
    Descriptor,
)
from app.oci.images.source import Root, Source
from app.oci.limits import Limits
from app.ports import (
    Found,
    ImageNotFound,
    ImageOutcome,
    Invalid,
    Missing,
    Platform,
    PlatformAbsent,
    PlatformOutcome,
    Resolved,
)

__all__ = ["Root", "Source", "find"]

MAX_OTHERS: Final = 8
"""Platforms that nobody asked for, but that may show that an image has a spec."""


async def find(
    source: Source,
    platforms: Collection[Platform],
    limits: Limits,
    *,
    clock: Callable[[], float] = time.time,
) -> ImageOutcome:
    """What the image carries on each of `platforms`; never raises for an outcome.

    Args:
        source: of the image.
        platforms: that are asked for.
        limits: every bound.
        clock: in Unix seconds, for dates that lie ahead.
    """
    try:
        root = await source.resolve()
        if root.media_type in INDEX_TYPES:
            return await _Index(source, root.digest, limits, clock).find(platforms)
    except NotThereError as error:
        return ImageNotFound(error.message)
    except LookupFailedError as error:
        return error.outcome
    except RegistryError as error:
        return Invalid(error.reason, error.message)
    if root.media_type in DOCKER_SCHEMA_1:
        text = "a Docker schema 1 manifest, which nothing can be attached to"
        return Invalid("DockerSchema1", text)
    if root.media_type not in MANIFEST_TYPES:
        text = f"neither an image manifest nor an index: {root.digest}"
        return Invalid("UnsupportedManifest", text)
    outcome = await artifact.find(source, root.digest, limits, clock=clock)
    return Resolved(str(root.digest), dict.fromkeys(platforms, outcome))


# An index ------------------------------------------------------------------------


class _Index:
    """One lookup over an index."""

    def __init__(
        self,
        source: Source,
        digest: Digest,
        limits: Limits,
        clock: Callable[[], float],
    ) -> None:
        self._source = source
        self._digest = digest
        self._limits = limits
        self._clock = clock
        self._is_deeper = False
        self._known: dict[Digest, asyncio.Task[PlatformOutcome]] = {}

    async def find(self, platforms: Collection[Platform]) -> Resolved:
        listed = await self._manifests()
        wanted = list(dict.fromkeys(platforms))
        if not (self._is_deeper or any(map(manifests.is_runnable, listed))):
            outcome = await self._artifact(self._digest)
            return self._resolved(wanted, [outcome] * len(wanted))
        children = [manifests.child_for(listed, one) for one in wanted]
        lookups = [
            asyncio.create_task(self._platform(child, listed, children))
            for child in children
        ]
        try:
            outcomes = await asyncio.gather(*lookups)
        finally:
            await _end(*lookups, *self._known.values())
        return self._resolved(wanted, outcomes)

    def _resolved(
        self, wanted: Sequence[Platform], outcomes: Sequence[PlatformOutcome]
    ) -> Resolved:
        found = dict(zip(wanted, outcomes, strict=True))
        return Resolved(str(self._digest), found, is_index=True)

    # Reading --------------------------------------------------------------------

    async def _manifests(self) -> list[Descriptor]:
        """Every manifest that the index lists, itself or through another index.

        Raises:
            RegistryError: it is no index, or lists too much.
        """
        flat: list[Descriptor] = []
        nested = 0
        for one in await self._read(self._digest):
            if one.media_type not in INDEX_TYPES:
                flat.append(one)
                continue
            nested += 1
            if nested > self._limits.nested:
                text = f"an index lists more than {self._limits.nested} indexes"
                raise invalid("TooManyManifests", text)
            flat.extend(await self._nested(one))
        if len(flat) > self._limits.children:
            text = f"an index lists more than {self._limits.children} manifests"
            raise invalid("TooManyManifests", text)
        return flat

    async def _nested(self, one: Descriptor) -> list[Descriptor]:
        try:
            listed = await self._read(manifests.digest_of(one))
        except NotThereError as error:
            text = "an index that the image's index lists is not there"
            raise unavailable("NotFound", text) from error
        flat = [child for child in listed if child.media_type not in INDEX_TYPES]
        self._is_deeper |= len(flat) < len(listed)
        return flat

    async def _read(self, digest: Digest) -> list[Descriptor]:
        most = self._limits.manifest_bytes
        index = manifests.read_index(
            await self._source.manifest(digest, most_bytes=most)
        )
        if index.media_type and index.media_type not in INDEX_TYPES:
            text = f"{digest} is served as an index, but does not say that it is one"
            raise invalid("TypeMismatch", text)
        return index.manifests or []

    # Judging --------------------------------------------------------------------

    async def _platform(
        self,
        child: Descriptor | None,
        listed: list[Descriptor],
        asked: list[Descriptor | None],
    ) -> PlatformOutcome:
        if child is None:
            return await self._absent(listed, asked)
        own = await self._artifact(manifests.digest_of(child))
        return await self._artifact(self._digest) if own == Missing() else own

    async def _absent(
        self, listed: list[Descriptor], asked: list[Descriptor | None]
    ) -> PlatformOutcome:
        """No manifest for the platform: does the image ask for anything?

        An artifact that cannot be read leaves that open, and is the outcome.
        """
        others = [*filter(None, asked), *filter(manifests.is_runnable, listed)]
        subjects = list(dict.fromkeys(manifests.digest_of(one) for one in others))
        for subject in (self._digest, *subjects[:MAX_OTHERS]):
            outcome = await self._artifact(subject)
            if isinstance(outcome, Found) and self._is_deeper:
                text = "its index lists indexes that list indexes: one at most is read"
                return Invalid("NestedTooDeep", text)
            if isinstance(outcome, Found):
                return PlatformAbsent(has_spec=True)
            if outcome != Missing():
                return outcome
        return PlatformAbsent(has_spec=False)

    async def _artifact(self, subject: Digest) -> PlatformOutcome:
        """The artifact of `subject`, looked for once."""
        task = self._known.get(subject)
        if task is None:
            lookup = artifact.find(
                self._source, subject, self._limits, clock=self._clock
            )
            task = self._known[subject] = asyncio.create_task(lookup)
        return await asyncio.shield(task)


async def _end(*tasks: asyncio.Task[PlatformOutcome]) -> None:
    """Leaves none of the tasks behind."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
