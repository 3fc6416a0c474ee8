"""A cluster in memory: implements the port that `kube` implements for real."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.admission.policy import MODE_KEY
from app.compat.features import Features
from app.ports import Namespace, Snapshot
from app.scheduling.node import Node

NAMESPACES: Final = {"default": None, "staging": "warn", "lab": "audit"}
"""Name -> mode by label; `None` for the default."""


class MemoryCluster:
    """Nodes, features and namespaces that change only when told to."""

    def __init__(
        self, nodes: Mapping[str, Node], features: Mapping[str, Features]
    ) -> None:
        self._snapshot = Snapshot(nodes=dict(nodes), features=dict(features))

    def snapshot(self) -> Snapshot:
        """The newest view."""
        return self._snapshot

    def stale_seconds(self) -> float:
        """Always 0: nothing happens behind our back."""
        return 0.0

    async def namespace(
        self, name: str, *, deadline_seconds: float
    ) -> Namespace | None:
        """One of `NAMESPACES`."""
        del deadline_seconds
        if name not in NAMESPACES:
            return None
        mode = NAMESPACES[name]
        return Namespace(name, {MODE_KEY: mode} if mode else {})

    def problems(self) -> tuple[str, ...]:
        """None, ever."""
        return ()
