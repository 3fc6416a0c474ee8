"""A page for each alert, and an alert for each page."""

import re
from pathlib import Path

import pytest

from tests.tools.alerts import rules, severity

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = ROOT / "docs" / "runbooks"
SECTIONS = ["What it means", "What users notice", "How to look", "How to fix"]
GLASS = (ROOT / "docs" / "how-to" / "break-glass.md").read_text().splitlines()[0]


def test_pages_and_alerts_are_the_same() -> None:
    pages = {path.stem for path in PAGES.glob("*.md")} - {"README"}
    assert sorted(rules()) == sorted(pages)


def test_the_index_lists_every_alert_once_with_its_severity() -> None:
    text = (PAGES / "README.md").read_text()
    row = re.compile(r"^\| \[(\w+)\]\((\w+)\.md\) \| (\w+) \| (.*) \|$", re.MULTILINE)
    rows = row.findall(text)
    expected = [
        (name, name, severity(name), rule["annotations"]["summary"])
        for name, rule in rules().items()
    ]
    assert expected == rows


@pytest.mark.parametrize("alert", rules())
def test_a_page_answers_the_four_questions(alert: str) -> None:
    text, summary = (
        (PAGES / f"{alert}.md").read_text(),
        rules()[alert]["annotations"]["summary"],
    )
    head = text.splitlines()[:4]
    assert [f"# {alert}", "", f"Severity: {severity(alert)}.", summary] == head
    sections = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert SECTIONS == sections[:4]
    assert {"Break glass"} >= set(sections[4:])


@pytest.mark.parametrize(
    "alert", [name for name in rules() if severity(name) != "info"]
)
def test_a_page_shows_a_command_to_look_with(alert: str) -> None:
    text = (PAGES / f"{alert}.md").read_text()
    look = text.partition("## How to look")[2].partition("## How to fix")[0]
    assert re.search(r"```console\n(kubectl|imagecompat) ", look)


def test_where_pods_may_be_refused_a_page_has_the_one_command() -> None:
    command = GLASS.strip("`")
    assert command.startswith("kubectl delete validatingwebhookconfiguration")
    with_it = {p.stem for p in PAGES.glob("*.md") if command in p.read_text()}
    critical = {name for name in rules() if severity(name) == "critical"}
    assert critical | {"ImagecompatDenialsJump"} == with_it
