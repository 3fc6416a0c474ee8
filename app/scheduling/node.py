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


def platform_of(node: Node) -> tuple[str, str] | None:
    """`(os, architecture)` of a node in Go's words; `None` if it is not labelled.

    The kubelet sets both labels. The `beta.` ones are those of nodes that
    registered before Kubernetes 1.14.
    """
    found = _label(node, "os"), _label(node, "arch")
    return found if all(found) else None


def os_of(node: Node) -> str:
    """The node's operating system (`linux`); `""` if it is not labelled."""
    return _label(node, "os")


def _label(node: Node, name: str) -> str:
    stable = node.labels.get(f"kubernetes.io/{name}", "")
    return stable or node.labels.get(f"beta.kubernetes.io/{name}", "")
