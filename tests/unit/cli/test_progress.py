"""Progress is for people who wait, and for nobody else."""

from __future__ import annotations

import io

import pytest

from app.cli.progress import AFTER_SECONDS, Meter


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 5.0

    def __call__(self) -> float:
        return self.now


def test_work_that_takes_long_is_told_of_and_wiped() -> None:
    stream, clock = Terminal(), Clock()
    with Meter(stream, clock=clock) as meter:
        clock.now += AFTER_SECONDS - 0.001
        meter("one", 0, 2)
        assert "" == stream.getvalue()
        clock.now += 0.001
        meter("two", 1, 2)
        assert "\r\x1b[K1/2 two" == stream.getvalue()
    assert "\r\x1b[K1/2 two\r\x1b[K" == stream.getvalue()


def test_what_is_no_terminal_hears_nothing() -> None:
    stream, clock = io.StringIO(), Clock()
    with Meter(stream, clock=clock) as meter:
        clock.now += 2 * AFTER_SECONDS
        meter("one", 0, 1)
    assert "" == stream.getvalue()


def test_quiet_is_quiet() -> None:
    stream, clock = Terminal(), Clock()
    with Meter(stream, quiet=True, clock=clock) as meter:
        clock.now += 2 * AFTER_SECONDS
        meter("one", 0, 1)
    assert "" == stream.getvalue()


def test_a_name_from_afar_stays_on_its_line() -> None:
    """A second line could not be wiped, and a terminal obeys control characters."""
    stream, clock = Terminal(), Clock()
    with Meter(stream, clock=clock, columns=lambda: 20) as meter:
        clock.now += AFTER_SECONDS
        meter("\x1b[31m\n" + "x" * 100, 1, 1_000)
        assert "\r\x1b[K1/1,000 ?[31m?xx..." == stream.getvalue()


def test_the_terminal_is_asked_how_wide_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "12")
    stream, clock = Terminal(), Clock()
    with Meter(stream, clock=clock) as meter:
        clock.now += AFTER_SECONDS
        meter("registry.example.com", 1, 2)
    assert "\r\x1b[K1/2 regi...\r\x1b[K" == stream.getvalue()
