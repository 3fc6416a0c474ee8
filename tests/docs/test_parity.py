"""Each promise of the page of parity names a page and a test that are there."""

import re
from pathlib import Path

import pytest

from tests.docs.test_examples import EXAMPLE

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "parity.md"
ROW = re.compile(r"^\| (\d+) \| (.*?) \| (.*?) \| (.*?) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
LINK = re.compile(r"\]\(([\w./-]+\.md)(?:#[\w-]+)?\)")
PROMISES = PAGE.read_text().partition("\n## Promises\n")[2]


def rows() -> list[tuple[str, str, str]]:
    """(number, page, test) of each promise."""
    return [(one, page, test) for one, _, page, test in ROW.findall(PROMISES)]


def test_promises_are_numbered_without_a_gap() -> None:
    found = [int(number) for number, _, _ in rows()]
    assert list(range(1, len(found) + 1)) == found
    assert PROMISES.count("\n| ") - 1 == len(found), "a row of another form"


@pytest.mark.parametrize(("number", "page", "test"), rows())
def test_a_promise_is_kept_where_it_says(number: str, page: str, test: str) -> None:
    pages = [(PAGE.parent / one).resolve() for one in LINK.findall(page)]
    assert [] == [one for one in pages if not one.is_file()]
    named = TEST.findall(test)
    for path, name in named:
        assert f"def {name}(" in (ROOT / path).read_text(), number
    if not named:
        assert pages, number
        assert all(EXAMPLE.search(one.read_text()) for one in pages), number
