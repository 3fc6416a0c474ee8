"""What `/readyz` is told."""

from __future__ import annotations

from typing import Protocol

from app.kube.cluster import KubeCluster


class Health(Protocol):
    """Says whether reviews can be judged."""

    def problems(self) -> tuple[str, ...]:
        """What keeps us from being ready; empty when ready."""
        ...


class Readiness:
    """Ready after the first full sync, and then for good."""

    def __init__(self, cluster: KubeCluster) -> None:
        self._cluster = cluster

    def problems(self) -> tuple[str, ...]:
        """What the first sync still lacks."""
        return () if self._cluster.ready() else self._cluster.problems()


class AlwaysReady:
    """A cluster in memory needs no sync."""

    def problems(self) -> tuple[str, ...]:
        """None, ever."""
        return ()
