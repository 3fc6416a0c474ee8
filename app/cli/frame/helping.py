"""The help of one command, as plain text: what it does, options by section, examples.

A docstring's paragraphs are wrapped to the terminal, but for those that begin with
`Examples:` and what is indented: they stay as they are written.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from typer.core import TyperCommand

from app.cli.frame import converting, flags

EXAMPLES: Final = "Examples:"

_PROGRAM: Final = re.compile(r"(^ +|\| )imagecompat ", re.MULTILINE)
"""Where an example calls us; `kubectl imagecompat` is another way to."""

_KINDS: Final = (
    ("list[", ""),
    ("<str]>", "TEXT"),
    ("<path]>", "PATH"),
    ("<str>", "TEXT"),
    ("<path>", "PATH"),
    ("<int range>", "NUMBER"),
    ("<float range>", "NUMBER"),
    ("<int>", "NUMBER"),
    ("<float>", "NUMBER"),
)
"""How typer calls a kind of value -> what people read."""


class Page(TyperCommand):
    """A command whose help is a plain page, and whose parameters are light."""

    def get_params(self, ctx: Any) -> Any:  # noqa: ANN401 - typer exports no class
        """Arguments and options, `--help` included."""
        found = super().get_params(ctx)
        converting.lighten(found)
        return found

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401
        """See `flags.plain`."""
        return list(super().parse_args(ctx, flags.plain(args, self.get_params(ctx))))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:  # noqa: ANN401
        """The words of its usage; what has no brackets must be there."""
        pieces = super().collect_usage_pieces(ctx)
        return [one.replace("{", "").replace("}", "") for one in pieces]

    def format_help_text(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """What the command does, and examples."""
        program = str(ctx.command_path).rpartition(" ")[0] or "imagecompat"
        for paragraph in paragraphs(self.help or ""):
            formatter.write_paragraph()
            if paragraph.startswith((EXAMPLES, " ")):
                typed = _PROGRAM.sub(rf"\g<1>{program} ", paragraph)
                formatter.write(f"{typed}\n")
            else:
                formatter.write_text(paragraph)

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401
        """Arguments, then options by their section; those of none come first."""
        for title, rows in sections(self.get_params(ctx), ctx):
            with formatter.section(title):
                formatter.write_dl(rows)


def sections(
    parameters: Iterable[Any],
    ctx: Any,  # noqa: ANN401
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Sections of a help with their rows: what to type, and what it means."""
    found: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    for one in parameters:
        record = one.get_help_record(ctx)
        if record is None:
            continue
        what, meaning = record
        is_argument = one.param_type_name == "argument"
        panel = getattr(one, "rich_help_panel", None)
        title = "Arguments" if is_argument else panel or "Options"
        what = what.partition(" <")[0] if is_argument else _readable(what)
        found.setdefault(title, []).append((what, meaning))
    return ((title, rows) for title, rows in found.items() if rows)


def _readable(what: str) -> str:
    for kind, word in _KINDS:
        what = what.replace(kind, word)
    return what


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a docstring, in order."""
    return [one for one in inspect.cleandoc(text).split("\n\n") if one.strip()]
