"""Options that the commands on the specs of images share.

A command takes one `reach` and says nothing more about it: `with_options` gives it
the options, and puts what was typed into a `Reach`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Final, get_type_hints

import typer

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
    own = inspect.signature(command, eval_str=True)
    kinds = get_type_hints(Reach, include_extras=True)
    added = [
        inspect.Parameter(
            one.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=one.default,
            annotation=kinds[one.name],
        )
        for one in fields(Reach)
    ]

    @wraps(command)
    def called(**given: Any) -> None:  # noqa: ANN401 - what typer read
        reach = Reach(**{one.name: given.pop(one.name) for one in fields(Reach)})
        reach.check()
        command(reach=reach, **given)

    kept = [one for name, one in own.parameters.items() if name != "reach"]
    merged = own.replace(parameters=[*kept, *added])
    called.__dict__["__signature__"] = merged  # what `inspect.signature` looks for
    return called


Output = Annotated[Format, typer.Option("--output", "-o", help="How to print.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be done; write nothing.")
]
PlatformOption = Annotated[
    str | None,
    typer.Option("--platform", help="One of an index: linux/arm64."),
]
