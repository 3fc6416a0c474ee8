import json
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

SPEC = """\
version: v1alpha1
compatibilities:
- tag: a
  weight: 5
  rules:
  - name: r
    matchFeatures:
    - feature: kernel.version
      matchExpressions:
        major: {op: Ge, value: ["6"]}
- tag: b
  rules: []
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    spec, features = tmp_path / "spec.yaml", tmp_path / "features.json"
    spec.write_text(SPEC)
    attributes = {"kernel.version": {"elements": {"major": "5"}}}
    features.write_text(json.dumps({"attributes": attributes}))
    return str(spec), str(features)


def test_a_node_that_does_not_fit_is_exit_1(run: "Run", files: tuple[str, str]) -> None:
    spec, features = files
    ran = run(
        "validate-node", "--spec", spec, "--features", features, "--tags", "a",
        "--output-json",
    )  # fmt: skip
    assert ran.status == 1
    (only,) = json.loads(ran.out)
    assert ("a", 5, False) == (only["tag"], only["weight"], only["rules"][0]["isMatch"])


def test_every_expression_is_shown_with_what_is_wanted_and_found(
    run: "Run", files: tuple[str, str]
) -> None:
    spec, features = files
    ran = run("validate-node", "--spec", spec, "--features", features)
    assert ran.status == 0
    assert """
set a, weight 5: does not fit
RULE  FEATURE               WANTED  FOUND  RESULT
r     kernel.version.major  Ge 6    5      no

set b, weight 0: fits

fits
""" == ran.out.partition("features.json)\n")[2]
    assert "\x1b" not in ran.out


def test_nfds_own_table_is_there_for_those_who_read_it(
    run: "Run", files: tuple[str, str]
) -> None:
    spec, features = files
    ran = run(
        "validate-node", "--spec", spec, "--features", features, "-o", "nfd-table"
    )
    assert ran.status == 0
    assert ran.out.startswith("COMPATIBILITY SET #1 Weight: 5; Tag: a\n")
    assert "fits" not in ran.out


def test_nfds_json_has_no_end_of_line(run: "Run", files: tuple[str, str]) -> None:
    spec, features = files
    arguments = ("validate-node", "--spec", spec, "--features", features)
    for form in (
        ("--output-json",),
        ("-o", "nfd-json"),
        ("--output-json", "-o", "nfd-json"),
    ):
        ran = run(*arguments, *form)
        assert (0, "]") == (ran.status, ran.out[-1])
    ran = run(*arguments, "--output-json", "-o", "table")
    assert (2, "imagecompat: --output-json and -o: only one of them\n") == (
        ran.status,
        ran.err,
    )


def test_several_tags_are_separated_by_commas(
    run: "Run", files: tuple[str, str]
) -> None:
    spec, features = files
    ran = run(
        "validate-node", "--spec", spec, "--features", features, "--tags", "a,b",
        "--output-json",
    )  # fmt: skip
    assert (0, 2) == (ran.status, len(json.loads(ran.out)))


def test_tags_that_select_nothing_do_not_fit(
    run: "Run", files: tuple[str, str]
) -> None:
    spec, features = files
    ran = run("validate-node", "--spec", spec, "--features", features, "--tags", "x")
    assert (1, "features.json)\n\ndoes not fit\n") == (ran.status, ran.out[-29:])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("{", "no valid JSON", id="cut"),
        pytest.param("[" * 100_000, "no object of Kubernetes", id="deep list"),
        pytest.param('{"a":' * 100_000, "no valid JSON", id="deep"),
        pytest.param("[]", "features.json: ", id="a list"),
        pytest.param('{"flags": {"a": {"elements": []}}}', "flags", id="wrong shape"),
    ],
)
def test_a_features_file_of_another_shape_is_refused(
    run: "Run", files: tuple[str, str], content: str, words: str
) -> None:
    spec, features = files
    Path(features).write_text(content)
    ran = run("validate-node", "--spec", spec, "--features", features)
    assert (2, "") == (ran.status, ran.out)
    assert words in ran.err


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param("", "1:1: the spec has no compatibility sets", id="empty"),
        pytest.param(
            SPEC.replace("compatibilities", "compatibilites"),
            '2:1: unknown key "compatibilites"',
            id="misspelt",
        ),
    ],
)
def test_a_spec_that_asks_for_nothing_is_bad_input_but_for_nfd(
    run: "Run", files: tuple[str, str], content: str, problem: str
) -> None:
    spec, features = files
    Path(spec).write_text(content)
    arguments = ("validate-node", "--spec", spec, "--features", features, "-o")
    for form in ("table", "json", "yaml", "junit", "html"):
        ran = run(*arguments, form)
        assert (2, "") == (ran.status, ran.out)
        assert ran.err.startswith(f"imagecompat: {spec}:{problem}")
    for form, out in (("nfd-json", "[]"), ("nfd-table", "")):
        assert (1, out, "") == astuple(run(*arguments, form))


def test_a_rule_that_cannot_be_evaluated_is_nfds_error_in_its_forms(
    run: "Run", files: tuple[str, str]
) -> None:
    spec, features = files
    Path(spec).write_text(SPEC.replace("Ge", "Nope"))
    for form in ("nfd-json", "nfd-table"):
        ran = run("validate-node", "--spec", spec, "--features", features, "-o", form)
        assert (2, "") == (ran.status, ran.out)
        assert 'imagecompat: invalid Op "Nope"\n' == ran.err


def test_else_it_is_not_known_and_another_set_may_fit(
    run: "Run", files: tuple[str, str]
) -> None:
    spec, features = files
    Path(spec).write_text(SPEC.replace("Ge", "Nope"))
    arguments = ("validate-node", "--spec", spec, "--features", features)
    assert 0 == run(*arguments).status
    ran = run(*arguments, "--tags", "a")
    assert 3 == ran.status
    assert (
        'r              evaluation  evaluation: invalid Op "Nope"  unknown' in ran.out
    )
    assert ran.out.endswith("\nunknown\n")
