"""Suites' files as values, and everything that can be wrong with one."""

from __future__ import annotations

import pytest

from app.cli.suites import reading
from app.cli.suites.suite import Answer, Case, Expected, Place, SpecSource, Suite
from app.compat.features import Features
from app.compat.outcome import UnpublishedFeatures

HEAD = "apiVersion: imagecompat.dev/v1alpha1\nkind: SpecTest\n"
BODY = """\
specs:
- name: cuda
  file: cuda.yaml
nodes:
- name: gpu
  features: {flags: {kernel.loadedmodule: {elements: {nvidia: {}}}}}
tests:
- {spec: cuda, node: gpu, expect: fits}
"""


def suite(text: str) -> Suite:
    found, problems = reading.read(text.encode(), "s.yaml")
    assert () == problems
    return found


def wrong(text: str) -> list[str]:
    return list(reading.read(text.encode(), "s.yaml")[1])


def test_a_suite_names_specs_nodes_and_what_is_expected() -> None:
    found = suite(HEAD + BODY)
    (spec,), (node,) = found.specs, found.nodes
    assert ("cuda", SpecSource.FILE, "cuda.yaml") == (
        spec.name,
        spec.source,
        spec.target,
    )
    modules = {"kernel.loadedmodule": frozenset({"nvidia"})}
    assert ("gpu", Features(flags=modules)) == (node.name, node.features)
    case = Case(
        spec="cuda",
        node="gpu",
        place=Place("s.yaml", 10, 3),
        expected=Expected(answer=Answer.FITS),
    )
    assert (case,) == found.cases
    assert ("s.yaml", "s.yaml") == (found.file, found.name)
    assert UnpublishedFeatures.UNKNOWN is found.unpublished


def test_a_suite_can_have_a_name_and_false_instead_of_unknown() -> None:
    for word in ("no", '"no"'):
        found = suite(f"{HEAD}name: x\nunpublishedFeatures: {word}\n{BODY}")
        assert ("x", UnpublishedFeatures.NO) == (found.name, found.unpublished)
    found = suite(f"{HEAD}unpublishedFeatures: unknown\n{BODY}")
    assert UnpublishedFeatures.UNKNOWN is found.unpublished


def test_a_test_can_expect_more_and_have_several_nodes() -> None:
    text = (
        "{name: t, spec: cuda, nodes: [gpu, cpu], tags: [a, b], expect: does not fit,"
        " set: native, failing: [r, s], reason: why}"
    )
    found = suite(HEAD + BODY.replace("{spec: cuda, node: gpu, expect: fits}", text))
    assert ["gpu", "cpu"] == [case.node for case in found.cases]
    first = found.cases[0]
    assert ("t", ("a", "b"), "t: cuda on gpu") == (first.name, first.tags, first.title)
    assert first.expected == Expected(
        answer=Answer.DOES_NOT_FIT,
        chosen="native",
        failing=("r", "s"),
        reason="why",
    )


def test_one_text_stands_for_a_list_of_one() -> None:
    text = "{spec: cuda, nodes: gpu, tags: a, expect: unknown, failing: r}"
    (case,) = suite(
        HEAD + BODY.replace("{spec: cuda, node: gpu, expect: fits}", text)
    ).cases
    assert ("gpu", ("a",), ("r",)) == (case.node, case.tags, case.expected.failing)


def test_a_score_of_0_is_no_weight_and_not_nothing() -> None:
    text = "{spec: cuda, node: gpu, expect: fits, score: 0, set: '#1'}"
    (case,) = suite(
        HEAD + BODY.replace("{spec: cuda, node: gpu, expect: fits}", text)
    ).cases
    assert Expected(answer=Answer.FITS, score=0, chosen="#1") == case.expected


MATRIX = """\
matrix:
- name: all
  tags: [a]
  nodes: [a, b, c, d, e, f, g]
  specs:
    x: [yes, no, 7, fits, does not fit, unknown, error]
    z: {a: yes}
"""


def test_a_matrix_has_a_cell_for_each_spec_and_node() -> None:
    found = suite(HEAD + MATRIX)
    expected = [
        Expected(answer=Answer.FITS, score=0),
        Expected(answer=Answer.DOES_NOT_FIT),
        Expected(answer=Answer.FITS, score=7),
        Expected(answer=Answer.FITS),
        Expected(answer=Answer.DOES_NOT_FIT),
        Expected(answer=Answer.UNKNOWN),
        Expected(answer=Answer.ERROR),
        Expected(answer=Answer.FITS, score=0),
    ]
    assert expected == [case.expected for case in found.cases]
    assert [*"abcdefg", "a"] == [case.node for case in found.cases]
    assert [*"xxxxxxx", "z"] == [case.spec for case in found.cases]
    assert {("all", ("a",))} == {(case.name, case.tags) for case in found.cases}
    assert Place("s.yaml", 8, 14) == found.cases[1].place


