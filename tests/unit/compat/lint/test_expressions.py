"""What operators can work with, before any node is known."""

from __future__ import annotations

import pytest

from app.compat.lint import expressions as package
from app.compat.lint import lint
from app.compat.operators import OPERATORS
from tests.unit.compat.lint.examples import codes, of_expressions, of_names, only


def of(expression: str) -> bytes:
    return of_expressions("local.label", f"a: {expression}")


@pytest.mark.parametrize(
    ("op", "meant"),
    [
        ("exists", "Exists"),
        ("IN", "In"),
        ("NotExists", "DoesNotExist"),
        ("doesnotexists", "DoesNotExist"),
        (">=", "Ge"),
        ("Gte", "Ge"),
        ("regex", "InRegexp"),
        ("==", "In"),
        ("InRegex", "InRegexp"),
        ("Frobnicate", ""),
        ("x" * 60, ""),
    ],
)
def test_an_unknown_operator_is_named_with_the_one_that_is_meant(
    op: str, meant: str
) -> None:
    problem = only(of(f'{{op: "{op}", value: ["1"]}}'))
    assert "unknown-operator" == problem.code
    assert f'unknown operator "{op}": expected one of Exists, ' in problem.message
    assert (f'did you mean "{meant}"?' if meant else "") == problem.hint


@pytest.mark.parametrize(
    ("op", "count", "wrong"),
    [
        (op, count, count not in wanted)
        for op, wanted in {
            "Exists": {0},
            "DoesNotExist": {0},
            "IsTrue": {0},
            "IsFalse": {0},
            "In": {1, 2, 3},
            "NotIn": {1, 2, 3},
            "InRegexp": {1, 2, 3},
            "Gt": {1},
            "Ge": {1},
            "Lt": {1},
            "Le": {1},
            "GtLt": {2},
            "GeLe": {2},
        }.items()
        for count in range(4)
    ],
)
def test_operators_take_so_many_values(op: str, count: int, wrong: bool) -> None:
    values = ", ".join(f'"{one}"' for one in range(1, count + 1))
    found = codes(of(f"{{op: {op}, value: [{values}]}}"))
    assert wrong == ("wrong-value-count" in found)


def test_every_operator_has_a_number_of_values() -> None:
    for op in OPERATORS:
        lint(of(f"{{op: '{op}'}}"))


def test_values_without_an_operator_want_in() -> None:
    problem = only(of("{value: [a]}"))
    assert "no operator with 1 value: expected none" == problem.message
    assert "write op: In" == problem.hint


@pytest.mark.parametrize(
    ("expression", "code", "hint"),
    [
        pytest.param('{op: Gt, value: ["5.4"]}', "not-a-number", "add type: version"),
        pytest.param('{op: Gt, value: ["x"]}', "not-a-number", ""),
        pytest.param('{op: Gt, value: ["1_0"]}', "not-a-number", ""),
        pytest.param(
            '{op: Gt, value: ["5_4"], type: version}',
            "not-a-version",
            "at most three numbers, and no underscore",
        ),
        pytest.param('{op: GtLt, value: ["5", "4"]}', "reversed-interval", "swap them"),
        pytest.param(
            '{op: GeLe, value: ["5", "5"]}',
            "reversed-interval",
            'write {op: In, value: ["5"]}',
        ),
        pytest.param(
            '{op: GeLe, value: ["5.1", "5"], type: version}',
            "contradiction",
            "write the smaller first",
        ),
        pytest.param(
            '{op: GtLt, value: ["5", "5.0"], type: version}',
            "contradiction",
            "write the smaller first",
        ),
        pytest.param('{op: Gt, value: ["5"], type: semver}', "unknown-type", ""),
        pytest.param(
            '{op: In, value: ["5"], type: version}',
            "ignored-type",
            "only Ge, GeLe, Gt, GtLt, Le, Lt look at it",
        ),
        pytest.param("{op: Exists, type: x}", "ignored-type", None),
        pytest.param('{op: In, value: ["a", "a"]}', "duplicate-value", ""),
        pytest.param('{op: InRegexp, value: ["("]}', "invalid-pattern", None),
        pytest.param('{op: InRegexp, value: ["a(?=b)"]}', "invalid-pattern", None),
        pytest.param(
            '{op: InRegexp, value: ["\\\\p{Letter}"]}', "unsupported-pattern", None
        ),
    ],
)
def test_what_an_operator_cannot_work_with(
    expression: str, code: str, hint: str | None
) -> None:
    problem = only(of(expression))
    assert code == problem.code
    assert hint is None or hint == problem.hint


@pytest.mark.parametrize(
    "expression",
    [
        '{op: Gt, value: ["+5"]}',
        '{op: Gt, value: ["007"]}',
        '{op: Ge, value: ["v1.2.3-rc1"], type: version}',
        '{op: GeLe, value: ["5", "5"], type: version}',
        '{op: GtLt, value: ["-1", "5"]}',
        '{op: InRegexp, value: ["^a|b$", "(?i)x"]}',
        '{op: In, value: ["a", "A"]}',
        "{}",
        "{op: Exists, value: []}",
    ],
)
def test_what_an_operator_can_work_with(expression: str) -> None:
    assert [] == codes(of(expression))


def test_one_end_that_is_no_number_is_the_only_problem() -> None:
    assert ["not-a-number"] == codes(of('{op: GtLt, value: ["5", "x"]}'))


def test_a_type_of_another_kind_says_nothing_about_operands() -> None:
    assert ["unknown-type"] == codes(of('{op: GtLt, value: ["x", "x"], type: z}'))


def test_a_matcher_of_names_is_looked_at_too() -> None:
    assert ["unknown-operator"] == codes(of_names("cpu.cpuid", "{op: exists}"))


def test_patterns_that_cost_too_much_are_named_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(package, "MAX_CALLS", 200)
    patterns = ", ".join(f"^x{number}{'y' * 20}$" for number in range(9))
    found = codes(of(f"{{op: InRegexp, value: [{patterns}]}}"))
    assert ["costly-patterns"] == found
