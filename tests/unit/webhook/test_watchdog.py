import asyncio
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.telemetry import LOGGER
from app.webhook.watchdog import BEAT_SECONDS, Watchdog


@dataclass
class Now:
    seconds: float = 100.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Reports:
    seconds: list[float] = field(default_factory=list)
    threads: list[Mapping[str, list[str]]] = field(default_factory=list)

    def __call__(self, seconds: float, threads: Mapping[str, list[str]]) -> None:
        self.seconds.append(seconds)
        self.threads.append(threads)


def test_a_standstill_is_reported_once_until_it_is_over() -> None:
    now, reports = Now(), Reports()
    watchdog = Watchdog(30.0, clock=now, report=reports)
    for _ in range(3):
        now.seconds += 15.0
        watchdog.look()
    assert [45.0] == reports.seconds
    watchdog.beat()
    watchdog.look()
    now.seconds += 31.0
    watchdog.look()
    assert [45.0, 31.0] == reports.seconds


def test_a_loop_that_runs_is_not_reported() -> None:
    now, reports = Now(), Reports()
    watchdog = Watchdog(30.0, clock=now, report=reports)
    for _ in range(100):
        now.seconds += 30.0
        watchdog.look()
        watchdog.beat()
    assert [] == reports.seconds


def test_the_longest_standstill_is_kept_until_it_is_forgotten() -> None:
    now = Now()
    watchdog = Watchdog(30.0, clock=now)
    for late in (0.0, 2.0, 1.0):
        now.seconds += BEAT_SECONDS + late
        watchdog.beat()
    assert pytest.approx(2.0) == watchdog.lag_seconds()
    assert pytest.approx(2.0) == watchdog.lag_seconds(forget=True)
    assert watchdog.lag_seconds() == 0.0


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return getattr(record, "fields", {})


def test_a_report_says_where_every_thread_is_and_no_value(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(LOGGER), "propagate", True)
    now = Now()
    watchdog = Watchdog(30.0, clock=now)

    def stands_still(secret: str) -> None:
        assert secret
        go.wait(20)

    go = threading.Event()
    thread = threading.Thread(target=stands_still, args=["hunter2"], name="stuck")
    thread.start()
    now.seconds += 31.0
    watchdog.look()
    go.set()
    thread.join()
    # Another test's watchdog may have outlived its loop, and report that.
    told = [one for one in caplog.records if _fields(one).get("seconds") == 31.0]
    (record,) = told
    fields = _fields(record)
    assert "event loop stands still" == record.getMessage()
    (lines,) = (v for k, v in fields["threads"].items() if k.startswith("stuck"))
    assert any(line.endswith(" stands_still") for line in lines)
    assert "hunter2" not in str(fields)


async def test_a_running_loop_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.webhook.watchdog.BEAT_SECONDS", 0.0)
    times = iter(range(10**6))
    watchdog = Watchdog(1e9, clock=lambda: float(next(times)))
    async with watchdog.running():
        while watchdog.lag_seconds() == 0.0:  # noqa: ASYNC110 - no event there
            await asyncio.sleep(0)
