"""What reaches us: Pods and templates whose images are new, and nothing else.

A recorder answers at the chart's Service and counts. Incidents 4, 7 and 8 of
`docs/explanation/incidents.md`.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.tools.client import Client
from tests.tools.helm import NAMESPACE, RELEASE, Helm
from tests.tools.recorder import Call, Recorder
from tests.tools.world import VALIDATING, Cluster, Release, restricted, until

pytestmark = pytest.mark.integration

PODS = "/api/v1/namespaces/default/pods"
VALIDATE, MUTATE = "/v1/validate", "/v1/mutate"
TEMPLATES = {
    "deployments": ("apps/v1", "Deployment"),
    "replicasets": ("apps/v1", "ReplicaSet"),
    "statefulsets": ("apps/v1", "StatefulSet"),
    "daemonsets": ("apps/v1", "DaemonSet"),
    "jobs": ("batch/v1", "Job"),
    "cronjobs": ("batch/v1", "CronJob"),
    "replicationcontrollers": ("v1", "ReplicationController"),
}
"""Resource -> what holds a Pod template and is looked at."""


@pytest.fixture(scope="module")
def recorder(cluster: Cluster) -> Iterator[Recorder]:
    """Behind the chart's Service, with the chart's own configurations and Fail."""
    helm = Helm("helm4", cluster.server, cluster.folder / "helm4")
    host = f"{RELEASE}.{NAMESPACE}.svc"
    with (
        Client(cluster.server) as client,
        Recorder(cluster.folder / "recorder", host) as recorder,
        Release(cluster, helm) as release,
    ):
        tls = {
            "mode": "existingSecret",
            "existingSecret": "unused",
            "caBundle": recorder.authority,
        }
        release.install({"tls": tls, "webhook": {"failurePolicy": "Fail"}})
        recorder.publish(client, NAMESPACE, RELEASE)
        until(lambda: cluster.post("x"), lambda said: not said and recorder.take())
        yield recorder
        recorder.withdraw(client, NAMESPACE)


@pytest.fixture
def pod(cluster: Cluster, recorder: Recorder) -> Iterator[str]:
    """The path of a Pod with a finalizer, which is not counted."""
    body = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "one", "finalizers": ["example.com/held"]},
        "spec": {"nodeName": "n", "containers": [{"name": "main", "image": "a"}]},
    }
    cluster.server.call("POST", PODS, body)
    recorder.take()
    path = f"{PODS}/one"
    yield path
    patch(cluster, path, {"metadata": {"finalizers": None}})
    cluster.server.kubectl(
        "delete", "pod", "one", "--force", "--ignore-not-found", "--wait=false"
    )


def patch(cluster: Cluster, path: str, body: object) -> Any:
    """A merge patch as admin."""
    kind = "application/strategic-merge-patch+json"
    return cluster.server.call("PATCH", path, body, content_type=kind)


def image(name: str, of: str = "main", field: str = "containers") -> dict[str, Any]:
    """A patch that sets the image of a container."""
    return {"spec": {field: [{"name": of, "image": name}]}}


def calls(recorder: Recorder) -> list[tuple[str, str, str]]:
    """What was asked since the last time."""
    return [(one.path, one.operation, one.resource) for one in recorder.take()]


def test_changes_of_labels_status_and_finalizers_do_not_reach_us(
    cluster: Cluster, recorder: Recorder, pod: str
) -> None:
    patch(cluster, pod, {"metadata": {"labels": {"a": "b"}}})
    patch(cluster, pod, {"metadata": {"annotations": {"a": "b"}}})
    patch(cluster, f"{pod}/status", {"status": {"phase": "Running"}})
    patch(cluster, pod, {"metadata": {"finalizers": ["example.com/held", "a.io/b"]}})
    assert [] == calls(recorder)


def test_the_end_of_a_pod_does_not_reach_us(
    cluster: Cluster, recorder: Recorder, pod: str
) -> None:
    cluster.server.call("DELETE", pod)
    patch(cluster, pod, {"metadata": {"finalizers": None}})
    assert [] == calls(recorder)


def test_a_new_image_reaches_both_webhooks(
    cluster: Cluster, recorder: Recorder, pod: str
) -> None:
    patch(cluster, pod, image("b"))
    expected = [(MUTATE, "UPDATE", "pods"), (VALIDATE, "UPDATE", "pods")]
    assert expected == calls(recorder)


def test_a_new_image_of_a_pod_that_ends_is_still_reviewed(
    cluster: Cluster, recorder: Recorder, pod: str
) -> None:
    cluster.server.call("DELETE", pod)
    patch(cluster, pod, image("c"))
    expected = [(MUTATE, "UPDATE", "pods"), (VALIDATE, "UPDATE", "pods")]
    assert expected == calls(recorder)


def test_kubectl_debug_reaches_the_webhook_that_decides(
    cluster: Cluster, recorder: Recorder, pod: str
) -> None:
    body = image("d", of="extra", field="ephemeralContainers")
    patch(cluster, f"{pod}/ephemeralcontainers", body)
    assert [(VALIDATE, "UPDATE", "pods/ephemeralcontainers")] == calls(recorder)


def test_an_update_reaches_us_if_and_only_if_an_image_changes(
    cluster: Cluster, recorder: Recorder
) -> None:
    """The condition in the API server against the same question in Python."""
    chance = random.Random(7)
    differ = 0
    for number in range(40):
        before, after = [drawn(chance, number) for _ in range(2)]
        cluster.server.call("POST", PODS, before)
        recorder.take()
        changes = images(before) != images(after)
        for field, found in after["spec"].items():
            before["spec"][field] = found
        before["metadata"]["labels"] = after["metadata"]["labels"]
        cluster.server.call("PUT", f"{PODS}/pair-{number}", before)
        seen = [VALIDATE] if changes else []
        found = [one.path for one in recorder.take() if one.path == VALIDATE]
        assert seen == found, (before, after)
        differ += changes
        path = f"{PODS}/pair-{number}?gracePeriodSeconds=0"
        cluster.server.call("DELETE", path)
    assert 5 < differ < 35


def drawn(chance: random.Random, number: int) -> dict[str, Any]:
    """A Pod whose update the API server accepts: images and labels differ."""
    some = ("registry.example.com/a:1", "registry.example.com/b:1")
    weights = (4, 1)
    spec = {
        field: [
            {"name": f"{field.lower()}-{i}", "image": chance.choices(some, weights)[0]}
            for i in range(count)
        ]
        for field, count in (("containers", 2), ("initContainers", 1))
    }
    labels = {"label": chance.choice("xyz")}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"pair-{number}", "labels": labels},
        "spec": spec,
    }


def images(pod: Mapping[str, Any]) -> list[str]:
    """All of a Pod's, in order."""
    spec = pod["spec"]
    return [one["image"] for field in spec for one in spec[field]]


