"""Which arguments are files, and which are images."""

from __future__ import annotations

from pathlib import Path
from typing import Final

STDIN: Final = "-"
LAYOUT: Final = "oci-layout://"

_SUFFIXES: Final = frozenset({".yaml", ".yml", ".json"})


def is_image(text: str) -> bool:
    """Whether an argument names an image.

    A file that is there is a file. Else an image is a layout, or a reference with a
    registry (`registry.example/app`), a tag or a digest; what ends in `.yaml`, or
    begins as a path does, is a file that is not there.
    """
    if text == STDIN or _is_there(text):
        return False
    if text.startswith(LAYOUT):
        return True
    if text.startswith(("/", ".", "~")) or Path(text).suffix in _SUFFIXES:
        return False
    return _has_registry_or_tag(text) and _is_reference(text)


def _is_there(text: str) -> bool:
    try:
        return Path(text).exists()
    except OSError:  # a name that is too long
        return False


def _has_registry_or_tag(text: str) -> bool:
    host, slash, rest = text.partition("/")
    is_host = bool(slash) and ("." in host or ":" in host or host == "localhost")
    return is_host or ":" in (rest if slash else text) or "@" in text


def _is_reference(text: str) -> bool:
    from app.errors import RegistryError  # noqa: PLC0415 - not for files
    from app.oci.images import reference  # noqa: PLC0415

    try:
        reference.parse(text)
    except RegistryError:
        return False
    return True
