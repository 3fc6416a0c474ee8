"""Where artifacts are written: what a registry and a layout have in common.

A `Store` is one image in one repository or layout: it reads as `source.Source`
does, and writes. Each call has a deadline of its own; nothing is sent twice that
may take effect twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, TypeAlias

from app.errors import RegistryError
from app.oci.images.digest import Digest
from app.oci.images.source import Source

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is done now, how many steps are done, and of how many."""

RawDescriptor: TypeAlias = Mapping[str, object]
"""A descriptor as it stands in a manifest, keys in the order of Go."""


def silent(what: str, done: int, total: int) -> None:
    """Reports nothing; the default `Progress`."""
    del what, done, total


@dataclass(frozen=True, slots=True)
class Pushed:
    """A manifest is there.

    Attributes:
        digest: of it.
        is_listed: whether the store lists it among the referrers of its subject by
            itself; if not, it must be put into the index under the fallback tag.
    """

    digest: Digest
    is_listed: bool


class Deletion(Enum):
    """How the deletion of a manifest ended."""

    DELETED = "deleted"
    MISSING = "missing"
    FORBIDDEN = "forbidden"
    """The registry does not let anybody delete."""


@dataclass(frozen=True, slots=True)
class Tagged:
    """What a tag points to.

    Attributes:
        content: the manifest's or index's bytes.
        media_type: its own, else as the store says.
        version: the strong `ETag` it came with, `""` for none.
    """

    content: bytes
    media_type: str
    version: str = ""


Edit: TypeAlias = Callable[[Tagged | None], bytes | None]
"""Makes an index of what a tag points to; `None` to leave that as it is."""


class Edited(Enum):
    """How a change of a tag ended."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    """There was nothing to change."""
    OVERTAKEN = "overtaken"
    """Somebody else changed the tag in between, or took too long; nothing was written
    that is known of."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Something could not be done for one image; nothing half done is left that counts.

    Attributes:
        image: as the user named it.
        reason: one stable CamelCase word (`ImageNotFound`, `Unauthorized`,
            `Timeout`, `NoSuchPlatform`, `Lost`, ...).
        detail: for a person: what happened, and what to do where that is known.
    """

    image: str
    reason: str
    detail: str

    @classmethod
    def of(cls, image: str, error: RegistryError) -> Failed:
        """What an error of a store means for one image."""
        return cls(image, error.reason, error.message)


class Store(Source, Protocol):
    """One image in a repository or layout, to read and to write.

    Each method raises `LookupFailedError` where there is no answer, and
    `NotThereError` for content that is asked for by its digest.
    """

    @property
    def name(self) -> str:
        """The image as the user named it."""
        ...

    @property
    def place(self) -> str:
        """The repository or folder; images of one place share blobs and manifests."""
        ...

    async def described(self, digest: Digest) -> RawDescriptor:
        """More about the manifest that the reference names, if that has `digest`.

        A layout has annotations of its own for it, which `oras attach` copies into
        the subject. Empty for registries.
        """
        ...

    async def has(self, digest: Digest) -> bool:
        """Whether there is a manifest of this digest."""
        ...

    async def has_blob(self, digest: Digest) -> bool:
        """Whether there is a blob of this digest."""
        ...

    async def put_blob(self, digest: Digest, content: bytes) -> bool:
        """Stores a blob; false if it was there already."""
        ...

    async def put_manifest(
        self, digest: Digest, content: bytes, media_type: str
    ) -> Pushed:
        """Stores a manifest under its digest."""
        ...

    async def delete_manifest(self, digest: Digest) -> Deletion:
        """Deletes a manifest, and what only it needs where the store knows that."""
        ...

    async def tagged(self, tag: str, *, most_bytes: int) -> Tagged | None:
        """What a tag points to; `None` if there is no such tag."""
        ...

    async def edit_tag(self, tag: str, edit: Edit, *, most_bytes: int) -> Edited:
        """Reads what a tag points to, changes it, and points the tag to that.

        One try. Where the store cannot do this as one step, somebody else's change
        in between can be lost; see `settle`.

        Args:
            tag: its name.
            edit: makes the new index of the old one; what it raises comes through.
            most_bytes: of the old one.
        """
        ...

    async def settle(self) -> None:
        """Waits until nobody can still write who read before us.

        A writer finishes `edit_tag` within a bounded time. So who looks again after
        that time, and finds what it wrote, has not been overwritten by a writer that
        had not seen it.
        """
        ...
