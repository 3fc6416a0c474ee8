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

from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

from app.compat import parse, yaml11, yaml_nodes
from app.compat.limits import LIMITS, Limits
from app.compat.lint import (
    documents,
    expressions,
    logic,
    names,
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

__all__ = ["CODES", "MAX_PROBLEMS", "Family", "Problem", "Severity", "lint"]

MAX_PROBLEMS: Final = 1_000
"""Problems of each step that are looked for; nobody reads more."""


def lint(content: bytes, *, limits: Limits = LIMITS) -> tuple[Problem, ...]:
    """Every problem of a spec, by place.

    Args:
        content: the text, YAML or JSON.
        limits: every bound, as for admission.

    Returns:
        Problems in order of line and column, errors before warnings at one place;
        none for a spec that is as its author seems to mean it.
    """
    problems = set(_problems(content, limits))
    return tuple(
        sorted(problems, key=lambda one: (one.line, one.column, one.severity, one.code))
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
    shaped = [
        *islice(shape.Shape(sources, limits).check(whole), MAX_PROBLEMS),
        *_without_sets(whole, written.read(document.root, sources)),
    ]
    yield from shaped
    spec = written.read(document.root, sources)
    of_text: Problems = iter(())
    if root is not None:
        of_text = chain(documents.duplicates(root), documents.others(content, root))
    steps = (
        of_text,
        *(
            step(spec)
            for step in (
                names.check,
                operands.check,
                presence.check,
                logic.check,
                rules.check,
            )
        ),
    )
    asked = list(islice(expressions.check(spec, limits), MAX_PROBLEMS))
    yield from asked
    for step in steps:
        yield from islice(step, MAX_PROBLEMS)
    if not any(CODES[one.code] is Family.READING for one in (*shaped, *asked)):
        yield from _refused(content, limits)


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


def _unread(error: SpecError) -> Problem:
    is_costly = error.reason == "TooCostly"
    code = "too-costly" if is_costly else "yaml-syntax"
    message = error.message.removeprefix("too costly: ")
    message = message.removeprefix("error converting YAML to JSON: ")
    return found(code, At(error.line or 1, error.column or 1, "$"), message)
