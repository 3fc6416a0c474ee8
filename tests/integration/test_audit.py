"""What a real API server keeps of our answers: its audit log and its metrics."""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from string import Template
from typing import Any, TypeAlias

import pytest

from app.bootstrap import wiring
from app.demo import certificates, images, nodes
from app.demo.cluster import MemoryCluster
from app.demo.layout import Layout
from app.settings.sections import Settings
from app.webhook.server import serving
from tests.tools import needed, promql
from tests.tools.json_lines import json_lines
from tests.tools.servers import ApiServer, Etcd, free_port

pytestmark = pytest.mark.integration

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "reference" / "logs.md"
WEBHOOKS = Path(__file__).with_name("manifests") / "webhooks.yaml"
REGISTRY = "registry.example"
END_SECONDS = 60.0
WEBHOOK = "pods.imagecompat.dev/"

Serving: TypeAlias = Callable[[], AbstractAsyncContextManager[None]]


def policy() -> str:
    """The audit policy that the page shows."""
    block = re.compile(
        r"^```yaml\n(apiVersion: audit.*?)^```$", re.MULTILINE | re.DOTALL
    )
    (text,) = block.findall(PAGE.read_text())
    return str(text)


def documented() -> set[str]:
    """The keys that the page lists."""
    text = PAGE.read_text().partition("audit log\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `([\w-]+)` \|", text, re.MULTILINE))


class Audited(ApiServer):
    """An API server that writes an audit log."""

    def __init__(self, folder: Path, etcd: Etcd) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "audit.log"
        (folder / "policy.yaml").write_text(policy())
        flags = [
            f"--audit-policy-file={folder / 'policy.yaml'}",
            f"--audit-log-path={self.log}",
        ]
        super().__init__(folder, etcd, flags=flags)

    def events(self, verb: str, uri: str) -> list[dict[str, Any]]:
        """What was kept of the requests of a kind."""
        return [
            one
            for one in json_lines(self.log)
            if one["verb"] == verb and one["requestURI"].partition("?")[0] == uri
        ]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    """With an etcd of its own: what it is told, no other test shall see."""
    needed.programs("etcd", "kube-apiserver", "kubectl")
    folder = tmp_path_factory.mktemp("audit")
    with Etcd(folder / "etcd") as etcd, Audited(folder / "one", etcd) as audited:
        yield audited


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Images in layouts; what `legacy` is called is exempt."""
    folder = tmp_path_factory.mktemp("webhook")
    certificates.write_pair(folder)
    for name, spec in (("gpu", "cuda-13.0"), ("any", "x86-64-v2")):
        layout = Layout(folder / "layouts" / REGISTRY / name)
        image = layout.image("amd64", name)
        layout.tag(image, "1")
        layout.attach(image, images.spec(spec), created="2026-03-01T00:00:00Z")
        layout.close()
    exemption = {"owner": "team-a", "reason": "old", "images": [f"{REGISTRY}/legacy:*"]}
    return Settings.model_validate(
        {
            "server": {
                "host": "127.0.0.1",
                "port": free_port(),
                "statusPort": 0,
                "drainSeconds": 0,
                "certificate": folder / "tls.crt",
                "privateKey": folder / "tls.key",
            },
            "registry": {"layoutRoot": folder / "layouts"},
            "policy": {"exemptions": [exemption]},
        }
    )


@pytest.fixture(scope="module")
def webhook(server: Audited, settings: Settings) -> Serving:
    """The webhook on the demo's nodes; it serves while that is entered."""
    folder = settings.server.certificate
    assert folder is not None
    ca = base64.b64encode((folder.parent / "ca.crt").read_bytes()).decode()
    url = f"https://127.0.0.1:{settings.server.port}"
    made = Template(WEBHOOKS.read_text()).substitute(URL=url, CA_BUNDLE=ca)
    server.kubectl("apply", "-f", "-", stdin=made)

    @asynccontextmanager
    async def open_() -> AsyncIterator[None]:
        known = nodes.recorded()
        cluster = MemoryCluster(nodes.nodes(known), known)
        wired = wiring.wire_on(settings, cluster)
        async with serving(wired, settings.server):
            await called(server)
            yield

    return open_


async def called(server: Audited) -> None:
    """Until the API server asks us; a new configuration takes it a moment."""
    text = json.dumps(pod("probe", "!"))
    async with asyncio.timeout(END_SECONDS):
        while True:
            done = await create(server, text, "--dry-run=server")
            if "[IC205]" in done.stderr:
                return
            await asyncio.sleep(0.1)


def pod(name: str, image: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name},
        "spec": {"containers": [{"name": "main", "image": image}]},
    }


def deployment(name: str, image: str) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod("", image)["spec"]}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }


async def create(server: Audited, text: str, *flags: str) -> Any:
    """`kubectl create -f -`; never raises."""
    return await asyncio.to_thread(
        server.kubectl, "create", "-f", "-", *flags, stdin=text, check=False
    )


