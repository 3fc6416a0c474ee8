"""Go's durations (`12h`, `1h30m`, `250ms`), as `time.ParseDuration` reads them."""

from __future__ import annotations

import re
from typing import Final

_UNITS: Final = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "\u03bcs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_PART: Final = re.compile(
    "([0-9]+(?:\\.[0-9]*)?|\\.[0-9]+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)", re.ASCII
)
_MAX_CHARACTERS: Final = 64
_MAX_SECONDS: Final = (2**63 - 1) / 1e9


def seconds_of(text: str) -> float | None:
    """A duration in seconds; `None` if the text is none, or longer than Go's are."""
    sign = -1.0 if text.startswith("-") else 1.0
    bare = text[1:] if text.startswith(("-", "+")) else text
    if bare == "0":
        return 0.0
    if not bare or len(bare) > _MAX_CHARACTERS:
        return None
    total, at = 0.0, 0
    while at < len(bare):
        part = _PART.match(bare, at)
        if part is None:
            return None
        total += float(part[1]) * _UNITS[part[2]]
        at = part.end()
    return sign * total if total <= _MAX_SECONDS else None
