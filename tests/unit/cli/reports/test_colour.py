"""When tables have colours: https://no-color.org."""

import io
import sys

import pytest

from app.cli.output import want_colour


class Screen(io.StringIO):
    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal


@pytest.mark.parametrize(
    ("is_terminal", "no_color", "expected"),
    [
        pytest.param(True, None, True, id="a terminal"),
        pytest.param(True, "", True, id="an empty variable is none"),
        pytest.param(True, "1", False, id="a terminal without"),
        pytest.param(True, "0", False, id="whatever the variable says"),
        pytest.param(False, None, False, id="a file"),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    monkeypatch: pytest.MonkeyPatch,
    is_terminal: bool,
    no_color: str | None,
    expected: bool,
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setattr(sys, "stdout", Screen(is_terminal=is_terminal))
    assert expected is want_colour()


def test_a_dumb_terminal_knows_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Screen(is_terminal=True))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "dumb")
    assert not want_colour()
    monkeypatch.setenv("TERM", "xterm")
    assert want_colour()
