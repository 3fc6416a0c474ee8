"""An installation as the API server shows it, all well until a test says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.cli.installed.survey import (
    Survey,
    survey,
)
from tests.unit.cli.fakeapi import FakeApi
from tests.unit.cli.test_selftest import hook

GROUP = "/apis/admissionregistration.k8s.io/v1"
VALIDATING = f"{GROUP}/validatingwebhookconfigurations"
MUTATING = f"{GROUP}/mutatingwebhookconfigurations"
PODS = "/api/v1/namespaces/imagecompat/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/imagecompat/deployments"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/imagecompat/endpointslices"
NFD = "/apis/nfd.k8s-sigs.io/v1alpha1"
FEATURES = f"{NFD}/namespaces/node-feature-discovery/nodefeatures"
LABELS = {"app.kubernetes.io/instance": "imagecompat"}
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def told(**changes: Any) -> dict[str, Any]:
    """A replica's own document, all well."""
    return {
        "version": 1,
        "software": "0.1.0",
        "ready": True,
        "rules": {
            "mode": "enforce",
            "namespaceModes": "any",
            "podModes": "off",
            "nodesMayAppear": "auto",
            "annotate": True,
            "trustedNamespaces": ["node-feature-discovery"],
        },
        "nodes": {"known": 3, "unknown": 0},
        "watches": [{"resource": "nodes", "isSynced": True, "silentSeconds": 1.5}],
        "certificate": {"notAfter": "2027-02-01T00:00:00+00:00", "issuer": "CN=test"},
        "settings": {"file": "/etc/x", "loaded": "2026-11-20T00:00:00Z"},
        "decisions": [
            {
                "time": "2026-11-20T10:00:00Z",
                "kind": "Pod",
                "namespace": "ml",
                "decision": "deny",
                "codes": ["IC101"],
                "candidates": 3,
                "dryRun": True,
            },
            {"time": "2026-11-20T11:00:00Z", "notJudged": "overload"},
        ],
        **changes,
    }


def pod(name: str, *, ready: bool = True) -> dict[str, Any]:
    """A Pod of the release; its status port is not the default."""
    condition = {"type": "Ready", "status": str(ready)}
    ports = [{"name": "https", "containerPort": 9443}]
    ports += [{"name": "status", "containerPort": 8081}]
    return {
        "metadata": {"name": name},
        "spec": {"containers": [{"ports": ports}]},
        "status": {"phase": "Running", "conditions": [condition]},
    }


def configuration(*hooks: Mapping[str, Any], **metadata: Any) -> dict[str, Any]:
    """A list with one configuration."""
    meta = {"name": "imagecompat", "labels": LABELS, **metadata}
    return {"items": [{"metadata": meta, "webhooks": list(hooks)}]}


def objects(**changes: Any) -> dict[str, Any]:
    """A cluster in which all is well; `changes` are of the replicas' documents."""
    document = told(**changes)
    deployment = {
        "metadata": {"name": "imagecompat"},
        "spec": {"replicas": 2},
        "status": {"readyReplicas": 2, "updatedReplicas": 2},
    }
    endpoints = [{"addresses": ["10.0.0.1"], "conditions": {}}]
    return {
        PODS: {"items": [pod("b"), pod("a")]},
        f"{PODS}/a:8081/proxy/statusz": document,
        f"{PODS}/b:8081/proxy/statusz": document,
        DEPLOYMENTS: {"items": [deployment]},
        VALIDATING: configuration(hook()),
        MUTATING: configuration(hook(name="annotate.pods.imagecompat.dev")),
        SLICES: {"items": [{"endpoints": endpoints}]},
        "/api/v1/namespaces": {
            "items": [
                {"metadata": {"name": "ml", "labels": {"imagecompat.dev/mode": "warn"}}}
            ]
        },
        NFD: {"kind": "APIResourceList"},
        f"{NFD}/nodefeatures": {"items": None},
    }


async def look(
    world: Mapping[str, Any], ignore: str | None = None, *, nodes: bool = False
) -> tuple[Survey, FakeApi]:
    """A survey; of nodes too, if a selector is given."""
    api = FakeApi(world)
    seen = await survey(
        api,
        namespace="imagecompat",
        name="imagecompat",
        nodes=nodes or ignore is not None,
        ignore=ignore,
    )
    return seen, api


def names(*found: str, more: str = "") -> dict[str, Any]:
    """A page of a table."""
    rows = [{"cells": [name, "Ready", 3]} for name in found]
    return {"metadata": {"continue": more}, "rows": rows}


NODES = "/api/v1/nodes"
LEFT_OUT = "/api/v1/nodes?includeObject=None?labelSelector=type=virtual?limit=500"


def with_labels(mode: str) -> dict[str, Any]:
    labels = {"imagecompat.dev/mode": mode}
    items = [{"metadata": {"name": "ml", "labels": labels}}]
    return {**objects(), "/api/v1/namespaces": {"items": items}}
