"""The nodes that a command is pointed at, wherever they are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.cli.nodes.known import KnownNodes
    from app.cli.nodes.options import NodesFrom


async def find(asked: NodesFrom, *, else_host: bool = False) -> KnownNodes:
    """Files, this host or a cluster, as the options say.

    Args:
        asked: the options.
        else_host: whether this host is meant where no option says anything; else
            the cluster is.

    Raises:
        ConfigError: something cannot be read, or a node is not there.
        ClusterError: the API server gave no usable answer.
    """
    if is_here(asked, else_host=else_host):
        return here(asked)
    from app.cli.nodes import of_cluster  # noqa: PLC0415 - slow, and not always asked

    wanted = of_cluster.Wanted(
        names=tuple(dict.fromkeys(asked.names or ())),
        selector=asked.selector,
        namespaces=tuple(asked.nfd_namespaces or of_cluster.NFD_NAMESPACES),
    )
    return await of_cluster.read(
        wanted, kubeconfig=asked.kubeconfig, context=asked.context
    )


def find_now(
    asked: NodesFrom, *, else_host: bool = False, quiet: bool = False
) -> KnownNodes:
    """As `find`, for who has nothing else to wait for; tells of waiting.

    Args:
        asked: the options.
        else_host: as for `find`.
        quiet: tell nothing.

    Raises:
        ImagecompatError: as for `find`.
    """
    if is_here(asked, else_host=else_host):
        return here(asked)
    import asyncio  # noqa: PLC0415 - slow, and not always asked
    import sys  # noqa: PLC0415

    from app.cli.progress import Meter  # noqa: PLC0415

    with Meter(sys.stderr, quiet=quiet) as told:
        told("reading nodes of the cluster", 0, 1)
        return asyncio.run(find(asked))


def is_here(asked: NodesFrom, *, else_host: bool = False) -> bool:
    """Whether no cluster needs to be asked."""
    if asked.files or asked.root is not None:
        return True
    return else_host and not asked.is_of_cluster


def here(asked: NodesFrom) -> KnownNodes:
    """Of files or of this host: without waiting for anything.

    Raises:
        ConfigError: as for `find`.
    """
    if not asked.files:
        from app.cli.nodes import of_host  # noqa: PLC0415 - not always asked

        return of_host.read(asked.root or Path("/"))
    from app.cli.nodes import reading, selecting  # noqa: PLC0415 - not always asked

    known = reading.read(asked.files, namespaces=asked.nfd_namespaces or ())
    return selecting.select(known, names=asked.names, selector=asked.selector)
