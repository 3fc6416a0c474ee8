"""Whatever a report holds, what is printed of it is valid and stays a text."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import yaml
from hypothesis import given
from hypothesis import strategies as st

from app.admission.findings import Answer
from app.cli.reports import document, grid, html, junit, printing
from app.cli.reports.labels import labels
from app.cli.reports.report import (
    Cell,
    Change,
    JudgedImage,
    Nearest,
    Reason,
    Report,
    Row,
    Verdict,
    Workload,
)
from app.compat.columns import width

TEXT = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        [
            "</title></style><script>alert(1)</script>",
            "\x1b[31m\x9b\x00\x07\r\n\u202e\ufffe",
            "x" * 90,
            "日本語 " * 20,
            "]]>&amp;<!--",
            "yes",
            "0x1f",
            "- a: [",
            "\ud800",
            "",
        ]
    ),
)
TEXTS = st.lists(TEXT, max_size=2).map(tuple)
VERDICT = st.sampled_from(list(Verdict))
COUNT = st.integers(0, 20_000)
SCORE = st.none() | st.integers(-(2**63), 2**63 - 1)
REASON = st.builds(
    Reason,
    rule=TEXT,
    what=TEXT,
    want=TEXT,
    found=TEXT,
    changeable=st.booleans(),
    advice=TEXT,
)
REASONS = st.lists(REASON, max_size=2).map(tuple)
CELL = st.builds(Cell, verdict=VERDICT, score=SCORE, chosen=TEXT, reasons=REASONS)
IMAGE = st.builds(
    JudgedImage,
    image=TEXT,
    containers=TEXTS,
    answers=st.dictionaries(st.sampled_from(list(Answer)), TEXT, max_size=3),
    digest=st.none() | TEXT,
    specs=TEXTS,
)


@st.composite
def workloads(draw: st.DrawFn) -> Workload:
    """One whose rows have a cell for each image."""
    images = tuple(draw(st.lists(IMAGE, max_size=3)))
    row = st.builds(
        Row,
        nodes=st.lists(TEXT, min_size=1, max_size=4).map(tuple),
        verdict=VERDICT,
        score=SCORE,
        cells=st.lists(CELL, min_size=len(images), max_size=len(images)).map(tuple),
    )
    return Workload(
        name=draw(TEXT),
        place=draw(TEXT),
        verdict=draw(VERDICT),
        action=draw(st.sampled_from(["", "allow", "warn", "deny"])),
        texts=draw(TEXTS),
        images=images,
        candidates=draw(COUNT),
        excluded=draw(st.dictionaries(TEXT, COUNT, max_size=3)),
        rows=tuple(draw(st.lists(row, max_size=2))),
        nearest=draw(
            st.none() | st.builds(Nearest, node=TEXT, reasons=REASONS, more=COUNT)
        ),
    )


CHANGE = st.builds(
    Change,
    name=TEXT,
    before=VERDICT,
    after=VERDICT,
    nodes_before=COUNT,
    nodes_after=COUNT,
    reasons=REASONS,
)
REPORT = st.builds(
    Report,
    origin=TEXT,
    known_nodes=COUNT,
    workloads=st.lists(workloads(), max_size=2).map(tuple),
    changes=st.none() | st.lists(CHANGE, max_size=2).map(tuple),
    notes=TEXTS,
)


def as_json(value: object) -> Any:
    """What a reader should get: fields in camelCase, in their order."""
    if is_dataclass(value):
        return {
            "".join(
                word if number == 0 else word.title()
                for number, word in enumerate(field.name.split("_"))
            ): as_json(getattr(value, field.name))
            for field in fields(value)
        }
    if isinstance(value, dict):
        return {as_json(key): as_json(one) for key, one in value.items()}
    if isinstance(value, tuple):
        return [as_json(one) for one in value]
    return value.replace("\ud800", "?") if isinstance(value, str) else value


@given(REPORT)
def test_documents_hold_all_of_a_report(report: Report) -> None:
    expected = as_json(report)
    for found in (
        json.loads(document.json(report)),
        yaml.safe_load(document.yaml(report)),
    ):
        assert document.API_VERSION == found.pop("apiVersion")
        assert document.KIND == found.pop("kind")
        assert report.verdict == found.pop("verdict")
        assert expected == found


@given(REPORT, st.booleans())
def test_documents_are_printable(report: Report, is_json: bool) -> None:
    text = document.json(report) if is_json else document.yaml(report)
    assert text.replace("\n", "").isprintable()


@given(REPORT)
def test_junit_is_xml_with_a_case_for_each_workload(report: Report) -> None:
    root = ET.fromstring(junit.of_report(report).encode())
    cases = list(root.iter("testcase"))
    kinds = {
        Verdict.FITS: [],
        Verdict.DOES_NOT_FIT: ["failure"],
        Verdict.UNKNOWN: ["error"],
    }
    if report.changes is None:
        assert [kinds[one.verdict] for one in report.workloads] == [
            [outcome.tag for outcome in case] for case in cases
        ]
    assert len(report.workloads) == len(cases)
    for element in (root, root[0]):
        assert str(len(cases)) == element.get("tests")
        for kind in ("failure", "error"):
            found = str(len(list(root.iter(kind))))
            assert found == element.get("failures" if kind == "failure" else "errors")


class Tags(HTMLParser):
    """What tags and attributes a page has, and whether each ends."""

    VOID = frozenset({"meta", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {tag, *(f"{tag} {name}" for name, _ in attrs)}
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)


ALLOWED = """
    html head meta title style body header h1 p span ul li strong main section h2 div
    table thead tr th tbody td details summary a h3 code br pre footer em
"""
ATTRIBUTES = """
    lang charset http-equiv content name class aria-hidden aria-labelledby id role
    aria-label tabindex scope href open
"""


@given(REPORT)
def test_a_page_has_no_tag_but_ours(report: Report) -> None:
    text = html.page(report)
    tags = Tags()
    tags.feed(text)
    tags.close()
    assert [] == tags.open
    assert {one for one in tags.found if " " not in one} <= set(ALLOWED.split())
    assert {one.split()[1] for one in tags.found if " " in one} <= set(
        ATTRIBUTES.split()
    )
    text.encode()


@given(REPORT, st.integers(grid.MIN_WIDTH, 200), st.booleans())
def test_a_table_fits_and_is_printable(
    report: Report, columns: int, every_node: bool
) -> None:
    text = printing.text(report, width=columns, colour=False, every_node=every_node)
    lines = text.split("\n")
    assert "" == lines.pop()
    assert all(line.isprintable() and line == line.rstrip() for line in lines)
    assert max(map(width, lines)) <= columns


@given(st.lists(st.text("ab:@/", max_size=8), max_size=8))
def test_labels_are_different(images: list[str]) -> None:
    found = labels(images)
    assert len(images) == len(found) == len(set(found))


@given(REPORT)
def test_a_verdict_is_the_worst_of_all(report: Report) -> None:
    verdicts = {one.verdict for one in report.workloads}
    expected = next(
        (one for one in (Verdict.DOES_NOT_FIT, Verdict.UNKNOWN) if one in verdicts),
        Verdict.FITS,
    )
    assert expected is report.verdict
    assert replace(report, notes=()).verdict is expected
