"""Replicas come and go: rolling updates, crashes, and who is asked.

Incidents 9 (its last part), 10, 11 and 12 of `docs/explanation/incidents.md`.
"""

from __future__ import annotations

import base64
import re
import signal
import time

import pytest
from cryptography import x509

from tests.tools.helm import NAMESPACE
from tests.tools.load import Load
from tests.tools.replica import Replica
from tests.tools.world import ASKS, VALIDATING, Cluster, Release, read, until

pytestmark = pytest.mark.integration

SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/imagecompat-tls"
FAIL = {"webhook": {"failurePolicy": "Fail"}}
TRIES = 3
STALL_SECONDS = 2.0
"""Of a round of the kubelet: with the lag of endpoints, still less than the drain."""
QUIET = 10
"""Questions in flight, at the most, of an API server that keeps up."""
NOTICED_SECONDS = 1.0
"""Generous: from an endpoint that is gone to an API server that knows."""


def authorities(cluster: Cluster) -> list[x509.Certificate]:
    """Those in the Secret; none if there is no Secret."""
    try:
        data = cluster.server.call("GET", SECRET).get("data") or {}
    except RuntimeError:
        return []
    return certificates(data.get("ca.crt", ""))


def trusted(cluster: Cluster) -> list[x509.Certificate]:
    """Those in the `caBundle` of the webhook that decides."""
    client = cluster.configurations()[VALIDATING]["webhooks"][0]["clientConfig"]
    return certificates(client.get("caBundle", ""))


def certificates(text: str) -> list[x509.Certificate]:
    """What a field in base64 holds."""
    pem = base64.b64decode(text)
    return x509.load_pem_x509_certificates(pem) if pem else []


def reviews(replica: Replica) -> int:
    """How many it has answered."""
    found = re.findall(
        r"^imagecompat_admission_duration_seconds_count\{.*\} (\S+)$",
        read(replica, "/metrics"),
        re.MULTILINE,
    )
    return int(sum(map(float, found)))


def test_three_replicas_that_start_at_once_make_one_authority(
    cluster: Cluster, release: Release
) -> None:
    """Incident 10: nobody leads, and whoever loses the race looks again."""
    with cluster.kubelet(lag_seconds=0.0) as kubelet:
        for _ in range(2):
            values = {"replicaCount": 3, "server": {"drainSeconds": 0}}
            release.serve(kubelet, values)
            assert 1 == len(authorities(cluster))
            release.helm.uninstall()
            kubelet.wait_gone()


def test_a_rolling_update_under_fifty_a_second_loses_nothing(
    cluster: Cluster, release: Release
) -> None:
    """Incident 11: endpoints are three seconds late, and an old replica serves on."""
    with cluster.kubelet(lag_seconds=3.0) as kubelet:
        release.serve(kubelet, FAIL)
        for number in range(TRIES):
            kubelet.slowest_seconds = 0.0
            with cluster.load(per_second=50) as load:
                release.install({"podAnnotations": {"rolled": f"{number}"}})
                kubelet.wait_ready(2)
                load.run_for(1)
            print(f"\n{load.result}")
            if kubelet.slowest_seconds < STALL_SECONDS or not load.result.failures:
                break
    assert {} == load.result.causes()
    assert load.result.denied > 0


def test_a_killed_replica_costs_what_was_asked_until_its_endpoint_was_gone(
    cluster: Cluster, release: Release
) -> None:
    """Incident 12, first half: behind that, the other one answers everything.

    Again where the machine stood still: what counts is who was asked meanwhile.
    """
    with cluster.kubelet() as kubelet:
        replicas = release.serve(kubelet, FAIL)
        with Load(cluster.server, ASKS, per_second=20) as load:
            load.run_for(1)
            for victim in replicas:
                for _ in range(TRIES):
                    until(lambda: load.in_flight, lambda some: some < QUIET, 60)
                    kubelet.slowest_seconds = 0.0
                    failed, exposed = killed(victim, load)
                    if failed <= exposed or kubelet.slowest_seconds < STALL_SECONDS:
                        break
                assert failed <= exposed, load.result.failures
        print(f"\n{load.result}")
    assert load.result.denied > 0


def killed(victim: Replica, load: Load) -> tuple[int, int]:
    """Kills it under load, and waits until it is back.

    Returns:
        How many failed, and how many may have met it: those in flight at that moment,
        and those that were asked until its endpoint was gone for the API server.
    """
    restarts, before = victim.restarts, len(load.result.failures)
    in_flight, asked, at = load.in_flight, load.asked, time.monotonic()
    victim.signal(signal.SIGKILL)
    until(lambda: victim.ready, lambda ready: not ready)
    noticed = time.monotonic() - at
    load.run_for(NOTICED_SECONDS)
    exposed = in_flight + load.asked - asked
    until(lambda: victim.restarts > restarts and victim.ready, bool)
    load.run_for(1)
    failed = len(load.result.failures) - before
    print(
        f"\nkilled with {in_flight} in flight, noticed after {noticed:.2f} s: "
        f"{failed} failed of {exposed} that may have met it",
        end="",
    )
    return failed, exposed


def test_replicas_share_what_is_asked(cluster: Cluster, release: Release) -> None:
    """Incident 12, second half: connections do not last, so nobody has them all.

    A replica that came later gets its share, too.
    """
    with cluster.kubelet() as kubelet:
        replicas = release.serve(
            kubelet, {**FAIL, "server": {"requestsPerConnection": 5}}
        )
        replicas[0].signal(signal.SIGKILL)
        until(lambda: replicas[0].ready, lambda ready: not ready)
        until(lambda: replicas[0].ready, bool)
        time.sleep(NOTICED_SECONDS)
        before = [reviews(one) for one in replicas]
        with cluster.load(per_second=50) as load:
            load.run_for(8)
        counts = [
            reviews(one) - known for one, known in zip(replicas, before, strict=True)
        ]
    print(f"\n{load.result}; reviews by replica: {counts}")
    assert {} == load.result.causes()
    assert min(counts) / sum(counts) > 0.3


def test_a_secret_that_somebody_deleted_fails_nothing_and_comes_back(
    cluster: Cluster, release: Release
) -> None:
    """Incident 9. Not at once: a process that is left over makes no Secret."""
    with cluster.kubelet() as kubelet:
        release.serve(kubelet, FAIL)
        before = authorities(cluster)
        with cluster.load(per_second=10) as load:
            cluster.server.call("DELETE", SECRET)
            until(lambda: authorities(cluster), bool, seconds=90)
            load.run_for(2)
        print(f"\n{load.result}")
        assert {} == load.result.causes()
        assert set(before) <= set(trusted(cluster))
        release.helm.uninstall()
        kubelet.wait_gone()
    assert [] == authorities(cluster)
