"""The command line: one module per command, loaded when it is used."""

from __future__ import annotations

import sys
from typing import Final, NoReturn

import typer

from app.cli import (
    attach_spec,
    copy_specs,
    demo,
    list_specs,
    remove_spec,
    selftest,
    serve,
    show_spec,
    status,
    validate_config,
    validate_node,
    validate_spec,
)
from app.cli.output import EXIT_CODES, told
from app.errors import ImagecompatError

app: Final = typer.Typer(
    name="imagecompat",
    help="Image compatibility for Kubernetes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    serve,
    validate_config,
    selftest,
    status,
    demo,
    validate_spec,
    validate_node,
    attach_spec,
    list_specs,
    show_spec,
    remove_spec,
    copy_specs,
):
    command.register(app)


def main() -> NoReturn:
    """Runs the command; errors become one line on stderr and an exit code."""
    try:
        app()
    except ImagecompatError as error:
        print(told(error), file=sys.stderr)  # noqa: T201
        sys.exit(EXIT_CODES[type(error)])
    sys.exit(0)
