"""JSON, YAML, JUnit and HTML of a report, and which of them is printed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
import yaml

from app.cli.checking import changes
from app.cli.reports import document, formats, html, junit, printing, words
from app.cli.reports.formats import ReportFormat
from app.cli.reports.junit import Case, Suite
from app.cli.reports.report import Report, Verdict
from app.errors import ConfigError
from tests.tools.shown_reports import (
    BREAKS,
    EMPTY,
    FITTING,
    HOMELESS,
    MISFIT,
    NOTHING_CHANGES,
    NVIDIA,
    ONE,
    SEVERAL,
    UNCLEAR,
    WHAT_IF,
)


@pytest.mark.parametrize(
    ("format", "expected"),
    [
        (ReportFormat.TABLE, printing.text(WHAT_IF, width=80, colour=False)),
        (ReportFormat.JSON, document.json(WHAT_IF)),
        (ReportFormat.YAML, document.yaml(WHAT_IF)),
        (ReportFormat.JUNIT, junit.of_report(WHAT_IF)),
        (ReportFormat.HTML, html.page(WHAT_IF)),
    ],
)
def test_each_format_is_printed(
    format: ReportFormat,  # noqa: A002 - its name in the options
    expected: str,
) -> None:
    assert expected == formats.render(WHAT_IF, format)
    assert expected.endswith("\n")


def test_the_options_of_tables_are_handed_on() -> None:
    expected = printing.text(SEVERAL, width=99, colour=True, every_node=True)
    assert expected == formats.render(
        SEVERAL, ReportFormat.TABLE, width=99, colour=True, every_node=True
    )


def test_a_report_is_not_nfds() -> None:
    with pytest.raises(ConfigError, match=r"^nfd-json: NFD's report is of one image"):
        formats.render(ONE, ReportFormat.NFD_JSON)


def test_json_and_yaml_say_the_same() -> None:
    of_json = json.loads(document.json(WHAT_IF))
    assert of_json == yaml.safe_load(document.yaml(WHAT_IF))
    assert document.API_VERSION == of_json["apiVersion"]
    assert document.KIND == of_json["kind"]
    assert "does not fit" == of_json["verdict"]
    assert of_json["workloads"][0]["images"][0]["answers"] == {"found": ""}


def test_no_changes_are_not_an_empty_list_of_them() -> None:
    assert json.loads(document.json(ONE))["changes"] is None
    assert [] == json.loads(document.json(NOTHING_CHANGES))["changes"]


EVIL = "\x9b31m\x7f\u202e\u2028\ufeff\x85日本\ud800"


@pytest.mark.parametrize("printed", [document.json, document.yaml])
def test_a_document_cannot_move_the_terminal(printed: object) -> None:
    """JSON would let most of these through: only below a space must be escaped."""
    report = Report(origin=EVIL, known_nodes=1, workloads=())
    text = printed(report)  # type: ignore[operator]
    assert text.replace("\n", "").isprintable()
    assert EVIL.replace("\ud800", "?") == yaml.safe_load(text)["origin"]


@pytest.mark.parametrize("printed", [document.json, document.yaml])
def test_a_command_may_add_fields_of_its_own(printed: object) -> None:
    more = {"walks": [{"node": EVIL}], "first_reason": NVIDIA}
    found = yaml.safe_load(printed(ONE, more))  # type: ignore[operator]
    assert [{"node": EVIL.replace("\ud800", "?")}] == found["walks"]
    assert "load kernel module nvidia" == found["first_reason"]["advice"]
    assert document.KIND == found["kind"]


def test_rows_that_workloads_share_are_written_in_each() -> None:
    """YAML would have names for them (`&id001`), which not every reader knows."""
    other = replace(FITTING, name="other")
    report = replace(ONE, workloads=(FITTING, other))
    text = document.yaml(report)
    assert 2 == text.count("- old-1")
    assert "&" not in text
    assert json.loads(document.json(report)) == yaml.safe_load(text)


def test_yaml_folds_no_line_and_refers_to_nothing() -> None:
    long = "word " * 100 + "end"
    text = document.yaml(replace(ONE, notes=(long, long)))
    assert f"- {long}\n- {long}\n" in text


# JUnit --------------------------------------------------------------------------


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text.encode())


def test_every_workload_is_a_case() -> None:
    root = parsed(junit.of_report(SEVERAL))
    (suite,) = root
    assert "testsuites" == root.tag
    assert "cluster kind-imagecompat" == suite.get("name")
    outcomes = [[outcome.tag for outcome in case] for case in suite]
    assert [["failure"], [], ["error"], ["error"]] == outcomes
    assert MISFIT.name == suite[0].get("name")
    assert "train.yaml" == suite[0].get("classname")
    counts = {"tests": "4", "failures": "1", "errors": "2"}
    for one in (root, suite):
        assert counts == {key: one.get(key) for key in counts}
    assert "0" == suite.get("skipped")


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("a.yaml:12", "a.yaml"),
        ("cluster", "cluster"),
        ("", "imagecompat"),
        ("a:b", "a:b"),
    ],
)
def test_a_line_that_moves_is_no_other_case(place: str, expected: str) -> None:
    (case,) = parsed(
        junit.of_report(replace(ONE, workloads=(replace(MISFIT, place=place),)))
    )[0]
    assert expected == case.get("classname")


def test_a_failure_says_what_would_change_it() -> None:
    (outcome,) = parsed(junit.of_report(ONE))[0][0]
    first, reason, closest, *texts = (outcome.text or "").split("\n")
    assert first == outcome.get("message")
    assert first.startswith("does not fit: 0 of 3 candidate nodes can run it")
    assert "- kernel.loadedmodule vfio_pci: want Exists, found not loaded" == reason
    assert "closest: gpu-a, 1 change would do: load kernel module vfio_pci" == closest
    assert texts == MISFIT.texts[0].split("\n")


def test_with_other_nodes_only_what_breaks_fails() -> None:
    root = parsed(junit.of_report(WHAT_IF))
    found = {
        str(case.get("name")): [(one.tag, one.get("message")) for one in case]
        for case in root[0]
    }
    assert {
        MISFIT.name: [("failure", "breaks: fits -> does not fit, nodes 3 -> 0")],
        FITTING.name: [],
        UNCLEAR.name: [("error", "becomes unknown: fits -> unknown, nodes 2 -> 0")],
        HOMELESS.name: [("error", "now: unknown, then: unknown")],
    } == found
    assert (root[0][0][0].text or "").split("\n")[1:] == [
        f"- {one}" for one in words.details(BREAKS)
    ]


@pytest.mark.parametrize("before", Verdict)
@pytest.mark.parametrize("after", Verdict)
def test_a_what_if_fails_as_its_exit_code_does(before: Verdict, after: Verdict) -> None:
    was = replace(MISFIT, verdict=before, rows=())
    will = replace(FITTING, name=MISFIT.name, verdict=after)
    found = changes.compare([was], [will])
    text = junit.of_report(replace(ONE, workloads=(will,), changes=found))
    tags = [one.tag for one in parsed(text)[0][0]]
    code = changes.exit_code([was], [will])
    skipped = (
        ["skipped"]
        if before is Verdict.DOES_NOT_FIT and after is not Verdict.FITS
        else []
    )
    assert {0: skipped, 1: ["failure"], 3: ["error"]}[code] == tags


def test_what_keeps_no_candidate_breaks_in_both() -> None:
    was, will = replace(FITTING, name=HOMELESS.name), HOMELESS
    found = changes.compare([was], [will])
    text = junit.of_report(replace(ONE, workloads=(will,), changes=found))
    (outcome,) = parsed(text)[0][0]
    assert ("failure", 1) == (outcome.tag, changes.exit_code([was], [will]))


def test_of_two_workloads_with_one_name_each_has_its_own_change() -> None:
    report = replace(ONE, workloads=(MISFIT, MISFIT), changes=(BREAKS,))
    first, second = parsed(junit.of_report(report))[0]
    assert (["failure"], ["skipped"]) == (
        [one.tag for one in first],
        [one.tag for one in second],
    )


IN_A_CASE = "failure error skipped"
SCHEMA = {
    "testsuites": ("name time tests failures errors", "", "testsuite"),
    "testsuite": (
        "time skipped timestamp hostname id package file log url group",
        "name tests failures errors",
        "testcase testsuite properties system-out system-err",
    ),
    "testcase": ("time classname group", "name", IN_A_CASE),
    **dict.fromkeys(IN_A_CASE.split(), ("type message", "", "")),
}
"""Element -> attributes it may have, those it must have, and elements in it.

