"""Loads commands; typer comes in here, and nowhere before.

typer takes four times as long to import as Python to start, so that whatever can be
answered without it is: see `app.cli.frame.running`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final

import typer
from typer.core import TyperCommand
from typer.main import get_command

from app.cli.commands import COMMANDS, Row
from app.cli.frame.helping import Page

_SETTINGS: Final = {"help_option_names": ["-h", "--help"]}


def whole() -> typer.Typer:
    """All commands in one application: for tests, and pages made from the code."""
    app = _empty()
    for one in COMMANDS:
        _register(one, app)
    return app


def load(row: Row) -> TyperCommand:
    """One command, ready to be run; no other is imported."""
    app = _empty()
    _register(row, app)
    command = get_command(app)
    if not isinstance(command, TyperCommand):
        raise TypeError(f"{row.module} registers more than {row.name}")
    return command


def _empty() -> typer.Typer:
    return typer.Typer(
        name="imagecompat",
        add_completion=False,  # ours: see `completing`
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # takes longer to import than all else together
        context_settings=_SETTINGS,
    )


def _register(row: Row, app: typer.Typer) -> None:
    import_module(row.module).register(app)
    app.registered_commands[-1].cls = Page
    app.registered_commands[-1].context_settings = _SETTINGS
