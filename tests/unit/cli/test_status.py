"""What `imagecompat status` sees, what it calls a problem, and how it prints it."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from app.cli import status as command
from app.cli.installed import asking, document, printing, problems
from app.cli.installed.asking import Unread
from app.cli.installed.survey import (
    DEFAULT_IGNORED,
    DEFAULT_TRUSTED,
    Survey,
    survey,
)
from app.errors import ClusterError
from app.kube.transport import FORBIDDEN
from app.settings import ClusterSettings
from tests.unit.cli.fakeapi import FakeApi
from tests.unit.cli.test_selftest import bundle, hook

GROUP = "/apis/admissionregistration.k8s.io/v1"
VALIDATING = f"{GROUP}/validatingwebhookconfigurations"
MUTATING = f"{GROUP}/mutatingwebhookconfigurations"
PODS = "/api/v1/namespaces/imagecompat/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/imagecompat/deployments"
SLICES = "/apis/discovery.k8s.io/v1/namespaces/imagecompat/endpointslices"
NFD = "/apis/nfd.k8s-sigs.io/v1alpha1"
FEATURES = f"{NFD}/namespaces/node-feature-discovery/nodefeatures"
LABELS = {"app.kubernetes.io/instance": "imagecompat"}
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def told(**changes: Any) -> dict[str, Any]:
    """A replica's own document, all well."""
    return {
        "version": 1,
        "software": "0.1.0",
        "ready": True,
        "rules": {
            "mode": "enforce",
            "namespaceModes": "any",
            "podModes": "off",
            "nodesMayAppear": "auto",
            "annotate": True,
            "trustedNamespaces": ["node-feature-discovery"],
        },
        "nodes": {"known": 3, "unknown": 0},
        "watches": [{"resource": "nodes", "isSynced": True, "silentSeconds": 1.5}],
        "certificate": {"notAfter": "2027-02-01T00:00:00+00:00", "issuer": "CN=test"},
        "settings": {"file": "/etc/x", "loaded": "2026-11-20T00:00:00Z"},
        "decisions": [
            {
                "time": "2026-11-20T10:00:00Z",
                "kind": "Pod",
                "namespace": "ml",
                "decision": "deny",
                "codes": ["IC101"],
                "candidates": 3,
                "dryRun": True,
            },
            {"time": "2026-11-20T11:00:00Z", "notJudged": "overload"},
        ],
        **changes,
    }


def pod(name: str, *, ready: bool = True) -> dict[str, Any]:
    """A Pod of the release; its status port is not the default."""
    condition = {"type": "Ready", "status": str(ready)}
    ports = [{"name": "https", "containerPort": 9443}]
    ports += [{"name": "status", "containerPort": 8081}]
    return {
        "metadata": {"name": name},
        "spec": {"containers": [{"ports": ports}]},
        "status": {"phase": "Running", "conditions": [condition]},
    }


def configuration(*hooks: Mapping[str, Any], **metadata: Any) -> dict[str, Any]:
    """A list with one configuration."""
    meta = {"name": "imagecompat", "labels": LABELS, **metadata}
    return {"items": [{"metadata": meta, "webhooks": list(hooks)}]}


def objects(**changes: Any) -> dict[str, Any]:
    """A cluster in which all is well; `changes` are of the replicas' documents."""
    document = told(**changes)
    deployment = {
        "metadata": {"name": "imagecompat"},
        "spec": {"replicas": 2},
        "status": {"readyReplicas": 2, "updatedReplicas": 2},
    }
    endpoints = [{"addresses": ["10.0.0.1"], "conditions": {}}]
    return {
        PODS: {"items": [pod("b"), pod("a")]},
        f"{PODS}/a:8081/proxy/statusz": document,
        f"{PODS}/b:8081/proxy/statusz": document,
        DEPLOYMENTS: {"items": [deployment]},
        VALIDATING: configuration(hook()),
        MUTATING: configuration(hook(name="annotate.pods.imagecompat.dev")),
        SLICES: {"items": [{"endpoints": endpoints}]},
        "/api/v1/namespaces": {
            "items": [
                {"metadata": {"name": "ml", "labels": {"imagecompat.dev/mode": "warn"}}}
            ]
        },
        NFD: {"kind": "APIResourceList"},
        f"{NFD}/nodefeatures": {"items": None},
    }


async def look(
    world: Mapping[str, Any], ignore: str | None = None, *, nodes: bool = False
) -> tuple[Survey, FakeApi]:
    """A survey; of nodes too, if a selector is given."""
    api = FakeApi(world)
    seen = await survey(
        api,
        namespace="imagecompat",
        name="imagecompat",
        nodes=nodes or ignore is not None,
        ignore=ignore,
    )
    return seen, api


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


