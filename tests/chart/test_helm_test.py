"""`helm test` on a real API server, with the webhook as the chart installs it.

The Pod that Helm makes is run here: its command, with its own ServiceAccount.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from app.demo import nodes
from tests.chart import rendering
from tests.chart.conftest import WAIT_SECONDS
from tests.tools.build import find
from tests.tools.kubelet import Kubelet
from tests.tools.servers import ApiServer

NAMESPACE: Final = "tested"
HOST: Final = "amzn2-eks-m5"
PODS: Final = f"/api/v1/namespaces/{NAMESPACE}/pods"
PROGRAM: Final = Path(sys.executable).parent / "imagecompat"


@pytest.fixture(scope="module")
def node(apiserver: ApiServer, node_features: str) -> Iterator[None]:
    """A node, and what Node Feature Discovery says of it."""
    labels = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    body = {"apiVersion": "v1", "kind": "Node", "metadata": {"labels": labels}}
    apiserver.put("/api/v1/nodes", body, HOST)
    source = Path(nodes.__file__).parent / "data" / "hosts" / f"{HOST}.json"
    feature = {
        "apiVersion": "nfd.k8s-sigs.io/v1alpha1",
        "kind": "NodeFeature",
        "metadata": {"labels": {"nfd.node.kubernetes.io/node-name": HOST}},
        "spec": {"features": json.loads(source.read_text())},
    }
    apiserver.put(node_features, feature, HOST)
    yield
    apiserver.call("DELETE", f"/api/v1/nodes/{HOST}")
    apiserver.call("DELETE", f"{node_features}/{HOST}")


def line(name: str, server: ApiServer, *arguments: str | Path) -> list[str]:
    """The command line of a Helm."""
    command = [find(name), f"--kubeconfig={server.kubeconfig}", *arguments]
    return [*map(str, command), f"--namespace={NAMESPACE}"]


@pytest.mark.usefixtures("node")
def test_helm_test_finds_that_the_webhook_is_asked_and_heard(
    apiserver: ApiServer, helm: str, tmp_path: Path
) -> None:
    body = {"apiVersion": "v1", "kind": "Namespace"}
    apiserver.put("/api/v1/namespaces", body, NAMESPACE)
    install = ("install", "imagecompat", rendering.CHART, "--set=policies.self=true")
    with Kubelet(apiserver, tmp_path, [NAMESPACE]) as kubelet:
        run(line(helm, apiserver, *install))
        try:
            kubelet.wait_ready(2)
            said = outcome(helm, apiserver)
        finally:
            run(line(helm, apiserver, "uninstall", "imagecompat"))
    assert "Phase:          Succeeded" in said
    left = apiserver.kubectl(
        "get",
        "pods,serviceaccounts,roles,rolebindings",
        "--all-namespaces",
        "--selector=app.kubernetes.io/instance=imagecompat",
        "--output=name",
    )
    assert "" == left.stdout


def run(command: list[str]) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


def outcome(name: str, server: ApiServer) -> str:
    """Runs `helm test`, and the Pod that it makes; what Helm prints."""
    with subprocess.Popen(
        line(name, server, "test", "imagecompat", "--timeout=60s"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as testing:
        try:
            pod = found(server)
            phase = "Succeeded" if ran(server, pod) else "Failed"
            path = f"{PODS}/{pod['metadata']['name']}/status"
            change = {"status": {"phase": phase}}
            kind = "application/merge-patch+json"
            server.call("PATCH", path, change, content_type=kind)
            said, _ = testing.communicate(timeout=90)
        finally:
            testing.kill()
    assert 0 == testing.returncode, said
    return said


def found(server: ApiServer) -> Any:
    """The Pod of the test, as soon as Helm has made it."""
    ends = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            return server.call("GET", f"{PODS}/imagecompat-selftest")
        except RuntimeError:
            assert time.monotonic() < ends, "Helm makes no Pod"
            time.sleep(0.1)


def ran(server: ApiServer, pod: Any) -> bool:
    """Runs its command as its own ServiceAccount; whether it succeeds."""
    [container] = pod["spec"]["containers"]
    program, *arguments = container["command"]
    assert "imagecompat" == program
    token = server.token(pod["spec"]["serviceAccountName"], namespace=NAMESPACE)
    kubeconfig = server.write_kubeconfig("selftest", token=token)
    done = subprocess.run(
        [PROGRAM, *arguments, f"--kubeconfig={kubeconfig}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert "denied: [IC101]" in done.stdout, done.stderr
    return done.returncode == 0
