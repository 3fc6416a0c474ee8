"""What controllers write about the replicas of a test: status, sets, endpoints.

Nothing is written twice: only what differs from what was written last.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from tests.tools.client import ApiError, Client
from tests.tools.replica import Replica

NODE: Final = "node-of-the-tests"
HASH: Final = "pod-template-hash"


def digest(template: Mapping[str, Any]) -> str:
    """Names a Pod template."""
    text = json.dumps(template, sort_keys=True).encode()
    return hashlib.sha256(text).hexdigest()[:10]


def wanted_replicas(deployment: Mapping[str, Any]) -> int:
    """How many a Deployment asks for."""
    found: int = deployment["spec"].get("replicas", 1)
    return found


def pod_path(namespace: str, name: str) -> str:
    """Of a Pod."""
    return f"/api/v1/namespaces/{namespace}/pods/{name}"


def condition(kind: str, *, is_true: bool, reason: str) -> dict[str, str]:
    """One condition of a status."""
    status = "True" if is_true else "False"
    return {"type": kind, "status": status, "reason": reason}


class Records:
    """What has been written, and writes what has changed."""

    def __init__(self, client: Client, address: str, lag_seconds: float) -> None:
        """Prepares it.

        Args:
            client: whom it tells.
            address: of all replicas.
            lag_seconds: from a replica's end to the end of its endpoints.
        """
        self.lag_seconds = lag_seconds
        self._client: Final = client
        self._address: Final = address
        self._known: Final[dict[str, str]] = {}

    # Written --------------------------------------------------------------------

    def ensure_set(
        self, namespace: str, deployment: Mapping[str, Any], mark: str
    ) -> None:
        """The ReplicaSet of this template: Helm waits for one."""
        meta, spec = deployment["metadata"], deployment["spec"]
        name = f"{meta['name']}-{mark}"
        path = f"/apis/apps/v1/namespaces/{namespace}/replicasets"
        if self._known.get(f"{path}/{name}"):
            return
        labels = {**spec["template"]["metadata"].get("labels", {}), HASH: mark}
        owner = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": meta["name"],
            "uid": meta["uid"],
            "controller": True,
        }
        template = dict(spec["template"])
        template["metadata"] = {**template["metadata"], "labels": labels}
        body = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": name, "labels": labels, "ownerReferences": [owner]},
            "spec": {
                "replicas": wanted_replicas(deployment),
                "selector": {"matchLabels": labels},
                "template": template,
            },
        }
        with contextlib.suppress(ApiError):
            self._client.call("POST", path, body)
        self._known[f"{path}/{name}"] = "made"

    def tell(
        self,
        namespace: str,
        deployment: Mapping[str, Any],
        mine: Sequence[Replica],
        new: Sequence[Replica],
    ) -> None:
        """The status of the Deployment and its ReplicaSet."""
        name, wanted = deployment["metadata"]["name"], wanted_replicas(deployment)
        alive = [one for one in mine if one.stopped_at is None]
        ready = sum(one.ready for one in alive)
        fresh = sum(one.ready for one in new)
        is_done = fresh == len(new) == len(alive) == wanted
        reason = "NewReplicaSetAvailable" if is_done else "ReplicaSetUpdated"
        status = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": len(alive),
            "updatedReplicas": len(new),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "unavailableReplicas": max(0, wanted - ready),
            "conditions": [
                condition("Available", is_true=ready >= wanted, reason="Counted"),
                condition("Progressing", is_true=True, reason=reason),
            ],
        }
        path = f"/apis/apps/v1/namespaces/{namespace}"
        self._status(f"{path}/deployments/{name}", status)
        counts = {"replicas": len(new), "readyReplicas": fresh}
        counts |= {"availableReplicas": fresh, "observedGeneration": 1}
        mark = digest(deployment["spec"]["template"])
        self._status(f"{path}/replicasets/{name}-{mark}", counts)

    def publish(
        self,
        namespace: str,
        services: Sequence[Mapping[str, Any]],
        replicas: Iterable[Replica],
    ) -> None:
        """Endpoints of every Service, and the status of Pods."""
        for one in replicas:
            for service in services:
                selector: Mapping[str, str] = service["spec"].get("selector") or {}
                if selector and selector.items() <= one.labels.items():
                    self._slice(namespace, service, one)
            ready = one.ready and one.stopped_at is None
            conditions = [
                condition(kind, is_true=ready, reason="Probed")
                for kind in ("Ready", "ContainersReady")
            ]
            state = {
                "phase": "Running",
                "podIP": self._address,
                "podIPs": [{"ip": self._address}],
                "conditions": conditions,
                "containerStatuses": [
                    {
                        "name": one.container,
                        "image": "",
                        "imageID": "",
                        "ready": ready,
                        "restartCount": one.restarts,
                        "state": {"running": {}},
                    }
                ],
            }
            self._status(pod_path(namespace, one.name), state)

    def _slice(
        self, namespace: str, service: Mapping[str, Any], replica: Replica
    ) -> None:
        is_leaving = replica.stopped_at is not None
        lags = time.monotonic() - (replica.stopped_at or 0.0) < self.lag_seconds
        serves = replica.ready or (is_leaving and not replica.ended)
        name = f"{service['metadata']['name']}-{replica.name}"
        conditions = {
            "ready": replica.ready if not is_leaving else lags,
            "serving": serves,
            "terminating": is_leaving,
        }
        if is_leaving and lags:
            conditions = {"ready": True, "serving": True, "terminating": False}
        path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        body = {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": name,
                "labels": {
                    "kubernetes.io/service-name": service["metadata"]["name"],
                    "endpointslice.kubernetes.io/managed-by": "kubelet-of-the-tests",
                },
            },
            "addressType": "IPv4",
            "ports": [
                {
                    "name": port["name"],
                    "protocol": "TCP",
                    "port": replica.port(port["targetPort"]),
                }
                for port in service["spec"]["ports"]
            ],
            "endpoints": [
                {
                    "addresses": [self._address],
                    "conditions": conditions,
                    "nodeName": NODE,
                    "targetRef": {"kind": "Pod", "name": replica.name},
                }
            ],
        }
        if self._changes(f"{path}/{name}", body):
            if self._client.find(f"{path}/{name}") is None:
                self._client.call("POST", path, body)
            else:
                self._client.call("PUT", f"{path}/{name}", body)

    def _status(self, path: str, status: Mapping[str, Any]) -> None:
        if self._changes(path, status):
            self._client.merge(f"{path}/status", {"status": status})

    def _changes(self, path: str, content: object) -> bool:
        """Whether this is not what was written last."""
        text = json.dumps(content, sort_keys=True)
        if self._known.get(path) == text:
            return False
        self._known[path] = text
        return True

    def clear(self) -> None:
        """Deletes all Pods, ReplicaSets and EndpointSlices that were written."""
        for path in self._known:
            if "/deployments/" not in path:
                grace = 0 if "/pods/" in path else None
                self._client.delete(path, grace_seconds=grace)
        self._known.clear()

    # Cleared away ---------------------------------------------------------------

    def bury(self, namespace: str, many: list[Replica]) -> None:
        """Pods and endpoints of replicas whose process and endpoints' lag are over."""
        for one in list(many):
            late = time.monotonic() - (one.stopped_at or math.inf) >= self.lag_seconds
            if one.ended and late:
                path = (
                    f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
                )
                for found in list(self._known):
                    if found.startswith(path) and found.endswith(f"-{one.name}"):
                        self._client.delete(found)
                        del self._known[found]
                self._client.delete(pod_path(namespace, one.name), grace_seconds=0)
                many.remove(one)

    def collect_sets(self, namespace: str, deployments: set[str]) -> None:
        """ReplicaSets of Deployments that are gone."""
        path = f"/apis/apps/v1/namespaces/{namespace}/replicasets"
        for found in [one for one in self._known if one.startswith(f"{path}/")]:
            name = found.removeprefix(f"{path}/")
            if name.rpartition("-")[0] not in deployments:
                self._client.delete(found)
                del self._known[found]

    def collect_slices(self, namespace: str, services: set[str]) -> None:
        """EndpointSlices of Services that are gone."""
        path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices/"
        for found in [one for one in self._known if one.startswith(path)]:
            name = found.removeprefix(path)
            if not any(name.startswith(f"{one}-") for one in services):
                self._client.delete(found)
                del self._known[found]
