"""`imagecompat status`: how an installed webhook is, and what is wrong with it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from app.cli.installed.survey import Survey

_IDLE_SECONDS: Final = 20.0
"""A Pod that hangs lets the API server hang."""


class Output(StrEnum):
    """How it is printed."""

    TABLE = "table"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("status")(status)


def status(
    *,
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="Where it is installed.")
    ] = "imagecompat",
    release: Annotated[
        str, typer.Option(help="Name of the Helm release.")
    ] = "imagecompat",
    url: Annotated[
        str | None,
        typer.Option(help="Ask one replica's status port instead of the cluster."),
    ] = None,
    nodes: Annotated[
        bool, typer.Option("--nodes", help="Name the nodes without features.")
    ] = False,
    nodes_ignore: Annotated[
        str | None,
        typer.Option(help="But not those with these labels; else cluster.nodesIgnore."),
    ] = None,
    output: Annotated[
        Output, typer.Option("--output", "-o", help="How to print it.")
    ] = Output.TABLE,
    kubeconfig: Annotated[
        Path | None,
        typer.Option(help="Else $KUBECONFIG, ~/.kube/config, the Pod's account."),
    ] = None,
    context: Annotated[str | None, typer.Option(help="Context of that file.")] = None,
) -> None:
    """Show how an installed webhook is, problems first.

    Modes, nodes, certificate and decisions of every replica. Reads with your own
    rights: Pods and their /statusz, the webhook configurations, Namespaces' labels,
    names of NodeFeatures.

    Examples:
      imagecompat status
      imagecompat status --nodes -o json

    Exit codes: 0 healthy, 1 problems, 2 bad input, 3 could not see everything.
    """
    import asyncio  # noqa: PLC0415 - fast --help

    wanted = _Wanted(namespace, release, nodes=nodes, ignore=nodes_ignore)
    look = _at(url) if url is not None else _in_cluster(wanted, kubeconfig, context)
    raise typer.Exit(show(asyncio.run(look), output))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is looked at; see `survey`."""

    namespace: str
    name: str
    nodes: bool
    ignore: str | None


async def _at(url: str) -> Survey:
    from app.cli.installed import port  # noqa: PLC0415 - fast --help

    return await port.read(url)


async def _in_cluster(
    wanted: _Wanted, kubeconfig: Path | None, context: str | None
) -> Survey:
    from app.cli.installed import asking  # noqa: PLC0415 - fast --help
    from app.cli.installed.survey import survey  # noqa: PLC0415

    async with asking.opened(
        kubeconfig=kubeconfig, context=context, idle_seconds=_IDLE_SECONDS
    ) as api:
        return await survey(
            api,
            namespace=wanted.namespace,
            name=wanted.name,
            nodes=wanted.nodes,
            ignore=wanted.ignore,
        )


def show(survey: Survey, output: Output) -> int:
    """Prints it; the exit status."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from app.cli.installed import document, printing, problems  # noqa: PLC0415
    from app.cli.output import (  # noqa: PLC0415
        COULD_NOT_FIND_OUT,
        DOES_NOT_FIT,
        FITS,
        want_colour,
    )

    found = problems.find(survey, datetime.now(UTC))
    unread = problems.unread(survey)
    if output is Output.JSON:
        typer.echo(document.of(survey, found, unread))
    else:
        printing.render(survey, found, unread, colour=want_colour(), file=sys.stdout)
    if found:
        return DOES_NOT_FIT
    return COULD_NOT_FIND_OUT if unread else FITS
