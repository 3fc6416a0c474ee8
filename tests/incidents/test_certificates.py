"""Our own certificates under load, with `Fail`: whatever happens, nothing fails.

Incident 9 of `docs/explanation/incidents.md`. Lives are seconds here instead of
months, and the API server has to connect again every few reviews, so that it meets
every new certificate. The policy that leaves our ServiceAccount nothing but `caBundle`
is on.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import pytest
from cryptography import x509

from tests.tools import shown
from tests.tools.helm import NAMESPACE, Helm
from tests.tools.kubelet import Kubelet
from tests.tools.world import VALIDATING, Cluster, Release, read, until

pytestmark = pytest.mark.integration

SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/imagecompat-tls"
MERGE = "application/merge-patch+json"
QUICK = {
    "policies": {"self": True},
    "webhook": {"failurePolicy": "Fail"},
    "server": {"requestsPerConnection": 3},
    "certificates": {
        "authoritySeconds": 24,
        "leafSeconds": 8,
        "renewAt": 0.5,
        "publishSeconds": 1,
    },
}


@dataclass(frozen=True)
class Quick:
    """A release whose certificates do not last."""

    cluster: Cluster
    release: Release
    kubelet: Kubelet

    def secret(self) -> dict[str, bytes]:
        """What the replicas share."""
        data = self.cluster.server.call("GET", SECRET).get("data") or {}
        return {key: base64.b64decode(text) for key, text in data.items()}

    def published(self) -> bytes:
        """The `caBundle` of the webhook that decides."""
        webhook = self.cluster.configurations()[VALIDATING]["webhooks"][0]
        return base64.b64decode(webhook["clientConfig"].get("caBundle", ""))


@pytest.fixture(scope="module")
def quick(cluster: Cluster) -> Iterator[Quick]:
    """Two replicas that answer."""
    helm = Helm("helm4", cluster.server, cluster.folder / "helm4")
    with Release(cluster, helm) as release, cluster.kubelet() as kubelet:
        release.serve(kubelet, QUICK)
        yield Quick(cluster, release, kubelet)


@dataclass
class Seen:
    """What was served and trusted, in the background."""

    quick: Quick
    leaves: set[str] = field(default_factory=set)
    authorities: set[bytes] = field(default_factory=set)
    most_trusted: int = 0

    def __post_init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._over.wait(0.2):
            for one in self.quick.kubelet.ready():
                self.leaves.add(shown.leaf(one))
            bundle = x509.load_pem_x509_certificates(self.quick.published())
            self.authorities |= {one.tbs_certificate_bytes for one in bundle}
            self.most_trusted = max(self.most_trusted, len(bundle))


def patch_secret(quick: Quick, data: dict[str, Any]) -> None:
    """As somebody would who should not."""
    quick.cluster.server.call("PATCH", SECRET, {"data": data}, content_type=MERGE)


def test_certificates_that_change_every_few_seconds_fail_nothing(quick: Quick) -> None:
    with Seen(quick) as seen, quick.cluster.load() as load:
        until(lambda: len(seen.authorities), lambda count: count >= 3, seconds=90)
    print(
        f"\n{load.result}; {len(seen.leaves)} certificates of "
        f"{len(seen.authorities)} authorities, at most {seen.most_trusted} at once"
    )
    assert {} == load.result.causes()
    assert len(seen.leaves) >= 4
    assert seen.most_trusted >= 2


def test_a_secret_that_somebody_damaged_fails_nothing_and_is_mended(
    quick: Quick,
) -> None:
    with quick.cluster.load() as load:
        rubbish = base64.b64encode(b"rubbish").decode()
        patch_secret(quick, {"tls.crt": rubbish, "tls.key": rubbish})
        until(lambda: quick.secret()["tls.crt"], lambda pem: b"CERTIFICATE" in pem)
        load.run_for(1)
        patch_secret(quick, {"ca.crt": None, "ca.key": None})
        until(quick.secret, lambda data: b"CERTIFICATE" in data.get("ca.crt", b""))
        load.run_for(3)
    print(f"\n{load.result}")
    assert {} == load.result.causes()


def test_replicas_that_start_again_serve_what_the_others_do(quick: Quick) -> None:
    """One certificate for all, the Secret's, which may change while we look."""
    before = quick.secret()
    quick.release.install({"podAnnotations": {"rolled": "again"}})
    replicas = quick.kubelet.wait_ready(2)

    def agreed() -> tuple[str, list[str], str]:
        first = shown.fingerprint_of(quick.secret()["tls.crt"])
        served = shown.fingerprints(replicas)
        return first, served, shown.fingerprint_of(quick.secret()["tls.crt"])

    def is_one(seen: tuple[str, list[str], str]) -> bool:
        first, served, last = seen
        return {first, last} == set(served) and first != ""

    stored, served, _ = until(agreed, is_one)
    assert [stored] * 2 == served
    trusted = x509.load_pem_x509_certificates(quick.secret()["ca.crt"])
    assert x509.load_pem_x509_certificates(before["ca.crt"])[-1] in trusted
    expiry = 'imagecompat_certificate_expiry_timestamp_seconds{certificate="leaf"}'
    assert all(expiry in read(one, "/metrics") for one in replicas)
