"""The nodes and what is known of them, at one moment.

`ports` is what a review needs from outside; this is the part of it that whoever looks
at nodes only needs, and which is quick to import.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.compat.features import Features
from app.scheduling.node import Node


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One consistent view of the cluster; never changes.

    Attributes:
        nodes: name -> Node.
        features: name -> what the trusted NodeFeature objects of that node say,
            merged as nfd-master does. A node is absent here while the object
            that nfd-worker itself writes (name = node name) is missing,
            whatever other objects say of it: nothing is known of it.
        generation: grows with every change; equal generations, equal content.
    """

    nodes: Mapping[str, Node] = field(default_factory=dict)
    features: Mapping[str, Features] = field(default_factory=dict)
    generation: int = 0
