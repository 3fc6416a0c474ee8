"""The spec of an image that counts, as its author wrote it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, assert_never

from app.errors import RegistryError
from app.oci.images import artifact, finding
from app.oci.images.manifests import INDEX_TYPES
from app.oci.images.source import Source
from app.oci.limits import Limits
from app.oci.writing import subjects
from app.oci.writing.remembering import Remembering
from app.oci.writing.store import Failed, Store
from app.ports import (
    Found,
    ImageNotFound,
    ImageOutcome,
    Invalid,
    Missing,
    Platform,
    PlatformAbsent,
    PlatformOutcome,
    Resolved,
    Unauthorized,
    Unavailable,
)

ANY: Final = Platform("", "")
"""Of an image of one manifest, whatever its nodes."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The spec that counts.

    Attributes:
        image: as the user named it.
        image_digest: of what the reference names.
        subject: digest of what the artifact is attached to.
        is_index: whether that is an index, so that the spec holds for all of its
            platforms that have none of their own.
        digest: of the artifact's manifest.
        spec_digest: of the spec.
        content: the spec's bytes.
        created: the artifact's date as written, `None` for none.
    """

    image: str
    image_digest: str
    subject: str
    is_index: bool
    digest: str
    spec_digest: str
    content: bytes = field(repr=False)
    created: str | None


async def show(
    store: Store, limits: Limits, *, platform: str | None = None
) -> Shown | Failed:
    """The spec that counts; never raises for an outcome.

    Args:
        store: the image.
        limits: every bound, as for admission.
        platform: `os/architecture`; admission's own answer for its nodes. Without
            one, what is attached to what the reference names: the index's for an
            image for several platforms.

    Returns:
        `Failed` with the reason `NoSpec` where nothing is attached, and
        `NoSuchPlatform` where the index lacks the platform.
    """
    source = Remembering(store)
    try:
        return await _show(store.name, source, limits, platform)
    except RegistryError as error:
        return Failed.of(store.name, error)
    finally:
        await source.close()


async def _show(
    name: str, source: Source, limits: Limits, platform: str | None
) -> Shown | Failed:
    wanted = ANY if platform is None else subjects.platform(platform)
    root = await source.resolve()
    is_index = root.media_type in INDEX_TYPES
    outcome: ImageOutcome | PlatformOutcome
    if is_index and platform is None:
        outcome = await artifact.find(source, root.digest, limits)
    else:
        outcome = await finding.find(source, [wanted], limits)
        if isinstance(outcome, Resolved):
            outcome = outcome.platforms[wanted]
    if not isinstance(outcome, Found):
        return failed(name, outcome)
    return Shown(
        image=name,
        image_digest=str(root.digest),
        subject=outcome.subject,
        is_index=is_index and outcome.subject == str(root.digest),
        digest=outcome.digest,
        spec_digest=outcome.spec_digest,
        content=outcome.content,
        created=outcome.created,
    )


def failed(name: str, outcome: ImageOutcome | PlatformOutcome) -> Failed:
    """Why an outcome holds no spec."""
    match outcome:
        case Missing():
            return Failed(name, "NoSpec", "no compatibility spec is attached to it")
        case PlatformAbsent():
            return Failed(name, "NoSuchPlatform", "the image lacks this platform")
        case Invalid() | Unavailable():
            return Failed(name, outcome.reason, outcome.detail)
        case Unauthorized() | ImageNotFound():
            return Failed(name, type(outcome).__name__, outcome.detail)
        case Found() | Resolved():
            raise TypeError("there is a spec")
        case _:
            assert_never(outcome)
