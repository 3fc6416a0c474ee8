"""Expressions that cannot all hold."""

from __future__ import annotations

import pytest

from app.compat.lint import lint, logic
from tests.unit.compat.lint.examples import codes, of_sets, of_terms, only


def twice(first: str, second: str, *, feature: str = "local.label") -> bytes:
    """A spec of two terms, each with one expression on the same element."""
    term = f"- feature: {feature}\n  matchExpressions:\n    x: "
    return of_terms(f"{term}{first}\n{term}{second}")


def is_refuted(spec: bytes) -> bool:
    return "contradiction" in codes(spec)


@pytest.mark.parametrize(
    ("first", "second", "refuted"),
    [
        ('{op: In, value: ["a"]}', '{op: In, value: ["b"]}', True),
        ('{op: In, value: ["a", "b"]}', '{op: In, value: ["b", "c"]}', False),
        ('{op: In, value: ["a"]}', '{op: NotIn, value: ["a", "b"]}', True),
        ('{op: In, value: ["a"]}', '{op: NotIn, value: ["b"]}', False),
        ('{op: In, value: ["5"]}', '{op: Gt, value: ["5"]}', True),
        ('{op: In, value: ["6"]}', '{op: Gt, value: ["5"]}', False),
        ('{op: In, value: ["a"]}', '{op: Gt, value: ["5"]}', False),
        ('{op: In, value: ["abc"]}', '{op: InRegexp, value: ["^b"]}', True),
        ('{op: In, value: ["abc"]}', '{op: InRegexp, value: ["^a"]}', False),
        ("{op: IsTrue}", "{op: IsFalse}", True),
        ("{op: IsTrue}", '{op: In, value: ["true"]}', False),
        ("{op: IsTrue}", '{op: In, value: ["yes"]}', True),
        ("{op: Exists}", "{op: DoesNotExist}", True),
        ('{op: In, value: ["a"]}', "{op: DoesNotExist}", True),
        ("{op: DoesNotExist}", "{op: DoesNotExist}", False),
        ("{op: DoesNotExist}", "{}", False),
        ("{op: Exists}", '{op: In, value: ["a"]}', False),
        ('{op: Gt, value: ["5"]}', '{op: Lt, value: ["4"]}', True),
        ('{op: Gt, value: ["5"]}', '{op: Lt, value: ["6"]}', True),
        ('{op: Ge, value: ["5"]}', '{op: Lt, value: ["6"]}', False),
        ('{op: Ge, value: ["5"]}', '{op: Le, value: ["5"]}', False),
        ('{op: Gt, value: ["5"]}', '{op: Le, value: ["5"]}', True),
        ('{op: Gt, value: ["5"]}', '{op: Lt, value: ["7"]}', False),
        ('{op: GtLt, value: ["1", "5"]}', '{op: GeLe, value: ["5", "9"]}', True),
        ('{op: GtLt, value: ["1", "6"]}', '{op: GeLe, value: ["5", "9"]}', False),
        ('{op: Gt, value: ["5"]}', '{op: Gt, value: ["9"]}', False),
        ('{op: Gt, value: ["x"]}', '{op: Lt, value: ["4"]}', False),
        ("{op: Gt}", '{op: Lt, value: ["4"]}', False),
        (
            '{op: Gt, type: version, value: ["5.1"]}',
            '{op: Lt, type: version, value: ["5.2"]}',
            False,
        ),
        (
            '{op: Ge, type: version, value: ["5.1"]}',
            '{op: Le, type: version, value: ["5.1.0"]}',
            False,
        ),
        (
            '{op: Gt, type: version, value: ["5.1"]}',
            '{op: Le, type: version, value: ["5.1"]}',
            True,
        ),
        (
            '{op: Ge, type: version, value: ["5.1"]}',
            '{op: Lt, type: version, value: ["5.1"]}',
            True,
        ),
        (
            '{op: Gt, type: version, value: ["6"]}',
            '{op: Lt, type: version, value: ["5"]}',
            True,
        ),
        ('{op: Gt, value: ["6"]}', '{op: Lt, type: version, value: ["5"]}', False),
        ("{op: exists}", "{op: DoesNotExist}", False),
        ("~", "{op: DoesNotExist}", False),
    ],
)
def test_two_expressions_on_one_element(first: str, second: str, refuted: bool) -> None:
    assert refuted == is_refuted(twice(first, second))
    assert refuted == is_refuted(twice(second, first))


