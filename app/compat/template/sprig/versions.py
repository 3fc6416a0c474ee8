"""Versions as Masterminds semver v3.5.0 reads, orders and changes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, cast

import re2

from app.compat.template.limits import Meter
from app.compat.template.refusal import refuse
from app.compat.template.sprig.casting import NIL_DEREFERENCE
from app.compat.template.values import (
    STRING,
    UINT64,
    Function,
    GoError,
    Number,
    Pointer,
    Struct,
    Type,
    Value,
)

MAX_BYTES: Final = 256
_MAX: Final = (1 << 64) - 1
_VERSION: Final = re2.compile(
    rb"v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?"
    rb"(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?"
    rb"(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?"
)
_WORD: Final = re2.compile(rb"[0-9A-Za-z\-]+")

VERSION: Final = Type("semver.Version", "struct")
POINTER: Final = Type("*semver.Version", "ptr", VERSION)


@dataclass(frozen=True, slots=True)
class Version(Struct):
    """A version.

    Attributes:
        original: as it was written.
    """

    major: int
    minor: int
    patch: int
    pre: bytes = b""
    metadata: bytes = b""
    original: bytes = b""

    type = VERSION

    def fields(self) -> Mapping[str, Value]:
        """The fields, in Go's order."""
        return {
            "major": Number(UINT64, self.major),
            "minor": Number(UINT64, self.minor),
            "patch": Number(UINT64, self.patch),
            "pre": self.pre,
            "metadata": self.metadata,
            "original": self.original,
        }

    def text(self) -> bytes:
        """The version without a leading v."""
        shown = b"%d.%d.%d" % (self.major, self.minor, self.patch)
        shown += b"-" + self.pre if self.pre else b""
        return shown + (b"+" + self.metadata if self.metadata else b"")


def parse(data: bytes) -> Version:
    """Reads a version; missing numbers are 0.

    Raises:
        GoError: it is none.
    """
    if len(data) > MAX_BYTES:
        raise GoError(f"version string is too long (max {MAX_BYTES} bytes)")
    match = _VERSION.fullmatch(data)
    if match is None:
        raise GoError("invalid semantic version")
    numbers = [_segment(match.group(index) or b"0") for index in (1, 2, 3)]
    pre, metadata = match.group(5) or b"", match.group(8) or b""
    if pre:
        check_prerelease(pre)
    return Version(numbers[0], numbers[1], numbers[2], pre, metadata, data)


def _segment(text: bytes) -> int:
    digits = text.removeprefix(b".")
    number = int(digits)
    if number > _MAX:
        shown = digits.decode()
        raise GoError(
            "error parsing version segment: strconv.ParseUint: parsing "
            f'"{shown}": value out of range'
        )
    return number


def check_prerelease(data: bytes) -> None:
    """Checks the parts of a pre-release.

    Raises:
        GoError: one is empty, not ASCII letters, digits and hyphens, or a number
            with a leading zero.
    """
    for part in data.split(b"."):
        if part.isdigit():
            if len(part) > 1 and part.startswith(b"0"):
                raise GoError("version segment starts with 0")
        elif not _WORD.fullmatch(part):
            raise GoError("invalid prerelease string")


def check_metadata(data: bytes) -> None:
    """Checks the parts of metadata.

    Raises:
        GoError: one is empty, or not ASCII letters, digits and hyphens.
    """
    if not all(_WORD.fullmatch(part) for part in data.split(b".")):
        raise GoError("invalid metadata string")


def compare(one: Version, other: Version) -> int:
    """-1, 0 or 1 as `one` is smaller, equal or larger; metadata does not count."""
    first = (one.major, one.minor, one.patch)
    second = (other.major, other.minor, other.patch)
    if first != second:
        return -1 if first < second else 1
    return compare_prerelease(one.pre, other.pre)


