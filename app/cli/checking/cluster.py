"""The cluster that the checker asks about: nodes that were read, once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.ports import Namespace, Snapshot


class KnownCluster:
    """Implements `ports.Cluster`; nothing changes behind our back.

    Args:
        snapshot: the nodes and what is published of them.
        namespaces: Namespace -> its labels; one that is not there has none.
    """

    def __init__(
        self, snapshot: Snapshot, namespaces: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._snapshot: Final = snapshot
        self._namespaces: Final = namespaces

    def snapshot(self) -> Snapshot:
        """See `ports.Cluster`."""
        return self._snapshot

    def stale_seconds(self) -> float:
        """See `ports.Cluster`; it was read a moment ago, or is what was meant."""
        return 0.0

    async def namespace(
        self, name: str, *, deadline_seconds: float
    ) -> Namespace | None:
        """See `ports.Cluster`."""
        del deadline_seconds
        return Namespace(name, self._namespaces.get(name, {}))
