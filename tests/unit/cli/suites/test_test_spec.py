"""The command `test-spec`: files, what is printed, and exit codes."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
import yaml

from app.demo.layout import Layout

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

SPEC = b"""\
version: v1alpha1
compatibilities:
- rules:
  - name: kernel
    matchFeatures:
    - feature: kernel.version
      matchExpressions:
        major: {op: Ge, value: ["6"]}
"""
HEAD = "apiVersion: imagecompat.dev/v1alpha1\nkind: SpecTest\n"
NODES = """\
nodes:
- {name: new, file: hosts/new.json}
- {name: old, file: hosts/old.json}
"""
SUITE = f"""\
{HEAD}name: kernels
specs:
- {{name: spec, file: spec.yaml}}
{NODES}tests:
- {{spec: spec, node: new, expect: fits}}
- {{name: too old, spec: spec, node: old, expect: does not fit}}
"""
RECIPES = Path(__file__).parents[3] / "data" / "suites" / "recipes.yaml"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "spec.yaml").write_bytes(SPEC)
    (tmp_path / "hosts").mkdir()
    for name, major in (("new", "6"), ("old", "5")):
        elements = {"elements": {"major": major}}
        content = json.dumps({"attributes": {"kernel.version": elements}})
        (tmp_path / "hosts" / f"{name}.json").write_text(content)
    path = tmp_path / "suite.yaml"
    path.write_text(SUITE)
    return path


def rewritten(suite: Path, old: str, new: str) -> str:
    text = suite.read_text()
    assert old in text
    suite.write_text(text.replace(old, new))
    return str(suite)


def test_all_as_expected_is_exit_0(run: Run, suite: Path) -> None:
    ran = run("test-spec", str(suite))
    assert (0, "2 passed, 0 failed\n", "") == (ran.status, ran.out, ran.err)


def test_what_is_not_as_expected_is_exit_1_and_says_why(run: Run, suite: Path) -> None:
    file = rewritten(suite, "old, expect: does not fit", "old, expect: fits")
    ran = run("test-spec", file)
    assert (1, "") == (ran.status, ran.err)
    assert [
        f"FAIL {file}:11:3: too old: spec on old",
        "     wanted fits, got does not fit (#1)",
        "     kernel: kernel.version major: want Ge 6, found 5",
        "1 passed, 1 failed",
    ] == ran.out.splitlines()


def test_what_passed_is_named_if_wanted(run: Run, suite: Path) -> None:
    ran = run("test-spec", "--verbose", str(suite))
    assert f"ok   {suite}:10:3: spec on new" == ran.out.splitlines()[0]


def test_several_suites_are_one_run(run: Run, suite: Path) -> None:
    ran = run("test-spec", str(suite), str(suite))
    assert (0, "4 passed, 0 failed\n") == (ran.status, ran.out)


def test_standard_input_is_a_dash_and_its_paths_are_ours(
    run: Run, suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(suite.parent)
    ran = run("test-spec", "-", stdin=suite.read_bytes())
    assert (0, "2 passed, 0 failed\n") == (ran.status, ran.out)


def test_some_can_be_selected_by_name(run: Run, suite: Path) -> None:
    file = rewritten(suite, "old, expect: does not fit", "old, expect: fits")
    ran = run("test-spec", "--run", "on new$", file)
    assert (0, "1 passed, 0 failed\n") == (ran.status, ran.out)
    assert 1 == run("test-spec", "--run", "too", file).status


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("none such", "no test has such a name"), ("(", "expected a regular expression")],
)
def test_a_pattern_that_selects_nothing_is_bad_input(
    run: Run, suite: Path, pattern: str, text: str
) -> None:
    ran = run("test-spec", "--run", pattern, str(suite))
    assert (2, "") == (ran.status, ran.out)
    assert f"imagecompat: --run: {text}" in ran.err
    assert 1 == ran.err.count("\n")


def test_json_and_yaml_say_all_of_it(run: Run, suite: Path) -> None:
    file = rewritten(suite, "old, expect: does not fit", "old, expect: fits")
    ran = run("test-spec", "-o", "json", file)
    assert 1 == ran.status
    found = json.loads(ran.out)
    assert (1, 1) == (found["passed"], found["failed"])
    ((name, first, second),) = [(one["name"], *one["tests"]) for one in found["suites"]]
    assert ("kernels", True) == (name, first["passed"])
    assert {
        "name": "too old",
        "spec": "spec",
        "node": "old",
        "line": 11,
        "passed": False,
        "differences": ["wanted fits, got does not fit (#1)"],
        "expected": "fits",
        "answer": "does not fit",
        "score": None,
        "set": "#1",
        "failing": ["kernel"],
        "reasons": ["kernel: kernel.version major: want Ge 6, found 5"],
        "errors": [],
    } == second
    assert found == yaml.safe_load(run("test-spec", "-o", "yaml", file).out)


def test_junit_has_a_case_for_each_and_a_failure_for_some(
    run: Run, suite: Path
) -> None:
    file = rewritten(suite, "old, expect: does not fit", "old, expect: fits")
    ran = run("test-spec", "-o", "junit", file)
    assert 1 == ran.status
    (found,) = ET.fromstring(ran.out)
    assert ("kernels", "2", "1") == tuple(map(found.get, ("name", "tests", "failures")))
    first, second = found
    assert ("spec on new", file) == (first.get("name"), first.get("classname"))
    assert [] == list(first)
    (failure,) = second
    assert "wanted fits, got does not fit (#1)" == failure.get("message")
    assert "found 5" in str(failure.text)


def test_junit_is_the_same_wherever_the_tests_stand(run: Run, suite: Path) -> None:
    """Readers compare one run with the next by names."""
    words = ("test-spec", "-o", "junit", str(suite))
    before = run(*words).out
    suite.write_text(suite.read_text().replace("tests:\n", "\n# more\n\ntests:\n"))
    assert before == run(*words).out


def test_junit_has_each_name_once(run: Run, suite: Path) -> None:
    line = "- {spec: spec, node: new, expect: fits}\n"
    file = rewritten(suite, line, line * 3)
    (found,) = ET.fromstring(run("test-spec", "-o", "junit", file).out)
    names = ["spec on new", "spec on new (2)", "spec on new (3)"]
    assert [*names, "too old: spec on old"] == [one.get("name") for one in found]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("[", "expected a regular expression (RE2)"),
        ("(?=a)", "expected a regular expression (RE2)"),
        ("a{1000}{1000}", "expected a regular expression (RE2)"),
        ("a" * 1025, "expected at most 1024 bytes"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_bad_input(
    run: Run, suite: Path, pattern: str, text: str
) -> None:
    ran = run("test-spec", "--run", pattern, str(suite))
    assert (2, "") == (ran.status, ran.out)
    assert ran.err.startswith(f"imagecompat: --run: {text}")
    assert 1 == ran.err.count("\n")


def test_a_pattern_may_be_as_long_as_in_a_spec(run: Run, suite: Path) -> None:
    ran = run("test-spec", "--run", f"spec|{'a' * 1019}", str(suite))
    assert (0, "2 passed, 0 failed\n") == (ran.status, ran.out)


def test_no_pattern_takes_long(run: Run, suite: Path) -> None:
    """Python's own engine would take years."""
    file = rewritten(suite, "name: too old", f"name: {'a' * 200}")
    started = time.monotonic()
    ran = run("test-spec", "--run", "^(a|a)*$b", file)
    assert 2 == ran.status
    assert "no test has such a name" in ran.err
    assert 5 > time.monotonic() - started


