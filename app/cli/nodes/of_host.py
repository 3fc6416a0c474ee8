"""The host that we run on, or one whose files are below a folder, as a node."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Final

from app.cli.nodes import inferred
from app.cli.nodes.known import KnownNodes
from app.errors import ConfigError
from app.host.discovery import NODE_NAME, discover
from app.host.tree import Tree, Unread
from app.snapshot import Snapshot

NO_FOLDER: Final = "UnreadableInput"
MAX_NOTES: Final = 8
"""Lines about what could not be read; how many more there are is another one."""

_NAME: Final = "/etc/hostname"


def read(root: Path = Path("/")) -> KnownNodes:
    """One node with the features that nfd-worker would publish.

    It has the name that `NODE_NAME` holds, as a Job on a node is given it, else the
    host's.

    Args:
        root: where the host's files are.

    Raises:
        ConfigError: `root` is no folder; reason `UnreadableInput`.
    """
    if not os.path.isdir(root):  # noqa: PTH112 - raises nothing, whatever it is
        raise ConfigError(NO_FOLDER, f"{root}: not a folder")
    found = discover(root)
    name = os.environ.get(NODE_NAME) or _host_name(Tree(root))
    node = inferred.node(name, found.features)
    return KnownNodes(
        Snapshot(nodes={name: node}, features={name: found.features}),
        "this host" if root == Path("/") else f"the host below {root}",
        notes(found.unread),
        frozenset({name}),
        as_read=found.as_read,
    )


def _host_name(tree: Tree) -> str:
    if tree.is_live:
        return platform.node()
    named = (tree.text(_NAME) or "").strip()
    return named or tree.root.absolute().name


def notes(unread: tuple[Unread, ...]) -> tuple[str, ...]:
    """What could not be read, for a person."""
    told = [f"{each.path}: {each.why}" for each in unread[:MAX_NOTES]]
    if len(unread) > MAX_NOTES:
        told.append(f"and {len(unread) - MAX_NOTES} others could not be read")
    return tuple(told)
