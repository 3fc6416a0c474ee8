"""A report as one page of HTML that needs nothing else.

No script, no font, style or picture from elsewhere: the page's own policy forbids
it, so that what a spec or a node says cannot become more than text even if it
were not escaped. Its size is bounded: nodes with the same answer share a row, and
of long lists the beginning is shown, with a count of the rest.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from app.cli.reports import words
from app.cli.reports.clean import cleaned
from app.cli.reports.labels import labels
from app.cli.reports.report import Report, Verdict

if TYPE_CHECKING:
    from jinja2 import Template

MAX_ROWS: Final = 60
"""Answers of a workload that are shown."""

MIN_ROWS: Final = 3
PAGE_ROWS: Final = 5_000
"""Answers of all workloads; many workloads show fewer each, but `MIN_ROWS`."""

MAX_NODES: Final = 200
"""Names of nodes with the same answer that are shown."""

MIN_NODES: Final = 5
PAGE_NODES: Final = 50_000
"""Names in all answers; many answers show fewer each, but `MIN_NODES`."""

MAX_REASONS: Final = 12
"""Reasons of an answer that are shown."""

MAX_TEXTS: Final = 10
"""Texts of the webhook that are shown of a workload."""

_CLASSES: Final = {
    Verdict.FITS: "fits",
    Verdict.DOES_NOT_FIT: "misfit",
    Verdict.UNKNOWN: "unknown",
}
_SIGNS: Final = {
    Verdict.FITS: "\N{CHECK MARK}",
    Verdict.DOES_NOT_FIT: "\N{MULTIPLICATION X}",
    Verdict.UNKNOWN: "?",
}


def page(report: Report) -> str:
    """HTML, with the end of its last line."""
    workloads = report.workloads
    rows = _share(PAGE_ROWS, len(workloads), MIN_ROWS, MAX_ROWS)
    shown = sum(min(rows, len(one.rows)) for one in workloads)
    nodes = _share(PAGE_NODES, shown, MIN_NODES, MAX_NODES)
    return _template().render(report=report, max_rows=rows, max_nodes=nodes)


def _share(whole: int, count: int, least: int, most: int) -> int:
    """What each of `count` may take of the whole."""
    return min(most, max(least, whole // max(1, count)))


@cache
def _template() -> Template:
    from jinja2 import (  # noqa: PLC0415 - fast start
        Environment,
        PackageLoader,
        StrictUndefined,
    )

    environment = Environment(
        loader=PackageLoader("app.cli.reports", ""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {
        "words": words,
        "labels": labels,
        "classes": _CLASSES,
        "signs": _SIGNS,
        "max_reasons": MAX_REASONS,
        "max_texts": MAX_TEXTS,
    }
    return environment.get_template("report.html.j2")


def _shown(value: object) -> object:
    """What an expression of the template prints; what is HTML already stays so."""
    from markupsafe import Markup  # noqa: PLC0415

    if isinstance(value, str) and not isinstance(value, Markup):
        return cleaned(value)
    return value