async def kept(
    server: Audited, obj: Mapping[str, Any], *flags: str
) -> tuple[int, dict[str, str]]:
    """Status and annotations of the creation of an object, as the log has them."""
    kind = {"Pod": "/api/v1", "Deployment": "/apis/apps/v1"}[obj["kind"]]
    uri = f"{kind}/namespaces/default/{obj['kind'].lower()}s"
    before = len(server.events("create", uri))
    await create(server, json.dumps(obj), *flags)
    async with asyncio.timeout(END_SECONDS):
        while len(server.events("create", uri)) == before:  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.05)
    event = server.events("create", uri)[-1]
    return event["responseStatus"]["code"], event.get("annotations", {})


def ours(annotations: Mapping[str, str], prefix: str = WEBHOOK) -> dict[str, str]:
    """What one of our webhooks said."""
    return {
        key.removeprefix(prefix): value
        for key, value in annotations.items()
        if key.startswith(prefix)
    }


async def test_a_denial_is_in_the_audit_log_with_its_reasons(
    server: Audited, webhook: Serving
) -> None:
    image = f"{REGISTRY}/gpu:1"
    async with webhook():
        status, annotations = await kept(server, pod("train", image))
    found = ours(annotations)
    assert status == 403
    assert {
        "verdict": "does not fit",
        "decision": "deny",
        "mode": "enforce",
        "causes": "IC101",
    }.items() <= found.items()
    assert re.fullmatch(r"0/\d+", found["nodes"])
    for key in ("images", "specs"):
        assert json.loads(found[key])[image].startswith("sha256:")
    assert found.keys() <= documented()


async def test_what_is_admitted_is_there_as_well_and_once(
    server: Audited, webhook: Serving
) -> None:
    """The mutating webhook says nothing there: what it wrote stands on the Pod."""
    async with webhook():
        status, annotations = await kept(server, pod("any", f"{REGISTRY}/any:1"))
    assert status == 201
    assert "fits" == ours(annotations)["verdict"]
    assert "allow" == ours(annotations)["decision"]
    assert {} == ours(annotations, "annotate.pods.imagecompat.dev/")


async def test_who_answers_for_an_exemption_is_there(
    server: Audited, webhook: Serving
) -> None:
    async with webhook():
        _, annotations = await kept(server, pod("old", f"{REGISTRY}/legacy:1"))
    expected = {"not-judged": "exempt", "exempted-by": "team-a"}
    assert expected == ours(annotations)


async def test_a_template_is_kept_under_the_name_of_its_webhook(
    server: Audited, webhook: Serving
) -> None:
    async with webhook():
        image = f"{REGISTRY}/gpu:1"
        status, annotations = await kept(server, deployment("train", image))
    found = ours(annotations, "workloads.imagecompat.dev/")
    assert (201, "warn", "IC101") == (status, found["decision"], found["causes"])


async def test_what_the_api_server_let_through_without_us_is_there(
    server: Audited, webhook: Serving
) -> None:
    """The runbook of ImagecompatFailOpen tells to search for it."""
    async with webhook():
        pass
    status, annotations = await kept(server, pod("alone", f"{REGISTRY}/gpu:1"))
    assert status == 201
    prefix = "failed-open.validating.webhook.admission.k8s.io/"
    assert "pods.imagecompat.dev" in ours(annotations, prefix).values()
    assert {} == ours(annotations)


def exposed(server: Audited) -> dict[str, set[frozenset[str]]]:
    """Series of our webhooks that the API server exposes -> their sets of labels."""
    found: dict[str, set[frozenset[str]]] = {}
    for line in server.call("GET", "/metrics").splitlines():
        if "imagecompat" in line and not line.startswith("#"):
            name, _, rest = line.partition("{")
            labels = frozenset(re.findall(r'(\w+)="', rest))
            found.setdefault(name, set()).add(labels)
    return found


async def test_the_api_servers_metrics_have_the_names_and_labels_that_we_use(
    server: Audited, webhook: Serving
) -> None:
    async with webhook():
        await kept(server, pod("gpu", f"{REGISTRY}/gpu:1"))
        await kept(server, pod("labelled", f"{REGISTRY}/any:1"))
        change = ("label", "pod", "labelled", "a=b")
        await asyncio.to_thread(server.kubectl, *change)
    await kept(server, pod("open", f"{REGISTRY}/gpu:1"))
    found = await asyncio.to_thread(exposed, server)
    wanted = {
        name: {frozenset(labels)}
        for name, labels in promql.FOREIGN.items()
        if name.startswith("apiserver_")
    }
    assert wanted.items() <= found.items()


async def test_calls_are_typed_as_the_dashboard_and_the_alerts_expect(
    server: Audited, webhook: Serving
) -> None:
    async with webhook():
        await kept(server, pod("typed", f"{REGISTRY}/any:1"))
    text = await asyncio.to_thread(server.call, "GET", "/metrics")
    series = re.findall(
        r"^apiserver_admission_webhook_admission_duration_seconds_count{(.*)} ",
        text,
        re.MULTILINE,
    )
    types = {tuple(re.findall(r'(?:name|type)="([^"]+)"', one)) for one in series}
    assert types >= {
        ("pods.imagecompat.dev", "validating"),
        ("annotate.pods.imagecompat.dev", "admit"),
    }