def template(resource: str) -> dict[str, Any]:
    """An object of each kind that holds a Pod template."""
    version, kind = TEMPLATES[resource]
    labels = {"app": "x"}
    restart = "Never" if kind in {"Job", "CronJob"} else "Always"
    pods = {
        "metadata": {"labels": labels},
        "spec": {
            "restartPolicy": restart,
            "containers": [{"name": "main", "image": "a"}],
        },
    }
    spec: dict[str, Any] = {"template": pods}
    if version == "apps/v1":
        spec["selector"] = {"matchLabels": labels}
    if kind == "StatefulSet":
        spec["serviceName"] = "x"
    if kind == "CronJob":
        spec = {"schedule": "0 0 * * *", "jobTemplate": {"spec": spec}}
    meta = {"name": "templated"}
    return {"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec}


@pytest.mark.parametrize("resource", TEMPLATES)
def test_a_workload_reaches_us_when_it_is_new_or_its_template_is(
    cluster: Cluster, recorder: Recorder, resource: str
) -> None:
    body = template(resource)
    group = f"/apis/{body['apiVersion']}" if "/" in body["apiVersion"] else "/api/v1"
    path = f"{group}/namespaces/default/{resource}"
    try:
        cluster.server.call("POST", path, body)
        assert [(VALIDATE, "CREATE", resource)] == calls(recorder)
        patch(cluster, f"{path}/templated", {"metadata": {"labels": {"a": "b"}}})
        assert [] == calls(recorder)
        if resource != "jobs":  # whose template cannot change
            pods: dict[str, Any] = {"template": image("b")}
            if resource == "cronjobs":
                pods = {"jobTemplate": {"spec": pods}}
            patch(cluster, f"{path}/templated", {"spec": pods})
            assert [(VALIDATE, "UPDATE", resource)] == calls(recorder)
    finally:
        cluster.server.call("DELETE", f"{path}/templated?propagationPolicy=Background")
        assert [] == calls(recorder)


def discovered(cluster: Cluster) -> Iterator[tuple[str, str, str, bool]]:
    """Every resource that the API server serves: group, resource, kind, namespaced."""
    server = cluster.server
    groups = [("", "/api/v1")]
    groups += [
        (group["name"], f"/apis/{version['groupVersion']}")
        for group in server.call("GET", "/apis")["groups"]
        for version in group["versions"]
    ]
    for group, path in groups:
        for one in server.call("GET", path)["resources"]:
            yield group, one["name"], one["kind"], one["namespaced"]


def test_of_all_resources_the_rules_match_these_and_no_other(
    cluster: Cluster, recorder: Recorder
) -> None:
    del recorder
    matched = set()
    served = list(discovered(cluster))
    for webhook in cluster.configurations()[VALIDATING]["webhooks"]:
        for rule in webhook["rules"]:
            assert "Namespaced" == rule["scope"]
            matched |= {
                (group, resource)
                for group, resource, _, _ in served
                if group in rule["apiGroups"] and resource in rule["resources"]
            }
            assert "*" not in "".join([*rule["apiGroups"], *rule["resources"]])
    expected = {("", "pods"), ("", "pods/ephemeralcontainers")}
    for resource, (version, _) in TEMPLATES.items():
        expected.add((version.rpartition("/")[0], resource))
    assert expected == matched
    print(f"\n{len(expected)} of {len(set(served))} resources are matched")


CORE = "/api/v1"
OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "leases": (
        "/apis/coordination.k8s.io/v1/namespaces/default/leases",
        {"spec": {"holderIdentity": "x"}},
    ),
    "nodes": (f"{CORE}/nodes", {}),
    "namespaces": (f"{CORE}/namespaces", {}),
    "configmaps": (f"{CORE}/namespaces/default/configmaps", {"data": {"a": "b"}}),
    "secrets": (f"{CORE}/namespaces/default/secrets", {}),
    "services": (
        f"{CORE}/namespaces/default/services",
        {"spec": {"ports": [{"port": 80}]}},
    ),
    "events": (
        f"{CORE}/namespaces/default/events",
        {"involvedObject": {"namespace": "default"}},
    ),
    "tokenreviews": (
        "/apis/authentication.k8s.io/v1/tokenreviews",
        {"spec": {"token": "x"}},
    ),
    "subjectaccessreviews": (
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        {"spec": {"user": "x", "nonResourceAttributes": {"path": "/", "verb": "get"}}},
    ),
    "certificatesigningrequests": (
        "/apis/certificates.k8s.io/v1/certificatesigningrequests",
        {},
    ),
    "podtemplates": (
        f"{CORE}/namespaces/default/podtemplates",
        {"template": {"spec": {"containers": [{"name": "a", "image": "a"}]}}},
    ),
}
"""Resource -> where one is created, and what it takes."""


