"""Nodes, their features, and where both come from."""

from __future__ import annotations

from dataclasses import dataclass

from app.ports import Snapshot


@dataclass(frozen=True, slots=True)
class KnownNodes:
    """Nodes that a command was pointed at.

    Attributes:
        snapshot: the nodes, and what is published of them; see `ports.Snapshot`.
        origin: for a person: `cluster kind`, `nodes.json`, `this host`.
        notes: what a person should know besides: what could not be read.
        inferred: names of nodes of which only features are known, and whose labels
            are concluded from those.
    """

    snapshot: Snapshot
    origin: str
    notes: tuple[str, ...] = ()
    inferred: frozenset[str] = frozenset()
