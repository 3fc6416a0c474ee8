"""The page of problems: every code, an example that has it, and one that has not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.cli.linting import attached
from app.compat.lint import CODES, Family, lint

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs/reference/spec-problems.md").read_text()
SECTION = re.compile(
    r"^### `(?P<code>[a-z-]+)`\n(?P<why>.*?)"
    r"^<!-- problem.*?-->\n```yaml\n(?P<problem>.*?)^```\n"
    r"<!-- fixed -->\n```yaml\n(?P<fixed>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
CUT = {
    "xxx...": "x" * 1024,
    "one, one...": ", ".join(["one"] * 1_002),
    "'a{1000}...'": ", ".join(f"'a{{1000}}{number}'" for number in range(2100)),
}
"""What the page leaves out of an example, because nobody would read it."""


@dataclass(frozen=True)
class Section:
    """One code of the page."""

    code: str
    why: str
    problem: bytes
    fixed: bytes


def whole(text: str) -> bytes:
    """A spec that holds what an example shows."""
    for short, long in CUT.items():
        text = text.replace(short, long)
    nested = {
        "- feature:": "- name: rule\n  matchFeatures:\n",
        "- name:": "- rules:\n",
        "- matchFeatures:": "- rules:\n",
        "- rules:": "version: v1alpha1\ncompatibilities:\n",
        "- weight:": "version: v1alpha1\ncompatibilities:\n",
        "- tag:": "version: v1alpha1\ncompatibilities:\n",
    }
    while (start := next((one for one in nested if text.startswith(one)), "")) != "":
        indented = "".join(f"  {line}\n" for line in text.splitlines())
        text = nested[start] + indented
    return text.encode()


SECTIONS = [
    Section(one["code"], one["why"], whole(one["problem"]), whole(one["fixed"]))
    for one in SECTION.finditer(PAGE)
]


def codes(spec: bytes) -> set[str]:
    return {one.code for one in lint(spec)}


@pytest.mark.parametrize("section", SECTIONS, ids=lambda one: one.code)
def test_the_example_of_a_problem_has_it(section: Section) -> None:
    assert section.code in codes(section.problem)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda one: one.code)
def test_what_to_write_instead_has_no_problem_at_all(section: Section) -> None:
    assert set() == codes(section.fixed)


def test_every_code_has_a_section_and_no_other() -> None:
    assert sorted(CODES) == sorted(one.code for one in SECTIONS)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda one: one.code)
def test_a_section_says_why_and_stands_where_it_belongs(section: Section) -> None:
    assert section.why.strip()
    before = PAGE[: PAGE.index(f"### `{section.code}`")]
    heading = re.findall(r"^## (.*)$", before, re.MULTILINE)[-1]
    wanted = {
        Family.READING: "Errors: the spec cannot be read",
        Family.EVALUATION: "Errors: the spec cannot be evaluated",
    }
    expected = wanted.get(CODES[section.code], "Warnings: ")
    assert heading.startswith(expected)


def test_every_code_of_an_artifact_has_a_row_with_its_severity() -> None:
    _, _, artifacts = PAGE.partition("\n## Artifacts\n")
    rows = re.findall(r"^\| `([a-z-]+)` \| (error|warning) \|", artifacts, re.MULTILINE)
    assert rows == [(code, severity) for code, severity in attached.CODES.items()]
