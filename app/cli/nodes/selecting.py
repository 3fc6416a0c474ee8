"""Some of the nodes that are known: by name, or by their labels."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from app.cli.nodes.known import KnownNodes
from app.errors import ConfigError
from app.scheduling.node import Node
from app.snapshot import Snapshot

NO_SUCH_NODE = "NoSuchNode"


def select(
    known: KnownNodes, *, names: Sequence[str] | None, selector: str | None
) -> KnownNodes:
    """The nodes of these names, and with these labels.

    Args:
        known: all of them.
        names: `None` for any.
        selector: as for `kubectl -l`; `None` for any.

    Raises:
        ConfigError: a name that is not known, a selector that cannot be read or
            selects nothing.
    """
    nodes = known.snapshot.nodes
    if names:
        require(names, nodes, known.origin)
        nodes = {name: nodes[name] for name in sorted(set(names))}
    if selector is not None:
        from app.scheduling import selector as selectors  # noqa: PLC0415 - seldom

        tests = [selectors.as_test(one) for one in selectors.parse(selector)]
        nodes = {
            name: node
            for name, node in nodes.items()
            if all(test is not None and test(node) for test in tests)
        }
        refuse_none(nodes, selector)
    if nodes is known.snapshot.nodes:
        return known
    snapshot = _of(known.snapshot, nodes)
    return replace(known, snapshot=snapshot, inferred=known.inferred & nodes.keys())


def require(names: Sequence[str], known: Collection[str], origin: str) -> None:
    """Raises `ConfigError` for names that are not among those that are known."""
    absent = sorted(set(names) - set(known))
    if absent:
        text = f"{origin}: no such node: {', '.join(absent)}"
        raise ConfigError(NO_SUCH_NODE, text)


def refuse_none(nodes: Collection[object], selector: str) -> None:
    """Raises `ConfigError` if no node is left."""
    if not nodes:
        raise ConfigError(NO_SUCH_NODE, f"no node has the labels {selector!r}")


def _of(snapshot: Snapshot, nodes: Mapping[str, Node]) -> Snapshot:
    features = {name: one for name, one in snapshot.features.items() if name in nodes}
    return Snapshot(nodes, features, snapshot.generation)