Of Jenkins' schema; `junit` has its address.
"""


@pytest.mark.parametrize(
    "text",
    [
        junit.of_report(WHAT_IF),
        junit.document([]),
        junit.document(
            [
                Suite(
                    name="s",
                    cases=(
                        Case(name="a", skipped="s", seconds=12_345.6),
                        Case(name="b", error="e"),
                        Case(name="c", failure="f"),
                    ),
                )
            ]
        ),
    ],
    ids=["a report", "nothing", "every outcome"],
)
def test_jenkins_schema_allows_it(text: str) -> None:
    root = parsed(text)
    assert "testsuites" == root.tag
    for element in root.iter():
        may, must, inside = (set(one.split()) for one in SCHEMA[element.tag])
        assert must <= set(element.keys()) <= may | must
        assert {one.tag for one in element} <= inside
        assert re.fullmatch(r"\d+\.\d{3}", element.get("time", "0.000"))


def test_no_workloads_no_cases() -> None:
    (suite,) = parsed(junit.of_report(replace(EMPTY, origin="")))
    assert ("imagecompat", "0", 0) == (
        suite.get("name"),
        suite.get("tests"),
        len(suite),
    )


def test_a_suite_has_its_times_and_outcomes() -> None:
    suite = Suite(
        name="s",
        cases=(
            Case(name="passed", seconds=1.25),
            Case(name="failed", classname="c", failure="line 1\nline 2", seconds=0.5),
            Case(name="broken", error="e", failure="f"),
            Case(name="left out", skipped="why"),
        ),
    )
    text = junit.document([suite, Suite(name="t")])
    counts, time = 'tests="4" failures="1" errors="1"', 'time="1.750"'
    assert (
        f"""\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="imagecompat" {counts} {time}>
  <testsuite name="s" {counts} skipped="1" {time}>
    <testcase name="passed" classname="imagecompat" time="1.250" />
    <testcase name="failed" classname="c" time="0.500">
      <failure message="line 1" type="failure">line 1
