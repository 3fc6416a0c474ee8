"""Every form of a report is what was looked at when it was written."""

from __future__ import annotations

import re

import pytest

from app.compat.columns import width
from tests.unit.cli.reports.golden import DOCUMENTS, FOLDER, FORMS, Form

ESCAPE = re.compile("\x1b\\[[0-9;]*m")


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.file)
def test_a_table_is_what_it_was(form: Form) -> None:
    assert (FOLDER / form.file).read_text() == form.printed()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_what_it_was(name: str) -> None:
    assert (FOLDER / name).read_text() == DOCUMENTS[name]()


def test_nothing_is_kept_that_is_not_printed() -> None:
    kept = {path.name for path in FOLDER.iterdir()}
    assert {form.file for form in FORMS} | set(DOCUMENTS) == kept


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.file)
def test_no_line_is_wider_than_the_terminal(form: Form) -> None:
    lines = ESCAPE.sub("", form.printed()).splitlines()
    assert max(map(width, lines)) <= form.width
    assert [line.rstrip() for line in lines] == lines


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.file)
def test_colour_adds_nothing_but_colour(form: Form) -> None:
    plain = form._replace(colour=False).printed()
    coloured = form._replace(colour=True).printed()
    assert plain == ESCAPE.sub("", coloured)
    assert "\x1b" not in plain
