"""What an image carries: the same procedure for registries and layouts.

1. Resolve the reference to a digest; a manifest is judged as it is.
2. Of an index, take for each platform the manifest that its nodes run, and look
   for that manifest's artifact, else for the index's own.
3. A platform that the index lacks cannot run there. Whether that matters depends
   on whether the image has any spec at all: the index's, that of a platform
   which was looked at, else (at most `MAX_OTHERS`) that of another one.
4. Of several artifacts the newest counts (`selection`). If it is broken the image
   is invalid: there is no silent step back to an older one. Only a candidate that
   is listed but gone (404) is passed over.

Of the artifact only its one layer is read. NFD takes layer 0 whatever its type; a
type that cannot be YAML or JSON, or several layers, are refused here, because a
reader that guesses can be led to guess wrong.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from app.errors import RegistryError
from app.oci import manifests, selection
from app.oci.digest import Digest
from app.oci.failure import (
    LookupFailedError,
    NotThereError,
    invalid,
    unavailable,
)
from app.oci.limits import Limits
from app.oci.manifests import ARTIFACT_TYPE, INDEX_TYPES, Descriptor, Index, Manifest
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
    Unavailable,
)

MAX_OTHERS: Final = 8
"""Platforms that nobody asked for, but that may show that an image has a spec."""

MAX_DEPTH: Final = 2
"""An index may list indexes, but these list manifests."""

_SPEC_TYPES: Final = ("yaml", "json", "octet-stream", "text/plain")


@dataclass(frozen=True, slots=True)
class Root:
    """What a reference names.

    Attributes:
        digest: of its manifest or index.
        media_type: as the registry says, without parameters.
    """

    digest: Digest
    media_type: str


class Source(Protocol):
    """One repository. Everything it returns is verified and bounded.

    Each method raises `LookupFailedError`, and `NotThereError` for content that is
    asked for by its digest.
    """

    async def resolve(self) -> Root:
        """What the reference names."""
        ...

    async def manifest(self, digest: Digest, *, most_bytes: int) -> bytes:
        """A manifest's or index's bytes."""
        ...

    async def blob(self, digest: Digest, *, most_bytes: int) -> bytes:
        """A blob's bytes."""
        ...

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """Descriptors of all that refers to `subject`, filtered or not."""
        ...


async def find(
    source: Source, platforms: Collection[Platform], limits: Limits
) -> ImageOutcome:
    """What the image carries on each of `platforms`; never raises for an outcome."""
    try:
        root = await source.resolve()
        if root.media_type in INDEX_TYPES:
            return await _Index(source, root.digest, limits).find(platforms)
    except NotThereError as error:
        return ImageNotFound(error.message)
    except LookupFailedError as error:
        return error.outcome
    except RegistryError as error:
        return Invalid(error.reason, error.message)
    outcome = await artifact_of(source, root.digest, limits)
    return Resolved(str(root.digest), dict.fromkeys(platforms, outcome))


# An index ------------------------------------------------------------------------


class _Index:
    """One lookup over an index."""

    def __init__(self, source: Source, digest: Digest, limits: Limits) -> None:
        self._source = source
        self._digest = digest
        self._limits = limits
        self._known: dict[Digest, asyncio.Task[PlatformOutcome]] = {}

    async def find(self, platforms: Collection[Platform]) -> Resolved:
        index = await self._read(self._digest, MAX_DEPTH)
        children = {one: manifests.child_for(index, one) for one in platforms}
        try:
            outcomes = await asyncio.gather(
                *(self._platform(children[one], index) for one in platforms)
            )
        finally:
            for task in self._known.values():
                task.cancel()
        found = dict(zip(platforms, outcomes, strict=True))
        return Resolved(str(self._digest), found)

    async def _read(self, digest: Digest, depth: int) -> Index:
        content = await self._source.manifest(
            digest, most_bytes=self._limits.manifest_bytes
        )
        index = manifests.read_index(content)
        children = list(index.manifests or ())
        if len(children) > self._limits.children:
            text = f"an index lists more than {self._limits.children} manifests"
            raise invalid("TooManyManifests", text)
        flat: list[Descriptor] = []
        for child in children:
            if child.media_type in INDEX_TYPES and depth > 1:
                nested = await self._read(manifests.digest_of(child), depth - 1)
                flat.extend(nested.manifests or ())
            else:
                flat.append(child)
        return Index(index.media_type, flat)

    async def _platform(
        self, child: Descriptor | None, index: Index
    ) -> PlatformOutcome:
        if child is None:
            return await self._absent(index)
        own = await self._artifact(manifests.digest_of(child))
        return await self._artifact(self._digest) if own == Missing() else own

    async def _absent(self, index: Index) -> PlatformOutcome:
        """No manifest for the platform: does the image ask for anything?"""
        of_index = await self._artifact(self._digest)
        if isinstance(of_index, Found):
            return PlatformAbsent(has_spec=True)
        if of_index != Missing():
            return of_index
        for child in _runnable(index)[:MAX_OTHERS]:
            outcome = await self._artifact(manifests.digest_of(child))
            if isinstance(outcome, Found):
                return PlatformAbsent(has_spec=True)
            if outcome != Missing():
                return outcome
        return PlatformAbsent(has_spec=False)

    async def _artifact(self, subject: Digest) -> PlatformOutcome:
        """The artifact of `subject`, looked for once."""
        task = self._known.get(subject)
        if task is None:
            lookup = artifact_of(self._source, subject, self._limits)
            task = self._known[subject] = asyncio.create_task(lookup)
        return await task


