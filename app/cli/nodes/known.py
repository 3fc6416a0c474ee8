"""Nodes, their features, and where both come from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.compat.features import Features
from app.host.tree import Unread
from app.scheduling.node import Node, platform_of
from app.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class KnownNodes:
    """Nodes that a command was pointed at.

    Attributes:
        snapshot: the nodes, and what is published of them; see `ports.Snapshot`.
        origin: for a person: `cluster kind`, `nodes.json`, `this host`.
        notes: what a person should know besides: what could not be read. What is
            not known of labels is none of these: see `on_labels`.
        inferred: names of nodes of which only features are known, and whose labels
            are concluded from those.
        as_read: of the one host that was looked at, the features as NFD's own client
            prints them; see `host.discovery.Discovery`.
        unread: of that host, what could not be read; see there.
    """

    snapshot: Snapshot
    origin: str
    notes: tuple[str, ...] = ()
    inferred: frozenset[str] = frozenset()
    as_read: Features | None = None
    unread: tuple[Unread, ...] = ()


def named(names: Iterable[str], most: int = 3) -> str:
    """Some names in few words: `a, b, c and 4 more`."""
    return few(sorted(names), most)


def few(names: Sequence[str], most: int = 3) -> str:
    """The first of them in few words; see `named`."""
    text = ", ".join(names[:most])
    more = len(names) - most
    return f"{text} and {more:,} more" if more > 0 else text


def on_labels(nodes: Mapping[str, Node], inferred: Iterable[str]) -> Iterator[str]:
    """Notes on nodes of which only features are known, or not even the platform.

    They are for who judges images, or taints: a spec asks for neither.

    Args:
        nodes: all of them, by name.
        inferred: see `KnownNodes`.
    """
    without = {name for name, node in nodes.items() if platform_of(node) is None}
    only_features = set(inferred) & nodes.keys()
    if told := only_features - without:
        yield (
            f"labels of {named(told)} are not known: platform taken from features, "
            "no taints"
        )
    if without:
        yield (
            f"platform of {named(without)} is not known, told neither by labels nor by "
            "features: images with a spec are unknown there; add the Node manifests "
            "(kubectl get nodes -o yaml), or export again with a newer tool"
        )
