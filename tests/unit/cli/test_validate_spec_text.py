"""How `imagecompat validate-spec` prints problems."""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from app.compat.lint import MAX_WARNINGS
from tests.unit.cli.test_validate_spec import DASH

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

PATH = "$.compatibilities[0].rules[0].matchFeatures[0].matchExpressions['vfio-pci']"
ALIASES = DASH.replace(
    b"- name: r\n    matchFeatures:", b"- name: r\n    matchFeatures: &m"
) + (b"  - name: s\n    matchFeatures: *m\n")
MANY = (
    b"version: v1alpha1\ncompatibilities:\n- rules:\n  - name: r\n    matchFeatures:\n"
    b"    - {feature: local.label, matchExpressions: {x: {op: In, value: ["
    + b", ".join([b"x"] * (MAX_WARNINGS + 3))
    + b"]}}}\n"
)


def on_terminal(run: Run, monkeypatch: pytest.MonkeyPatch, spec: bytes) -> list[str]:
    """The lines that a terminal gets."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    return run("validate-spec", "-", stdin=spec).err.splitlines()


def test_a_line_ends_with_the_json_path(run: Run) -> None:
    (line,) = run("validate-spec", "-", stdin=DASH).err.splitlines()
    assert line.endswith(f" (at {PATH})")


def test_what_is_about_the_whole_spec_has_no_path(run: Run) -> None:
    (line,) = run("validate-spec", "-", stdin=b"a: [").err.splitlines()
    assert "(at" not in line


def test_on_a_terminal_the_path_has_a_line_of_its_own(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = on_terminal(run, monkeypatch, DASH)
    assert f"  at: {PATH}" == lines[3]


def test_what_an_alias_stands_for_is_told_with_each_path(run: Run) -> None:
    lines = run("validate-spec", "-", stdin=ALIASES).err.splitlines()
    assert 2 == len(set(lines))
    assert [f"(at {PATH})", f"(at {PATH.replace('rules[0]', 'rules[1]')})"] == [
        line[line.index("(at ") :] for line in lines
    ]


def test_ci_gets_the_path_in_the_name_and_in_the_text(run: Run) -> None:
    ran = run("validate-spec", "-o", "junit", "-", stdin=DASH)
    (case,) = ET.fromstring(ran.out).iter("testcase")
    assert f"module-dash at 8:9 {PATH}" == case.attrib["name"]
    assert PATH in ET.tostring(next(iter(case)), encoding="unicode")


def test_the_mark_stands_below_wide_characters_too(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = DASH.replace(b"vfio-pci: {op: Exists}", "日本e\u0301-本: {op: foo}".encode())
    err = on_terminal(run, monkeypatch, wide)
    *_, (line, mark) = (pair for pair in pairwise(err) if "^" in pair[1])
    before = line[: line.index("foo")]
    assert len(before) + 3 - 1 == len(mark) - 1, "three take two cells, one none"


@pytest.mark.parametrize("output", ["text", "json", "junit"])
def test_more_warnings_than_anybody_reads_are_counted(run: Run, output: str) -> None:
    ran = run("validate-spec", "-o", output, "-", stdin=MANY)
    assert "and 2 more warnings, which are not told" in ran.out + ran.err
    if output == "text":
        assert f"more than {MAX_WARNINGS} warnings" in ran.out
    if output == "json":
        problems = json.loads(ran.out)[0]["problems"]
        assert MAX_WARNINGS + 1 == len(problems)
