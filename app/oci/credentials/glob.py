"""Go's `filepath.Match`, by which the kubelet compares hosts."""

from __future__ import annotations

import re
from typing import Final

_CLASSES: Final = re.compile(r"[?\[\\]")


def glob(pattern: str, text: str) -> bool:
    r"""Whether a glob matches a whole text without slashes, as `filepath.Match`.

    `*` is any text, `?` one character, `[a-z]` and `[^a-z]` a class, `\` takes
    the next character as it is. A broken pattern matches nothing.
    """
    if not _CLASSES.search(pattern):
        return _is_split(pattern, text)
    tokens = _tokens(pattern)
    if tokens is None:
        return False
    reachable = {0}
    for token in tokens:
        if token is None:
            first = min(reachable, default=len(text) + 1)
            reachable = set(range(first, len(text) + 1))
        else:
            reachable = {
                at + 1 for at in reachable if at < len(text) and token(text[at])
            }
    return len(text) in reachable


def _is_split(pattern: str, text: str) -> bool:
    """The same for stars alone: each text between them, as early as it comes."""
    first, *inner = pattern.split("*")
    if not inner:
        return pattern == text
    *inner, last = inner
    end = len(text) - len(last)
    if not (text.startswith(first) and text.endswith(last) and len(first) <= end):
        return False
    at = len(first)
    for part in inner:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def is_glob(pattern: str) -> bool:
    """Whether a pattern is whole; a broken one matches nothing."""
    return _tokens(pattern) is not None


class _Class:
    """One character's test."""

    def __init__(self, ranges: list[tuple[str, str]], *, negated: bool) -> None:
        self._ranges = ranges
        self._negated = negated

    def __call__(self, char: str) -> bool:
        inside = any(low <= char <= high for low, high in self._ranges)
        return inside is not self._negated


_ANY: Final = _Class([], negated=True)


def _tokens(pattern: str) -> list[_Class | None] | None:
    """The pattern's tokens, `None` for a star; `None` if it is broken."""
    tokens: list[_Class | None] = []
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if char == "*":
            tokens.append(None)
        elif char == "?":
            tokens.append(_ANY)
        elif char == "[":
            parsed = _class(pattern, at + 1)
            if parsed is None:
                return None
            token, at = parsed
            tokens.append(token)
            continue
        else:
            if char == "\\":
                at += 1
                if at == len(pattern):
                    return None
            tokens.append(_Class([(pattern[at], pattern[at])], negated=False))
        at += 1
    return tokens


def _class(pattern: str, at: int) -> tuple[_Class, int] | None:
    """A class from behind its bracket, and where it ends."""
    negated = pattern.startswith("^", at)
    at += negated
    ranges: list[tuple[str, str]] = []
    while True:
        if ranges and pattern.startswith("]", at):
            return _Class(ranges, negated=negated), at + 1
        low = _class_char(pattern, at)
        if low is None:
            return None
        at, high = low[1], low
        if pattern.startswith("-", at):
            second = _class_char(pattern, at + 1)
            if second is None:
                return None
            at, high = second[1], second
        ranges.append((low[0], high[0]))


def _class_char(pattern: str, at: int) -> tuple[str, int] | None:
    if at >= len(pattern) or pattern[at] in "-]":
        return None
    if pattern[at] != "\\":
        return pattern[at], at + 1
    return (pattern[at + 1], at + 2) if at + 1 < len(pattern) else None
