"""The page of recipes: what each asks for, and which recorded hosts fit it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.cli.suites import reading
from app.cli.suites.suite import Answer, Expected
from app.recipes import RECIPES

DATA = Path(__file__).resolve().parent.parent / "data"
SUITE = DATA / "suites" / "recipes.yaml"


def page() -> str:
    """The page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from (
        "# Recipes",
        "",
        (
            "Specs to start from, and to edit: `imagecompat init-spec --template NAME`"
            " prints one, several at once what a node must have together."
        ),
        (
            "How to go on: [write a spec](../how-to/write-a-spec.md),"
            " [test it](../how-to/test-a-spec.md)."
        ),
        "This page is generated from the code.",
        "",
        "| recipe | asks for | needs |",
        "|---|---|---|",
    )
    for one in RECIPES:
        needs = one.needs or "NFD as it comes"
        yield f"| [`{one.name}`](#{_anchor(one.name)}) | {one.summary} | {needs} |"
    yield from _hosts()
    yield from _matrix()
    for one in RECIPES:
        yield from ("", f"## {one.name}", "", "```yaml")
        yield one.content.decode().rstrip("\n")
        yield "```"


def _anchor(name: str) -> str:
    return name.replace(".", "")


def _hosts() -> Iterator[str]:
    yield from (
        "",
        "## The hosts",
        "",
        (
            "Fifteen hosts, composed of what NFD publishes on real distributions and"
            " hardware."
        ),
        (
            "`ID` and `VERSION_ID` are elements of `system.osrelease`, as strings; `-`"
            " means that the host publishes no such element."
        ),
        "",
        "| | host | `ID` | `VERSION_ID` | `kernel.version` `full` | `major` |",
        "|---|---|---|---|---|---|",
    )
    for number, (name, found) in enumerate(_found().items(), start=1):
        system = _elements(found, "system.osrelease")
        kernel = _elements(found, "kernel.version")
        cells = (
            *(f"`{system.get(key)}`" for key in ("ID", "VERSION_ID")),
            *(f"`{kernel[key]}`" if key in kernel else "-" for key in _KERNEL),
        )
        yield f"| {number} | {name} | {' | '.join(cells)} |"


_KERNEL = ("full", "major")


def _found() -> dict[str, Any]:
    return {
        path.stem: json.loads(path.read_bytes())
        for path in sorted((DATA / "hosts").iterdir())
    }


def _elements(found: Any, feature: str) -> dict[str, str]:
    elements: dict[str, str] = found["attributes"][feature]["elements"]
    return elements


def _matrix() -> Iterator[str]:
    suite, problems = reading.read(SUITE.read_bytes(), str(SUITE))
    if problems:
        raise ValueError(problems[0])
    cells = {(case.spec, case.node): _cell(case.expected) for case in suite.cases}
    hosts = sorted({node for _, node in cells})
    yield from (
        "",
        "## Which host fits which recipe",
        "",
        (
            "The suite `tests/data/suites/recipes.yaml`, which `imagecompat test-spec`"
            " runs; NFD's own evaluator gives the same 240 answers."
        ),
        (
            "A number is the highest weight of a set that fits, *yes* a fit without"
            " weights, and `-` none."
        ),
        "",
        f"| recipe | {' | '.join(str(n) for n, _ in enumerate(hosts, start=1))} |",
        "|---" * (len(hosts) + 1) + "|",
    )
    for one in RECIPES:
        row = (cells[one.name, host] for host in hosts)
        yield f"| {one.name} | {' | '.join(row)} |"


def _cell(expected: Expected) -> str:
    if expected.answer is not Answer.FITS:
        return "-"
    return str(expected.score or "*yes*")
