"""Reads `/proc/cpuinfo`: what the kernel says of the first processor.

x86-64: the kernel's flags, which are many of NFD's under other names. arm64: the
kernel's names are NFD's in small letters, and the identification register in parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.compat.gotext import trimmed

PATH: Final = "/proc/cpuinfo"

_MARKS: Final = {"vendor_id": "x86_64", "CPU implementer": "aarch64"}
"""A field that only this kind of processor has -> the kind."""


def first_processor(text: str) -> dict[str, str]:
    """Field -> value, of the first of the blocks that empty lines end."""
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        name, colon, value = line.partition(":")
        if not colon:
            if fields:
                break
            continue
        fields.setdefault(trimmed(name), trimmed(value))
    return fields


def machine_of(text: str) -> str | None:
    """The kind of processor, as `platform.machine()` calls it.

    Returns:
        `x86_64`, `aarch64`, or `None` for one that is neither.
    """
    fields = first_processor(text)
    return next((kind for mark, kind in _MARKS.items() if mark in fields), None)


def number(fields: Mapping[str, str], name: str) -> int:
    """A field's value, decimal or with `0x`; 0 if there is none."""
    value = fields.get(name, "")[:20]
    try:
        return max(0, int(value, 16 if value.startswith("0x") else 10))
    except ValueError:
        return 0
