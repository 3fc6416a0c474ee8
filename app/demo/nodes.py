"""The demo's hosts: what the scheduler sees of them, beside what NFD publishes.

The features are in `data/hosts/`, composed from what NFD v0.19 publishes on real
distributions and hardware. One node more, `just-joined`, has no NodeFeature yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Final

import msgspec

from app.compat import features
from app.compat.features import Features
from app.scheduling.node import Node, Taint

_GPU: Final = Taint("nvidia.com/gpu", "present", "NoSchedule")
_EDGE: Final = Taint("edge", "true", "NoSchedule")
_NEW: Final = Taint("burn-in", "true", "NoSchedule")

UNKNOWN_NODE: Final = "just-joined"


def recorded() -> dict[str, Features]:
    """Host name -> its features."""
    folder = resources.files("app.demo") / "data" / "hosts"
    return {
        entry.name.removesuffix(".json"): features.from_json(
            msgspec.json.decode(entry.read_bytes())
        )
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
    }


def nodes(known: Mapping[str, Features]) -> dict[str, Node]:
    """A Node for each host, and one of which nothing is known."""
    return {name: _node(name) for name in (*known, UNKNOWN_NODE)}


def _node(name: str) -> Node:
    gpu = name in {"amzn2023-eks-p5", "ubuntu2404-metal-h100"}
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "arm64" if "graviton" in name else "amd64",
        "pool": "gpu" if gpu else "new" if name == UNKNOWN_NODE else "general",
    }
    taints = tuple(
        taint
        for taint, holds in (
            (_GPU, gpu),
            (_EDGE, "edge" in name),
            (_NEW, name == UNKNOWN_NODE),
        )
        if holds
    )
    return Node(name, labels=labels, taints=taints)
