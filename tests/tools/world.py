"""A cluster without machines, and the chart in it.

Three nodes with recorded features, images in layouts, and the release `imagecompat`
in the namespace `imagecompat`, whose Pods run as processes of this machine.
"""

from __future__ import annotations

import contextlib
import json
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from app.demo import images
from tests.tools.client import ApiError, Client
from tests.tools.helm import CHART, NAMESPACE, RELEASE, Helm, Values, merged
from tests.tools.kubelet import Kubelet
from tests.tools.load import Ask, Load
from tests.tools.replica import Conditions, Replica
from tests.tools.servers import ApiServer, Etcd

NFD: Final = "node-feature-discovery"
NODES: Final = ("amzn2023-eks-p5", "rhel9-metal-dpdk", "ubuntu2404-metal-h100")
FEATURES: Final = f"/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/{NFD}/nodefeatures"
VALIDATING: Final = "validatingwebhookconfigurations"
MUTATING: Final = "mutatingwebhookconfigurations"
REGISTRATION: Final = "/apis/admissionregistration.k8s.io/v1"

FITS: Final = "registry.example.com/ml/trainer:12.4"
FITS_NOWHERE: Final = "registry.example.com/ml/trainer:13.0"
PLAIN: Final = "registry.example.com/plain/web:1.27"
MISFIT: Final = "[IC101]"

ASKS: Final = (Ask(FITS), Ask(FITS_NOWHERE, MISFIT), Ask(PLAIN))
"""What a webhook that is there answers."""
HARMLESS: Final = (Ask(FITS), Ask(PLAIN))
"""What is admitted with a webhook and without."""

VALUES: Final[Values] = {
    "registry": {"layoutRoot": "/layouts"},
    "server": {"drainSeconds": 6, "shutdownSeconds": 4, "checkSeconds": 0.5},
    "certificates": {"publishSeconds": 1},
    "webhook": {"timeoutSeconds": 20, "annotateTimeoutSeconds": 10},
}
"""What the tests change of the chart: images, less patience when something ends, and
more where a busy machine is no fault of ours."""

_Result = TypeVar("_Result")


def until(
    act: Callable[[], _Result],
    holds: Callable[[_Result], object],
    seconds: float = 60.0,
) -> _Result:
    """Repeats `act` until its result holds.

    Raises:
        AssertionError: it never did; with the last result.
    """
    ends = time.monotonic() + seconds
    while True:
        result = act()
        if holds(result):
            return result
        assert time.monotonic() < ends, f"not in time, last: {result}"
        time.sleep(0.05)


class Cluster:
    """The API server, and what runs Pods."""

    def __init__(self, server: ApiServer, folder: Path) -> None:
        self.server: Final = server
        self.folder: Final = folder
        self._kubelets = 0

    def kubelet(self, **options: Any) -> Kubelet:
        """One for the release's namespace, to be entered."""
        self._kubelets += 1
        conditions = options.pop(
            "conditions", Conditions(mounts={"/layouts": self.folder / "layouts"})
        )
        folder = self.folder / f"kubelet-{self._kubelets}"
        return Kubelet(
            self.server, folder, [NAMESPACE], conditions=conditions, **options
        )

    def create(
        self,
        image: str,
        *flags: str,
        namespace: str = "default",
        name: str = "",
        spec: Mapping[str, Any] | None = None,
    ) -> Any:
        """`kubectl create -f -` of a Pod; never raises."""
        meta = {"name": name} if name else {"generateName": "pod-"}
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**meta, "namespace": namespace},
            "spec": {"containers": [{"name": "main", "image": image}], **(spec or {})},
        }
        text = json.dumps(body)
        return self.server.kubectl("create", "-f", "-", *flags, stdin=text, check=False)

    def post(
        self,
        image: str,
        *,
        namespace: str = "default",
        spec: Mapping[str, Any] | None = None,
    ) -> str:
        """Creates a Pod as a dry run; the error, or nothing if it is admitted."""
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"generateName": "pod-"},
            "spec": {"containers": [{"name": "main", "image": image}], **(spec or {})},
        }
        try:
            with Client(self.server) as client:
                path = f"/api/v1/namespaces/{namespace}/pods?dryRun=All"
                client.call("POST", path, body)
        except ApiError as error:
            return error.message
        return ""

    def put_features(self, name: str) -> None:
        """What nfd-worker publishes of one of the nodes."""
        path = resources.files("app.demo") / "data" / "hosts" / f"{name}.json"
        obj = {
            "apiVersion": "nfd.k8s-sigs.io/v1alpha1",
            "kind": "NodeFeature",
            "metadata": {"labels": {"nfd.node.kubernetes.io/node-name": name}},
            "spec": {"features": json.loads(path.read_text()), "labels": {}},
        }
        with contextlib.suppress(RuntimeError):
            self.server.call("DELETE", f"{FEATURES}/{name}")
        self.server.put(FEATURES, obj, name)

    def put_node(self, name: str, **labels: str) -> None:
        """A Node without features."""
        standard = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
        standard["kubernetes.io/hostname"] = name
        meta = {"labels": {**standard, **labels}}
        node = {"apiVersion": "v1", "kind": "Node", "metadata": meta}
        self.server.put("/api/v1/nodes", node, name)

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the API server's own metric over all series with these labels."""
        total = 0.0
        for line in str(self.server.call("GET", "/metrics")).splitlines():
            wanted = all(f'{key}="{value}"' in line for key, value in labels.items())
            if line.startswith(f"{name}{{") and wanted:
                total += float(line.rpartition(" ")[2])
        return total

    def failed_open(self) -> float:
        """How often an admission went on without our answer."""
        name = "apiserver_admission_webhook_fail_open_count"
        return self.metric(name)

    @contextlib.contextmanager
    def load(
        self, asks: Sequence[Ask] = ASKS, *, per_second: float = 20.0
    ) -> Iterator[Load]:
        """Asks in the background; a call that failed open is a failure, too.

        With `Fail` those of the mutating webhook do, which nobody would notice.
        """
        before = self.failed_open()
        with Load(self.server, asks, per_second=per_second) as load:
            yield load
        lost = self.failed_open() - before
        if lost:
            load.result.failures.append(f"in all: {lost:.0f} calls failed open")

    def configurations(self) -> dict[str, Any]:
        """Those of the release that are there, by kind."""
        found = {}
        for kind in (VALIDATING, MUTATING):
            for one in self.server.call("GET", f"{REGISTRATION}/{kind}")["items"]:
                if one["metadata"]["name"] == RELEASE:
                    found[kind] = one
        return found


