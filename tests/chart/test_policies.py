"""The chart's policies as a real API server enforces them.

What RBAC grants is `tests/incidents/test_access.py`'s.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.chart import rendering
from tests.tools.servers import ApiServer

NAMESPACE: Final = rendering.NAMESPACE
WAIT_SECONDS: Final = 40.0
"""Policies take effect when the API server's own watches have seen them."""

SETS: Final = ("policies.self=true", "policies.namespaceLabel=true")


@pytest.fixture(scope="module")
def installed(apiserver: ApiServer) -> Iterator[ApiServer]:
    """The chart with both policies, and a service account that edits Namespaces."""
    rendered = rendering.objects(sets=SETS, flags=("--no-hooks",))
    text = yaml.safe_dump_all(rendered)
    apiserver.kubectl("apply", "--server-side", "--filename=-", stdin=text)
    yield apiserver
    apiserver.kubectl("delete", "--wait=false", "--filename=-", stdin=text)


def eventually(holds: Any) -> None:
    """Waits until it holds."""
    ends = time.monotonic() + WAIT_SECONDS
    while not holds():
        assert time.monotonic() < ends, "this did not happen in time"
        time.sleep(0.2)


def patch(
    server: ApiServer, kubeconfig: Path, kind: str, operations: list[dict[str, Any]]
) -> str:
    """What is said to a JSON patch of our configuration; empty if it was taken."""
    done = server.kubectl(
        "patch",
        kind,
        "imagecompat",
        "--type=json",
        f"--patch={json.dumps(operations)}",
        kubeconfig=kubeconfig,
        check=False,
    )
    return done.stderr if done.returncode else ""


@pytest.fixture(scope="module")
def ours(installed: ApiServer) -> Path:
    """The kubeconfig of our ServiceAccount; the policy about it is in force."""
    token = installed.token("imagecompat", namespace=NAMESPACE)
    path = installed.write_kubeconfig("ours", token=token)
    probe = [{"op": "replace", "path": "/webhooks/0/timeoutSeconds", "value": 29}]
    undo = [{"op": "replace", "path": "/webhooks/0/timeoutSeconds", "value": 5}]
    kind = "validatingwebhookconfiguration"

    def refused() -> bool:
        said = patch(installed, path, kind, probe)
        patch(installed, installed.kubeconfig, kind, undo)
        return "caBundle only" in said

    eventually(refused)
    return path


KINDS: Final = ("validatingwebhookconfiguration", "mutatingwebhookconfiguration")


@pytest.mark.parametrize("kind", KINDS)
def test_our_service_account_may_change_trust(
    installed: ApiServer, ours: Path, kind: str
) -> None:
    pem = installed.ca.read_bytes()
    value = base64.b64encode(pem).decode()
    change = {"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": value}
    assert "" == patch(installed, ours, kind, [change])
    found = json.loads(installed.kubectl("get", kind, "imagecompat", "-ojson").stdout)
    assert value == found["webhooks"][0]["clientConfig"]["caBundle"]


