"""`imagecompat validate-node`: do these nodes fit this spec, as NFD sees it."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.nodes.options import NodesFrom, with_nodes
from app.cli.specs.options import PlatformOption, Reach, with_options
from app.cli.validating.options import NodeFormat, Wanted, platform_of, tags_of
from app.errors import ConfigError


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("validate-node")(with_options(with_nodes(validate_node)))


def validate_node(  # noqa: PLR0913 - options
    *,
    spec: Annotated[
        str | None, typer.Option(help="A compatibility spec; - for stdin.")
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            help="Instead: a reference, or oci-layout://FOLDER:TAG, that has one."
        ),
    ] = None,
    platform: PlatformOption = None,
    tags: Annotated[
        list[str] | None,
        typer.Option(help="Only sets with one of these tags; commas separate."),
    ] = None,
    output: Annotated[
        NodeFormat | None,
        typer.Option("--output", "-o", help="How to print; table if nothing is said."),
    ] = None,
    output_json: Annotated[
        bool, typer.Option("--output-json", help="The same as -o nfd-json.")
    ] = False,
    every_node: Annotated[
        bool, typer.Option("--every-node", help="A line for each node.")
    ] = False,
    nodes_from: NodesFrom,
    reach: Reach,
) -> None:
    """Validate a node's features against a compatibility spec.

    The node is this host, unless --nodes names a file, or --node, --all-nodes or -l
    nodes of a cluster. Of several nodes, all must fit.

    An image to which nothing is attached asks for nothing, and fits. Of an index
    without --platform the spec is the index's own, as for NFD.

    Examples:
      imagecompat validate-node --spec spec.yaml
      imagecompat validate-node --image registry.example.com/team/app:1 --all-nodes
      imagecompat validate-node --spec spec.yaml --nodes nodes.json -o json

    Exit codes: 0 all fit, 1 one does not, 2 bad input, 3 could not find out.
    """
    from app.cli.validating import command  # noqa: PLC0415 - fast --help

    if output_json and output not in {None, NodeFormat.NFD_JSON}:
        raise ConfigError("InvalidOptions", "--output-json and -o: only one of them")
    nfd = NodeFormat.NFD_JSON if output_json else NodeFormat.TABLE
    wanted = Wanted(
        spec=spec,
        image=image,
        platform=platform_of(platform),
        tags=tags_of(tags or ()),
        output=output or nfd,
        every_node=every_node,
        nodes=nodes_from,
        reach=reach,
    )
    result = command.run(wanted)
    is_bare = wanted.output is NodeFormat.NFD_JSON
    typer.echo(result.text, nl=is_bare and _is_terminal())
    raise typer.Exit(result.code)


def _is_terminal() -> bool:
    """NFD ends its JSON without an end of line, which a terminal should have."""
    import sys  # noqa: PLC0415

    return sys.stdout.isatty()
