"""The known name that an unknown one was probably meant to be."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Final

_LONGEST: Final = 48
"""Characters of a name that is looked up; comparing takes time with each."""

_MOST: Final = 512
"""Names that one is compared with; a spec may hold thousands of variables."""

_CUTOFF: Final = 0.75


@dataclass(slots=True)
class _Left:
    names: int


_LEFT: Final[ContextVar[_Left | None]] = ContextVar("names to compare", default=None)


@contextmanager
def bounded(names: int) -> Iterator[None]:
    """Inside it so many names are compared, and then none is near any more.

    Comparing two takes microseconds, and a spec may hold thousands of unknown names.
    """
    before = _LEFT.set(_Left(names))
    try:
        yield
    finally:
        _LEFT.reset(before)


def nearest(name: str, known: Collection[str]) -> str:
    """The nearest known name; empty if none is near.

    One that differs in case, `-`, `_` or `.` only is nearer than any other; then the
    only one that goes on as `name` begins.
    """
    if len(name) > _LONGEST or not _spend(len(known)):
        return ""
    evened, in_order = _index(tuple(known))
    even = _even(name)
    if even in evened:
        return evened[even]
    longer = bisect_left(in_order, even)
    going_on = [one for one in in_order[longer : longer + 2] if one.startswith(even)]
    if len(going_on) == 1 and even:
        return evened[going_on[0]]
    if len(evened) > _MOST:
        return ""
    close = get_close_matches(even, in_order, n=1, cutoff=_CUTOFF)
    return evened[close[0]] if close else ""


def meant(name: str, known: Collection[str]) -> str:
    """A hint that names the nearest; empty if none is near."""
    found = nearest(name, known)
    return f'did you mean "{found}"?' if found else ""


def _spend(names: int) -> bool:
    """Whether there are so many left to compare."""
    left = _LEFT.get()
    if left is None:
        return True
    left.names -= names
    return left.names >= 0


@lru_cache(maxsize=64)
def _index(known: tuple[str, ...]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Known names by what is compared of them, and that in order; long ones left out.

    It is kept: the names that are known are few tables, or grow from rule to rule.
    """
    short = sorted((one for one in known if len(one) <= _LONGEST), reverse=True)
    evened = {_even(one): one for one in short}
    return evened, tuple(sorted(evened))


def _even(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").replace(".", "")
