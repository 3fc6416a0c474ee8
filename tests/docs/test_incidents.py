"""The page of incidents names tests that are there, for each of the twenty."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "incidents.md"
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
HARNESS = {"test_harness.py", "test_former.py"}
"""About what the incidents' tests stand on."""
NUMBERED = re.compile(r"^## (\d+)\. ", re.MULTILINE)


def incidents() -> dict[int, str]:
    """Number -> what the page says about it."""
    parts = NUMBERED.split(PAGE.read_text())[1:]
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return {int(number): text.partition("\n## ")[0] for number, text in pairs}


def test_there_are_twenty() -> None:
    assert list(range(1, 21)) == list(incidents())


@pytest.mark.parametrize("number", range(1, 21))
def test_an_incident_has_a_test(number: int) -> None:
    assert TEST.search(incidents()[number])


@pytest.mark.parametrize(("file", "name"), sorted(set(TEST.findall(PAGE.read_text()))))
def test_a_test_that_the_page_names_is_there(file: str, name: str) -> None:
    assert f"def {name}(" in (ROOT / file).read_text()


def test_every_test_of_the_suite_is_named() -> None:
    """But for those that stand beside one that is."""
    folder = ROOT / "tests" / "incidents"
    there = {
        (str(path.relative_to(ROOT)), name)
        for path in folder.glob("test_*.py")
        if path.name not in HARNESS
        for name in re.findall(r"^def (test_\w+)\(", path.read_text(), re.MULTILINE)
    }
    named = set(TEST.findall(PAGE.read_text()))
    assert {
        "test_a_call_names_what_it_is_about",
        "test_a_new_image_reaches_both_webhooks",
        "test_a_workload_reaches_us_when_it_is_new_or_its_template_is",
        "test_an_upgrade_brings_back_what_the_line_took",
        "test_helm_test_hears_the_webhook",
        "test_our_account_may_read_these_pull_secrets_and_no_others",
        "test_pods_of_exempt_namespaces_never_reach_us",
    } == {name for _, name in there - named}
