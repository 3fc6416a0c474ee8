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

import asyncio
import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from app.compat import parse
from app.errors import RegistryError, SpecError
from app.oci.images import manifests, selection
from app.oci.images.digest import Digest
from app.oci.images.manifests import CREATED, SPEC_TYPE, Descriptor
from app.oci.limits import Limits
from app.oci.writing import encoding, pushing, subjects
from app.oci.writing.showing import show
from app.oci.writing.steps import Step, Steps
from app.oci.writing.store import Failed, Progress, Store, silent
from app.oci.writing.subjects import Subject

TITLE: Final = "spec.yaml"
"""The file name of a spec that has none."""

TITLED: Final = "org.opencontainers.image.title"
AT_ONCE: Final = 4
"""Images that are worked on at the same time."""

_EMPTY: Final = b"{}"
"""The config of an artifact that has none."""


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
    if len(content) > limits.spec_bytes:
        text = f"the spec has {len(content)} bytes, and readers take"
        raise SpecError("TooLarge", f"{text} {limits.spec_bytes} at the most")
    try:
        parse.read_for_admission(content)
    except SpecError as error:
        if not force:
            raise
        return Spec(content, title, fault=error.message)
    return Spec(content, title)


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
    shown = await show(store, limits, platform=platform)
    if isinstance(shown, Failed):
        raise RegistryError(shown.reason, shown.detail)
    digest = manifests.digest_of(Descriptor(shown.digest))
    content = await store.manifest(digest, most_bytes=limits.artifact_bytes)
    (layer,) = manifests.read_manifest(content).layers or []
    title = (layer.annotations or {}).get(TITLED, TITLE)
    return read(shown.content, title=title, limits=limits)


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
    given = dict(annotations or {})
    dated = {**given, CREATED: given.get(CREATED, created)}
    steps = Steps(progress, len(stores) * (1 + pushing.STEPS))
    wanted = _Wanted(spec, limits, platform, dated, dry_run)
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(store: Store) -> Attached | Failed:
        async with turns:
            own = steps.of(store.name, 1 + pushing.STEPS)
            try:
                return await _attach(store, wanted, own)
            except RegistryError as error:
                return Failed.of(store.name, error)
            finally:
                own.end()

    outcomes = await asyncio.gather(*map(one, stores))
    return tuple(outcomes)


@dataclass(frozen=True, slots=True)
class _Wanted:
    spec: Spec
    limits: Limits
    platform: str | None
    annotations: Mapping[str, str]
    is_dry: bool


async def _attach(store: Store, wanted: _Wanted, step: Step) -> Attached:
    step("image")
    limits = wanted.limits
    created = wanted.annotations[CREATED]
    if selection.instant(created) is None:
        raise RegistryError("InvalidDate", "expected a date as 2026-03-01T00:00:00Z")
    image = await subjects.read(store, limits)
    subject = image.root.described(await store.described(image.root.digest))
    if wanted.platform is not None:
        platform = subjects.platform(wanted.platform)
        found = await subjects.of_platform(store, image, platform, limits)
        subject = subject if found is image.root else found
    if len(await store.referrers(subject.digest)) >= limits.descriptors:
        text = f"{limits.descriptors} artifacts refer to it already, and readers"
        raise RegistryError("TooManyReferrers", f"{text} take no more")
    artifact = build(wanted.spec, subject, wanted.annotations)
    by_tag = None
    if not wanted.is_dry:
        by_tag = await pushing.push(store, artifact, limits, step=step)
    return Attached(
        image=store.name,
        subject=str(subject.digest),
        platform=subject.platform,
        is_index=subject.is_index,
        digest=str(artifact.digest),
        manifest=artifact.manifest,
        spec_digest=str(Digest.of(wanted.spec.content)),
        created=created,
        by_tag=by_tag,
        is_done=not wanted.is_dry,
    )


def build(
    spec: Spec, subject: Subject, annotations: Mapping[str, str]
) -> pushing.Artifact:
    """The artifact that attaches a spec to a subject; its bytes are those of `oras`."""
    layer = {
        "mediaType": spec.media_type,
        "digest": str(Digest.of(spec.content)),
        "size": len(spec.content),
        "annotations": {TITLED: spec.title},
    }
    config = {
        "mediaType": manifests.EMPTY_TYPE,
        "digest": str(Digest.of(_EMPTY)),
        "size": len(_EMPTY),
        "data": base64.b64encode(_EMPTY).decode(),
    }
    content = encoding.dump(
        {
            "schemaVersion": 2,
            "mediaType": manifests.OCI_MANIFEST,
            "artifactType": manifests.ARTIFACT_TYPE,
            "config": config,
            "layers": [layer],
            "subject": subject.descriptor,
            "annotations": dict(sorted(annotations.items())),
        }
    )
    blobs = (spec.content, _EMPTY)
    return pushing.Artifact(
        Digest.of(content),
        content,
        manifests.OCI_MANIFEST,
        tuple((Digest.of(one), one) for one in blobs),
        subject.digest,
    )
