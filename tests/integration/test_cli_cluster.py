"""`selftest` and `status` on a real API server.

The chart is installed by Helm, its Pods are processes of this machine, and what the
commands see of them goes through the API server's own Pod proxy.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import operator
import os
import re
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tools import needed
from tests.tools.helm import ROOT, Helm
from tests.tools.kubelet import Kubelet, own_address
from tests.tools.replica import Conditions, Replica
from tests.tools.servers import ApiServer, Rule
from tests.tools.volumes import Subject
from tests.tools.world import (
    REGISTRATION,
    VALIDATING,
    Cluster,
    Release,
    started,
    until,
)

pytestmark = pytest.mark.integration

ONE_REPLICA = {"replicaCount": 1, "registry": {"layoutRoot": None}}
"""With our own folder of layouts, the chart brings the self-test's image."""
HOOK = "helm.sh/hook"
DENIED = (
    "ok: the Pod was denied: [IC101] no node fits the image: "
    "0 of 3 candidate nodes fit\n"
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    needed.programs(*needed.CLUSTER)
    with started(tmp_path_factory.mktemp("cli")) as cluster:
        yield cluster


@contextlib.contextmanager
def forwarded(address: str, target: Callable[[], int]) -> Iterator[int]:
    """A port at `address` that leads to a port of this machine's loopback.

    The kubelet of the tests gives every Pod ports of its own; this one is where the
    Pod object says that it is.
    """
    with socket.create_server((address, 0)) as listener:
        threading.Thread(target=_forward, args=(listener, target), daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def _forward(listener: socket.socket, target: Callable[[], int]) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client, socket.create_connection(("127.0.0.1", target())) as server:
            _pump(client, server)


def _pump(client: socket.socket, server: socket.socket) -> None:
    """Until either side has nothing more to say."""
    other = {client: server, server: client}
    while True:
        readable, _, _ = select.select([client, server], [], [], 30)
        for one in readable:
            content = one.recv(65536)
            if not content:
                return
            other[one].sendall(content)
        if not readable:
            return


@dataclass(frozen=True)
class Installed:
    """A release with one replica."""

    cluster: Cluster
    kubelet: Kubelet

    @property
    def server(self) -> ApiServer:
        """Its API server."""
        return self.cluster.server

    @property
    def url(self) -> str:
        """The replica's status port."""
        (replica,) = self.kubelet.replicas()
        return f"http://127.0.0.1:{replica.port('status')}"


@pytest.fixture(scope="module")
def installed(cluster: Cluster) -> Iterator[Installed]:
    helm = Helm("helm4", cluster.server, cluster.folder / "helm4")
    with cluster.kubelet() as kubelet:
        target = lambda: kubelet.replicas()[0].port("status")  # noqa: E731
        with forwarded(own_address(), target) as port, Release(cluster, helm) as one:
            one.install({**ONE_REPLICA, "server": {"statusPort": port}})
            kubelet.wait_ready(1)
            yield Installed(cluster, kubelet)


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    status: int
    out: str
    err: str


def run(*arguments: str, kubeconfig: Path) -> Ran:
    """`imagecompat ARGUMENTS`, as its user runs it."""
    keep = {k: v for k, v in os.environ.items() if k.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env={**keep, "KUBECONFIG": str(kubeconfig), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def admin(one: Installed, *arguments: str) -> Ran:
    return run(*arguments, kubeconfig=one.server.kubeconfig)


def problems(one: Installed, *arguments: str) -> dict[str, str]:
    """Reason -> what is wrong, as `status -o json` tells."""
    ran = admin(one, "status", "-o", "json", *arguments)
    found = json.loads(ran.out)["problems"]
    assert (1 if found else 0) == ran.status, ran
    return {it["reason"]: it["problem"] for it in found}


# selftest ------------------------------------------------------------------------


def test_a_fresh_installation_passes_the_self_test(installed: Installed) -> None:
    assert Ran(0, DENIED, "") == admin(installed, "selftest", "--timeout", "60")


def test_the_right_to_create_pods_is_enough(installed: Installed) -> None:
    rule: Rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]}
    config = installed.server.service_account("tester", [rule])
    assert DENIED == run("selftest", kubeconfig=config).out


def test_helms_own_test_pod_passes_with_its_own_account(
    installed: Installed, tmp_path: Path
) -> None:
    """`helm test` without a kubelet: its hooks by kubectl, its Pod as a process."""
    helm = Helm("helm4", installed.server, installed.cluster.folder / "helm4")
    hooks = list(yaml.safe_load_all(helm.run("get", "hooks", "imagecompat").stdout))
    tests = [one for one in hooks if one["metadata"]["annotations"][HOOK] == "test"]
    (pod,) = (one for one in tests if one["kind"] == "Pod")
    rights = [one for one in tests if one["kind"] != "Pod"]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": rights})
    installed.server.kubectl("apply", "-f", "-", stdin=text)
    subject = Subject("imagecompat", pod["metadata"]["name"], pod["spec"])
    replica = Replica(installed.server, subject, tmp_path / "pod", Conditions())
    try:
        said = until(replica.said, lambda said: "Pod was" in said)
    finally:
        replica.stop()
        replica.join()
        installed.server.kubectl("delete", "-f", "-", stdin=text)
    assert said.startswith(DENIED), said


@contextlib.contextmanager
def namespace(one: Installed, name: str, **labels: str) -> Iterator[None]:
    """A Namespace for a while; labels are ours."""
    meta = {"labels": {f"imagecompat.dev/{key}": text for key, text in labels.items()}}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
    one.server.put("/api/v1/namespaces", body, name)
    try:
        yield
    finally:
        one.server.remove_namespace(name)


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        pytest.param(
            "warn", "ok: the Pod was warned about: [IC101] no node", id="warn"
        ),
        pytest.param(
            "audit",
            "ok: the Pod was annotated imagecompat.dev/verdict: does not fit\n",
            id="audit",
        ),
    ],
)
def test_a_milder_mode_is_told(installed: Installed, mode: str, words: str) -> None:
    with namespace(installed, f"mode-{mode}", mode=mode):
        ran = until(
            lambda: admin(installed, "selftest", "-n", f"mode-{mode}"),
            lambda ran: ran.out.startswith(words),
        )
    assert 0 == ran.status


