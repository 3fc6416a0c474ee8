"""Problems as people, editors and CI read them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from app.cli.linting.linted import Linted
from app.cli.output import safe
from app.compat.lint import MORE_WARNINGS, Problem, Severity

_MOST_SHOWN = 160
"""Characters of a line that are shown; a spec may stand on one line."""


def lines(linted: Linted, *, excerpt: bool) -> Iterator[str]:
    """The problems of one spec.

    Each is `NAME:LINE:COLUMN: severity[code]: message; hint (at JSON path)`.

    The path tells apart what stands at one place: an alias stands for its anchor.

    Args:
        linted: the spec.
        excerpt: whether each has the line of the spec below it, with a mark, and its
            path and its hint in lines of their own.
    """
    for one in linted.problems:
        places = [linted.name, *([one.line, one.column] if one.line else [])]
        where = ":".join(map(str, places))
        kind = f"{where}: {one.severity}[{one.code}]"
        if not excerpt:
            yield safe(f"{kind}: {_said(one)}")
            continue
        yield safe(f"{kind}: {one.message}")
        yield from _excerpt(linted, one)
        if one.path not in _WHOLE:
            yield safe(f"  at: {one.path}")
        if one.hint:
            yield safe(f"  hint: {one.hint}")


_WHOLE: Final = frozenset({"", "$"})
"""Paths that say nothing: of an artifact, and of the whole spec."""


def _said(one: Problem) -> str:
    """Message, hint and path."""
    text = f"{one.message}; {one.hint}" if one.hint else one.message
    return text if one.path in _WHOLE else f"{text} (at {one.path})"


def _excerpt(linted: Linted, one: Problem) -> Iterator[str]:
    if not 0 < one.line <= len(linted.lines):
        return
    text = linted.lines[one.line - 1].replace("\t", " ")
    before = max(0, one.column - _MOST_SHOWN // 2)
    yield safe(f"  {text[before : before + _MOST_SHOWN]}")
    yield "  " + " " * _cells(text[before : one.column - 1]) + "^"


def _cells(text: str) -> int:
    """Cells of a terminal that a text takes: East Asian characters take two."""
    return sum(map(_width, safe(text)))


def _width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"F", "W"} else 1


def summary(linted: Linted) -> str:
    """`NAME: valid: 1 set, 2 rules`, and how many warnings."""
    parts = [_count(linted.sets, "set"), _count(linted.rules, "rule")]
    warnings = linted.count(Severity.WARNING)
    if any(one.code == MORE_WARNINGS for one in linted.problems):
        parts.append(f"more than {_count(warnings - 1, 'warning')}")
    elif warnings:
        parts.append(_count(warnings, "warning"))
    return safe(f"{linted.name}: valid: {', '.join(parts)}")


def document(specs: Iterable[Linted]) -> list[dict[str, Any]]:
    """All of it in JSON's types."""
    return [
        {
            "name": one.name,
            "isValid": one.is_valid,
            "sets": one.sets,
            "rules": one.rules,
            "problems": [
                {
                    "severity": problem.severity.value,
                    "code": problem.code,
                    "line": problem.line,
                    "column": problem.column,
                    "path": problem.path,
                    "message": problem.message,
                    "hint": problem.hint,
                }
                for problem in one.problems
            ],
        }
        for one in specs
    ]


def xml(specs: Sequence[Linted], *, strict: bool) -> str:
    """JUnit's XML: a suite for each spec, a case for each problem."""
    from app.cli.reports.junit import Suite  # noqa: PLC0415 - one format of several
    from app.cli.reports.junit import document as written  # noqa: PLC0415

    return written(
        [Suite(name=one.name, cases=tuple(_cases(one, strict=strict))) for one in specs]
    )


def _cases(linted: Linted, *, strict: bool) -> Iterator[Any]:
    from app.cli.reports.junit import Case  # noqa: PLC0415 - see above

    if not linted.problems:
        yield Case(name="valid", classname=linted.name)
    for one in linted.problems:
        name = f"{one.code} at {one.line}:{one.column}" if one.line else one.code
        name += "" if one.path in _WHOLE else f" {one.path}"
        text = _said(one)
        fails = strict or one.severity is Severity.ERROR
        yield Case(
            name=name,
            classname=linted.name,
            failure=text if fails else "",
            skipped="" if fails else text,
        )


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
