"""What was typed of `validate-node`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.cli.nodes.options import NodesFrom
from app.cli.specs.options import Reach

_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
"""A machine as the kernel calls it -> as images do."""


class NodeFormat(StrEnum):
    """How the answer is printed."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    NFD_JSON = "nfd-json"
    NFD_TABLE = "nfd-table"
    JUNIT = "junit"
    HTML = "html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """All of it.

    Attributes:
        spec: a file; `None` if an image is named.
        image: whose spec counts.
        platform: of an index.
        tags: only sets with one of these; empty for all.
        output: how to print.
        every_node: a line for each node, of a table.
        nodes: which.
        reach: how registries are reached, and how much is said.
    """

    spec: str | None
    image: str | None
    platform: str | None
    tags: tuple[str, ...]
    output: NodeFormat
    every_node: bool
    nodes: NodesFrom
    reach: Reach

    @property
    def name(self) -> str:
        """Of what is judged."""
        return self.image or ("standard input" if self.spec == "-" else self.spec or "")


def platform_of(typed: str | None) -> str | None:
    """`--platform` as NFD reads it: `linux` is of this host's architecture."""
    if not typed or "/" in typed:
        return typed or None
    import platform  # noqa: PLC0415 - needed by this alone

    machine = platform.machine()
    return f"{typed}/{_ARCHITECTURES.get(machine, machine)}"


def tags_of(typed: Sequence[str]) -> tuple[str, ...]:
    """`--tags` as NFD reads them: commas separate, and an empty text is no tag."""
    return tuple(tag for one in typed if one for tag in one.split(","))
