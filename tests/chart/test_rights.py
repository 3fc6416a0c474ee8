"""What our ServiceAccounts may do, word by word, and who may reach us."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from tests.chart import rendering
from tests.chart.rendering import CHART, FILES, Object

READER = {
    ("", "nodes", "", "list watch"),
    ("", "namespaces", "", "get list watch"),
}
FEATURES = {("nfd.k8s-sigs.io", "nodefeatures", "", "list watch")}
OF_NFD = ("Role", "node-feature-discovery", "imagecompat-nodefeatures")
ADMISSION = "admissionregistration.k8s.io"
CONFIGURATIONS = {
    (ADMISSION, f"{kind}webhookconfigurations", "imagecompat", "get patch watch")
    for kind in ("validating", "mutating")
}
SECRET = {
    ("", "secrets", "imagecompat-tls", "get patch watch"),
    ("", "secrets", "", "create"),
}
TEST = {("", "pods", "", "create")}
USE = {("imagecompat.dev", "exemptions", "", "use")}


def rules(role: Object) -> set[tuple[str, str, str, str]]:
    """Group, resource, name and verbs of each rule."""
    return {
        (group, resource, name, " ".join(sorted(rule["verbs"])))
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for name in rule.get("resourceNames", [""])
    }


def roles(*files: Path, **options: Any) -> dict[tuple[str, str, str], Any]:
    """Kind, namespace and name -> rules."""
    return {
        (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]): (
            rules(one)
        )
        for one in rendering.objects(*files, **options)
        if one["kind"] in {"Role", "ClusterRole"}
    }


def test_rights_are_split_in_three_and_are_these(helm: str) -> None:
    assert {
        ("ClusterRole", "", "imagecompat"): READER,
        OF_NFD: FEATURES,
        ("ClusterRole", "", "imagecompat-configurations"): CONFIGURATIONS,
        ("Role", "imagecompat", "imagecompat"): SECRET,
        ("Role", "default", "imagecompat-selftest"): TEST,
    } == roles(helm=helm)


@pytest.mark.parametrize("name", ["certmanager", "existing-secret"])
def test_a_certificate_from_elsewhere_takes_the_rights_to_make_one_away(
    name: str,
) -> None:
    assert {
        ("ClusterRole", "", "imagecompat"): READER,
        OF_NFD: FEATURES,
        ("Role", "default", "imagecompat-selftest"): TEST,
    } == roles(CHART / "ci" / f"{name}-values.yaml")


def test_without_annotations_there_is_no_right_to_the_mutating_configuration() -> None:
    found = roles(sets=("policy.annotate=false",))
    [only] = found["ClusterRole", "", "imagecompat-configurations"]
    assert "validatingwebhookconfigurations" == only[1]


def test_node_features_are_read_in_the_trusted_namespaces_only() -> None:
    found = roles(sets=("cluster.trustedNamespaces={nfd,nfd-edge}",))
    assert OF_NFD not in found
    for namespace in ("nfd", "nfd-edge"):
        assert FEATURES == found["Role", namespace, "imagecompat-nodefeatures"]


def test_node_features_can_be_read_everywhere() -> None:
    """For who has no namespace of that name yet, or takes it away at times."""
    found = roles(CHART / "ci" / "everywhere-values.yaml")
    assert READER | FEATURES == found["ClusterRole", "", "imagecompat"]
    assert OF_NFD not in found
    assert USE == found["ClusterRole", "", "imagecompat-exemptions"]


NAMED = CHART / "ci" / "namedsecrets-values.yaml"
OF_NAMESPACES = CHART / "ci" / "pullsecrets-values.yaml"


def pull_secrets(*files: Path, **options: Any) -> dict[str, Any]:
    """Namespace -> what a Role for pull secrets lets us do there."""
    found = roles(*files, **options)
    ends = "imagecompat-pullsecrets"
    return {place: rules for (_, place, name), rules in found.items() if name == ends}


def test_no_pull_secret_may_be_read_without_a_word(helm: str) -> None:
    assert {} == pull_secrets(helm=helm)
    names = "registry.pullSecrets.names={team-a/hub}"
    spaces = "registry.pullSecrets.namespaces={team-a}"
    assert {} == pull_secrets(sets=(names, spaces), helm=helm)


def test_pull_secrets_are_read_by_their_names_only(helm: str) -> None:
    assert {
        "team-a": {("", "secrets", name, "get") for name in ("ghcr", "hub")},
        "team-b": {("", "secrets", "quay", "get")},
    } == pull_secrets(NAMED, helm=helm)


def test_pull_secrets_are_read_in_their_namespaces_only(helm: str) -> None:
    right = {("", "secrets", "", "get"), ("", "serviceaccounts", "", "get")}
    assert {"team-a": right, "team-b": right} == pull_secrets(OF_NAMESPACES, helm=helm)


def test_pull_secrets_of_every_namespace_take_roles_of_the_admins_own() -> None:
    read = "registry.pullSecrets.read=namespaces"
    every = "registry.pullSecrets.namespaces={*}"
    assert {} == pull_secrets(sets=(read, every))
    both = "registry.pullSecrets.namespaces={*,team-a}"
    assert ["team-a"] == list(pull_secrets(sets=(read, both)))


@pytest.mark.parametrize("file", [NAMED, OF_NAMESPACES], ids=lambda file: file.stem)
def test_roles_for_pull_secrets_can_be_left_to_the_admin(file: Path) -> None:
    assert {} == pull_secrets(file, sets=("rbac.create=false",))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_secret_is_listed_or_watched_as_a_whole_or_read_everywhere(
    file: Path,
) -> None:
    for (kind, namespace, name), found in roles(file).items():
        for _, resource, only, verbs in found:
            if resource in {"secrets", "serviceaccounts"}:
                assert ("Role", True) == (kind, bool(namespace)), name
                assert "list" not in verbs
                assert only or verbs in {"get", "create"}


@pytest.mark.parametrize("name", ["hub", "a/b/c", "/hub", "team-a/", "*/hub", "a/*"])
def test_a_pull_secret_without_a_namespace_is_refused(name: str) -> None:
    with pytest.raises(rendering.RenderError, match=r"expected NAMESPACE/NAME"):
        roles(sets=(f"registry.pullSecrets.names={{{name}}}",))


def test_rights_can_be_left_to_the_admin() -> None:
    assert {} == roles(CHART / "ci" / "least-values.yaml")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nothing_is_granted_by_a_star(file: Path) -> None:
    granted = [rule for found in roles(file).values() for rule in found]
    assert not [rule for rule in granted if "*" in " ".join(rule)]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_binding_binds_a_role_of_ours_to_an_account_of_ours(file: Path) -> None:
    rendered = rendering.objects(file)
    known = {
        (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"])
        for one in rendered
    }
    bound = set()
    for one in rendered:
        if not one["kind"].endswith("RoleBinding"):
            continue
        reference = one["roleRef"]
        namespace = one["metadata"].get("namespace", "")
        bound.add((reference["kind"], namespace, reference["name"]))
        [subject] = one["subjects"]
        account = (subject["kind"], subject["namespace"], subject["name"])
        assert account in known
        assert subject["name"].endswith("-selftest") == rendering.is_hook(one)
    there = {one for one in known if one[0] in {"Role", "ClusterRole"}}
    unbound = {one[2].rpartition("-")[2] for one in there - bound}
    assert unbound <= {"exemptions"}
    assert bound <= there


def policy(*files: Path, **options: Any) -> Object:
    rendered = rendering.objects(*files, **options)
    spec = rendering.find_one("NetworkPolicy", rendered)["spec"]
    assert isinstance(spec, dict)
    return spec


def test_there_is_a_network_policy_where_it_matters() -> None:
    assert "NetworkPolicy" not in rendering.kinds(rendering.objects())
    spec = policy(CHART / "values-ha.yaml")
    assert ["Ingress", "Egress"] == spec["policyTypes"]
    assert ["https", "status"] == [
        one["port"] for rule in spec["ingress"] for one in rule["ports"]
    ]
    names, server, registries = spec["egress"]
    assert [("UDP", 53), ("TCP", 53)] == [
        (one["protocol"], one["port"]) for one in names["ports"]
    ]
    assert [443, 6443] == [one["port"] for one in server["ports"]]
    assert "to" not in names
    for rule in (server, registries):
        assert {
            "0.0.0.0/0": ["169.254.0.0/16"],
            "::/0": ["fe80::/10"],
        } == {one["ipBlock"]["cidr"]: one["ipBlock"]["except"] for one in rule["to"]}


def test_only_openshifts_names_are_behind_another_port() -> None:
    spec = policy(sets=("networkPolicy.enabled=true", "openshift=true"))
    assert [("UDP", 53), ("TCP", 53), ("UDP", 5353), ("TCP", 5353)] == [
        (one["protocol"], one["port"]) for one in spec["egress"][0]["ports"]
    ]


METADATA = ip_network("169.254.169.254/32")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_rule_lets_us_reach_a_clouds_metadata(file: Path) -> None:
    """Names aside: some clusters have their resolver at a link-local address."""
    rules = policy(file, sets=("networkPolicy.enabled=true",))["egress"][1:3]
    blocks = [peer["ipBlock"] for rule in rules for peer in rule["to"]]
    assert len(blocks) >= len(rules)
    for block in blocks:
        inside = ip_network(block["cidr"])
        but = [ip_network(one) for one in block.get("except", ())]
        assert not METADATA.overlaps(inside) or any(METADATA.overlaps(n) for n in but)


def test_a_network_policy_can_be_told_who_is_who() -> None:
    spec = policy(CHART / "ci" / "network-values.yaml")
    webhook, status = spec["ingress"]
    assert [{"ipBlock": {"cidr": "10.1.0.0/16"}}] == webhook["from"]
    assert "namespaceSelector" in status["from"][0]
    names, server, registries, extra = spec["egress"]
    assert 5353 in [one["port"] for one in names["ports"]]
    assert [{"ipBlock": {"cidr": "10.1.0.10/32"}}] == server["to"]
    assert ["10.2.0.0/16", "fd00::/8"] == [
        one["ipBlock"]["cidr"] for one in registries["to"]
    ]
    assert [443, 5000] == [one["port"] for one in registries["ports"]]
    assert 8080 == extra["ports"][0]["port"]
