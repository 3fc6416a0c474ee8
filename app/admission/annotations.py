"""The annotations that tell what was found, and the patch that writes them.

`imagecompat.dev/{verdict,images,specs,nodes}` are output: set when there is a
verdict, removed when a request brings them without one, and never read. So a
value that stands on a Pod was written by us; absent means not judged in time.
`imagecompat.dev/mode` is input and left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Final

import msgspec

from app.admission.findings import Answer, ImageFinding, PodFinding
from app.admission.review import Object
from app.admission.verdict import Verdict, verdict_of

PREFIX: Final = "imagecompat.dev/"
OUTPUT_KEYS: Final = tuple(
    PREFIX + key for key in ("images", "nodes", "specs", "verdict")
)

_encode: Final = msgspec.json.Encoder().encode

_MAX_VALUE_BYTES: Final = 4096
"""All annotations of an object share 256 KiB; ours stay a footnote."""

Operation = Mapping[str, object]


def of(finding: PodFinding) -> dict[str, str]:
    """The annotations of a Pod that was judged, key -> value."""
    verdict: Verdict = verdict_of(finding)
    counts = {
        "candidates": finding.candidates,
        "fits": finding.fits,
        "unknown": finding.unknown,
    }
    return {
        PREFIX + "images": images(finding),
        PREFIX + "nodes": ",".join(f"{key}={n}" for key, n in counts.items()),
        PREFIX + "specs": specs(finding),
        PREFIX + "verdict": verdict.value,
    }


def images(finding: PodFinding) -> str:
    """Each image -> the digest of what it names, as bounded JSON.

    Marks follow in parentheses: `sha256:... (stale)`.
    """
    return _bounded({one.image: _named(one) for one in _all(finding)})


def specs(finding: PodFinding) -> str:
    """Each image -> its specs and where they are, in words if there is none."""
    return _bounded({one.image: _spec(one) for one in _all(finding)})


def kept(old: Object | None) -> dict[str, str]:
    """What stays on an object whose images did not change: what stood there.

    Args:
        old: the stored object; `None` on creation, where nothing of ours stands.
    """
    metadata = (old or {}).get("metadata")
    present = metadata.get("annotations") if isinstance(metadata, Mapping) else None
    if not isinstance(present, Mapping):
        return {}
    values = ((key, present.get(key)) for key in OUTPUT_KEYS)
    return {key: value for key, value in values if isinstance(value, str)}


def patch(obj: Object, wanted: Mapping[str, str]) -> tuple[Operation, ...]:
    """JSONPatch operations that make the output keys of `obj` equal `wanted`.

    Total: whatever shape the metadata has, the patch applies or is empty.
    """
    metadata = obj.get("metadata")
    if not isinstance(metadata, Mapping):
        return ()
    present = metadata.get("annotations")
    if present is None:
        if not wanted:
            return ()
        return ({"op": "add", "path": "/metadata/annotations", "value": dict(wanted)},)
    if not isinstance(present, Mapping):
        return ()
    return tuple(_changes(present, wanted))


def _changes(
    present: Mapping[str, object], wanted: Mapping[str, str]
) -> list[Operation]:
    operations: list[Operation] = []
    for key in OUTPUT_KEYS:
        path = "/metadata/annotations/" + key.replace("/", "~1")
        if key in wanted:
            if present.get(key) != wanted[key]:
                operations.append({"op": "add", "path": path, "value": wanted[key]})
        elif key in present:
            operations.append({"op": "remove", "path": path})
    return operations


def _all(finding: PodFinding) -> tuple[ImageFinding, ...]:
    return finding.images + finding.others


def _named(image: ImageFinding) -> str | None:
    if not image.marks:
        return image.digest
    marks = f"({', '.join(sorted(set(image.marks.values())))})"
    return f"{image.digest} {marks}" if image.digest else marks


def _spec(image: ImageFinding) -> str:
    if set(image.answers) == {Answer.MISSING}:
        return "none"
    where = ", ".join(map(str, image.artifacts))
    return where if image.specs else ": ".join(filter(None, ("not judged", where)))


def _bounded(value: Mapping[str, object]) -> str:
    """Compact JSON; entries are left out from the end where it grows too long."""
    whole = _encode(value)
    if len(whole) <= _MAX_VALUE_BYTES:
        return whole.decode()
    entries = [_encode(key) + b":" + _encode(one) for key, one in value.items()]
    ends = accumulate(len(entry) + len(",") for entry in entries)
    room = _MAX_VALUE_BYTES - len("{}") + len(",")
    parts = [entry for entry, end in zip(entries, ends, strict=True) if end <= room]
    return (b"{" + b",".join(parts) + b"}").decode()
