"""Which of several artifacts counts.

1. A candidate is a descriptor of our artifact type. A type that is absent or that
   of an empty config says nothing (ggcr's registry and Harbor report it so): the
   caller looks at the manifest, if it is one: a build's cache lists layers.
2. The newest `org.opencontainers.image.created` (RFC 3339) counts; a missing or
   unreadable date is the oldest; ties are broken by digest, smallest first.

Source: NFD `artifact-client/client.go#L75` at v0.19.0, where ties are unstable.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, TypeAlias

from app.compat import rfc3339
from app.oci.images.manifests import (
    ARTIFACT_TYPE,
    CREATED,
    EMPTY_TYPE,
    MANIFEST_TYPES,
    Descriptor,
)

_UNTYPED: Final = frozenset({"", EMPTY_TYPE})
_MANIFESTS: Final = MANIFEST_TYPES | {""}
_FRACTION: Final = re.compile(r"[.,]([0-9]{1,9})")

Instant: TypeAlias = tuple[int, str, str]
"""Sorts as time does: length of the next, UTC to the second, nanoseconds."""

_OLDEST: Final[Instant] = (0, "", "")

TOLERATED_SECONDS: Final = 86400.0
"""Clocks may differ, and time zones be mistaken."""


def is_ours(descriptor: Descriptor) -> bool:
    """Whether the descriptor says that it is a compatibility artifact."""
    return descriptor.artifact_type == ARTIFACT_TYPE


def may_be_ours(descriptor: Descriptor) -> bool:
    """Whether only the manifest itself can tell."""
    is_manifest = descriptor.media_type in _MANIFESTS
    return is_manifest and descriptor.artifact_type in _UNTYPED


def newest_first(candidates: Iterable[Descriptor]) -> list[Descriptor]:
    """The candidates in the order in which they count; one for each digest."""
    distinct = {one.digest: one for one in candidates}
    ordered = sorted(distinct.values(), key=lambda one: one.digest)
    return sorted(ordered, key=_created, reverse=True)


def is_dated(descriptor: Descriptor) -> bool:
    """Whether the descriptor carries a date, readable or not."""
    return CREATED in (descriptor.annotations or {})


def _created(descriptor: Descriptor) -> Instant:
    text = (descriptor.annotations or {}).get(CREATED, "")
    return instant(text) or _OLDEST


def is_future(text: str, *, now: float) -> bool:
    """Whether a date lies further ahead than clocks differ; `now` in Unix seconds."""
    latest = datetime.fromtimestamp(now + TOLERATED_SECONDS, UTC)
    tolerated = instant(latest.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return (instant(text) or _OLDEST) > (tolerated or _OLDEST)


def instant(text: str) -> Instant | None:
    """An RFC 3339 time as Go reads it; `None` if it is none, or Go's zero time."""
    try:
        utc = rfc3339.normalise(text)
    except ValueError:
        return None
    if utc is None or utc.startswith(("-", "0000")):
        return None
    fraction = _FRACTION.search(text)
    nanoseconds = fraction[1].ljust(9, "0") if fraction is not None else "0" * 9
    return len(utc), utc, nanoseconds
