"""Constraints on versions (`>=1.2, <2 || ~3.1`), as Masterminds semver v3.5.0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import re2

from app.compat.template import runes, strconv
from app.compat.template.sprig.versions import (
    Version,
    compare,
    compare_prerelease,
    parse,
)
from app.compat.template.values import GoError

MAX_BYTES: Final = 512
MAX_GROUPS: Final = 32

_VERSION: Final = (
    r"v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?"
    r"(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?"
    r"(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?"
)
_SIGN: Final = r"=||!=|>|<|>=|=>|<=|=<|~|~>|\^"
_ONE: Final = re2.compile(rf"^\s*({_SIGN})\s*({_VERSION})\s*$".encode())
_RANGE: Final = re2.compile(rf"\s*({_VERSION})\s+-\s+({_VERSION})\s*".encode())
_FIND: Final = re2.compile(rf"({_SIGN})\s*({_VERSION})".encode())
_ALL: Final = re2.compile(
    rf"^(\s*({_SIGN})\s*({_VERSION})\s*)"
    rf"((?:\s+|,\s*)({_SIGN})\s*({_VERSION})\s*)*$".encode()
)
_WILD: Final = frozenset({b"", b"x", b"X", b"*"})
_SECOND_VERSION: Final = 11
"""Group of `_RANGE` with the upper version."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """One comparison.

    Attributes:
        sign: as written.
        version: what to compare with; what is missing is 0.
        is_open: whether a number is missing or a wildcard.
        is_minor_open: whether the minor number is the first of them.
        is_patch_open: whether the patch number is.
    """

    sign: bytes
    version: Version
    is_open: bool = False
    is_minor_open: bool = False
    is_patch_open: bool = False


def parse_constraints(data: bytes) -> list[list[Constraint]]:
    """Reads alternatives of comparisons that must all hold.

    Raises:
        GoError: they are none.
    """
    if len(data) > MAX_BYTES:
        raise GoError(f"constraint string is too long (max {MAX_BYTES} bytes)")
    groups = _without_ranges(data).split(b"||")
    if len(groups) > MAX_GROUPS:
        raise GoError(f"too many constraint groups (max {MAX_GROUPS})")
    return [_group(group) for group in groups]


def _without_ranges(data: bytes) -> bytes:
    """`1 - 2` as two comparisons."""
    result = data
    for match in _RANGE.finditer(data):
        low, high = match.group(1), match.group(_SECOND_VERSION)
        result = result.replace(match.group(), b">= %s, <= %s " % (low, high), 1)
    return result


def _group(data: bytes) -> list[Constraint]:
    if not _ALL.search(data):
        quoted = runes.escaped(strconv.quote(data))
        raise GoError(f"improper constraint: {quoted}")
    return [_one(match.group()) for match in _FIND.finditer(data)]


def _one(data: bytes) -> Constraint:
    match = _ONE.search(data)
    sign, text = match.group(1), match.group(2)
    major, minor, patch, pre = (match.group(index) or b"" for index in (3, 4, 5, 6))
    is_minor_open = is_patch_open = False
    is_open = True
    if major in _WILD:
        text = b"0.0.0" + pre
    elif minor.removeprefix(b".") in _WILD:
        is_minor_open = True
        text = major + b".0.0" + pre
    elif patch.removeprefix(b".") in _WILD:
        is_patch_open = True
        text = major + minor + b".0" + pre
    else:
        is_open = False
    try:
        version = parse(text)
    except GoError:
        raise GoError("constraint parser error") from None
    return Constraint(sign, version, is_open, is_minor_open, is_patch_open)


def holds(groups: list[list[Constraint]], version: Version) -> bool:
    """Whether a version satisfies one of the alternatives."""
    return any(_group_holds(group, version) for group in groups)


def _group_holds(group: list[Constraint], version: Version) -> bool:
    takes_pre = any(constraint.version.pre for constraint in group)
    if version.pre and not takes_pre:
        return False
    return all(_CHECKS[c.sign](version, c) for c in group)


def _not_equal(version: Version, c: Constraint) -> bool:
    if c.is_open:
        if c.version.major != version.major:
            return True
        if c.is_minor_open:
            return False
        if c.version.minor != version.minor:
            return True
        if c.is_patch_open:
            return compare_prerelease(version.pre, c.version.pre) != 0
        if c.version.patch != version.patch:
            return True
    return compare(version, c.version) != 0


def _greater(version: Version, c: Constraint) -> bool:
    if not c.is_open or (not c.is_minor_open and not c.is_patch_open):
        return compare(version, c.version) > 0
    if version.major != c.version.major:
        return version.major > c.version.major
    return c.is_patch_open and version.minor > c.version.minor


def _less(version: Version, c: Constraint) -> bool:
    return compare(version, c.version) < 0


def _greater_or_equal(version: Version, c: Constraint) -> bool:
    return compare(version, c.version) >= 0


def _less_or_equal(version: Version, c: Constraint) -> bool:
    if not c.is_open:
        return compare(version, c.version) <= 0
    if version.major != c.version.major:
        return version.major < c.version.major
    return c.is_minor_open or version.minor <= c.version.minor


def _tilde(version: Version, c: Constraint) -> bool:
    base = c.version
    if compare(version, base) < 0:
        return False
    is_any = (base.major, base.minor, base.patch) == (0, 0, 0)
    if is_any and not c.is_minor_open and not c.is_patch_open:
        return True
    if version.major != base.major:
        return False
    return c.is_minor_open or version.minor == base.minor


def _tilde_or_equal(version: Version, c: Constraint) -> bool:
    if c.is_open:
        return _tilde(version, c)
    return compare(version, c.version) == 0


def _caret(version: Version, c: Constraint) -> bool:
    base = c.version
    if compare(version, base) < 0:
        return False
    if base.major > 0 or c.is_minor_open:
        return version.major == base.major
    if version.major > 0:
        return False
    if base.minor > 0 or c.is_patch_open:
        return version.minor == base.minor
    return version.minor == 0 and version.patch == base.patch


_CHECKS: Final[Mapping[bytes, Callable[[Version, Constraint], bool]]] = {
    b"": _tilde_or_equal,
    b"=": _tilde_or_equal,
    b"!=": _not_equal,
    b">": _greater,
    b"<": _less,
    b">=": _greater_or_equal,
    b"=>": _greater_or_equal,
    b"<=": _less_or_equal,
    b"=<": _less_or_equal,
    b"~": _tilde,
    b"~>": _tilde,
    b"^": _caret,
}
