"""`imagecompat check`: will these workloads run on those nodes."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.checking.options import What, with_what
from app.cli.nodes.options import NodesFrom, with_nodes
from app.cli.reports.formats import ReportFormat
from app.cli.specs.options import Reach, with_options


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("check")(with_options(with_nodes(with_what(check))))


def check(
    objects: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TYPE/NAME",
            help="Objects of the cluster: deploy/web, pod/web-0, cronjob.batch/dump.",
            show_default=False,
        ),
    ] = None,
    *,
    what: What,
    output: Annotated[
        ReportFormat, typer.Option("--output", "-o", help="How to print.")
    ] = ReportFormat.TABLE,
    every_node: Annotated[
        bool, typer.Option("--every-node", help="A line for each node.")
    ] = False,
    nodes_from: NodesFrom,
    reach: Reach,
) -> None:
    """Check whether workloads will run on the nodes that there are.

    The verdict is the webhook's own, with --settings by its settings.

    Examples:
      imagecompat check -f deploy.yaml
      helm template chart | imagecompat check -f -
      imagecompat check -f deploy.yaml --nodes now.json --what-if upgraded.json
      imagecompat check deploy/web -n shop --explain node-1

    Exit codes: 0 every workload fits, 1 one does not, 2 bad input, 3 not known. With
    --what-if: 1 if something breaks that fits now.
    """
    import asyncio  # noqa: PLC0415 - fast --help

    from app.cli.checking import command  # noqa: PLC0415
    from app.cli.checking.typed import Wanted  # noqa: PLC0415

    wanted = Wanted(
        objects=tuple(objects or ()),
        what=what,
        output=output,
        every_node=every_node,
        nodes=nodes_from,
        reach=reach,
    )
    result = asyncio.run(command.run(wanted))
    typer.echo(result.text, nl=False)
    raise typer.Exit(result.code)
