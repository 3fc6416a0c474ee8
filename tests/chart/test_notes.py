"""What an installation says at its end.

Helm shows NOTES only with a cluster, so here they are rendered as an object of a
copy of the chart; `test_install.py` reads them off real installations.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.chart import rendering
from tests.chart.rendering import CHART, FILES, MONITORING

WRAPPED = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: notes
data:
  notes: {{ include "notes" . | toJson }}
"""


@pytest.fixture(scope="session")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart, with its notes as one object more."""
    folder = tmp_path_factory.mktemp("notes") / "imagecompat"
    shutil.copytree(CHART, folder)
    notes = folder / "templates" / "NOTES.txt"
    define = '{{- define "notes" -}}\n' + notes.read_text() + "\n{{- end -}}\n"
    (folder / "templates" / "_notes.tpl").write_text(define)
    (folder / "templates" / "notes.yaml").write_text(WRAPPED)
    notes.unlink()
    return folder


def notes(chart: Path, *files: Path, **options: Any) -> str:
    rendered = rendering.objects(*files, chart=chart, **options)
    text = rendering.find_one("ConfigMap", rendered, "notes")["data"]["notes"]
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_notes_are_tidy(chart: Path, helm: str, file: Path) -> None:
    text = notes(chart, file, helm=helm)
    assert "\n\n\n" not in text
    assert "  \n" not in text
    assert "<no value>" not in text
    assert "map[" not in text
    assert 600 < len(text) < 2500


ONE = ("replicaCount=1",)
FAIL = (*ONE, "webhook.failurePolicy=Fail", "webhook.acceptOutages=true")
NAMED = "registry.pullSecrets.read=named"
SPACES = "registry.pullSecrets.read=namespaces"
DENIED = "Mode: enforce: a Pod that no node can run is denied."


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        pytest.param((), DENIED, id="enforce"),
        pytest.param(("policy.mode=warn",), "Mode: warn: a Pod that no", id="warn"),
        pytest.param(("policy.mode=audit",), "Mode: audit: what would", id="audit"),
        pytest.param(("policy.mode=off",), "Mode: off: nothing is judged", id="off"),
        pytest.param((), "Where a Node has the label of an autoscaled", id="auto"),
        pytest.param(
            ("policy.nodesMayAppear=yes",), "But nodes may appear", id="may appear"
        ),
        pytest.param((), "features count from: node-feature-discovery", id="trust"),
        pytest.param(
            ("webhook.exemptNamespaces={cni}",),
            "Never judged: kube-system, kube-node-lease, kube-public, imagecompat, cni",
            id="exempt",
        ),
        pytest.param(
            (),
            "kubectl delete validatingwebhookconfiguration,mutatingwebhookconfiguration"
            " -l app.kubernetes.io/instance=imagecompat\n",
            id="break glass",
        ),
        pytest.param((), "helm uninstall imagecompat -n imagecompat", id="uninstall"),
        pytest.param((), "status -n imagecompat --release imagecompat", id="status"),
        pytest.param(
            ("server.statusPort=8081",),
            "imagecompat status --url http://127.0.0.1:8081",
            id="status of a Pod",
        ),
        pytest.param(
            (NAMED, "registry.pullSecrets.names={b/s,a/t,a/s,a/t}"),
            "\nPull secrets that are read: a/s, a/t, b/s\n",
            id="pull secrets by name",
        ),
        pytest.param((NAMED,), "names is empty\n", id="no pull secrets"),
        pytest.param(
            (SPACES, "registry.pullSecrets.namespaces={b,a}"),
            "\nPull secrets are read, one by one, of: a, b\n\n",
            id="pull secrets of namespaces",
        ),
        pytest.param(
            (SPACES, "registry.pullSecrets.namespaces={*}"),
            "of: no namespace by a Role of ours\n  and wherever a Role of yours lets",
            id="pull secrets by other Roles",
        ),
        pytest.param(
            (SPACES, "registry.pullSecrets.namespaces={a}", "rbac.create=false"),
            "of: a\n  rbac.create is false: the Roles for this are yours",
            id="pull secrets without Roles",
        ),
        pytest.param((), "helm test imagecompat -n imagecompat", id="test"),
        pytest.param(
            ("policy.mode=off",), "because policy.mode is off", id="no test: off"
        ),
        pytest.param(
            ("registry.layoutRoot=/x",), "because registry.layoutRoot", id="no layouts"
        ),
        pytest.param(
            ("selftest.namespace=kube-system",),
            "because selftest.namespace (kube-system)",
            id="no test: exempt",
        ),
        pytest.param(ONE, "WARNING: one replica. While it restarts, Pods", id="one"),
        pytest.param(FAIL, "Pods are refused in all but the exempt", id="one, Fail"),
        pytest.param(
            ("webhook.failurePolicy=Fail",), "webhook.failurePolicy is Fail", id="Fail"
        ),
        pytest.param(
            ("uninstallHook.enabled=false",), "Helm 3 removes the", id="no hook"
        ),
        pytest.param((), "the cluster has none of these kinds", id="no Prometheus"),
        pytest.param(
            ("serviceMonitor.enabled=true",), "reads everything twice", id="twice"
        ),
        pytest.param(
            ("hostNetwork=true", "server.port=10250"),
            "the kubelet has that port",
            id="the kubelet's port",
        ),
    ],
)
def test_notes_say(chart: Path, helm: str, sets: tuple[str, ...], words: str) -> None:
    assert words in notes(chart, sets=sets, helm=helm)


NETWORK = "networkPolicy.enabled=true"
PRIVATE = "registry.hosts.r\\.example:5000.private=true"
PLAIN = "registry.hosts.r\\.example.plainHttp=true"


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        pytest.param(
            (NETWORK, PRIVATE), "reach r.example:5000: add 5000 to", id="port"
        ),
        pytest.param((NETWORK, PLAIN), "reach r.example: add 80 to", id="plain HTTP"),
    ],
)
def test_a_registry_that_the_network_policy_shuts_out_is_named(
    chart: Path, helm: str, sets: tuple[str, ...], words: str
) -> None:
    assert words in notes(chart, sets=sets, helm=helm)
    opened = (*sets, "networkPolicy.registryPorts={80,443,5000}")
    assert "lets nobody reach" not in notes(chart, sets=opened, helm=helm)
    assert "lets nobody reach" not in notes(chart, sets=sets[1:], helm=helm)


QUIET = ("selftest.enabled=false", "podMonitor.enabled=false")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        pytest.param({"api_versions": (MONITORING,)}, "none of these", id="Prometheus"),
        pytest.param(
            {"sets": ("policy.nodesMayAppear=no",)}, "may appear", id="no nodes"
        ),
        pytest.param(
            {"sets": ("policy.onScalable=deny",)}, "may appear", id="denied anyway"
        ),
        pytest.param({"sets": QUIET}, "helm test", id="no test"),
        pytest.param({}, "WARNING", id="two replicas"),
        pytest.param({}, "GKE", id="no GKE"),
        pytest.param({}, "EKS", id="no EKS"),
        pytest.param({}, "AKS", id="no AKS"),
    ],
)
def test_notes_do_not_say(chart: Path, options: dict[str, Any], words: str) -> None:
    assert words not in notes(chart, **options)


def test_exemptions_are_named_with_their_owner(chart: Path) -> None:
    text = notes(chart, CHART / "ci" / "settings-values.yaml")
    assert "and what storage asked for: their images are older" in text
    assert "features count from: nfd, nfd-edge" in text


@pytest.mark.parametrize(
    ("kube_version", "sets", "words"),
    [
        pytest.param("1.33.1-gke.100", (), "open 9443 in the", id="GKE"),
        pytest.param("1.32.3-eks-bf7f3e2", (), "set hostNetwork to true", id="EKS"),
    ],
)
def test_managed_clusters_get_a_hint(
    chart: Path, kube_version: str, sets: tuple[str, ...], words: str
) -> None:
    assert words in notes(chart, kube_version=kube_version, sets=sets)


@pytest.mark.parametrize(
    ("kube_version", "sets"),
    [
        pytest.param("1.33.1-gke.100", ("server.port=10250",), id="GKE"),
        pytest.param("1.32.3-eks-bf7f3e2", ("hostNetwork=true",), id="EKS"),
    ],
)
def test_who_took_the_hint_does_not_get_it_again(
    chart: Path, kube_version: str, sets: tuple[str, ...]
) -> None:
    text = notes(chart, kube_version=kube_version, sets=sets)
    assert not {"GKE", "EKS"} & set(text.replace(".", " ").split())
