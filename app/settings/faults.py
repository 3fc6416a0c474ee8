"""What is wrong with settings, and where: values, one for each fault."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, TypeAlias

_LIKENESS: Final = 0.6

Path: TypeAlias = tuple[str | int, ...]
"""Keys and positions from the top (`("policy", "exemptions", 0, "owner")`)."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a text; both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        message: what was expected.
        path: of the setting, as a file spells it; empty for the whole.
        place: in the file; `None` where it is not there.
        variable: of the environment, if it is that one's value.
    """

    message: str
    path: Path = ()
    place: Place | None = None
    variable: str = ""

    def line(self, name: str) -> str:
        """The fault in one line.

        Args:
            name: of the file.
        """
        where = self.variable or _where(name, self.place)
        path = dotted(self.path)
        text = printable(self.message)
        return f"{where}: {path}: {text}" if path else f"{where}: {text}"


def dotted(path: Path) -> str:
    """A path as people write it (`policy.exemptions.0.owner`)."""
    return ".".join(printable(str(part)) for part in path)


def ordered(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Each fault once, in the order of their places, those without one at the end."""

    def key(fault: Fault) -> tuple[bool, int, int, str]:
        place = fault.place or Place(0, 0)
        is_nowhere = fault.place is None
        return is_nowhere, place.line, place.column, dotted(fault.path)

    return tuple(sorted(dict.fromkeys(faults), key=key))


def unknown_key(key: str, known: Sequence[str], elsewhere: str = "") -> str:
    """What is said of a key that does not exist.

    Args:
        key: as it is written.
        known: keys that exist there.
        elsewhere: a section that has such a key.
    """
    bare = {_bare(one): one for one in known}
    close = get_close_matches(_bare(key), bare, n=1, cutoff=_LIKENESS)
    if close:
        return f'unknown key; did you mean "{bare[close[0]]}"?'
    if elsewhere:
        return f'unknown key; it belongs to "{elsewhere}"'
    return "unknown key"


def _bare(key: str) -> str:
    return key.replace("_", "").replace("-", "").lower()


def _where(name: str, place: Place | None) -> str:
    name = printable(name)
    return name if place is None else f"{name}:{place.line}:{place.column}"


def printable(text: str) -> str:
    """On one line: nobody's key or file writes lines of its own."""
    return text if text.isprintable() else ascii(text)[1:-1]
