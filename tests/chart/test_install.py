"""Both Helms install, upgrade and uninstall on a real API server.

There is no kubelet here: what the Pods do meanwhile is the integration suite's.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.chart import rendering
from tests.tools.build import find
from tests.tools.servers import ApiServer

NAMESPACE: Final = "installed"
PLACES: Final = ("nfd", "default")
WAIT_SECONDS: Final = 30.0


class Helm:
    """One Helm with a cluster and folders of its own."""

    def __init__(self, name: str, server: ApiServer, folder: Path) -> None:
        self._program: Final = find(name)
        homes = ("CACHE", "CONFIG", "DATA")
        self._environment: Final = os.environ | {
            f"HELM_{one}_HOME": str(folder / one.lower()) for one in homes
        }
        self._kubeconfig: Final = server.kubeconfig

    def __call__(self, *arguments: str | Path) -> str:
        """Runs it; what it prints."""
        command = [self._program, f"--kubeconfig={self._kubeconfig}", *arguments]
        done = subprocess.run(
            [*map(str, command), f"--namespace={NAMESPACE}"],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert 0 == done.returncode, done.stderr
        return done.stdout


@pytest.fixture
def run(helm: str, apiserver: ApiServer, tmp_path: Path) -> Iterator[Helm]:
    """A Helm; the release is gone afterwards."""
    body = {"apiVersion": "v1", "kind": "Namespace"}
    apiserver.put("/api/v1/namespaces", body, NAMESPACE)
    one = Helm(helm, apiserver, tmp_path)
    yield one
    one("uninstall", "imagecompat", "--ignore-not-found")


def found(server: ApiServer) -> list[str]:
    """Names of what the release left or made, its own records included."""
    kinds = (
        "validatingwebhookconfigurations,mutatingwebhookconfigurations,clusterroles,"
        "clusterrolebindings,validatingadmissionpolicies,"
        "validatingadmissionpolicybindings,deployments,services,configmaps,secrets,"
        "serviceaccounts,roles,rolebindings,poddisruptionbudgets,networkpolicies,"
        "resourcequotas,pods"
    )
    done = server.kubectl(
        "get",
        kinds,
        "--all-namespaces",
        "--selector=app.kubernetes.io/instance=imagecompat",
        "--output=name",
    )
    return done.stdout.split()


def get(server: ApiServer, kind: str, *flags: str) -> Any:
    done = server.kubectl("get", kind, *flags, "--output=json")
    return json.loads(done.stdout)


HA: Final = ("--values", rendering.CHART / "values-ha.yaml")


@pytest.mark.parametrize("values", [(), HA], ids=["defaults", "ha"])
def test_uninstalling_leaves_nothing(
    run: Helm, apiserver: ApiServer, values: tuple[str | Path, ...]
) -> None:
    assert [] == found(apiserver)
    run("install", "imagecompat", rendering.CHART, *values)
    there = found(apiserver)
    assert "deployment.apps/imagecompat" in there
    assert "secret/imagecompat-tls" in there
    run("uninstall", "imagecompat")
    assert [] == found(apiserver)


def test_an_upgrade_leaves_alone_what_the_pods_wrote(
    run: Helm, apiserver: ApiServer
) -> None:
    """`caBundle` and the Secret's data, though the webhook itself changes."""
    run("install", "imagecompat", rendering.CHART)
    token = apiserver.token("imagecompat", namespace=NAMESPACE)
    ours = apiserver.write_kubeconfig("replica", token=token)
    bundle = base64.b64encode(apiserver.ca.read_bytes()).decode()
    kinds = ("validatingwebhookconfiguration", "mutatingwebhookconfiguration")
    for kind in kinds:
        for number, _ in enumerate(get(apiserver, kind, "imagecompat")["webhooks"]):
            path = f"/webhooks/{number}/clientConfig/caBundle"
            change = [{"op": "add", "path": path, "value": bundle}]
            apiserver.kubectl(
                "patch",
                kind,
                "imagecompat",
                "--type=json",
                f"--patch={json.dumps(change)}",
                kubeconfig=ours,
            )
    data = [{"op": "add", "path": "/data", "value": {"ca.crt": bundle}}]
    apiserver.kubectl(
        "patch",
        "secret",
        "imagecompat-tls",
        f"--namespace={NAMESPACE}",
        "--type=json",
        f"--patch={json.dumps(data)}",
        kubeconfig=ours,
    )
    run(
        "upgrade",
        "imagecompat",
        rendering.CHART,
        "--set=webhook.timeoutSeconds=7",
        "--set=webhook.annotateTimeoutSeconds=3",
        "--set=commonLabels.changed=yes",
    )
    for kind, seconds in zip(kinds, (7, 3), strict=True):
        for webhook in get(apiserver, kind, "imagecompat")["webhooks"]:
            assert seconds == webhook["timeoutSeconds"]
            assert bundle == webhook["clientConfig"]["caBundle"]
    secret = get(apiserver, "secret", "imagecompat-tls", f"--namespace={NAMESPACE}")
    assert "yes" == secret["metadata"]["labels"]["changed"]
    assert {"ca.crt": bundle} == secret["data"]
    run("rollback", "imagecompat", "1")
    for kind in kinds:
        for webhook in get(apiserver, kind, "imagecompat")["webhooks"]:
            assert bundle == webhook["clientConfig"]["caBundle"]


MANIFESTS: Final = rendering.ROOT / "manifests"
CONFIGURATIONS: Final = {
    f"{kind}webhookconfiguration.admissionregistration.k8s.io/imagecompat"
    for kind in ("validating", "mutating")
}


