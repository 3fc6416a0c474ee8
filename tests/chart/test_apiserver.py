"""A real API server takes every object, strictly, and restricted Pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.chart import rendering
from tests.chart.rendering import FILES, MONITORING, Object
from tests.tools.servers import ApiServer

APIS: Final = (MONITORING, "cert-manager.io/v1")
pytestmark = pytest.mark.usefixtures("kinds")

PRIORITY: Final = {
    "apiVersion": "scheduling.k8s.io/v1",
    "kind": "PriorityClass",
    "metadata": {"name": "high"},
    "value": 1000,
}
RESTRICTED: Final = "restricted-only"
TEAMS: Final = ("team-a", "team-b")
"""Whose pull secrets are read."""


@pytest.fixture(scope="module", autouse=True)
def _prepared(apiserver: ApiServer) -> None:
    """A namespace for restricted Pods, and what `pod-values` names."""
    modes = ("enforce", "warn", "audit")
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in modes}
    body = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"labels": labels},
    }
    apiserver.put("/api/v1/namespaces", body, RESTRICTED)
    for name in TEAMS:
        plain = {"apiVersion": "v1", "kind": "Namespace"}
        apiserver.put("/api/v1/namespaces", plain, name)
    path = "/apis/scheduling.k8s.io/v1/priorityclasses"
    apiserver.put(path, PRIORITY, "high")


def dry_run(server: ApiServer, *objects: Object) -> str:
    """What the server says to objects that it is to validate only."""
    done = server.kubectl(
        "apply",
        "--dry-run=server",
        "--validate=strict",
        "--filename=-",
        stdin=yaml.safe_dump_all(objects),
    )
    return done.stderr


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_object_is_valid(apiserver: ApiServer, file: Path) -> None:
    rendered = rendering.objects(file, api_versions=APIS)
    assert "" == dry_run(apiserver, *rendered)


@pytest.mark.parametrize(
    "path", sorted((rendering.ROOT / "manifests").glob("*.yaml")), ids=lambda p: p.name
)
def test_the_manifests_are_valid(apiserver: ApiServer, path: Path) -> None:
    objects = [one for one in yaml.safe_load_all(path.read_text()) if one]
    assert objects
    assert "" == dry_run(apiserver, *objects)


def test_a_misspelled_field_would_be_noticed(apiserver: ApiServer) -> None:
    """Of the foreign kinds, too: their CRDs know what we write and no more."""
    rendered = rendering.objects(api_versions=APIS)
    for kind in ("Deployment", "PodMonitor", "ValidatingWebhookConfiguration"):
        one = rendering.find_one(kind, rendered)
        misspelled: Object = {**one, "spec": {**one.get("spec", {}), "notAField": {}}}
        with pytest.raises(RuntimeError, match="unknown field"):
            dry_run(apiserver, misspelled)


def pods(rendered: list[Object]) -> Iterator[Object]:
    """The webhook's Pod, and the test's, in the namespace for restricted ones."""
    found = [rendering.pod(rendered), *(o for o in rendered if o["kind"] == "Pod")]
    for number, one in enumerate(found):
        yield {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"pod-{number}",
                "namespace": RESTRICTED,
                "labels": one["metadata"]["labels"],
            },
            "spec": one["spec"],
        }


UNRESTRICTED: Final = ("hostnetwork-values",)
"""The node's network is not for restricted Pods; the docs say so."""


@pytest.mark.parametrize(
    "file",
    [file for file in FILES if file.stem not in UNRESTRICTED],
    ids=lambda file: file.stem,
)
def test_pods_pass_pod_security_restricted(apiserver: ApiServer, file: Path) -> None:
    found = list(pods(rendering.objects(file)))
    assert found
    assert "" == dry_run(apiserver, *found)


def changed(pod: Object, context: Mapping[str, Any]) -> Object:
    spec = pod["spec"]
    container = {**spec["containers"][0], "securityContext": dict(context)}
    return {**pod, "spec": {**spec, "containers": [container]}}


def test_a_pod_that_is_not_restricted_would_be_noticed(apiserver: ApiServer) -> None:
    first, *_ = pods(rendering.objects())
    for context in ({}, {"capabilities": {"add": ["SYS_ADMIN"]}}, {"runAsUser": 0}):
        with pytest.raises(RuntimeError, match=r"PodSecurity|violates"):
            dry_run(apiserver, changed(first, context))


def test_the_apiserver_compiles_the_conditions(apiserver: ApiServer) -> None:
    """A CEL expression that does not is refused."""
    first = "webhook.podMatchConditions[0]"
    sets = (f"{first}.name=x", f"{first}.expression=object.nope(")
    rendered = rendering.objects(sets=sets)
    one = rendering.find_one("ValidatingWebhookConfiguration", rendered)
    with pytest.raises(RuntimeError, match="matchConditions"):
        dry_run(apiserver, one)
