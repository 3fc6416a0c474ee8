"""What is said of options and arguments that cannot be used: one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from typer.core import TyperCommand


def line(error: typer.TyperException, command: TyperCommand) -> str:
    """One line about a usage error of typer's, the command's name first.

    Args:
        error: as typer raised it.
        command: that was asked for.
    """
    return f"{command.name}: {_said(error)}{_hint(error)}"


def name(parameter: Any) -> str:  # noqa: ANN401 - typer exports no class for it
    """How a person knows a parameter: `--output`, or an argument's name."""
    if parameter.param_type_name == "option":
        return str(max(parameter.opts, key=len))
    return str(parameter.metavar or parameter.name.upper())


def _said(error: typer.TyperException) -> str:
    parameter = getattr(error, "param", None)
    if isinstance(error, typer.BadParameter) and error.message and parameter:
        return f"{name(parameter)}: {error.message}"
    text = " ".join(error.format_message().split()).partition(" (Possible ")[0]
    return text[:1].lower() + text[1:].removesuffix(".")


def _hint(error: typer.TyperException) -> str:
    near = getattr(error, "possibilities", None)
    return f"; did you mean {' or '.join(sorted(near))}?" if near else ""
