"""What reports say, whatever form they stand in."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.admission.findings import Answer
from app.cli.reports import words
from app.cli.reports.report import (
    Cell,
    Change,
    JudgedImage,
    Nearest,
    Reason,
    Verdict,
    Workload,
)
from tests.tools.shown_reports import (
    AVX512,
    FITTING,
    HOMELESS,
    MISFIT,
    NVIDIA,
    RELEASE,
    SIDECAR,
    TRAINER,
    UNCLEAR,
    UNPUBLISHED,
    VFIO,
)

NO_ROW = replace(
    UNCLEAR.rows[0], verdict=Verdict.DOES_NOT_FIT, cells=(FITTING.rows[1].cells[0],) * 3
)

FITS, DOES_NOT_FIT, UNKNOWN = Verdict.FITS, Verdict.DOES_NOT_FIT, Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (NVIDIA, "kernel.loadedmodule nvidia: want Exists, found not loaded"),
        (UNPUBLISHED, "vendor.firmware version: want version >= 16.35"),
        (replace(NVIDIA, want=""), "kernel.loadedmodule nvidia, found not loaded"),
        (replace(NVIDIA, what=""), 'rule "driver" does not match'),
        (replace(NVIDIA, what="", rule=""), "no compatibility set fits"),
    ],
)
def test_a_reason(reason: Reason, expected: str) -> None:
    assert expected == words.reason(reason)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (VFIO, "load kernel module vfio_pci"),
        (
            replace(VFIO, advice=""),
            "kernel.loadedmodule vfio_pci: want Exists, found not loaded",
        ),
        (
            AVX512,
            "cpu.cpuid AVX512F: want Exists, found absent (cannot be changed)",
        ),
    ],
)
def test_what_would_change_it(reason: Reason, expected: str) -> None:
    assert expected == words.change(reason)


@pytest.mark.parametrize(
    ("nearest", "expected"),
    [
        (Nearest(node="a", reasons=(VFIO,)), "a, 1 change would do"),
        (Nearest(node="a", reasons=(VFIO, NVIDIA)), "a, 2 changes would do"),
        (Nearest(node="a", reasons=(VFIO, AVX512)), "a lacks 2 things"),
        (Nearest(node="a", reasons=(VFIO,), more=1_200), "a lacks 1,201 things"),
    ],
)
def test_the_closest_node(nearest: Nearest, expected: str) -> None:
    """Of what is not told nobody knows whether it can be changed."""
    assert expected == words.closest(nearest)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (Cell(verdict=FITS), "yes"),
        (Cell(verdict=FITS, chosen="gpu"), "yes (gpu)"),
        (Cell(verdict=FITS, chosen="#2", score=0), "yes (#2, 0)"),
        (Cell(verdict=DOES_NOT_FIT), "no"),
        (Cell(verdict=DOES_NOT_FIT, reasons=(NVIDIA,)), "no (driver)"),
        (Cell(verdict=DOES_NOT_FIT, reasons=(NVIDIA, NVIDIA)), "no (driver)"),
        (Cell(verdict=DOES_NOT_FIT, reasons=(NVIDIA, AVX512)), "no (driver +1)"),
        (Cell(verdict=UNKNOWN, reasons=(replace(VFIO, rule=""),)), "unknown"),
    ],
)
def test_a_cell(cell: Cell, expected: str) -> None:
    assert expected == words.cell(cell, TRAINER)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((), "yes"),
        ((Answer.FOUND,), "yes"),
        ((Answer.MISSING,), "yes"),
        ((Answer.MISSING, Answer.UNAVAILABLE), "yes"),
        ((Answer.UNAVAILABLE,), "not judged"),
        ((Answer.UNAUTHORIZED, Answer.NOT_FOUND, Answer.INVALID), "not judged"),
    ],
)
def test_an_image_that_was_not_looked_up_is_no_yes(
    answers: tuple[Answer, ...], expected: str
) -> None:
    image = replace(SIDECAR, answers=dict.fromkeys(answers, ""))
    assert expected == words.cell(Cell(verdict=FITS), image)


def test_a_score_is_of_nodes_that_fit() -> None:
    row = FITTING.rows[0]
    assert "10" == words.score(row)
    assert "0" == words.score(replace(row, score=0))
    assert "-" == words.score(replace(row, score=None))
    assert "-" == words.score(replace(row, verdict=UNKNOWN))


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ((), "-"),
        (("a",), "a"),
        (("a", "b"), "a +1"),
        (tuple(map(str, range(5_001))), "0 +5,000"),
    ],
)
def test_nodes_of_a_row(nodes: tuple[str, ...], expected: str) -> None:
    assert expected == words.nodes(nodes)


@pytest.mark.parametrize(
    ("workload", "expected"),
    [
        (MISFIT, "0 of 3 candidate nodes can run it (2 of 5 excluded: NodeAffinity)"),
        (
            UNCLEAR,
            (
                "0 of 2 candidate nodes can run it, 2 unknown"
                " (13 of 15 excluded: NodeAffinity 11, TaintToleration 2)"
            ),
        ),
        (
            replace(FITTING, excluded={}, candidates=1, rows=FITTING.rows[1:2]),
            "0 of 1 candidate node can run it",
        ),
        (
            replace(FITTING, excluded={"NodeName": 0}),
            "12 of 14 candidate nodes can run it",
        ),
    ],
)
def test_a_summary(workload: Workload, expected: str) -> None:
    assert expected == words.summary(workload)


@pytest.mark.parametrize(
    ("workload", "expected"),
    [
        (FITTING, ()),
        (MISFIT, (words.reason(VFIO),)),
        (
            replace(MISFIT, nearest=None),
            (
                f"dpdk:24.11: {words.reason(VFIO)}",
                f"trainer:2.1: {words.reason(NVIDIA)}",
                f"trainer:2.1: {words.reason(AVX512)}",
            ),
        ),
        (
            UNCLEAR,
            (
                (
                    "proxy:1.9: not judged: its registry could not answer:"
                    " quay.example.com: 503 Service Unavailable"
                ),
                f"dpdk:24.11: {words.reason(UNPUBLISHED)}",
            ),
        ),
        pytest.param(
            replace(UNCLEAR, rows=(NO_ROW, *UNCLEAR.rows)),
            (
                (
                    "proxy:1.9: not judged: its registry could not answer:"
                    " quay.example.com: 503 Service Unavailable"
                ),
                f"dpdk:24.11: {words.reason(UNPUBLISHED)}",
            ),
            id="what does not fit makes nothing unknown",
        ),
        (HOMELESS, ("no node is a candidate", *HOMELESS.obstacles)),
    ],
)
def test_why_a_workload_does_not_fit(
    workload: Workload, expected: tuple[str, ...]
) -> None:
    assert expected == words.why(workload)


@pytest.mark.parametrize("answer", Answer)
def test_every_answer_has_its_words(answer: Answer) -> None:
    image = JudgedImage(image="a", answers={answer: "a detail"})
    assert words.ANSWERS[answer] in words.spec(image)
    assert (answer is not Answer.FOUND) == ("a detail" in words.spec(image))


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (JudgedImage(image="a"), "its spec was given"),
        (
            JudgedImage(
                image="a",
                answers={Answer.FOUND: "", Answer.PLATFORM_ABSENT: ""},
                specs=("sha256:" + "1" * 64, "sha256:" + "2" * 64),
            ),
            "spec 11111111, 22222222; is not built for the platform of some nodes",
        ),
    ],
)
def test_what_is_known_of_a_spec(image: JudgedImage, expected: str) -> None:
    assert expected == words.spec(image)


@pytest.mark.parametrize("before", Verdict)
@pytest.mark.parametrize("after", Verdict)
def test_every_change_has_its_word(before: Verdict, after: Verdict) -> None:
    change = Change(name="a", before=before, after=after, nodes_before=1, nodes_after=2)
    expected = {
        FITS: "begins to fit",
        DOES_NOT_FIT: "breaks",
        UNKNOWN: "becomes unknown",
    }[after]
    if before is after:
        expected = "keeps its verdict"
    assert expected == words.outcome(change)
    assert expected in words.OUTCOMES


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("allow", "the webhook would admit it"),
        ("warn", "the webhook would admit it, with a warning"),
        ("deny", "the webhook would deny it"),
        ("another", "another"),
    ],
)
def test_what_the_webhook_would_do(action: str, expected: str) -> None:
    assert expected == words.acts(replace(MISFIT, action=action))


def test_some_of_many() -> None:
    assert ("a", "b") == words.some(("a", "b"), 2)
    assert ("a", "b", "+1 more") == words.some(("a", "b", "c"), 2)


def test_reasons_of_one_image_need_no_name() -> None:
    row = FITTING.rows[1]
    expected = (words.reason(RELEASE), words.reason(NVIDIA))
    assert expected == words.reasons(row, ["trainer:2.1"])