class Release:
    """The chart, installed; taken away when left."""

    def __init__(self, cluster: Cluster, helm: Helm) -> None:
        self._cluster: Final = cluster
        self.helm: Final = helm
        self._values: Values = VALUES

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.helm.run("uninstall", RELEASE, "--ignore-not-found", check=False)
        for kind in (VALIDATING, MUTATING):
            with contextlib.suppress(RuntimeError):
                path = f"{REGISTRATION}/{kind}/{RELEASE}"
                self._cluster.server.call("DELETE", path)

    def install(self, values: Values | None = None, chart: Path = CHART) -> str:
        """Installs, or upgrades with values on top of those of before."""
        self._values = merged(self._values, values or {})
        return self.helm.install(self._values, chart)

    def wait_called(self) -> None:
        """Until a Pod that fits nowhere is denied, which needs all of the way."""
        until(lambda: self._cluster.post(FITS_NOWHERE), lambda said: MISFIT in said)

    def serve(self, kubelet: Kubelet, values: Values | None = None) -> list[Replica]:
        """Installs, and waits until its replicas answer."""
        self.install(values)
        replicas = kubelet.wait_ready(int(self._values.get("replicaCount", 2)))
        self.wait_called()
        return replicas


def restricted(image: str) -> dict[str, Any]:
    """The spec of a Pod that our own namespace, which is `restricted`, accepts."""
    hardened = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }
    return {
        "securityContext": {
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [{"name": "main", "image": image, "securityContext": hardened}],
    }


def read(replica: Replica, path: str) -> str:
    """GETs from a replica's status port."""
    url = f"http://127.0.0.1:{replica.port('status')}{path}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return str(answer.read().decode())


@contextlib.contextmanager
def started(folder: Path) -> Iterator[Cluster]:
    """Everything but the release; Nodes and their features are there."""
    images.write(folder / "layouts")
    flags = ["--enable-aggregator-routing=true"]
    with (
        Etcd(folder / "etcd") as etcd,
        ApiServer(folder / "one", etcd, flags=flags) as server,
    ):
        cluster = Cluster(server, folder)
        _furnish(cluster)
        yield cluster


def _furnish(cluster: Cluster) -> None:
    server = cluster.server
    crd = Path(__file__).parents[1] / "integration" / "nodefeature-crd.json"
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    server.call("POST", crds, json.loads(crd.read_text()))
    until(lambda: _is_served(server), bool)
    restricted = {"pod-security.kubernetes.io/enforce": "restricted"}
    for name, labels in ((NFD, {}), (NAMESPACE, restricted), ("kube-system", {})):
        meta = {"metadata": {"labels": labels}}
        body = {"apiVersion": "v1", "kind": "Namespace", **meta}
        server.put("/api/v1/namespaces", body, name)
    for name in NODES:
        cluster.put_node(name)
        cluster.put_features(name)


def _is_served(server: ApiServer) -> bool:
    try:
        server.call("GET", f"{FEATURES}?limit=1")
    except RuntimeError:
        return False
    return True
