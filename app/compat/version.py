"""Versions and numbers as NFD reads them.

Versions are those of Masterminds semver v3.5.0 in its coercing mode (NFD
`expression.go#L608` at v0.19.0): a leading `v`, one to three numbers, then a
pre-release and metadata that must be well formed and do not count. Numbers are
those of Go's `strconv.Atoi` on a 64-bit machine. "It is none" is `None`.
"""

from __future__ import annotations

import re
from typing import Final, TypeAlias

Version: TypeAlias = tuple[int, int, int]
"""Major, minor and patch; what is missing is 0."""

MAX_VERSION_BYTES: Final = 256
_MAX_UINT64: Final = 2**64 - 1
_MAX_INT64: Final = 2**63 - 1
_INT64_DIGITS: Final = 19

_IDENTIFIERS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION: Final = re.compile(
    rf"v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-({_IDENTIFIERS}))?"
    rf"(?:\+{_IDENTIFIERS})?"
)
_NUMBER: Final = re.compile(r"[+-]?[0-9]+")
_LEADING_ZERO: Final = re.compile(r"(?:^|\.)0[0-9]+(?:\.|$)")


def version(text: str) -> Version | None:
    """Reads a version; `5.15.0-1034-aws` is 5.15.0, `5.14.0-362.el9_3` is none."""
    if len(text) > MAX_VERSION_BYTES:
        return None
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    major, minor, patch, pre_release = found.groups()
    if pre_release and _LEADING_ZERO.search(pre_release):
        return None
    numbers = (int(major), int(minor or 0), int(patch or 0))
    return numbers if max(numbers) <= _MAX_UINT64 else None


def number(text: str) -> int | None:
    """Reads a decimal number of 64 bits; one sign and leading zeros are fine."""
    if not _NUMBER.fullmatch(text):
        return None
    digits = text.lstrip("+-").lstrip("0")
    if len(digits) > _INT64_DIGITS:
        return None
    value = int(digits or "0")
    if text[0] == "-":
        return -value if value <= _MAX_INT64 + 1 else None
    return value if value <= _MAX_INT64 else None