@pytest.mark.parametrize(
    ("name", "mode", "words"),
    [
        pytest.param("kube-system", "", "namespace kube-system is exempt", id="exempt"),
        pytest.param("mode-off", "off", "imagecompat.dev/mode=off", id="off"),
    ],
)
def test_silence_is_explained(
    installed: Installed, name: str, mode: str, words: str
) -> None:
    with contextlib.ExitStack() as stack:
        if mode:
            stack.enter_context(namespace(installed, name, mode=mode))
        ran = until(
            lambda: admin(installed, "selftest", "-n", name, "--timeout", "0"),
            lambda ran: ran.status == 1,
        )
    assert ran.err.startswith("failed: the Pod was admitted without a word\nproblem: ")
    assert words in ran.err


def test_what_the_user_got_wrong_or_may_not_do_is_told_apart(
    installed: Installed,
) -> None:
    wrong = admin(installed, "selftest", "-n", "nowhere")
    assert (2, True) == (wrong.status, "there is no namespace nowhere" in wrong.err)
    nobody = installed.server.service_account("nobody")
    denied = run("selftest", "--timeout", "1", kubeconfig=nobody)
    assert (3, True) == (denied.status, "could not find out" in denied.err)
    stranger = installed.server.write_kubeconfig("stranger", token="nonsense")
    unknown = run("selftest", "--timeout", "1", kubeconfig=stranger)
    assert (3, True) == (unknown.status, "401" in unknown.err)


