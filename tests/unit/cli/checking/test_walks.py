"""Walks at a narrow terminal."""

from __future__ import annotations

import pytest

from app.cli.checking import walks
from app.cli.checking.explaining import Explained
from app.cli.reports.formats import ReportFormat
from app.cli.reports.grid import MIN_WIDTH
from app.cli.reports.report import Verdict
from app.compat.columns import width

LONG = "taint " + "dedicated=packets:NoSchedule " * 9
WALK = Explained(
    name="Deployment ml/trainer",
    place="",
    node="gpu-a",
    verdict=Verdict.UNKNOWN,
    excluded_by="",
    images=(),
    obstacles=(LONG.strip(),),
)


@pytest.mark.parametrize(("columns", "most"), [(40, 40), (60, 60), (1, MIN_WIDTH)])
def test_a_long_line_is_folded_further_in(columns: int, most: int) -> None:
    text = walks.render([WALK], ReportFormat.TABLE, width=columns)
    lines = text.splitlines()
    start = next(n for n, one in enumerate(lines) if one.startswith("  taint"))
    first, *rest = lines[start:]
    assert most >= max(map(width, lines))
    assert rest
    assert all(one.startswith("      d") for one in rest)
    assert LONG.split() == " ".join([first, *rest]).split()


def test_where_nobody_looks_no_line_is_folded() -> None:
    assert f"  {LONG.strip()}\n" in walks.render([WALK], ReportFormat.TABLE)
