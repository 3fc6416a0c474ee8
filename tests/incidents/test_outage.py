"""The webhook is away, or hangs: what still works, and how fast.

Incidents 1, 2, 3, 5 and 6 of `docs/explanation/incidents.md`.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.tools.build import find
from tests.tools.client import Client
from tests.tools.helm import NAMESPACE, RELEASE, ROOT, VERSIONS, Helm
from tests.tools.recorder import Recorder
from tests.tools.world import (
    FITS,
    FITS_NOWHERE,
    MISFIT,
    MUTATING,
    REGISTRATION,
    VALIDATING,
    Cluster,
    Release,
    restricted,
    until,
)

pytestmark = pytest.mark.integration

FAIL = {"webhook": {"failurePolicy": "Fail"}}
REFUSED = 'failed calling webhook "pods.imagecompat.dev"'


def refused(cluster: Cluster) -> str:
    """Waits until the API server refuses Pods for want of us; what it says."""
    return until(lambda: cluster.post(FITS), lambda said: REFUSED in said)


@pytest.fixture
def hanging(cluster: Cluster, release: Release) -> Iterator[Recorder]:
    """Behind the chart's Service, with its default timeouts; it never answers."""
    folder = cluster.folder / "hanging"
    with (
        Client(cluster.server) as client,
        Recorder(folder, f"{RELEASE}.{NAMESPACE}.svc") as recorder,
    ):
        tls = {
            "mode": "existingSecret",
            "existingSecret": "unused",
            "caBundle": recorder.authority,
        }
        timeouts = {"timeoutSeconds": 5, "annotateTimeoutSeconds": 2}
        release.install({"tls": tls, "webhook": timeouts})
        recorder.publish(client, NAMESPACE, RELEASE)
        until(lambda: cluster.post("x"), lambda said: not said and recorder.take())
        recorder.hangs.set()
        yield recorder
        recorder.withdraw(client, NAMESPACE)


def test_our_own_pods_start_while_we_are_away_and_must_be_asked(
    cluster: Cluster, release: Release
) -> None:
    """Incident 1: who has to admit its own Pod never comes back."""
    release.install(FAIL)
    refused(cluster)
    assert "" == cluster.post(FITS, namespace=NAMESPACE, spec=restricted(FITS))
    with cluster.kubelet() as kubelet:
        kubelet.wait_ready(2)
        release.wait_called()


def test_a_cluster_that_starts_without_us_starts(
    cluster: Cluster, release: Release
) -> None:
    """Incident 2: a stopped cluster, with `Fail` and our configurations in etcd."""
    release.install(FAIL)
    refused(cluster)
    cluster.server.kill()
    cluster.server.start()
    started = time.monotonic()
    assert "" == cluster.post(FITS, namespace="kube-system")
    seconds = time.monotonic() - started
    print(f"\na Pod of kube-system took {seconds:.2f} s behind a cold start")
    assert seconds < 5
    refused(cluster)
    with cluster.kubelet() as kubelet:
        kubelet.wait_ready(2)
        release.wait_called()


def test_with_the_default_policy_pods_start_while_we_are_away(
    cluster: Cluster, release: Release
) -> None:
    release.install()
    before = cluster.failed_open()
    until(lambda: cluster.post(FITS), lambda _: cluster.failed_open() > before)
    started = time.monotonic()
    assert "" == cluster.post(FITS_NOWHERE)
    seconds = time.monotonic() - started
    print(f"\na Pod took {seconds:.2f} s with nobody behind the Service")
    assert seconds < 5


def test_a_webhook_that_hangs_delays_a_pod_by_its_two_timeouts(
    cluster: Cluster, hanging: Recorder
) -> None:
    """Incidents 3 and 5: 2 seconds and 5; then it is admitted."""
    started = time.monotonic()
    assert "" == cluster.post(FITS)
    seconds = time.monotonic() - started
    print(f"\na Pod took {seconds:.2f} s with a webhook that hangs")
    assert 2 == len(hanging.take())
    assert 6.5 < seconds < 20


