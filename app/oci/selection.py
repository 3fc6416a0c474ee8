"""Which of several artifacts counts.

1. A candidate is a descriptor of our artifact type. A type that is absent or that
   of an empty config says nothing (ggcr's registry and Harbor report it so): the
   caller looks at the manifest.
2. The newest `org.opencontainers.image.created` (RFC 3339) counts; a missing or
   unreadable date is the oldest; ties are broken by digest, smallest first.

Source: NFD `artifact-client/client.go#L75` at v0.19.0, where ties are unstable.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Final

from app.oci.manifests import ARTIFACT_TYPE, CREATED, EMPTY_TYPE, Descriptor

_UNTYPED: Final = frozenset({"", EMPTY_TYPE})
_RFC3339: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?"
    r"(?:[Zz]|([+-])(\d{2}):(\d{2}))",
    re.ASCII,
)
_OLDEST: Final = (dt.datetime.min.replace(tzinfo=dt.UTC), 0)


def is_ours(descriptor: Descriptor) -> bool:
    """Whether the descriptor says that it is a compatibility artifact."""
    return descriptor.artifact_type == ARTIFACT_TYPE


def may_be_ours(descriptor: Descriptor) -> bool:
    """Whether only the manifest itself can tell."""
    return descriptor.artifact_type in _UNTYPED


def newest_first(candidates: Iterable[Descriptor]) -> list[Descriptor]:
    """The candidates in the order in which they count; one for each digest."""
    distinct = {one.digest: one for one in candidates}
    ordered = sorted(distinct.values(), key=lambda one: one.digest)
    return sorted(ordered, key=_created, reverse=True)


def _created(descriptor: Descriptor) -> tuple[dt.datetime, int]:
    """The instant, and its fraction in nanoseconds."""
    text = (descriptor.annotations or {}).get(CREATED, "")
    return instant(text) or _OLDEST


def instant(text: str) -> tuple[dt.datetime, int] | None:
    """An RFC 3339 time as (UTC second, nanoseconds); `None` if it is none."""
    found = _RFC3339.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(found[n]) for n in range(1, 7))
    offset = dt.timedelta(hours=int(found[9] or 0), minutes=int(found[10] or 0))
    try:
        zone = dt.timezone(-offset if found[8] == "-" else offset)
        moment = dt.datetime(year, month, day, hour, minute, second, tzinfo=zone)
        utc = moment.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return utc, int((found[7] or "0")[:9].ljust(9, "0"))
