"""A settings file that changes under a process that serves reviews."""

import asyncio
import contextlib
import http.server
import json
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.demo.layout import Layout
from tests.tools import served
from tests.tools.served import Client, Webhook, request, review
from tests.tools.servers import ApiServer

pytestmark = pytest.mark.integration

SPEC = b"""\
version: v1alpha1
compatibilities:
- tag: gpu
  rules:
  - name: needs a GPU
    matchFeatures:
    - feature: pci.device
      matchExpressions:
        vendor: {op: In, value: ["10de"]}
"""


@contextlib.contextmanager
def webhook(folder: Path, **sections: Any) -> Iterator[Webhook]:
    with served.started(folder, served.settings(folder, **sections)) as one:
        yield one


def written(folder: Path, **sections: Any) -> str:
    """Replaces the settings as the kubelet does: at once. Returns them."""
    kubeconfig = folder / "kubeconfig"
    before = kubeconfig.read_text()
    text = json.dumps(served.settings(folder, **sections))
    kubeconfig.write_text(before)  # `settings` writes one of its own
    (folder / "new.yaml").write_text(text)
    (folder / "new.yaml").rename(folder / "settings.yaml")
    return text


def applied(one: Webhook) -> list[list[dict[str, Any]]]:
    """What was taken up, change by change."""
    return [line["changed"] for line in one.lines("settings applied")]


def reached_now(one: Webhook, count: int) -> None:
    """Waits until so many changes were taken up."""
    one.wait_for(lambda: len(applied(one)) == count)


async def reached(one: Webhook, count: int) -> None:
    """The same while the loop goes on."""
    await asyncio.to_thread(reached_now, one, count)


def told(answer: served.Answer) -> dict[str, Any]:
    """The response of a review."""
    assert answer.status == 200
    response: dict[str, Any] = json.loads(answer.body)["response"]
    return response


def test_a_changed_file_is_taken_up(tmp_path: Path) -> None:
    with webhook(tmp_path, policy={"mode": "audit"}) as one:
        assert one.port
        written(tmp_path, policy={"mode": "warn", "messages": "counts"})
        one.wait_for(lambda: applied(one))
        assert applied(one) == [
            [
                {"setting": "policy.mode", "old": "audit", "new": "warn"},
                {"setting": "policy.messages", "old": "full", "new": "counts"},
            ]
        ]
        assert one.metric('config_reloads_total{result="applied"}') == 1
        assert json.loads(one.get("/statusz")[1])["rules"]["mode"] == "warn"
        one.tell(signal.SIGTERM)
        assert one.ended() == 0


def test_sighup_takes_it_up_at_once(tmp_path: Path) -> None:
    """The file would be looked at in an hour."""
    slow = {"checkSeconds": 3600}
    with webhook(tmp_path, server=slow) as one:
        assert one.port
        written(tmp_path, server=slow, policy={"mode": "audit"})
        one.tell(signal.SIGHUP)
        one.wait_for(lambda: applied(one))
        one.tell(signal.SIGHUP)
        one.wait_for(lambda: one.lines("settings unchanged"))
        assert one.metric('config_reloads_total{result="unchanged"}') == 1


def test_a_broken_file_keeps_what_holds_and_is_told_everywhere(tmp_path: Path) -> None:
    with webhook(tmp_path, policy={"mode": "audit"}) as one:
        assert one.port
        file = tmp_path / "settings.yaml"
        good = file.read_text()
        file.write_text("policy:\n  mode: strict\n  onUnknwon: deny\n")
        one.wait_for(lambda: one.lines("settings refused"))
        (line,) = one.lines("settings refused")
        first, second = line["faults"]
        assert first.startswith(f"{file}:2:9: policy.mode: expected one of enforce")
        assert second.endswith('unknown key; did you mean "onUnknown"?')
        assert one.metric("config_invalid") == 1
        assert one.metric('config_reloads_total{result="invalid"}') == 1
        document = json.loads(one.get("/statusz")[1])
        assert document["rules"]["mode"] == "audit"
        assert document["settings"]["invalid"] == f"{first}\n{second}"
        assert any(first in warning for warning in document["warnings"])
        file.unlink()
        one.wait_for(lambda: len(one.lines("settings refused")) == 2)
        assert one.lines("settings refused")[1]["faults"] == [
            f"{file}: cannot be read: No such file or directory"
        ]
        file.write_text(good)
        one.wait_for(lambda: one.lines("settings unchanged"))
        assert one.metric("config_invalid") == 0
        assert json.loads(one.get("/statusz")[1])["settings"]["invalid"] == ""


