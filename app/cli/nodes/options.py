"""Options that say which nodes a command judges.

A command takes one `nodes_from` and says nothing more about it: `with_nodes` gives
it the options, and puts what was typed into a `NodesFrom`; `finding.find` gets the
nodes.
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

_NODES: Final = "Nodes"


class ExportFormat(StrEnum):
    """What nodes are written as."""

    JSON = "json"
    """The document that every command reads."""
    NODE_FEATURES = "nodefeatures"
    """NodeFeature objects for kubectl."""
    NFD_JSON = "nfd-json"
    """One node's features, as `nfd export features` prints them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodesFrom:
    """Which nodes, and where they are read.

    Attributes:
        files: exported nodes, features, manifests, folders of them; `-` for stdin.
        names: only these.
        all_nodes: all of a cluster, for a command that means this host without it.
        selector: only those with such labels.
        kubeconfig: a file; `None` for kubectl's own choice.
        context: of that file; `None` for its current one.
        nfd_namespaces: whose NodeFeatures count; the first is NFD's own.
        root: this host's files are below that folder.
    """

    files: Annotated[
        list[str] | None,
        typer.Option(
            "--nodes",
            "--features",
            help="Exported nodes, features as `nfd export features` prints them, "
            "NodeFeature or Node manifests, or a folder of these; repeatable.",
            rich_help_panel=_NODES,
        ),
    ] = None
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--node", help="Only this node; repeatable.", rich_help_panel=_NODES
        ),
    ] = None
    all_nodes: Annotated[
        bool,
        typer.Option(
            "--all-nodes", help="All nodes of the cluster.", rich_help_panel=_NODES
        ),
    ] = False
    selector: Annotated[
        str | None,
        typer.Option(
            "--selector",
            "-l",
            help="Only nodes with these labels, as for kubectl.",
            rich_help_panel=_NODES,
        ),
    ] = None
    kubeconfig: Annotated[
        Path | None,
        typer.Option(
            help="Else $KUBECONFIG, ~/.kube/config, the Pod's account.",
            rich_help_panel=_NODES,
        ),
    ] = None
    context: Annotated[
        str | None,
        typer.Option(help="Context of that file.", rich_help_panel=_NODES),
    ] = None
    nfd_namespaces: Annotated[
        list[str] | None,
        typer.Option(
            "--nfd-namespace",
            help="Where NodeFeatures count, NFD's own first; repeatable. Else "
            "node-feature-discovery; of files without it, all.",
            rich_help_panel=_NODES,
        ),
    ] = None
    root: Annotated[
        Path | None,
        typer.Option(
            help="This host, its files below that folder (a container's /host).",
            rich_help_panel=_NODES,
        ),
    ] = None

    @property
    def is_of_cluster(self) -> bool:
        """Whether only a cluster can be meant, whatever the command's default."""
        if self.files or self.root is not None:
            return False
        named = (self.names, self.selector, self.kubeconfig, self.context)
        return self.all_nodes or any(one is not None for one in named)

    def check(self) -> None:
        """Raises `ConfigError` where options exclude each other."""
        of_cluster = {
            "--all-nodes": self.all_nodes,
            "--kubeconfig": self.kubeconfig is not None,
            "--context": self.context is not None,
        }
        of_many = {
            "--node": bool(self.names),
            "--selector": self.selector is not None,
            "--nfd-namespace": bool(self.nfd_namespaces),
        }
        if self.files:
            _refuse("--nodes", {**of_cluster, "--root": self.root is not None})
        if self.root is not None:
            _refuse("--root", {**of_cluster, **of_many})
        if self.all_nodes:
            _refuse("--all-nodes", {"--node": bool(self.names)})


def _refuse(option: str, others: dict[str, bool]) -> None:
    for other, is_given in others.items():
        if is_given:
            text = f"{option} and {other}: only one can be given"
            raise ConfigError("InvalidOptions", text)


def with_nodes(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options of `NodesFrom` instead of `nodes_from`."""
    return spread(command, "nodes_from", NodesFrom)
