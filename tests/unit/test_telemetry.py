import ast
import errno
import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from math import prod
from pathlib import Path
from typing import get_args

import pytest

from app.admission.verdict import Code
from app.certificates.watching import Reload, What
from app.certificates.watching import Result as Rotation
from app.checker.timing import Result
from app.telemetry import (
    LOGGER,
    METRICS,
    PROCESS,
    Metric,
    Metrics,
    configure_logging,
    log_event,
    log_exception,
    log_warning,
    logger,
)


def test_every_metric_carries_the_prefix_and_prints() -> None:
    metrics = Metrics()
    metrics.count("admission_causes_total", code="IC101")
    metrics.set("ready", 1)
    metrics.observe(
        "admission_duration_seconds", 0.002, webhook="validate", decision="allow"
    )
    text = metrics.text().decode()
    assert 'imagecompat_admission_causes_total{code="IC101"} 1.0' in text
    assert "imagecompat_ready 1.0" in text
    bucket = 'imagecompat_admission_duration_seconds_bucket{decision="allow",le='
    assert bucket in text
    for row in METRICS:
        assert f"imagecompat_{row.name.removesuffix('_total')}" in text


def test_what_is_printed_is_what_the_tables_say() -> None:
    lines = Metrics().text().decode().splitlines()
    printed = {(line.split()[2], line.split()[3]) for line in lines if "# TYPE" in line}
    ours = {(f"imagecompat_{row.name}", row.kind) for row in METRICS}
    assert ours | {(row.name, row.kind) for row in PROCESS} == printed


def test_every_process_tells_of_itself() -> None:
    for metrics in (Metrics(), Metrics()):
        (line,) = re.findall(
            r"^process_resident_memory_bytes (\S+)$",
            metrics.text().decode(),
            re.MULTILINE,
        )
        assert float(line) > 1e6


@pytest.mark.parametrize("row", METRICS, ids=lambda row: str(row.name))
def test_a_name_ends_in_its_unit(row: object) -> None:
    name, kind = getattr(row, "name", ""), getattr(row, "kind", "")
    assert name.endswith("_total") == (kind == "counter")


def test_processes_do_not_share_metrics() -> None:
    one, other = Metrics(), Metrics()
    one.set("ready", 1)
    assert b"imagecompat_ready 0.0" in other.text()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Leaves the package's logger as it was."""
    yield
    logger().handlers.clear()
    logger().propagate = True


def written(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_an_event_is_one_json_object_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging()
    log_event("review", uid="u-1", warnings=["a\nb"], seconds=0.5)
    (entry,) = written(capsys)
    assert str(entry.pop("ts")).endswith("Z")
    assert {
        "level": "info",
        "event": "review",
        "uid": "u-1",
        "warnings": ["a\nb"],
        "seconds": 0.5,
    } == entry


def test_a_line_says_whether_a_person_should_look(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("WARNING")
    log_event("watch recovered")
    log_warning("watch failed", reason="Forbidden")
    (entry,) = written(capsys)
    assert ("warning", "watch failed") == (entry["level"], entry["event"])
    assert "Forbidden" == entry["reason"]


class Listener(logging.Handler):
    """Somebody else who listens."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(record)


@pytest.mark.parametrize("log", [log_event, log_warning])
def test_whoever_else_listens_hears_of_events_and_the_line_is_the_same(
    log: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging()
    log("review", uid="u-1", level="mine", moment=Path("a"))
    listener = Listener()
    logger().addHandler(listener)
    log("review", uid="u-1", level="mine", moment=Path("a"))
    alone, together = written(capsys)
    assert ["review"] == [record.getMessage() for record in listener.heard]
    assert alone.pop("ts")
    assert together.pop("ts")
    assert list(together.items()) == list(alone.items())


def test_events_go_up_where_logging_is_not_configured(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    log_event("review", uid="u-1")
    assert ["review"] == caplog.messages


def test_a_moment_is_written_to_the_millisecond(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure_logging()
    for seconds in (1_767_225_599.9995, 1_767_225_600.0, 1_767_225_600.0625):
        monkeypatch.setattr(time, "time", lambda seconds=seconds: seconds)
        log_event("review")
    monkeypatch.undo()
    assert [
        "2025-12-31T23:59:59.999Z",
        "2026-01-01T00:00:00.000Z",
        "2026-01-01T00:00:00.062Z",
    ] == [entry["ts"] for entry in written(capsys)]


class Wall:
    """A stream that takes nothing, as a full disk."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, text)


def test_a_line_that_cannot_be_written_fails_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", Wall())
    configure_logging()
    log_event("review", uid="u-1")
    log_event("review", uid="\ud800")


class Letters:
    """A stream that takes letter by letter."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def write(self, text: str) -> int:
        for letter in text:
            self.taken.append(letter)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def test_lines_of_several_threads_stay_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Letters()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logging()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with ThreadPoolExecutor(4) as pool:
        for number in range(100):
            pool.submit(log_event, "review", number=number, text="x" * 500)
    sys.setswitchinterval(before)
    entries = [json.loads(line) for line in "".join(stream.taken).splitlines()]
    assert list(range(100)) == sorted(entry["number"] for entry in entries)


def test_an_exception_keeps_its_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging()
    empty: dict[str, str] = {}
    try:
        empty["x"]
    except KeyError:
        log_exception("failed", uid="u-1")
    (entry,) = written(capsys)
    assert entry["level"] == "error"
    assert "KeyError: 'x'" in str(entry["exception"])


def test_below_the_level_nothing_is_written(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("WARNING")
    log_event("noise")
    assert [] == written(capsys)


@pytest.mark.parametrize(
    "row", [row for row in METRICS if row.values], ids=lambda row: str(row.name)
)
def test_a_counter_whose_labels_are_known_starts_at_zero(row: Metric) -> None:
    """`increase` does not see the first event of a series that begins with it."""
    assert ("counter", len(row.labels)) == (row.kind, len(row.values))
    text = Metrics().text().decode()
    found = re.findall(rf"^imagecompat_{row.name}{{.*}} 0\.0$", text, re.MULTILINE)
    assert prod(map(len, row.values)) == len(found)


def values(name: str) -> tuple[tuple[str, ...], ...]:
    (row,) = (row for row in METRICS if row.name == name)
    return row.values


def test_the_values_of_labels_are_those_of_the_code() -> None:
    assert (tuple(Code),) == values("admission_causes_total")
    assert (get_args(Result),) == values("evaluations_total")
    assert (get_args(What), get_args(Rotation)) == values("certificate_rotations_total")
    assert (get_args(Reload),) == values("certificate_reloads_total")


APP = Path(__file__).resolve().parent.parent.parent / "app"


def literals(path: Path) -> set[str]:
    """The texts that stand in a module's code."""
    tree = ast.parse(path.read_text())
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {node.value for node in nodes if isinstance(node.value, str)}


def test_every_metric_is_set_by_some_code() -> None:
    """A row that nobody sets says 0 for good."""
    paths = [path for path in APP.rglob("*.py") if "telemetry" not in path.parts]
    named = set().union(*map(literals, paths))
    assert [] == [row.name for row in METRICS if row.name not in named]
