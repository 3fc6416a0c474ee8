"""Which artifact counts for one manifest or index, and its spec.

1. List what refers to the subject, and keep what is of our type. Where a
   descriptor does not say its type (ggcr's registry, Harbor), or has no date beside
   others, the manifest itself is asked.
2. The newest counts (`selection`). Dates are the manifest's own: if a descriptor
   gives another, the order is made again with the right one.
3. A candidate that is listed but gone (404) is passed over, and one that refers to
   another manifest: anybody writes tags, and those of sha512 digests are cut short,
   so that two manifests can share one. Anything else that is wrong with the newest
   makes the image invalid: there is no silent step back to an older artifact, which
   may ask for less.
4. It must be of our type, and have one layer.
5. What is odd about it is told with it (`ports.Doubt`): a date that lies ahead, or
   another one in the list; one that is listed, but gone.

NFD takes layer 0 whatever its media type. Several layers, or a type that cannot be
YAML or JSON, are refused here: they say that something else was meant, and a reader
that guesses can be led to guess wrong. Any YAML or JSON type will do, because
authors attach by hand, and often leave the type to their tool.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from app.errors import RegistryError
from app.oci.failure import LookupFailedError, NotThereError, invalid, unavailable
from app.oci.images import manifests, selection
from app.oci.images.digest import Digest
from app.oci.images.manifests import (
    ARTIFACT_TYPE,
    CREATED,
    SPEC_TYPE,
    Descriptor,
    Manifest,
)
from app.oci.images.source import Source
from app.oci.limits import Limits
from app.ports import (
    Doubt,
    Found,
    ImageNotFound,
    Invalid,
    Missing,
    PlatformOutcome,
    Unavailable,
)

_SPEC_SUFFIXES: Final = ("+yaml", "+json")
_SPEC_TYPES: Final = frozenset(
    {
        "application/yaml",
        "application/x-yaml",
        "text/yaml",
        "text/x-yaml",
        "application/json",
        "application/octet-stream",
        "text/plain",
        "application/vnd.oci.image.layer.v1.tar",
    }
)
"""The last is what `oras attach` calls a file whose type nobody named."""


async def find(
    source: Source,
    subject: Digest,
    limits: Limits,
    *,
    clock: Callable[[], float] = time.time,
) -> PlatformOutcome:
    """The artifact that counts for `subject`; never raises for an outcome.

    Args:
        source: of the image.
        subject: digest of a manifest or index.
        limits: every bound.
        clock: in Unix seconds, for dates that lie ahead.
    """
    try:
        return await _Subject(source, subject, limits, clock).find()
    except LookupFailedError as error:
        if isinstance(error.outcome, ImageNotFound):
            return Unavailable("NotFound", error.outcome.detail)
        return error.outcome
    except RegistryError as error:
        return Invalid(error.reason, error.message)


async def choose(source: Source, subject: Digest, limits: Limits) -> str | None:
    """Digest of the artifact that counts for `subject`, valid or not; as `find`.

    Raises:
        RegistryError: the choice could not be made.
    """
    first = await _Subject(source, subject, limits, time.time).first()
    return None if first is None else first[0].digest


class _Subject:
    """One lookup."""

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
        self._read: dict[str, Manifest | None] = {}
        self._doubts: set[Doubt] = set()

    async def find(self) -> PlatformOutcome:
        first = await self.first()
        return Missing() if first is None else await self._found(*first)

    async def first(self) -> tuple[Descriptor, Manifest] | None:
        """The artifact that counts, with its manifest's own date."""
        listed = await self._source.referrers(self._digest)
        candidates = await self._candidates(listed)
        while candidates:
            first, *others = selection.newest_first(candidates)
            manifest = await self._manifest(first)
            if manifest is None or not self._is_subject_of(manifest):
                candidates = others
            elif _created(first.annotations) != _created(manifest.annotations):
                if selection.is_dated(first):
                    self._doubts.add(Doubt.DATES_DIFFER)
                candidates = [_as_in(manifest, first), *others]
            else:
                return first, manifest
        return None

    # (1) ------------------------------------------------------------------------

    async def _candidates(self, listed: Iterable[Descriptor]) -> list[Descriptor]:
        ours: list[Descriptor] = []
        unclear: list[Descriptor] = []
        for one in listed:
            if selection.is_ours(one):
                ours.append(one)
            elif selection.may_be_ours(one):
                unclear.append(one)
        if len(ours) + len(unclear) > 1:
            unclear += [one for one in ours if not selection.is_dated(one)]
            ours = [one for one in ours if selection.is_dated(one)]
        return [*ours, *await self._cleared(unclear)]

    async def _cleared(self, unclear: Collection[Descriptor]) -> list[Descriptor]:
        """Those that are ours, with what their manifests say."""
        self._bound(len({one.digest for one in unclear}))
        read = await asyncio.gather(*(self._manifest(one) for one in unclear))
        return [
            _as_in(manifest, one)
            for one, manifest in zip(unclear, read, strict=True)
            if manifest is not None and manifest.type == ARTIFACT_TYPE
        ]

    # (2), (3) -------------------------------------------------------------------

    async def _manifest(self, one: Descriptor) -> Manifest | None:
        """A candidate's manifest, read once; `None` if it is gone."""
        if one.digest not in self._read:
            self._bound(len(self._read) + 1)
            try:
                manifest = await self._fetch(one)
            except NotThereError:
                manifest = None
                self._doubts.add(Doubt.GONE)
            self._read[one.digest] = manifest
        return self._read[one.digest]

    async def _fetch(self, one: Descriptor) -> Manifest:
        """A candidate's manifest; its digest is verified, and not its entry's size.

        Harbor before 2.11 and Google's Artifact Registry list another size
        (goharbor/harbor issue 20187, oras-project/oras issue 1626).
        """
        most = self._limits.artifact_bytes
        digest = manifests.digest_of(one)
        content = await self._source.manifest(digest, most_bytes=most)
        return manifests.read_manifest(content)

    def _is_subject_of(self, manifest: Manifest) -> bool:
        subject = manifest.subject
        return subject is not None and subject.digest == str(self._digest)

    def _bound(self, reads: int) -> None:
        if reads > self._limits.untyped:
            text = f"more than {self._limits.untyped} artifacts would have to be read"
            raise unavailable("TooManyReferrers", text)

    # (4) ------------------------------------------------------------------------

    async def _found(self, candidate: Descriptor, manifest: Manifest) -> Found:
        layer = _layer(manifest)
        most = self._limits.spec_bytes
        if layer.size > most:
            raise invalid("TooLarge", f"its spec is larger than {most} bytes")
        digest = manifests.digest_of(layer)
        try:
            content = await self._source.blob(digest, most_bytes=most)
        except NotThereError as error:
            text = "the artifact's layer is not there"
            raise invalid("MissingLayer", text) from error
        if len(content) != layer.size:
            text = f"the spec has {len(content)} bytes, its manifest says {layer.size}"
            raise invalid("SizeMismatch", text)
        created = _created(manifest.annotations)
        if selection.is_future(created or "", now=self._clock()):
            self._doubts.add(Doubt.FUTURE)
        return Found(
            digest=candidate.digest,
            subject=str(self._digest),
            spec_digest=str(digest),
            content=content,
            created=created,
            doubts=tuple(sorted(self._doubts)),
        )


def _layer(manifest: Manifest) -> Descriptor:
    """The one layer of an artifact that is what its descriptor says."""
    if manifest.type != ARTIFACT_TYPE:
        text = f"the artifact's type is not {ARTIFACT_TYPE}"
        raise invalid("TypeMismatch", text)
    layers = manifest.layers or []
    if len(layers) != 1:
        text = f"the artifact has {len(layers)} layers, expected one"
        raise invalid("InvalidArtifact", text)
    media_type = layers[0].media_type.partition(";")[0].strip().lower()
    if media_type not in _SPEC_TYPES and not media_type.endswith(_SPEC_SUFFIXES):
        text = f"the artifact's layer has another type than {SPEC_TYPE}"
        raise invalid("InvalidArtifact", text)
    return layers[0]


def _created(annotations: Mapping[str, str] | None) -> str | None:
    return (annotations or {}).get(CREATED)


def _as_in(manifest: Manifest, one: Descriptor) -> Descriptor:
    """The descriptor as its manifest would have it."""
    return Descriptor(
        digest=one.digest,
        size=one.size,
        media_type=one.media_type,
        artifact_type=manifest.type,
        annotations=manifest.annotations,
    )
