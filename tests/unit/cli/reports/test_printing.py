"""Which table of a report is printed, and what of it is left out."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from app.cli.reports import printing
from app.cli.reports.grid import MIN_WIDTH
from app.cli.reports.report import Report, Row, Verdict, Workload
from app.cli.reports.rows import MAX_REASONS, MAX_ROWS
from app.compat.columns import width
from tests.tools.shown_reports import (
    FITTING,
    HOMELESS,
    MISFIT,
    NEAREST,
    NVIDIA,
    ONE,
    SEVERAL,
    UNCLEAR,
)


def printed(*workloads: Workload, width: int = 80, every_node: bool = False) -> str:
    report = Report(origin="nodes.json", known_nodes=5, workloads=workloads)
    return printing.text(report, width=width, colour=False, every_node=every_node)


def lines_of(text: str, start: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(start)]


def titles(text: str) -> list[str]:
    """Of the columns of the only table."""
    (header,) = lines_of(text, "NODE")
    return header.split()


def test_reasons_have_a_column_where_there_is_room() -> None:
    columns = ["NODE", "trainer:2.1", "dpdk:24.11", "ALL", "SCORE"]
    assert columns == titles(printed(MISFIT, width=80))
    assert [*columns, "REASON"] == titles(printed(MISFIT, width=120))


def with_images(count: int) -> Workload:
    """One with so many images, named alike in their first 40 characters."""
    image, row = MISFIT.images[0], MISFIT.rows[0]
    names = [f"r.example/{'long-name-' * 3}{number}:1" for number in range(count)]
    rows = tuple(replace(row, cells=(row.cells[0],) * count) for row in MISFIT.rows)
    assert row.cells
    images = tuple(replace(image, image=name) for name in names)
    return replace(MISFIT, images=images, rows=rows)


NUMBERS: Final = [f"#{number}" for number in range(1, 16)]
LONG: Final = ["long-name-long-...-long-name-0:1", "long-name-long-...-long-name-1:1"]


@pytest.mark.parametrize(
    ("images", "columns"),
    [
        pytest.param(2, LONG, id="short titles"),
        pytest.param(3, NUMBERS[:3], id="numbers"),
        pytest.param(14, NUMBERS[:14], id="as many as fit"),
        pytest.param(15, [], id="one more"),
    ],
)
def test_many_images_share_the_width(images: int, columns: list[str]) -> None:
    found = titles(printed(with_images(images), width=88))
    assert ["NODE", *columns, "ALL", "SCORE"] == [o for o in found if o != "REASON"]


def test_titles_that_would_look_alike_are_numbers() -> None:
    images = tuple(
        replace(MISFIT.images[0], image=f"r.example/{'x' * 20}{middle}{'x' * 20}")
        for middle in "ab"
    )
    found = titles(printed(replace(MISFIT, images=images), width=200))
    assert ["NODE", "#1", "#2", "ALL", "SCORE", "REASON"] == found


def test_verdicts_are_bare_where_their_reasons_have_no_room() -> None:
    tag = "a-tag-of-30-characters-or-less"
    cells = tuple(replace(one, chosen=tag) for one in (MISFIT.rows[0].cells[0],) * 2)
    one = replace(MISFIT, rows=(replace(MISFIT.rows[0], cells=cells),))
    cell = "yes (a-tag-of-30-characte..."
    needed = sum(map(len, ("gpu-a", cell, cell, "ALL", "SCORE"))) + 4 * 2
    assert 2 == printed(one, width=needed).count(cell)
    assert 0 == printed(one, width=needed - 1).count(cell)
    assert 2 == printed(one, width=needed - 1).count("yes  ")


def test_a_long_title_is_cut() -> None:
    one = replace(FITTING.images[0], image="r.example/" + "x" * 40 + ":1")
    found = titles(printed(replace(FITTING, images=(one,)), width=120))
    assert f"{'x' * 15}...{'x' * 12}:1" == found[1]


def test_a_single_image_needs_no_column_for_all() -> None:
    found = titles(printed(FITTING, width=120))
    assert ["NODE", "trainer:2.1", "REASON"] == found


@pytest.mark.parametrize(("count", "left"), [(MAX_ROWS, 0), (MAX_ROWS + 1, 1)])
def test_many_answers_are_counted(count: int, left: int) -> None:
    rows = tuple(replace(FITTING.rows[0], nodes=(f"n{n}", "m")) for n in range(count))
    one = replace(FITTING, rows=rows)
    assert MAX_ROWS == len(lines_of(printed(one), "n"))
    said = ["+1 more answers, of 2 nodes"] if left else []
    assert said == lines_of(printed(one), "+")
    assert 2 * count == printed(one, every_node=True).count("yes (")


@pytest.mark.parametrize(("count", "left"), [(MAX_REASONS, 0), (MAX_REASONS + 1, 1)])
def test_many_reasons_are_counted(count: int, left: int) -> None:
    cell = replace(
        FITTING.rows[-1].cells[0],
        reasons=tuple(
            replace(NVIDIA, what=f"reason {n}", want="x" * 40) for n in range(count)
        ),
    )
    row = replace(FITTING.rows[-1], cells=(cell,))
    text = printed(replace(FITTING, rows=(row,)), width=60)
    assert MAX_REASONS == len(lines_of(text, "  - reason"))
    assert left == len(lines_of(text, "  - +1 more"))


def test_every_node_has_its_row() -> None:
    assert 12 == printed(FITTING, every_node=True).count("yes (preferred, 10)")
    assert 1 == printed(FITTING).count("yes (preferred, 10)")


def test_of_several_only_what_does_not_fit_is_told_in_full() -> None:
    text = printing.text(SEVERAL, width=80, colour=False)
    assert [] == lines_of(text, "node-01")
    assert 1 == len(lines_of(text, "edge-1 +1"))
    every = printing.text(SEVERAL, width=80, colour=False, every_node=True)
    assert 1 == len(lines_of(every, "node-01"))


def test_no_webhook_no_column() -> None:
    found = [replace(one, action="", texts=()) for one in (MISFIT, FITTING)]
    text = printed(*found)
    assert "WORKLOAD             VERDICT       NODES" == text.splitlines()[0].rstrip()
    assert "webhook" not in text.lower()
    assert [" -"] == [
        line[41:43] for line in lines_of(printed(found[0], HOMELESS), "Deployment")[:1]
    ]


def test_what_cannot_be_changed_is_said_of_the_closest() -> None:
    fixed = replace(NVIDIA, changeable=False, advice="")
    nearest = replace(NEAREST, reasons=(fixed,), more=4)
    text = printed(replace(MISFIT, nearest=nearest))
    assert ["closest: gpu-a lacks 5 things"] == lines_of(text, "closest: gpu-a")
    assert "found not loaded (cannot be\n" in text
    assert ["  +4 more"] == lines_of(text, "  +4")


def test_a_narrow_terminal_folds_the_lines_itself() -> None:
    def text(width: int) -> str:
        return printing.text(SEVERAL, width=width, colour=False)

    assert text(MIN_WIDTH) == text(1)
    assert text(MIN_WIDTH + 20) != text(1)


def test_no_name_can_colour_or_move_the_terminal() -> None:
    evil = "\x1b[2J\r\n\t\x9b31m\u202eevil\x00"
    bad = replace(NVIDIA, rule=evil, what=evil, want=evil, found=evil, advice=evil)
    cells = tuple(replace(c, chosen=evil, reasons=(bad,)) for c in MISFIT.rows[0].cells)
    one = replace(
        MISFIT,
        name=evil,
        place=evil,
        texts=(evil,),
        excluded={evil: 1},
        images=(replace(MISFIT.images[0], image=evil, containers=(evil,)),) * 2,
        rows=(Row(nodes=(evil,), verdict=Verdict.UNKNOWN, score=None, cells=cells),),
        nearest=replace(NEAREST, node=evil, reasons=(bad,)),
    )
    report = Report(origin=evil, known_nodes=2, workloads=(one, one), notes=(evil,))
    for every_node in (False, True):
        text = printing.text(report, width=80, colour=False, every_node=every_node)
        assert text.replace("\n", "").isprintable()


def test_wide_characters_keep_the_columns() -> None:
    row = replace(FITTING.rows[1], nodes=("日本",))
    text = printed(replace(FITTING, rows=(row, FITTING.rows[2])), width=120)
    found = [line for line in text.splitlines() if "no (" in line]
    assert ["日本   no (os +1)  ", "old-2  no (driver) "] == [
        found[0][:17],
        found[1][:19],
    ]


def test_where_nodes_come_from_is_said_of_one_workload() -> None:
    (title, *_) = printing.text(ONE, width=80, colour=False).splitlines()
    assert "Deployment ml/train (train.yaml:12) on 5 nodes of nodes.json" == title
    host = replace(ONE, origin="this host", known_nodes=1)
    (title, *_) = printing.text(host, width=80, colour=False).splitlines()
    assert "Deployment ml/train (train.yaml:12) on this host" == title


def test_a_workload_without_candidates_has_no_table() -> None:
    text = printed(HOMELESS)
    assert [] == lines_of(text, "NODE")
    assert "0 of 0 candidate nodes can run it" in text


def test_an_image_that_was_not_looked_up_is_named() -> None:
    assert 1 == len(lines_of(printed(UNCLEAR), "  #2 quay.example.com/mesh/proxy:1.9"))
    assert "503 Service" in printed(UNCLEAR)


def test_a_workload_without_images_has_nodes_all_the_same() -> None:
    rows = tuple(replace(row, cells=()) for row in FITTING.rows[:1])
    text = printed(replace(FITTING, images=(), rows=rows))
    assert ["NODE", "ALL", "SCORE"] == titles(text)
    assert "images:" not in text


def test_a_table_with_every_column_fits_forty_columns() -> None:
    """A pane beside an editor; below, the terminal folds."""
    long = replace(MISFIT, name="StatefulSet payments/ledger-reconciliation")
    report = replace(SEVERAL, workloads=(long, FITTING, UNCLEAR, HOMELESS))
    lines = printing.text(report, width=40, colour=False).splitlines()
    assert 40 == MIN_WIDTH
    assert 40 >= max(map(width, lines))