def test_a_webhook_that_hangs_does_not_delay_what_a_network_needs(
    cluster: Cluster, hanging: Recorder
) -> None:
    """Incident 3: the Pods of a network plug-in, in an exempt namespace."""
    started = time.monotonic()
    assert "" == cluster.post(FITS, namespace="kube-system")
    assert time.monotonic() - started < 5
    assert [] == hanging.take()


def leftovers(cluster: Cluster) -> list[str]:
    """Everything of the release that is still stored, whatever its kind."""
    server = cluster.server
    listed = server.kubectl("api-resources", "--verbs=list", "-o", "name").stdout
    kinds = [one for one in listed.split() if not one.startswith("events")]
    label = f"app.kubernetes.io/instance={RELEASE}"
    found = server.kubectl("get", ",".join(kinds), "-A", "-l", label, "-o", "name")
    secrets = server.call("GET", f"/api/v1/namespaces/{NAMESPACE}/secrets")["items"]
    return [
        *found.stdout.split(),
        *(f"secret/{one['metadata']['name']}" for one in secrets),
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_it_can_be_uninstalled_while_it_is_away_and_must_be_asked(
    cluster: Cluster, version: str
) -> None:
    """Incident 6, with `Fail`: what nobody answers for is gone first."""
    helm = Helm(version, cluster.server, cluster.folder / version)
    with Release(cluster, helm) as release:
        release.install(FAIL)
        refused(cluster)
        helm.uninstall()
        until(lambda: cluster.post(FITS), lambda said: not said)
        assert {} == cluster.configurations()
        assert [] == leftovers(cluster)


def test_it_can_be_installed_again_where_its_namespace_was_deleted(
    cluster: Cluster, release: Release
) -> None:
    """Incident 6: Helm has lost its records, and Pods are refused until break-glass."""
    release.install(FAIL)
    refused(cluster)
    server = cluster.server
    kinds = "deployment,service,secret,configmap,serviceaccount,role,rolebinding,pdb"
    server.kubectl("delete", kinds, "--all", "-n", NAMESPACE)
    assert REFUSED in cluster.post(FITS)
    break_glass(cluster)
    until(lambda: cluster.post(FITS), lambda said: not said)
    with cluster.kubelet() as kubelet:
        release.serve(kubelet, FAIL)
        assert MISFIT in cluster.post(FITS_NOWHERE)


def the_line() -> str:
    """What the page for emergencies begins with."""
    page = (ROOT / "docs" / "how-to" / "break-glass.md").read_text()
    first = page.partition("\n")[0]
    assert first.startswith("`kubectl ")
    return first.strip("`")


def break_glass(cluster: Cluster) -> None:
    """Runs that line, as it stands there, in a shell that has kubectl."""
    path = f"{find('kubectl').parent}:/usr/bin:/bin"
    environment = {
        "PATH": path,
        "HOME": str(cluster.folder),
        "KUBECONFIG": str(cluster.server.kubeconfig),
    }
    subprocess.run(["sh", "-c", the_line()], env=environment, check=True, timeout=60)


def test_the_line_for_emergencies_frees_the_cluster(
    cluster: Cluster, release: Release
) -> None:
    release.install(FAIL)
    refused(cluster)
    other = foreign(cluster)
    break_glass(cluster)
    until(lambda: cluster.post(FITS), lambda said: not said)
    assert {} == cluster.configurations()
    cluster.server.call("DELETE", other)


def test_an_upgrade_brings_back_what_the_line_took(
    cluster: Cluster, release: Release
) -> None:
    with cluster.kubelet() as kubelet:
        release.serve(kubelet)
        break_glass(cluster)
        until(lambda: cluster.post(FITS_NOWHERE), lambda said: not said)
        release.install()
        release.wait_called()
        assert {VALIDATING, MUTATING} == set(cluster.configurations())


def foreign(cluster: Cluster) -> str:
    """Somebody else's configuration, which stays; its path."""
    path = f"{REGISTRATION}/{VALIDATING}"
    body: dict[str, Any] = {"kind": "ValidatingWebhookConfiguration"}
    cluster.server.put(path, {**body, "webhooks": []}, "of-somebody-else")
    return f"{path}/of-somebody-else"
