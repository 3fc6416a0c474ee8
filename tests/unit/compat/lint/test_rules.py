"""Sets and rules: what is empty, what is there twice, variables and templates."""

from __future__ import annotations

import pytest

from app.compat import varstemplate
from app.compat.lint import lint
from tests.unit.compat.lint.examples import codes, of_sets, only

RULE = "{name: a, vars: {a: b}}"


@pytest.mark.parametrize(
    ("version", "found"),
    [("version: v1alpha1\n", True), ("version: v1beta1\n", False), ("", False)],
)
def test_there_is_one_version(version: str, found: bool) -> None:
    spec = f"{version}compatibilities: [{{rules: [{RULE}]}}]".encode()
    assert ([] if found else ["unknown-version"]) == codes(spec)


def test_a_version_that_is_missing_is_told_so() -> None:
    problem = only(f"compatibilities: [{{rules: [{RULE}]}}]".encode())
    assert 'version is missing: expected "v1alpha1"' == problem.message


@pytest.mark.parametrize(
    ("weight", "expected"),
    [("0", 1), ("1", 0), ("100", 0), ("101", 1), ("-1", 1)],
)
def test_weights_are_1_to_100(weight: str, expected: int) -> None:
    found = codes(of_sets(f"- {{weight: {weight}, rules: [{RULE}]}}"))
    assert ["weight-range"] * expected == found


def test_a_weight_of_nothing_is_better_left_out() -> None:
    problem = only(of_sets(f"- {{weight: 0, rules: [{RULE}]}}"))
    assert "leave it out, where nothing is preferred" == problem.hint


def test_tags_are_each_their_own() -> None:
    spec = of_sets(
        f"- {{tag: a, rules: [{RULE}]}}\n- {{tag: a, rules: [{RULE}]}}\n"
        f"- {{rules: [{RULE}]}}\n- {{rules: [{RULE}]}}\n"
    )
    problem = only(spec)
    assert ("duplicate-tag", 4) == (problem.code, problem.line)
    assert 'the tag "a" stands in line 3 already' == problem.message


def test_names_of_rules_are_each_their_own_in_a_set() -> None:
    assert ["duplicate-rule-name"] == codes(of_sets(f"- rules: [{RULE}, {RULE}]"))
    assert [] == codes(of_sets(f"- rules: [{RULE}]\n- rules: [{RULE}]"))
    unnamed = "{vars: {a: b}}"
    assert [] == codes(of_sets(f"- rules: [{unnamed}, {unnamed}]"))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param("{name: a}", ["empty-rule"], id="nothing"),
        pytest.param("{name: a, matchFeatures: []}", ["empty-rule"], id="empty"),
        pytest.param(RULE, [], id="variables"),
        pytest.param("{name: a, vars: {a: b}, matchAny: []}", [], id="no alternatives"),
        pytest.param(
            "{name: a, matchAny: [{}, {matchFeatures: [{feature: cpu.model}]}]}",
            ["empty-alternative"],
            id="alternative",
        ),
        pytest.param(
            "{name: a, varsTemplate: a=b}",
            ["empty-rule", "unused-template"],
            id="template",
        ),
    ],
)
def test_what_is_empty_matches_every_node(rule: str, expected: list[str]) -> None:
    assert expected == codes(of_sets(f"- rules: [{rule}]"))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param(
            "- rules: [{name: a, matchFeature: [{feature: cpu.model}]}]",
            "unknown-key",
            id="misspelled field",
        ),
        pytest.param("- rules: [{name: a, matchFeatures: 5}]", "wrong-type", id="type"),
        pytest.param("- rules: [~]", "null-value", id="null rule"),
        pytest.param("- {tag: a, rules: 5}", "wrong-type", id="no rules"),
    ],
)
def test_what_is_empty_because_of_a_mistake_is_told_once(text: str, code: str) -> None:
    assert [code] == codes(of_sets(text))


def test_a_mistake_elsewhere_hides_nothing() -> None:
    spec = of_sets("- tag: [a]\n  rules: [{name: a}]")
    assert ["wrong-type", "empty-rule"] == codes(spec)


def templated(template: str) -> bytes:
    return of_sets(
        f"- rules:\n  - name: a\n    varsTemplate: {template}\n"
        "    matchFeatures: [{feature: cpu.cpuid}]\n"
    )


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ('"a={{"', "invalid-template"),
        ('"a={{ nosuch }}"', "invalid-template"),
        ('"a={{ now }}"', "refused-function"),
        ('"a={{ genPrivateKey }}"', "refused-function"),
        ('"' + "{{ if 1 }}" * 40 + "{{ end }}" * 40 + '"', "invalid-template"),
    ],
)
def test_a_template_that_cannot_be_run(template: str, code: str) -> None:
    assert [code] == codes(templated(template))


def test_a_template_that_can_be_run() -> None:
    assert [] == codes(templated('"{{ range .cpu.cpuid }}{{ .Name }}=1{{ end }}"'))


def test_a_template_is_bounded() -> None:
    most = varstemplate.MAX_TEMPLATE_BYTES
    assert [] == codes(templated("a=" + "x" * (most - 2)))
    problem = only(templated("a=" + "x" * (most - 1)))
    assert "invalid-template" == problem.code
    assert f"a template of {most + 1} bytes: expected at most {most}" == problem.message


def rules(*each: str) -> bytes:
    return of_sets("- rules:\n" + "".join(f"  - {one}\n" for one in each))


ASKS = (
    "{name: asks, matchFeatures: [{feature: rule.matched, matchExpressions:"
    " {gpu: {op: Exists}}}]}"
)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param(rules(ASKS), 1, id="first rule"),
        pytest.param(rules("{name: a, vars: {gpu: x}}", ASKS), 0, id="set before"),
        pytest.param(rules("{name: a, vars: {cpu: x}}", ASKS), 1, id="another"),
        pytest.param(rules(ASKS, "{name: a, vars: {gpu: x}}"), 1, id="set after"),
        pytest.param(
            rules(
                "{name: a, varsTemplate: a=b, matchFeatures: [{feature: cpu.cpuid}]}",
                ASKS,
            ),
            0,
            id="template",
        ),
        pytest.param(
            rules("{name: a, vars: {gpu: x}}") + f"- rules: [{ASKS}]".encode(),
            0,
            id="in the set before",
        ),
    ],
)
def test_a_variable_is_set_before_it_is_asked_for(spec: bytes, expected: int) -> None:
    assert ["unset-variable"] * expected == codes(spec)


def test_the_first_rule_finds_no_variables_at_all() -> None:
    (problem,) = lint(rules(ASKS))
    assert "rule.matched does not exist before the first rule" == problem.hint


def test_a_misspelled_variable_is_named() -> None:
    (problem,) = lint(rules("{name: a, vars: {gpus: x}}", ASKS))
    assert 'did you mean "gpus"?' == problem.hint
