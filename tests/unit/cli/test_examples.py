"""Examples in helps are command lines that the commands take."""

import inspect
import re
import shlex
from collections.abc import Iterator

import pytest
import typer

from app.cli import commands
from app.cli.commands import COMMANDS, Row
from app.cli.frame import helping, loading, overview

PROGRAM = "imagecompat "
EACH = pytest.mark.parametrize("row", COMMANDS, ids=lambda one: one.name)


def examples(row: Row) -> list[str]:
    """The lines below `Examples:` in a command's help."""
    text = loading.load(row).help or ""
    found = [one for one in helping.paragraphs(text) if one.startswith("Examples:")]
    return [line.strip() for one in found for line in one.splitlines()[1:]]


def shown() -> Iterator[tuple[str, list[str]]]:
    """Each command line of ours in an example, as the shell would give it."""
    for row in COMMANDS:
        for line in examples(row):
            part = line[line.index(PROGRAM) + len(PROGRAM) :]
            words = shlex.split(re.split(r" [|>] |\)", part)[0])
            yield line, words


@EACH
def test_a_help_has_one_to_four_examples_of_its_command(row: Row) -> None:
    found = examples(row)
    assert 1 <= len(found) <= 4
    assert all(f"{PROGRAM}{row.name}" in line for line in found)
    assert all(overview.WIDTH >= len(f"  {line}") for line in found)


@pytest.mark.parametrize(("line", "words"), [*shown()], ids=lambda one: str(one)[:60])
def test_an_example_is_taken(line: str, words: list[str]) -> None:
    row = commands.find(words[0])
    assert row is not None, line
    loading.load(row).make_context(row.name, words[1:])


@EACH
def test_examples_stay_as_they_are_written(row: Row) -> None:
    command = loading.load(row)
    context = typer.Context(command, info_name=row.name)
    page = command.get_help(context)
    assert all(f"\n  {line}" in page for line in examples(row))
    assert inspect.cleandoc(command.help or "").splitlines()[0] in page
