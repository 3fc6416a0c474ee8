"""What an image says of itself: platform, environment and labels; no layer is read.

1. What the reference names is resolved; of an index the manifests that an image can
   run from count, or the one of a platform.
2. Of each its manifest is read, then its configuration: verified, and bounded.
3. The platform is the index's word, which nodes choose by; what that leaves open is
   the configuration's.

Source: OCI image-spec v1.1 `config.md`; Docker's is the same in what counts here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from app.errors import RegistryError
from app.oci.images import manifests
from app.oci.images.manifests import PlatformField
from app.oci.images.source import Source
from app.oci.limits import Limits
from app.oci.writing import subjects
from app.oci.writing.remembering import Remembering
from app.oci.writing.store import Failed, Store
from app.oci.writing.subjects import Subject
from app.ports import Platform

MAX_CONFIGURATION_BYTES: Final = 1 << 20
"""Of one configuration; its largest part is the history of its layers."""

MAX_PLATFORMS: Final = 16
"""Of one image; official images have up to ten."""

TYPES: Final = frozenset(
    {
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.docker.container.image.v1+json",
    }
)

CALLERS_FAULT: Final = frozenset(
    {"InvalidPlatform", "NoSuchPlatform", "NoConfiguration", "TooManyPlatforms"}
)
"""Reasons for which another image or platform must be named."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """What one manifest of an image says of itself.

    Attributes:
        platform: that it is for, in Go's words.
        environment: of its process: name -> value. Never to be logged.
        labels: name -> value.
    """

    platform: Platform
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)


async def read(
    store: Store, limits: Limits, *, platform: str | None = None
) -> tuple[Configuration, ...] | Failed:
    """The configurations of an image; never raises for an outcome.

    Args:
        store: the image.
        limits: every bound.
        platform: `os/architecture[/variant]`; of an index all if there is none.

    Returns:
        One for each platform, in the index's order; `Failed` with the reason
        `NoConfiguration` for what is no container image, and `TooManyPlatforms`.
    """
    source = Remembering(store)
    try:
        return await _read(source, limits, platform)
    except RegistryError as error:
        return Failed.of(store.name, error)
    finally:
        await source.close()


async def _read(
    source: Source, limits: Limits, platform: str | None
) -> tuple[Configuration, ...]:
    wanted = None if platform is None else subjects.platform(platform)
    image = await subjects.read(source, limits)
    chosen = image.children if image.root.is_index else (image.root,)
    if wanted is not None:
        chosen = (await subjects.of_platform(source, image, wanted, limits),)
    if not chosen:
        raise RegistryError("NoConfiguration", "an index without images")
    if len(chosen) > MAX_PLATFORMS:
        text = f"{len(chosen)} platforms, at most {MAX_PLATFORMS}: name one"
        raise RegistryError("TooManyPlatforms", text)
    reads = (_configuration(source, one, limits) for one in chosen)
    return tuple(await asyncio.gather(*reads))


async def _configuration(
    source: Source, subject: Subject, limits: Limits
) -> Configuration:
    content = await source.manifest(subject.digest, most_bytes=limits.manifest_bytes)
    config = manifests.read_manifest(content).config
    if config is None or config.media_type not in TYPES:
        text = "it is no container image: its config is of another type"
        raise RegistryError("NoConfiguration", text)
    digest = manifests.digest_of(config)
    blob = await source.blob(digest, most_bytes=MAX_CONFIGURATION_BYTES)
    try:
        said = msgspec.json.decode(blob, type=_Document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text = "its configuration is no valid JSON of an image"
        raise RegistryError("InvalidConfiguration", text) from error
    inner = said.config or _Process()
    pairs = (one.partition("=") for one in inner.env or ())
    return Configuration(
        _platform(subject.entry.platform, said),
        {name: value for name, _, value in pairs},
        dict(inner.labels or {}),
    )


def _platform(listed: PlatformField | None, said: _Document) -> Platform:
    """(3)."""
    own = PlatformField(said.os, said.architecture, said.variant)
    nodes = manifests.platform_of(listed or own)
    if not (nodes.os and nodes.architecture):
        nodes = manifests.platform_of(own)
    variant = (listed.variant if listed is not None else "") or said.variant
    return Platform(nodes.os, nodes.architecture, variant.lower())


class _Process(msgspec.Struct):
    env: list[str] | None = msgspec.field(default=None, name="Env")
    labels: dict[str, str] | None = msgspec.field(default=None, name="Labels")


class _Document(msgspec.Struct):
    os: str = ""
    architecture: str = ""
    variant: str = ""
    config: _Process | None = None
