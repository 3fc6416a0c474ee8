"""What holds for every object, whatever the values."""

from __future__ import annotations

import itertools
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.chart import rendering
from tests.chart.rendering import CHART, FILES, MONITORING, Object
from tests.tools.build import find

VERSIONS = ("1.30", "1.37")
APIS: tuple[tuple[str, ...], ...] = ((), (MONITORING, "cert-manager.io/v1"))

every_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


@every_file
def test_lint_finds_nothing(file: Path, helm: str) -> None:
    command = [find(helm), "lint", "--strict", CHART, "--values", file]
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (0, "") == (done.returncode, "".join(warnings(done.stdout)))


def warnings(said: str) -> Sequence[str]:
    return [line for line in said.splitlines() if re.match(r"\[(WARN|ERR)", line)]


@every_file
@pytest.mark.parametrize("kube_version", VERSIONS)
@pytest.mark.parametrize("api_versions", APIS, ids=["plain", "monitoring"])
def test_helm_3_and_4_render_the_same(
    file: Path, kube_version: str, api_versions: tuple[str, ...]
) -> None:
    three, four = (
        rendering.objects(
            file, helm=helm, kube_version=kube_version, api_versions=api_versions
        )
        for helm in rendering.HELMS
    )
    assert three == four
    assert three


@every_file
def test_two_renders_are_identical(file: Path, helm: str) -> None:
    assert rendering.text(file, helm=helm) == rendering.fresh(file, helm=helm)


def test_an_older_kubernetes_is_refused(helm: str) -> None:
    with pytest.raises(rendering.RenderError, match="kubeVersion"):
        rendering.text(helm=helm, kube_version="1.29")


def test_pre_releases_and_vendors_versions_are_taken(helm: str) -> None:
    for version in ("1.30.0-alpha.1", "1.33.1-gke.100", "1.32.3-eks-bf7f3e2"):
        assert rendering.objects(helm=helm, kube_version=version)


def everything() -> list[tuple[str, Object]]:
    """Every object of every file of values, foreign kinds included."""
    return [
        (file.stem, one)
        for file, apis in itertools.product(FILES, APIS)
        for one in rendering.objects(file, api_versions=apis)
    ]


def test_every_object_says_what_it_belongs_to() -> None:
    for file, one in everything():
        if file == "everywhere-values" and one["metadata"]["name"].endswith(
            ("extra", "more")
        ):
            continue  # the user's own
        labels = one["metadata"]["labels"]
        name = "compat" if file == "pod-values" else "imagecompat"
        assert name == labels["app.kubernetes.io/name"], rendering.identity(one)
        assert "imagecompat" == labels["app.kubernetes.io/instance"]
        assert "Helm" == labels["app.kubernetes.io/managed-by"]
        assert "imagecompat" == labels["app.kubernetes.io/part-of"]
        assert labels["app.kubernetes.io/component"] in {"webhook", "selftest"}
        assert labels["app.kubernetes.io/version"]
        assert re.fullmatch(r"imagecompat-\d+\.\d+\.\d+", labels["helm.sh/chart"])


def test_more_labels_are_on_every_object_and_ours_win() -> None:
    for one in rendering.objects(CHART / "ci" / "pod-values.yaml"):
        assert "platform" == one["metadata"]["labels"]["team"]
    pod = rendering.pod(rendering.objects(CHART / "ci" / "pod-values.yaml"))
    labels = pod["metadata"]["labels"]
    assert ("platform", "control") == (labels["team"], labels["example.com/tier"])
    assert "webhook" == labels["app.kubernetes.io/component"]


CLUSTER_WIDE = {
    "ClusterRole",
    "ClusterRoleBinding",
    "MutatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
}


def test_objects_are_in_the_releases_namespace_or_in_none() -> None:
    elsewhere = set()
    for file, one in everything():
        namespace = one["metadata"].get("namespace")
        if one["kind"] in CLUSTER_WIDE:
            assert namespace is None
        elif file == "everywhere-values" and namespace is None:
            assert "ConfigMap" == one["kind"]  # the user's own
        elif namespace != "imagecompat":
            elsewhere.add((one["kind"], namespace, rendering.is_hook(one)))
    assert {
        ("Role", "default", True),
        ("RoleBinding", "default", True),
        *(
            (kind, namespace, False)
            for kind in ("Role", "RoleBinding")
            for namespace in (
                *("node-feature-discovery", "nfd", "nfd-edge"),
                *("team-a", "team-b"),
            )
        ),
    } == elsewhere


def test_there_is_no_namespace_no_job_and_no_definition_among_the_objects() -> None:
    kinds = {one["kind"] for _, one in everything()}
    assert set() == kinds & {"Namespace", "Job", "CustomResourceDefinition"}


