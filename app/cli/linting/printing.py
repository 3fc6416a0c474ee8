"""Problems as people, editors and CI read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from app.cli.linting.linted import Linted
from app.cli.output import safe
from app.compat.lint import Problem, Severity

_MOST_SHOWN = 160
"""Characters of a line that are shown; a spec may stand on one line."""


def lines(linted: Linted, *, excerpt: bool) -> Iterator[str]:
    """The problems of one spec: `NAME:LINE:COLUMN: severity[code]: message; hint`.

    Args:
        linted: the spec.
        excerpt: whether each has the line of the spec below it, with a mark, and its
            hint in a line of its own.
    """
    for one in linted.problems:
        places = [linted.name, *([one.line, one.column] if one.line else [])]
        where = ":".join(map(str, places))
        said = f"{where}: {one.severity}[{one.code}]: {one.message}"
        if not excerpt:
            yield safe(f"{said}; {one.hint}" if one.hint else said)
            continue
        yield safe(said)
        yield from _excerpt(linted, one)
        if one.hint:
            yield safe(f"  hint: {one.hint}")


def _excerpt(linted: Linted, one: Problem) -> Iterator[str]:
    if not 0 < one.line <= len(linted.lines):
        return
    text = linted.lines[one.line - 1].replace("\t", " ")
    before = max(0, one.column - _MOST_SHOWN // 2)
    yield safe(f"  {text[before : before + _MOST_SHOWN]}")
    yield "  " + " " * (one.column - 1 - before) + "^"


def summary(linted: Linted) -> str:
    """`NAME: valid: 1 set, 2 rules`, and how many warnings."""
    parts = [_count(linted.sets, "set"), _count(linted.rules, "rule")]
    warnings = linted.count(Severity.WARNING)
    if warnings:
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
        text = f"{one.message}; {one.hint}" if one.hint else one.message
        fails = strict or one.severity is Severity.ERROR
        yield Case(
            name=name,
            classname=linted.name,
            failure=text if fails else "",
            skipped="" if fails else text,
        )


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
