"""OCI image layouts: a registry without a server.

Read-only and confined: blobs are found by their digest, which has a strict form,
and links are not followed. What is read is verified and bounded as from a registry.

Source: OCI image-spec v1.1 `image-layout.md`; referrers are the manifests listed
in `index.json` whose own `subject` is the digest asked for (oras writes them so),
and those in an index under the fallback tag of the referrers tag schema.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from app.errors import RegistryError
from app.oci import manifests, reference
from app.oci.digest import Digest
from app.oci.failure import NotThereError, invalid, not_found, unavailable
from app.oci.finding import find
from app.oci.limits import Limits
from app.oci.manifests import INDEX_TYPES, Descriptor, Index
from app.oci.reference import Reference
from app.oci.source import Root
from app.ports import ImageOutcome, Invalid, Platform, Unavailable

SCHEME: Final = "oci-layout://"
REF_NAME: Final = "org.opencontainers.image.ref.name"


class LayoutSource:
    """One layout folder; implements `finding.Source`."""

    def __init__(self, folder: Path, wanted: str, limits: Limits) -> None:
        self._folder = folder
        self._wanted = wanted
        self._limits = limits

    async def resolve(self) -> Root:
        """The descriptor of a tag, or of a digest, in `index.json`."""
        digest = Digest.parse(self._wanted)
        for one in await self._listed():
            named = (one.annotations or {}).get(REF_NAME)
            if (digest and one.digest == str(digest)) or named == self._wanted:
                return Root(manifests.digest_of(one), one.media_type)
        raise not_found(f"the layout has no {self._wanted}")

    async def manifest(self, digest: Digest, *, most_bytes: int) -> bytes:
        """A manifest, which is a blob here."""
        return await self.blob(digest, most_bytes=most_bytes)

    async def blob(self, digest: Digest, *, most_bytes: int) -> bytes:
        """A blob, verified."""
        path = self._folder / "blobs" / digest.algorithm / digest.encoded
        content = await asyncio.to_thread(_read, path, most_bytes)
        if content is None:
            raise NotThereError(str(digest))
        if not digest.matches(content):
            raise invalid("DigestMismatch", f"the content of {digest} has another hash")
        return content

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """Manifests of the layout whose subject is `subject`."""
        found: list[Descriptor] = []
        for one in await self._listed():
            name = (one.annotations or {}).get(REF_NAME)
            if one.media_type in INDEX_TYPES:
                if name == subject.fallback_tag:
                    index = await self._index(manifests.digest_of(one))
                    found.extend(index.manifests or ())
            elif name is None and await self._refers(one, subject):
                found.append(one)
        return found

    async def _refers(self, one: Descriptor, subject: Digest) -> bool:
        try:
            content = await self.manifest(
                manifests.digest_of(one), most_bytes=self._limits.artifact_bytes
            )
        except NotThereError:
            return False
        manifest = manifests.read_manifest(content)
        return manifest.subject is not None and manifest.subject.digest == str(subject)

    async def _index(self, digest: Digest) -> Index:
        content = await self.manifest(digest, most_bytes=self._limits.manifest_bytes)
        return manifests.read_index(content)

    async def _listed(self) -> list[Descriptor]:
        path = self._folder / "index.json"
        content = await asyncio.to_thread(_read, path, self._limits.manifest_bytes)
        if content is None:
            raise not_found("there is no OCI layout")
        return manifests.read_index(content).manifests or []


def _read(path: Path, most_bytes: int) -> bytes | None:
    """The bytes of a plain file; `None` if there is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise unavailable("UnreadableLayout", f"{error.strerror}") from error
    with os.fdopen(handle, "rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise invalid("TooLarge", f"a file is larger than {most_bytes} bytes")
    return content


class LayoutArtifacts:
    """Implements the port on folders.

    `oci-layout://FOLDER:TAG` names a layout itself; any other image is looked for
    in `ROOT/REGISTRY/REPOSITORY`, which mirrors a registry.
    """

    def __init__(self, root: Path | None = None, limits: Limits | None = None) -> None:
        self._root = root
        self._limits = limits or Limits()

    def holds(self, image: str) -> bool:
        """Whether the image is in a layout here, rather than in a registry."""
        if image.startswith(SCHEME):
            return True
        try:
            folder = self._folder(reference.parse(image))
        except RegistryError:
            return False
        return folder is not None and folder.is_dir()

    async def find(
        self, image: str, platforms: Collection[Platform], *, deadline_seconds: float
    ) -> ImageOutcome:
        """See `ports.Artifacts.find`; files need no deadline but get one."""
        try:
            source = self._source(image)
        except RegistryError as error:
            return Invalid(error.reason, error.message)
        try:
            async with asyncio.timeout(deadline_seconds):
                return await find(source, platforms, self._limits)
        except TimeoutError:
            return Unavailable("Timeout", "reading the layout took too long")

    def _source(self, image: str) -> LayoutSource:
        if image.startswith(SCHEME):
            folder, wanted = split(image)
            return LayoutSource(folder, wanted, self._limits)
        named = reference.parse(image)
        where = self._folder(named)
        if where is None:
            raise RegistryError("NoLayout", "no folder of layouts is configured")
        return LayoutSource(where, named.wanted, self._limits)

    def _folder(self, named: Reference) -> Path | None:
        """The folder of a repository; the grammar keeps it below the root."""
        if self._root is None:
            return None
        return self._root / named.domain / named.repository


def split(text: str) -> tuple[Path, str]:
    """The folder, and the tag or digest, of an `oci-layout://` reference."""
    rest = text.removeprefix(SCHEME)
    folder, at, digest = rest.partition("@")
    if at:
        return Path(folder), digest
    folder, colon, tag = rest.rpartition(":")
    return (Path(folder), tag) if colon and "/" not in tag else (Path(rest), "latest")
