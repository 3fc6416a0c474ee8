"""The reference says what the code says."""

import re
from pathlib import Path

import pytest

from app.admission.verdict import Code
from app.settings import loading
from app.settings.sections import Settings
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


YAML = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def shown_settings() -> list[tuple[str, str]]:
    """Page and text of each block of YAML that begins with a section of ours."""
    return [
        (page.name, text)
        for page in sorted((ROOT / "docs").rglob("*.md"))
        for text in YAML.findall(page.read_text())
        if text.partition(":")[0] in Settings.model_fields
    ]


@pytest.mark.parametrize(("page", "text"), shown_settings())
def test_settings_that_a_page_shows_are_taken(
    page: str, text: str, tmp_path: Path
) -> None:
    file = tmp_path / page
    file.write_text(text)
    assert loading.load(file) != loading.load(None)


def test_pages_show_settings() -> None:
    assert {"exempt.md", "roll-out.md"} <= {page for page, _ in shown_settings()}


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