OTHER: Final = {
    "name": "pods.elsewhere.example",
    "rules": [],
    "failurePolicy": "Fail",
    "matchPolicy": "Exact",
    "sideEffects": "None",
    "timeoutSeconds": 30,
    "namespaceSelector": {},
    "objectSelector": {"matchLabels": {"a": "b"}},
    "matchConditions": [],
    "clientConfig/service/name": "elsewhere",
    "clientConfig/service/namespace": "elsewhere",
    "clientConfig/service/path": "/elsewhere",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("field", OTHER)
def test_our_service_account_may_change_nothing_else(
    installed: ApiServer, ours: Path, kind: str, field: str
) -> None:
    path = f"/webhooks/0/{field}"
    value = OTHER[field]
    operation = {"op": "add", "path": path, "value": value}
    assert "caBundle only" in patch(installed, ours, kind, [operation])


METADATA: Final = {
    "labels/app.kubernetes.io~1instance": "other",
    "annotations": {"a": "b"},
    "finalizers": ["imagecompat.dev/forever"],
    "ownerReferences": [
        {"apiVersion": "v1", "kind": "Namespace", "name": "default", "uid": "1"}
    ],
}


@pytest.mark.parametrize("field", METADATA)
def test_nor_what_others_find_and_end_it_by(
    installed: ApiServer, ours: Path, field: str
) -> None:
    operation = {"op": "add", "path": f"/metadata/{field}", "value": METADATA[field]}
    for kind in KINDS:
        assert "caBundle only" in patch(installed, ours, kind, [operation])


def test_nor_the_way_to_the_webhook_nor_its_reinvocation(
    installed: ApiServer, ours: Path
) -> None:
    elsewhere = [
        {"op": "remove", "path": "/webhooks/0/clientConfig/service"},
        {
            "op": "add",
            "path": "/webhooks/0/clientConfig/url",
            "value": "https://elsewhere.example/",
        },
    ]
    for kind in KINDS:
        assert "clientConfig" in patch(installed, ours, kind, elsewhere)
    never = {"op": "replace", "path": "/webhooks/0/reinvocationPolicy"}
    said = patch(installed, ours, KINDS[1], [{**never, "value": "Never"}])
    assert "reinvocationPolicy" in said


def test_nor_the_number_of_webhooks(installed: ApiServer, ours: Path) -> None:
    gone = [{"op": "remove", "path": "/webhooks/0"}]
    assert "caBundle only" in patch(installed, ours, KINDS[0], gone)


@pytest.mark.usefixtures("ours")
def test_the_admin_may_change_all_of_it(installed: ApiServer) -> None:
    for seconds in (7, 5):
        change = {"op": "replace", "path": "/webhooks/0/timeoutSeconds"}
        value = [{**change, "value": seconds}]
        assert "" == patch(installed, installed.kubeconfig, KINDS[0], value)


LABEL: Final = "imagecompat.dev/mode"


@pytest.fixture(scope="module")
def editor(installed: ApiServer) -> Path:
    """Who may edit Namespaces, and no more; the policy about the label is in force."""
    rules = [
        {
            "apiGroups": [""],
            "resources": ["namespaces", "namespaces/status", "namespaces/finalize"],
            "verbs": ["get", "patch", "update", "create"],
        }
    ]
    path = installed.service_account("editor", rules)
    body = {"apiVersion": "v1", "kind": "Namespace"}
    installed.put("/api/v1/namespaces", body, "team")

    def refused() -> bool:
        said = label(installed, path, "mode=off")
        label(installed, installed.kubeconfig, "mode-")
        return "exemptions" in said

    eventually(refused)
    return path


def label(server: ApiServer, kubeconfig: Path, change: str) -> str:
    """What is said to a change of the label; empty if it was taken."""
    done = server.kubectl(
        "label",
        "--overwrite",
        "namespace",
        "team",
        f"imagecompat.dev/{change}",
        kubeconfig=kubeconfig,
        check=False,
    )
    return done.stderr if done.returncode else ""


def test_who_may_edit_a_namespace_may_not_choose_its_mode(
    installed: ApiServer, editor: Path
) -> None:
    assert "Forbidden" in label(installed, editor, "mode=warn")
    assert "" == label(installed, editor, "other=warn")
    assert "" == label(installed, installed.kubeconfig, "mode=warn")
    assert "exemptions" in label(installed, editor, "mode=off")
    assert "exemptions" in label(installed, editor, "mode-")
    assert "" == label(installed, editor, "other-")


@pytest.mark.parametrize("subresource", ["status", "finalize"])
def test_nor_by_way_of_a_subresource(
    installed: ApiServer, editor: Path, subresource: str
) -> None:
    """Labels are written there, too."""
    assert "exemptions" in replaced(installed, editor, subresource, {LABEL: "off"})
    assert "" == replaced(installed, editor, subresource, {"way": subresource})
    found = json.loads(installed.kubectl("get", "namespace", "team", "-ojson").stdout)
    assert subresource == found["metadata"]["labels"]["way"]


def replaced(
    server: ApiServer, kubeconfig: Path, subresource: str, labels: dict[str, str]
) -> str:
    """What is said to a Namespace with more labels, put there; empty if taken."""
    body = json.loads(server.kubectl("get", "namespace", "team", "-ojson").stdout)
    body["metadata"].pop("managedFields", None)
    body["metadata"]["labels"] = body["metadata"].get("labels", {}) | labels
    done = server.kubectl(
        "replace",
        f"--raw=/api/v1/namespaces/team/{subresource}",
        "--filename=-",
        stdin=json.dumps(body),
        kubeconfig=kubeconfig,
        check=False,
    )
    return done.stderr if done.returncode else ""


def test_nor_of_a_namespace_that_is_new(installed: ApiServer, editor: Path) -> None:
    def create(name: str, labels: dict[str, str]) -> str:
        body = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": labels},
        }
        done = installed.kubectl(
            "create",
            "--dry-run=server",
            "--filename=-",
            stdin=json.dumps(body),
            kubeconfig=editor,
            check=False,
        )
        return done.stderr if done.returncode else ""

    assert "exemptions" in create("new", {LABEL: "off"})
    assert "" == create("new", {"a": "b"})


def test_who_is_bound_to_our_role_may_choose_it(
    installed: ApiServer, editor: Path
) -> None:
    installed.kubectl(
        "create",
        "clusterrolebinding",
        "exempting",
        "--clusterrole=imagecompat-exemptions",
        "--serviceaccount=default:editor",
    )
    try:
        eventually(lambda: "" == label(installed, editor, "mode=audit"))
    finally:
        installed.kubectl("delete", "clusterrolebinding", "exempting")
