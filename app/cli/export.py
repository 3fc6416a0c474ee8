"""`imagecompat export`: nodes and their features, in a file for other commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.nodes.options import ExportFormat, NodesFrom, with_nodes


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("export")(with_nodes(export))


def export(
    *,
    host: Annotated[
        bool, typer.Option("--host", help="This host instead of a cluster.")
    ] = False,
    output: Annotated[
        ExportFormat,
        typer.Option(
            "--output",
            "-o",
            help="nodefeatures: objects for kubectl; nfd-json: one node, as "
            "`nfd export features` prints it.",
        ),
    ] = ExportFormat.JSON,
    output_file: Annotated[
        Path | None,
        typer.Option(
            "--output-file", "-f", help="Instead of stdout; NAME.gz gets gzip."
        ),
    ] = None,
    anonymize: Annotated[
        bool,
        typer.Option(
            "--anonymize", help="Replace names, serial numbers and unknown values."
        ),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No notes on standard error.")
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", help="Note all that could not be read of this host."
        ),
    ] = False,
    nodes_from: NodesFrom,
) -> None:
    """Export nodes and their features, for the other commands.

    Equal features of many nodes are written once.

    Examples:
      imagecompat export -f nodes.json.gz
      imagecompat export --host -o nfd-json > features.json
      imagecompat export --all-nodes --anonymize -f report.json

    Exit codes: 0 written, 2 bad input, 3 could not find out.
    """
    from app.cli.nodes import finding, writing  # noqa: PLC0415
    from app.cli.nodes.known import on_labels  # noqa: PLC0415
    from app.cli.output import tell_notes  # noqa: PLC0415
    from app.errors import ConfigError  # noqa: PLC0415

    if host and (nodes_from.files or nodes_from.is_of_cluster):
        raise ConfigError("InvalidOptions", "--host: give no other nodes beside it")
    if quiet and verbose:
        raise ConfigError("InvalidOptions", "--quiet and --verbose exclude each other")
    known = finding.find_now(nodes_from, else_host=host, quiet=quiet)
    snapshot, unread = known.snapshot, known.unread
    if anonymize:
        from app.cli.nodes import anonymous  # noqa: PLC0415
        from app.cli.nodes import unread as paths  # noqa: PLC0415

        snapshot, unread = anonymous.anonymize(snapshot), paths.without_names(unread)
    namespaces = nodes_from.nfd_namespaces or ["node-feature-discovery"]
    text = writing.content(
        snapshot,
        output,
        namespace=namespaces[0],
        as_read=None if anonymize else known.as_read,
        unread=unread,
    )
    writing.write(text, output_file)
    if not quiet:
        notes = known.notes
        if verbose and known.unread:
            from app.cli.nodes import of_host  # noqa: PLC0415 - a cluster has none

            notes = of_host.notes(known.unread, every=True)
        if output is ExportFormat.JSON:  # the others have no place for labels
            notes += (*on_labels(known.snapshot.nodes, known.inferred),)
        tell_notes(notes)
