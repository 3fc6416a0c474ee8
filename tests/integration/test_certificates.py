"""Certificates of our own on a real API server, under the RBAC of the chart.

The replicas are objects in one event loop, each with a connection of its own and a
token of a ServiceAccount that may do what the chart allows, and nothing else.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import shlex
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from app.certificates.own import SelfCertificates
from app.certificates.rotation import Plan
from app.certificates.store import Place
from app.kube.connection import Connection
from app.kube.objects import Objects
from tests.tools.certifying import Recorder
from tests.tools.servers import ApiServer

pytestmark = pytest.mark.integration

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
VALIDATING = f"{ADMISSION}/validatingwebhookconfigurations"
MUTATING = f"{ADMISSION}/mutatingwebhookconfigurations"
NAMES = itertools.count()

SETTLE_SECONDS = 2.0
"""From a configuration that was written to one that the API server acts on."""

FAREWELL_SECONDS = 0.2
"""For connections that were given up in the middle of their handshake."""

Eventually = Callable[..., Awaitable[None]]
Replicas = list[SelfCertificates]


@dataclass
class Site:
    """One release: a namespace, an empty Secret, two configurations, an account."""

    server: ApiServer
    name: str
    kubeconfig: Path
    plan: Plan
    told: list[Recorder] = field(default_factory=list)

    @property
    def secrets(self) -> str:
        return f"/api/v1/namespaces/{self.name}/secrets"

    def secret(self) -> dict[str, bytes]:
        """What the Secret holds."""
        found = self.server.call("GET", f"{self.secrets}/tls").get("data") or {}
        return {key: base64.b64decode(value) for key, value in found.items()}

    def bundles(self, *collections: str) -> list[str]:
        """The caBundle of every webhook; of both configurations by default."""
        return [
            base64.b64decode(one["clientConfig"].get("caBundle", "")).decode()
            for collection in collections or (VALIDATING, MUTATING)
            for one in self.server.call("GET", f"{collection}/{self.name}")["webhooks"]
        ]

    def apply(self, collection: str, *webhooks: str, url: str | None = None) -> None:
        """Creates or replaces a configuration, without any caBundle."""
        kind = "Validating" if collection == VALIDATING else "Mutating"
        content: dict[str, Any] = {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": f"{kind}WebhookConfiguration",
            "metadata": {"name": self.name},
            "webhooks": [self.webhook(one, url) for one in webhooks],
        }
        try:
            version = self.configuration(collection)["metadata"]["resourceVersion"]
        except RuntimeError:
            self.server.call("POST", collection, content)
            return
        content["metadata"] = {"name": self.name, "resourceVersion": version}
        self.server.call("PUT", f"{collection}/{self.name}", content)

    def webhook(self, name: str, url: str | None) -> dict[str, Any]:
        service = {"namespace": self.name, "name": "imagecompat"}
        return {
            "name": f"{name}.imagecompat.dev",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "failurePolicy": "Ignore" if url is None else "Fail",
            "clientConfig": {"service": service} if url is None else {"url": url},
            "namespaceSelector": {
                "matchLabels": {"kubernetes.io/metadata.name": self.name}
            },
            "rules": [
                {
                    "apiGroups": [""],
                    "apiVersions": ["v1"],
                    "operations": ["CREATE"],
                    "resources": ["configmaps"],
                }
            ],
        }

    def configuration(self, collection: str) -> dict[str, Any]:
        """A configuration, as it is."""
        found: dict[str, Any] = self.server.call("GET", f"{collection}/{self.name}")
        return found

    def damage(self, **data: str) -> None:
        """Writes to the Secret's data, dots in keys spelled `_`."""
        changed = {
            key.replace("_", "."): base64.b64encode(value.encode()).decode()
            for key, value in data.items()
        }
        self.server.call(
            "PATCH",
            f"{self.secrets}/tls",
            {"data": changed or None},
            content_type="application/merge-patch+json",
        )

    @asynccontextmanager
    async def replica(self, **more: Any) -> AsyncIterator[SelfCertificates]:
        """A process's certificates, with a connection of its own."""
        connection = await Connection.open(kubeconfig=self.kubeconfig)
        recorder = Recorder()
        self.told.append(recorder)
        made = SelfCertificates(
            Objects(connection),
            self.plan,
            secret=Place(self.secrets, "tls"),
            configurations=[Place(VALIDATING, self.name), Place(MUTATING, self.name)],
            observer=recorder,
            **more,
        )
        try:
            async with made.running():
                yield made
        finally:
            await connection.close()
            await asyncio.sleep(FAREWELL_SECONDS)


