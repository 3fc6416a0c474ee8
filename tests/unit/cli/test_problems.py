"""What `imagecompat status` finds wrong, and what it says of that."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from app.cli.installed import problems
from app.errors import ClusterError
from tests.unit.cli.installation import (
    DEPLOYMENTS,
    MUTATING,
    NFD,
    NOW,
    PODS,
    SLICES,
    VALIDATING,
    configuration,
    look,
    objects,
    told,
    with_labels,
)
from tests.unit.cli.test_selftest import bundle, hook


async def test_where_all_is_well_there_is_nothing_to_say() -> None:
    seen, api = await look(objects())
    assert () == problems.find(seen, NOW)
    assert () == problems.unread(seen)
    assert ["a", "b"] == [one.name for one in seen.answering]
    features = [query for path, query, _ in api.asked if path.endswith("nodefeatures")]
    wanted = {"fieldSelector": "metadata.namespace!=node-feature-discovery"}
    assert [{**wanted, "limit": "50"}] == features, "never the objects themselves"


def managed(*fields: tuple[str, str]) -> list[dict[str, Any]]:
    """Who owns which fields of the webhook for Pods."""
    key = 'k:{"name":"pods.imagecompat.dev"}'
    return [
        {"manager": manager, "fieldsV1": {"f:webhooks": {key: json.loads(text)}}}
        for manager, text in fields
    ]


HELM = ("helm", '{".": {}, "f:sideEffects": {}, "f:rules": {}, "f:clientConfig": {}}')
OURS = ("imagecompat", '{"f:clientConfig": {"f:caBundle": {}}}')
AKS = ("aks-enforcer", '{"f:namespaceSelector": {}, "f:clientConfig": {"f:url": {}}}')


def with_hook(**changes: Any) -> dict[str, Any]:
    return {**objects(), VALIDATING: configuration(hook(**changes))}


def silent(name: str, refusal: object) -> dict[str, Any]:
    return {**objects(), f"{PODS}/{name}:8081/proxy/statusz": refusal}


def one_differs(**changes: Any) -> dict[str, Any]:
    return {**objects(), f"{PODS}/b:8081/proxy/statusz": told(**changes)}


def deployed(wanted: int, ready: int) -> dict[str, Any]:
    found = {
        "metadata": {"name": "imagecompat"},
        "spec": {"replicas": wanted},
        "status": {"readyReplicas": ready, "updatedReplicas": ready},
    }
    return {DEPLOYMENTS: {"items": [found]}}


OTHER = {"namespace": "other", "name": "imagecompat"}
FAIL_ONE = {**with_hook(failurePolicy="Fail"), **deployed(1, 1)}
UNTRUSTED = {"items": [{"metadata": {"name": "n", "namespace": "tenant"}}]}
CLIENT = hook()["clientConfig"]


@pytest.mark.parametrize(
    ("world", "reason", "words"),
    [
        pytest.param(
            {**objects(), PODS: {"items": []}, DEPLOYMENTS: {"items": []}},
            "NotInstalled",
            "no Pod of release imagecompat in namespace imagecompat",
            id="nothing there",
        ),
        pytest.param(
            {**objects(), **deployed(3, 1)},
            "PodsNotReady",
            "1 of 3 Pods of Deployment imagecompat",
            id="pods missing",
        ),
        pytest.param(
            {**objects(), SLICES: {"items": []}}, "NoEndpoint", "nobody", id="endpoints"
        ),
        pytest.param(silent("a", 503), "ReplicaSilent", "a does not tell", id="503"),
        pytest.param(
            silent("a", ClusterError("Timeout", "no answer")),
            "ReplicaSilent",
            "a does not tell its status: no answer",
            id="hangs",
        ),
        pytest.param(
            silent("a", b"<html>"), "ReplicaSilent", "no document of ours", id="html"
        ),
        pytest.param(
            one_differs(version=2),
            "ReplicaSilent",
            "b does not tell its status: no document of ours: version 2 of the",
            id="another version",
        ),
        pytest.param(
            objects(ready=False, problems=["nodes: not listed yet"]),
            "NotReady",
            "a is not ready: nodes: not listed yet",
            id="not ready",
        ),
        pytest.param(
            objects(warnings=["the new pair is broken"]),
            "Warning",
            "a warns: the new pair is broken",
            id="warning",
        ),
        pytest.param(
            objects(settings={"invalid": "policy.mode: no"}),
            "SettingsInvalid",
            "older settings: policy.mode: no",
            id="invalid settings",
        ),
        pytest.param(
            objects(settings={"restartNeeded": ["server.port"]}),
            "RestartNeeded",
            "a needs a restart for server.port",
            id="restart",
        ),
        pytest.param(
            objects(watches=[{"resource": "nodes", "problem": "Forbidden"}]),
            "WatchBroken",
            "a does not see nodes: Forbidden",
            id="watch",
        ),
        pytest.param(
            objects(
                watches=[
                    {"resource": "x", "namespace": "n", "silentSeconds": 121.0},
                ]
            ),
            "WatchBroken",
            "a does not see x in n: silent for 121 s",
            id="stale",
        ),
        pytest.param(
            one_differs(nodes={"known": 2, "unknown": 1}),
            "ReplicasDisagree",
            "a, b disagree about how many nodes are known",
            id="views differ",
        ),
        pytest.param(
            one_differs(software="0.2.0"),
            "ReplicasDisagree",
            "about their version",
            id="versions differ",
        ),
        pytest.param(
            {**objects(nodes={"unknown": 3}), NFD: 404},
            "KindAbsent",
            "CRD is not installed",
            id="no kind",
        ),
        pytest.param(
            objects(nodes={"unknown": 3}),
            "NoFeatures",
            "trusted namespaces (node-feature-discovery)",
            id="no features",
        ),
        pytest.param(
            {**objects(), f"{NFD}/nodefeatures": UNTRUSTED},
            "UntrustedFeatures",
            "NodeFeatures in tenant do not count",
            id="untrusted",
        ),
        pytest.param(
            {**objects(), VALIDATING: {"items": []}},
            "ConfigurationMissing",
            "nothing is judged",
            id="no validating",
        ),
        pytest.param(
            {**objects(), MUTATING: {"items": None}},
            "ConfigurationMissing",
            "no Pod is annotated",
            id="no mutating",
        ),
        pytest.param(
            with_hook(clientConfig={**CLIENT, "service": OTHER}),
            "ConfigurationForeign",
            "it calls other/imagecompat",
            id="another service",
        ),
        pytest.param(
            {
                **objects(),
                VALIDATING: configuration(
                    hook(clientConfig={"url": "https://x", "caBundle": bundle()}),
                    labels={"app.kubernetes.io/instance": "old"},
                ),
            },
            "ConfigurationForeign",
            "(release old) is not of release imagecompat in imagecompat: it calls a",
            id="another release",
        ),
        pytest.param(
            with_hook(clientConfig={**CLIENT, "caBundle": ""}),
            "CaBundle",
            "validating configuration imagecompat: caBundle is empty",
            id="no bundle",
        ),
        pytest.param(
            objects(certificate={"issuer": "CN=else", "notAfter": ""}),
            "CaBundleNotServed",
            "does not trust the certificate that a serves",
            id="other authority",
        ),
        pytest.param(
            objects(certificate={"issuer": "CN=test", "issuerFingerprint": "00"}),
            "CaBundleNotServed",
            "does not trust the certificate that a serves",
            id="authority of the same name",
        ),
        pytest.param(
            objects(certificate={"notAfter": "2026-12-01T00:00:00"}),
            "CertificateExpiring",
            "a serves expires at 2026-12-01 00:00Z",
            id="expiring",
        ),
        pytest.param(
            objects(certificate={"notAfter": "2026-11-20T00:00:00Z"}),
            "CertificateExpiring",
            "a serves expired",
            id="expired",
        ),
        pytest.param(
            {
                **objects(),
                VALIDATING: configuration(
                    hook(), managedFields=managed(HELM, OURS, AKS)
                ),
            },
            "ConfigurationEdited",
            "aks-enforcer changed namespaceSelector of pods.imagecompat.dev",
            id="edited",
        ),
        pytest.param(
            with_hook(namespaceSelector={}),
            "NamespaceNotExempt",
            "does not leave out namespace kube-system",
            id="own namespace",
        ),
        pytest.param(FAIL_ONE, "FailWithOneReplica", "one replica", id="fail with one"),
        pytest.param(
            with_labels("enforced"),
            "ModeUnknown",
            "imagecompat.dev/mode=enforced, which is no mode",
            id="no mode",
        ),
    ],
)
async def test_a_fault_is_told_with_what_to_do(
    world: dict[str, Any], reason: str, words: str
) -> None:
    seen, _ = await look(world)
    found = [one for one in problems.find(seen, NOW) if one.reason == reason]
    assert words in found[0].problem
    assert found[0].do


async def test_who_installed_it_and_who_writes_the_bundle_are_no_foreigners() -> None:
    mine = configuration(hook(), managedFields=managed(HELM, OURS))
    seen, _ = await look({**objects(), VALIDATING: mine})
    assert () == problems.find(seen, NOW)


@pytest.mark.parametrize("field", ["fingerprint", "issuerFingerprint"])
async def test_a_bundle_may_name_the_certificate_or_its_authority(field: str) -> None:
    text = base64.b64decode(CLIENT["caBundle"])
    digest = x509.load_pem_x509_certificate(text).fingerprint(hashes.SHA256()).hex()
    world = objects(certificate={"issuer": "CN=else", field: digest})
    mutating = hook(name="annotate.pods.imagecompat.dev", clientConfig=CLIENT)
    world = {
        **world,
        VALIDATING: configuration(hook(clientConfig=CLIENT)),
        MUTATING: configuration(mutating),
    }
    seen, _ = await look(world)
    assert () == problems.find(seen, NOW)


async def test_without_managed_fields_nobody_is_accused() -> None:
    mine = configuration(hook(), managedFields=managed(AKS))
    seen, _ = await look({**objects(), VALIDATING: mine})
    assert () == problems.find(seen, NOW)


async def test_a_warning_that_names_the_settings_is_told_once() -> None:
    world = objects(settings={"invalid": "x: no"}, warnings=["settings: x: no"])
    seen, _ = await look(world)
    reasons = {one.reason for one in problems.find(seen, NOW)}
    assert {"Warning"} == reasons


async def test_what_the_user_may_not_read_is_no_problem_of_the_webhook() -> None:
    denied = dict.fromkeys(objects(), 403)
    seen, _ = await look(denied, ignore="a=b")
    assert () == problems.find(seen, NOW)
    assert {
        "pods", "deployments", "validating configurations", "mutating configurations",
        "namespaces", "the API group nfd.k8s-sigs.io", "nodefeatures",
        "nodes and their features",
    } == {one.partition(": ")[0] for one in problems.unread(seen)}  # fmt: skip


async def test_a_status_that_the_user_may_not_read_is_told() -> None:
    seen, _ = await look(silent("a", 403))
    assert () == problems.find(seen, NOW)
    (line,) = problems.unread(seen)
    assert line.startswith("/statusz of a: ")


async def test_credentials_that_are_refused_end_it() -> None:
    with pytest.raises(ClusterError, match="401"):
        await look(silent("a", 401))
