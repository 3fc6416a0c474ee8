"""The help of one command, as plain text: what it does, options by section, examples.

A docstring's paragraphs are wrapped to the terminal, but for those that begin with
`Examples:` and what is indented: they stay as they are written.
"""

from __future__ import annotations

import inspect
from typing import Any, Final

from typer.core import TyperCommand

from app.cli import converting

EXAMPLES: Final = "Examples:"


class Page(TyperCommand):
    """A command whose help is a plain page, and whose parameters are light."""

    def get_params(self, ctx: Any) -> Any:  # noqa: ANN401 - typer exports no class
        """Arguments and options, `--help` included."""
        found = super().get_params(ctx)
        converting.lighten(found)
        return found

    def format_help_text(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """What the command does, and examples."""
        del ctx
        for paragraph in paragraphs(self.help or ""):
            formatter.write_paragraph()
            if paragraph.startswith((EXAMPLES, " ")):
                formatter.write(f"{paragraph}\n")
            else:
                formatter.write_text(paragraph)

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """Arguments, then options by their section; those of none come first."""
        sections: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
        for one in self.get_params(ctx):
            record = one.get_help_record(ctx)
            if record is None:
                continue
            is_argument = one.param_type_name == "argument"
            panel = getattr(one, "rich_help_panel", None)
            title = "Arguments" if is_argument else panel or "Options"
            sections.setdefault(title, []).append(record)
        for title, rows in sections.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a docstring, in order."""
    return [one for one in inspect.cleandoc(text).split("\n\n") if one.strip()]