def allow(server: ApiServer, name: str) -> Path:
    """An account with exactly what the chart allows for certificates."""
    kubeconfig = server.service_account(
        "keeper",
        [
            {
                "apiGroups": ["admissionregistration.k8s.io"],
                "resources": [
                    "validatingwebhookconfigurations",
                    "mutatingwebhookconfigurations",
                ],
                "resourceNames": [name],
                "verbs": ["get", "watch", "patch"],
            }
        ],
        namespace=name,
    )
    api = {"apiVersion": "rbac.authorization.k8s.io/v1"}
    rules = [
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": ["tls"],
            "verbs": ["get", "watch", "patch"],
        },
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
    ]
    path = f"{RBAC}/namespaces/{name}"
    server.put(f"{path}/roles", {**api, "kind": "Role", "rules": rules}, "keeper")
    group = "rbac.authorization.k8s.io"
    binding = {
        **api,
        "kind": "RoleBinding",
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "keeper"},
        "subjects": [{"kind": "ServiceAccount", "name": "keeper", "namespace": name}],
    }
    server.put(f"{path}/rolebindings", binding, "keeper")
    return kubeconfig


def install(server: ApiServer, **plan: float) -> Site:
    """As the chart does: everything but certificates."""
    name = f"certificates-{next(NAMES)}"
    body = {"apiVersion": "v1", "kind": "Namespace"}
    server.put("/api/v1/namespaces", body, name)
    lives = {
        "authority_seconds": 86400.0,
        "leaf_seconds": 3600.0,
        "renew_at": 2 / 3,
        "publish_seconds": 1.0,
        **plan,
    }
    short = f"imagecompat.{name}"
    # The last one only here: by it, the API server calls this machine.
    names = (f"{short}.svc", short, f"{short}.svc.cluster.local", "localhost")
    site = Site(server, name, allow(server, name), Plan(names, **lives))
    secret = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque"}
    labels = {"labels": {"app.kubernetes.io/managed-by": "Helm"}}
    server.put(site.secrets, {**secret, "metadata": labels}, "tls")
    site.apply(VALIDATING, "pods", "workloads", "cronjobs")
    site.apply(MUTATING, "annotate")
    return site


def remove(site: Site) -> None:
    for collection in (VALIDATING, MUTATING):
        site.server.kubectl("delete", collection.rpartition("/")[2], site.name)
    site.server.remove_namespace(site.name)


@pytest.fixture
def site(apiserver: ApiServer) -> Iterator[Site]:
    found = install(apiserver)
    yield found
    remove(found)


@asynccontextmanager
async def running(site: Site, count: int = 3, **more: Any) -> AsyncIterator[Replicas]:
    """So many replicas, side by side."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(site.replica(**more)) for _ in range(count)
        ]


def are_ready(replicas: Replicas) -> bool:
    return not any(one.problems() for one in replicas)


def agree(replicas: Replicas) -> bool:
    return 1 == len({one.status()["fingerprint"] for one in replicas})


async def asked(call: Callable[[], Any]) -> Any:
    """A blocking call of a test's own, beside the event loop."""
    return await asyncio.to_thread(call)


