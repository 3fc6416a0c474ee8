"""Doubles of both ports that change when told to, and specs to put into them."""

import asyncio
import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from app.compat.features import Features
from app.ports import (
    NOBODY,
    Found,
    ImageOutcome,
    Namespace,
    Platform,
    Puller,
    Resolved,
    Snapshot,
)
from app.scheduling.node import Node

LINUX = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
ARM = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64"}
AMD64 = Platform("linux", "amd64")
ARM64 = Platform("linux", "arm64")


def found(spec: str) -> Found:
    """An artifact that carries `spec`."""
    digest = "sha256:" + hashlib.sha256(spec.encode()).hexdigest()
    return Found("sha256:a", "sha256:s", digest, spec.encode())


def resolved(spec: str) -> Resolved:
    """A single manifest that carries `spec`."""
    return Resolved("sha256:" + "d" * 64, {AMD64: found(spec), ARM64: found(spec)})


def wants_module(name: str) -> str:
    """A spec that asks for a loaded kernel module."""
    return f"""\
version: v1alpha1
compatibilities:
- rules:
  - name: needs {name}
    matchFeatures:
    - feature: kernel.loadedmodule
      matchExpressions:
        {name}: {{op: Exists}}
"""


@dataclass
class FakeArtifacts:
    """Images by name; what is not there hangs until the deadline."""

    images: dict[str, ImageOutcome] = field(default_factory=dict)
    asked: list[tuple[str, tuple[Platform, ...]]] = field(default_factory=list)
    pullers: list[Puller] = field(default_factory=list)
    error: Exception | None = None

    def at_hand(
        self, image: str, platforms: Collection[Platform], puller: Puller = NOBODY
    ) -> ImageOutcome | None:
        del image, platforms
        self.pullers.append(puller)
        return None

    async def find(
        self,
        image: str,
        platforms: Collection[Platform],
        *,
        deadline_seconds: float,
        puller: Puller = NOBODY,
    ) -> ImageOutcome:
        self.pullers.append(puller)
        self.asked.append((image, tuple(sorted(platforms))))
        assert deadline_seconds > 0
        if self.error is not None:
            raise self.error
        await asyncio.sleep(0)
        return self.images[image]


@dataclass
class FakeCluster:
    """Nodes that change when told to."""

    nodes: dict[str, Node] = field(default_factory=dict)
    features: dict[str, Features] = field(default_factory=dict)
    namespaces: dict[str, Mapping[str, str]] = field(
        default_factory=lambda: {"default": {}}
    )
    stale: float = 0.0
    generation: int = 0

    def snapshot(self) -> Snapshot:
        return Snapshot(dict(self.nodes), dict(self.features), self.generation)

    def stale_seconds(self) -> float:
        return self.stale

    async def namespace(
        self, name: str, *, deadline_seconds: float
    ) -> Namespace | None:
        assert deadline_seconds > 0
        labels = self.namespaces.get(name)
        return None if labels is None else Namespace(name, labels)

    def add(
        self,
        name: str,
        *modules: str,
        labels: Mapping[str, str] | None = None,
        known: bool = True,
    ) -> None:
        """Adds a node with kernel modules; without `known`, nothing is known."""
        self.nodes[name] = Node(name, labels=LINUX if labels is None else labels)
        if known:
            self.features[name] = Features(
                flags={"kernel.loadedmodule": frozenset(modules)}
            )
