"""The Pod: hardened, spread, drained, and rolled only where it must be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.chart import rendering
from tests.chart.rendering import CHART, FILES, Object

HA = CHART / "values-ha.yaml"


def ci(name: str) -> Path:
    return CHART / "ci" / f"{name}-values.yaml"


def container(*files: Path, **options: Any) -> Object:
    pod = rendering.pod(rendering.objects(*files, **options))["spec"]
    [one] = pod["containers"]
    assert isinstance(one, dict)
    return one


def deployment(*files: Path, **options: Any) -> Object:
    rendered = rendering.objects(*files, **options)
    spec = rendering.find_one("Deployment", rendered)["spec"]
    assert isinstance(spec, dict)
    return spec


def pods(file: Path) -> list[Object]:
    """The webhook's Pod, and the test's."""
    rendered = rendering.objects(file)
    return [
        rendering.pod(rendered)["spec"],
        *(one["spec"] for one in rendered if one["kind"] == "Pod"),
    ]


ON_OPENSHIFT = {CHART / "ci" / f"{name}-values.yaml" for name in ("least", "network")}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_pods_are_hardened(file: Path) -> None:
    for pod in pods(file):
        context = pod["securityContext"]
        assert context["runAsNonRoot"]
        user = None if file in ON_OPENSHIFT else 65532
        found = {context.get(f"runAs{one}") for one in ("User", "Group")}
        assert {user} == found | {context.get("fsGroup")}
        assert {"type": "RuntimeDefault"} == context["seccompProfile"]
        for one in pod["containers"]:
            assert {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            } == one["securityContext"]
            assert {"name": "tmp", "mountPath": "/tmp"} in one["volumeMounts"]
        [tmp] = [one for one in pod["volumes"] if one["name"] == "tmp"]
        assert "emptyDir" in tmp


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_mount_has_its_volume(file: Path) -> None:
    for pod in pods(file):
        volumes = [one["name"] for one in pod["volumes"]]
        mounts = [one["name"] for one in pod["containers"][0]["volumeMounts"]]
        assert sorted(set(volumes)) == sorted(volumes)
        assert sorted(volumes) == sorted(mounts)


def test_only_the_pod_that_needs_a_token_has_one() -> None:
    rendered = rendering.objects()
    account = rendering.find_one("ServiceAccount", rendered)
    assert account["automountServiceAccountToken"] is False
    assert rendering.pod(rendered)["spec"]["automountServiceAccountToken"] is True


def test_the_command_is_the_webhooks() -> None:
    wanted = ["imagecompat", "serve", "--config", "/etc/imagecompat/settings.yaml"]
    assert wanted == container()["command"]
    mounts = {one["name"]: one for one in container()["volumeMounts"]}
    assert "/etc/imagecompat" == mounts["settings"]["mountPath"]
    assert "subPath" not in mounts["settings"], "changes would not arrive"


def test_ports_have_names_that_services_and_probes_use() -> None:
    ports = {one["name"]: one["containerPort"] for one in container()["ports"]}
    assert {"https": 9443, "status": 8080} == ports
    other = {
        one["name"]: one["containerPort"]
        for one in container(ci("hostnetwork"))["ports"]
    }
    assert {"https": 10260, "status": 10261} == other
    service = rendering.find_one("Service", rendering.objects())["spec"]
    [port] = service["ports"]
    assert (443, "https") == (port["port"], port["targetPort"])


def test_probes_ask_the_status_port_and_only_a_stuck_process_is_restarted() -> None:
    one = container()
    asked = {
        name: (probe["httpGet"]["path"], probe["httpGet"]["port"])
        for name, probe in one.items()
        if name.endswith("Probe")
    }
    assert {
        "startupProbe": ("/livez", "status"),
        "livenessProbe": ("/livez", "status"),
        "readinessProbe": ("/readyz", "status"),
    } == asked
    start = one["startupProbe"]
    assert start["failureThreshold"] * start["periodSeconds"] >= 120


def test_there_is_no_cpu_limit_and_memory_for_a_large_cluster() -> None:
    assert {
        "requests": {"cpu": "100m", "memory": "256Mi"},
        "limits": {"memory": "512Mi"},
    } == container()["resources"]


@pytest.mark.parametrize(
    ("sets", "seconds"),
    [
        pytest.param((), 30, id="defaults"),
        pytest.param(
            ("server.drainSeconds=7.5", "server.shutdownSeconds=20.2"),
            34,
            id="rounded up",
        ),
        pytest.param(("server.drainSeconds=0", "server.shutdownSeconds=0"), 5, id="0"),
    ],
)
def test_the_kubelet_waits_for_drain_and_shutdown_and_a_little_more(
    helm: str, sets: tuple[str, ...], seconds: int
) -> None:
    pod = rendering.pod(rendering.objects(sets=sets, helm=helm))
    assert seconds == pod["spec"]["terminationGracePeriodSeconds"]


def test_an_upgrade_takes_no_replica_away_before_a_new_one_is_ready() -> None:
    assert {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    } == deployment()["strategy"]


def test_on_the_nodes_network_a_new_pod_may_take_the_port_of_an_old_one() -> None:
    """Otherwise an upgrade would wait for ever where every node has a replica."""
    rolling = deployment(ci("hostnetwork"))["strategy"]["rollingUpdate"]
    assert {"maxUnavailable": 1, "maxSurge": 1} == rolling


def test_replicas_are_two_and_three_where_it_matters() -> None:
    assert (2, 3) == (deployment()["replicas"], deployment(HA)["replicas"])


def test_an_autoscaler_decides_instead_of_the_chart() -> None:
    rendered = rendering.objects(ci("hostnetwork"))
    assert "replicas" not in rendering.find_one("Deployment", rendered)["spec"]
    spec = rendering.find_one("HorizontalPodAutoscaler", rendered)["spec"]
    assert (2, 4) == (spec["minReplicas"], spec["maxReplicas"])
    target = rendering.find_one("Deployment", rendered)["metadata"]["name"]
    assert target == spec["scaleTargetRef"]["name"]


@pytest.mark.parametrize(
    ("sets", "is_there"),
    [
        pytest.param((), True, id="two replicas"),
        pytest.param(("replicaCount=1",), False, id="one replica"),
        pytest.param(("podDisruptionBudget.enabled=false",), False, id="not wanted"),
        pytest.param(
            ("replicaCount=1", "autoscaling.enabled=true"), True, id="autoscaler"
        ),
    ],
)
def test_there_is_a_disruption_budget_from_two_replicas_on(
    sets: tuple[str, ...], *, is_there: bool
) -> None:
    rendered = rendering.objects(sets=sets)
    assert is_there == ("PodDisruptionBudget" in rendering.kinds(rendered))


def test_a_broken_replica_keeps_no_node_from_being_drained() -> None:
    budget = rendering.find_one("PodDisruptionBudget", rendering.objects())["spec"]
    assert "AlwaysAllow" == budget["unhealthyPodEvictionPolicy"]
    assert 1 == budget["maxUnavailable"]


def test_replicas_stay_apart_where_they_can() -> None:
    pod = rendering.pod(rendering.objects())["spec"]
    soft = "preferredDuringSchedulingIgnoredDuringExecution"
    [term] = pod["affinity"]["podAntiAffinity"][soft]
    assert "kubernetes.io/hostname" == term["podAffinityTerm"]["topologyKey"]
    [spread] = pod["topologySpreadConstraints"]
    zone = "topology.kubernetes.io/zone"
    said = (spread["topologyKey"], spread["whenUnsatisfiable"])
    assert (zone, "ScheduleAnyway") == said


def test_selectors_match_the_pods_and_only_them() -> None:
    rendered = rendering.objects(HA, ci("monitoring"))
    labels = rendering.pod(rendered)["metadata"]["labels"].items()
    [test] = [one for one in rendered if one["kind"] == "Pod"]
    found = {
        "Deployment": deployment()["selector"]["matchLabels"],
        "Service": rendering.find_one("Service", rendered, "imagecompat")["spec"][
            "selector"
        ],
        "status": rendering.find_one("Service", rendered, "imagecompat-status")["spec"][
            "selector"
        ],
        "PodDisruptionBudget": rendering.find_one("PodDisruptionBudget", rendered)[
            "spec"
        ]["selector"]["matchLabels"],
        "NetworkPolicy": rendering.find_one("NetworkPolicy", rendered)["spec"][
            "podSelector"
        ]["matchLabels"],
    }
    for kind, selector in found.items():
        assert selector.items() <= labels, kind
        assert not selector.items() <= test["metadata"]["labels"].items(), kind


def test_a_system_priority_brings_its_quota() -> None:
    quota = rendering.find_one("ResourceQuota", rendering.objects(HA))["spec"]
    [scope] = quota["scopeSelector"]["matchExpressions"]
    assert ["system-cluster-critical"] == scope["values"]
    assert "ResourceQuota" not in rendering.kinds(rendering.objects(ci("pod")))
    off = rendering.objects(HA, sets=("resourceQuota.enabled=false",))
    assert "ResourceQuota" not in rendering.kinds(off)


def test_what_values_say_of_the_pod_is_in_it() -> None:
    pod = rendering.pod(rendering.objects(ci("pod")))
    spec = pod["spec"]
    assert "high" == spec["priorityClassName"]
    assert [{"name": "mirror"}] == spec["imagePullSecrets"]
    assert ["nodeAffinity"] == list(spec["affinity"])
    assert "DoNotSchedule" == spec["topologySpreadConstraints"][0]["whenUnsatisfiable"]
    assert {"node-role.kubernetes.io/control-plane": ""}.items() <= spec[
        "nodeSelector"
    ].items()
    assert "yes" == pod["metadata"]["annotations"]["example.com/note"]
    assert "SSL_CERT_FILE" == spec["containers"][0]["env"][0]["name"]
    mounts = {one["mountPath"] for one in spec["containers"][0]["volumeMounts"]}
    assert {"/etc/authorities", "/etc/imagecompat-docker"} <= mounts
    [docker] = [one for one in spec["volumes"] if one["name"] == "docker"]
    assert {
        "secretName": "registries",
        "items": [{"key": ".dockerconfigjson", "path": "config.json"}],
    } == docker["secret"]
    assert spec["containers"][0]["image"].startswith("registry.example/mirror/")
    assert "not-used" not in spec["containers"][0]["image"], "a digest wins over a tag"


def test_the_nodes_network_brings_the_clusters_names() -> None:
    spec = rendering.pod(rendering.objects(ci("hostnetwork")))["spec"]
    assert (True, "ClusterFirstWithHostNet") == (spec["hostNetwork"], spec["dnsPolicy"])
    spec = rendering.pod(rendering.objects(ci("network")))["spec"]
    assert "Default" == spec["dnsPolicy"]
    assert "hostNetwork" not in spec
    assert "dnsPolicy" not in rendering.pod(rendering.objects())["spec"]


LIVE = (
    "policy.mode=warn",
    "policy.onUnknown=deny",
    "registry.hosts.r\\.example.private=true",
    "cluster.schedulers={batch}",
    "cluster.nodesIgnore=a=b",
    "cluster.transientTaints={a}",
    "server.maxReviews=9",
)
RESTART = (
    "server.drainSeconds=11",
    "server.checkSeconds=11",
    "cluster.trustedNamespaces={nfd}",
    "certificates.renewAt=0.5",
    "webhook.timeoutSeconds=6",
    "policy.annotate=false",
)


def template(one: str) -> Object:
    return rendering.pod(rendering.objects(sets=(one,)))


@pytest.mark.parametrize("one", LIVE)
def test_what_applies_live_rolls_no_pod(one: str) -> None:
    assert template("replicaCount=2") == template(one)
    assert rendering.text() != rendering.text(sets=(one,))


@pytest.mark.parametrize("one", RESTART)
def test_what_needs_a_new_process_rolls_the_pods(one: str) -> None:
    assert template("replicaCount=2") != template(one)


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        pytest.param("certmanager", "imagecompat-tls", id="cert-manager"),
        pytest.param("existing-secret", "webhook-certificate", id="existing Secret"),
    ],
)
def test_a_certificate_from_elsewhere_is_mounted(name: str, secret: str) -> None:
    rendered = rendering.objects(ci(name))
    spec = rendering.pod(rendered)["spec"]
    [volume] = [one for one in spec["volumes"] if one["name"] == "tls"]
    assert secret == volume["secret"]["secretName"]
    assert "Secret" not in rendering.kinds(rendered)


def test_our_own_secret_is_empty_and_not_mounted() -> None:
    rendered = rendering.objects()
    secret = rendering.find_one("Secret", rendered)
    assert {"apiVersion", "kind", "metadata", "type"} == set(secret)
    volumes = rendering.pod(rendered)["spec"]["volumes"]
    assert "tls" not in {one["name"] for one in volumes}