def with_labels(mode: str) -> dict[str, Any]:
    labels = {"imagecompat.dev/mode": mode}
    items = [{"metadata": {"name": "ml", "labels": labels}}]
    return {**objects(), "/api/v1/namespaces": {"items": items}}


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


def names(*found: str, more: str = "") -> dict[str, Any]:
    """A page of a table."""
    rows = [{"cells": [name, "Ready", 3]} for name in found]
    return {"metadata": {"continue": more}, "rows": rows}


NODES = "/api/v1/nodes"
LEFT_OUT = "/api/v1/nodes?includeObject=None?labelSelector=type=virtual?limit=500"


async def test_nodes_without_features_are_named_by_the_users_own_rights() -> None:
    world = {
        **objects(),
        FEATURES: names("one"),
        "/api/v1/nodes": names("one", "two", more="page2"),
        "/api/v1/nodes?continue=page2?includeObject=None?limit=500": names(
            "three", "virtual"
        ),
        LEFT_OUT: names("virtual"),
    }
    seen, api = await look(world, ignore="type=virtual")
    assert ("three", "two") == seen.nodes
    accepted = {accept for path, _, accept in api.asked if path == "/api/v1/nodes"}
    assert {asking.TABLE} == accepted
    without, _ = await look(world, ignore="")
    assert ("three", "two", "virtual") == without.nodes


@pytest.mark.parametrize(
    ("rules", "selector"),
    [
        pytest.param({"nodesIgnore": "pool=edge"}, "pool=edge", id="as replicas say"),
        pytest.param({"nodesIgnore": ""}, None, id="none, as replicas say"),
        pytest.param({}, "type=virtual-kubelet", id="the default, of older replicas"),
    ],
)
async def test_nodes_that_nobody_describes_are_those_of_the_settings(
    rules: dict[str, str], selector: str | None
) -> None:
    world = objects()
    for name in "ab":
        own = told()
        own["rules"] |= rules
        world[f"{PODS}/{name}:8081/proxy/statusz"] = own
    world["/api/v1/nodes"] = names("described", "one")
    world[FEATURES] = names("described")
    world[LEFT_OUT.replace("type=virtual", str(selector))] = names("another")
    seen, api = await look(world, nodes=True)
    assert ("one",) == seen.nodes
    asked = {
        query.get("labelSelector") for path, query, _ in api.asked if path == NODES
    }
    assert {None, selector} == asked


def test_what_is_assumed_where_no_replica_tells_is_the_settings_default() -> None:
    held = ClusterSettings()
    assert (held.trusted_namespaces, held.nodes_ignore) == (
        DEFAULT_TRUSTED,
        DEFAULT_IGNORED,
    )


async def test_namespaces_are_listed_page_by_page() -> None:
    labels = {"imagecompat.dev/mode": "of"}
    items = [{"metadata": {"name": "ml", "labels": labels}}]
    path = "/api/v1/namespaces"
    next_page = f"{path}?continue=2?labelSelector=imagecompat.dev/mode?limit=500"
    world = {
        **objects(),
        path: {"metadata": {"continue": "2"}, "items": None},
        next_page: {"items": items},
    }
    seen, _ = await look(world)
    assert ["ModeUnknown"] == [one.reason for one in problems.find(seen, NOW)]


async def test_without_the_kind_every_node_is_without_features() -> None:
    world = {**objects(), "/api/v1/nodes": names("one")}
    seen, _ = await look(world, ignore="")
    assert ("one",) == seen.nodes


@pytest.mark.parametrize(
    ("changes", "ignore"),
    [
        pytest.param({"/api/v1/nodes": 403}, "", id="nodes"),
        pytest.param(
            {
                "/api/v1/nodes": names("one"),
                LEFT_OUT.replace("type=virtual", "a"): 403,
            },
            "a",
            id="those to leave out",
        ),
    ],
)
async def test_nodes_that_may_not_be_read_are_told(
    changes: dict[str, Any], ignore: str
) -> None:
    seen, _ = await look({**objects(), **changes}, ignore=ignore)
    assert isinstance(seen.nodes, Unread)
    assert FORBIDDEN == seen.nodes.reason


WEBHOOK_ROW = (
    "pods.imagecompat.dev validating configuration imagecompat Ignore 5 s present "
    "imagecompat, kube-system"
)


async def printed(world: Mapping[str, Any], ignore: str | None = None) -> str:
    seen, _ = await look(world, ignore)
    file = io.StringIO()
    found, unread = problems.find(seen, NOW), problems.unread(seen)
    printing.render(seen, found, unread, colour=False, file=file)
    return file.getvalue()


