"""The reference says what the code says."""

import re
from pathlib import Path

import pytest

from app.admission.verdict import Code
from tests.docs import generate

ROOT = Path(__file__).resolve().parent.parent.parent
REFERENCE = ROOT / "docs" / "reference"


@pytest.mark.parametrize("name", generate.PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    """`make docs` writes it again."""
    assert generate.PAGES[name]() == (ROOT / "docs" / name).read_text()


def test_every_code_has_its_row_and_its_section() -> None:
    text = (REFERENCE / "codes.md").read_text()
    rows = re.findall(r"^\| (IC\d+) \|", text, re.MULTILINE)
    sections = re.findall(r"^## (IC\d+)$", text, re.MULTILINE)
    assert sorted(code.value for code in Code) == sorted(rows) == sorted(sections)


LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[\w-]+)?\)")


def test_links_between_pages_lead_somewhere() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in LINK.findall(page.read_text())
        if not (page.parent / target).exists()
    ]
    assert [] == broken
