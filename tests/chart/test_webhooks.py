"""The webhook configurations: what reaches us, what never does, and who owns what."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.cli.checking import unasked
from tests.chart import rendering
from tests.chart.rendering import CHART, FILES, Object

PROVEN = rendering.ROOT / "tests" / "integration" / "manifests" / "webhooks.yaml"
KINDS = ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
ALWAYS = [*unasked.NAMESPACES, unasked.OWN]
"""What `check` says that no webhook is asked about."""


def webhooks(*files: Path, **options: Any) -> dict[str, Object]:
    """Name -> webhook, of both configurations."""
    return {
        webhook["name"]: webhook
        for one in rendering.objects(*files, **options)
        if one["kind"] in KINDS and not rendering.is_hook(one)
        for webhook in one["webhooks"]
    }


def proven() -> dict[str, Object]:
    """Those that the integration tests put before a real API server."""
    return {
        webhook["name"]: webhook
        for one in yaml.safe_load_all(PROVEN.read_text())
        for webhook in one["webhooks"]
    }


def test_webhooks_are_those_that_were_proven(helm: str) -> None:
    """But for the way to them, and white space in CEL."""

    def shape(one: Object) -> Object:
        said = {**one, "clientConfig": None}
        said["matchConditions"] = [
            {**condition, "expression": " ".join(condition["expression"].split())}
            for condition in one["matchConditions"]
        ]
        return said

    found = {name: shape(one) for name, one in webhooks(helm=helm).items()}
    assert {name: shape(one) for name, one in proven().items()} == found


RULES = {
    "pods.imagecompat.dev": {
        ("", "pods", "CREATE"),
        ("", "pods", "UPDATE"),
        ("", "pods/ephemeralcontainers", "UPDATE"),
    },
    "workloads.imagecompat.dev": {
        (group, resource, operation)
        for group, resource in (
            ("apps", "deployments"),
            ("apps", "replicasets"),
            ("apps", "statefulsets"),
            ("apps", "daemonsets"),
            ("", "replicationcontrollers"),
            ("batch", "jobs"),
        )
        for operation in ("CREATE", "UPDATE")
    },
    "cronjobs.imagecompat.dev": {
        ("batch", "cronjobs", "CREATE"),
        ("batch", "cronjobs", "UPDATE"),
    },
    "annotate.pods.imagecompat.dev": {("", "pods", "CREATE"), ("", "pods", "UPDATE")},
}


def asked(webhook: Object) -> Iterator[tuple[str, str, str]]:
    for rule in webhook["rules"]:
        assert "Namespaced" == rule["scope"]
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for operation in rule["operations"]:
                    yield group, resource, operation


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nothing_else_reaches_us_whatever_the_values(file: Path) -> None:
    found = webhooks(file)
    assert "pods.imagecompat.dev" in found
    for name, webhook in found.items():
        assert RULES[name] == set(asked(webhook))
        assert "NoneOnDryRun" == webhook["sideEffects"]
        assert ["v1"] == webhook["admissionReviewVersions"]
        assert "image-change" == webhook["matchConditions"][0]["name"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_our_own_namespace_and_the_systems_never_reach_us(file: Path) -> None:
    for webhook in webhooks(file).values():
        first = webhook["namespaceSelector"]["matchExpressions"][0]
        assert ("kubernetes.io/metadata.name", "NotIn") == (
            first["key"],
            first["operator"],
        )
        assert ALWAYS == first["values"][:4]


def test_our_own_namespace_is_the_releases() -> None:
    for webhook in webhooks(namespace="elsewhere").values():
        values = webhook["namespaceSelector"]["matchExpressions"][0]["values"]
        assert "elsewhere" in values
        service = webhook["clientConfig"]["service"]
        assert ("imagecompat", "elsewhere") == (service["name"], service["namespace"])


@pytest.mark.parametrize(
    "said",
    [
        "webhook.exemptNamespaces=null",
        "webhook.namespaceSelector.matchLabels=null",
        "webhook.namespaceSelector.matchExpressions=null",
    ],
)
def test_values_cannot_take_an_exemption_out(helm: str, said: str) -> None:
    found = webhooks(helm=helm, sets=(said,))
    assert set(RULES) == set(found)
    for webhook in found.values():
        first = webhook["namespaceSelector"]["matchExpressions"][0]
        assert ALWAYS == first["values"][:4]


def test_values_narrow_what_reaches_us(helm: str) -> None:
    found = webhooks(CHART / "ci" / "webhook-values.yaml", helm=helm)
    for name, webhook in found.items():
        first, second = webhook["namespaceSelector"]["matchExpressions"]
        assert [*ALWAYS, "cni-system"] == first["values"]
        assert "environment" == second["key"]
        assert {"team": "gpu"} == webhook["namespaceSelector"]["matchLabels"]
        assert (
            "example.com/skip"
            == (webhook["objectSelector"]["matchExpressions"][0]["key"])
        )
        extra = [one["name"] for one in webhook["matchConditions"]][1:]
        wanted = "not-from-ci" if "pods" in name else "not-suspended"
        assert [wanted] == extra


@pytest.mark.parametrize(
    ("sets", "names"),
    [
        pytest.param((), set(RULES), id="all"),
        pytest.param(
            ("policy.annotate=false",),
            set(RULES) - {"annotate.pods.imagecompat.dev"},
            id="no annotations",
        ),
        pytest.param(
            ("webhook.workloads=false",),
            {"pods.imagecompat.dev", "annotate.pods.imagecompat.dev"},
            id="no workloads",
        ),
    ],
)
def test_webhooks_can_be_left_out(sets: tuple[str, ...], names: set[str]) -> None:
    assert names == set(webhooks(sets=sets))


def test_only_what_can_deny_fails_closed() -> None:
    found = webhooks(CHART / "ci" / "fail-values.yaml")
    assert {
        "pods.imagecompat.dev": ("Fail", 10),
        "workloads.imagecompat.dev": ("Ignore", 10),
        "cronjobs.imagecompat.dev": ("Ignore", 10),
        "annotate.pods.imagecompat.dev": ("Ignore", 3),
    } == {
        name: (one["failurePolicy"], one["timeoutSeconds"])
        for name, one in found.items()
    }


def test_the_chart_sets_trust_only_where_it_knows_it() -> None:
    def bundles(*files: Path) -> set[str | None]:
        return {
            one["clientConfig"].get("caBundle") for one in webhooks(*files).values()
        }

    assert {None} == bundles()
    assert {None} == bundles(CHART / "ci" / "certmanager-values.yaml")
    [given] = bundles(CHART / "ci" / "existing-secret-values.yaml")
    assert given is not None
    assert base64.b64decode(given).startswith(b"-----BEGIN CERTIFICATE-----\n")


def annotations_of(name: str) -> list[dict[str, str]]:
    rendered = rendering.objects(CHART / "ci" / f"{name}-values.yaml")
    return [
        rendering.find_one(kind, rendered)["metadata"].get("annotations", {})
        for kind in KINDS
    ]


def test_cert_manager_is_asked_for_the_authority() -> None:
    injected = {"cert-manager.io/inject-ca-from": "imagecompat/imagecompat"}
    assert [injected, injected] == annotations_of("certmanager")
    both = injected | {"admissions.enforcer/disabled": "true"}
    assert [both, both] == annotations_of("certmanager-issuer")
    assert [{}, {}] == annotations_of("default")


def test_cert_managers_objects_name_each_other() -> None:
    rendered = rendering.objects(CHART / "ci" / "certmanager-values.yaml")
    leaf = rendering.find_one("Certificate", rendered, "imagecompat")["spec"]
    authority = rendering.find_one("Certificate", rendered, "imagecompat-authority")
    issuer = rendering.find_one("Issuer", rendered, "imagecompat")["spec"]
    assert "imagecompat" == leaf["issuerRef"]["name"]
    assert authority["spec"]["secretName"] == issuer["ca"]["secretName"]
    assert authority["spec"]["isCA"] is True
    own = authority["spec"]["issuerRef"]["name"]
    assert {"selfSigned": {}} == rendering.find_one("Issuer", rendered, own)["spec"]
    assert [
        "imagecompat.imagecompat.svc",
        "imagecompat.imagecompat.svc.cluster.local",
    ] == leaf["dnsNames"]
    assert "imagecompat-tls" == leaf["secretName"]


def test_an_issuer_of_the_organisation_needs_none_of_ours() -> None:
    rendered = rendering.objects(CHART / "ci" / "certmanager-issuer-values.yaml")
    assert "Issuer" not in rendering.kinds(rendered)
    assert {
        "name": "internal",
        "kind": "ClusterIssuer",
        "group": "cert-manager.io",
    } == rendering.find_one("Certificate", rendered)["spec"]["issuerRef"]


def test_uninstalling_begins_with_empty_configurations(helm: str) -> None:
    """Same name, no webhooks; Helm 3 would remove the real ones last."""
    rendered = rendering.objects(helm=helm)
    for kind in KINDS:
        real = rendering.find_one(kind, rendered)
        [hook] = [
            one for one in rendered if one["kind"] == kind and rendering.is_hook(one)
        ]
        assert real["metadata"]["name"] == hook["metadata"]["name"]
        assert [] == hook["webhooks"]
        assert {
            "helm.sh/hook": "pre-delete",
            "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",
        } == hook["metadata"]["annotations"]


@pytest.mark.parametrize(
    ("sets", "kinds"),
    [
        pytest.param(("policy.annotate=false",), KINDS[:1], id="no annotations"),
        pytest.param(("uninstallHook.enabled=false",), (), id="not wanted"),
    ],
)
def test_a_configuration_that_is_not_there_needs_no_emptying(
    sets: tuple[str, ...], kinds: tuple[str, ...]
) -> None:
    hooks = [
        one["kind"]
        for one in rendering.objects(sets=sets)
        if one["metadata"].get("annotations", {}).get("helm.sh/hook") == "pre-delete"
    ]
    assert list(kinds) == hooks


def test_without_hooks_no_object_is_there_twice(helm: str) -> None:
    """`helm template --no-hooks | kubectl apply -f -`; the last one would win."""
    rendered = rendering.objects(helm=helm, flags=("--no-hooks",))
    assert [] == [one for one in rendered if rendering.is_hook(one)]
    names = [(one["kind"], one["metadata"]["name"]) for one in rendered]
    assert sorted(set(names)) == sorted(names)
    assert 1 == rendering.kinds(rendered).count(KINDS[0])