# status --------------------------------------------------------------------------


def test_a_healthy_installation_has_no_problems(installed: Installed) -> None:
    """Helm's fields are Helm's, `caBundle` is ours, and it is what is served."""
    assert DENIED == admin(installed, "selftest").out
    ran = until(lambda: admin(installed, "status"), lambda ran: ran.status == 0)
    assert ran.out.startswith("no problems\n")
    assert "imagecompat in namespace imagecompat: 1 of 1 Pods ready" in ran.out
    assert "mode enforce; namespaces may choose: any" in ran.out
    assert "IC101" in ran.out, "the self-test is among the decisions"
    assert not any(name in ran.out for name in ("rhel9", "ubuntu2404", "amzn2023"))


def test_json_holds_the_document_of_every_replica(installed: Installed) -> None:
    found = json.loads(admin(installed, "status", "--output", "json").out)
    (replica,) = found["replicas"]
    assert (3, 0) == tuple(replica["status"]["nodes"].values())
    assert {"pods.imagecompat.dev", "annotate.pods.imagecompat.dev"} <= {
        it["name"] for it in found["webhooks"]
    }
    assert 1 == found["readyEndpoints"]


class _Older(http.server.BaseHTTPRequestHandler):
    """A replica of another version that has other settings."""

    def do_GET(self) -> None:
        content = {"version": 1, "software": "0.0.9", "ready": True}
        rules = {"mode": "warn", "annotate": True}
        body = json.dumps({**content, "rules": rules}).encode()
        self.send_response(200 if self.path == "/statusz" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextlib.contextmanager
def second_pod(one: Installed) -> Iterator[None]:
    """A Pod beside the real one, with a port of its own."""
    path = "/api/v1/namespaces/imagecompat/pods"
    (first,) = one.server.call("GET", path)["items"]
    address = own_address()
    with http.server.ThreadingHTTPServer((address, 0), _Older) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        spec = first["spec"]
        for port in spec["containers"][0]["ports"]:
            if port["name"] == "status":
                port["containerPort"] = server.server_address[1]
        meta = {"name": "second", "labels": first["metadata"]["labels"]}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
        one.server.call("POST", path, pod)
        state = {"phase": "Running", "podIP": address, "podIPs": [{"ip": address}]}
        kind = "application/merge-patch+json"
        at = f"{path}/second/status"
        one.server.call("PATCH", at, {"status": state}, content_type=kind)
        try:
            yield
        finally:
            one.server.call("DELETE", f"{path}/second?gracePeriodSeconds=0")
            server.shutdown()


def test_replicas_that_disagree_are_named(installed: Installed) -> None:
    with second_pod(installed):
        ran = admin(installed, "status")
    assert 1 == ran.status
    (first,) = installed.kubelet.replicas()
    for what in ("their version", "modes and policies"):
        assert f"problem: {first.name}, second disagree about {what}, do: " in ran.out


def test_one_replica_is_asked_at_its_own_port(installed: Installed) -> None:
    nobody = installed.server.service_account("nobody")
    ran = run("status", "--url", installed.url, kubeconfig=nobody)
    assert (0, True) == (ran.status, ran.out.startswith("no problems\n")), ran


@pytest.mark.parametrize(
    ("url", "status", "words"),
    [
        pytest.param("http://127.0.0.1:1", 3, "no answer", id="nobody there"),
        pytest.param("127.0.0.1:8080", 2, "expected http://HOST:PORT", id="no URL"),
    ],
)
def test_an_address_that_does_not_answer_is_told(
    installed: Installed, url: str, status: int, words: str
) -> None:
    ran = admin(installed, "status", "--url", url)
    assert (status, True) == (ran.status, words in ran.err)


def test_another_server_at_that_port_is_told(installed: Installed) -> None:
    for path in ("/livez", ""):
        ran = admin(installed, "status", "--url", f"{installed.url}{path}/x")
        assert (3, True) == (ran.status, "answered 404" in ran.err)


def test_a_label_that_is_no_mode_is_a_problem(installed: Installed) -> None:
    with namespace(installed, "typo", mode="enforced"):
        assert (
            "typo has the label imagecompat.dev/mode=enforced"
            in (problems(installed)["ModeUnknown"])
        )


def test_features_that_do_not_count_are_a_problem(installed: Installed) -> None:
    path = "/apis/nfd.k8s-sigs.io/v1alpha1/namespaces/tenant/nodefeatures"
    feature = {"apiVersion": "nfd.k8s-sigs.io/v1alpha1", "kind": "NodeFeature"}
    with namespace(installed, "tenant"):
        installed.server.put(path, {**feature, "spec": {"features": {}}}, "forged")
        try:
            found = problems(installed)["UntrustedFeatures"]
        finally:
            installed.server.call("DELETE", f"{path}/forged")
    assert "NodeFeatures in tenant do not count here" in found


def test_a_foreign_manager_is_named(installed: Installed) -> None:
    """Incident 17: somebody edits what Helm has set; we tell, and do not fight."""
    path = f"{REGISTRATION}/{VALIDATING}/imagecompat"
    before = installed.server.call("GET", path)["webhooks"][0]["namespaceSelector"]
    edited = {**before, "matchLabels": {"edited": "by-hand"}}
    _patch(installed, "namespaceSelector", edited, manager="aks-enforcer")
    try:
        found = problems(installed)["ConfigurationEdited"]
        after = installed.server.call("GET", path)["webhooks"][0]["namespaceSelector"]
    finally:
        _patch(installed, "namespaceSelector", before, manager="helm")
    assert "aks-enforcer changed namespaceSelector of pods.imagecompat.dev" in found
    assert {"edited": "by-hand"} == after["matchLabels"]


def _patch(one: Installed, field: str, value: Any, *, manager: str) -> None:
    """Changes a field of the webhook for Pods, in somebody's name."""
    path = f"{REGISTRATION}/{VALIDATING}/imagecompat?fieldManager={manager}"
    patch = [{"op": "replace", "path": f"/webhooks/0/{field}", "value": value}]
    kind = "application/json-patch+json"
    one.server.call("PATCH", path, patch, content_type=kind)


def test_nodes_without_features_are_named_to_who_may_see_them(
    installed: Installed,
) -> None:
    installed.cluster.put_node("bare")
    installed.cluster.put_node("virtual", type="virtual-kubelet")
    try:
        ran = until(
            lambda: admin(installed, "status", "--nodes", "-o", "json"),
            lambda ran: '"unknown": 2' in ran.out,
        )
    finally:
        for name in ("bare", "virtual"):
            installed.server.call("DELETE", f"/api/v1/nodes/{name}")
    assert ["bare"] == json.loads(ran.out)["nodesWithoutFeatures"]


def test_what_the_user_may_not_read_is_told(installed: Installed) -> None:
    pods: Rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
    config = installed.server.service_account("viewer", [pods])
    ran = run("status", kubeconfig=config)
    assert 3 == ran.status
    for what in ("/statusz of imagecompat-", "validating configurations", "namespaces"):
        assert f"not seen: {what}" in ran.out
    assert "problem: " not in ran.out


def test_the_right_to_proxy_pods_shows_every_replica(installed: Installed) -> None:
    rules: list[Rule] = [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": ["pods/proxy"], "verbs": ["get"]},
    ]
    config = installed.server.service_account("proxy", rules)
    ran = run("status", "-o", "json", kubeconfig=config)
    (replica,) = json.loads(ran.out)["replicas"]
    assert replica["status"]["ready"] is True


RIGHTS = re.compile(r"<!-- rights -->\n+```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_the_rights_that_the_page_lists_show_everything(installed: Installed) -> None:
    """No more and no less: without any of the rules something is not seen."""
    (text,) = RIGHTS.findall((ROOT / "docs/reference/commands.md").read_text())
    cluster_role, role = yaml.safe_load_all(text)
    config = installed.server.service_account("reader")
    for left_out in (None, *cluster_role["rules"], *role["rules"]):
        _bind(installed, cluster_role, role, left_out)
        holds = bool if left_out else operator.not_
        until(lambda: _not_seen(config), holds)


def _not_seen(kubeconfig: Path) -> list[str]:
    """What `status --nodes` could not read."""
    ran = run("status", "--nodes", "-o", "json", kubeconfig=kubeconfig)
    found: list[str] = json.loads(ran.out)["notSeen"]
    return found


def _bind(one: Installed, cluster_role: Any, role: Any, left_out: Any) -> None:
    """Gives the account `reader` all rules but one."""
    group = "rbac.authorization.k8s.io"
    path = f"/apis/{group}/v1"
    name = "imagecompat-status"
    account = {"kind": "ServiceAccount", "name": "reader", "namespace": "default"}
    for body, prefix, plural in (
        (cluster_role, path, "clusterroles"),
        (role, f"{path}/namespaces/imagecompat", "roles"),
    ):
        rules = [it for it in body["rules"] if it is not left_out]
        one.server.put(f"{prefix}/{plural}", {**body, "rules": rules}, name)
        binding = {
            "apiVersion": body["apiVersion"],
            "kind": f"{body['kind']}Binding",
            "roleRef": {"apiGroup": group, "kind": body["kind"], "name": name},
            "subjects": [account],
        }
        one.server.put(f"{prefix}/{plural[:-1]}bindings", binding, name)


def test_a_release_that_is_not_there_is_a_problem(installed: Installed) -> None:
    ran = admin(installed, "status", "--release", "other")
    assert 1 == ran.status
    assert "there is no Pod of release other in namespace imagecompat" in ran.out


def test_without_a_replica_the_missing_endpoint_is_named(installed: Installed) -> None:
    """Under Ignore nobody else tells; under Fail the API server does."""
    scale = ("scale", "deployment/imagecompat", "-n", "imagecompat")
    installed.server.kubectl(*scale, "--replicas=0")
    try:
        installed.kubelet.wait_gone()
        silent = until(
            lambda: admin(installed, "selftest", "--timeout", "0"),
            lambda ran: "no ready endpoint" in ran.err,
        )
        assert silent.err.startswith("failed: the Pod was admitted without a word")
        assert "nobody answers the API server" in problems(installed)["NoEndpoint"]
        _patch(installed, "failurePolicy", "Fail", manager="helm")
        refused = until(
            lambda: admin(installed, "selftest", "--timeout", "0"),
            lambda ran: "could not ask" in ran.err,
        )
        assert 1 == refused.status
        assert 'failed calling webhook "pods.imagecompat.dev"' in refused.err
        assert "no ready endpoint" in refused.err
    finally:
        _patch(installed, "failurePolicy", "Ignore", manager="helm")
        installed.server.kubectl(*scale, "--replicas=1")
        installed.kubelet.wait_ready(1)


def test_a_configuration_that_is_gone_is_told_by_both(installed: Installed) -> None:
    path = f"{REGISTRATION}/{VALIDATING}"
    saved = installed.server.call("GET", f"{path}/imagecompat")
    installed.server.call("DELETE", f"{path}/imagecompat")
    try:
        assert "nothing is judged" in problems(installed)["ConfigurationMissing"]
        ran = until(
            lambda: admin(installed, "selftest", "--timeout", "0"),
            lambda ran: ran.status == 1,
        )
        assert "no ValidatingWebhookConfiguration has a webhook pods" in ran.err
    finally:
        for key in ("resourceVersion", "uid", "managedFields", "creationTimestamp"):
            saved["metadata"].pop(key)
        installed.server.call("POST", path, saved)
