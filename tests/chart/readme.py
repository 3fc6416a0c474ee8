"""The chart's README: what is said once, and a table of every value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.chart import schema, values

HEAD: Final = Path(__file__).with_name("readme-head.md")


def text() -> str:
    """The file."""
    whole = schema.whole(values.defaults())
    leaves = set(values.leaves(whole))
    lines = [HEAD.read_text().rstrip("\n")]
    section = ""
    for one in values.read((values.CHART / "values.yaml").read_text()):
        if one.section != section:
            section = one.section
            lines += _heading(section, leaves)
        if one.path in leaves:
            said = one.comment.replace("|", r"\|")
            lines.append(f"| `{one.path}` | {_default(one.default)} | {said} |")
    return "\n".join(lines) + "\n"


def _heading(section: str, leaves: set[str]) -> Iterator[str]:
    """The title, and what is said of the mappings of the section."""
    yield from ("", f"### {section}", "")
    said = [
        f"`{one.path}`: {one.comment}"
        for one in values.read((values.CHART / "values.yaml").read_text())
        if one.section == section and one.comment and one.path not in leaves
    ]
    for line in said:
        yield from (line, "")
    yield from ("| value | default | meaning |", "|---|---|---|")


def _default(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, str) and value:
        return f"`{value}`"
    return f"`{json.dumps(value)}`"
