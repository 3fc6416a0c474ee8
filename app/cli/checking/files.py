"""The bytes of manifests: files, folders, or standard input."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.cli.output import read_input
from app.errors import ConfigError

SUFFIXES: Final = (".yaml", ".yml", ".json")
"""What is read of a folder, as kubectl does."""

STDIN: Final = "-"

MAX_FILES: Final = 10_000
"""Of all folders."""

MAX_BYTES: Final = 128 << 20
"""Of all files; each has the bound of any input besides."""


@dataclass(frozen=True, slots=True)
class File:
    """One text with manifests.

    Attributes:
        name: as it was named, with its folder; `<stdin>` for `-`.
        content: its bytes.
    """

    name: str
    content: bytes


def read(paths: Sequence[str], *, recursive: bool = False) -> Iterator[File]:
    """Every text that is named, in order; of folders by name.

    Args:
        paths: files, folders, or `-`.
        recursive: whether folders inside folders count.

    Raises:
        ConfigError: one cannot be read, a folder has none, or it is too much.
    """
    if list(paths).count(STDIN) > 1:
        raise ConfigError("InputTwice", "standard input can be read only once")
    left = MAX_BYTES
    for path in paths:
        for name in _named(path, recursive=recursive):
            content = read_input(name)
            left -= len(content)
            if left < 0:
                text = f"{name}: all manifests together are larger than {MAX_BYTES}"
                raise ConfigError("InputTooLarge", f"{text} bytes")
            yield File("<stdin>" if name == STDIN else name, content)


def _named(path: str, *, recursive: bool) -> list[str]:
    if path == STDIN or not Path(path).is_dir():
        return [path]
    try:
        found = sorted(_inside(path, recursive=recursive))
    except OSError as error:
        text = f"{path}: cannot be read: {error.strerror}"
        raise ConfigError("UnreadableInput", text) from error
    if not found:
        where = "or its folders" if recursive else "(-R looks into its folders)"
        text = f"{path}: no {', '.join(SUFFIXES)} file in it {where}"
        raise ConfigError("NoManifests", text)
    return found


def _inside(folder: str, *, recursive: bool) -> Iterator[str]:
    """The manifests of a folder; links to folders are not followed."""
    count = 0
    for where, folders, names in os.walk(folder, onerror=_raise):
        if not recursive:
            folders.clear()
        for name in names:
            if name.endswith(SUFFIXES):
                count += 1
                if count > MAX_FILES:
                    text = f"{folder}: more than {MAX_FILES} files"
                    raise ConfigError("TooManyFiles", text)
                yield str(Path(where) / name)


def _raise(error: OSError) -> None:
    raise error
