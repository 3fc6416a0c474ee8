"""What an image consists of: what its reference names, and its platforms' manifests."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, cast

import msgspec

from app.errors import RegistryError
from app.oci.failure import NotThereError, invalid
from app.oci.images import manifests
from app.oci.images.digest import Digest
from app.oci.images.manifests import INDEX_TYPES, Descriptor
from app.oci.images.source import Source
from app.oci.limits import Limits
from app.oci.writing import encoding
from app.oci.writing.store import RawDescriptor
from app.ports import Platform

_CONFIG_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Subject:
    """A manifest or index that artifacts can be attached to.

    Attributes:
        digest: of it.
        media_type: of it.
        platform: `os/architecture[/variant]` in its index, `any` where the index says
            nothing; `""` for what the reference names.
        descriptor: as `oras` copies it into an artifact.
        entry: the descriptor, decoded.
    """

    digest: Digest
    media_type: str
    platform: str
    descriptor: RawDescriptor = field(repr=False)
    entry: Descriptor = field(repr=False)

    @property
    def is_index(self) -> bool:
        """Whether it is an index."""
        return self.media_type in INDEX_TYPES

    def described(self, more: RawDescriptor) -> Subject:
        """With what a layout says of it besides."""
        return replace(
            self, descriptor=encoding.descriptor({**self.descriptor, **more})
        )


@dataclass(frozen=True, slots=True)
class Image:
    """What a reference names.

    Attributes:
        root: that.
        children: the manifests of its index that an image can run from, in order.
        content: of the root.
    """

    root: Subject
    children: tuple[Subject, ...] = ()
    content: bytes = field(default=b"", repr=False)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """All, the root first; each digest once."""
        first = {one.digest: one for one in reversed((self.root, *self.children))}
        ordered = dict.fromkeys(one.digest for one in (self.root, *self.children))
        return tuple(first[digest] for digest in ordered)


async def read(source: Source, limits: Limits) -> Image:
    """Reads what the reference names.

    Raises:
        RegistryError: there is none, or it is neither a manifest nor an index.
    """
    root = await source.resolve()
    most = limits.manifest_bytes
    content = await source.manifest(root.digest, most_bytes=most)
    kind = manifests.type_of(content, root.media_type)
    if not kind:
        text = f"{root.digest} is neither an image manifest nor an index"
        raise RegistryError("UnsupportedManifest", text)
    plain = {"mediaType": kind, "digest": str(root.digest), "size": len(content)}
    subject = _subject(plain, Descriptor(str(root.digest), len(content), kind), "")
    if kind not in INDEX_TYPES:
        return Image(subject, content=content)
    return Image(subject, await _children(source, content, limits), content)


async def _children(
    source: Source, content: bytes, limits: Limits
) -> tuple[Subject, ...]:
    """The runnable manifests of an index, and of the indexes that it lists."""
    flat: list[tuple[Mapping[str, object], Descriptor]] = []
    nested = []
    for raw, entry in _entries(content):
        if entry.media_type in INDEX_TYPES:
            nested.append(manifests.digest_of(entry))
        flat.append((raw, entry))
    if len(nested) > limits.nested or len(flat) > limits.children:
        raise invalid("TooManyManifests", "an index lists too many manifests")
    most = limits.manifest_bytes
    reads = (source.manifest(one, most_bytes=most) for one in nested)
    for inner in await asyncio.gather(*reads):
        flat.extend(_entries(inner))
    if len(flat) > limits.children:
        raise invalid("TooManyManifests", "an index lists too many manifests")
    return tuple(
        _subject(raw, entry, _platform_of(entry))
        for raw, entry in flat
        if entry.media_type not in INDEX_TYPES and manifests.is_runnable(entry)
    )


def _entries(content: bytes) -> Iterable[tuple[Mapping[str, object], Descriptor]]:
    """The entries of an index, as they are and decoded."""
    listed = manifests.read_index(content).manifests or []
    whole = cast("Mapping[str, object]", msgspec.json.decode(content))
    raw = cast("Sequence[Mapping[str, object]]", whole.get("manifests") or [])
    return zip(raw, listed, strict=True)


def _subject(raw: RawDescriptor, entry: Descriptor, platform: str) -> Subject:
    digest = manifests.digest_of(entry)
    return Subject(digest, entry.media_type, platform, encoding.descriptor(raw), entry)


def _platform_of(entry: Descriptor) -> str:
    one = entry.platform
    if one is None:
        return "any"
    return str(Platform(one.os, one.architecture, one.variant))


# One platform --------------------------------------------------------------------


def platform(text: str) -> Platform:
    """Reads `os/architecture[/variant]`.

    Raises:
        RegistryError: it is none; the reason is `InvalidPlatform`.
    """
    parts = text.split("/")
    if len(parts) not in {2, 3} or not all(parts) or text != text.strip():
        wanted = "expected OS/ARCHITECTURE[/VARIANT], as linux/arm64"
        raise RegistryError("InvalidPlatform", f"not a platform: {wanted}")
    return Platform(*parts)


async def of_platform(
    source: Source, image: Image, wanted: Platform, limits: Limits
) -> Subject:
    """The manifest that nodes of a platform run, by admission's rule.

    Of an image of one manifest it is that, if its config says that it is for the
    platform.

    Raises:
        RegistryError: there is none; the reason is `NoSuchPlatform`.
    """
    if image.root.is_index:
        entry = manifests.child_for([one.entry for one in image.children], wanted)
        for child in image.children:
            if entry is not None and child.digest == manifests.digest_of(entry):
                return child
        names = ", ".join(sorted({one.platform for one in image.children})) or "none"
        text = f"the image has no manifest for {wanted}; it has: {names[:300]}"
        raise RegistryError("NoSuchPlatform", text)
    if await _is_for(source, image.content, wanted, limits):
        return image.root
    text = f"the image is one manifest, whose config does not say {wanted}"
    raise RegistryError("NoSuchPlatform", text)


class _Config(msgspec.Struct):
    os: str = ""
    architecture: str = ""
    variant: str = ""


async def _is_for(
    source: Source, content: bytes, wanted: Platform, limits: Limits
) -> bool:
    config = manifests.read_manifest(content).config
    if config is None:
        return False
    most = max(_CONFIG_BYTES, limits.spec_bytes)
    try:
        read = await source.blob(manifests.digest_of(config), most_bytes=most)
        said = msgspec.json.decode(read, type=_Config)
    except (msgspec.DecodeError, UnicodeDecodeError, NotThereError):
        return False
    one = manifests.PlatformField(said.os, said.architecture, said.variant)
    entry = Descriptor(platform=one)
    return manifests.child_for([entry], wanted) is not None