async def test_three_at_once_make_one_authority(
    apiserver: ApiServer, eventually: Eventually
) -> None:
    """Ten first installations; nobody waits for anybody."""
    for _ in range(10):
        site = install(apiserver)
        try:
            async with running(site) as replicas:
                await eventually(lambda: are_ready(replicas), 30)
                assert agree(replicas)
                assert {1} == {one.status()["authorities"] for one in replicas}
            (bundle,) = set(site.bundles())
            assert site.secret()["ca.crt"].decode() == bundle
            made = [one for told in site.told for one in told.seen]
            assert 1 == made.count(("authority", "made"))
        finally:
            remove(site)


@asynccontextmanager
async def listening(one: SelfCertificates) -> AsyncIterator[int]:
    """A webhook that allows everything, one review for each connection; its port."""

    async def review(request: web.Request) -> web.Response:
        uid = (await request.json())["request"]["uid"]
        answer = web.json_response(
            {
                "apiVersion": "admission.k8s.io/v1",
                "kind": "AdmissionReview",
                "response": {"uid": uid, "allowed": True},
            }
        )
        answer.force_close()
        return answer

    app = web.Application()
    app.router.add_post("/", review)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=one.context())
        await site.start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


class Load:
    """Calls that need trust, one after the other, until told to stop."""

    def __init__(self, site: Site, ports: Sequence[int]) -> None:
        self.site = site
        self.ports = ports
        self.admitted = 0
        self.shaken = 0
        self.faults: list[str] = []
        self.leaves: set[bytes] = set()
        self._stop = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        admissions = asyncio.create_task(asyncio.to_thread(self.admit))
        handshakes = asyncio.create_task(self.shake_hands())
        try:
            yield
        finally:
            self._stop = True
            await asyncio.gather(admissions, handshakes)

    def admit(self) -> None:
        """Creations that the API server asks both webhooks about; Go's TLS."""
        path = f"/api/v1/namespaces/{self.site.name}/configmaps?dryRun=All"
        body = {"apiVersion": "v1", "kind": "ConfigMap"}
        while not self._stop:
            try:
                self.site.server.call(
                    "POST", path, {**body, "metadata": {"generateName": "a-"}}
                )
                self.admitted += 1
            except RuntimeError as error:
                self.faults.append(str(error))
            time.sleep(0.04)

    async def shake_hands(self) -> None:
        """Handshakes as strict as Python's can be, under the caBundle of the moment."""
        pairs = zip((VALIDATING, MUTATING), self.ports, strict=True)
        for collection, port in itertools.cycle(pairs):
            if self._stop:
                return
            (bundle,) = await asked(partial(self.site.bundles, collection))
            client = ssl.create_default_context(cadata=bundle)
            client.verify_flags |= ssl.VERIFY_X509_STRICT
            try:
                _, writer = await asyncio.open_connection(
                    "127.0.0.1",
                    port,
                    ssl=client,
                    server_hostname=self.site.plan.names[0],
                )
                shown = writer.get_extra_info("ssl_object").getpeercert(True)
                self.leaves.add(shown)
                self.shaken += 1
                writer.transport.abort()
            except (ssl.SSLError, OSError) as error:
                self.faults.append(repr(error))
            await asyncio.sleep(0.02)


@asynccontextmanager
async def under_load(site: Site, **more: Any) -> AsyncIterator[tuple[Replicas, Load]]:
    """Two replicas that the API server asks about each ConfigMap of the site."""
    async with running(site, 2, **more) as replicas, AsyncExitStack() as stack:
        ports = [await stack.enter_async_context(listening(one)) for one in replicas]
        for collection, port in zip((VALIDATING, MUTATING), ports, strict=True):
            site.apply(collection, "calls", url=f"https://localhost:{port}/")
        ends = time.monotonic() + 30
        while not are_ready(replicas) or "" in await asked(site.bundles):
            assert time.monotonic() < ends
            await asyncio.sleep(0.05)
        await asyncio.sleep(SETTLE_SECONDS)
        yield replicas, Load(site, ports)