line 2</failure>
    </testcase>
    <testcase name="broken" classname="imagecompat">
      <error message="e" type="error">e</error>
    </testcase>
    <testcase name="left out" classname="imagecompat">
      <skipped message="why" />
    </testcase>
  </testsuite>
  <testsuite name="t" tests="0" failures="0" errors="0" skipped="0" time="0.000" />
</testsuites>
"""
        == text
    )


# HTML ---------------------------------------------------------------------------


def test_the_page_is_self_contained() -> None:
    text = html.page(WHAT_IF)
    for outside in ("http:", "https:", "src=", "url(", "@import", "<script", "<link"):
        assert outside not in text
    assert "default-src 'none'" in text


def many(rows: int, nodes: int) -> Report:
    long = replace(NVIDIA, want="w" * 80, found="f" * 80)
    cell = replace(FITTING.rows[-1].cells[0], reasons=(long,) * 20)
    found = tuple(
        replace(
            FITTING.rows[-1],
            nodes=tuple(f"node-{row}-{number}" for number in range(nodes)),
            cells=(cell,),
        )
        for row in range(rows)
    )
    return replace(ONE, workloads=(replace(FITTING, rows=found),))


@pytest.mark.parametrize(("rows", "left"), [(html.MAX_ROWS, 0), (html.MAX_ROWS + 1, 1)])
def test_answers_of_the_page_are_bounded(rows: int, left: int) -> None:
    text = html.page(many(rows, 1))
    assert html.MAX_ROWS == text.count("<tr>\n")
    assert left == text.count("+1 more answers")


@pytest.mark.parametrize(
    ("nodes", "left"), [(html.MAX_NODES, 0), (html.MAX_NODES + 1, 1)]
)
def test_nodes_of_the_page_are_bounded(nodes: int, left: int) -> None:
    text = html.page(many(1, nodes))
    assert html.MAX_NODES == text.count("<li>node-0-")
    assert left == text.count(">+1 more<")


def test_a_page_of_many_workloads_shows_less_of_each() -> None:
    """1,000 workloads on 5,000 nodes: below 10 MB, every workload in it."""
    one = many(html.MAX_ROWS, 84).workloads[0]
    report = replace(
        ONE, workloads=tuple(replace(one, name=f"w{n}") for n in range(1_000))
    )
    text = html.page(report)
    assert 5_000 == text.count("<tr>\n")
    assert 5_000 * 10 == text.count("<li>node-")
    assert 1_000 == text.count("+55 more answers")
    assert len(text) < 20_000_000


def test_every_workload_has_an_answer_and_some_names() -> None:
    one = many(html.MIN_ROWS, 20).workloads[0]
    count = html.PAGE_NODES // html.MIN_NODES // html.MIN_ROWS + 1
    text = html.page(replace(ONE, workloads=(one,) * count))
    assert html.MIN_ROWS * count == text.count("<tr>\n")
    assert html.MIN_ROWS * html.MIN_NODES * count == text.count("<li>node-")


def test_the_page_of_a_large_cluster_is_small() -> None:
    """Every one of 5,000 nodes with an answer of its own, and all with the same."""
    assert len(html.page(many(5_000, 1))) < 200_000
    assert len(html.page(many(1, 5_000))) < 50_000


def test_texts_of_the_webhook_are_bounded() -> None:
    texts = tuple(f"text {number}" for number in range(html.MAX_TEXTS + 1))
    report = replace(ONE, workloads=(replace(MISFIT, texts=texts),))
    assert html.MAX_TEXTS == html.page(report).count("<pre>text ")


def test_what_fits_is_folded_away_among_others() -> None:
    """The title tells the verdict; a single workload is always open."""
    assert 1 == html.page(replace(SEVERAL, workloads=(MISFIT, FITTING))).count(
        "<details open>"
    )
    assert 1 == html.page(NOTHING_CHANGES).count("<details open>")
    assert 2 == html.page(replace(SEVERAL, workloads=(MISFIT, HOMELESS))).count(
        "<details open>"
    )
    assert "<title>does not fit" in html.page(SEVERAL)
    assert Verdict.DOES_NOT_FIT is SEVERAL.verdict