async def test_problems_stand_at_the_top() -> None:
    text = await printed(with_labels("of"))
    assert text.startswith("problem: namespace ml has the label ")
    assert ", do: kubectl label namespace ml --overwrite" in text.splitlines()[0]


async def test_nothing_that_a_pod_says_reaches_the_terminal_as_it_is() -> None:
    hostile = "\x1b]0;owned\x07\r\n"
    world = objects(
        problems=[hostile],
        software=hostile,
        rules={"mode": hostile},
        warnings=[hostile],
    )
    text = await printed(world)
    assert "owned" in text
    assert not {"\x1b", "\x07", "\r"} & set(text)


async def test_the_tables_tell_what_decides_and_what_was_decided() -> None:
    world = {**objects(), FEATURES: {"rows": None}, "/api/v1/nodes": names("bare")}
    text = await printed(world, "")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "no problems" == lines[0]
    for line in (
        "imagecompat in namespace imagecompat: 2 of 2 Pods ready, 2 up to date",
        "mode enforce; namespaces may choose: any; Pods may choose: off; exemptions: 0",
        "nodes may appear: no (nodesMayAppear: auto)",
        "a yes 0.1.0 3 0 0 0 0 2027-02-01T00:00:00+00:00 2026-11-20T00:00:00Z",
        "a nodes all yes 2 -",
        WEBHOOK_ROW,
        "ml warn",
        "2026-11-20T10:00:00Z b deny (dry run) IC101 Pod ml 0 of 3",
        "bare",
    ):
        assert line in lines, text
    times = [line[:20] for line in lines if line.startswith("2026-11-20T1")]
    assert sorted(times, reverse=True) == times
    assert "\x1b" not in text
    assert not any(line.endswith(" ") for line in text.splitlines())


async def test_of_many_decisions_the_newest_are_shown() -> None:
    decided = [{"time": f"2026-11-20T10:{minute:02}:00Z"} for minute in range(20)]
    text = await printed(objects(decisions=decided))
    times = re.findall(r"^2026-11-20T10:(\d\d)", text, re.MULTILINE)
    assert sorted([str(n) for n in range(10, 20)] * 2, reverse=True) == times


async def test_nothing_that_was_read_still_prints() -> None:
    text = await printed(dict.fromkeys(objects(), 403))
    assert text.startswith("not seen: pods: ")


async def test_the_json_is_stable() -> None:
    seen, _ = await look(objects())
    found = json.loads(document.of(seen, (), ()))
    assert {
        "version", "release", "namespace", "isHealthy", "problems", "notSeen",
        "deployment", "replicas", "webhooks", "readyEndpoints", "namespaceModes",
        "isNodeFeatureInstalled", "untrustedNamespaces", "nodesWithoutFeatures",
    } == set(found)  # fmt: skip
    assert (1, True, []) == (found["version"], found["isHealthy"], found["problems"])
    assert "enforce" == found["replicas"][0]["status"]["rules"]["mode"]
    assert found["webhooks"][0]["hasCaBundle"] is True
    assert {"name": "imagecompat", "wanted": 2, "ready": 2, "updated": 2} == (
        found["deployment"]
    )
    assert [{"namespace": "ml", "mode": "warn"}] == found["namespaceModes"]


async def test_the_json_has_null_for_what_was_not_read() -> None:
    seen, _ = await look(dict.fromkeys(objects(), 403))
    found = json.loads(document.of(seen, (), problems.unread(seen)))
    assert found["isHealthy"] is False
    assert {"deployment", "replicas", "readyEndpoints", "namespaceModes"} <= {
        key for key, value in found.items() if value is None
    }


@pytest.mark.parametrize(
    ("world", "status"),
    [
        pytest.param(objects(), 0, id="healthy"),
        pytest.param(with_labels("of"), 1, id="a problem"),
        pytest.param({**objects(), MUTATING: 403}, 3, id="not seen"),
        pytest.param({**with_labels("of"), MUTATING: 403}, 1, id="both"),
    ],
)
@pytest.mark.parametrize("output", list(command.Output))
async def test_the_exit_status_says_it_in_one_digit(
    world: dict[str, Any],
    status: int,
    output: command.Output,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ends = datetime.now(UTC) + timedelta(days=90)
    for name in "ab":
        path = f"{PODS}/{name}:8081/proxy/statusz"
        world = {**world, path: told(certificate={"notAfter": ends.isoformat()})}
    seen, _ = await look(world)
    assert status == command.show(seen, output)
    assert capsys.readouterr().out
