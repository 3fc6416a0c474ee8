"""Laws of the author's reader: it agrees with admission, whatever the text."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from app.compat import parse
from app.compat.lint import CODES, Family, Problem, Severity, lint, schema
from app.compat.spec import Spec
from app.errors import SpecError
from tests.property.test_parse import PIECES, SPECS, as_json

KEYS = st.sampled_from(
    [
        *("version", "compatibilities", "rules", "weight", "tag", "description"),
        *("name", "vars", "varsTemplate", "matchFeatures", "matchAny", "feature"),
        *("matchExpressions", "matchName", "op", "value", "type", "labels"),
        *("Value", "OP", "op ", "RULES", "x-y"),
    ]
)
SCALARS = st.sampled_from(
    [
        *(None, True, False, 0, 5, 1.5, 1e400, 2**63, "", "y", "In", "InRegexp"),
        *("Exists", "Gt", "(", "cpu.cpuid", "kernel.version", "x" * 1025),
    ]
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)
"""What JSON can hold, with a spec's keys anywhere."""

CHANGED = st.tuples(SPECS.map(as_json), st.integers(0, 2**16), DOCUMENTS)


def reading(problems: tuple[Problem, ...]) -> set[str]:
    return {one.code for one in problems if CODES[one.code] is Family.READING}


def is_refused(content: bytes) -> bool:
    try:
        parse.read_for_admission(content)
    except SpecError:
        return True
    return False


def places(document: object) -> list[tuple[Any, Any]]:
    """Every container and key of a document."""
    found: list[tuple[Any, Any]] = []
    if isinstance(document, dict):
        entries = list(document.items())
    elif isinstance(document, list | tuple):
        entries = list(enumerate(document))
    else:
        return []
    for key, child in entries:
        if not isinstance(document, tuple):
            found.append((document, key))
        found += places(child)
    return found


def agrees(content: bytes) -> None:
    problems = lint(content)
    assert is_refused(content) == bool(reading(problems)), problems
    for one in problems:
        assert one.line >= 1
        assert one.column >= 1
        assert one.path.startswith("$")
        assert f"{one.message}{one.hint}{one.path}".isprintable()
        is_trap = CODES[one.code] is Family.TRAP
        assert (one.severity is Severity.WARNING) == is_trap
    assert problems == tuple(sorted(problems, key=lambda one: (one.line, one.column)))


@given(SPECS)
def test_it_agrees_with_admission_about_specs(spec: Spec) -> None:
    agrees(json.dumps(as_json(spec)).encode())


@given(DOCUMENTS)
def test_it_agrees_with_admission_about_documents(document: object) -> None:
    agrees(json.dumps(document).encode())


@given(CHANGED)
def test_it_agrees_with_admission_about_specs_with_one_thing_changed(
    changed: tuple[dict[str, object], int, object],
) -> None:
    document, number, instead = changed
    found = places(document)
    container, key = found[number % len(found)]
    container[key] = instead
    agrees(json.dumps(document).encode())


@given(st.binary(max_size=200) | PIECES.map(str.encode))
def test_it_agrees_with_admission_about_any_text(content: bytes) -> None:
    agrees(content)


WEIGHTS = st.sampled_from([1, 100, 0, 101, -5, 2.5, "5", True, None, 10])
TEXTS = st.sampled_from(["", "y", "In", "Exists", "Gt", "5", "version", "cpu.cpuid"])
QUOTED = st.recursive(
    TEXTS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.builds(
            lambda one, weight: {**one, "weight": weight},
            st.dictionaries(KEYS, inner, max_size=3),
            WEIGHTS,
        )
    ),
    max_leaves=12,
)
"""What JSON can hold, all text quoted."""

SCHEMA = Draft202012Validator(schema.document())


def agrees_with_the_schema(document: object) -> None:
    """Whatever the schema refuses has a problem; a wrong shape it refuses."""
    problems = lint(json.dumps(document).encode())
    is_valid = SCHEMA.is_valid(document)
    assert is_valid or problems
    if {"wrong-type", "unknown-top-key", "no-sets", "unknown-key"} & {
        one.code for one in problems
    }:
        assert not is_valid


@given(QUOTED)
def test_the_schema_agrees_about_documents(document: object) -> None:
    agrees_with_the_schema(document)


@given(SPECS.map(as_json), st.integers(0, 2**16), QUOTED)
def test_the_schema_agrees_about_specs_with_one_thing_changed(
    document: dict[str, object], number: int, instead: object
) -> None:
    found = places(document)
    container, key = found[number % len(found)]
    container[key] = instead
    agrees_with_the_schema(json.loads(json.dumps(document)))
