"""The reference says what the code says."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from app.admission.verdict import Code

ROOT = Path(__file__).resolve().parent.parent.parent
REFERENCE = ROOT / "docs" / "reference"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    path = Path(__file__).with_name("generate.py")
    spec = importlib.util.spec_from_file_location("generate", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["settings.md", "metrics.md"])
def test_a_generated_page_is_up_to_date(generate: ModuleType, name: str) -> None:
    """`python tests/docs/generate.py` writes it again."""
    assert generate.PAGES[name]() == (REFERENCE / name).read_text()


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
