"""The host that we run on, or one whose files are below a folder, as a node."""

from __future__ import annotations

import os
import platform
import stat
from collections.abc import Sequence
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
        ConfigError: `root` is no folder, or we may not look; reason
            `UnreadableInput`.
    """
    _require_folder(root)
    found = discover(root)
    name = os.environ.get(NODE_NAME) or _host_name(Tree(root))
    node = inferred.node(name, found.features)
    return KnownNodes(
        Snapshot(nodes={name: node}, features={name: found.features}),
        "this host" if root == Path("/") else f"the host below {root}",
        notes(found.unread),
        frozenset({name}),
        as_read=found.as_read,
        unread=found.unread,
    )


def _require_folder(root: Path) -> None:
    try:
        if stat.S_ISDIR(root.stat().st_mode):
            return
    except OSError as error:
        text = f"{root}: cannot be read: {error.strerror}"
        raise ConfigError(NO_FOLDER, text) from error
    except ValueError:  # a zero byte
        pass
    raise ConfigError(NO_FOLDER, f"{root}: not a folder")


def _host_name(tree: Tree) -> str:
    if tree.is_live:
        return platform.node()
    named = (tree.text(_NAME) or "").strip()
    return named or tree.root.absolute().name


def notes(unread: Sequence[Unread], *, every: bool = False) -> tuple[str, ...]:
    """What could not be read, for a person.

    Args:
        unread: all of it.
        every: whether more than `MAX_NOTES` are wanted.
    """
    told = tuple(f"{each.path}: {each.why}" for each in unread)
    more = len(told) - MAX_NOTES
    if every or more <= 0:
        return told
    others = "other" if more == 1 else "others"
    how = "`imagecompat export --verbose` lists all"
    return (*told[:MAX_NOTES], f"and {more:,} {others} could not be read; {how}")
