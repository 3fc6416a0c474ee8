"""Options that the commands on the specs of images share.

A command takes one `reach` and says nothing more about it: `with_options` gives it
the options, and puts what was typed into a `Reach`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from app.cli.option_groups import spread
from app.errors import ConfigError

_REGISTRY: Final = "Registry"
_CREDENTIALS: Final = "Credentials"


class Format(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How registries are reached, and how much is said on the way."""

    plain_http: Annotated[
        bool,
        typer.Option(
            "--plain-http",
            help="Speak HTTP with the registries that are named.",
            rich_help_panel=_REGISTRY,
        ),
    ] = False
    ca_file: Annotated[
        Path | None,
        typer.Option(
            help="PEM bundle of authorities to trust besides the system's.",
            rich_help_panel=_REGISTRY,
        ),
    ] = None
    client_certificate: Annotated[
        Path | None,
        typer.Option(
            help="PEM file with a client certificate; with --client-key.",
            rich_help_panel=_REGISTRY,
        ),
    ] = None
    client_key: Annotated[
        Path | None,
        typer.Option(help="PEM file with its key.", rich_help_panel=_REGISTRY),
    ] = None
    token_server: Annotated[
        list[str] | None,
        typer.Option(
            help="Another host that gives tokens for these registries; repeatable.",
            rich_help_panel=_REGISTRY,
        ),
    ] = None
    settings: Annotated[
        Path | None,
        typer.Option(
            help="A webhook's settings file, for its section registry.",
            rich_help_panel=_REGISTRY,
        ),
    ] = None
    docker_config: Annotated[
        Path | None,
        typer.Option(
            help="Else $DOCKER_CONFIG/config.json, ~/.docker/config.json.",
            rich_help_panel=_CREDENTIALS,
        ),
    ] = None
    registry_username: Annotated[
        str,
        typer.Option(
            help="With --registry-password-stdin.", rich_help_panel=_CREDENTIALS
        ),
    ] = ""
    registry_password_stdin: Annotated[
        bool,
        typer.Option(
            "--registry-password-stdin",
            help="Read its password from standard input.",
            rich_help_panel=_CREDENTIALS,
        ),
    ] = False
    registry_token_stdin: Annotated[
        bool,
        typer.Option(
            "--registry-token-stdin",
            help="Read a token for the registry from standard input.",
            rich_help_panel=_CREDENTIALS,
        ),
    ] = False
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress on standard error.")
    ] = False

    def check(self) -> None:
        """Raises `ConfigError` where options exclude each other, or need another."""
        both = self.registry_password_stdin and self.registry_token_stdin
        rules = (
            (both, "--registry-password-stdin and --registry-token-stdin: only one"),
            (
                bool(self.registry_username) != self.registry_password_stdin,
                "--registry-username and --registry-password-stdin: both or none",
            ),
            (
                (self.client_certificate is None) != (self.client_key is None),
                "--client-certificate and --client-key: both or none",
            ),
        )
        for is_wrong, text in rules:
            if is_wrong:
                raise ConfigError("InvalidOptions", f"{text} can be given")


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options of `Reach` instead of its argument `reach`."""
    return spread(command, "reach", Reach)


Output = Annotated[Format, typer.Option("--output", "-o", help="How to print.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")
]
PlatformOption = Annotated[
    str | None,
    typer.Option("--platform", help="One of an index: linux/arm64."),
]
