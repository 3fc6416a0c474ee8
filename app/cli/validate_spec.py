"""`imagecompat validate-spec`: can NFD read this compatibility spec."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("validate-spec")(validate_spec)


def validate_spec(
    file: Annotated[
        str, typer.Argument(metavar="FILE|-", help="A spec; - for standard input.")
    ],
) -> None:
    """Check a compatibility spec; errors name line and column.

    Exit codes: 0 valid, 2 invalid or unreadable.
    """
    from app.cli.output import (  # noqa: PLC0415 - fast --help
        BAD_INPUT,
        located,
        read_input,
    )
    from app.compat import parse  # noqa: PLC0415
    from app.errors import SpecError  # noqa: PLC0415

    content = read_input(file)
    try:
        spec = parse.read_for_admission(content)
    except SpecError as error:
        typer.echo(located(error, file), err=True)
        raise typer.Exit(BAD_INPUT) from error
    sets = len(spec.compatibilities)
    rules = sum(len(one.rules) for one in spec.compatibilities)
    typer.echo(f"{file}: valid: {_count(sets, 'set')}, {_count(rules, 'rule')}")


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
