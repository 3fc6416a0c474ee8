"""What our ServiceAccount may do, of everything that the API server serves.

Incident 17 of `docs/explanation/incidents.md` is here, too. What the chart's two
policies forbid is `tests/chart/test_policies.py`'s.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import pytest

from tests.tools.client import Client
from tests.tools.helm import NAMESPACE
from tests.tools.world import NFD, VALIDATING, Cluster, Release

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

PLACES = ("", NAMESPACE, "default", "kube-system", NFD)
OTHER = "somebody-elses"
OURS = "imagecompat"
SECRET = "imagecompat-tls"
CONFIGURATIONS = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")
ALLOWED: set[Access] = {
    *(("", "nodes", "", "", verb) for verb in ("list", "watch")),
    *(("", "namespaces", "", "", verb) for verb in ("get", "list", "watch")),
    *(("nfd.k8s-sigs.io", "nodefeatures", NFD, "", verb) for verb in ("list", "watch")),
    ("", "secrets", NAMESPACE, "", "create"),
    *(("", "secrets", NAMESPACE, SECRET, verb) for verb in ("get", "watch", "patch")),
    *(
        ("admissionregistration.k8s.io", resource, "", OURS, verb)
        for resource in CONFIGURATIONS
        for verb in ("get", "watch", "patch")
    ),
}


@pytest.fixture
def admin(cluster: Cluster) -> Iterator[Client]:
    """Who may ask about others."""
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
        places = PLACES if is_namespaced else ("",)
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
    release.install()
    wanted = list(all_access(admin))
    ours = granted(admin, f"system:serviceaccount:{NAMESPACE}:{OURS}", wanted)
    everyone = granted(admin, f"system:serviceaccount:{NAMESPACE}:nobody", ours)
    print(f"\n{len(wanted)} rights: {len(ours)} granted, {len(everyone)} to everyone")
    assert ALLOWED == ours - everyone


TEAMS = ("team-a", "team-b", "team-c")
NAMED = {
    "read": "named",
    "names": ["team-a/hub", "team-a/ghcr", "team-b/quay"],
    "namespaces": ["team-c"],
}
OF_NAMESPACES = {"read": "namespaces", "namespaces": ["team-a", "team-b"]}
OF_ALL = {"read": "namespaces", "namespaces": ["*"]}


@pytest.fixture
def teams(cluster: Cluster) -> None:
    """Namespaces with pull secrets."""
    for name in TEAMS:
        body = {"apiVersion": "v1", "kind": "Namespace"}
        cluster.server.put("/api/v1/namespaces", body, name)


def around_secrets() -> Iterator[Access]:
    """Every verb on Secrets and on ServiceAccounts, which stand for them."""
    for resource in ("secrets", "serviceaccounts", "serviceaccounts/token"):
        for verb in (*VERBS, "impersonate"):
            for namespace in ("", NAMESPACE, "default", "kube-system", *TEAMS):
                for name in ("", "hub", "ghcr", "quay", SECRET, OTHER):
                    yield "", resource, namespace, name, verb


@pytest.mark.usefixtures("teams")
@pytest.mark.parametrize(
    ("pull_secrets", "expected"),
    [
        pytest.param(
            NAMED,
            {
                ("", "secrets", "team-a", "hub", "get"),
                ("", "secrets", "team-a", "ghcr", "get"),
                ("", "secrets", "team-b", "quay", "get"),
            },
            id="named",
        ),
        pytest.param(
            OF_NAMESPACES,
            {
                ("", resource, namespace, "", "get")
                for resource in ("secrets", "serviceaccounts")
                for namespace in ("team-a", "team-b")
            },
            id="namespaces",
        ),
        pytest.param(OF_ALL, set(), id="every-namespace"),
    ],
)
def test_our_account_may_read_these_pull_secrets_and_no_others(
    admin: Client,
    release: Release,
    pull_secrets: dict[str, object],
    expected: set[Access],
) -> None:
    release.install({"registry": {"pullSecrets": pull_secrets}})
    ours = granted(admin, f"system:serviceaccount:{NAMESPACE}:{OURS}", around_secrets())
    own = {one for one in ALLOWED if one[1] == "secrets"}
    assert expected == ours - own
    assert own <= ours


def test_what_a_cloud_writes_into_our_configuration_stays(
    cluster: Cluster, release: Release
) -> None:
    """Incident 17: some add namespaces to the selector of every webhook."""
    release.install({"policies": {"self": True, "namespaceLabel": True}})
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
