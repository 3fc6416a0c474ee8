"""The page of bounds says what the code says."""

import importlib
import re
from dataclasses import fields
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "explanation" / "cost.md"

UNITS = {"": 1, "s": 1, "bytes": 1, "KiB": 1 << 10, "MiB": 1 << 20}
VALUE = re.compile(r"([\d,.]+)(?: (\w+))?")

LIMITS = (
    "compat.limits.Limits",
    "compat.template.limits.Limits",
    "scheduling.placement.Limits",
    "oci.limits.Limits",
)
"""The tables of bounds, of which no row may be left out."""


def rows() -> list[tuple[str, str]]:
    """The name in the code, and the value that the page gives for it."""
    found = re.findall(
        r"^\| [^|]+ \| ([^|]+) \|.*\| `([\w.]+)` \|$", text(), re.MULTILINE
    )
    return [(where, value) for value, where in found]


def text() -> str:
    return PAGE.read_text()


def named(where: str) -> object:
    """The constant; a class on the way to it stands for its defaults."""
    parts = ["app", *where.split(".")]
    modules = [n for n, part in enumerate(parts) if part[0].islower()]
    last = next(n for n in range(len(parts)) if n not in modules)
    found: object = importlib.import_module(".".join(parts[:last]))
    for part in parts[last:]:
        found = getattr(found, part)
        found = found() if isinstance(found, type) else found
    return found


def number(value: str) -> float:
    """`256 KiB` as a number."""
    match = VALUE.fullmatch(value)
    assert match, value
    return float(match[1].replace(",", "")) * UNITS[match[2] or ""]


@pytest.mark.parametrize(("where", "value"), rows())
def test_a_bound_on_the_page_is_the_codes(where: str, value: str) -> None:
    assert number(value) == named(where)


def test_every_row_of_the_page_is_compared() -> None:
    lines = [line for line in text().splitlines() if line.startswith("| ")]
    titles = [line for line in lines if line.startswith("| what |")]
    assert len(lines) - len(titles) == len(rows()) > 0


@pytest.mark.parametrize("table", LIMITS)
def test_every_bound_of_a_table_is_on_the_page(table: str) -> None:
    limits = named(table)
    names = [field.name for field in fields(limits)]  # type: ignore[arg-type]
    prefixes = (table, table.replace(".Limits", ".LIMITS"))
    told = [where.rpartition(".") for where, _ in rows()]
    assert names == [name for prefix, _, name in told if prefix in prefixes]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("256", 256), ("2,048", 2048), ("64 KiB", 65536), ("2 s", 2), ("1.5 s", 1.5)],
)
def test_values_are_read_with_their_units(value: str, expected: float) -> None:
    assert expected == number(value)
