"""Registries that fail, and more than we can take: nobody waits, nothing is denied.

Incidents 15 and 20 of `docs/explanation/incidents.md`. What each fault means to
one lookup is `tests/integration/test_registry_faults.py`'s business; here it is what
`kubectl` and the API server see.
"""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from app.demo import certificates, faults
from app.demo.content import Repository
from app.demo.faults import Fault, Reply
from app.demo.registry import Registry
from app.oci.limits import Limits
from tests.tools import background
from tests.tools.helm import Helm
from tests.tools.kubelet import Kubelet
from tests.tools.load import Ask, Load
from tests.tools.world import (
    ASKS,
    FITS_NOWHERE,
    MISFIT,
    Cluster,
    Release,
    read,
)

pytestmark = pytest.mark.integration

FAULTS: dict[str, Fault] = {
    "hangs up": faults.no_http,
    "never answers": faults.hang,
    "429": faults.status(429, {"Retry-After": "30"}),
    "503": faults.status(503),
    "one byte a second": faults.drip(1.0),
    "half an answer": faults.cut_off,
    "no end": faults.endless,
}
NO_TLS = "no TLS"
STRANGER = "a certificate from another authority"
UNHEARD = (NO_TLS, STRANGER)
"""We expect TLS of these, and ask nothing of whoever does not speak it as we want."""
MOST_REQUESTS = 4 * (1 + Limits().retries)
"""Two replicas, each of which is asked by two webhooks, and tries again; for all Pods
together, which would be ten such requests one by one."""
MAX_REVIEWS = 8


async def late(_request: web.Request, reply: Reply) -> Reply:
    """The right answer, after a second: the registry is not broken, only slow."""
    await asyncio.sleep(1.0)
    return reply


@dataclass
class Registries:
    """One for each fault, and one that takes its time."""

    faulty: dict[str, Registry] = field(default_factory=dict)
    slow: Registry = field(default_factory=Registry)

    def plain(self) -> list[Registry]:
        """Those that speak no TLS."""
        named = self.faulty.items()
        return [self.slow, *(one for name, one in named if name != STRANGER)]

    def hosts(self) -> dict[str, dict[str, bool]]:
        """What the settings have to allow."""
        open_ = {"plainHttp": True, "loopback": True}
        hosts = {one.address: open_ for one in self.plain()}
        for name in UNHEARD:
            hosts[self.faulty[name].address] = {"loopback": True}
        return hosts


@dataclass(frozen=True)
class Served:
    """The release, and what it reads."""

    cluster: Cluster
    kubelet: Kubelet
    registries: Registries


def repository() -> Repository:
    """One image, `:1`, with an artifact."""
    made = Repository()
    image = made.image("amd64", "app")
    made.tag(image, "1")
    made.attach(image, b"version: v1alpha1\n", created="2026-03-01T00:00:00Z")
    return made


def context_of_nobody(folder: Path) -> ssl.SSLContext:
    """A certificate for loopback from an authority that nobody knows."""
    certificates.write_pair(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    return context


@pytest.fixture(scope="module")
def served(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Two replicas with `Fail`, and few reviews at once.

    The API server waits 5 s for a verdict and 2 s for an annotation, as by default.
    """
    registries = Registries(
        {name: Registry({"app": repository()}) for name in (*FAULTS, *UNHEARD)},
        Registry({"app": repository()}, faults={"all": late}),
    )
    for name, fault in FAULTS.items():
        registries.faulty[name].faults["all"] = fault
    stranger = context_of_nobody(tmp_path_factory.mktemp("stranger"))
    helm = Helm("helm4", cluster.server, cluster.folder / "helm4")
    with (
        background.serving(registries.plain()),
        background.serving([registries.faulty[STRANGER]], tls=stranger),
        Release(cluster, helm) as release,
        cluster.kubelet() as kubelet,
    ):
        values = {
            "webhook": {
                "failurePolicy": "Fail",
                "timeoutSeconds": 5,
                "annotateTimeoutSeconds": 2,
            },
            "registry": {"hosts": registries.hosts()},
            "server": {"maxReviews": MAX_REVIEWS},
        }
        release.serve(kubelet, {**values})
        yield Served(cluster, kubelet, registries)


@pytest.mark.parametrize("name", [*FAULTS, *UNHEARD])
def test_a_registry_that_fails_delays_nobody_for_long_and_denies_nobody(
    served: Served, name: str
) -> None:
    """Incident 15: five Pods of one image at once are admitted with a warning.

    With `Fail`, so each had its answer within the API server's 5 s. If every review
    asked for itself, five Pods and two webhooks would be ten requests.
    """
    registry = served.registries.faulty[name]
    image = f"{registry.address}/app:1"
    started = time.monotonic()
    with ThreadPoolExecutor(5) as pool:
        done = list(
            pool.map(
                lambda _: served.cluster.create(image, "--dry-run=server"), range(5)
            )
        )
    seconds = time.monotonic() - started
    print(f"\n{name}: {seconds:.1f} s for 5 Pods, {len(registry.log)} requests")
    for one in done:
        assert one.returncode == 0, one.stderr
        # Who comes a moment later is told what is remembered.
        said = one.stderr.replace(" (remembered)", "")
        assert f"[IC202] image {image} not judged" in said
    assert bool(registry.log) is (name not in UNHEARD)
    assert len(registry.log) <= MOST_REQUESTS, "they ask once, for all of them"
    assert MISFIT in served.cluster.post(FITS_NOWHERE)


def shed(kubelet: Kubelet) -> float:
    """How many reviews were not judged for want of room."""
    text = "".join(read(one, "/metrics") for one in kubelet.ready())
    found = re.findall(
        r"^imagecompat_admission_shed_total\{.*\} (\S+)$", text, re.MULTILINE
    )
    return sum(map(float, found))


def test_more_than_fits_is_admitted_at_once_and_then_all_is_well(
    served: Served,
) -> None:
    """Incident 20: every image is new, and its registry takes its time."""
    slow = served.registries.slow.address
    asks = [Ask(f"{slow}/app:{number}") for number in range(400)]
    with Load(served.cluster.server, asks, per_second=100) as load:
        load.run_for(4)
    print(f"\n{load.result}; {shed(served.kubelet):.0f} were not judged")
    assert {} == load.result.causes()
    assert shed(served.kubelet) > 0
    with Load(served.cluster.server, ASKS) as after:
        after.run_for(2)
    print(f"behind that: {after.result}")
    assert {} == after.result.causes()
    assert after.result.denied > 0