def test_an_inline_spec_is_text_or_a_mapping() -> None:
    for inline in ("|\n    version: v1alpha1\n", "{version: v1alpha1}"):
        text = BODY.replace("file: cuda.yaml", f"inline: {inline}")
        (spec,) = suite(HEAD + text).specs
        assert SpecSource.INLINE is spec.source
        assert b"version" in spec.content
        assert b"v1alpha1" in spec.content


def test_an_image_can_have_a_platform() -> None:
    text = "image: r.example/a:1\n  platform: linux/arm64"
    (spec,) = suite(HEAD + BODY.replace("file: cuda.yaml", text)).specs
    assert ("r.example/a:1", "linux/arm64") == (spec.target, spec.platform)


TEST = "{spec: cuda, node: gpu, expect: fits}"


@pytest.mark.parametrize(
    ("old", "new", "line", "text"),
    [
        pytest.param("kind: SpecTest", "kind: Spectest", 2, "kind: exp", id="kind"),
        pytest.param("kind: SpecTest\n", "", 1, "kind: expected SpecTest", id="none"),
        pytest.param("v1alpha1", "v2", 1, "apiVersion: expected", id="version"),
        pytest.param("tests:", "test:", 9, "did you mean tests?", id="misspelled"),
        pytest.param("file: c", "fil: c", 5, "did you mean file?", id="key of a spec"),
        pytest.param("specs:\n", "specs: 5\nx:\n", 3, "expected a list", id="no list"),
        pytest.param("- name: cuda", "- 5\n- name: cuda", 4, "mapping", id="no entry"),
        pytest.param("name: cuda\n  ", "", 4, "name: expected text", id="no name"),
        pytest.param("name: cuda", "name: 5", 4, "number (5): quote it", id="num"),
        pytest.param("name: cuda", "name: n", 4, "boolean: quote it", id="boolean"),
        pytest.param("name: cuda", "name: ''", 4, "got nothing", id="empty text"),
        pytest.param("cuda.yaml", "[a]", 5, "got a list", id="no path"),
        pytest.param(
            "file: cuda.yaml", "recipe: a\n  image: b", 4, "recipe and image", id="two"
        ),
        pytest.param(
            "file: cuda.yaml", "platform: x", 4, "got none of them", id="no source"
        ),
        pytest.param(
            "cuda.yaml", "cuda.yaml\n  platform: x", 6, "only an image", id="platform"
        ),
        pytest.param("file: cuda.yaml", "inline: 5", 5, "inline: expected", id="inl"),
        pytest.param(
            "nodes:", "- {name: cuda, recipe: x}\nnodes:", 6, "another cuda", id="same"
        ),
        pytest.param("tests:", "- {name: gpu}\ntests:", 9, "neither", id="no features"),
        pytest.param(
            "tests:", "- {name: x, file: 5}\ntests:", 9, "file: exp", id="no file"
        ),
        pytest.param("elements: {", "elements: [{", 8, "", id="broken YAML"),
        pytest.param("{nvidia: {}}", "[a]", 8, "features: flags[k", id="features"),
        pytest.param("- name: gpu\n  f", "- f", 7, "name: expected", id="nameless"),
        pytest.param(
            "tests:", "- {name: gpu, features: {}}\ntests:", 9, "another gpu", id="twin"
        ),
        pytest.param("- {spec", "- 5\n- {spec", 10, "test: expected a map", id="test"),
        pytest.param("node: gpu, ", "", 10, "node or nodes", id="no node"),
        pytest.param("spec: cuda, ", "", 10, "spec: expected text", id="no spec"),
        pytest.param(", expect: fits", "", 10, "expect: expected one of", id="no exp"),
        pytest.param("expect: fits", "expect: fit", 10, "got text (fit)", id="answer"),
        pytest.param("fits}", "fits, score: -1}", 10, "whole number", id="negative"),
        pytest.param("fits}", "fits, score: yes}", 10, "a boolean", id="no score"),
        pytest.param("fits}", "fits, reason: x}", 10, "says nothing", id="idle reason"),
        pytest.param("fits}", "unknown, score: 1}", 10, "says nothing", id="idle"),
        pytest.param("fits}", "error, set: x}", 10, "says nothing", id="idle set"),
        pytest.param(f":\n- {TEST}", ": []", 1, "no tests: expected", id="no tests"),
        pytest.param("kind: SpecTest", "unpublishedFeatures: x", 2, "or no", id="unp"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    old: str, new: str, line: int, text: str
) -> None:
    content = HEAD + BODY
    assert old in content
    problems = wrong(content.replace(old, new, 1))
    assert [one for one in problems if one.startswith(f"s.yaml:{line}:")]
    assert any(text in one for one in problems)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("no, 7", "no", "row: expected 7 cells, one for each of nodes, got 6"),
        ("yes, no", "yes, 0", "cell: expected yes, no, a score"),
        ("yes, no", "yes, [a]", "got a list"),
        ("yes, no", "yes, fts", "did you mean fits?"),
        ("yes, no", "yes, 1.5", "got a number (1.5)"),
        ("{a: yes}", "5", "row: expected a list of cells"),
        ("specs:", "spec:", "specs: expected a mapping of rows"),
        ("- name: all", "- 5\n- name: all", "matrix: expected a mapping"),
    ],
)
def test_a_wrong_cell_is_told_with_its_place(old: str, new: str, text: str) -> None:
    assert old in MATRIX
    problems = wrong(HEAD + MATRIX.replace(old, new, 1))
    assert any(text in one for one in problems)
    assert all(one.startswith("s.yaml:") for one in problems)


