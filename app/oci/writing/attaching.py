"""Attaches a spec to images, as `oras attach` does, byte for byte.

1. The spec is read as admission reads it; an invalid one is refused, unless forced.
2. What the reference names is the subject: of an image for several platforms the
   index. With a platform it is the manifest that nodes of that platform run.
3. Layer, empty config, manifest by its digest; then, if the registry does not list
   referrers by itself, the index under the fallback tag. Whatever fails before the
   last step leaves nothing that a reader finds.

Source: OCI image-spec v1.1 `manifest.md` *Guidelines for Artifact Usage*;
distribution-spec v1.1 *Pushing Manifests with Subject*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.oci.limits import Limits
from app.oci.manifests import SPEC_TYPE
from app.oci.writing.store import Failed, Progress, Store, silent

TITLE = "spec.yaml"
"""The file name of a spec that has none."""


@dataclass(frozen=True, slots=True)
class Spec:
    """What is to be attached; see `read` and `reuse`.

    Attributes:
        content: the spec's bytes.
        title: the file name that a client gives it when it is pulled.
        media_type: of the layer.
        fault: why NFD or admission will not accept it; `""` for a valid one.
    """

    content: bytes = field(repr=False)
    title: str = TITLE
    media_type: str = SPEC_TYPE
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Attached:
    """The spec is attached to one image, or would be.

    Attributes:
        image: as the user named it.
        subject: digest of what it is attached to.
        platform: `os/architecture[/variant]` if that is one platform's manifest,
            else `""`.
        is_index: whether it is an index, so that the spec holds for all platforms
            that have none of their own.
        digest: of the artifact's manifest.
        manifest: its bytes.
        spec_digest: of the spec.
        created: its date.
        by_tag: whether it had to be listed under the fallback tag; `None` if that
            is not known before it is pushed (`is_done` is false).
        is_done: false for a dry run.
    """

    image: str
    subject: str
    platform: str
    is_index: bool
    digest: str
    manifest: bytes = field(repr=False)
    spec_digest: str
    created: str
    by_tag: bool | None
    is_done: bool


def read(
    content: bytes, *, title: str = TITLE, force: bool = False, limits: Limits
) -> Spec:
    """A spec that may be attached.

    Args:
        content: the file's bytes (YAML or JSON).
        title: the file's name without folders.
        force: take it though it is invalid; `Spec.fault` says why it is.
        limits: `spec_bytes` holds even then, because no reader takes more.

    Raises:
        SpecError: it is invalid, or larger than readers take (`TooLarge`).
    """
    raise NotImplementedError


async def reuse(store: Store, limits: Limits, *, platform: str | None = None) -> Spec:
    """The spec of another image, to attach it again.

    Without a platform it is the one that is attached to what the reference names
    (of an image for several platforms: the index's), with one it is the one that
    counts for that platform, as `showing.show` finds it. Its bytes and its title
    stay as they are; it is checked as `read` does.

    Raises:
        RegistryError: the image has none (`NoSpec`), or it cannot be read.
        SpecError: the other image's spec is invalid itself.
    """
    raise NotImplementedError


async def attach(
    stores: Sequence[Store],
    spec: Spec,
    limits: Limits,
    *,
    created: str,
    platform: str | None = None,
    annotations: Mapping[str, str] | None = None,
    dry_run: bool = False,
    progress: Progress = silent,
) -> tuple[Attached | Failed, ...]:
    """Attaches a spec to each of several images; never raises for an outcome.

    Args:
        stores: the images.
        spec: what is attached.
        limits: every bound.
        created: the date, RFC 3339, as `2026-03-01T00:00:00Z`: whole seconds, UTC.
        platform: `os/architecture[/variant]`: attach it to that manifest.
        annotations: further ones of the artifact; one of `created` wins.
        dry_run: say what would be done, send nothing that writes.
        progress: called before each step, and at the end.

    Returns:
        An outcome for each image, in their order.
    """
    raise NotImplementedError
