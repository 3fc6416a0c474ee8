"""The whole chain: kubectl, a real API server, the webhook, real registries.

The webhook is a process of its own with a ServiceAccount's token. Three nodes
stand in the cluster: two GPU hosts and one DPDK host of the demo's recordings.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import pytest

from app import status
from app.demo import certificates, images
from app.demo.content import Repository
from tests.tools import needed
from tests.tools.json_lines import json_lines
from tests.tools.registries import push, referrers_registry, tag_registry
from tests.tools.servers import ApiServer, free_port

pytestmark = pytest.mark.integration

MANIFESTS = Path(__file__).with_name("manifests")
NFD = "node-feature-discovery"
NODES = ("amzn2023-eks-p5", "rhel9-metal-dpdk", "ubuntu2404-metal-h100")
PREFIX = 'admission webhook "pods.imagecompat.dev" denied the request: '
FEATURES = "/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/node-feature-discovery"


@pytest.fixture(scope="module")
def referrers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a registry that has the referrers API."""
    needed.programs("registry")
    with referrers_registry(tmp_path_factory.mktemp("referrers")) as address:
        yield address


@pytest.fixture(scope="module")
def fallback(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a registry that has none."""
    needed.programs("distribution")
    with tag_registry(tmp_path_factory.mktemp("fallback")) as address:
        yield address


@pytest.fixture(scope="module")
def silent_registry() -> Iterator[str]:
    """Accepts connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def with_spec(name: str) -> Repository:
    """An image `:1` that carries one of the demo's specs."""
    repository = Repository()
    image = repository.image("amd64", name)
    repository.tag(image, "1")
    spec = images.spec(name)
    repository.attach(image, spec, created="2026-03-01T00:00:00Z")
    return repository


@dataclass(frozen=True)
class World:
    """What the tests talk to."""

    server: ApiServer
    registry: str
    fallback: str
    silent: str
    webhook: str
    status: str
    log: Path

    def image(self, name: str) -> str:
        """An image of the registry with the referrers API."""
        return f"{self.registry}/team/{name}:1"

    def kubectl(self, *arguments: str, stdin: str | None = None) -> Any:
        """Runs kubectl; never raises."""
        return self.server.kubectl(*arguments, stdin=stdin, check=False)

    def create(self, obj: Mapping[str, Any], *flags: str) -> Any:
        """`kubectl create -f -`."""
        return self.kubectl("create", "-f", "-", *flags, stdin=json.dumps(obj))

    def reviews(self) -> list[dict[str, Any]]:
        """The review lines of the webhook's log."""
        return [line for line in json_lines(self.log) if line["event"] == "review"]


@pytest.fixture(scope="module")
def world(
    apiserver: ApiServer,
    _crd: None,
    referrers: str,
    fallback: str,
    silent_registry: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[World]:
    """Nodes, registries and the webhook, joined to the API server."""
    folder = tmp_path_factory.mktemp("webhook")
    for name in ("cuda-13.0", "cuda-12.4", "dpdk-vfio-hugepages"):
        push(referrers, f"team/{name}", with_spec(name))
    push(fallback, "team/cuda-13.0", with_spec("cuda-13.0"))
    plain = Repository()
    plain.tag(plain.image("amd64", "plain"), "1")
    push(referrers, "team/plain", plain)

    apiserver.kubectl("apply", "-f", str(MANIFESTS / "rbac.yaml"))
    for name in NODES:
        _put_node(apiserver, name)
    settings = _settings(apiserver, folder, (referrers, fallback, silent_registry))
    url = f"https://127.0.0.1:{settings['server']['port']}"
    (folder / "settings.yaml").write_text(json.dumps(settings))
    log = folder / "log"
    with serving(folder, log, url):
        _configure(apiserver, folder, url)
        yield World(
            apiserver,
            referrers,
            fallback,
            silent_registry,
            url,
            f"http://127.0.0.1:{settings['server']['statusPort']}",
            log,
        )
        _clean(apiserver)


def _settings(
    server: ApiServer, folder: Path, hosts: tuple[str, ...]
) -> dict[str, Any]:
    certificates.write_pair(folder)
    kubeconfig = server.write_kubeconfig(
        "imagecompat", token=server.token("imagecompat", namespace="imagecompat")
    )
    return {
        "server": {
            "host": "127.0.0.1",
            "port": free_port(),
            "statusPort": free_port(),
            "drainSeconds": 0,
            "certificate": str(folder / "tls.crt"),
            "privateKey": str(folder / "tls.key"),
        },
        "cluster": {"kubeconfig": str(kubeconfig)},
        "registry": {
            "hosts": {host: {"plainHttp": True, "loopback": True} for host in hosts}
        },
    }


@contextmanager
def serving(folder: Path, log: Path, url: str) -> Iterator[None]:
    """`imagecompat serve` as its own process; ready when entered."""
    with log.open("wb") as out:
        server = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "app",
                "serve",
                "--config",
                folder / "settings.yaml",
            ],
            stdout=out,
            stderr=out,
            env={k: v for k, v in os.environ.items() if not k.startswith("KUBE")},
        )
        try:
            _wait_ready(server, url, log)
            yield
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(timeout=30) == 0, log.read_text()


