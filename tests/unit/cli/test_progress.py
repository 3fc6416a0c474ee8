"""Progress is for people who wait, and for nobody else."""

from __future__ import annotations

import io
import threading

import pytest

from app.cli.progress import AFTER_SECONDS, EVERY_SECONDS, Meter


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 5.0

    def __call__(self) -> float:
        return self.now


def test_work_that_takes_long_is_told_of_and_wiped() -> None:
    stream, clock = Terminal(), Clock()
    with Meter(stream, clock=clock, ticks=False) as meter:
        clock.now += AFTER_SECONDS - 0.001
        meter("one", 0, 2)
        assert "" == stream.getvalue()
        clock.now += 0.001
        meter("two", 1, 2)
        assert "\r\x1b[K1/2 two" == stream.getvalue()
    assert "\r\x1b[K1/2 two\r\x1b[K" == stream.getvalue()


def test_what_is_no_terminal_hears_nothing() -> None:
    stream, clock = io.StringIO(), Clock()
    with Meter(stream, clock=clock, ticks=False) as meter:
        clock.now += 2 * AFTER_SECONDS
        meter("one", 0, 1)
    assert "" == stream.getvalue()


def test_quiet_is_quiet() -> None:
    stream, clock = Terminal(), Clock()
    with Meter(stream, quiet=True, clock=clock, ticks=False) as meter:
        clock.now += 2 * AFTER_SECONDS
        meter("one", 0, 1)
    assert "" == stream.getvalue()


def test_a_name_from_afar_stays_on_its_line() -> None:
    """A second line could not be wiped, and a terminal obeys control characters."""
    stream, clock = Terminal(), Clock()
    with Meter(stream, clock=clock, ticks=False, columns=lambda: 20) as meter:
        clock.now += AFTER_SECONDS
        meter("\x1b[31m\n" + "x" * 100, 1, 1_000)
        assert "\r\x1b[K1/1,000 ?[31m?xx..." == stream.getvalue()


def test_the_terminal_is_asked_how_wide_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "12")
    stream, clock = Terminal(), Clock()
    with Meter(stream, clock=clock, ticks=False) as meter:
        clock.now += AFTER_SECONDS
        meter("registry.example.com", 1, 2)
    assert "\r\x1b[K1/2 regi...\r\x1b[K" == stream.getvalue()


class Watched(Terminal):
    """A terminal that says when something is written."""

    def __init__(self) -> None:
        super().__init__()
        self.was_written = threading.Event()

    def flush(self) -> None:
        self.was_written.set()


def test_who_waits_for_an_answer_sees_for_what() -> None:
    """Nobody calls while the API server hangs."""
    stream, clock = Watched(), Clock()
    with Meter(stream, clock=clock) as meter:
        meter("reading nodes", 0, 1)
        clock.now += AFTER_SECONDS
        assert stream.was_written.wait(30)
    assert "\r\x1b[Kreading nodes\r\x1b[K" == stream.getvalue()
    assert not meter._thread.is_alive() if meter._thread else False


def test_a_line_is_written_as_often_as_it_can_be_read() -> None:
    stream, clock = Terminal(), Clock()
    clock.now = 0.0
    with Meter(stream, clock=clock, ticks=False) as meter:
        clock.now = AFTER_SECONDS
        meter("one", 1, 4)
        clock.now = AFTER_SECONDS + EVERY_SECONDS - 0.01
        meter("two", 2, 4)
        clock.now = AFTER_SECONDS + EVERY_SECONDS + 0.01
        meter("three", 3, 4)
        meter.show()
    assert "\r\x1b[K1/4 one\r\x1b[K3/4 three\r\x1b[K" == stream.getvalue()


def test_a_dumb_terminal_gets_no_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream, clock = Terminal(), Clock()
    with Meter(stream, clock=clock, ticks=False, columns=lambda: 9) as meter:
        clock.now += AFTER_SECONDS
        meter("one", 0, 1)
        clock.now += 1
        meter("one and more", 0, 1)
    assert "\r\rone\r   \rone a...\r        \r" == stream.getvalue()


def test_nothing_is_shown_before_something_is_told() -> None:
    stream, clock = Terminal(), Clock()
    with Meter(stream, clock=clock, ticks=False) as meter:
        clock.now += AFTER_SECONDS
        meter.show()
    assert "" == stream.getvalue()
