"""The spec of an image that counts, as its author wrote it."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.oci.limits import Limits
from app.oci.writing.store import Failed, Store


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
    raise NotImplementedError