async def test_rotation_under_load_fails_no_call(
    apiserver: ApiServer, eventually: Eventually
) -> None:
    """Several leaves and authorities, with `failurePolicy: Fail`."""
    site = install(
        apiserver, authority_seconds=15.0, leaf_seconds=6.0, publish_seconds=2.0
    )
    try:
        async with under_load(site) as (replicas, load), load.running():
            await eventually(
                lambda: len(load.leaves) >= 6 and authorities(site) >= 3, 90
            )
            assert not [one.problems() for one in replicas if one.problems()]
        assert [] == load.faults
        assert load.admitted > 50
        assert load.shaken > 50
    finally:
        remove(site)


def authorities(site: Site) -> int:
    """How many authorities the replicas of a site have made."""
    return sum(told.seen.count(("authority", "made")) for told in site.told)


@pytest.mark.parametrize(
    "lose",
    [
        pytest.param(
            lambda site: site.server.call("DELETE", f"{site.secrets}/tls"), id="deleted"
        ),
        pytest.param(lambda site: site.damage(), id="emptied"),
        pytest.param(lambda site: site.damage(ca_crt="rubbish"), id="no authority"),
        pytest.param(lambda site: site.damage(ca_key="rubbish"), id="no key"),
        pytest.param(
            lambda site: site.damage(ca_crt="x", ca_key="x", tls_crt="x", tls_key="x"),
            id="all damaged",
        ),
    ],
)
async def test_a_lost_secret_fails_no_call(
    apiserver: ApiServer, eventually: Eventually, lose: Callable[[Site], object]
) -> None:
    site = install(apiserver)
    try:
        async with under_load(site, recreate_seconds=0.2) as (replicas, load):
            before = replicas[0].status()["fingerprint"]
            async with load.running():
                await asked(lambda: lose(site))
                await eventually(
                    lambda: (
                        agree(replicas)
                        and replicas[0].status()["fingerprint"] != before
                    ),
                    60,
                )
                calls = load.admitted + load.shaken
                await eventually(lambda: load.admitted + load.shaken > calls + 20, 30)
            assert [] == load.faults
            assert are_ready(replicas)
            assert 2 == authorities(site)
    finally:
        remove(site)


async def test_a_damaged_leaf_is_made_again_by_the_same_authority(
    site: Site, eventually: Eventually
) -> None:
    async with running(site) as replicas:
        await eventually(lambda: are_ready(replicas), 30)
        before = replicas[0].status()["fingerprint"]
        await asked(lambda: site.damage(tls_crt="rubbish"))
        await eventually(
            lambda: agree(replicas) and replicas[0].status()["fingerprint"] != before,
            30,
        )
        assert are_ready(replicas)
    assert 1 == authorities(site)


async def test_a_configuration_applied_anew_is_published_to_at_once(
    site: Site, eventually: Eventually
) -> None:
    """As an upgrade that adds a webhook does; polling would take its time."""
    async with running(site) as replicas:
        await eventually(lambda: are_ready(replicas), 30)
        (bundle,) = set(site.bundles())
        site.apply(VALIDATING, "pods", "workloads", "cronjobs", "more")
        started = time.monotonic()
        await eventually(lambda: [bundle] * 5 == site.bundles(), 30)
        assert time.monotonic() - started < 20
        await eventually(lambda: are_ready(replicas), 30)


async def test_only_the_bundles_of_a_configuration_are_ours(
    site: Site, eventually: Eventually
) -> None:
    """Whatever others write into other fields stays."""

    def rest(collection: str) -> dict[str, Any]:
        found = site.configuration(collection)
        for key in ("resourceVersion", "generation", "managedFields"):
            del found["metadata"][key]
        for one in found["webhooks"]:
            one["clientConfig"].pop("caBundle", None)
        return found

    before = [rest(VALIDATING), rest(MUTATING)]
    async with running(site) as replicas:
        await eventually(lambda: are_ready(replicas), 30)
        assert before == [rest(VALIDATING), rest(MUTATING)]
        patch = [
            {"op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Fail"},
            {"op": "remove", "path": "/webhooks/1/clientConfig/caBundle"},
        ]
        site.server.call(
            "PATCH",
            f"{VALIDATING}/{site.name}",
            patch,
            content_type="application/json-patch+json",
        )
        await eventually(lambda: "" not in site.bundles(), 30)
    found = site.configuration(VALIDATING)
    assert "Fail" == found["webhooks"][0]["failurePolicy"]
    managers = {one["manager"]: one for one in found["metadata"]["managedFields"]}
    ours = managers["imagecompat"]["fieldsV1"]["f:webhooks"].values()
    assert {'{"f:clientConfig": {"f:caBundle": {}}}'} == {
        json.dumps(one) for one in ours
    }