def _runnable(index: Index) -> list[Descriptor]:
    """The manifests of an index that are images, not attestations."""
    return [
        child
        for child in index.manifests or ()
        if child.platform is not None and child.platform.os != "unknown"
    ]


# One subject ---------------------------------------------------------------------


async def artifact_of(
    source: Source, subject: Digest, limits: Limits
) -> PlatformOutcome:
    """The artifact that counts for `subject`; never raises for an outcome."""
    try:
        listed = await source.referrers(subject)
        candidates = await _candidates(source, listed, limits)
        for candidate in selection.newest_first(candidates):
            try:
                return await _read_artifact(source, candidate, subject, limits)
            except NotThereError:
                continue
    except LookupFailedError as error:
        outcome = error.outcome
        if isinstance(outcome, ImageNotFound):
            return Unavailable("NotFound", outcome.detail)
        return outcome
    except RegistryError as error:
        return Invalid(error.reason, error.message)
    return Missing()


async def _candidates(
    source: Source, listed: Iterable[Descriptor], limits: Limits
) -> list[Descriptor]:
    """Descriptors of our type; where one says nothing, its manifest is asked."""
    ours: list[Descriptor] = []
    untyped: list[Descriptor] = []
    for one in listed:
        if selection.is_ours(one):
            ours.append(one)
        elif selection.may_be_ours(one):
            untyped.append(one)
    if len(untyped) > limits.untyped:
        text = f"more than {limits.untyped} referrers do not say what they are"
        raise unavailable("TooManyReferrers", text)
    for one in untyped:
        try:
            manifest = await _manifest(source, one, limits)
        except NotThereError:
            continue
        if manifest.type == ARTIFACT_TYPE:
            ours.append(_typed(one, manifest.annotations))
    return ours


def _typed(one: Descriptor, annotations: Mapping[str, str] | None) -> Descriptor:
    return Descriptor(
        digest=one.digest,
        size=one.size,
        media_type=one.media_type,
        artifact_type=ARTIFACT_TYPE,
        annotations=annotations,
    )


async def _manifest(source: Source, one: Descriptor, limits: Limits) -> Manifest:
    digest = manifests.digest_of(one)
    content = await source.manifest(digest, most_bytes=limits.artifact_bytes)
    return manifests.read_manifest(content)


async def _read_artifact(
    source: Source, candidate: Descriptor, subject: Digest, limits: Limits
) -> Found:
    manifest = await _manifest(source, candidate, limits)
    layer = _layer(manifest, subject)
    if layer.size > limits.spec_bytes:
        text = f"its spec is larger than {limits.spec_bytes} bytes"
        raise invalid("TooLarge", text)
    digest = manifests.digest_of(layer)
    try:
        content = await source.blob(digest, most_bytes=limits.spec_bytes)
    except NotThereError as error:
        raise invalid("MissingLayer", "the artifact's layer is not there") from error
    if len(content) != layer.size:
        text = f"the spec has {len(content)} bytes, its manifest says {layer.size}"
        raise invalid("SizeMismatch", text)
    return Found(
        digest=candidate.digest,
        subject=str(subject),
        spec_digest=str(digest),
        content=content,
        created=(manifest.annotations or {}).get(manifests.CREATED),
    )


def _layer(manifest: Manifest, subject: Digest) -> Descriptor:
    """The one layer of an artifact that is what its descriptor says."""
    if manifest.subject is None or manifest.subject.digest != str(subject):
        text = "the artifact's subject is another manifest"
        raise invalid("SubjectMismatch", text)
    if manifest.type != ARTIFACT_TYPE:
        text = f"the artifact's type is not {ARTIFACT_TYPE}"
        raise invalid("TypeMismatch", text)
    layers = manifest.layers or []
    if len(layers) != 1:
        text = f"the artifact has {len(layers)} layers, expected one"
        raise invalid("InvalidArtifact", text)
    media_type = layers[0].media_type.partition(";")[0].strip().lower()
    if not media_type.endswith(_SPEC_TYPES):
        text = "the artifact's layer is neither YAML nor JSON by its media type"
        raise invalid("InvalidArtifact", text)
    return layers[0]