def _wait_ready(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    ends = time.monotonic() + 60
    while True:
        assert server.poll() is None, log.read_text()
        try:
            _get(f"{url}/readyz")
        except OSError:
            assert time.monotonic() < ends, log.read_text()
            time.sleep(0.05)
        else:
            return


def _get(url: str) -> str:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with urllib.request.urlopen(url, timeout=5, context=context) as answer:
        return str(answer.read().decode())


def _configure(server: ApiServer, folder: Path, url: str) -> None:
    ca = base64.b64encode((folder / "ca.crt").read_bytes()).decode()
    text = (MANIFESTS / "webhooks.yaml").read_text()
    made = Template(text).substitute(URL=url, CA_BUNDLE=ca)
    server.kubectl("apply", "-f", "-", stdin=made)
    for name, mode in (("staging", "warn"), ("strict", "enforce")):
        server.kubectl("create", "namespace", name)
        server.kubectl("label", "namespace", name, f"imagecompat.dev/mode={mode}")
    _wait_called(server)


def _wait_called(server: ApiServer) -> None:
    """New webhook configurations take the API server a moment."""
    probe = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "probe-"},
        "spec": {"containers": [{"name": "main", "image": "!"}]},
    }
    ends = time.monotonic() + 30
    text = json.dumps(probe)
    while True:
        done = server.kubectl(
            "create", "-f", "-", "--dry-run=server", stdin=text, check=False
        )
        if "[IC205]" in done.stderr:
            return
        assert time.monotonic() < ends, done.stderr
        time.sleep(0.1)


def _clean(server: ApiServer) -> None:
    for kind in ("validatingwebhookconfiguration", "mutatingwebhookconfiguration"):
        server.kubectl("delete", kind, "imagecompat")
    for name in NODES:
        server.kubectl("delete", "node", name)
        server.call("DELETE", f"{FEATURES}/nodefeatures/{name}")
    for name in ("default", "staging", "strict"):
        server.kubectl("delete", "pods,deployments", "--all", "-n", name, "--force")
    for name in ("staging", "strict", "imagecompat"):
        server.remove_namespace(name)


def recorded(name: str) -> dict[str, Any]:
    """The features of one of the demo's hosts."""
    path = resources.files("app.demo") / "data" / "hosts" / f"{name}.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _put_node(server: ApiServer, name: str) -> None:
    labels = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"labels": {**labels, "kubernetes.io/hostname": name}},
    }
    server.put("/api/v1/nodes", node, name)
    put_features(server, name, recorded(name))


def put_features(server: ApiServer, name: str, features: Mapping[str, Any]) -> None:
    """Creates or replaces what nfd-worker publishes of a node."""
    obj = {
        "apiVersion": "nfd.k8s-sigs.io/v1alpha1",
        "kind": "NodeFeature",
        "metadata": {
            "name": name,
            "namespace": NFD,
            "labels": {"nfd.node.kubernetes.io/node-name": name},
        },
        "spec": {"features": features, "labels": {}},
    }
    server.kubectl(
        "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(obj)
    )


