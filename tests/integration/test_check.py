"""`check` as people run it: live objects, helm's output, and a real registry."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.cli.checking import runtime_classes
from app.cli.checking.manifests import Found
from app.demo.content import Repository
from tests.tools import needed
from tests.tools.build import find
from tests.tools.registries import push, referrers_registry
from tests.tools.servers import ApiServer

pytestmark = pytest.mark.integration

IMAGECOMPAT = Path(sys.executable).parent / "imagecompat"
NFD = "node-feature-discovery"
SPEC = b"""\
version: v1alpha1
compatibilities:
- tag: fast
  weight: 5
  rules:
  - name: module
    matchFeatures:
    - feature: kernel.loadedmodule
      matchExpressions: {vfio_pci: {op: Exists}}
"""
LABELS = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
APPS = "/apis/apps/v1/namespaces"
MODES = {"check-one": "enforce", "check-two": "audit"}
CHART = {
    "Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "values.yaml": "image: ''\n",
    "templates/app.yaml": """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: {{ .Release.Name }}-app}
spec:
  serviceName: app
  selector: {matchLabels: {app: x}}
  template:
    metadata: {labels: {app: x}}
    spec: {containers: [{name: app, image: {{ .Values.image }}}]}
---
apiVersion: v1
kind: Service
metadata: {name: app}
spec: {ports: [{port: 80}]}
""",
    "templates/tests/ping.yaml": """\
apiVersion: v1
kind: Pod
metadata:
  name: ping
  annotations: {"helm.sh/hook": test}
spec: {containers: [{name: ping, image: {{ .Values.image }}}]}
""",
}


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """What was printed as JSON."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    @property
    def names(self) -> list[str]:
        """The workloads of the report."""
        return [one["name"] for one in self.report["workloads"]]


