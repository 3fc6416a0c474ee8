"""The time that the API server grants, from `?timeout=`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from starlette.datastructures import QueryParams

_UNITS: Final = {
    "h": 3600.0,
    "m": 60.0,
    "s": 1.0,
    "ms": 1e-3,
    "us": 1e-6,
    "µs": 1e-6,
    "ns": 1e-9,
}
_PART: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{0,9})?)(h|ms|us|µs|ns|m|s)")
_MAX_SECONDS: Final = 30.0
"""`timeoutSeconds` of a webhook is 1 to 30 (admissionregistration.k8s.io/v1)."""


@lru_cache(maxsize=16)
def granted_by_query(query: bytes, default_seconds: float) -> float:
    """`granted_seconds` of a request's query; a server sends the same all the time."""
    return granted_seconds(QueryParams(query).get("timeout"), default_seconds)


def granted_seconds(timeout: str | None, default_seconds: float) -> float:
    """Seconds that the caller waits for an answer.

    Args:
        timeout: a Go duration as the API server sends it (`5s`, `1m30s`).
        default_seconds: taken where it is absent, zero or no duration.
    """
    parts = list(_PART.finditer(timeout or ""))
    if not parts or "".join(part.group() for part in parts) != timeout:
        return default_seconds
    seconds = sum(float(part[1]) * _UNITS[part[2]] for part in parts)
    return min(seconds, _MAX_SECONDS) if seconds > 0 else default_seconds
