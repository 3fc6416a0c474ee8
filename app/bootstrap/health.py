"""What `/readyz` is told."""

from __future__ import annotations

from typing import Protocol

from app.kube.cluster import KubeCluster


class Health(Protocol):
    """Says whether reviews can be judged."""

    def problems(self) -> tuple[str, ...]:
        """What keeps us from being ready; empty when ready."""
        ...

    def warnings(self) -> tuple[str, ...]:
        """What somebody should look at, though we are ready."""
        ...


class Readiness:
    """Ready after the first full sync, and then for good."""

    def __init__(self, cluster: KubeCluster) -> None:
        self._cluster = cluster

    def problems(self) -> tuple[str, ...]:
        """What the first sync still lacks."""
        return () if self._cluster.ready() else self._cluster.problems()

    def warnings(self) -> tuple[str, ...]:
        """What is wrong with watches after the first sync."""
        return self._cluster.problems() if self._cluster.ready() else ()


class AlwaysReady:
    """A cluster in memory needs no sync."""

    def problems(self) -> tuple[str, ...]:
        """None, ever."""
        return ()

    def warnings(self) -> tuple[str, ...]:
        """None, ever."""
        return ()
