"""The alerts of the chart, and the program that judges them."""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tools.build import ToolError, find

FILE = (
    Path(__file__).resolve().parent.parent.parent
    / "charts"
    / "imagecompat"
    / "files"
    / "alerts.yaml"
)


@cache
def groups() -> list[dict[str, Any]]:
    """The groups of rules, in order."""
    found: list[dict[str, Any]] = yaml.safe_load(FILE.read_text())["groups"]
    return found


def rules() -> dict[str, dict[str, Any]]:
    """Alert -> rule, in order."""
    return {rule["alert"]: rule for group in groups() for rule in group["rules"]}


def expr(alert: str) -> str:
    """The expression of an alert."""
    found: str = rules()[alert]["expr"]
    return found


def severity(alert: str) -> str:
    """How bad it is."""
    found: str = rules()[alert]["labels"]["severity"]
    return found


def promtool(
    *arguments: str | Path, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs `promtool`; skips the test where it cannot be had."""
    try:
        program = find("promtool")
    except ToolError as error:
        pytest.skip(str(error))
    return subprocess.run(
        [program, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
