"""The page of the command line, from the commands' own help."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from app.cli import commands
from app.cli.commands import Row
from app.cli.frame import helping, loading, overview


def page() -> str:
    """Every command with its usage, options, examples and exit codes."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from (
        "# Command line",
        "",
        "What `imagecompat COMMAND --help` prints, for every command.",
        "What they are for, and what they print: [commands](commands.md).",
        "This page is generated from the code.",
    )
    for group in commands.GROUPS:
        yield from ("", f"{group}:", "")
        for row in commands.COMMANDS:
            if row.group == group:
                yield f"- [`{row.name}`](#{row.name}): {_escaped(row.help)}"
    yield from ("", "| code | meaning |", "|---|---|")
    for code, meaning in overview.EXIT_CODES:
        yield f"| {code} | {meaning} |"
    yield from ("", "| variable | meaning |", "|---|---|")
    for name, meaning in overview.VARIABLES:
        yield f"| `{name}` | {_escaped(meaning)} |"
    for row in commands.COMMANDS:
        yield from _command(row)


def _command(row: Row) -> Iterator[str]:
    command = loading.load(row)
    context = typer.Context(
        command, info_name=f"imagecompat {row.name}", help_option_names=["-h", "--help"]
    )
    usage = " ".join(command.get_usage(context).split()).removeprefix("Usage: ")
    yield from ("", f"## {row.name}", "", "```", usage, "```")
    for paragraph in helping.paragraphs(command.help or ""):
        yield ""
        if paragraph.startswith(helping.EXAMPLES):
            title, *examples = paragraph.splitlines()
            yield from (title, "", "```sh", *(one[2:] for one in examples), "```")
        elif paragraph.startswith(" "):
            yield from ("```", *paragraph.splitlines(), "```")
        else:
            yield from _escaped(" ".join(paragraph.split())).split("\n")
    for title, rows in helping.sections(command.get_params(context), context):
        yield from ("", f"| {title.lower()} | meaning |", "|---|---|")
        for name, meaning in rows:
            yield f"| {_code(name)} | {_escaped(meaning)} |"


def _code(text: str) -> str:
    return f"`{text}`".replace("|", r"\|")


def _escaped(text: str) -> str:
    one = " ".join(text.split())
    return one.replace("|", r"\|").replace("<", r"\<").replace("*", r"\*")


def options(row: Row) -> dict[str, Any]:
    """Each spelling of an option of a command -> the option."""
    command = loading.load(row)
    context = typer.Context(command, help_option_names=["-h", "--help"])
    return {
        name: one
        for one in command.get_params(context)
        if one.param_type_name == "option"
        for name in (*one.opts, *one.secondary_opts)
    }