# Bad input ----------------------------------------------------------------------


def test_every_fault_of_every_suite_is_a_line(run: Run, suite: Path) -> None:
    file = rewritten(suite, "expect:", "expectt:")
    ran = run("test-spec", file, file)
    assert (2, "") == (ran.status, ran.out)
    lines = ran.err.splitlines()
    assert 8 == len(lines)
    assert all(line.startswith(f"{file}:1") for line in lines)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("spec.yaml", "none.yaml", ":5:3: {folder}/none.yaml: cannot be read: No such"),
        ("file: spec.yaml", "recipe: efb", ":5:3: there is no recipe efb; did you"),
        ("hosts/new.json", "none.json", ":7:3: {folder}/none.json"),
        ("hosts/new.json", "hosts", ":7:3: {folder}/hosts: 2 nodes cannot all have"),
        ("name: old, file", "name: x, file", "there is no node old"),
        ("spec: spec, node: new", "spec: spac, node: new", "did you mean spec?"),
    ],
)
def test_what_a_suite_names_and_is_not_there_has_its_place(
    run: Run, suite: Path, old: str, new: str, text: str
) -> None:
    ran = run("test-spec", rewritten(suite, old, new))
    assert (2, "") == (ran.status, ran.out)
    assert text.format(folder=suite.parent) in ran.err
    assert ran.err.startswith(str(suite))


def test_all_that_is_wrong_with_suites_is_told_at_once(
    run: Run, suite: Path, tmp_path: Path
) -> None:
    """Fields, files and names; not what only follows from them."""
    (tmp_path / "spec.yaml").unlink()
    (tmp_path / "hosts" / "old.json").write_text("[")
    rewritten(suite, "expect: fits}", "expect: fit}")
    cases = (("spec", "nww"), ("s", "old"))
    more = [f"- {{spec: {spec}, node: {node}, expect: fits}}\n" for spec, node in cases]
    suite.write_text(suite.read_text() + "".join(more))
    ran = run("test-spec", "/nonexistent.yaml", str(suite))
    assert (2, "") == (ran.status, ran.out)
    first, *lines = ran.err.splitlines()
    assert first.startswith("imagecompat: /nonexistent.yaml: cannot be read")
    told = [one.removeprefix(f"{suite}:").split(" ", 1) for one in lines]
    assert ["10:35:", "5:3:", "8:3:", "12:3:", "13:3:"] == [one[0] for one in told]
    assert "there is no node nww; did you mean new?" == told[3][1]
    assert "there is no spec s" == told[4][1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("{name: spec, file: spec.yaml}", "5", id="no spec"),
        pytest.param("{name: spec, f", "{f", id="spec without a name"),
        pytest.param("name: spec,", "name: n,", id="spec with a boolean's name"),
        pytest.param("name: spec,", "name: spec, recipe: a,", id="two sources"),
        pytest.param("- {name: spec, file: spec.yaml}\nn", "  a: b\nn", id="no list"),
        pytest.param("{name: new, file: hosts/new.json}", "5", id="no node"),
        pytest.param(NODES, "nodes: 5\n", id="no list of nodes"),
        pytest.param("{name: new, f", "{name: n, f", id="node with a boolean's name"),
        pytest.param("hosts/new.json", "none.json", id="no such file"),
        pytest.param("name: new, file: hosts/new", "file: none", id="nor its names"),
    ],
)
def test_a_name_is_not_missed_whose_entry_is_wrong(
    run: Run, suite: Path, old: str, new: str
) -> None:
    ran = run("test-spec", rewritten(suite, old, new))
    assert (2, 1) == (ran.status, ran.err.count("\n")), ran.err


