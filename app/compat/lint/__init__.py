"""The author's reader: every problem of a spec at once, with its place.

`parse` says whether a spec can be read, and stops at the first thing that is wrong.
`lint` goes on, and knows the traps: what NFD accepts and reads otherwise than it
looks, and what no node can ever have.

    for problem in lint(b"compatibilities: [{rules: [{matchFeatures: {}}]}]"):
        print(problem.line, problem.column, problem.code, problem.message)

It agrees with admission: there is a problem of family `READING` exactly when
`parse.read_for_admission` refuses the spec. Problems of family `EVALUATION` are
errors, too: admission reads such a spec, and finds out nothing by it.

1. `documents`: keys that stand twice, documents that nobody reads.
2. `shape`: types, keys, texts that are no text, bounds.
3. `expressions`: what operators can work with.
4. `names`, `operands`, `presence`: what nodes publish (`features`, `cpuid`).
5. `logic`: what cannot hold together.
6. `rules`: sets, rules, variables, templates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from app.compat import parse, yaml11, yaml_nodes
from app.compat.limits import LIMITS, Limits
from app.compat.lint import (
    documents,
    expressions,
    logic,
    names,
    near,
    operands,
    presence,
    rules,
    shape,
    written,
)
from app.compat.lint.problem import (
    CODES,
    At,
    Family,
    Problem,
    Problems,
    Severity,
    found,
)
from app.compat.lint.written import Part, Sources
from app.errors import SpecError

__all__ = [
    "CODES",
    "MAX_WARNINGS",
    "MORE_WARNINGS",
    "Family",
    "Problem",
    "Severity",
    "lint",
]

MAX_WARNINGS: Final = 1_000
"""Warnings of each step that are told; nobody reads more. Errors all are."""

MORE_WARNINGS: Final = "more-warnings"
"""Code of what says how many warnings are not told."""

MAX_COMPARED: Final = 50_000
"""Names that unknown ones of a spec are compared with, for hints."""


def lint(content: bytes, *, limits: Limits = LIMITS) -> tuple[Problem, ...]:
    """Every problem of a spec, by place.

    Args:
        content: the text, YAML or JSON.
        limits: every bound, as for admission.

    Returns:
        Problems in order of line and column, errors before warnings at one place;
        none for a spec that is as its author seems to mean it. No error is left
        out; of more warnings than anybody reads the last says how many there are.
    """
    with near.bounded(MAX_COMPARED):
        problems = set(_problems(content, limits))
    return tuple(
        sorted(
            problems,
            key=lambda one: (
                *(one.line, one.column, one.code == MORE_WARNINGS),
                *(one.severity, one.code, one.path, one.message),
            ),
        )
    )


def _problems(content: bytes, limits: Limits) -> Iterator[Problem]:
    if len(content) > limits.bytes:
        message = f"{len(content)} bytes of text: expected at most {limits.bytes}"
        yield found("too-costly", At(1, 1, "$"), message)
        return
    try:
        document = yaml11.read(content, limits)
        root = yaml_nodes.compose(content, limits)
    except SpecError as error:
        yield _unread(error)
        return
    sources = Sources(root)
    whole = Part(document.root, "$")
    spec = written.read(document.root, sources)
    shaped = list(shape.Shape(sources, limits).check(whole))
    steps = (
        expressions.check(spec, limits),
        _of_text(content, root),
        _without_sets(whole, spec),
        names.check(spec),
        operands.check(spec),
        presence.check(spec),
        logic.check(spec),
        rules.check(spec),
    )
    causes = _causes(shaped)
    told = _Told()
    told.add(shaped)
    for step in steps:
        told.add(one for one in step if not _follows(one, causes))
    yield from told.problems()
    if not told.is_refused:
        yield from _refused(content, limits)


class _Told:
    """What is told of all that is found: every error, and so many warnings a step."""

    def __init__(self) -> None:
        self._kept: Final[list[Problem]] = []
        self._left_out = 0

    @property
    def is_refused(self) -> bool:
        """Whether there is an error that keeps the spec from being read."""
        return any(CODES[one.code] is Family.READING for one in self._kept)

    def add(self, found_in_step: Iterable[Problem]) -> None:
        """Takes what one step finds."""
        warnings = 0
        for one in found_in_step:
            warnings += one.severity is Severity.WARNING
            if one.severity is Severity.ERROR or warnings <= MAX_WARNINGS:
                self._kept.append(one)
        self._left_out += max(0, warnings - MAX_WARNINGS)

    def problems(self) -> Problems:
        """What is told; at the end of the text, how much is not."""
        yield from self._kept
        if self._left_out:
            last = max(self._kept, key=lambda one: (one.line, one.column))
            at = At(last.line, last.column, "$")
            message = f"and {self._left_out} more warnings, which are not told"
            hint = "what is told often has the same cause as what is not"
            yield found(MORE_WARNINGS, at, message, hint)


def _of_text(content: bytes, root: yaml_nodes.Node | None) -> Problems:
    if root is not None:
        yield from documents.duplicates(root)
        yield from documents.others(content, root)


_CONSEQUENCES: Final = frozenset(
    {
        *("no-sets", "empty-set", "empty-rule", "empty-alternative", "no-feature"),
        "wrong-value-count",
    }
)
"""What is said of something that is empty; not, if what it holds is wrong."""

_STEP: Final = re.compile(r"(?:\.[A-Za-z0-9_]+|\[[0-9]+\]|\['(?:[^'\\]|\\.)*'\])\Z")


def _causes(shaped: Iterable[Problem]) -> dict[str, bool]:
    """Where a value or a key is wrong, and around it; whether that is an error."""
    causes: dict[str, bool] = {}
    for one in shaped:
        if one.code in {"wrong-type", "unknown-top-key", "unknown-key", "null-value"}:
            for path in (one.path, _STEP.sub("", one.path)):
                causes[path] = causes.get(path, False) or one.severity == "error"
    return causes


def _follows(one: Problem, causes: Mapping[str, bool]) -> bool:
    """Whether something is empty because what it holds is wrong."""
    if one.code not in _CONSEQUENCES:
        return False
    return causes.get(one.path, False) or (
        one.path in causes and one.severity is Severity.WARNING
    )


def _without_sets(whole: Part, spec: written.Spec) -> Problems:
    if not spec.sets and isinstance(whole.value.data, dict | None):
        message = 'no compatibility sets: expected a list "compatibilities"'
        yield found("no-sets", whole.at, message, "a spec asks for at least one set")


def _refused(content: bytes, limits: Limits) -> Problems:
    """What the reader alone finds, as a number that JSON cannot have."""
    try:
        parse.read_for_admission(content, limits=limits)
    except SpecError as error:
        at = At(error.line or 1, error.column or 1, "$")
        yield found("unreadable", at, error.message)


_WHERE: Final = re.compile(r"^yaml: (?:line [0-9]+: )?")
"""goyaml.v2 counts lines in its own way; ours are right."""


def _unread(error: SpecError) -> Problem:
    is_costly = error.reason == "TooCostly"
    code = "too-costly" if is_costly else "yaml-syntax"
    message = error.message.removeprefix("too costly: ")
    message = _WHERE.sub("", message.removeprefix("error converting YAML to JSON: "))
    return found(code, At(error.line or 1, error.column or 1, "$"), message)
