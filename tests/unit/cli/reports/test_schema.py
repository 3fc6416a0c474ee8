"""What is printed as JSON is what `docs/reference/reports.md` says, field by field."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.cli.checking.conftest import files, host

if TYPE_CHECKING:
    from tests.unit.cli.checking.conftest import Files
    from tests.unit.cli.conftest import Run

__all__ = ["files"]

PAGE = Path(__file__).parents[4] / "docs/reference/reports.md"
SECTION = re.compile(r"^### (\w+)$(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^\| `(\w+)` \| (.*?) \| ", re.MULTILINE)
SHAPES = {
    name: dict(FIELD.findall(text)) for name, text in SECTION.findall(PAGE.read_text())
}
PLAIN = {"text": str, "number": int, "true or false": bool, "verdict": str}
VERDICTS = {"fits", "does not fit", "unknown"}


def require(value: Any, shape: str, where: str) -> None:
    """Fails if a value has not the shape that the page tells of it."""
    shape, _, optional = shape.partition(", or ")
    if optional and value is None:
        return
    if shape.startswith("list of "):
        assert isinstance(value, list), where
        for number, one in enumerate(value):
            require(one, shape.removeprefix("list of "), f"{where}[{number}]")
    elif shape.startswith("mapping "):
        for key, one in value.items():
            require(one, shape.rpartition(" to ")[2], f"{where}.{key}")
    elif shape in PLAIN:
        assert PLAIN[shape] is type(value), where
        assert shape != "verdict" or value in VERDICTS, where
    else:
        fields = SHAPES[shape[1:].partition("]")[0]]
        assert list(fields) == list(value), where
        for name, inner in fields.items():
            require(value[name], inner, f"{where}.{name}")


def test_the_page_has_all_that_is_printed() -> None:
    assert {"Report", "Change", "Set", "Check", "Explained", "Image"} < set(SHAPES)


@pytest.mark.parametrize("more", [(), ("--what-if", "pool/old.json")])
def test_a_report_is_as_the_page_says(
    run: Run, files: Files, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    monkeypatch.chdir(files.folder)
    files.write("pool/old.json", host("nvidia"))
    found = json.loads(
        run("check", "-f", files.train, *files.given, *more, "-o", "json").out
    )
    require(found, "[Report](#report)", "report")
    assert bool(more) is bool(found["changes"])


def test_a_walk_is_as_the_page_says(run: Run, files: Files) -> None:
    given = (*files.given, "--explain", "old", "-o", "json")
    found = json.loads(run("check", "-f", files.train, *given).out)
    require(found, "list of [Explained](#explained)", "walk")
    assert found[0]["images"][0]["sets"]


def test_one_node_has_one_field_more_than_a_report(run: Run, files: Files) -> None:
    given = ("--spec", files.spec, "--nodes", files.hosts, "--node", "old")
    found = json.loads(run("validate-node", *given, "-o", "json").out)
    sets = found.pop("sets")
    require(found, "[Report](#report)", "report")
    require(sets, "list of [Set](#set)", "sets")
    assert 2 == len(sets)