def test_two_nodes_cannot_have_one_name(run: Run, suite: Path) -> None:
    both = (
        "{file: hosts}\n- {name: new, file: hosts/new.json}\n- {file: hosts/old.json}"
    )
    file = rewritten(suite, "{name: new, file: hosts/new.json}", both)
    ran = run("test-spec", file)
    assert (2, "") == (ran.status, ran.out)
    assert [8, 9, 10] == [int(one.split(":")[1]) for one in ran.err.splitlines()]
    assert "name: there is another new" in ran.err


def test_a_suite_that_is_not_there_is_bad_input(run: Run) -> None:
    ran = run("test-spec", "/nonexistent.yaml")
    assert 2 == ran.status
    assert ran.err.startswith("imagecompat: /nonexistent.yaml: cannot be read")


def test_broken_yaml_has_its_place(run: Run, suite: Path) -> None:
    suite.write_text(f"{SUITE}- [\n")
    ran = run("test-spec", str(suite))
    assert (2, "") == (ran.status, ran.out)
    assert ran.err.startswith(f"{suite}:1")
    assert 1 == ran.err.count("\n")


def test_control_characters_are_not_printed(run: Run, suite: Path) -> None:
    file = rewritten(suite, "name: too old", 'name: "\\e[31m"')
    ran = run("test-spec", "--verbose", file)
    assert (0, False) == (ran.status, "\x1b" in ran.out)
    assert "?[31m: spec on old" in ran.out


# Images, recipes, folders -------------------------------------------------------


@pytest.fixture
def image(suite: Path) -> Path:
    """The suite with the spec of an image in a layout beside it."""
    layout = Layout(suite.parent / "layout")
    kinds = ("amd64", "arm64")
    children = [(one, layout.image(one, one)) for one in kinds]
    index = layout.index(children)
    layout.tag(index, "multi")
    layout.tag(layout.image("amd64", "bare"), "bare")
    layout.attach(index, SPEC, created="2026-03-01T00:00:00Z")
    broken = b"compatibilities: 5"
    layout.attach(children[1][1], broken, created="2026-03-02T00:00:00Z")
    layout.close()
    rewritten(suite, "file: spec.yaml", "image: 'oci-layout://layout:multi'")
    return suite


def test_the_spec_of_an_image_is_what_is_attached_to_it(run: Run, image: Path) -> None:
    assert 0 == run("test-spec", str(image)).status
    file = rewritten(image, "multi'", "multi', platform: linux/arm64")
    ran = run("test-spec", file)
    assert 1 == ran.status
    assert "wanted fits, got error" in ran.out


def test_an_image_without_a_spec_is_an_error_that_can_be_expected(
    run: Run, image: Path
) -> None:
    file = rewritten(image, ":multi'", ":bare'")
    ran = run("test-spec", file)
    assert 1 == ran.status
    assert "no compatibility spec is attached to it" in ran.out
    content = image.read_text().replace("does not fit", "error")
    image.write_text(content.replace("fits", "error"))
    assert 0 == run("test-spec", file).status


def test_an_image_that_is_not_there_could_not_be_tested(run: Run, image: Path) -> None:
    ran = run("test-spec", rewritten(image, ":multi'", ":none'"))
    assert (3, "") == (ran.status, ran.out)
    assert "ImageNotFound" in ran.err


def test_no_image_is_asked_for_while_something_else_is_wrong(
    run: Run, image: Path
) -> None:
    rewritten(image, ":multi'", ":none'")
    ran = run("test-spec", rewritten(image, "hosts/new.json", "none.json"))
    assert (2, "") == (ran.status, ran.out)
    assert "ImageNotFound" not in ran.err
    assert "none.json: cannot be read" in ran.err


def test_the_recipes_are_on_all_hosts_what_they_are_said_to_be(run: Run) -> None:
    started = time.monotonic()
    ran = run("test-spec", str(RECIPES))
    assert (0, "240 passed, 0 failed\n", "") == (ran.status, ran.out, ran.err)
    assert 5 > time.monotonic() - started