@pytest.mark.parametrize("resource", OTHERS)
def test_other_objects_never_reach_us(
    cluster: Cluster, recorder: Recorder, resource: str
) -> None:
    create_and_delete(cluster, resource)
    assert [] == calls(recorder)


def test_they_do_not_need_us_while_pods_do(
    cluster: Cluster, recorder: Recorder
) -> None:
    """With `Fail`, and nobody behind the Service."""
    with Client(cluster.server) as client:
        recorder.withdraw(client, NAMESPACE)
        until(lambda: cluster.post("a"), lambda said: "failed calling webhook" in said)
        for resource in OTHERS:
            create_and_delete(cluster, resource)
        recorder.publish(client, NAMESPACE, RELEASE)
    until(lambda: cluster.post("a"), lambda said: not said and recorder.take())


def create_and_delete(cluster: Cluster, resource: str) -> None:
    """One of the others comes and goes."""
    path, content = OTHERS[resource]
    body: dict[str, Any] = {"metadata": {"name": "other"}, **content}
    if resource == "certificatesigningrequests":
        body["spec"] = signing_request()
    if resource.endswith("reviews"):
        del body["metadata"]
    cluster.server.call("POST", path, body)
    if resource == "namespaces":
        cluster.server.remove_namespace("other")
    elif "metadata" in body:
        cluster.server.call("DELETE", f"{path}/other")


def signing_request() -> dict[str, Any]:
    """What a kubelet asks for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    signer = "example.com/any"
    text = base64.b64encode(pem).decode()
    return {"request": text, "signerName": signer, "usages": ["client auth"]}


@pytest.mark.parametrize(
    "namespace", [NAMESPACE, "kube-system", "kube-node-lease", "kube-public"]
)
def test_pods_of_exempt_namespaces_never_reach_us(
    cluster: Cluster, recorder: Recorder, namespace: str
) -> None:
    assert "" == cluster.post("a", namespace=namespace, spec=restricted("a"))
    assert [] == calls(recorder)


def test_a_call_names_what_it_is_about(cluster: Cluster, recorder: Recorder) -> None:
    assert "" == cluster.post("a")
    first, second = recorder.take()
    assert Call(MUTATE, "CREATE", "pods", "default", "") == first
    assert (VALIDATE, "pods") == (second.path, second.resource)
    assert second.name.startswith("pod-")
