"""OCI image layouts: a registry without a server.

Read-only and confined (`files`): blobs are found by their digest, which has a strict
form. What is read is verified and bounded as from a registry.

* A tag is the `ref.name` of an entry of `index.json`. A digest need not be listed
  there: the children of an index are not.
* The referrers of a digest are the manifests whose own `subject` it is, listed in
  `index.json` (oras writes them there) or in an index that is; and those in an index
  under the fallback tag of the referrers tag schema.

Source: OCI image-spec v1.1 `image-layout.md`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from app.errors import RegistryError
from app.oci import files
from app.oci.failure import NotThereError, invalid, not_found, unavailable
from app.oci.images import manifests, reference, selection
from app.oci.images.digest import Digest
from app.oci.images.manifests import INDEX_TYPES, Descriptor
from app.oci.images.source import Root
from app.oci.limits import Limits

SCHEME: Final = "oci-layout://"
REF_NAME: Final = "org.opencontainers.image.ref.name"
VERSION: Final = "1.0.0"

_MARKER_BYTES: Final = 4096
_INDEX: Final = "index.json"


class _Marker(msgspec.Struct):
    version: str = msgspec.field(default="", name="imageLayoutVersion")


class LayoutSource:
    """One layout folder; implements `source.Source`."""

    def __init__(self, folder: Path, wanted: str, limits: Limits) -> None:
        self._folder = folder
        self._wanted = wanted
        self._limits = limits

    async def resolve(self) -> Root:
        """What `index.json` has under the tag; or what a digest names."""
        return await asyncio.to_thread(self._resolve)

    async def stamp(self) -> files.Stamp | None:
        """Changes with the list of what is in the layout; `None` if it has none."""
        return await asyncio.to_thread(files.stamp, self._folder, _INDEX)

    async def manifest(self, digest: Digest, *, most_bytes: int) -> bytes:
        """A manifest, which is a blob here."""
        return await self.blob(digest, most_bytes=most_bytes)

    async def blob(self, digest: Digest, *, most_bytes: int) -> bytes:
        """A blob, verified."""
        return await asyncio.to_thread(self._blob, digest, most_bytes)

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """Manifests of the layout whose subject is `subject`."""
        return await asyncio.to_thread(self._referrers, subject)

    # Off the event loop ---------------------------------------------------------

    def _resolve(self) -> Root:
        for one in self._listed():
            if (one.annotations or {}).get(REF_NAME) == self._wanted:
                return Root(manifests.digest_of(one), one.media_type)
        digest = Digest.parse(self._wanted)
        if digest is not None:
            try:
                content = self._blob(digest, self._limits.manifest_bytes)
            except NotThereError:
                pass
            else:
                return Root(digest, manifests.type_of(content, ""))
        raise not_found(f"the layout has no {self._wanted}")

    def _blob(self, digest: Digest, most_bytes: int) -> bytes:
        name = f"blobs/{digest.algorithm}/{digest.encoded}"
        content = files.read(self._folder, name, most_bytes=most_bytes)
        if content is None:
            raise NotThereError(str(digest))
        if not digest.matches(content):
            raise invalid("DigestMismatch", f"the content of {digest} has another hash")
        return content

    def _referrers(self, subject: Digest) -> list[Descriptor]:
        found: dict[str, Descriptor] = {}
        for one in self._reachable(subject):
            said = selection.is_ours(one) or selection.may_be_ours(one)
            if not said or one.digest in found:
                continue
            referrer = self._referrer(one, subject)
            if referrer is not None:
                found[one.digest] = referrer
        return list(found.values())

    def _reachable(self, subject: Digest) -> list[Descriptor]:
        """Manifests that may refer to `subject`.

        Children of an index have a platform; what has none there may be anything.
        """
        reachable: list[Descriptor] = []
        for one in self._listed():
            name = (one.annotations or {}).get(REF_NAME)
            if one.media_type not in INDEX_TYPES:
                reachable.append(one)
                continue
            try:
                children = self._index(manifests.digest_of(one))
            except NotThereError:
                continue
            is_list = name == subject.fallback_tag
            reachable += [c for c in children if is_list or c.platform is None]
        return reachable

    def _referrer(self, one: Descriptor, subject: Digest) -> Descriptor | None:
        """The descriptor as a registry would list it; `None` for another's."""
        digest = manifests.digest_of(one)
        most = self._limits.artifact_bytes
        if one.size > most and not selection.is_ours(one):
            return None
        try:
            content = self._blob(digest, most)
        except NotThereError:
            return None
        manifest = manifests.read_manifest(content)
        if manifest.subject is None or manifest.subject.digest != str(subject):
            return None
        return Descriptor(
            digest=one.digest,
            size=one.size,
            media_type=one.media_type,
            artifact_type=manifest.type,
            annotations=manifest.annotations,
        )

    def _index(self, digest: Digest) -> list[Descriptor]:
        content = self._blob(digest, self._limits.manifest_bytes)
        return manifests.read_index(content).manifests or []

    def _listed(self) -> list[Descriptor]:
        """The entries of `index.json`.

        Raises:
            LookupFailedError: there is no layout, or one of another version.
        """
        marker = files.read(self._folder, "oci-layout", most_bytes=_MARKER_BYTES)
        most = self._limits.manifest_bytes
        content = files.read(self._folder, _INDEX, most_bytes=most)
        if marker is None or content is None:
            raise not_found("there is no OCI layout")
        try:
            version = msgspec.json.decode(marker, type=_Marker).version
        except (msgspec.DecodeError, UnicodeDecodeError):
            version = ""
        if version != VERSION:
            text = f"its `oci-layout` file: expected imageLayoutVersion {VERSION}"
            raise unavailable("UnreadableLayout", text)
        return manifests.read_index(content).manifests or []


def split(text: str) -> tuple[Path, str]:
    """The folder, and the tag or digest, of an `oci-layout://` reference.

    Raises:
        RegistryError: there is no such tag or digest; the reason is
            `InvalidReference`.
    """
    rest = text.removeprefix(SCHEME)
    folder, at, digest = rest.rpartition("@")
    if at and Digest.parse(digest) is not None:
        return Path(folder), digest
    folder, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        folder, tag = rest, "latest"
    if not folder or not reference.is_tag(tag):
        text = "not a layout: expected oci-layout://FOLDER[:TAG][@DIGEST]"
        raise RegistryError("InvalidReference", text)
    return Path(folder), tag
