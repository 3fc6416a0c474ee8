"""Exit codes and bounded input, the same for every command.

0 fits, 1 does not fit, 2 bad input, 3 could not find out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from app.errors import (
    ClusterError,
    ConfigError,
    ImagecompatError,
    RegistryError,
    ReviewError,
    SpecError,
)

FITS: Final = 0
DOES_NOT_FIT: Final = 1
BAD_INPUT: Final = 2
COULD_NOT_FIND_OUT: Final = 3

_CODES: Final[Mapping[type[ImagecompatError], int]] = {
    SpecError: BAD_INPUT,
    ConfigError: BAD_INPUT,
    ReviewError: BAD_INPUT,
    RegistryError: COULD_NOT_FIND_OUT,
    ClusterError: COULD_NOT_FIND_OUT,
}

INVALID_SETTINGS: Final = "InvalidSettings"
"""Reason of an error whose message has a line for each fault."""

MAX_INPUT_BYTES: Final = 16 << 20
"""Far above any spec or feature file, far below memory."""


def exit_code(error: ImagecompatError) -> int:
    """The exit code for an error, by its class or the nearest one above it."""
    known = (_CODES[kind] for kind in type(error).__mro__ if kind in _CODES)
    return next(known, COULD_NOT_FIND_OUT)


PIPED_COLUMNS: Final = 120
"""Of a table where nobody's terminal is known."""


def read_input(path: str, *, most_bytes: int = MAX_INPUT_BYTES) -> bytes:
    """The bytes of a file, or of standard input for `-`.

    Raises:
        ConfigError: it cannot be read, or is larger than `most_bytes`.
    """
    name = "standard input" if path == "-" else path
    try:
        if path == "-":
            content = sys.stdin.buffer.read(most_bytes + 1)
        else:
            with Path(path).open("rb") as file:
                content = file.read(most_bytes + 1)
    except OSError as error:
        text = f"{name}: cannot be read: {error.strerror}"
        raise ConfigError("UnreadableInput", text) from error
    if len(content) > most_bytes:
        text = f"{name}: larger than {most_bytes} bytes"
        raise ConfigError("InputTooLarge", text)
    return content


def safe(text: str) -> str:
    """On one line, without control characters: what was typed, or comes from afar."""
    return "".join(one if one.isprintable() else "?" for one in text)


def told(error: ImagecompatError) -> str:
    """What is printed of an error: one line, of settings one for each fault."""
    whole = f"imagecompat: {error.message}"
    lines = whole.split("\n") if error.reason == INVALID_SETTINGS else [whole]
    return "\n".join(map(safe, lines))


def located(error: SpecError, file: str) -> str:
    """What is wrong with a spec, its place first: `FILE:LINE:COLUMN: ...`."""
    name = "<stdin>" if file == "-" else file
    places = (name, error.line, error.column)
    where = ":".join(str(part) for part in places if part is not None)
    return safe(f"{where}: {error.message}")


def tell_notes(notes: Iterable[str]) -> None:
    """What a person should know besides, one line each on standard error."""
    for note in notes:
        print(f"imagecompat: note: {safe(note)}", file=sys.stderr)  # noqa: T201


def columns() -> int:
    """Of the terminal; of what is none, as many as people can read."""
    if not sys.stdout.isatty():
        return PIPED_COLUMNS
    import shutil  # noqa: PLC0415 - needed by few commands

    return shutil.get_terminal_size().columns


def want_colour() -> bool:
    """Colour only on a terminal that knows any, and never against `NO_COLOR`."""
    import os  # noqa: PLC0415 - needed by few commands

    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return sys.stdout.isatty()