def imagecompat(
    *arguments: str, kubeconfig: Path | None = None, stdin: str = ""
) -> Ran:
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    if kubeconfig is not None:
        env["KUBECONFIG"] = str(kubeconfig)
    done = subprocess.run(
        [IMAGECOMPAT, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        env=env,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image with a spec, in a real registry; `:bare` has none."""
    needed.programs("registry")
    with referrers_registry(tmp_path_factory.mktemp("registry")) as address:
        repository = Repository()
        for tag in ("1", "bare"):
            repository.tag(repository.image("amd64", tag), tag)
        push(address, "org/app", repository)
        spec = tmp_path_factory.mktemp("spec") / "spec.yaml"
        spec.write_bytes(SPEC)
        name = f"{address}/org/app:1"
        ran = imagecompat("attach-spec", name, "--spec", str(spec), "--plain-http")
        assert 0 == ran.status, ran.err
        yield name


def pod(image: str) -> dict[str, Any]:
    return {"containers": [{"name": "app", "image": image}]}


def deployment(image: str) -> dict[str, Any]:
    labels = {"app": "x"}
    template = {"metadata": {"labels": labels}, "spec": pod(image)}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


@pytest.fixture
def cluster(
    apiserver: ApiServer, node_features: Callable[[str], str], image: str
) -> Iterator[ApiServer]:
    """Two nodes, one of which has the module; workloads in two namespaces."""
    nodes, features = "/api/v1/nodes", node_features(NFD)
    modules: dict[str, dict[str, object]] = {"check-a": {"vfio_pci": {}}, "check-b": {}}
    for name, elements in modules.items():
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"labels": LABELS}}
        apiserver.put(nodes, node, name)
        flags = {"kernel.loadedmodule": {"elements": elements}}
        feature = {
            "apiVersion": "nfd.k8s-sigs.io/v1alpha1",
            "kind": "NodeFeature",
            "metadata": {"labels": {"nfd.node.kubernetes.io/node-name": name}},
            "spec": {"features": {"flags": flags}},
        }
        apiserver.put(features, feature, name)
    for name, mode in MODES.items():
        labels = {"imagecompat.dev/mode": mode}
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"labels": labels},
        }
        apiserver.put("/api/v1/namespaces", namespace, name)
        apiserver.put(f"{APPS}/{name}/deployments", deployment(image), "web")
    yield apiserver
    for name in modules:
        apiserver.call("DELETE", f"{features}/{name}")
        apiserver.call("DELETE", f"{nodes}/{name}")
    for name in MODES:
        apiserver.call("DELETE", f"{APPS}/{name}/deployments/web")
        apiserver.remove_namespace(name)


def test_live_objects_on_live_nodes(cluster: ApiServer, image: str) -> None:
    given = ("check", "deploy/web", "-n", "check-one", "--plain-http", "-o", "json")
    ran = imagecompat(*given, kubeconfig=cluster.kubeconfig)
    assert (0, "") == (ran.status, ran.err)
    (workload,) = ran.report["workloads"]
    assert ("Deployment check-one/web", "cluster", "fits") == (
        workload["name"],
        workload["place"],
        workload["verdict"],
    )
    rows = {tuple(row["nodes"]): row["score"] for row in workload["rows"]}
    assert 5 == rows["check-a",]
    assert "check-b" in {name for row in workload["rows"] for name in row["nodes"]}
    assert image == workload["images"][0]["image"]


def test_the_namespaces_mode_is_read_from_the_cluster(cluster: ApiServer) -> None:
    actions = {}
    for namespace in ("check-one", "check-two"):
        given = ("check", "deploy/web", "-n", namespace, "--node", "check-b")
        ran = imagecompat(
            *given, "--plain-http", "-o", "json", kubeconfig=cluster.kubeconfig
        )
        assert 1 == ran.status
        actions[namespace] = ran.report["workloads"][0]["action"]
    assert {"check-one": "warn", "check-two": "allow"} == actions


def test_every_running_workload_of_a_namespace_and_of_the_cluster(
    cluster: ApiServer,
) -> None:
    given = ("check", "--plain-http", "-o", "json")
    one = imagecompat(*given, "--all", "-n", "check-two", kubeconfig=cluster.kubeconfig)
    assert ["Deployment check-two/web"] == one.names
    every = imagecompat(*given, "-A", kubeconfig=cluster.kubeconfig)
    assert {"Deployment check-one/web", "Deployment check-two/web"} <= set(every.names)


def test_the_namespace_is_that_of_kubectls_context(
    cluster: ApiServer, tmp_path: Path
) -> None:
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    config["contexts"][0]["context"]["namespace"] = "check-two"
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(config))
    given = ("check", "deploy/web", "--plain-http", "-o", "json")
    assert ["Deployment check-two/web"] == imagecompat(*given, kubeconfig=path).names


def test_an_object_that_is_not_there_and_one_that_must_not_be_read(
    cluster: ApiServer,
) -> None:
    ran = imagecompat("check", "deploy/none", kubeconfig=cluster.kubeconfig)
    assert (2, "") == (ran.status, ran.out)
    assert "imagecompat: there is no Deployment default/none\n" == ran.err
    account = cluster.service_account("check-nobody")
    ran = imagecompat("check", "deploy/web", "-n", "check-one", kubeconfig=account)
    assert (3, "", 1) == (ran.status, ran.out, ran.err.count("\n"))


def test_an_api_server_that_is_not_there_is_exit_3(tmp_path: Path) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "x", "user": {"token": "x"}}],
    }
    path = tmp_path / "config"
    path.write_text(json.dumps(config))
    ran = imagecompat("check", "deploy/web", kubeconfig=path)
    assert (3, "", 1) == (ran.status, ran.out, ran.err.count("\n"))


@pytest.mark.parametrize("version", ["helm3", "helm4"])
def test_what_helm_renders_is_checked_from_a_pipe(
    cluster: ApiServer, image: str, tmp_path: Path, version: str
) -> None:
    needed.programs(version)
    chart = tmp_path / "web"
    for name, text in CHART.items():
        path = chart / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    rendered = subprocess.run(
        [find(version), "template", "rel", chart, "--set", f"image={image}"],
        capture_output=True,
        text=True,
        timeout=60,
        env={"HOME": str(tmp_path)},
        check=True,
    ).stdout
    given = ("check", "-f", "-", "--plain-http", "-o", "json")
    ran = imagecompat(*given, kubeconfig=cluster.kubeconfig, stdin=rendered)
    assert (0, "") == (ran.status, ran.err)
    assert {
        "StatefulSet rel-app": "web/templates/app.yaml",
        "Pod ping": "web/templates/tests/ping.yaml",
    } == {
        one["name"]: one["place"].partition(", ")[2] for one in ran.report["workloads"]
    }
    assert "1 other object passed over" in ran.report["notes"]


def test_a_registry_that_cannot_be_asked_is_exit_3(
    cluster: ApiServer, tmp_path: Path
) -> None:
    path = tmp_path / "pod.json"
    one = {"apiVersion": "v1", "kind": "Pod", "spec": pod("127.0.0.1:1/org/app:1")}
    path.write_text(json.dumps(one))
    ran = imagecompat("check", "-f", str(path), kubeconfig=cluster.kubeconfig)
    assert 3 == ran.status
    assert "its registry could not answer" in ran.out


def test_an_image_without_a_spec_asks_for_nothing(
    cluster: ApiServer, image: str
) -> None:
    bare = image.removesuffix("1") + "bare"
    given = ("check", "--image", bare, "--plain-http", "-o", "json")
    ran = imagecompat(*given, kubeconfig=cluster.kubeconfig)
    assert (0, "fits") == (ran.status, ran.report["verdict"])


def test_a_pod_that_was_scheduled_is_judged_as_it_was_created(
    cluster: ApiServer, image: str
) -> None:
    """A binding writes the node, and nobody's `managedFields` name it."""
    pods = "/api/v1/namespaces/check-one/pods"
    account = "/api/v1/namespaces/check-one/serviceaccounts"
    cluster.put(account, {"apiVersion": "v1", "kind": "ServiceAccount"}, "default")
    for name, more in (("free", {}), ("pinned", {"nodeName": "check-b"})):
        one = {"apiVersion": "v1", "kind": "Pod", "spec": {**pod(image), **more}}
        cluster.put(pods, one, name)
    target = {"apiVersion": "v1", "kind": "Node", "name": "check-b"}
    binding = {"apiVersion": "v1", "kind": "Binding", "target": target}
    cluster.call(
        "POST", f"{pods}/free/binding", {**binding, "metadata": {"name": "free"}}
    )
    assert "check-b" == cluster.call("GET", f"{pods}/free")["spec"]["nodeName"]
    given = ("-n", "check-one", "--plain-http", "-o", "json")
    free = imagecompat("check", "pod/free", *given, kubeconfig=cluster.kubeconfig)
    assert (0, "allow") == (free.status, free.report["workloads"][0]["action"])
    note = "Pod check-one/free runs on check-b, which does not fit"
    assert note in free.report["notes"]
    pinned = imagecompat("check", "pod/pinned", *given, kubeconfig=cluster.kubeconfig)
    assert (1, "deny") == (pinned.status, pinned.report["workloads"][0]["action"])
    for name in ("free", "pinned"):
        cluster.call("DELETE", f"{pods}/{name}?gracePeriodSeconds=0")


def test_a_runtime_class_is_merged_as_the_api_server_does(
    cluster: ApiServer, image: str
) -> None:
    classes = "/apis/node.k8s.io/v1/runtimeclasses"
    toleration = {"key": "kata", "operator": "Exists", "effect": "NoSchedule"}
    kata = {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": "check-kata"},
        "handler": "kata",
        "scheduling": {"nodeSelector": {"kata": "yes"}, "tolerations": [toleration]},
    }
    cluster.put(classes, kata, "check-kata")
    pods = "/api/v1/namespaces/check-one/pods"
    account = "/api/v1/namespaces/check-one/serviceaccounts"
    cluster.put(account, {"apiVersion": "v1", "kind": "ServiceAccount"}, "default")
    own = {"key": "own", "operator": "Exists"}
    spec = {"runtimeClassName": "check-kata", "nodeSelector": {"a": "b"}, **pod(image)}
    one = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "kata"},
        "spec": {**spec, "tolerations": [own]},
    }
    try:
        cluster.put(pods, one, "kata")
        made = cluster.call("GET", f"{pods}/kata")["spec"]
        found = Found()
        for value in (one, kata):
            found.take(value, "x")
        assert [] == runtime_classes.apply(found)
        ours = found.manifests[0].pod_spec
        assert made["nodeSelector"] == ours["nodeSelector"]
        named = [one for one in made["tolerations"] if one["key"] in {"own", "kata"}]
        assert named == ours["tolerations"]
        given = ("check", "pod/kata", "-n", "check-one", "--plain-http", "-o", "json")
        ran = imagecompat(*given, kubeconfig=cluster.kubeconfig)
        assert {"NodeAffinity"} == ran.report["workloads"][0]["excluded"].keys()
        cluster.call("DELETE", f"{pods}/kata?gracePeriodSeconds=0")
    finally:
        cluster.call("DELETE", f"{classes}/check-kata")
