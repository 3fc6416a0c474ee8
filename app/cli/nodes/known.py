"""Nodes, their features, and where both come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.compat.features import Features
from app.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class KnownNodes:
    """Nodes that a command was pointed at.

    Attributes:
        snapshot: the nodes, and what is published of them; see `ports.Snapshot`.
        origin: for a person: `cluster kind`, `nodes.json`, `this host`.
        notes: what a person should know besides: what could not be read.
        inferred: names of nodes of which only features are known, and whose labels
            are concluded from those.
        as_read: of the one host that was looked at, the features as NFD's own client
            prints them; see `host.discovery.Discovery`.
    """

    snapshot: Snapshot
    origin: str
    notes: tuple[str, ...] = ()
    inferred: frozenset[str] = frozenset()
    as_read: Features | None = None


def named(names: Iterable[str], most: int = 3) -> str:
    """Some names in few words: `a, b, c and 4 more`."""
    return few(sorted(names), most)


def few(names: Sequence[str], most: int = 3) -> str:
    """The first of them in few words; see `named`."""
    text = ", ".join(names[:most])
    more = len(names) - most
    return f"{text} and {more:,} more" if more > 0 else text


def note_on_labels(inferred: Iterable[str]) -> str:
    """The note on nodes of which only features are known."""
    return (
        f"labels of {named(inferred)} are not known: platform taken from features, "
        "no taints"
    )
