"""Where images are read from: what a registry and a layout have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.oci.images.digest import Digest
from app.oci.images.manifests import Descriptor


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
