"""The known name that an unknown one was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_LONGEST: Final = 48
"""Characters of a name that is looked up; comparing takes time with each."""

_MOST: Final = 512
"""Names that one is compared with; a spec may hold thousands of variables."""

_CUTOFF: Final = 0.75


def nearest(name: str, known: Iterable[str]) -> str:
    """The nearest known name; empty if none is near.

    One that differs in case, `-`, `_` or `.` only is nearer than any other; then the
    only one that goes on as `name` begins.
    """
    if len(name) > _LONGEST:
        return ""
    names = sorted(known)
    evened = {_even(one): one for one in reversed(names)}
    if _even(name) in evened:
        return evened[_even(name)]
    longer = [one for one in evened if one.startswith(_even(name)) and _even(name)]
    if len(longer) == 1:
        return evened[longer[0]]
    if len(evened) > _MOST:
        return ""
    close = get_close_matches(_even(name), list(evened), n=1, cutoff=_CUTOFF)
    return evened[close[0]] if close else ""


def meant(name: str, known: Iterable[str]) -> str:
    """A hint that names the nearest; empty if none is near."""
    found = nearest(name, known)
    return f'did you mean "{found}"?' if found else ""


def _even(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").replace(".", "")
