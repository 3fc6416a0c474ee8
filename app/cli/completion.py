"""`imagecompat completion`: prints a script by which a shell completes commands."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.frame.shells import SCRIPTS, Shell


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("completion")(completion)


def completion(
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
) -> None:
    """Print a script that completes commands in your shell.

    It completes commands, options, their values and names of files. For bash it goes
    into ~/.bashrc, for fish into a file of ~/.config/fish/completions, for zsh into a
    file _imagecompat along $fpath.

    Examples:
      source <(imagecompat completion bash)
      imagecompat completion zsh > "${fpath[1]}/_imagecompat"
      imagecompat completion fish > ~/.config/fish/completions/imagecompat.fish

    Exit codes: 0 printed, 2 bad input.
    """
    typer.echo(SCRIPTS[shell], nl=False)
