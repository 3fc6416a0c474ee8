"""What the scheduler's filters look at in a Node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint of a Node. `effect` is as written; unknown ones never filter."""

    key: str
    value: str = ""
    effect: str = ""


@dataclass(frozen=True, slots=True)
class Node:
    """A Node, reduced to what decides about candidates.

    Attributes:
        name: `metadata.name`.
        labels: `metadata.labels`.
        taints: `spec.taints`, in order.
        unschedulable: `spec.unschedulable`, the cordon.
    """

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False
