"""The author's reader as a whole: places, order, bounds, and real specs."""

from __future__ import annotations

from importlib import resources

import pytest

from app.compat.limits import Limits
from app.compat.lint import Problem, Severity, lint
from tests.unit.compat.lint.examples import codes, of_expressions, of_sets, only

ARTICLE = b"""\
version: v1alpha1
compatibilities:
- description: "My image requirements"
  rules:
  - name: "kernel and cpu"
    matchFeatures:
    - feature: kernel.loadedmodule
      matchExpressions:
        vfio-pci: {op: Exists}
    - feature: cpu.model
      matchExpressions:
        vendor_id: {op: In, value: ["Intel", "AMD"]}
  - name: "one of available nics"
    matchAny:
    - matchFeatures:
      - feature: pci.device
        matchExpressions:
          vendor: {op: In, value: ["0eee"]}
          class: {op: In, value: ["0200"]}
    - matchFeatures:
      - feature: pci.device
        matchExpressions:
          vendor: {op: In, value: ["0fff"]}
          class: {op: In, value: ["0200"]}
"""
"""The example of NFD's documentation, and of the article that made it known."""

RECIPES = [
    one
    for one in resources.files("app.recipes").iterdir()
    if one.name.endswith(".yaml")
]


def test_the_example_that_everybody_copies_can_never_match() -> None:
    assert Problem(
        Severity.WARNING,
        "module-dash",
        9,
        9,
        "$.compatibilities[0].rules[0].matchFeatures[0].matchExpressions['vfio-pci']",
        "kernel.loadedmodule never holds a name with a dash: found"
        ' "vfio-pci", expected "vfio_pci"',
        "if it may be built in: feature kernel.enabledmodule, matchName"
        ' {op: InRegexp, value: ["^vfio[-_]pci$"]}',
    ) == only(ARTICLE)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda one: one.name)
def test_a_recipe_has_no_problem(recipe: resources.abc.Traversable) -> None:
    assert () == lint(recipe.read_bytes())


def test_there_are_recipes() -> None:
    assert len(RECIPES) >= 16


def test_every_problem_is_told_in_order_of_its_place() -> None:
    spec = of_sets(
        """\
- weight: 5.5
  rules:
  - name: [a]
    matchFeatures:
    - feature: cpu.model
      matchExpressions:
        vendor_id: {op: in, value: Intel}
        family: {op: Gt, value: ["x"], type: number}
  - 5
"""
    )
    found = [(one.line, one.column, one.code) for one in lint(spec)]
    assert [
        (3, 11, "wrong-type"),
        (5, 11, "wrong-type"),
        (9, 25, "unknown-operator"),
        (9, 36, "wrong-type"),
        (10, 46, "unknown-type"),
        (11, 5, "wrong-type"),
    ] == found


def test_a_value_is_named_by_its_json_path() -> None:
    spec = of_expressions("pci.device", 'vendor: {op: In, value: ["10de", "10DE"]}')
    assert (
        "$.compatibilities[0].rules[0].matchFeatures[0].matchExpressions.vendor.value[1]"
        == only(spec).path
    )


def test_broken_yaml_is_named_with_its_place() -> None:
    problem = only(b"compatibilities:\n- rules: [\n")
    assert ("yaml-syntax", Severity.ERROR) == (problem.code, problem.severity)
    assert "did not find expected node content" == problem.message
    assert (3, 1) == (problem.line, problem.column)


def test_an_anchor_that_is_not_there_is_an_error_of_yaml() -> None:
    assert ["yaml-syntax"] == codes(b"compatibilities: *sets")


@pytest.mark.parametrize("text", ["", "~", "{}", "# nothing", "compatibilities: ~"])
def test_a_text_without_sets_asks_for_nothing(text: str) -> None:
    assert "no-sets" in codes(text.encode())


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        pytest.param(Limits(bytes=10), "bytes of text", id="bytes"),
        pytest.param(Limits(nodes=10), "YAML nodes", id="nodes"),
        pytest.param(Limits(depth=3), "inside each other", id="depth"),
    ],
)
def test_a_bound_of_the_text_ends_the_reading(limits: Limits, words: str) -> None:
    (problem,) = lint(ARTICLE, limits=limits)
    assert "too-costly" == problem.code
    assert words in problem.message


@pytest.mark.parametrize("counted", ["rules", "terms", "values"])
def test_a_bound_is_told_where_it_is_passed(counted: str) -> None:
    spec = of_sets(
        """\
- rules:
  - {name: a, matchFeatures: [{feature: cpu.model, matchExpressions: {
      vendor_id: {op: In, value: [Intel]}}}]}
  - {name: b, matchFeatures: [{feature: cpu.model, matchExpressions: {
      vendor_id: {op: In, value: [Intel]}}}]}
"""
    )
    assert () == lint(spec, limits=Limits(**{counted: 2}))
    (problem,) = lint(spec, limits=Limits(**{counted: 1}))
    assert "too-costly" == problem.code
    assert f"more than 1 {counted}: expected at most 1" == problem.message
    assert problem.line in {6, 7}


def test_a_long_pattern_is_refused_one_byte_later() -> None:
    spec = of_expressions("kernel.version", 'full: {op: InRegexp, value: ["^abc"]}')
    assert () == lint(spec, limits=Limits(pattern_bytes=4))
    (problem,) = lint(spec, limits=Limits(pattern_bytes=3))
    assert ("too-costly", "a pattern of 4 bytes: expected at most 3") == (
        problem.code,
        problem.message,
    )


def test_what_the_spec_holds_is_printable_in_messages() -> None:
    spec = b'compatibilities: [{rules: [{"\\e[2J\\u2028": 1, "\xe0\xbb\x8e": 2}]}]'
    for problem in lint(spec):
        assert f"{problem.path}{problem.message}{problem.hint}".isprintable()


def test_a_text_at_the_limit_is_read() -> None:
    spec = of_expressions("cpu.cpuid", "AVX2: {op: Exists}")
    assert () == lint(spec, limits=Limits(bytes=len(spec)))
    (problem,) = lint(spec, limits=Limits(bytes=len(spec) - 1))
    assert "too-costly" == problem.code


def test_what_only_the_reader_finds_has_its_place() -> None:
    spec = of_sets("- rules: [{name: a, vars: {a: b}}]\n  notes: .nan\n")
    problem = next(one for one in lint(spec) if one.code == "unreadable")
    assert (4, 10) == (problem.line, problem.column)
    assert "json: unsupported value: NaN" in problem.message


@pytest.mark.parametrize("text", ["apiVersion: v1\ncompatibilities: ~", "kinds: []"])
def test_a_wrong_key_at_the_top_is_why_there_are_no_sets(text: str) -> None:
    found = codes(text.encode())
    assert "unknown-top-key" in found
    assert "no-sets" not in found
    assert "no-sets" not in codes(text.replace("apiVersion", "zone").encode())