def test_all_that_is_wrong_is_told_at_once() -> None:
    content = (HEAD + BODY).replace("expect", "expectt").replace("file:", "filee:")
    assert [5, 4, 10, 10] == [int(one.split(":")[1]) for one in wrong(content)]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("node: gpu", "node: n", "10:22: node: expected text, got a boolean: quote it"),
        ("node: gpu", "node: 5", "10:22: node: expected text, got a number (5): quote"),
        ("node: gpu", "nodes: [n]", "10:24: nodes: expected text, got a boolean: quo"),
        ("node: gpu", "node: {a: b}", "10:22: node: expected text, got a mapping"),
        ("node: gpu", "node: ''", "10:22: node: expected text, got nothing"),
    ],
)
def test_a_node_that_is_no_text_is_told_once(old: str, new: str, text: str) -> None:
    (problem,) = wrong((HEAD + BODY).replace(old, new))
    assert problem.startswith(f"s.yaml:{text}")


@pytest.mark.parametrize(
    ("rows", "column", "text"),
    [
        ("{n: {a: yes}}", 11, "spec: expected text, got n, which means false"),
        ("{x: {y: yes}}", 15, "node: expected text, got y, which means true"),
        ("{1.10: {a: 1}}", 11, "spec: expected text, got 1.10, which means 1.1"),
    ],
)
def test_a_row_or_a_cell_has_a_name_that_is_text(
    rows: str, column: int, text: str
) -> None:
    problems = wrong(f"{HEAD}matrix:\n- nodes: [a]\n  specs: {rows}\n")
    told = f"s.yaml:5:{column}: {text} in YAML: quote it"
    assert told in problems


@pytest.mark.parametrize("name", ['"n"', "x", "5", "'1.10'"])
def test_a_name_that_is_text_needs_no_more_quotes(name: str) -> None:
    rows = f"matrix:\n- specs: {{{name}: {{{name}: yes}}}}\n"
    (case,) = suite(HEAD + rows).cases
    assert name.strip("\"'") == case.spec == case.node


def test_no_cell_is_missed_where_the_nodes_cannot_be_read() -> None:
    problems = wrong(HEAD + MATRIX.replace("nodes: [a", "nodes: [n, a", 1))
    assert ["nodes: expected text, got a boolean: quote it"] == [
        one.split(": ", 1)[1] for one in problems
    ]


def test_a_suite_of_another_kind_is_refused() -> None:
    assert ["s.yaml:1:1: suite: expected a mapping, got a list"] == wrong("[]")
    assert ["s.yaml:1:1: suite: expected a mapping, got nothing"] == wrong("")


def test_a_long_value_is_cut() -> None:
    (problem,) = wrong((HEAD + BODY).replace("fits", "x" * 1000))
    assert 200 > len(problem)
