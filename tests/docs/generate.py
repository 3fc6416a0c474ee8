"""Writes the pages that come from the code: settings, metrics, the command line.

`python tests/docs/generate.py` writes them; a test compares them.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import zip_longest
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from app.settings.life import LIFE
from app.settings.sections import Settings
from app.telemetry import METRICS, PREFIX, PROCESS, Metric
from tests.docs import command_line, recipes_page, reports_page

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"


def settings_page() -> str:
    """The page of settings."""
    lines = [
        "# Settings",
        "",
        "A settings file is YAML; `imagecompat serve --config FILE` reads it.",
        (
            "An environment variable wins over the file: `IMAGECOMPAT_`, the section,"
            " `__`, the name in capitals with `_` between its words"
            " (`IMAGECOMPAT_POLICY__ON_UNKNOWN=deny`)."
        ),
        'A list is JSON there (`IMAGECOMPAT_POLICY__TAGS=["gpu"]`).',
        "An unknown key is an error.",
        (
            "A running process takes up what is `live`, the rest needs a new process:"
            " [how to change settings](../how-to/change-settings.md)."
        ),
        "This page is generated from the code.",
    ]
    for name, section in Settings.model_fields.items():
        model = section.annotation
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            raise TypeError(f"the section {name} is no model")
        lines += _table(f"## {name}", model, name)
        for field in model.model_fields.values():
            for inner in _models(field.annotation):
                lines += _table(f"### {name}.{field.alias}", inner)
    return "\n".join(lines) + "\n"


def _table(title: str, model: type[BaseModel], section: str = "") -> Iterator[str]:
    yield from ("", title, "", (model.__doc__ or "").strip(), "")
    if section:
        yield from ("| setting | default | changes | meaning |", "|---|---|---|---|")
    else:
        yield from ("| setting | default | meaning |", "|---|---|---|")
    yield from _rows(model, section)


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    """The models that a field holds: one for each of its entries."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for inner in get_args(kind):
        yield from _models(inner)


def _rows(model: type[BaseModel], section: str) -> Iterator[str]:
    for field in model.model_fields.values():
        text = (field.description or "").replace("\n", " ").replace("|", r"\|")
        life = f" {LIFE[f'{section}.{field.alias}'].value} |" if section else ""
        meaning = text + _choices(field)
        yield f"| `{field.alias}` | {_default(field)} |{life} {meaning} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value = field.get_default(call_default_factory=True, validated_data={})
    match value:
        case None | "" | {}:
            return "none"
        case Enum():
            return f"`{_word(value)}`"
        case BaseModel():
            return "see below"
        case bool():
            return f"`{str(value).lower()}`"
        case tuple() | frozenset():
            return ", ".join(f"`{item}`" for item in sorted(value)) or "none"
        case _:
            return f"`{value}`"


def _word(value: Enum) -> str:
    return value.value if isinstance(value.value, str) else value.name.lower()


def _choices(field: FieldInfo) -> str:
    kind: Any = field.annotation
    if get_origin(kind) in (Union, types.UnionType):
        kind = get_args(kind)[0]
    if not (isinstance(kind, type) and issubclass(kind, Enum)):
        return ""
    return " One of " + ", ".join(f"`{_word(item)}`" for item in kind) + "."


def metrics_page() -> str:
    """The page of metrics."""
    lines = [
        "# Metrics",
        "",
        "`GET /metrics` prints them in Prometheus' text format.",
        "No image, Pod or node name is ever a label.",
        "This page is generated from the code.",
        *_metrics(PREFIX, METRICS),
        "",
        "## The process",
        "",
        "Those of Prometheus' client for Python; the first six on Linux only.",
        *_metrics("", PROCESS),
    ]
    return "\n".join(lines) + "\n"


def _metrics(prefix: str, rows: Iterable[Metric]) -> Iterator[str]:
    yield from ("", "| metric | type | labels | meaning |", "|---|---|---|---|")
    for row in rows:
        labels = ", ".join(_labels(row)) or "none"
        yield f"| `{prefix}{row.name}` | {row.kind} | {labels} | {row.help} |"


def _labels(row: Metric) -> Iterator[str]:
    for label, values in zip_longest(row.labels, row.values, fillvalue=()):
        some = ": " + ", ".join(values) if values else ""
        yield f"`{label}`{some}"


PAGES = {
    "reference/settings.md": settings_page,
    "reference/metrics.md": metrics_page,
    "reference/reports.md": reports_page.page,
    "reference/command-line.md": command_line.page,
    "reference/recipes.md": recipes_page.page,
}

if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page())
        print(f"wrote {DOCS / name}", file=sys.stderr)
