"""Manifests and indexes, decoded as far as finding an artifact needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

import msgspec

from app.errors import RegistryError
from app.oci.images.digest import Digest
from app.ports import Platform

ARTIFACT_TYPE: Final = "application/vnd.nfd.image-compatibility.v1alpha1"
"""NFD `pkg/client-nfd/compat/artifact-client/client.go` at v0.19.0."""

SPEC_TYPE: Final = "application/vnd.nfd.image-compatibility.spec.v1alpha1+yaml"
EMPTY_TYPE: Final = "application/vnd.oci.empty.v1+json"
OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"

INDEX_TYPES: Final = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFEST_TYPES: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
KNOWN_TYPES: Final = INDEX_TYPES | MANIFEST_TYPES
DOCKER_SCHEMA_1: Final = frozenset(
    {
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
    }
)
"""What registries still hold of before 2016. A digest is not that of the bytes: it
leaves the signatures out."""
ACCEPT: Final = f"{OCI_INDEX}, {OCI_MANIFEST}, {DOCKER_LIST}, {DOCKER_MANIFEST}"

CREATED: Final = "org.opencontainers.image.created"
_ARCHITECTURES: Final = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64"}
"""Other words for an architecture, read as containerd reads them."""

_VARIANTS: Final = {"arm64": ("", "v8"), "arm": ("v7", "", "v6", "v5")}
"""Variants that a node of the architecture runs, best first."""
_BARE: Final = {"amd64": "v1", "arm": "v7", "arm64": "v8"}
"""The variant that is meant where none is named; as containerd reads it."""
_ATTESTATION: Final = "unknown"
"""Operating system and architecture of what buildkit attests about a build."""


class PlatformField(msgspec.Struct, rename="lower"):
    """`platform` of a descriptor."""

    os: str = ""
    architecture: str = ""
    variant: str = ""
    os_version: str = msgspec.field(default="", name="os.version")


class Descriptor(msgspec.Struct, rename="camel"):
    """A pointer to content: its type, digest and size in bytes."""

    digest: str = ""
    size: int = 0
    media_type: str = ""
    artifact_type: str = ""
    platform: PlatformField | None = None
    annotations: Mapping[str, str] | None = None


class Manifest(msgspec.Struct, rename="camel"):
    """An image manifest or an artifact's."""

    media_type: str = ""
    artifact_type: str = ""
    config: Descriptor | None = None
    layers: list[Descriptor] | None = None
    subject: Descriptor | None = None
    annotations: Mapping[str, str] | None = None

    @property
    def type(self) -> str:
        """Its artifact type: the field, else the config's media type."""
        config = self.config.media_type if self.config is not None else ""
        return self.artifact_type or config


class Index(msgspec.Struct, rename="camel"):
    """A list of manifests."""

    media_type: str = ""
    manifests: list[Descriptor] | None = None


_T = TypeVar("_T")
_manifests: Final = msgspec.json.Decoder(Manifest)
_indexes: Final = msgspec.json.Decoder(Index)


def read_manifest(content: bytes) -> Manifest:
    """Decodes a manifest.

    Raises:
        RegistryError: it is none; the reason is `InvalidManifest`.
    """
    return _decode(_manifests, content, "manifest")


def read_index(content: bytes) -> Index:
    """Decodes an index.

    Raises:
        RegistryError: it is none; the reason is `InvalidManifest`.
    """
    return _decode(_indexes, content, "index")


def _decode(decoder: msgspec.json.Decoder[_T], content: bytes, what: str) -> _T:
    try:
        return decoder.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text = f"not a valid {what}"
        raise RegistryError("InvalidManifest", text) from error


class _Shape(msgspec.Struct, rename="camel"):
    """What tells a manifest from an index, where neither type says it."""

    media_type: str = ""
    manifests: list[msgspec.Raw] | None = None
    layers: list[msgspec.Raw] | None = None


_shapes: Final = msgspec.json.Decoder(_Shape)


def type_of(content: bytes, said: str) -> str:
    """The media type of a manifest or index: its own, else as said, else by shape.

    Args:
        content: the manifest's bytes.
        said: the `Content-Type` it came with, without parameters.

    Returns:
        One of `KNOWN_TYPES`, or `""` for something else.

    Raises:
        RegistryError: the two types differ, or the content is no JSON object.
    """
    shape = _decode(_shapes, content, "manifest")
    own = shape.media_type
    if own and said in KNOWN_TYPES and own != said:
        text = "a manifest's own media type is another than the registry says"
        raise RegistryError("TypeMismatch", text)
    for one in (own, said):
        if one in KNOWN_TYPES:
            return one
    if own:
        return ""
    if shape.manifests is not None:
        return OCI_INDEX
    return OCI_MANIFEST if shape.layers is not None else ""


def digest_of(descriptor: Descriptor) -> Digest:
    """The descriptor's digest.

    Raises:
        RegistryError: it is none of ours; the reason is `InvalidManifest`.
    """
    digest = Digest.parse(descriptor.digest)
    if digest is None:
        raise RegistryError("InvalidManifest", "a descriptor has no usable digest")
    return digest


def is_runnable(child: Descriptor) -> bool:
    """Whether a manifest of an index is an image's, not an attestation."""
    platform = child.platform
    if platform is None:
        return _is_for_any(child)
    return _ATTESTATION not in (platform.os, platform.architecture)


def child_for(listed: Iterable[Descriptor], platform: Platform) -> Descriptor | None:
    """The manifest of an index that a node of `platform` runs.

    Attestations (`unknown/unknown`) match no platform. Of several variants the
    best that every node of the architecture runs counts; else the first listed. A
    manifest without a platform may be for any, so it counts where no other does
    (containerd then asks the image's config). Versions of an operating system,
    which only Windows has, count if one is asked for: NFD describes no such node.
    """
    children = [child for child in listed if is_runnable(child)]
    fitting = [
        (child.platform.variant, child)
        for child in children
        if child.platform is not None and _is_for(child.platform, platform)
    ]
    for wanted in _VARIANTS.get(platform.architecture, ("",)):
        for variant, child in fitting:
            if variant == wanted:
                return child
    anywhere = [child for child in children if _is_for_any(child)]
    return next(iter((*(child for _, child in fitting), *anywhere)), None)


def platform_of(field: PlatformField) -> Platform:
    """Of which platform the nodes are that run it, in Go's words, without variant."""
    architecture = field.architecture.lower()
    architecture = _ARCHITECTURES.get(architecture, architecture)
    return Platform(field.os.lower(), architecture)


def _is_for(field: PlatformField, platform: Platform) -> bool:
    nodes = platform_of(field)
    architecture = nodes.architecture
    if nodes != Platform(platform.os, platform.architecture):
        return False
    bare = _BARE.get(architecture, "")
    is_variant = (field.variant or bare) == (platform.variant or bare)
    if platform.variant and not is_variant:
        return False
    version = field.os_version
    wanted = platform.os_version
    return not wanted or f"{version}.".startswith(f"{wanted}.")


def _is_for_any(child: Descriptor) -> bool:
    return (
        child.platform is None
        and not child.artifact_type
        and child.media_type in MANIFEST_TYPES
    )
