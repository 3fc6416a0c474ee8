"""Objects as kubectl prints them, in small."""

from __future__ import annotations

import json
from typing import Any


def node(name: str, **labels: str) -> dict[str, Any]:
    """A Node of a pool, tainted and cordoned if it is called so."""
    spec: dict[str, Any] = {}
    if name.startswith("tainted"):
        spec["taints"] = [{"key": "gpu", "effect": "NoSchedule"}]
    if name.startswith("cordoned"):
        spec["unschedulable"] = True
    metadata = {"name": name, "labels": {"kubernetes.io/os": "linux", **labels}}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec}


def features(**attributes: str) -> dict[str, Any]:
    """Features with one attribute feature, `kernel.version`."""
    return {"attributes": {"kernel.version": {"elements": attributes}}}


def node_feature(
    node: str,
    content: dict[str, Any],
    *,
    name: str | None = None,
    namespace: str = "node-feature-discovery",
) -> dict[str, Any]:
    """A NodeFeature; nfd-worker's own without another name."""
    return {
        "apiVersion": "nfd.k8s-sigs.io/v1alpha1",
        "kind": "NodeFeature",
        "metadata": {
            "name": node if name is None else name,
            "namespace": namespace,
            "labels": {"nfd.node.kubernetes.io/node-name": node},
        },
        "spec": {"features": content},
    }


def listed(*items: dict[str, Any], kind: str = "List") -> dict[str, Any]:
    """A List as `kubectl get -o json` prints it."""
    return {"apiVersion": "v1", "kind": kind, "items": list(items)}


def text(content: Any) -> str:
    """JSON, indented as kubectl's."""
    return json.dumps(content, indent=4)
