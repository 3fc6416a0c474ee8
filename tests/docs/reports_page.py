"""The page of a report's fields: from the dataclasses and their docstrings."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from types import NoneType
from typing import Any, Final, get_args, get_origin, get_type_hints

from app.cli.checking.explaining import Explained, Image
from app.cli.reports import document
from app.cli.reports.formats import ReportFormat
from app.cli.reports.report import (
    Cell,
    Change,
    JudgedImage,
    Nearest,
    Reason,
    Report,
    Row,
    Verdict,
    Workload,
)
from app.cli.walking import Check, Rule, Set, Term

KINDS: Final[tuple[type, ...]] = (
    Report,
    Workload,
    JudgedImage,
    Row,
    Cell,
    Reason,
    Nearest,
    Change,
)
WALKED: Final[tuple[type, ...]] = (Set, Rule, Term, Check)
EXPLAINED: Final[tuple[type, ...]] = (Explained, Image)

_ATTRIBUTE: Final = re.compile(r"^ {4}(\w+): (.*)$")
_WORDS: Final = {str: "text", int: "number", bool: "true or false"}


def page() -> str:
    """The page."""
    lines = [
        "# Reports",
        "",
        "What `check` and `validate-node` print with `-o`.",
        "[How to read, keep and share a report](../how-to/reports.md) shows each form.",
        "This page is generated from the code.",
        "",
        f"`-o` takes {_listed(ReportFormat)}.",
        "NFD's JSON is of one image on one node: only `validate-node` prints it.",
        "",
        "## JSON and YAML",
        "",
        "Both hold the same document, and every field is always there.",
        "While `apiVersion` is the same, fields are added, never renamed or removed.",
        "Texts are uncut; characters that a terminal would obey are escaped.",
        "",
        f"A verdict is one of {_listed(Verdict)}.",
        "[Verdicts](../explanation/verdicts.md) says what they mean.",
    ]
    for kind in KINDS:
        lines += _section(kind, _head() if kind is Report else ())
    lines += ["", "## JSON and YAML of one node", "", *_of_one_node()]
    for kind in WALKED:
        lines += _section(kind)
    lines += ["", "## JSON and YAML of `check --explain`", "", *_explained()]
    for kind in EXPLAINED:
        lines += _section(kind)
    lines += ["", "## JUnit", "", *_junit()]
    return "\n".join(lines) + "\n"


def _section(kind: type, first: Iterable[str] = ()) -> Iterator[str]:
    yield from ("", f"### {kind.__name__}", "", _about(kind), "")
    yield from ("| field | type | meaning |", "|---|---|---|", *first, *_rows(kind))


def _of_one_node() -> Iterator[str]:
    yield "`validate-node` on one node prints a [Report](#report) with one more field."
    yield ""
    yield "| field | type | meaning |"
    yield "|---|---|---|"
    yield (
        "| `sets` | list of [Set](#set) | every set that was judged, rule by rule;"
        " empty if nothing is known of the node, or nothing is attached to the image |"
    )


def _explained() -> Iterator[str]:
    yield "A list with one [Explained](#explained) for each workload that was judged."


def _listed(kind: type[Enum]) -> str:
    return ", ".join(f"`{one.value}`" for one in kind)


def _head() -> Iterator[str]:
    yield f"| `apiVersion` | text | `{document.API_VERSION}` |"
    yield f"| `kind` | text | `{document.KIND}` |"
    yield (
        "| `verdict` | verdict | the worst of all: does not fit, else unknown,"
        " else fits |"
    )


def _rows(kind: type) -> Iterator[str]:
    assert is_dataclass(kind)
    told, hints = attributes(kind), get_type_hints(kind)
    for one in fields(kind):
        name = "".join(
            word if number == 0 else word.capitalize()
            for number, word in enumerate(one.name.split("_"))
        )
        yield f"| `{name}` | {_type(hints[one.name])} | {told[one.name]} |"


def attributes(kind: type) -> dict[str, str]:
    """Name of a field -> what the docstring says of it, on one line."""
    found: dict[str, str] = {}
    name = ""
    _, _, section = (inspect.getdoc(kind) or "").partition("Attributes:\n")
    for line in section.split("\n"):
        start = _ATTRIBUTE.match(line)
        if start:
            name = start[1]
            found[name] = start[2]
        elif line.strip():
            found[name] += f" {line.strip()}"
    return {key: _shown(text) for key, text in found.items()}


def _about(kind: type) -> str:
    text, _, _ = (inspect.getdoc(kind) or "").partition("Attributes:")
    return _shown(" ".join(text.split()))


def _shown(text: str) -> str:
    """In JSON's words."""
    return text.replace("`None`", "`null`").replace('`""`', "empty").replace("|", r"\|")


def _type(hint: Any) -> str:
    arguments = get_args(hint)
    if NoneType in arguments:
        (kind,) = (one for one in arguments if one is not NoneType)
        return f"{_type(kind)}, or null"
    origin = get_origin(hint)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is not None and issubclass(origin, Mapping):
        key, value = arguments
        keys = f"from {_listed(key)} " if issubclass(key, Enum) else ""
        return f"mapping {keys}to {_type(value)}"
    if is_dataclass(hint) and isinstance(hint, type):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    return "verdict" if hint is Verdict else _WORDS[hint]


def _junit() -> Iterator[str]:
    yield "There is no standard of it; this is what Jenkins and GitLab read."
    yield ""
    yield "| element | attributes | meaning |"
    yield "|---|---|---|"
    counts = "`name`, `tests`, `failures`, `errors`, `time`"
    yield f"| `testsuites` | {counts} | all of it |"
    yield (
        f"| `testsuite` | {counts}, `skipped` |"
        " one; its name is where the nodes come from |"
    )
    yield (
        "| `testcase` | `name`, `classname` | one workload;"
        " its class is the file that it was read from |"
    )
    yield (
        "| `failure` | `message`, `type` | it does not fit:"
        " summary, reasons, closest node, the webhook's texts |"
    )
    yield "| `error` | `message`, `type` | nobody can be sure; the same |"
    yield (
        "| `skipped` | `message` |"
        " with `--what-if`: what does not fit now cannot break |"
    )