def pod(name: str, image: str, **spec: object) -> dict[str, Any]:
    """A Pod with one container."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "main", "image": image}], **spec},
    }


def annotated(world: World, name: str, namespace: str = "default") -> dict[str, str]:
    """Our annotations on a stored Pod."""
    path = f"/api/v1/namespaces/{namespace}/pods/{name}"
    found = world.server.call("GET", path)["metadata"].get("annotations", {})
    return {k: v for k, v in found.items() if k.startswith("imagecompat.dev/")}


def test_a_pod_that_fits_is_created_and_annotated(world: World) -> None:
    done = world.create(pod("fits", world.image("cuda-12.4")))
    assert ("pod/fits created\n", "") == (done.stdout, done.stderr)
    found = annotated(world, "fits")
    assert "fits" == found["imagecompat.dev/verdict"]
    assert "candidates=3,fits=2,unknown=0" == found["imagecompat.dev/nodes"]
    specs = json.loads(found["imagecompat.dev/specs"])
    assert specs[world.image("cuda-12.4")].startswith("sha256:")


def test_a_pod_that_fits_nowhere_is_denied_with_this_text(world: World) -> None:
    image = world.image("cuda-13.0")
    done = world.create(pod("train", image))
    assert done.returncode == 1
    what = "local.label nvidia.com/cuda.runtime-version.full"
    expected = f"""\
