"""A report for a person at a terminal."""

from __future__ import annotations

from app.cli.output import safe
from app.cli.reports import words
from app.cli.reports.report import Report


def text(report: Report, *, width: int, colour: bool, every_node: bool = False) -> str:
    """Text that is at most `width` columns wide, with the end of its last line."""
    del width, colour, every_node
    lines: list[str] = []
    for one in report.workloads:
        lines.append(f"{one.name}: {one.verdict}")
        lines.append(words.summary(one))
        lines += words.why(one)
    return "".join(f"{safe(line)}\n" for line in [*lines, *report.notes])
