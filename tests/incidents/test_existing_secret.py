"""Certificates that somebody else makes: `tls.mode: existingSecret`, under load.

Incident 9 of `docs/explanation/incidents.md`. The kubelet of the tests mounts the
Secret and brings it up to date; the API server connects again every few reviews, so
that it meets every pair that is served.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import pytest

from app.certificates.authority import Authority
from app.certificates.pair import Pair, pem_of
from tests.tools import certifying, shown
from tests.tools.helm import NAMESPACE, Helm
from tests.tools.kubelet import Kubelet
from tests.tools.world import VALIDATING, Cluster, Release, read, until

pytestmark = pytest.mark.integration

NAME: Final = "made-elsewhere"
SECRETS: Final = f"/api/v1/namespaces/{NAMESPACE}/secrets"
PROBLEM: Final = "warning: certificate: "
REFUSED: Final = "imagecompat_certificate_refused 1.0"
WELL: Final = "imagecompat_certificate_refused 0.0"


@dataclass(frozen=True)
class Elsewhere:
    """A release whose certificate comes from a Secret of somebody else's.

    Attributes:
        authority: that its `caBundle` trusts, and no other.
        first: the pair that was there from the beginning.
    """

    cluster: Cluster
    kubelet: Kubelet
    authority: Authority
    first: Pair

    def store(self, chain: bytes, key: bytes) -> None:
        """Replaces the Secret, as who renews a certificate does."""
        data = {"tls.crt": chain, "tls.key": key}
        body = {
            "type": "kubernetes.io/tls",
            "data": {one: base64.b64encode(pem).decode() for one, pem in data.items()},
        }
        self.cluster.server.put(SECRETS, body, NAME)

    def served(self) -> list[str]:
        """The fingerprint of what each replica shows."""
        return shown.fingerprints(self.kubelet.ready())

    def pages(self, path: str) -> list[str]:
        """What each replica says there."""
        return [read(one, path) for one in self.kubelet.ready()]

    def lives(self) -> list[tuple[str, int]]:
        """Which replicas there are, and how often each has started again."""
        return [(one.name, one.restarts) for one in self.kubelet.ready()]


@pytest.fixture(scope="module")
def elsewhere(cluster: Cluster) -> Iterator[Elsewhere]:
    """Two replicas that answer, with `Fail`."""
    now = datetime.now(UTC)
    authority = certifying.authority(now)
    first = certifying.leaf(authority, now)
    values = {
        "webhook": {"failurePolicy": "Fail"},
        "server": {"requestsPerConnection": 3},
        "tls": {
            "mode": "existingSecret",
            "existingSecret": NAME,
            "caBundle": pem_of(authority.certificate).decode(),
        },
    }
    helm = Helm("helm4", cluster.server, cluster.folder / "helm4")
    with Release(cluster, helm) as release, cluster.kubelet() as kubelet:
        found = Elsewhere(cluster, kubelet, authority, first)
        found.store(first.chain, first.key)
        release.serve(kubelet, values)
        yield found
    cluster.server.call("DELETE", f"{SECRETS}/{NAME}")


def test_a_pair_that_was_replaced_is_served_by_all_and_fails_nothing(
    elsewhere: Elsewhere,
) -> None:
    """Of the same authority, and without a start of any process."""
    before = elsewhere.lives()
    bundle = elsewhere.cluster.configurations()[VALIDATING]["webhooks"][0]
    assert [elsewhere.first.fingerprint] * 2 == elsewhere.served()
    fresh = certifying.leaf(elsewhere.authority, datetime.now(UTC))
    with elsewhere.cluster.load() as load:
        load.run_for(1)
        elsewhere.store(fresh.chain, fresh.key)
        until(elsewhere.served, lambda served: served == [fresh.fingerprint] * 2)
        load.run_for(2)
    print(f"\n{load.result}")
    assert {} == load.result.causes()
    assert load.result.denied > 0
    assert before == elsewhere.lives()
    assert [WELL in one for one in elsewhere.pages("/metrics")] == [True, True]
    after = elsewhere.cluster.configurations()[VALIDATING]["webhooks"][0]
    assert bundle["clientConfig"] == after["clientConfig"]


def mismatched(elsewhere: Elsewhere) -> tuple[bytes, bytes]:
    """A certificate of the right authority, and the key of another."""
    now = datetime.now(UTC)
    one, other = [certifying.leaf(elsewhere.authority, now) for _ in range(2)]
    return one.chain, other.key


def rubbish(elsewhere: Elsewhere) -> tuple[bytes, bytes]:
    """What is no certificate at all, and no key."""
    del elsewhere
    return b"rubbish", b"rubbish"


def expired(elsewhere: Elsewhere) -> tuple[bytes, bytes]:
    """A pair whose time is over."""
    then = datetime(2020, 1, 1, tzinfo=UTC)
    pair = certifying.leaf(elsewhere.authority, then, days=1)
    return pair.chain, pair.key


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        pytest.param(mismatched, "the key does not belong", id="mismatched"),
        pytest.param(rubbish, "no PEM certificate", id="rubbish"),
        pytest.param(expired, "the certificate ended", id="expired"),
    ],
)
def test_a_broken_pair_is_refused_and_the_one_before_serves_on(
    elsewhere: Elsewhere, broken: Callable[[Elsewhere], tuple[bytes, bytes]], why: str
) -> None:
    """Readiness warns, the metric says so, and a good pair ends both."""
    before, lives = elsewhere.served(), elsewhere.lives()
    with elsewhere.cluster.load() as load:
        elsewhere.store(*broken(elsewhere))
        until(
            lambda: elsewhere.pages("/metrics"),
            lambda pages: all(REFUSED in one for one in pages),
        )
        load.run_for(2)
        said = elsewhere.pages("/readyz")
        assert before == elsewhere.served()
        fresh = certifying.leaf(elsewhere.authority, datetime.now(UTC))
        elsewhere.store(fresh.chain, fresh.key)
        until(elsewhere.served, lambda served: served == [fresh.fingerprint] * 2)
    print(f"\n{load.result}; {said[0]}")
    assert {} == load.result.causes()
    assert load.result.denied > 0
    for one in said:
        assert one.startswith("ok\n")
        assert PROBLEM in one
        assert why in one
        assert "the one before is kept" in one
    assert ["ok\n"] * 2 == elsewhere.pages("/readyz")
    assert [WELL in one for one in elsewhere.pages("/metrics")] == [True, True]
    assert lives == elsewhere.lives()