def test_what_needs_a_process_is_reported_and_the_rest_taken_up(tmp_path: Path) -> None:
    with webhook(tmp_path) as one:
        port = one.port
        written(tmp_path, server={"port": 1}, policy={"mode": "audit"})
        one.wait_for(lambda: applied(one))
        assert one.lines("settings applied")[0]["restart_needed"] == ["server.port"]
        assert one.metric("config_restart_needed") == 1
        document = json.loads(one.get("/statusz")[1])
        assert document["settings"]["restartNeeded"] == ["server.port"]
        assert document["rules"]["mode"] == "audit"
        assert port == one.port


def test_a_volume_of_the_kubelet_is_followed(tmp_path: Path) -> None:
    """The file is a link through `..data`, which another link is renamed over."""
    values = served.settings(tmp_path, policy={"mode": "audit"})

    volume = tmp_path / "volume"

    def publish(version: str, text: str) -> None:
        (volume / version).mkdir(parents=True)
        (volume / version / "settings.yaml").write_text(text)
        (volume / "..data_tmp").symlink_to(version)
        (volume / "..data_tmp").rename(volume / "..data")

    publish("..1", "{}")
    (volume / "settings.yaml").symlink_to("..data/settings.yaml")
    (tmp_path / "settings.yaml").symlink_to("volume/settings.yaml")
    with served.started(tmp_path, values) as one:
        assert one.port
        for number, mode in enumerate(("warn", "audit", "off"), start=2):
            values["policy"]["mode"] = mode
            publish(f"..{number}", json.dumps(values))
            (volume / f"..{number - 1}" / "settings.yaml").unlink()
            reached_now(one, number - 1)
        assert json.loads(one.get("/statusz")[1])["rules"]["mode"] == "off"
        assert one.lines("settings refused") == []


def test_a_docker_config_alone_is_followed(tmp_path: Path) -> None:
    docker = tmp_path / "config.json"
    docker.write_text('{"auths": {}}')
    with webhook(tmp_path, registry={"dockerConfig": str(docker)}) as one:
        assert one.port
        entry = {"username": "ada", "password": "secret"}
        docker.write_text(json.dumps({"auths": {"r.example": entry}}))
        one.wait_for(lambda: one.lines("settings applied"))
        (line,) = one.lines("settings applied")
        assert (line["credentials"], line["changed"]) == ("changed", [])
        docker.write_text("broken")
        one.wait_for(lambda: one.lines("settings refused"))
        assert one.metric("config_invalid") == 1
        assert "secret" not in one.log.read_text()


def test_a_process_does_not_start_with_what_validate_config_refuses(
    tmp_path: Path,
) -> None:
    with webhook(tmp_path, policy={"mode": "strict"}) as one:
        assert one.ended() == 2
        text = one.log.read_text()
    command = ("-m", "app", "validate-config")
    values = json.loads((tmp_path / "settings.yaml").read_text())
    with served.started(tmp_path, values, command) as other:
        assert other.ended() == 2
        assert text == "imagecompat: " + other.log.read_text()
    assert "policy.mode: expected one of enforce, warn, audit or off" in text


# Under load ------------------------------------------------------------------------


async def under_load(
    one: Webhook, change: Callable[[], Awaitable[None]], body: bytes
) -> list[dict[str, Any]]:
    """Every answer that came while something was changed."""
    found: list[dict[str, Any]] = []
    is_over = asyncio.Event()
    port = await asyncio.to_thread(lambda: one.port)

    async def ask() -> None:
        client = await Client.open(port, one.context)
        while not is_over.is_set():
            client.send(request(body))
            answer = await client.answer()
            found.append(told(answer))
            if answer.closes:
                await client.close()
                client = await Client.open(port, one.context)
        await client.close()

    asking = [asyncio.create_task(ask()) for _ in range(6)]
    try:
        await change()
    finally:
        is_over.set()
        await asyncio.gather(*asking)
    return found


async def test_no_review_sees_a_part_of_a_change(tmp_path: Path) -> None:
    """Neither of these warns of this Pod; any mixture does."""
    quiet = {"mode": "audit", "onNoCandidates": "deny", "onInvalid": "deny"}
    mild = {"mode": "warn", "onNoCandidates": "allow", "onInvalid": "allow"}
    mild["unpublishedFeatures"] = "no"  # takes another index
    with webhook(tmp_path, policy=quiet) as one:

        async def change() -> None:
            for number in range(1, 9):
                written(tmp_path, policy=mild if number % 2 else quiet)
                one.tell(signal.SIGHUP)
                await reached(one, number)

        answers = await under_load(one, change, review())
        assert {one.get("allowed") for one in answers} == {True}
        assert {tuple(one.get("warnings", ())) for one in answers} == {()}
        modes = {one["auditAnnotations"]["mode"] for one in answers}
        assert modes == {"audit", "warn"}
        one.tell(signal.SIGTERM)
        assert one.ended() == 0


