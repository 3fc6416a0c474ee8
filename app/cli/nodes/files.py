"""The bytes of files with nodes: plain or gzip, of folders, or of standard input."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from app.cli.output import read_input
from app.errors import ConfigError

SUFFIXES: Final = (".json", ".yaml", ".yml", ".json.gz", ".yaml.gz", ".yml.gz")
"""What is read of a folder, without its folders and hidden files."""

STDIN: Final = "-"

_GZIP: Final = b"\x1f\x8b"
_ANY_GZIP: Final = 16 + zlib.MAX_WBITS


class Limits(NamedTuple):
    """How much is read.

    Attributes:
        bytes: of one file, unpacked; `kubectl get nodefeatures -o json` has 500 MB
            for 5,000 nodes.
        files: of one folder.
    """

    bytes: int = 1 << 30
    files: int = 100_000


LIMITS: Final = Limits()


class File(NamedTuple):
    """One file.

    Attributes:
        name: as it was named, with its folder; `standard input` for `-`.
        stem: its name without folder and suffix.
        content: unpacked.
    """

    name: str
    stem: str
    content: bytes


def read(path: str, *, limits: Limits = LIMITS) -> Iterator[File]:
    """A file, or those of a folder in the order of their names.

    Raises:
        ConfigError: one cannot be read or is too large, or a folder has none.
    """
    for one in _of_folder(Path(path), limits) if Path(path).is_dir() else [path]:
        name = "standard input" if one == STDIN else one
        content = read_input(one, most_bytes=limits.bytes)
        if content.startswith(_GZIP):
            content = _unpacked(content, name, limits.bytes)
        yield File(name, "stdin" if one == STDIN else _stem(one), content)


def described(paths: Sequence[str]) -> str:
    """Some paths in few words: `a.json and b.json`, `3 files`."""
    names = ["standard input" if one == STDIN else one for one in paths]
    return " and ".join(names) if len(names) < 3 else f"{len(names)} files"  # noqa: PLR2004


def _of_folder(folder: Path, limits: Limits) -> list[str]:
    try:
        found = sorted(
            str(one)
            for one in folder.iterdir()
            if one.name.endswith(SUFFIXES)
            and not one.name.startswith(".")
            and one.is_file()
        )
    except OSError as error:
        text = f"{folder}: cannot be read: {error.strerror}"
        raise ConfigError("UnreadableInput", text) from error
    if not found:
        text = f"{folder}: no file in it ends in {', '.join(SUFFIXES[:3])}"
        raise ConfigError("NoFiles", text)
    if len(found) > limits.files:
        text = f"{folder}: {len(found)} files, at most {limits.files} are read"
        raise ConfigError("InputTooLarge", text)
    return found


def _stem(path: str) -> str:
    """What is no UTF-8 in it becomes U+FFFD: it is a node's name from here on."""
    name = Path(path).name
    suffix = next((one for one in reversed(SUFFIXES) if name.endswith(one)), "")
    stem = name.removesuffix(suffix) if suffix else Path(path).stem
    return stem.encode(errors="surrogateescape").decode(errors="replace")


def _unpacked(content: bytes, name: str, most_bytes: int) -> bytes:
    unpacker = zlib.decompressobj(_ANY_GZIP)
    try:
        text = unpacker.decompress(content, most_bytes + 1)
    except zlib.error as error:
        raise ConfigError("InvalidInput", f"{name}: no valid gzip: {error}") from error
    if len(text) > most_bytes:
        raise ConfigError("InputTooLarge", f"{name}: larger than {most_bytes} bytes")
    if not unpacker.eof:
        raise ConfigError("InvalidInput", f"{name}: no valid gzip: it is cut short")
    return text
