"""Templates that fail when they are run."""

from __future__ import annotations

import json

import pytest

from app.compat.template import engine
from tests.unit.compat.lint.examples import codes, of_sets, only

CPUID = "{feature: cpu.cpuid, matchExpressions: {AVX: {op: Exists}}}"
CONFIG = "{feature: kernel.config, matchExpressions: {KVM: {op: Exists}}}"
FAILS = ["failing-template"]


def of_template(template: str, *terms: str) -> bytes:
    matchers = f"matchFeatures: [{', '.join(terms or (CPUID,))}]"
    return of_rule(template, matchers)


def of_rule(template: str, matchers: str) -> bytes:
    return of_sets(
        f"- rules: [{{name: r, varsTemplate: {json.dumps(template)}, {matchers}}}]"
    )


@pytest.mark.parametrize(
    "template",
    [
        "key",
        "a=b\nkey",
        "a={{ len .cpu.cpuid }}\nkey\n",
        "{{ range .cpu.cpuid }}a=b\nkey\n{{ end }}",
        "{{ if .cpu.cpuid }}\nkey\n{{ end }}",
        "{{ if .cpu.cpuid }}{{ else }}\nkey\n{{ end }}",
        "{{ range .cpu.cpuid }}{{ else }}\nkey\n{{ end }}",
        "{{ $x := 1 }}key",
        "\ufffdkey\0",
    ],
)
def test_every_line_wants_an_equals_sign(template: str) -> None:
    assert FAILS == codes(of_template(template))


@pytest.mark.parametrize(
    "template",
    [
        *("a=b", "", "  \n", "{{ .cpu.cpuid }}", "key{{ if true }}=a{{ end }}"),
        *("{{ range .cpu.cpuid }}key{{ end }}", "{{/* key */}}", "{{ $x := 1 }}a=b"),
        '{{ define "x" }}key{{ end }}a={{ template "x" }}',
        "{{ range .cpu.cpuid }}{{ break }}{{ end }}",
    ],
)
def test_what_may_become_a_line_with_one_is_left_alone(template: str) -> None:
    assert [] == codes(of_template(template))


@pytest.mark.parametrize(
    "template",
    [
        "{{ range .cpu.cpuid }}{{ .Name }}={{ .Value }}\n{{ end }}",
        "{{ range $.cpu.cpuid }}{{ .Name }}={{ .Value }}\n{{ end }}",
        "{{ range $e := .cpu.cpuid }}{{ $e.Name }}={{ $e.Value }}\n{{ end }}",
        "{{ range $i, $e := .cpu.cpuid }}{{ $i }}={{ $e.Value }}\n{{ end }}",
        "{{ range .cpu.cpuid }}{{ if .Value }}a=b\n{{ end }}{{ end }}",
        "{{ range .cpu.cpuid }}a={{ (.Value) | upper }}\n{{ end }}",
    ],
)
def test_a_flag_has_no_value(template: str) -> None:
    problem = only(of_template(template))
    assert 'flags of "cpu.cpuid" have a .Name, and no .Value' == problem.message


@pytest.mark.parametrize(
    ("template", "term"),
    [
        ("{{ range .cpu.cpuid }}a={{ .Name }}\n{{ end }}", CPUID),
        ("{{ range .cpu.cpuid }}{{ if false }}a={{ .Value }}{{ end }}{{ end }}", CPUID),
        ("{{ range .kernel.config }}a={{ .Value }}\n{{ end }}", CONFIG),
        (
            "{{ range .cpu.cpuid }}a={{ .Value }}\n{{ end }}",
            CPUID.replace("AVX", "AVX10_VERSION"),
        ),
        (
            "{{ range .cpu.cpuid }}a={{ .Value }}\n{{ end }}",
            '{feature: cpu.cpuid, matchName: {op: In, value: ["AVX10_VERSION"]}}',
        ),
        (
            '{{ range index .vendor "x" }}a={{ .Value }}\n{{ end }}',
            "{feature: vendor.x}",
        ),
        ("{{ range .vendor.x }}a={{ .Value }}\n{{ end }}", "{feature: vendor.x}"),
        ("{{ range .cpu }}a={{ .Value }}\n{{ end }}", CPUID),
    ],
)
def test_what_may_have_a_value_is_left_alone(template: str, term: str) -> None:
    assert [] == codes(of_template(template, term))


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ range .kernel.config }}a=b\n{{ end }}", FAILS),
        ("a={{ len .kernel.config }}", FAILS),
        ("a={{ len $.kernel.config }}", FAILS),
        ("a={{ len (.kernel.config) }}", FAILS),
        ("{{ with .kernel.config }}a=b{{ end }}", FAILS),
        ("{{ range .Cpu.cpuid }}a=b\n{{ end }}", FAILS),
        ('{{ if hasKey . "kernel" }}a={{ len .kernel.config }}{{ end }}', []),
        ("{{ if and false .kernel.config }}a=b{{ end }}", []),
        ("a={{ len .cpu.cpuid }}", []),
        ("a={{ len . }}", []),
    ],
)
def test_a_feature_that_no_term_names_is_missing(
    template: str, expected: list[str]
) -> None:
    assert expected == codes(of_template(template))


@pytest.mark.parametrize(
    ("template", "term"),
    [
        ("a={{ len .kernel.config }}", CONFIG),
        ("a={{ len .Cpu.cpuid }}", "{feature: Cpu.cpuid}"),
    ],
)
def test_a_feature_is_looked_up_as_its_term_spells_it(template: str, term: str) -> None:
    assert "failing-template" not in codes(of_template(template, CPUID, term))


def test_a_template_is_run_on_each_matcher_by_itself() -> None:
    inner = f"{{matchFeatures: [{CONFIG}]}}, {{matchFeatures: [{CPUID}]}}"
    for one in (".kernel.config", ".cpu.cpuid"):
        template = f"a={{{{ len {one} }}}}"
        assert FAILS == codes(of_rule(template, f"matchAny: [{inner}]"))
    both = f"{{matchFeatures: [{CONFIG}, {CPUID}]}}"
    assert [] == codes(of_rule("a={{ len .cpu.cpuid }}", f"matchAny: [{both}]"))


def test_a_feature_without_a_dot_is_a_domain() -> None:
    template = '{{ range index .gpu "" }}a=b\n{{ end }}'
    assert ["feature-without-dot"] == codes(of_template(template, "{feature: gpu}"))


def test_a_template_that_aliases_repeat_is_read_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[str] = []
    parse = engine.parse

    def counted(text: str) -> engine.Template:
        read.append(text)
        return parse(text)

    monkeypatch.setattr(engine, "parse", counted)
    rules = ", ".join(
        f"{{name: r{number}, varsTemplate: *t, matchFeatures: [{CPUID}]}}"
        for number in range(200)
    )
    first = f"{{name: r, varsTemplate: &t 'key', matchFeatures: [{CPUID}]}}"
    assert FAILS * 201 == codes(of_sets(f"- rules: [{first}, {rules}]"))
    assert ["key"] == read
