"""What our ServiceAccount may do, and what the two policies of the chart forbid.

Incident 17 of `docs/explanation/incidents.md`; no process of ours runs here.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from app.demo import certificates
from tests.tools.client import MERGE, ApiError, Client
from tests.tools.helm import NAMESPACE, RELEASE, Helm
from tests.tools.world import (
    MUTATING,
    REGISTRATION,
    VALIDATING,
    Cluster,
    Release,
    until,
)

pytestmark = pytest.mark.integration

VERBS = (
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
)
MORE_VERBS = {
    "roles": ("escalate", "bind"),
    "clusterroles": ("escalate", "bind"),
    "certificatesigningrequests": ("approve", "sign"),
}
Access = tuple[str, str, str, str, str]
"""Group, resource, namespace (empty: all), name (empty: any), verb."""
OTHER = "somebody-elses"
PATCH = "application/json-patch+json"

OURS = "imagecompat"
SECRET = "imagecompat-tls"
CONFIGURATIONS = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")
ALLOWED: set[Access] = {
    *(("", "nodes", "", "", verb) for verb in ("list", "watch")),
    *(("", "namespaces", "", "", verb) for verb in ("get", "list", "watch")),
    *(("nfd.k8s-sigs.io", "nodefeatures", "", "", verb) for verb in ("list", "watch")),
    ("", "secrets", NAMESPACE, "", "create"),
    *(("", "secrets", NAMESPACE, SECRET, verb) for verb in ("get", "watch", "patch")),
    *(
        ("admissionregistration.k8s.io", resource, "", OURS, verb)
        for resource in CONFIGURATIONS
        for verb in ("get", "watch", "patch")
    ),
}


@pytest.fixture(scope="module")
def release(cluster: Cluster) -> Iterator[Release]:
    """With both policies, and nobody who serves."""
    helm = Helm("helm4", cluster.server, cluster.folder / "helm4")
    with Release(cluster, helm) as release:
        release.install({"policies": {"self": True, "namespaceLabel": True}})
        yield release


@pytest.fixture
def account(cluster: Cluster, release: Release) -> Iterator[Client]:
    """Who asks with a token of our ServiceAccount."""
    del release
    token = cluster.server.token(OURS, namespace=NAMESPACE)
    with Client(cluster.server, token) as client:
        yield client


@pytest.fixture
def admin(cluster: Cluster) -> Iterator[Client]:
    """Who may do everything."""
    with Client(cluster.server) as client:
        yield client


def served(admin: Client) -> Iterator[tuple[str, str, bool]]:
    """Every resource and subresource that there is: group, name, namespaced."""
    seen = set()
    groups = [("", "/api/v1")]
    groups += [
        (group["name"], f"/apis/{version['groupVersion']}")
        for group in admin.call("GET", "/apis")["groups"]
        for version in group["versions"]
    ]
    for group, path in groups:
        for one in admin.call("GET", path)["resources"]:
            if (group, one["name"]) not in seen:
                seen.add((group, one["name"]))
                yield group, one["name"], one["namespaced"]


def may(admin: Client, user: str, attributes: dict[str, str]) -> bool:
    """What `kubectl auth can-i` asks."""
    groups = ["system:serviceaccounts", "system:authenticated"]
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "groups": groups, "resourceAttributes": attributes},
    }
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    return bool(admin.call("POST", path, body)["status"]["allowed"])


def granted(admin: Client, user: str, wanted: Iterable[Access]) -> set[Access]:
    """What `user` may do of it; what a wider grant covers is not asked."""
    found: set[Access] = set()
    for one in wanted:
        group, full, namespace, name, verb = one
        wider = {
            (group, full, "", "", verb),
            (group, full, namespace, "", verb),
            (group, full, "", name, verb),
        }
        if found & wider:
            continue
        resource, _, sub = full.partition("/")
        attributes = {
            "group": group,
            "resource": resource,
            "subresource": sub,
            "verb": verb,
            "namespace": namespace,
            "name": name,
        }
        if may(admin, user, attributes):
            found.add(one)
    return found


def all_access(admin: Client) -> Iterator[Access]:
    """Every verb on every resource, everywhere and somewhere, any name and ours."""
    for group, full, is_namespaced in served(admin):
        resource = full.partition("/")[0]
        places = ["", NAMESPACE, "default"] if is_namespaced else [""]
        names = ["", SECRET if resource == "secrets" else OURS, OTHER]
        for verb in (*VERBS, *MORE_VERBS.get(resource, ())):
            for namespace in places:
                for name in names:
                    yield group, full, namespace, name, verb
    for resource in ("users", "groups", "serviceaccounts"):
        yield "", resource, "", "", "impersonate"
    yield "imagecompat.dev", "exemptions", "", "", "use"


def test_our_account_may_do_this_and_of_all_resources_nothing_else(
    admin: Client, release: Release
) -> None:
    del release
    wanted = list(all_access(admin))
    ours = granted(admin, f"system:serviceaccount:{NAMESPACE}:{OURS}", wanted)
    everyone = granted(admin, f"system:serviceaccount:{NAMESPACE}:nobody", ours)
    print(f"\n{len(wanted)} rights: {len(ours)} granted, {len(everyone)} to everyone")
    assert ALLOWED == ours - everyone


@pytest.mark.parametrize("path", ["/metrics", "/logs", "/debug/pprof", "/configz"])
def test_our_account_may_not_look_into_the_api_server(
    account: Client, path: str
) -> None:
    with pytest.raises(ApiError) as refused:
        account.call("GET", path)
    assert refused.value.status == 403


def configuration(kind: str, name: str = OURS) -> str:
    """The path of a webhook configuration."""
    return f"{REGISTRATION}/{kind}/{name}"


def refusal(client: Client, kind: str, operations: list[dict[str, Any]]) -> str:
    """What the API server says to a JSON patch; empty if it takes it."""
    try:
        client.call("PATCH", configuration(kind), operations, content_type=PATCH)
    except ApiError as error:
        return error.message
    return ""


def replaced(field: str, value: object) -> list[dict[str, Any]]:
    """A patch of the first webhook."""
    return [{"op": "add", "path": f"/webhooks/0/{field}", "value": value}]


@pytest.mark.parametrize("kind", [VALIDATING, MUTATING])
def test_our_account_may_write_the_ca_bundle(
    account: Client, kind: str, tmp_path: Path
) -> None:
    pem = certificates.write_pair(tmp_path).read_bytes()
    bundle = base64.b64encode(pem).decode()
    assert "" == refusal(account, kind, replaced("clientConfig/caBundle", bundle))


EXPRESSION = {"name": "none", "expression": "false"}
NARROW = {"matchLabels": {"a": "b"}}
RULE = {
    "apiGroups": ["*"],
    "apiVersions": ["*"],
    "operations": ["*"],
    "resources": ["*/*"],
}
URL = "https://elsewhere.example.com/v1/validate"
SERVICE = {"name": "elsewhere", "namespace": "default", "path": "/", "port": 443}


@pytest.mark.parametrize("kind", [VALIDATING, MUTATING])
@pytest.mark.parametrize(
    ("field", "operations"),
    [
        pytest.param("name", replaced("name", "x.imagecompat.dev"), id="name"),
        pytest.param("rules", replaced("rules", [RULE]), id="rules"),
        pytest.param("matchPolicy", replaced("matchPolicy", "Exact"), id="matchPolicy"),
        pytest.param(
            "timeoutSeconds", replaced("timeoutSeconds", 30), id="timeoutSeconds"
        ),
        pytest.param(
            "namespaceSelector",
            replaced("namespaceSelector", NARROW),
            id="namespaceSelector",
        ),
        pytest.param(
            "objectSelector", replaced("objectSelector", NARROW), id="objectSelector"
        ),
        pytest.param(
            "matchConditions",
            replaced("matchConditions", [EXPRESSION]),
            id="matchConditions",
        ),
        pytest.param("sideEffects", replaced("sideEffects", "None"), id="sideEffects"),
        pytest.param(
            "clientConfig.service",
            replaced("clientConfig/service", SERVICE),
            id="service",
        ),
        pytest.param(
            "clientConfig.url",
            [
                {"op": "remove", "path": "/webhooks/0/clientConfig/service"},
                *replaced("clientConfig/url", URL),
            ],
            id="url",
        ),
    ],
)
def test_our_account_may_change_nothing_else_of_them(
    account: Client, kind: str, field: str, operations: list[dict[str, Any]]
) -> None:
    """The first look waits: the API server needs a moment for a new policy."""
    said = until(lambda: refusal(account, kind, operations), bool)
    assert "may change caBundle only" in said
    assert field in said


@pytest.mark.parametrize("kind", [VALIDATING, MUTATING])
def test_our_account_may_not_change_what_a_failure_means(
    admin: Client, account: Client, kind: str
) -> None:
    webhooks = admin.call("GET", configuration(kind))["webhooks"]
    other = {"Ignore": "Fail", "Fail": "Ignore"}[webhooks[0]["failurePolicy"]]
    said = refusal(account, kind, replaced("failurePolicy", other))
    assert "may change caBundle only, not failurePolicy" in said


@pytest.mark.parametrize("kind", [VALIDATING, MUTATING])
def test_our_account_may_neither_add_nor_remove_a_webhook(
    admin: Client, account: Client, kind: str
) -> None:
    first = admin.call("GET", configuration(kind))["webhooks"][0]
    more = {**first, "name": "more.imagecompat.dev"}
    added = [{"op": "add", "path": "/webhooks/-", "value": more}]
    removed = [{"op": "remove", "path": "/webhooks/0"}]
    policy = f"ValidatingAdmissionPolicy '{RELEASE}-self'"
    assert policy in refusal(account, kind, added)
    assert policy in refusal(account, kind, removed)


@pytest.mark.parametrize("kind", [VALIDATING, MUTATING])
def test_our_account_is_refused_by_other_configurations(
    admin: Client, account: Client, kind: str
) -> None:
    body = {"metadata": {"name": OTHER}, "webhooks": []}
    admin.call("POST", f"{REGISTRATION}/{kind}", body)
    try:
        for method, content in (("PATCH", {}), ("DELETE", None), ("GET", None)):
            path = configuration(kind, OTHER)
            with pytest.raises(ApiError) as refused:
                account.call(method, path, content, content_type=MERGE)
            assert refused.value.status == 403
    finally:
        admin.delete(configuration(kind, OTHER))


def test_who_may_edit_namespaces_may_not_therefore_choose_a_mode(
    cluster: Cluster, release: Release
) -> None:
    del release
    server = cluster.server
    rules = [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["*"]}]
    server.service_account("editor", rules)
    token = server.token("editor")
    with Client(server, token) as editor, Client(server) as admin:
        admin.call("POST", "/api/v1/namespaces", {"metadata": {"name": "team"}})
        off = {"imagecompat.dev/mode": "off"}
        said = until(lambda: labelled(editor, off), bool)
        assert 'only by who may "use" "exemptions"' in said
        assert "" == labelled(editor, {"team": "a"})
        made = {"metadata": {"name": "team2", "labels": off}}
        with pytest.raises(ApiError, match="exemptions"):
            editor.call("POST", "/api/v1/namespaces", made)

        assert "" == labelled(admin, off)
        assert "exemptions" in labelled(editor, {"imagecompat.dev/mode": None})
        assert "exemptions" in labelled(editor, {"imagecompat.dev/mode": "audit"})
        assert "" == labelled(editor, {"team": "b"})

        allow(cluster, "editor")
        until(lambda: labelled(editor, {"imagecompat.dev/mode": None}), lambda s: not s)
        assert "" == labelled(editor, off)
    server.kubectl("delete", "clusterrolebinding", "editor-exempts")
    server.remove_namespace("team")


def labelled(client: Client, labels: Mapping[str, str | None]) -> str:
    """What the API server says to labels of the Namespace `team`."""
    body = {"metadata": {"labels": labels}}
    try:
        client.call("PATCH", "/api/v1/namespaces/team", body, content_type=MERGE)
    except ApiError as error:
        return error.message
    return ""


def allow(cluster: Cluster, account: str) -> None:
    """Binds the role that the chart makes for this."""
    cluster.server.kubectl(
        "create",
        "clusterrolebinding",
        "editor-exempts",
        f"--clusterrole={RELEASE}-exemptions",
        f"--serviceaccount=default:{account}",
    )


def test_what_a_cloud_writes_into_our_configuration_stays(
    cluster: Cluster, release: Release
) -> None:
    """Incident 17: some add namespaces to the selector of every webhook."""
    added = {"key": "control-plane", "operator": "NotIn", "values": ["true"]}
    path = "/webhooks/0/namespaceSelector/matchExpressions/-"
    operations = [{"op": "add", "path": path, "value": added}]
    cluster.server.kubectl(
        "patch",
        VALIDATING,
        OURS,
        "--type=json",
        "--field-manager=somebody",
        "-p",
        json.dumps(operations),
    )
    with cluster.kubelet() as kubelet:
        kubelet.wait_ready(2)
        release.wait_called()
        webhook = cluster.configurations()[VALIDATING]["webhooks"][0]
        assert added in webhook["namespaceSelector"]["matchExpressions"]
        assert webhook["clientConfig"]["caBundle"]
