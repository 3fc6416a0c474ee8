"""`values.yaml` as people read it: every value with its comment and its default.

A comment belongs to the key right below it. A line `## Title` begins a section.
A mapping is one value where its keys are the user's own (labels, resources), and
is otherwise described key by key; `schema` knows which is which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

CHART: Final = Path(__file__).resolve().parent.parent.parent / "charts" / "imagecompat"

_KEY: Final = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z]\w*):(?P<rest>.*)$")


@dataclass(frozen=True, slots=True)
class Value:
    """One key of the file.

    Attributes:
        path: `webhook.failurePolicy`.
        section: the title above it.
        comment: what is said of it; may be empty.
        default: its value; a mapping for what has keys of its own.
    """

    path: str
    section: str
    comment: str
    default: Any


def defaults() -> dict[str, Any]:
    """The values, decoded."""
    found = yaml.safe_load((CHART / "values.yaml").read_text())
    if not isinstance(found, dict):
        raise TypeError("values.yaml holds no mapping")
    return found


def read(text: str) -> Iterator[Value]:
    """Every key of the file, mappings included, in its order."""
    content = yaml.safe_load(text)
    section = ""
    comment: list[str] = []
    above: list[tuple[int, str]] = []
    for line in text.splitlines():
        if line.startswith("## "):
            section, comment = line[3:], []
        elif line.lstrip().startswith("# "):
            comment.append(line.strip()[2:])
        elif found := _KEY.match(line):
            indent = len(found["indent"])
            above = [one for one in above if one[0] < indent]
            above.append((indent, found["key"]))
            parts = [key for _, key in above]
            value = content
            for part in parts:
                if not isinstance(value, dict) or part not in value:
                    break  # a key of the user's own, below a default
                value = value[part]
            else:
                yield Value(".".join(parts), section, " ".join(comment), value)
            comment = []
        else:
            comment = []


def leaves(schema: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Paths of what has no keys that the schema names."""
    for key, inner in schema["properties"].items():
        if inner.get("properties"):
            yield from leaves(inner, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def at(path: str, content: Mapping[str, Any]) -> Any:
    """What stands at a path.

    Raises:
        KeyError: there is no such key.
    """
    value: Any = content
    for part in path.split("."):
        value = value[part]
    return value


def get(path: str, content: Mapping[str, Any]) -> Any:
    """The same; `None` where there is no such key."""
    try:
        return at(path, content)
    except KeyError:
        return None
