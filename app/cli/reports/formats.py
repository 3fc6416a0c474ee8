"""The forms that a report is printed in."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from app.cli.reports.report import Report
from app.errors import ConfigError


class ReportFormat(StrEnum):
    """How a report is printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    NFD_JSON = "nfd-json"
    JUNIT = "junit"
    HTML = "html"


def require(form: ReportFormat) -> None:
    """Refuses early what `render` would refuse.

    Raises:
        ConfigError: NFD's JSON, which is of one node and one image: who has these
            prints it without a report.
    """
    if form is ReportFormat.NFD_JSON:
        text = "nfd-json: NFD's report is of one image on one node"
        raise ConfigError("InvalidOptions", text)


def render(
    report: Report,
    format: ReportFormat,  # noqa: A002 - its name in the options
    *,
    width: int = 80,
    colour: bool = False,
    every_node: bool = False,
) -> str:
    """One document, with the end of its last line.

    Args:
        report: what to print.
        format: how.
        width: columns of the terminal; of tables only.
        colour: whether tables have colours.
        every_node: a row for each node, not for each answer; of tables only.

    Raises:
        ConfigError: as for `require`.
    """
    require(format)
    match format:
        case ReportFormat.TABLE:
            from app.cli.reports import printing  # noqa: PLC0415 - fast start

            return printing.text(
                report, width=width, colour=colour, every_node=every_node
            )
        case ReportFormat.JSON | ReportFormat.YAML:
            from app.cli.reports import document  # noqa: PLC0415

            is_json = format is ReportFormat.JSON
            return document.json(report) if is_json else document.yaml(report)
        case ReportFormat.JUNIT:
            from app.cli.reports import junit  # noqa: PLC0415

            return junit.of_report(report)
        case ReportFormat.HTML:
            from app.cli.reports import html  # noqa: PLC0415

            return html.page(report)
        case ReportFormat.NFD_JSON:  # pragma: no cover - refused above
            raise AssertionError
        case _ as never:
            assert_never(never)
