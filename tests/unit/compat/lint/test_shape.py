"""Types, keys, and texts that are no text."""

from __future__ import annotations

import pytest

from app.compat.lint import Problem, lint
from tests.unit.compat.lint.examples import (
    codes,
    of_expressions,
    of_sets,
    of_terms,
    only,
)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        pytest.param(
            "- {rules: {}}", "found a mapping, expected a list", "", id="mapping"
        ),
        pytest.param("- []", "found a list, expected a mapping", "", id="list"),
        pytest.param("- {rules: [x]}", 'found the text "x"', "", id="text"),
        pytest.param("- {rules: [true]}", "found the boolean true", "", id="true"),
        pytest.param("- {rules: [no]}", "found the boolean false", "", id="false"),
        pytest.param("- {rules: [1]}", "found the number 1", "", id="number"),
        pytest.param("- {rules: [{name: [], vars: {a: b}}]}", "text", "", id="name"),
        pytest.param(
            '- {rules: [{name: a, vars: {a: b}}], weight: "5"}',
            'found the text "5", expected a whole number of 64 bits',
            "write a number without quotes, as in 10",
            id="quoted weight",
        ),
        pytest.param(
            "- {rules: [{name: a, vars: {a: b}}], weight: yes}",
            "found the boolean true",
            "write a number without quotes, as in 10",
            id="weight yes",
        ),
        pytest.param(
            "- {rules: [{name: a, vars: {a: b}}], weight: 9223372036854775808}",
            "expected a whole number of 64 bits",
            "write a number without quotes, as in 10",
            id="weight of 65 bits",
        ),
        pytest.param("- {rules: [{vars: []}]}", "expected a mapping", "", id="vars"),
    ],
)
def test_a_wrong_type_is_named_with_what_is_expected(
    text: str, message: str, hint: str
) -> None:
    found = [one for one in _problems(text) if one.code == "wrong-type"]
    assert 1 == len(found)
    assert message in found[0].message
    assert hint == found[0].hint


def _problems(text: str) -> tuple[Problem, ...]:
    return lint(of_sets(text))


def test_a_weight_may_be_written_with_an_exponent() -> None:
    assert "wrong-type" not in codes(of_sets("- {rules: [], weight: 1e2}"))


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        pytest.param("Intel", 'write ["Intel"]', id="text"),
        pytest.param("5", 'write ["5"]', id="number"),
        pytest.param("yes", 'write ["true"]', id="boolean"),
        pytest.param("{a: b}", "", id="mapping"),
    ],
)
def test_a_single_value_wants_brackets(value: str, hint: str) -> None:
    spec = of_expressions("local.label", f"a: {{op: In, value: {value}}}")
    wrong = [one for one in lint(spec) if one.code == "wrong-type"]
    assert [hint] == [one.hint for one in wrong]


@pytest.mark.parametrize(
    ("written", "got", "kind"),
    [
        ("y", "true", "a boolean"),
        ("Off", "false", "a boolean"),
        ("0200", "128", "a number"),
        ("1.10", "1.1", "a number"),
        ("1_000", "1000", "a number"),
        ("0x1f", "31", "a number"),
        ("0b101", "5", "a number"),
        ("+1", "1", "a number"),
        ("1e3", "1000", "a number"),
        ("04", "4", "a number"),
        ("5.0", "5", "a number"),
        (".inf", "+Inf", "a number"),
        ("!!binary aGk=", "hi", "not plain text"),
    ],
)
def test_a_text_that_arrives_as_another_is_warned_of(
    written: str, got: str, kind: str
) -> None:
    problem = only(of_expressions("local.label", f"a: {{op: In, value: [{written}]}}"))
    assert "coerced-value" == problem.code
    assert f'is {kind} in YAML 1.1: NFD gets the text "{got}"' in problem.message
    quoted = written.removeprefix("!!binary ")
    assert f'quote it: "{quoted}"; or write "{got}", if you mean that' == problem.hint


