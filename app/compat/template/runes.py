"""Go strings are bytes; this module reads them as runes, the way Go does.

A byte that is not part of valid UTF-8 is one rune, U+FFFD. Classes and cases are
those of Go's unicode package (`runetables`), the same on every Python.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache, lru_cache
from typing import Final

from app.compat.template import runetables

ERROR: Final = "\ufffd"
MAX_RUNE: Final = 0x10FFFF
ASCII: Final = 0x80

SPACES: Final = frozenset(
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    "\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""What unicode.IsSpace holds to be white space."""

SPACE_TEXT: Final = "".join(sorted(SPACES))

_INVALID: Final = dict.fromkeys(range(0xD800, 0xE000), ERROR)


def clean(text: str) -> str:
    """Replaces every lone surrogate by U+FFFD."""
    return text if text.isascii() else text.translate(_INVALID)


def to_bytes(text: str) -> bytes:
    """The bytes of `text`; lone surrogates were escaped bytes, or become U+FFFD."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return clean(text).encode()


def escaped(data: bytes) -> str:
    """Reads runes; an invalid byte is a lone surrogate, so that nothing is lost."""
    return data.decode("utf-8", "surrogateescape")


def to_text(data: bytes) -> str:
    """Reads runes; an invalid byte is U+FFFD, as in Go's `[]rune(s)`."""
    return clean(escaped(data))


def char(code: int) -> str:
    """The rune with this number, U+FFFD if there is none."""
    return chr(code) if 0 <= code <= MAX_RUNE and code not in _INVALID else ERROR


@cache
def _classes() -> tuple[list[int], str]:
    """Where each run of runes begins, and the class of each; read when asked for."""
    starts: list[int] = []
    letters: list[str] = []
    position = 0
    for word in runetables.CLASSES.split():
        starts.append(position)
        letters.append(word[-1])
        position += int(word[:-1], 16)
    return starts, "".join(letters)


@lru_cache(maxsize=4096)
def category(rune: str) -> str:
    """One letter for the class of a rune, as `runetables.CLASSES` explains."""
    starts, letters = _classes()
    return letters[bisect_right(starts, ord(rune)) - 1]


def is_letter(rune: str) -> bool:
    """Tells what unicode.IsLetter tells."""
    return category(rune) in "ULTO"


def is_upper(rune: str) -> bool:
    """Tells what unicode.IsUpper tells."""
    return category(rune) == "U"


def is_lower(rune: str) -> bool:
    """Tells what unicode.IsLower tells."""
    return category(rune) == "L"


def is_title(rune: str) -> bool:
    """Tells what unicode.IsTitle tells."""
    return category(rune) == "T"


def is_number(rune: str) -> bool:
    """Tells what unicode.IsNumber tells."""
    return category(rune) in "DN"


def is_punct(rune: str) -> bool:
    """Tells what unicode.IsPunct tells."""
    return category(rune) == "P"


def is_print(rune: str) -> bool:
    """Tells what strconv.IsPrint tells."""
    return rune == " " or category(rune) != "-"


def is_word(rune: str) -> bool:
    """Tells whether a rune may stand in an identifier of a template."""
    return rune == "_" or category(rune) in "ULTOD"


@cache
def _mapping(table: str) -> dict[int, int]:
    mapping: dict[int, int] = {}
    for word in table.split():
        first, count, step, delta = word.split(",")
        start = int(first, 16)
        for code in range(start, start + int(count, 16) * int(step), int(step)):
            mapping[code] = code + int(delta)
    return mapping


def upper(text: str) -> str:
    """Maps every rune by unicode.ToUpper (never one rune to two)."""
    return text.translate(_mapping(runetables.UPPER))


def lower(text: str) -> str:
    """Maps every rune by unicode.ToLower."""
    return text.translate(_mapping(runetables.LOWER))


def title(text: str) -> str:
    """Maps every rune by unicode.ToTitle."""
    return text.translate(_mapping(runetables.TITLE))