@pytest.mark.parametrize("name", ["install.yaml", "install-ha.yaml"])
def test_the_manifests_install_come_back_and_go(
    apiserver: ApiServer, name: str
) -> None:
    """The line for emergencies, then the file that brings the webhook back."""
    apply = ("apply", "--server-side", f"--filename={MANIFESTS / name}")
    apiserver.kubectl(*apply)
    assert set(found(apiserver)) >= CONFIGURATIONS
    apiserver.kubectl(
        "delete",
        "validatingwebhookconfiguration,mutatingwebhookconfiguration",
        "--selector=app.kubernetes.io/instance=imagecompat",
    )
    assert set() == CONFIGURATIONS & set(found(apiserver))
    restore = f"--filename={MANIFESTS / 'webhooks.yaml'}"
    apiserver.kubectl("apply", "--server-side", restore)
    assert set(found(apiserver)) >= CONFIGURATIONS
    again = apiserver.kubectl(*apply)
    assert "" == again.stderr
    apiserver.kubectl("delete", f"--filename={MANIFESTS / name}")
    assert [] == found(apiserver)


@pytest.fixture(scope="module")
def nodes(apiserver: ApiServer, node_features: str) -> Iterator[None]:
    """Two nodes of a pool; of one there is data."""
    pool = {"metadata": {"labels": {"kubernetes.azure.com/agentpool": "a"}}}
    for name in ("known", "unknown"):
        apiserver.put(
            "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node"} | pool, name
        )
    feature: dict[str, Any] = {
        "apiVersion": "nfd.k8s-sigs.io/v1alpha1",
        "kind": "NodeFeature",
        "spec": {"features": {"flags": {}, "attributes": {}, "instances": {}}},
    }
    apiserver.put(node_features, feature, "known")
    yield
    for name in ("known", "unknown"):
        apiserver.call("DELETE", f"/api/v1/nodes/{name}")
    apiserver.call("DELETE", f"{node_features}/known")


@pytest.mark.usefixtures("nodes")
def test_notes_count_the_nodes_with_data(run: Helm) -> None:
    said = run("install", "imagecompat", rendering.CHART)
    assert "Node features count from: node-feature-discovery\n" in said
    assert "  1 of 2 nodes have data there.\n" in said
    assert "autoscaled pools (kubernetes.azure.com/agentpool)" in said
    assert "admissions.enforcer/disabled" in said


@pytest.mark.usefixtures("nodes")
def test_notes_ask_where_node_feature_discovery_is(run: Helm) -> None:
    said = run(
        "install",
        "imagecompat",
        rendering.CHART,
        "--set=cluster.trustedNamespaces={nfd-edge}",
        "--set-string=webhook.annotations.admissions\\.enforcer/disabled=true",
        "--set=policy.nodesMayAppear=no",
    )
    assert "0 of 2 nodes have data there. Until some have" in said
    assert "AKS" not in said
    assert "autoscaled" not in said


def test_notes_warn_of_a_network_policy_that_shuts_the_api_server_out(
    run: Helm, apiserver: ApiServer
) -> None:
    """Behind the Service's 443 it is somewhere else in each cluster."""
    slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"
    body: dict[str, Any] = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["192.0.2.1"]}],
        "ports": [{"name": "https", "port": 8443, "protocol": "TCP"}],
    }
    apiserver.put(slices, body, "kubernetes")
    try:
        said = run("install", "imagecompat", rendering.CHART, *HA)
        assert "add 8443 to networkPolicy.apiServerPorts" in said
        ports = "--set=networkPolicy.apiServerPorts={8443}"
        said = run("upgrade", "imagecompat", rendering.CHART, *HA, ports)
        assert "apiServerPorts" not in said
    finally:
        apiserver.call("DELETE", f"{slices}/kubernetes")


@pytest.mark.usefixtures("nodes")
def test_who_may_not_read_nodes_can_still_install(run: Helm) -> None:
    """Roles made elsewhere: nothing is looked up."""
    said = run("install", "imagecompat", rendering.CHART, "--set=rbac.create=false")
    assert "nodes have data" not in said


def test_a_trusted_namespace_has_to_exist_and_an_upgrade_goes_on_from_there(
    run: Helm, apiserver: ApiServer
) -> None:
    """Nothing would ever be known of a node; it is said before anything else."""
    elsewhere = "--set=cluster.trustedNamespaces={missing,nfd}"
    with pytest.raises(AssertionError, match='namespaces "missing" not found'):
        run("install", "imagecompat", rendering.CHART, elsewhere)
    upgrade = ("upgrade", "--install", "imagecompat", rendering.CHART)
    run(*upgrade, elsewhere, "--set=rbac.namespacedNodeFeatures=false")
    becomes_readable(apiserver, {"nfd", "default"})
    run(*upgrade, "--set=cluster.trustedNamespaces={nfd}")
    becomes_readable(apiserver, {"nfd"})


def may_watch(server: ApiServer, namespace: str) -> bool:
    """Whether we may watch NodeFeatures there."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{NAMESPACE}:imagecompat",
            "resourceAttributes": {
                "verb": "watch",
                "group": "nfd.k8s-sigs.io",
                "resource": "nodefeatures",
                "namespace": namespace,
            },
        },
    }
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    return bool(server.call("POST", path, review)["status"]["allowed"])


def becomes_readable(server: ApiServer, expected: set[str]) -> None:
    """Rights hold when the API server's own watches have seen them."""
    ends = time.monotonic() + WAIT_SECONDS
    while expected != (there := {n for n in PLACES if may_watch(server, n)}):
        assert time.monotonic() < ends, f"never {expected}, last {there}"
        time.sleep(0.1)
