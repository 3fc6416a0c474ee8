"""Completion in real shells, and `kubectl imagecompat` in the real kubectl."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from app.cli.commands import COMMANDS
from tests.tools import needed

pytestmark = pytest.mark.integration

SECONDS = 30.0
PROMPT = "ready> "
NAMES = sorted(row.name for row in COMMANDS)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A `PATH` that has the three programs of an installation first."""
    folder = tmp_path_factory.mktemp("bin")
    for name, function in (
        ("imagecompat", "main"),
        ("kubectl-imagecompat", "main"),
        ("kubectl_complete-imagecompat", "complete"),
    ):
        program = folder / name
        program.write_text(
            f"#!{sys.executable}\nfrom app.cli import {function}\n{function}()\n"
        )
        program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


class Terminal:
    """A shell at a terminal, and what it shows."""

    def __init__(self, command: Sequence[str], path: str, folder: Path) -> None:
        root = Path(__file__).resolve().parent.parent.parent
        environment = {
            **os.environ,
            "PATH": path,
            "TERM": "dumb",
            "PYTHONPATH": str(root),
            "HOME": str(folder),
        }
        self.process, self.terminal = pty.fork()
        if not self.process:
            os.chdir(folder)
            os.execvpe(command[0], list(command), environment)

    def type(self, keys: str, until: Callable[[str], bool]) -> str:
        """What is shown after some keys, as soon as it is what is waited for."""
        os.write(self.terminal, keys.encode())
        shown, end = "", time.monotonic() + SECONDS
        while not until(shown):
            assert time.monotonic() < end, f"after {keys!r}: {shown!r}"
            if select.select([self.terminal], [], [], 0.1)[0]:
                shown += os.read(self.terminal, 65536).decode(errors="replace")
        return shown

    def end(self) -> None:
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.terminal)


_SOURCE = "source <(imagecompat completion"
_PROMPT = f"PS1='{PROMPT[:3]}''{PROMPT[3:]}'\n"
"""In two parts, so that what is typed is not taken for the prompt itself."""

SHELLS = {
    "bash": (["--norc", "--noprofile", "-i"], f"{_SOURCE} bash); {_PROMPT}"),
    "zsh": (
        ["-f", "-i"],
        f"autoload -U compinit; compinit -u; {_SOURCE} zsh); {_PROMPT}",
    ),
}


@pytest.fixture(params=sorted(SHELLS))
def terminal(
    request: pytest.FixtureRequest, path: str, tmp_path: Path
) -> Iterator[Terminal]:
    (tmp_path / "my-spec.yaml").touch()
    options, setup = SHELLS[request.param]
    program = "bash" if request.param == "bash" else str(*needed.programs("zsh"))
    terminal = Terminal([program, *options], path, tmp_path)
    terminal.type(setup, lambda shown: PROMPT in shown)
    yield terminal
    terminal.end()


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("imagecompat stat", "imagecompat status "),
        ("imagecompat status --rel", "imagecompat status --release "),
        ("imagecompat status -o j", "imagecompat status -o json "),
        ("imagecompat status --output=j", "imagecompat status --output=json "),
        ("imagecompat validate-spec my", "imagecompat validate-spec my-spec.yaml "),
        (
            "imagecompat validate-node --spec my",
            "imagecompat validate-node --spec my-spec.yaml ",
        ),
    ],
)
def test_a_tab_completes(terminal: Terminal, typed: str, completed: str) -> None:
    terminal.type(f"{typed}\t", lambda shown: completed in shown.replace("\r", ""))


def test_two_tabs_list_the_commands(terminal: Terminal) -> None:
    shown = terminal.type(
        "imagecompat \t\t", lambda shown: all(name in shown for name in NAMES)
    )
    assert "my-spec.yaml" not in shown


def test_an_argument_too_many_completes_nothing(terminal: Terminal) -> None:
    keys = "imagecompat status my\t\x15echo end\r"
    shown = terminal.type(keys, lambda shown: shown.count("end") > 1)
    assert "my-spec.yaml" not in shown


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("imagecompat ", NAMES),
        ("imagecompat status -o ", ["json", "table"]),
        ("imagecompat status --output=", ["--output=json", "--output=table"]),
        ("imagecompat validate-spec my", ["my-spec.yaml"]),
        ("imagecompat status my", []),
    ],
)
def test_fish_offers(path: str, tmp_path: Path, typed: str, offered: list[str]) -> None:
    (tmp_path / "my-spec.yaml").touch()
    script = f"imagecompat completion fish | source; complete -C '{typed}'"
    done = subprocess.run(
        [*needed.programs("fish"), "--no-config", "-c", script],
        env={**os.environ, "PATH": path, "HOME": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    assert offered == sorted(line.split("\t")[0] for line in done.stdout.splitlines())


def kubectl(path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*needed.programs("kubectl"), *arguments],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def test_kubectl_lists_the_plugin(path: str) -> None:
    found = kubectl(path, "plugin", "list").stdout
    folder = path.split(os.pathsep, maxsplit=1)[0]
    assert f"{folder}/kubectl-imagecompat\n" in found


def test_kubectl_runs_the_plugin_with_its_exit_code(path: str) -> None:
    done = kubectl(path, "imagecompat", "--help")
    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith("Usage: kubectl imagecompat COMMAND")
    wrong = kubectl(path, "imagecompat", "validate-spec", "no-such-file")
    assert (2, "") == (wrong.returncode, wrong.stdout)
    assert "imagecompat: no-such-file: cannot be read" in wrong.stderr


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("stat",), "status\t{status}\n:4\n"),
        (("status", "-o", "j"), "json\n:4\n"),
        (("validate-spec", ""), ":0\n"),
    ],
)
def test_kubectl_completes_the_plugin(
    path: str, words: tuple[str, ...], expected: str
) -> None:
    helps = {row.name: row.help for row in COMMANDS}
    done = kubectl(path, "__complete", "imagecompat", *words)
    assert expected.format(**helps) == re.sub(r"\t\n", "\n", done.stdout)


def test_an_installation_has_the_programs() -> None:
    folder = Path(sys.executable).parent
    for name in ("imagecompat", "kubectl-imagecompat", "kubectl_complete-imagecompat"):
        assert shutil.which(name, path=str(folder)) is not None