@pytest.mark.parametrize(
    "written",
    ["22.04", "6", "true", "2024-01-02", "12:30", '"y"', "'0200'", "no-thing", "0"],
)
def test_a_text_that_arrives_as_it_is_written_is_fine(written: str) -> None:
    spec = of_expressions("local.label", f"a: {{op: In, value: [{written}]}}")
    assert [] == codes(spec)


def test_an_alias_is_warned_of_where_its_value_stands() -> None:
    spec = of_expressions(
        "local.label", "a: {op: In, value: &v [y]}\nb: {op: In, value: *v}"
    )
    assert [(8, 32)] * 2 == [
        (one.line, one.column) for one in lint(spec) if one.code == "coerced-value"
    ]


def test_the_name_of_an_element_may_be_coerced_too() -> None:
    problem = only(of_expressions("local.label", "010: {op: Exists}"))
    assert "coerced-key" == problem.code
    assert 'NFD gets "8"' in problem.message


def test_an_anchored_name_is_read_where_its_alias_stands() -> None:
    assert [] == codes(
        of_expressions("local.label", "&n a: {op: Exists}\nb: {op: Exists}")
    )
    spec = of_sets(
        """\
- rules:
  - name: &n rule
    vars: {*n : x}
"""
    )
    assert [] == codes(spec)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("- {rules: ~}", "rules is null", id="field"),
        pytest.param("- ~", "counts as an empty one", id="item"),
        pytest.param("- {rules: [{vars: {a: ~}}]}", '"a" is null', id="variable"),
    ],
)
def test_null_is_warned_of(text: str, message: str) -> None:
    nulls = [one for one in lint(of_sets(text)) if one.code == "null-value"]
    assert 1 == len(nulls)
    assert message in nulls[0].message


def test_a_null_value_is_an_empty_text() -> None:
    spec = of_expressions("local.label", "a: {op: In, value: [~]}")
    assert "an item is null: it counts as an empty text" == only(spec).message


def test_a_null_expression_is_an_error() -> None:
    problem = only(of_expressions("local.label", "a: ~"))
    assert ("null-expression", "error") == (problem.code, problem.severity)


def test_a_null_matcher_of_names_is_left_out() -> None:
    spec = of_terms("- feature: cpu.cpuid\n  matchName: ~")
    assert ["null-value"] == codes(spec)


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        pytest.param("compatibility", 'did you mean "compatibilities"?', id="near"),
        pytest.param("apiVersion", 'did you mean "version"?', id="other"),
        pytest.param("metadata", "", id="far"),
    ],
)
def test_an_unknown_key_at_the_top_is_an_error(key: str, hint: str) -> None:
    spec = of_sets("- {rules: [{name: a, vars: {a: b}}]}\n") + f"{key}: 1".encode()
    problem = only(spec)
    assert ("unknown-top-key", hint) == (problem.code, problem.hint)


def test_an_unknown_key_below_is_a_warning() -> None:
    problem = only(of_terms("- feature: cpu.cpuid\n  matchNames: {op: Exists}"))
    assert ("unknown-key", 'did you mean "matchName"?') == (problem.code, problem.hint)


@pytest.mark.parametrize("key", ["labels", "Taints", "extendedResources"])
def test_fields_of_a_node_feature_rule_are_ignored_here(key: str) -> None:
    spec = of_sets(f"- rules: [{{name: a, vars: {{a: b}}, {key}: {{}}}}]")
    assert ["ignored-field"] == codes(spec)


def test_labels_elsewhere_are_an_unknown_key() -> None:
    spec = of_sets("- {labels: {}, rules: [{name: a, vars: {a: b}}]}")
    assert ["unknown-key"] == codes(spec)


def test_a_key_in_another_case_is_warned_of() -> None:
    problem = only(of_sets("- Rules: [{name: a, vars: {a: b}}]"))
    assert ("key-case", "write rules") == (problem.code, problem.hint)


def test_two_spellings_of_one_key_merge() -> None:
    spec = of_sets(
        "- {rules: [{name: a, vars: {a: b}}], RULES: [{name: b, vars: {a: c}}]}"
    )
    first, second = lint(spec)
    assert "is the same key as" in first.message
    assert "other readers may ignore it" in second.message