def test_a_contradiction_names_the_other_line() -> None:
    spec = twice('{op: In, value: ["a"]}', '{op: In, value: ["b"]}')
    problem = only(spec)
    assert 11 == problem.line
    assert (
        'no value of local.label "x" passes this and what stands in line 8: this never'
        " matches" == problem.message
    )


@pytest.mark.parametrize("feature", ["pci.device", "vendor.example/x"])
def test_instances_are_many(feature: str) -> None:
    """Two terms may be true of two devices."""
    spec = twice('{op: In, value: ["a"]}', '{op: In, value: ["b"]}', feature=feature)
    assert not is_refuted(spec)


def test_rules_of_a_set_must_all_match() -> None:
    rule = "{name: %s, matchFeatures: [%s]}"
    term = "{feature: local.label, matchExpressions: {x: {op: In, value: [%s]}}}"
    first, second = rule % ("r", term % "a"), rule % ("s", term % "b")
    assert is_refuted(of_sets(f"- rules: [{first}, {second}]"))
    assert not is_refuted(of_sets(f"- rules: [{first}]\n- rules: [{second}]"))


def test_alternatives_are_looked_at_one_by_one() -> None:
    one = "{feature: local.label, matchExpressions: {x: {op: In, value: [a]}}}"
    other = one.replace("[a]", "[b]")
    rule = "- rules: [{name: r, matchAny: [%s]}]"
    alone = f"{{matchFeatures: [{one}]}}, {{matchFeatures: [{other}]}}"
    assert not is_refuted(of_sets(rule % alone))
    assert is_refuted(of_sets(rule % f"{{matchFeatures: [{one}, {other}]}}"))


def test_what_a_rule_sets_again_may_differ_from_rule_to_rule() -> None:
    rule = "{name: %s, vars: {x: %s}, matchFeatures: [%s]}"
    asked = "{feature: rule.matched, matchExpressions: {x: {op: In, value: [%s]}}}"
    first = rule % ("a", "a", "{feature: kernel.version}")
    second, third = rule % ("b", "b", asked % "a"), rule % ("c", "c", asked % "b")
    assert [] == codes(of_sets(f"- rules: [{first}, {second}, {third}]"))
    both = rule % ("b", "b", f"{asked % 'a'}, {asked % 'b'}")
    assert is_refuted(of_sets(f"- rules: [{first}, {both}]"))


ONE = "{feature: local.label, matchExpressions: {x: {op: In, value: [%s]}}}"


@pytest.mark.parametrize(
    ("alternatives", "refuted"),
    [
        (["b", "c"], True),
        (["b", "a"], False),
        (["b"], True),
    ],
)
def test_alternatives_that_all_contradict_the_set(
    alternatives: list[str], refuted: bool
) -> None:
    rule = "{name: %s, matchFeatures: [%s]}"
    inner = ", ".join(f"{{matchFeatures: [{ONE % one}]}}" for one in alternatives)
    both = f"{{name: r, matchFeatures: [{ONE % 'a'}], matchAny: [{inner}]}}"
    assert refuted == is_refuted(of_sets(f"- rules: [{both}]"))
    other = f"{{name: r, matchAny: [{inner}]}}"
    spec = of_sets(f"- rules: [{rule % ('s', ONE % 'a')}, {other}]")
    assert refuted == is_refuted(spec)
    if refuted:
        (problem,) = lint(spec)
        assert "no alternative of this matchAny ever matches" in problem.message