Error from server (Forbidden): error when creating "STDIN": {PREFIX}\
[IC101] no node fits the image: 0 of 3 candidate nodes fit
container main: {image}, spec f8595d3f
- amzn2023-eks-p5, ubuntu2404-metal-h100: rule "CUDA driver API 13.0": {what}: \
want version >= 13.0, found 12.4 or 12.8
- rhel9-metal-dpdk: rule "NVIDIA GPU": pci.device: want one with \
class In [0300, 0302], vendor In [10de], found none; \
rule "CUDA driver API 13.0": {what}: want version >= 13.0, found absent
closest: amzn2023-eks-p5, 1 change would do: {what}: want version >= 13.0, found 12.4
counting the 3 nodes that exist now
"""
    assert expected == done.stderr


def test_in_a_warn_namespace_it_is_admitted_with_a_warning(world: World) -> None:
    done = world.create(pod("train", world.image("cuda-13.0")), "-n", "staging")
    assert done.stdout == "pod/train created\n"
    (line,) = done.stderr.splitlines()
    assert line.startswith(
        "Warning: [IC101] no node fits the image: 0 of 3 candidate nodes fit; closest"
    )
    found = annotated(world, "train", "staging")
    assert "does not fit" == found["imagecompat.dev/verdict"]


def test_an_image_without_a_spec_is_not_spoken_of(world: World) -> None:
    done = world.create(pod("plain", world.image("plain")))
    assert ("pod/plain created\n", "") == (done.stdout, done.stderr)


def test_two_images_that_fit_different_nodes_are_denied(world: World) -> None:
    both = pod("both", world.image("cuda-12.4"))
    dpdk = {"name": "dpdk", "image": world.image("dpdk-vfio-hugepages")}
    both["spec"]["containers"].append(dpdk)
    done = world.create(both)
    assert "[IC101] no node fits all images: 0 of 3 candidate nodes fit" in done.stderr


def test_the_fallback_tag_is_found_too(world: World) -> None:
    done = world.create(pod("fallback", f"{world.fallback}/team/cuda-13.0:1"))
    assert "[IC101] no node fits the image" in done.stderr


def test_setting_an_image_that_does_not_fit_is_denied(world: World) -> None:
    world.create(pod("web", world.image("plain"), nodeName="rhel9-metal-dpdk"))
    done = world.kubectl("set", "image", "pod/web", f"main={world.image('cuda-12.4')}")
    assert done.returncode == 1
    assert PREFIX in done.stderr
    assert "0 of 1 candidate node fit (excluded: NodeName 2)" in done.stderr
    other = world.kubectl("label", "pod", "web", "a=b")
    assert other.stdout == "pod/web labeled\n"


def test_debugging_a_pod_that_does_not_fit_works(world: World) -> None:
    misfit = pod("misfit", world.image("cuda-12.4"), nodeName="rhel9-metal-dpdk")
    assert world.create(misfit, "-n", "staging").returncode == 0
    world.kubectl(
        "label", "ns", "staging", "imagecompat.dev/mode=enforce", "--overwrite"
    )
    try:
        done = world.kubectl(
            "debug",
            "misfit",
            "-n",
            "staging",
            f"--image={world.image('plain')}",
            "--attach=false",
            "--profile=general",
        )
        denied = world.kubectl(
            "debug",
            "misfit",
            "-n",
            "staging",
            f"--image={world.image('cuda-13.0')}",
            "--attach=false",
            "--profile=general",
        )
    finally:
        world.kubectl(
            "label", "ns", "staging", "imagecompat.dev/mode=warn", "--overwrite"
        )
    assert done.returncode == 0, done.stderr
    path = "/api/v1/namespaces/staging/pods/misfit"
    (extra,) = world.server.call("GET", path)["spec"]["ephemeralContainers"]
    assert world.image("plain") == extra["image"]
    assert "[IC101]" in denied.stderr


def test_a_server_side_dry_run_is_judged_too(world: World) -> None:
    done = world.create(pod("dry", world.image("cuda-13.0")), "--dry-run=server")
    assert "[IC101]" in done.stderr
    assert any(review["dry_run"] for review in world.reviews())


def test_a_deployment_gets_its_warning(world: World) -> None:
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "train"},
        "spec": {
            "selector": {"matchLabels": {"app": "train"}},
            "template": {
                "metadata": {"labels": {"app": "train"}},
                "spec": pod("x", world.image("cuda-13.0"))["spec"],
            },
        },
    }
    done = world.create(deployment)
    assert done.stdout == "deployment.apps/train created\n"
    assert done.stderr.startswith(
        "Warning: [IC101] Deployment train: its Pods will be denied, as no node fits"
    )


def test_a_changed_node_feature_turns_the_verdict(world: World) -> None:
    name = "ubuntu2404-metal-h100"
    newer = recorded(name)
    labels = newer["attributes"]["local.label"]["elements"]
    labels["nvidia.com/cuda.runtime-version.full"] = "13.1"
    try:
        put_features(world.server, name, newer)
        done = until(
            lambda: world.create(pod("turned", world.image("cuda-13.0"))),
            lambda done: done.returncode == 0,
        )
        assert done.stdout == "pod/turned created\n"
    finally:
        put_features(world.server, name, recorded(name))
    until(
        lambda: world.create(
            pod("again", world.image("cuda-13.0")), "--dry-run=server"
        ),
        lambda done: "[IC101]" in done.stderr,
    )


def until(act: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
    """Repeats `act` until its result holds, at most 30 seconds."""
    ends = time.monotonic() + 30
    while True:
        result = act()
        if holds(result):
            return result
        assert time.monotonic() < ends, result
        time.sleep(0.1)


def test_a_registry_that_hangs_holds_the_first_pod_only(world: World) -> None:
    """The API server got both answers in its time: they carry our warning."""
    image = f"{world.silent}/team/app:1"
    before = len(world.reviews())
    for name in ("first", "second"):
        done = world.create(pod(name, image))
        assert done.stdout == f"pod/{name} created\n"
        assert done.stderr.startswith(f"Warning: [IC202] image {image} not judged")
    seconds = [review["seconds"] for review in world.reviews()[before:]]
    first, second = sum(seconds[:2]), sum(seconds[2:])
    assert len(seconds) == 4
    assert first <= (2 + 5) * 0.8 + 1
    assert second < first / 4


def test_the_webhook_may_read_nodes_and_nothing_else(world: World) -> None:
    user = "--as=system:serviceaccount:imagecompat:imagecompat"
    for verb, what, expected in (
        ("list", "nodes", "yes"),
        ("watch", "nodefeatures.nfd.k8s-sigs.io", "yes"),
        ("get", "secrets", "no"),
        ("list", "pods", "no"),
        ("patch", "nodes", "no"),
    ):
        done = world.kubectl("auth", "can-i", verb, what, user, "-A")
        assert expected == done.stdout.strip(), (verb, what)


def test_metrics_count_what_happened(world: World) -> None:
    text = _get(f"{world.status}/metrics")
    assert 'imagecompat_nodes{state="known"} 3.0' in text
    assert "imagecompat_ready 1.0" in text
    assert 'imagecompat_admission_causes_total{code="IC101"}' in text
    assert 'imagecompat_registry_requests_total{kind="resolve",outcome="2xx"}' in text


def test_the_state_of_the_process_tells_reasons_and_no_names(world: World) -> None:
    """Whoever reaches the port may read it."""
    text = _get(f"{world.status}/statusz")
    found = status.decode(text.encode())
    assert found.ready
    assert (len(NODES), 0) == (found.nodes.known, found.nodes.unknown)
    assert all(watch.is_synced for watch in found.watches)
    assert "IC101" in {code for one in found.decisions for code in one.codes}
    assert {"default"} <= {one.namespace for one in found.decisions}
    for secret in (*NODES, "kernel.", "cpu.", world.registry, "team/"):
        assert secret not in text
