"""Texts as Go writes them: what NFD's messages and reports are made of.

A Go string is bytes. Here a byte that is not valid UTF-8 is a lone surrogate;
only a template's output can hold one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from app.compat.template import runes, strconv

_SHORT: Final = {
    '"': '\\"',
    "\\": "\\\\",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
}
_QUOTE: Final = re.compile(r'["\\]')
_UNSAFE: Final = re.compile('[\x00-\x1f"\\\\<>&\u2028\u2029\ud800-\udfff]')


def quoted(text: str) -> str:
    """`text` as `%q` prints it."""
    if text.isascii() and text.isprintable() and not _QUOTE.search(text):
        return f'"{text}"'
    return strconv.quote_text(text)


def listed(texts: Iterable[str]) -> str:
    """A slice of strings as `%v` prints it: `[a b]`, unquoted."""
    return f"[{' '.join(texts)}]"


def json_string(text: str) -> str:
    """`text` as `encoding/json` writes it, with HTML characters escaped."""
    return f'"{_UNSAFE.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    char = found.group()
    if "\ud800" <= char <= "\udfff":
        return "\\ufffd"
    return _SHORT.get(char) or f"\\u{ord(char):04x}"


def lower(text: str) -> str:
    """`text` as `strings.ToLower` maps it: never one character to two."""
    return text.lower() if text.isascii() else runes.lower(text)


def upper(text: str) -> str:
    """`text` as `strings.ToUpper` maps it: never one character to two."""
    return text.upper() if text.isascii() else runes.upper(text)


def trimmed(text: str) -> str:
    """`text` as `strings.TrimSpace` cuts it."""
    return text.strip(runes.SPACE_TEXT)


def size_bytes(text: str) -> int:
    """How long Go holds `text` to be."""
    return len(text) if text.isascii() else len(runes.to_bytes(text))