async def test_what_the_chart_wrote_into_the_secret_stays(
    site: Site, eventually: Eventually
) -> None:
    async with running(site, 1) as replicas:
        await eventually(lambda: are_ready(replicas), 30)
    found = site.server.call("GET", f"{site.secrets}/tls")
    assert {"app.kubernetes.io/managed-by": "Helm"} == found["metadata"]["labels"]
    assert {"ca.crt", "ca.key", "tls.crt", "tls.key"} == set(found["data"])
    assert "Opaque" == found["type"]


async def test_a_configuration_that_is_left_out_is_no_problem(
    site: Site, eventually: Eventually
) -> None:
    """As with `policy.annotate: false`; it is published to once it is there."""
    site.server.call("DELETE", f"{MUTATING}/{site.name}")
    async with running(site) as replicas:
        await eventually(lambda: are_ready(replicas), 30)
        missing = f"mutatingwebhookconfigurations/{site.name}"
        assert [missing] == replicas[0].status()["missingConfigurations"]
        assert ((), True) == (
            replicas[0].warnings(),
            replicas[0].status()["published"],
        )
        site.apply(MUTATING, "annotate")
        await eventually(lambda: "" not in site.bundles(), 30)


async def test_after_an_uninstallation_nothing_comes_back(
    site: Site, eventually: Eventually
) -> None:
    """The configurations go first, then the Secret, while Pods still end."""
    async with running(site, recreate_seconds=0.0) as replicas:
        await eventually(lambda: are_ready(replicas), 30)
        for path in (
            f"{VALIDATING}/{site.name}",
            f"{MUTATING}/{site.name}",
            f"{site.secrets}/tls",
        ):
            await asked(partial(site.server.call, "DELETE", path))
        await eventually(
            lambda: all(
                2 == len(listed(one.status()["missingConfigurations"]))
                for one in replicas
            ),
            30,
        )
        await asyncio.sleep(2)
        assert [] == site.server.call("GET", site.secrets)["items"]
        assert are_ready(replicas)
    site.apply(VALIDATING, "pods")
    site.apply(MUTATING, "annotate")


def listed(found: object) -> list[object]:
    assert isinstance(found, list)
    return found


async def test_without_a_right_the_verb_and_the_object_are_named(
    site: Site, eventually: Eventually
) -> None:
    """What is served goes on, and once the right is there, so does the rest."""
    role = f"{RBAC}/clusterroles/{site.name}-keeper"
    rules = site.server.call("GET", role)["rules"]

    def grant(*verbs: str) -> None:
        changed = [{**rules[0], "verbs": list(verbs)}]
        site.server.call(
            "PATCH",
            role,
            {"rules": changed},
            content_type="application/merge-patch+json",
        )

    grant("get", "watch")
    async with running(site, 1) as replicas:
        (one,) = replicas
        text = f"patch validatingwebhookconfigurations {site.name}: the API server "
        await eventually(lambda: text in " ".join(one.warnings()), 30)
        assert "answered 403" in " ".join(one.warnings())
        untrusted = "certificate: not trusted by the caBundle of "
        assert {
            f"{untrusted}{kind}/{site.name}"
            for kind in (
                "validatingwebhookconfigurations",
                "mutatingwebhookconfigurations",
            )
        } == set(one.problems())
        grant(*rules[0]["verbs"])
        await eventually(lambda: are_ready(replicas) and not one.warnings(), 60)