@contextlib.contextmanager
def registry() -> Iterator[str]:
    """The address of a registry that has no image."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET  # noqa: N815 - the base class calls it so

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def causes(response: dict[str, Any]) -> set[str]:
    return set(response["auditAnnotations"]["causes"].split(","))


async def test_registries_are_exchanged_and_forget_what_they_knew(
    tmp_path: Path,
) -> None:
    """What is refused from now on is not answered from memory."""
    with registry() as address, webhook(tmp_path, policy={"mode": "warn"}) as one:
        body = review(image=f"{address}/team/app:1")
        hosts = {address: {"plainHttp": True, "loopback": True}}
        port = await asyncio.to_thread(lambda: one.port)
        client = await Client.open(port, one.context)
        for number, given in enumerate(({}, hosts, {})):
            if number:
                written(tmp_path, policy={"mode": "warn"}, registry={"hosts": given})
                await reached(one, number)
            found = causes(told(await client.ask(body)))
            wanted = "IC204" if given else "IC202"
            assert wanted in found, found
        await client.close()
        one.tell(signal.SIGTERM)
        assert one.ended() == 0


@pytest.fixture
def cluster(
    apiserver: ApiServer, node_features: Callable[[str], str]
) -> Iterator[ApiServer]:
    """Nodes without a GPU, in a cluster where none publishes one."""
    features = node_features("node-feature-discovery")
    names = [f"reload-{number}" for number in range(200)]
    labels = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    for name in names:
        node = {"apiVersion": "v1", "kind": "Node", "metadata": {"labels": labels}}
        apiserver.put("/api/v1/nodes", node, name)
        flags: dict[str, Any] = {"kernel.loadedmodule": {"elements": {name: {}}}}
        feature = {
            "apiVersion": "nfd.k8s-sigs.io/v1alpha1",
            "kind": "NodeFeature",
            "metadata": {"labels": {"nfd.node.kubernetes.io/node-name": name}},
            "spec": {"features": {"flags": flags}, "labels": {}},
        }
        apiserver.put(features, feature, name)
    yield apiserver
    for name in names:
        apiserver.call("DELETE", f"/api/v1/nodes/{name}")
        apiserver.call("DELETE", f"{features}/{name}")


async def test_no_denial_comes_from_indexes_that_are_being_made(
    cluster: ApiServer, tmp_path: Path
) -> None:
    """Each answer is that of one of two settings, whatever was under way."""
    layout = Layout(tmp_path / "layouts" / "registry.example.com" / "ml" / "app")
    image = layout.image("amd64", "app")
    layout.tag(image, "1")
    layout.attach(image, SPEC, created="2026-03-01T00:00:00Z")
    layout.close()
    rules = [
        {"apiGroups": [""], "resources": ["nodes", "namespaces"]},
        {"apiGroups": ["nfd.k8s-sigs.io"], "resources": ["nodefeatures"]},
    ]
    verbs = ["get", "list", "watch"]
    kubeconfig = cluster.service_account(
        "reload", [{**one, "verbs": verbs} for one in rules]
    )
    shared: dict[str, Any] = {
        "cluster": {"kubeconfig": str(kubeconfig)},
        "registry": {"layoutRoot": str(tmp_path / "layouts")},
    }
    unsure = {"mode": "enforce", "unpublishedFeatures": "unknown"}
    sure = {"mode": "audit", "unpublishedFeatures": "no", "tags": ["gpu"]}
    with webhook(tmp_path, **shared, policy=unsure) as one:
        await asyncio.to_thread(one.wait_for, lambda: one.get("/readyz")[0] == 200)

        async def change() -> None:
            for number in range(1, 7):
                written(tmp_path, **shared, policy=sure if number % 2 else unsure)
                one.tell(signal.SIGHUP)
                await reached(one, number)

        body = review(image="registry.example.com/ml/app:1")
        answers = await under_load(one, change, body)
        seen = {
            (found["allowed"], notes["mode"], notes["verdict"], notes["nodes"])
            for found in answers
            for notes in [found["auditAnnotations"]]
        }
        assert seen == {
            (True, "enforce", "unknown", "0/200"),
            (True, "audit", "does not fit", "0/200"),
        }