def test_no_image_is_latest_and_none_but_ours_is_pulled() -> None:
    text = "\n".join(rendering.text(file) for file in FILES)
    images = set(re.findall(r"^ *(?:- )?image: \"?([^\"\n]+)", text, re.MULTILINE))
    digest = "0123456789abcdef" * 4
    assert {
        "ghcr.io/imagecompat/imagecompat:0.1.0",
        f"registry.example/mirror/imagecompat@sha256:{digest}",
    } == images


def test_no_two_objects_but_hooks_share_kind_and_name() -> None:
    for file in FILES:
        found = [rendering.identity(one) for one in rendering.objects(file)]
        assert sorted(set(found)) == found


TEMPLATES = sorted((CHART / "templates").rglob("*.yaml"))


@pytest.mark.parametrize(
    "path", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_a_template_is_one_object(path: Path) -> None:
    kinds = re.findall(r"^kind: ", path.read_text(), re.MULTILINE)
    assert (0 if path.name == "extraobjects.yaml" else 1) == len(kinds)


def test_manifests_depend_on_nothing_but_values() -> None:
    """A GitOps tool renders without a cluster, and often."""
    text = "\n".join(path.read_text() for path in TEMPLATES)
    text += "\n".join(p.read_text() for p in (CHART / "templates").glob("_*.tpl"))
    for word in ("lookup", "rand", "genCA", "genSelf", "genSigned", "uuid", "now"):
        assert [] == re.findall(
            rf"\b{word}\w* ", re.sub(r"#.*|{{/\*.*?\*/}}", "", text)
        )


def test_foreign_kinds_are_left_out_where_the_cluster_lacks_them(helm: str) -> None:
    file = CHART / "ci" / "monitoring-values.yaml"
    there = rendering.kinds(rendering.objects(file, helm=helm))
    assert not {"PodMonitor", "ServiceMonitor", "PrometheusRule"} & set(there)
    apis = (MONITORING,)
    there = rendering.kinds(rendering.objects(file, helm=helm, api_versions=apis))
    assert {"ServiceMonitor", "PrometheusRule"} <= set(there)
    assert "PodMonitor" not in there
    there = rendering.kinds(rendering.objects(helm=helm, api_versions=apis))
    assert {"PodMonitor", "PrometheusRule"} <= set(there)
    assert "ServiceMonitor" not in there


def test_a_monitor_finds_what_it_selects() -> None:
    rendered = rendering.objects(
        CHART / "ci" / "monitoring-values.yaml", api_versions=(MONITORING,)
    )
    monitor = rendering.find_one("ServiceMonitor", rendered)
    service = rendering.find_one("Service", rendered, "imagecompat-status")
    other = rendering.find_one("Service", rendered, "imagecompat")
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    assert wanted <= service["metadata"]["labels"].items()
    assert not wanted <= other["metadata"]["labels"].items()
    assert "prometheus" == monitor["metadata"]["labels"]["release"]
    pods = rendering.pod(rendered)["metadata"]["labels"].items()
    monitor = rendering.find_one(
        "PodMonitor", rendering.objects(api_versions=(MONITORING,))
    )
    assert monitor["spec"]["selector"]["matchLabels"].items() <= pods
    assert "status" == monitor["spec"]["podMetricsEndpoints"][0]["port"]


def test_more_objects_are_templates() -> None:
    rendered = rendering.objects(CHART / "ci" / "everywhere-values.yaml")
    extra = rendering.find_one("ConfigMap", rendered, "imagecompat-extra")
    assert {"namespace": "imagecompat"} == extra["data"]
    assert rendering.find_one("ConfigMap", rendered, "imagecompat-more")


@pytest.mark.parametrize(
    ("sets", "namespace", "words"),
    [
        pytest.param((), "kube-system", "does not go into", id="kube-system"),
        pytest.param((), "kube-public", "does not go into", id="kube-public"),
        pytest.param(
            ("webhook.failurePolicy=Fail", "replicaCount=1"),
            "imagecompat",
            "webhook.acceptOutages",
            id="Fail with one replica",
        ),
        pytest.param(
            (
                "webhook.failurePolicy=Fail",
                "autoscaling.enabled=true",
                "autoscaling.minReplicas=1",
            ),
            "imagecompat",
            "webhook.acceptOutages",
            id="Fail with one replica at night",
        ),
        pytest.param(
            ("server.port=8080",), "imagecompat", "two servers", id="one port"
        ),
        pytest.param(
            ("tls.mode=existingSecret", "tls.caBundle=x"),
            "imagecompat",
            "tls.existingSecret",
            id="no Secret",
        ),
        pytest.param(
            ("tls.mode=existingSecret", "tls.existingSecret=x"),
            "imagecompat",
            "tls.caBundle",
            id="no authority",
        ),
        pytest.param(
            ("tls.mode=certManager", "policies.self=true"),
            "imagecompat",
            "policies.self",
            id="guard without a guarded",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_the_way_out(
    helm: str, sets: tuple[str, ...], namespace: str, words: str
) -> None:
    with pytest.raises(rendering.RenderError, match=re.escape(words)):
        rendering.text(helm=helm, sets=sets, namespace=namespace)
