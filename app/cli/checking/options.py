"""Options of `check`: what is checked, and on which other nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

import typer

from app.cli.option_groups import spread
from app.errors import ConfigError

_WHAT: Final = "What to check"
_OTHER: Final = "Other nodes"


@dataclass(frozen=True, slots=True, kw_only=True)
class What:
    """What is checked, and on which other nodes.

    Attributes:
        manifests: read from files, folders, `-`.
        recursive: folders of folders, too.
        namespace: of objects, and of manifests that say none.
        every: every workload of the namespace.
        everywhere: every workload of the cluster.
        image: judged by itself.
        spec: `IMAGE=FILE`, or `FILE` to be judged by itself.
        tags: that select sets; commas separate.
        offline: no registry is asked.
        what_if: files of nodes, and `WhatIf`s.
        what_if_only: these nodes replace all others.
        explain: a node that is walked through every spec.
    """

    manifests: Annotated[
        list[str] | None,
        typer.Option(
            "--filename",
            "-f",
            metavar="FILE|FOLDER|-",
            help="Manifests, YAML or JSON; repeatable.",
            rich_help_panel=_WHAT,
        ),
    ] = None
    recursive: Annotated[
        bool,
        typer.Option(
            "--recursive",
            "-R",
            help="Folders of folders, too.",
            rich_help_panel=_WHAT,
        ),
    ] = False
    namespace: Annotated[
        str | None,
        typer.Option(
            "--namespace",
            "-n",
            help="Of objects, and of manifests that name none; else the context's.",
            rich_help_panel=_WHAT,
        ),
    ] = None
    every: Annotated[
        bool,
        typer.Option(
            "--all", help="Every workload of the namespace.", rich_help_panel=_WHAT
        ),
    ] = False
    everywhere: Annotated[
        bool,
        typer.Option(
            "--all-namespaces",
            "-A",
            help="Every workload of the cluster.",
            rich_help_panel=_WHAT,
        ),
    ] = False
    image: Annotated[
        str | None,
        typer.Option(
            help="Judge and rank all nodes for one image, without a workload.",
            rich_help_panel=_WHAT,
        ),
    ] = None
    spec: Annotated[
        list[str] | None,
        typer.Option(
            metavar="IMAGE=FILE|FILE",
            help="Use this spec for that image, asking no registry; repeatable. "
            "A file alone is judged by itself, as --image is.",
            rich_help_panel=_WHAT,
        ),
    ] = None
    tags: Annotated[
        list[str] | None,
        typer.Option(
            help="Only sets with one of these tags; commas separate.",
            rich_help_panel=_WHAT,
        ),
    ] = None
    offline: Annotated[
        bool,
        typer.Option(
            "--offline",
            help="Ask no registry: images without --spec are unknown.",
            rich_help_panel=_WHAT,
        ),
    ] = False
    what_if: Annotated[
        list[str] | None,
        typer.Option(
            "--what-if",
            metavar="FILE|FOLDER",
            help="Put these nodes, or what a WhatIf says, in place; repeatable. "
            "Prints what breaks and what begins to fit.",
            rich_help_panel=_OTHER,
        ),
    ] = None
    what_if_only: Annotated[
        bool,
        typer.Option(
            "--what-if-only",
            help="These nodes replace all others.",
            rich_help_panel=_OTHER,
        ),
    ] = False
    explain: Annotated[
        str | None,
        typer.Option(
            metavar="NODE", help="Walk one node through every spec, rule by rule."
        ),
    ] = None

    def check(self) -> None:
        """Raises `ConfigError` where options exclude each other, or need another."""
        rules = (
            (self.every and self.everywhere, "--all and --all-namespaces: only one"),
            (
                self.everywhere and self.namespace is not None,
                "--all-namespaces and --namespace: only one",
            ),
            (
                self.what_if_only and not self.what_if,
                "--what-if-only without --what-if: only both",
            ),
        )
        for is_wrong, text in rules:
            if is_wrong:
                raise ConfigError("InvalidOptions", f"{text} can be given")


def with_what(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options of `What` instead of its argument `what`."""
    return spread(command, "what", What)
