"""JSON as Go writes it, so that what we write is what `oras` writes.

Go's `encoding/json` is compact, keeps the order of a struct's fields, sorts the keys
of maps, and escapes what HTML could mistake (`<`, `>`, `&`, U+2028, U+2029).

Source: Go `encoding/json/encode.go` (`Marshal`, `HTMLEscape`); OCI image-spec v1.1
`specs-go/v1/descriptor.go` for the order of a descriptor's fields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

_ESCAPES: Final = str.maketrans(
    {mark: f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"}
)
_FIELDS: Final = (
    "mediaType",
    "digest",
    "size",
    "urls",
    "annotations",
    "data",
    "platform",
    "artifactType",
)
_PLATFORM: Final = ("architecture", "os", "os.version", "os.features", "variant")
_ALWAYS: Final = frozenset({"mediaType", "digest", "size", "architecture", "os"})
"""Written even when empty."""


def dump(value: object) -> bytes:
    """Compact JSON, keys in the order given."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.translate(_ESCAPES).encode("utf-8", "replace")


def descriptor(raw: Mapping[str, object]) -> dict[str, object]:
    """A descriptor as Go would write it after reading `raw`.

    Unknown fields go; empty ones, too, where they may be left out.
    """
    read = dict(raw)
    annotations, platform = read.get("annotations"), read.get("platform")
    if isinstance(annotations, Mapping):
        read["annotations"] = dict(sorted(annotations.items()))
    if isinstance(platform, Mapping):
        read["platform"] = _picked(platform, _PLATFORM)
    return _picked(read, _FIELDS)


def _picked(raw: Mapping[str, object], names: tuple[str, ...]) -> dict[str, object]:
    return {
        name: raw.get(name, "")
        for name in names
        if name in _ALWAYS or raw.get(name) not in (None, "", [], {})
    }
