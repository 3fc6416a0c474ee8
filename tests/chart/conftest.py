"""Helm 3 and 4, and a real API server with the kinds that the chart may use.

A program that cannot be had is a skip, with the reason.

* `helm`: each Helm in turn.
* `apiserver`: kube-apiserver with etcd, RBAC and Pod Security admission.
* `node_features`: the NodeFeature CRD is installed; the path of the collection.
* `kinds`: minimal CRDs of the Prometheus operator and cert-manager are installed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.chart import rendering
from tests.tools import needed
from tests.tools.servers import ApiServer, Etcd

CRDS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WAIT_SECONDS: Final = 30.0


@pytest.fixture(params=rendering.HELMS)
def helm(request: pytest.FixtureRequest) -> str:
    """The name of each Helm."""
    needed.programs(request.param)
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def apiserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """A kube-apiserver with etcd, and our namespaces."""
    needed.programs(*needed.CLUSTER)
    folder = tmp_path_factory.mktemp("apiserver")
    with Etcd(folder / "etcd") as etcd, ApiServer(folder / "one", etcd) as server:
        for name in (rendering.NAMESPACE, "node-feature-discovery", "nfd", "nfd-edge"):
            body = {"apiVersion": "v1", "kind": "Namespace"}
            server.put("/api/v1/namespaces", body, name)
        yield server


def serve(server: ApiServer, crd: Any, path: str) -> None:
    """Installs a CRD; returns when objects of it can be listed at `path`."""
    server.call("POST", CRDS, crd)
    ends = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            server.call("GET", path)
        except RuntimeError:
            assert time.monotonic() < ends, f"{path} is never served"
            time.sleep(0.1)
        else:
            return


@pytest.fixture(scope="session")
def node_features(apiserver: ApiServer) -> str:
    """NodeFeatures can be created, here."""
    folder = rendering.ROOT / "tests" / "integration"
    crd = json.loads((folder / "nodefeature-crd.json").read_text())
    path = "/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/node-feature-discovery"
    serve(apiserver, crd, f"{path}/nodefeatures")
    return f"{path}/nodefeatures"


def _schema(fields: dict[str, Any]) -> dict[str, Any]:
    """A structural schema from names: a type, a mapping of them, or a list of one."""
    return {"type": "object", "properties": {k: _kind(v) for k, v in fields.items()}}


def _kind(field: Any) -> dict[str, Any]:
    match field:
        case "labels":
            return {"type": "object", "additionalProperties": {"type": "string"}}
        case "number-or-text":
            return {"x-kubernetes-int-or-string": True}
        case str():
            return {"type": field}
        case [inner]:
            return {"type": "array", "items": _kind(inner)}
        case _:
            return _schema(field)


_SELECTOR: Final = {"matchLabels": "labels"}
_ENDPOINT: Final = {
    "port": "string",
    "path": "string",
    "interval": "string",
    "scrapeTimeout": "string",
}
_RULE: Final = {
    "alert": "string",
    "record": "string",
    "expr": "number-or-text",
    "for": "string",
    "keep_firing_for": "string",
    "labels": "labels",
    "annotations": "labels",
}
_ISSUER_REF: Final = {"name": "string", "kind": "string", "group": "string"}
_KINDS: Final[dict[str, dict[str, Any]]] = {
    "PodMonitor.monitoring.coreos.com": {
        "selector": _SELECTOR,
        "podMetricsEndpoints": [_ENDPOINT],
    },
    "ServiceMonitor.monitoring.coreos.com": {
        "selector": _SELECTOR,
        "endpoints": [_ENDPOINT],
    },
    "PrometheusRule.monitoring.coreos.com": {
        "groups": [{"name": "string", "interval": "string", "rules": [_RULE]}]
    },
    "Certificate.cert-manager.io": {
        "isCA": "boolean",
        "commonName": "string",
        "secretName": "string",
        "duration": "string",
        "renewBefore": "string",
        "dnsNames": ["string"],
        "usages": ["string"],
        "privateKey": {
            "algorithm": "string",
            "size": "integer",
            "rotationPolicy": "string",
        },
        "issuerRef": _ISSUER_REF,
    },
    "Issuer.cert-manager.io": {"selfSigned": {}, "ca": {"secretName": "string"}},
}
"""Kind and group -> its spec, as far as we write it; anything else is an error."""


def _crd(kind: str, group: str, spec: dict[str, Any]) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": _schema({"spec": spec})},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural},
            "versions": [version],
        },
    }


@pytest.fixture(scope="session")
def kinds(apiserver: ApiServer) -> None:
    """The foreign kinds can be created."""
    for name, spec in _KINDS.items():
        kind, _, group = name.partition(".")
        path = f"/apis/{group}/v1/{kind.lower()}s"
        serve(apiserver, _crd(kind, group, spec), path)
