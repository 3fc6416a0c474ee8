"""A report as one self-contained page."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from app.cli.reports import words
from app.cli.reports.report import Report

if TYPE_CHECKING:
    from jinja2 import Template


def page(report: Report) -> str:
    """HTML that needs nothing else: no script, no style or picture from elsewhere."""
    return _template().render(report=report, words=words)


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
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("report.html.j2")
