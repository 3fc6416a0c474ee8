"""Certificates of our own on a real API server, under the RBAC of the chart.

The replicas are objects in one event loop, each with a connection of its own and a
token of a ServiceAccount that may do what the chart allows, and nothing else.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.certificates.own import SelfCertificates
from app.certificates.rotation import Plan
from app.certificates.store import Place
from app.kube.connection import Connection
from app.kube.objects import Objects
from tests.tools.certifying import Recorder
from tests.tools.servers import ApiServer

pytestmark = pytest.mark.integration

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
VALIDATING = f"{ADMISSION}/validatingwebhookconfigurations"
MUTATING = f"{ADMISSION}/mutatingwebhookconfigurations"
NAMES = itertools.count()

Eventually = Callable[..., Awaitable[None]]


@dataclass
class Site:
    """One release: a namespace, an empty Secret, two configurations, an account."""

    server: ApiServer
    name: str
    kubeconfig: Path
    plan: Plan
    told: list[Recorder] = field(default_factory=list)

    @property
    def secrets(self) -> str:
        return f"/api/v1/namespaces/{self.name}/secrets"

    def secret(self) -> dict[str, bytes]:
        """What the Secret holds."""
        found = self.server.call("GET", f"{self.secrets}/tls").get("data") or {}
        return {key: base64.b64decode(value) for key, value in found.items()}

    def bundles(self) -> list[str]:
        """The caBundle of every webhook."""
        return [
            base64.b64decode(one["clientConfig"].get("caBundle", "")).decode()
            for collection in (VALIDATING, MUTATING)
            for one in self.server.call("GET", f"{collection}/{self.name}")["webhooks"]
        ]

    def apply(self, collection: str, *webhooks: str) -> None:
        """Creates or replaces a configuration, without any caBundle."""
        kind = "Validating" if collection == VALIDATING else "Mutating"
        content = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": f"{kind}WebhookConfiguration",
            "webhooks": [self.webhook(one) for one in webhooks],
        }
        self.server.put(collection, content, self.name)

    def webhook(self, name: str) -> dict[str, Any]:
        return {
            "name": f"{name}.imagecompat.dev",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "failurePolicy": "Ignore",
            "clientConfig": {
                "service": {"namespace": self.name, "name": "imagecompat"}
            },
        }

    @asynccontextmanager
    async def replica(self, **more: Any) -> AsyncIterator[SelfCertificates]:
        """A process's certificates, with a connection of its own."""
        connection = await Connection.open(kubeconfig=self.kubeconfig)
        recorder = Recorder()
        self.told.append(recorder)
        made = SelfCertificates(
            Objects(connection),
            self.plan,
            secret=Place(self.secrets, "tls"),
            configurations=[Place(VALIDATING, self.name), Place(MUTATING, self.name)],
            observer=recorder,
            **more,
        )
        try:
            async with made.running():
                yield made
        finally:
            await connection.close()


def allow(server: ApiServer, name: str) -> Path:
    """An account with exactly what the chart allows for certificates."""
    kubeconfig = server.service_account(
        "keeper",
        [
            {
                "apiGroups": ["admissionregistration.k8s.io"],
                "resources": [
                    "validatingwebhookconfigurations",
                    "mutatingwebhookconfigurations",
                ],
                "resourceNames": [name],
                "verbs": ["get", "list", "watch", "patch"],
            }
        ],
        namespace=name,
    )
    api = {"apiVersion": "rbac.authorization.k8s.io/v1"}
    rules = [
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": ["tls"],
            "verbs": ["get", "watch", "update", "patch"],
        },
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
    ]
    path = f"{RBAC}/namespaces/{name}"
    server.put(f"{path}/roles", {**api, "kind": "Role", "rules": rules}, "keeper")
    group = "rbac.authorization.k8s.io"
    binding = {
        **api,
        "kind": "RoleBinding",
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "keeper"},
        "subjects": [{"kind": "ServiceAccount", "name": "keeper", "namespace": name}],
    }
    server.put(f"{path}/rolebindings", binding, "keeper")
    return kubeconfig


def install(server: ApiServer, **plan: float) -> Site:
    """As the chart does: everything but certificates."""
    name = f"certificates-{next(NAMES)}"
    body = {"apiVersion": "v1", "kind": "Namespace"}
    server.put("/api/v1/namespaces", body, name)
    lives = {
        "authority_seconds": 86400.0,
        "leaf_seconds": 3600.0,
        "renew_at": 2 / 3,
        "publish_seconds": 1.0,
        **plan,
    }
    short = f"imagecompat.{name}"
    names = (f"{short}.svc", short, "imagecompat", f"{short}.svc.cluster.local")
    site = Site(server, name, allow(server, name), Plan(names, **lives))
    secret = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque"}
    labels = {"labels": {"app.kubernetes.io/managed-by": "Helm"}}
    server.put(site.secrets, {**secret, "metadata": labels}, "tls")
    site.apply(VALIDATING, "pods", "workloads", "cronjobs")
    site.apply(MUTATING, "annotate")
    return site


def remove(site: Site) -> None:
    for collection in (VALIDATING, MUTATING):
        site.server.kubectl("delete", collection.rpartition("/")[2], site.name)
    site.server.remove_namespace(site.name)


@pytest.fixture
def site(apiserver: ApiServer) -> Iterator[Site]:
    found = install(apiserver)
    yield found
    remove(found)


async def test_three_at_once_make_one_authority(
    site: Site, eventually: Eventually
) -> None:
    async with AsyncExitStack() as stack:
        replicas = [await stack.enter_async_context(site.replica()) for _ in range(3)]
        await eventually(lambda: not any(one.problems() for one in replicas), 30)
        assert 1 == len({one.status()["fingerprint"] for one in replicas})
        assert {1} == {one.status()["authorities"] for one in replicas}
    (bundle,) = set(site.bundles())
    assert site.secret()["ca.crt"].decode() == bundle