async def test_without_the_api_server_what_is_served_goes_on(
    site: Site, eventually: Eventually
) -> None:
    async with running(site, 1) as replicas, listening(replicas[0]) as port:
        (one,) = replicas
        await eventually(lambda: are_ready(replicas), 30)
        (bundle,) = set(site.bundles())
        await asked(site.server.kill)
        try:
            await eventually(lambda: bool(one.warnings()), 30)
            client = ssl.create_default_context(cadata=bundle)
            name = site.plan.names[0]
            _, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=client, server_hostname=name
            )
            writer.transport.abort()
            assert are_ready(replicas)
        finally:
            await asked(site.server.start)
        await eventually(lambda: not one.warnings(), 90)


async def test_before_the_api_server_answers_it_waits(
    site: Site, eventually: Eventually
) -> None:
    await asked(site.server.kill)
    try:
        async with running(site, 1) as replicas:
            (one,) = replicas
            await eventually(
                lambda: "certificate: none yet: get" in "".join(one.problems()), 30
            )
            await asked(site.server.start)
            await asyncio.wait_for(one.available(), 90)
            await eventually(lambda: are_ready(replicas), 90)
    finally:
        await asked(site.server.start)


async def test_no_key_is_told(site: Site, eventually: Eventually) -> None:
    async with running(site, 2) as replicas:
        await eventually(lambda: are_ready(replicas), 30)
        await asked(lambda: site.damage(tls_key="rubbish"))
        await eventually(lambda: are_ready(replicas) and agree(replicas), 30)
        told = repr((site.told, [one.status() for one in replicas]))
        told += repr([vars(one) for one in replicas])
        told += repr([vars(vars(one)["_replica"]) for one in replicas])
    found = site.secret()
    for key in (found["ca.key"], found["tls.key"]):
        lines = [one for one in key.decode().splitlines() if "-" not in one]
        assert lines
        assert not [one for one in lines if one in told]


HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "certificates.md"


def lines_of_the_page(start: str) -> list[str]:
    return [one for one in HOW_TO.read_text().splitlines() if one.startswith(start)]


def run_line(site: Site, line: str) -> None:
    """Runs a line of the page, with this site's names."""
    words = shlex.split(line.replace("imagecompat-tls", "tls"))[1:]
    site.server.kubectl(*(site.name if one == "imagecompat" else one for one in words))


@pytest.mark.parametrize(
    ("line", "made"),
    [
        pytest.param(one, made, id=made)
        for one, made in zip(
            lines_of_the_page("kubectl patch secret imagecompat-tls -n imagecompat -")[
                :2
            ],
            ("leaf", "authority"),
            strict=True,
        )
    ],
)
async def test_the_pages_way_to_rotate_now_fails_no_call(
    apiserver: ApiServer, eventually: Eventually, line: str, made: str
) -> None:
    site = install(apiserver)
    try:
        async with under_load(site) as (replicas, load):
            before = replicas[0].status()["fingerprint"]
            async with load.running():
                await asked(partial(run_line, site, line))
                await eventually(
                    lambda: (
                        agree(replicas)
                        and replicas[0].status()["fingerprint"] != before
                    ),
                    60,
                )
            assert [] == load.faults
            assert are_ready(replicas)
            assert {"leaf": 1, "authority": 2}[made] == authorities(site)
    finally:
        remove(site)


async def test_the_pages_way_after_a_theft_leaves_no_old_authority(
    site: Site, eventually: Eventually
) -> None:
    async with running(site) as replicas:
        await eventually(lambda: are_ready(replicas), 30)
        (before,) = set(site.bundles())
    (line,) = lines_of_the_page(
        "kubectl patch secret imagecompat-tls -n imagecompat --type=json"
    )
    await asked(partial(run_line, site, line))
    for collection in (VALIDATING, MUTATING):
        site.server.call("DELETE", f"{collection}/{site.name}")
    site.apply(VALIDATING, "pods")
    site.apply(MUTATING, "annotate")
    async with running(site) as replicas:
        await eventually(lambda: are_ready(replicas), 30)
        (after,) = set(site.bundles())
        assert {1} == {one.status()["authorities"] for one in replicas}
    assert before not in after
