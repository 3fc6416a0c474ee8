"""One problem of a spec, and how grave each kind of problem is.

`CODES` holds every kind. `docs/reference/spec-problems.md` has a section for each
code, with an example that tests read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final, TypeAlias

from app.compat import gotext, govalue


class Severity(StrEnum):
    """How grave a problem is."""

    ERROR = "error"
    """NFD or admission refuses the spec, or evaluating it errs on some node."""

    WARNING = "warning"
    """It is valid, and surely or probably not what was meant."""


class Family(StrEnum):
    """When a problem shows."""

    READING = "reading"
    """The spec cannot be read, or admission refuses it."""

    EVALUATION = "evaluation"
    """It is read, and then evaluating it is an error."""

    TRAP = "trap"
    """It is evaluated, and says something else than it seems to."""


@dataclass(frozen=True, slots=True)
class At:
    """A place in a spec.

    Attributes:
        line: line in the text, from 1.
        column: character in that line, from 1.
        path: the JSON path to the value: `$.compatibilities[0].rules[1].name`.
    """

    line: int
    column: int
    path: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a spec, or probably is.

    Attributes:
        severity: how grave it is.
        code: one kebab-case word for its kind, stable over versions.
        line: line in the text, from 1.
        column: character in that line, from 1.
        path: the JSON path to the value.
        message: what was found and what is expected; one line of printable text.
        hint: what to write instead, or why it matters; may be empty.
    """

    severity: Severity
    code: str
    line: int
    column: int
    path: str
    message: str
    hint: str = ""


Problems: TypeAlias = Iterator[Problem]

_READING: Final = (
    "yaml-syntax",
    "too-costly",
    "wrong-type",
    "unknown-top-key",
    "no-sets",
    "unreadable",
)
_EVALUATION: Final = (
    "unknown-operator",
    "wrong-value-count",
    "not-a-number",
    "not-a-version",
    "reversed-interval",
    "unknown-type",
    "invalid-pattern",
    "unsupported-pattern",
    "costly-patterns",
    "null-expression",
    "invalid-template",
    "refused-function",
)
_TRAPS: Final = (
    "any-instance",
    "absent-feature",
    "absent-is-false",
    "coerced-key",
    "coerced-value",
    "config-name",
    "config-off",
    "contradiction",
    "cpuid-false-positive",
    "cpuid-name",
    "duplicate-key",
    "duplicate-rule-name",
    "duplicate-tag",
    "duplicate-value",
    "empty-alternative",
    "empty-rule",
    "empty-set",
    "failing-template",
    "feature-case",
    "feature-without-dot",
    "ignored-field",
    "ignored-type",
    "impossible-value",
    "key-case",
    "labels-only",
    "leading-zero",
    "loop-devices",
    "mixed-architectures",
    "module-built-in",
    "module-dash",
    "more-warnings",
    "names-operator",
    "newer-nfd",
    "no-feature",
    "not-on-every-host",
    "null-value",
    "number-elsewhere",
    "pci-id",
    "second-document",
    "split-instances",
    "unanchored-pattern",
    "unknown-element",
    "unknown-feature",
    "unknown-key",
    "unknown-version",
    "unset-variable",
    "unused-template",
    "usb-id",
    "value-of-flag",
    "version-elsewhere",
    "weight-range",
)

CODES: Final[Mapping[str, Family]] = MappingProxyType(
    dict.fromkeys(_READING, Family.READING)
    | dict.fromkeys(_EVALUATION, Family.EVALUATION)
    | dict.fromkeys(_TRAPS, Family.TRAP)
)
"""Every code -> when such a problem shows."""

_LONGEST_PLAIN: Final = 200
_PLAIN_NAME: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")


def found(code: str, at: At, message: str, hint: str = "") -> Problem:
    """A problem of a known kind.

    Args:
        code: one of `CODES`.
        at: where it is.
        message: what was found and expected.
        hint: what to do.
    """
    is_trap = CODES[code] is Family.TRAP
    severity = Severity.WARNING if is_trap else Severity.ERROR
    path, message, hint = map(_told, (at.path, message, hint))
    return Problem(severity, code, at.line, at.column, path, message, hint)


MAX_TEXT: Final = 2_000
"""Characters of a path, of a message and of a hint each: a spec may hold a name of
256 KiB, at each of thousands of places."""


def _told(text: str) -> str:
    return printable(text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "...")


def printable(text: str) -> str:
    """The text on one line, with escapes for what a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _escaped(one) for one in text)


def _escaped(character: str) -> str:
    return f"\\x{ord(character):02x}" if character.isascii() else ascii(character)[1:-1]


def shown(text: str) -> str:
    """A text of the spec for a message: quoted, printable, not too long."""
    return gotext.quoted(govalue.clip(text))


def below(path: str, name: str) -> str:
    """The JSON path of an entry of a mapping (RFC 9535); a long name is cut."""
    if len(path) > MAX_TEXT:
        return path
    if len(name) <= _LONGEST_PLAIN and _PLAIN_NAME.fullmatch(name):
        return f"{path}.{name}"
    return path + _quoted_step(govalue.clip(name))


@lru_cache(maxsize=1_024)
def _quoted_step(name: str) -> str:
    """Aliases repeat names, and quoting one takes a tenth of a millisecond."""
    inner = gotext.quoted(name)[1:-1].replace('\\"', '"')
    return "['" + inner.replace("'", "\\'") + "']"
