"""Features as `nfd export features` prints them, byte for byte.

Go's `encoding/json`: four spaces, names sorted by their bytes, the characters of
HTML escaped. A lone surrogate is a byte that is no UTF-8, and prints as U+FFFD
escaped (see `Discovery.as_read`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from app.compat import gotext
from app.compat.features import Features
from app.compat.template import runes

_INDENT: Final = "    "
_Value: TypeAlias = "str | Mapping[str, _Value] | tuple[_Value, ...] | None"


def text(features: Features) -> str:
    """The JSON, with the newline at its end."""
    flags = {
        name: None if elements is None else dict.fromkeys(elements, _NOTHING)
        for name, elements in features.flags.items()
    }
    instances = {
        name: tuple({"attributes": each} for each in elements)
        for name, elements in features.instances.items()
    }
    kinds = (
        ("flags", _sets(flags)),
        ("attributes", _sets(features.attributes)),
        ("instances", _sets(instances)),
    )
    return _object(kinds, "\n") + "\n"


_NOTHING: Final[Mapping[str, _Value]] = {}


def _sets(sets: Mapping[str, _Value]) -> _Value:
    return {name: {"elements": elements} for name, elements in sets.items()}


def _rendered(value: _Value, line: str) -> str:
    """One value; `line` is the end of a line and what the next one begins with."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return gotext.json_string(value)
    if isinstance(value, tuple):
        inner = line + _INDENT
        return _enclosed("[]", [_rendered(each, inner) for each in value], line)
    return _object(((name, value[name]) for name in _sorted(value)), line)


def _object(pairs: Iterable[tuple[str, _Value]], line: str) -> str:
    inner = line + _INDENT
    members = [
        f"{gotext.json_string(name)}: {_rendered(value, inner)}"
        for name, value in pairs
    ]
    return _enclosed("{}", members, line)


def _enclosed(brackets: str, members: list[str], line: str) -> str:
    if not members:
        return brackets
    inner = line + _INDENT
    return f"{brackets[0]}{inner}{f',{inner}'.join(members)}{line}{brackets[1]}"


def _sorted(names: Iterable[str]) -> list[str]:
    return sorted(names, key=runes.to_bytes)
