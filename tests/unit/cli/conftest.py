"""Runs the command line in this process."""

import io
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from app.cli.frame import running


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    status: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `imagecompat ARGUMENTS`, with `stdin` as standard input."""

    def ran(*arguments: str, stdin: bytes = b"") -> Ran:
        wrapper = io.TextIOWrapper(io.BytesIO(stdin))
        monkeypatch.setattr(sys, "stdin", wrapper)
        status = running.run(["imagecompat", *arguments])
        out, err = capsys.readouterr()
        return Ran(status, out, err)

    return ran
