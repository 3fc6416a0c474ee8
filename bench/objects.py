"""Nodes and NodeFeatures as JSON, as the API server stores and sends them.

NodeFeatures come in two sizes: as small as a slim kernel's, without
`managedFields` (`PLAIN`), and with them, in which every key stands again
(`MANAGED`). Sets that nodes share are written once and joined.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, TypeAlias

from app.compat.features import Features
from app.scheduling.node import Node

NAMESPACE: Final = "node-feature-discovery"
Json: TypeAlias = dict[str, Any]
_KINDS: Final = ("flags", "attributes", "instances")


def _dump(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


@cache
def _status() -> bytes:
    """The status of every Node: 50 images and some conditions."""
    images = [
        {
            "names": [
                f"registry.example.com/team-{i:02d}/service@sha256:{i:064x}",
                f"registry.example.com/team-{i:02d}/service:v1.{i}.0",
            ],
            "sizeBytes": 100_000_000 + i,
        }
        for i in range(50)
    ]
    conditions = [
        {
            "type": kind,
            "status": "False",
            "lastHeartbeatTime": "2026-11-21T09:00:00Z",
            "lastTransitionTime": "2026-11-20T09:00:00Z",
            "reason": f"KubeletHas{kind}",
            "message": f"kubelet reports on {kind}",
        }
        for kind in ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready")
    ]
    return _dump({"conditions": conditions, "images": images})


def node(one: Node, *, uid: int = 0) -> bytes:
    """A Node with 50 images in its status, some 13 KB."""
    taints = [
        {"key": taint.key, "value": taint.value, "effect": taint.effect}
        for taint in one.taints
    ]
    spec: Json = {"podCIDR": "10.0.0.0/24", "providerID": f"bench:///{one.name}"}
    content: Json = {
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": {
            "name": one.name,
            "uid": f"{uid:08x}-0000-4000-8000-000000000001",
            "creationTimestamp": "2026-11-20T09:00:00Z",
            "labels": dict(one.labels),
        },
        "spec": {**spec, "taints": taints} if taints else spec,
    }
    return _dump(content)[:-1] + b',"status":' + _status() + b"}"


@dataclass(slots=True)
class NodeFeatures:
    """Writes NodeFeatures.

    Attributes:
        is_managed: whether `metadata.managedFields` is there.
    """

    is_managed: bool = False
    _texts: dict[int, tuple[object, bytes, bytes]] = field(default_factory=dict)

    def write(self, name: str, features: Features, *, version: str = "") -> bytes:
        """The NodeFeature that the worker on the node `name` publishes."""
        spec: list[bytes] = [b',"spec":{"features":{']
        managed: list[bytes] = [b'{"f:spec":{".":{},"f:features":{']
        for kind in _KINDS:
            spec.append(b'"%b":{' % kind.encode())
            managed.append(b'"f:%b":{' % kind.encode())
            sets: Mapping[str, object] = getattr(features, kind)
            for one, elements in sets.items():
                text, keys = self._text(kind, elements)
                spec += (b'"%b":' % one.encode(), text, b",")
                managed += (b'"f:%b":' % one.encode(), keys, b",")
            _end(spec)
            _end(managed)
        metadata = _dump(_metadata(name, version))
        parts = [_HEAD, metadata]
        if self.is_managed:
            parts = [_HEAD, metadata[:-1], _MANAGED, *managed[:-1], b"}}}}]}"]
        return b"".join([*parts, *spec[:-1], b"}}}\n"])

    def _text(self, kind: str, one: object) -> tuple[bytes, bytes]:
        """A set as it is published, and as `managedFields` names its keys."""
        known = self._texts.get(id(one))
        if known is not None and known[0] is one:
            return known[1], known[2]
        elements = _elements(kind, one)
        keys = elements if isinstance(elements, dict) else {}
        named: Json = {".": {}, **{f"f:{key}": {} for key in keys}}
        fields = {".": {}, "f:elements": named}
        made = _dump({"elements": elements}), _dump(fields)
        self._texts[id(one)] = (one, *made)
        return made

    def forget(self) -> None:
        """Drops what was written; for sets that no other node has."""
        self._texts.clear()


_HEAD: Final = (
    b'{"apiVersion":"nfd.k8s-sigs.io/v1alpha1","kind":"NodeFeature","metadata":'
)
_MANAGED: Final = (
    b',"managedFields":[{"apiVersion":"nfd.k8s-sigs.io/v1alpha1","fieldsType":'
    b'"FieldsV1","manager":"nfd-worker","operation":"Update",'
    b'"time":"2026-11-21T09:00:00Z","fieldsV1":'
)


def _end(parts: list[bytes]) -> None:
    """Closes an object: no comma behind its last member, one behind itself."""
    if parts[-1] == b",":
        parts.pop()
    parts += (b"}", b",")


def _metadata(name: str, version: str) -> dict[str, object]:
    metadata: dict[str, object] = {
        "creationTimestamp": "2026-11-20T09:00:00Z",
        "generation": 1,
        "labels": {"nfd.node.kubernetes.io/node-name": name},
        "name": name,
        "namespace": NAMESPACE,
        "uid": "3f0f1a1c-5d1c-4a7e-9a52-0f7c3c1b7a11",
    }
    return {**metadata, "resourceVersion": version} if version else metadata


def _elements(kind: str, one: object) -> object:
    if isinstance(one, frozenset):
        return {key: {} for key in sorted(one)}
    if isinstance(one, Mapping):
        return dict(sorted(one.items()))
    if isinstance(one, tuple):
        return [{"attributes": dict(instance)} for instance in one]
    assert one is None, kind
    return None
