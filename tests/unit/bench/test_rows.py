"""The frame of `make bench`: every row says something, whatever goes wrong."""

import json
import sys
from collections.abc import AsyncIterator, Iterator
from types import ModuleType
from typing import Any

import pytest

from bench import __main__ as command
from bench import rows
from bench.figure import Figure, Row
from bench.rows import Job
from tests.tools.build import ToolError


def measured(name: str, value: float = 1.0) -> Figure:
    return Figure(name, value, "ms")


def two() -> Iterator[Figure]:
    yield measured("two_one")
    yield measured("two_other")


async def three() -> AsyncIterator[Figure]:
    for name in ("three", "three_b", "three_c"):
        yield measured(name)


def lacking() -> Iterator[Figure]:
    yield measured("lacking_nothing")
    raise ToolError("nfd-bench: go build failed")


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> str:
    made = ModuleType("measured.here")
    found: dict[str, Row] = {"two": two, "three": three, "lacking": lacking}
    made.ROWS = found  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "measured.here", made)
    return "measured.here"


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("row", "wanted"),
    [
        pytest.param("two", ["two_one", "two_other"], id="an iterator"),
        pytest.param("three", ["three", "three_b", "three_c"], id="an async one"),
    ],
)
def test_a_row_prints_its_figures(
    module: str, row: str, wanted: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    rows.measure(module, row)
    assert wanted == [line["name"] for line in lines(capsys)]


def test_a_row_that_lacks_a_tool_says_so_in_its_line(
    module: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was measured before stays."""
    rows.measure(module, "lacking")
    first, last = lines(capsys)
    assert "lacking_nothing" == first["name"]
    assert ("lacking", None, None) == (last["name"], last["value"], last["met"])
    assert "not measured: ToolError: nfd-bench: go build failed" == last["note"]


def test_a_module_that_cannot_be_imported_says_so_in_its_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (job,) = rows.jobs(modules=["absent"])
    rows.run(job)
    (line,) = lines(capsys)
    assert ("absent", None) == (line["name"], line["value"])
    assert "not measured: ModuleNotFoundError" in line["note"]


def test_a_row_is_measured_in_another_process(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """One that is not there makes that process fail in its own way."""
    rows.run(Job("timing", "absent"))
    (line,) = lines(capfd)
    assert "absent" == line["name"]
    assert "not measured: AttributeError" in line["note"]


def test_a_process_that_ends_badly_is_told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    rows.run(Job("timing", "two"))
    assert "not measured: its process ended with status 1" == lines(capfd)[0]["note"]


def test_a_row_that_hangs_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Any,
) -> None:
    hanging = tmp_path / "python"
    hanging.write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    hanging.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(hanging))
    rows.run(Job("timing", "two"), limit_seconds=0.2)
    assert "not measured: not done within 0.2 s" == lines(capfd)[0]["note"]


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        pytest.param([], ["two", "three", "lacking"], id="all"),
        pytest.param(["measured.here"], ["two", "three", "lacking"], id="a module"),
        pytest.param(["lacking", "two"], ["two", "lacking"], id="rows, in order"),
        pytest.param(["three_b"], ["three"], id="a figure of a row"),
    ],
)
def test_modules_rows_and_figures_can_be_named(
    module: str, names: list[str], wanted: list[str]
) -> None:
    assert wanted == [job.row for job in rows.jobs(names, [module])]


def test_a_name_that_does_not_exist_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert 2 == command.main(["no_such_row"])
    said = capsys.readouterr().err
    assert "nothing is called no_such_row; there are: " in said
    assert "judge_one_node" in said


def test_the_rows_can_be_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == command.main(["--list", "judge_one_node"])
    assert "evaluation\tjudge_one_node\n" == capsys.readouterr().out
