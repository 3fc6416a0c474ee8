"""sprig's functions on paths; the `os` forms are the same on Linux."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.compat.template.values import STRING, Function, pure


def base(path: bytes) -> bytes:
    """The last element."""
    if path == b"":
        return b"."
    return path.rstrip(b"/").rpartition(b"/")[2] or b"/"


def clean(path: bytes) -> bytes:
    """The shortest path to the same place."""
    is_rooted = path.startswith(b"/")
    kept: list[bytes] = []
    for element in path.split(b"/"):
        if element in {b"", b"."}:
            continue
        if element != b"..":
            kept.append(element)
        elif kept and kept[-1] != b"..":
            kept.pop()
        elif not is_rooted:
            kept.append(element)
    joined = b"/".join(kept)
    return b"/" + joined if is_rooted else joined or b"."


def directory(path: bytes) -> bytes:
    """All but the last element."""
    head, slash, _ = path.rpartition(b"/")
    return clean(head + slash)


def extension(path: bytes) -> bytes:
    """What follows the last dot of the last element, with the dot."""
    _, dot, tail = path.rpartition(b"/")[2].rpartition(b".")
    return dot + tail if dot else b""


_BOTH: Final[Mapping[str, Function]] = {
    "base": pure(base, STRING),
    "clean": pure(clean, STRING),
    "dir": pure(directory, STRING),
    "ext": pure(extension, STRING),
    "isAbs": pure(lambda path: path.startswith(b"/"), STRING),
}

FUNCTIONS: Final[Mapping[str, Function]] = {
    **_BOTH,
    **{f"os{name[0].upper()}{name[1:]}": call for name, call in _BOTH.items()},
}
"""By name."""