def test_an_alternative_is_not_blamed_for_what_the_set_contradicts_itself() -> None:
    terms = f"matchFeatures: [{ONE % 'a'}, {ONE % 'b'}]"
    inner = f"{{matchFeatures: [{ONE % 'a'}]}}"
    spec = of_sets(f"- rules: [{{name: r, {terms}, matchAny: [{inner}]}}]")
    assert ["contradiction"] == codes(spec)


def test_alternatives_may_mean_other_devices() -> None:
    one = "{feature: pci.device, matchExpressions: {vendor: {op: In, value: ['%s']}}}"
    alternative = f"{{matchFeatures: [{one % '10de'}]}}"
    rule = f"{{name: r, matchFeatures: [{one % '1002'}], matchAny: [{alternative}]}}"
    assert [] == codes(of_sets(f"- rules: [{rule}]"))


@pytest.mark.parametrize(
    ("expression", "refuted"),
    [
        ('{op: GtLt, value: ["1", "2"]}', True),
        ('{op: GtLt, value: ["1", "3"]}', False),
        ('{op: Gt, value: ["9223372036854775807"]}', True),
        ('{op: Gt, value: ["9223372036854775806"]}', False),
        ('{op: Ge, value: ["9223372036854775807"]}', False),
        ('{op: Lt, value: ["-9223372036854775808"]}', True),
        ('{op: Le, value: ["-9223372036854775808"]}', False),
        ('{op: GtLt, type: version, value: ["1.2.3", "1.2.4"]}', True),
        ('{op: GtLt, type: version, value: ["1.2.3", "1.2.5"]}', False),
        ('{op: GtLt, type: version, value: ["1.2", "1.3"]}', False),
        ('{op: Lt, type: version, value: ["0"]}', True),
        ('{op: Gt, type: version, value: ["x"]}', False),
        ('{op: GeLe, value: ["x", "1"]}', False),
        ('{op: GeLe, value: ["1", "x"]}', False),
    ],
)
def test_one_expression_that_nothing_satisfies(expression: str, refuted: bool) -> None:
    spec = of_terms(f"- feature: local.label\n  matchExpressions: {{x: {expression}}}")
    assert refuted == is_refuted(spec)


def test_of_many_lines_some_are_told() -> None:
    term = "- feature: local.label\n  matchExpressions:\n    x: {op: In, value: [%s]}\n"
    (problem,) = lint(of_terms("".join(term % one for one in "aabbb")))
    assert "in line 8 and 11 and 14 and others:" in problem.message


def test_long_lists_are_not_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = twice('{op: In, value: ["a", "b"]}', '{op: NotIn, value: ["a", "b"]}')
    work = 6  # two expressions, and two values with both
    monkeypatch.setattr(logic, "MAX_CALLS", work)
    assert is_refuted(spec)
    monkeypatch.setattr(logic, "MAX_CALLS", work - 1)
    assert not is_refuted(spec)


@pytest.mark.parametrize(
    ("expressions", "expected"),
    [
        ("AVX2: {op: Exists}, SVE: {op: Exists}", ["mixed-architectures"]),
        ("AVX2: {op: Exists}, SVE: {op: DoesNotExist}", []),
        ("AVX2: {op: Exists}, SME: {op: Exists}", []),
        ("ASIMD: {op: Exists}, SVE: {op: Exists}", []),
    ],
)
def test_flags_of_two_architectures(expressions: str, expected: list[str]) -> None:
    spec = of_terms(f"- {{feature: cpu.cpuid, matchExpressions: {{{expressions}}}}}")
    assert expected == codes(spec)


def test_the_lines_of_both_architectures_are_told() -> None:
    spec = of_terms(
        "- feature: cpu.cpuid\n  matchExpressions:\n    AVX2: {op: Exists}\n"
        "- feature: cpu.cpuid\n  matchExpressions:\n    SVE: {op: Exists}\n"
    )
    (problem,) = lint(spec)
    assert 11 == problem.line
    assert (
        '"SVE" is a flag of arm64, and "AVX2" in line 8 one of amd64: no node has both'
        == problem.message
    )
