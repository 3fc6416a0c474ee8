"""How long commands take, as whole processes: start of Python, imports, work, end.

Each turn runs Python with nothing to do (`python -c pass`) and then the commands, so
that a busy machine slows both. Bytecode is written before the first turn that counts,
as an installation has it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from bench.figure import Figure, Rows

TURNS: Final = 21
GOAL_HELP: Final = 5.0
GOAL_VALIDATE_NODE: Final = 12.0
_SECONDS: Final = 60.0

_HOST: Final = (
    Path(__file__).parent.parent / "app/demo/data/hosts/ubuntu2204-metal-x710.json"
)
_SPEC: Final = """\
version: v1alpha1
compatibilities:
- description: a recent kernel on a processor with AVX-512
  rules:
  - name: kernel and processor
    matchFeatures:
    - feature: kernel.version
      matchExpressions:
        major: {op: Gt, value: ["4"]}
    - feature: cpu.cpuid
      matchExpressions:
        AVX512F: {op: Exists}
"""

_PYTHON: Final = (sys.executable, "-c", "pass")
_COMMAND: Final = (sys.executable, "-c", "from app.cli import main; main()")
"""What the console script does; the script itself may be of another environment."""


def help_pages() -> Iterator[Figure]:
    """The front page; beside it the version, and the help of one command."""
    commands = {
        "--help": [*_COMMAND, "--help"],
        "--version": [*_COMMAND, "--version"],
        "validate-node --help": [*_COMMAND, "validate-node", "--help"],
        "completion of a command": [*_COMMAND, "__complete", "val"],
        "completion of an option": [*_COMMAND, "__complete", "validate-node", "--"],
    }
    yield _figure("cli_help", _measure(commands), "--help", GOAL_HELP)


def validate_node() -> Iterator[Figure]:
    """One spec on one host of a file; beside it NFD's report as JSON."""
    with TemporaryDirectory() as folder:
        spec = Path(folder) / "spec.yaml"
        spec.write_text(_SPEC)
        command = [*_COMMAND, "validate-node", "--spec", str(spec)]
        command += ["--features", str(_HOST)]
        name = "validate-node --spec --features"
        commands = {name: command, f"{name} --output-json": [*command, "--output-json"]}
        yield _figure("cli_validate_node", _measure(commands), name, GOAL_VALIDATE_NODE)


def _measure(commands: Mapping[str, Sequence[str]]) -> dict[str, list[float]]:
    """Command -> seconds of each turn; `pass` is Python with nothing to do."""
    all_commands = {"pass": _PYTHON, **commands}
    found: dict[str, list[float]] = {name: [] for name in all_commands}
    with TemporaryDirectory() as bytecode:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for turn in range(TURNS + 1):
            for name, command in all_commands.items():
                seconds = _run(command, environment)
                if turn:
                    found[name].append(seconds)
    return found


def _run(command: Sequence[str], environment: Mapping[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(
        command,
        stdout=subprocess.DEVNULL,
        env=environment,
        timeout=_SECONDS,
        check=True,
    )
    return time.perf_counter() - started


def _figure(
    name: str, found: Mapping[str, list[float]], wanted: str, goal: float
) -> Figure:
    medians = {one: statistics.median(samples) for one, samples in found.items()}
    beside = {f"milliseconds, {one}": 1e3 * took for one, took in medians.items()}
    beside |= {
        f"times, {one}": took / medians["pass"]
        for one, took in medians.items()
        if one not in {"pass", wanted}
    }
    beside["times, of the least of each"] = min(found[wanted]) / min(found["pass"])
    return Figure(
        name=name,
        value=medians[wanted] / medians["pass"],
        unit="times `python -c pass`",
        goal=goal,
        beside=beside,
    )


ROWS: Final[Rows] = {"cli_help": help_pages, "cli_validate_node": validate_node}