def compare_prerelease(one: bytes, other: bytes) -> int:
    """Orders pre-releases; none at all is the largest."""
    if one == other:
        return 0
    if not one or not other:
        return 1 if not one else -1
    first, second = one.split(b"."), other.split(b".")
    count = max(len(first), len(second))
    parts = zip(
        first + [b""] * (count - len(first)),
        second + [b""] * (count - len(second)),
        strict=True,
    )
    mine, theirs = next(pair for pair in parts if pair[0] != pair[1])
    return -1 if _part(mine) < _part(theirs) else 1


def _part(text: bytes) -> tuple[int, int, bytes]:
    """The order of parts: nothing, numbers, words."""
    if text == b"":
        return 0, 0, b""
    if text.isdigit() and int(text) <= _MAX:
        return 1, int(text), b""
    return 2, 0, text


# Methods that templates can call.


def _with_original(old: Version, new: Version) -> Version:
    prefix = b"v" if old.original.startswith(b"v") else b""
    return replace(new, original=prefix + new.text())


def _increased(name: str) -> Function:
    def call(_meter: Meter, version: Version) -> Version:
        bare = replace(version, pre=b"", metadata=b"")
        if name == "patch" and version.pre:
            return _with_original(version, bare)
        number = getattr(version, name)
        if number == _MAX:
            raise GoError(f"{name} version increment would overflow uint64")
        lower = {"major": ("minor", "patch"), "minor": ("patch",), "patch": ()}[name]
        changes = {name: number + 1, **dict.fromkeys(lower, 0)}
        return _with_original(version, replace(bare, **changes))

    return Function(call)


def _set_prerelease(_meter: Meter, version: Version, text: bytes) -> Version:
    if text:
        check_prerelease(text)
    return _with_original(version, replace(version, pre=text))


def _set_metadata(_meter: Meter, version: Version, text: bytes) -> Version:
    if text:
        check_metadata(text)
    return _with_original(version, replace(version, metadata=text))


def _compared(one: Version, other: Value) -> int:
    if not isinstance(other, Pointer):
        raise GoError(NIL_DEREFERENCE)
    return compare(one, cast("Version", other.target))


def _equal(_meter: Meter, one: Version, other: Value) -> bool:
    return isinstance(other, Pointer) and _compared(one, other) == 0


def _order(*results: int) -> Function:
    def call(_meter: Meter, one: Version, other: Value) -> bool:
        return _compared(one, other) in results

    return Function(call, (POINTER,))


def _refused(name: str) -> Function:
    def call(_meter: Meter, _version: Version, *_args: Value) -> Value:
        refuse(f'method "{name}"', "it works on bytes or changes a version in place")

    return Function(call)


def _number(name: str) -> Function:
    return Function(lambda _m, version: Number(UINT64, getattr(version, name)))


_METHODS: Final[Mapping[bytes, Function]] = {
    b"IncMajor": _increased("major"),
    b"IncMinor": _increased("minor"),
    b"IncPatch": _increased("patch"),
    b"Major": _number("major"),
    b"MarshalJSON": _refused("MarshalJSON"),
    b"MarshalText": _refused("MarshalText"),
    b"Metadata": Function(lambda _m, version: version.metadata),
    b"Minor": _number("minor"),
    b"Patch": _number("patch"),
    b"Prerelease": Function(lambda _m, version: version.pre),
    b"SetMetadata": Function(_set_metadata, (STRING,)),
    b"SetPrerelease": Function(_set_prerelease, (STRING,)),
    b"String": Function(lambda _m, version: version.text()),
    b"Value": Function(lambda _m, version: version.text()),
}
_POINTER_METHODS: Final[Mapping[bytes, Function]] = {
    b"Compare": Function(lambda _m, one, other: _compared(one, other), (POINTER,)),
    b"Equal": Function(_equal, (POINTER,)),
    b"GreaterThan": _order(1),
    b"GreaterThanEqual": _order(0, 1),
    b"LessThan": _order(-1),
    b"LessThanEqual": _order(-1, 0),
    b"Original": Function(lambda _m, version: version.original),
    b"Scan": _refused("Scan"),
    b"UnmarshalJSON": _refused("UnmarshalJSON"),
    b"UnmarshalText": _refused("UnmarshalText"),
}

Version.methods = _METHODS
Version.pointer_methods = _POINTER_METHODS
