"""A process that has not begun to serve: what it waits for, what it says, its end."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import stat
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app import status
from app.demo import certificates
from tests.tools import served
from tests.tools.served import clients, settings, started, webhook
from tests.tools.servers import ApiServer, free_port

pytestmark = pytest.mark.integration


async def test_a_process_without_an_api_server_lives_and_says_what_it_lacks(
    tmp_path: Path,
) -> None:
    with webhook(tmp_path) as one:
        assert (200, "ok\n") == one.get("/livez")
        code, lines = one.get("/readyz")
        assert (503, True) == (code, "nodes" in lines)
        async with clients(one, 1) as (client,):
            assert (200, "u-1") == ((got := await client.ask()).status, got.uid)
        found = status.decode(one.get("/statusz")[1].encode())
        assert (False, 3) == (found.ready, len(found.watches))
        assert not any(watch.is_synced for watch in found.watches)
        one.tell(signal.SIGTERM)
        assert one.ended() == 0


@pytest.mark.usefixtures("_crd")
async def test_a_process_is_ready_when_the_api_server_comes_and_when_it_goes(
    tmp_path: Path, apiserver: ApiServer
) -> None:
    port = free_port()
    rules = [
        {"apiGroups": [""], "resources": ["nodes", "namespaces"]},
        {"apiGroups": ["nfd.k8s-sigs.io"], "resources": ["nodefeatures"]},
    ]
    everything = [{**rule, "verbs": ["get", "list", "watch"]} for rule in rules]
    kubeconfig = apiserver.service_account("life", everything)
    text = kubeconfig.read_text()
    real = json.loads(text)["clusters"][0]["cluster"]["server"].rsplit(":", 1)[1]
    kubeconfig.write_text(text.replace(f":{real}", f":{port}"))
    with webhook(tmp_path, cluster={"kubeconfig": str(kubeconfig)}) as one:
        one.wait_for(lambda: one.lines("watch failed"))
        assert one.get("/readyz")[0] == 503
        async with forwarding(port, int(real)):
            ends = time.monotonic() + served.END_SECONDS
            while (await asyncio.to_thread(one.get, "/readyz"))[0] != 200:
                assert time.monotonic() < ends, one.log.read_text()
                await asyncio.sleep(0.05)
        one.wait_for(lambda: "warning: nodes" in one.get("/readyz")[1])
        assert one.get("/readyz")[0] == 200


@asynccontextmanager
async def forwarding(port: int, to: int) -> AsyncIterator[None]:
    """The way to the API server, while it is there."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while content := await reader.read(65536):
                writer.write(content)
                await writer.drain()
        writer.close()

    async def both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", to)
        ends.extend([writer.transport, back.transport])
        tasks = [
            asyncio.create_task(pump(reader, back)),
            asyncio.create_task(pump(there, writer)),
        ]
        every.extend(tasks)
        await asyncio.wait(tasks)

    every: list[asyncio.Task[None]] = []
    ends: list[asyncio.WriteTransport] = []
    server = await asyncio.start_server(both, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        for task in every:
            task.cancel()
        await asyncio.gather(*every, return_exceptions=True)
        for end in ends:
            end.abort()
        await asyncio.sleep(0)


def test_the_status_port_opens_before_there_is_a_certificate(tmp_path: Path) -> None:
    certificates.write_pair(tmp_path)
    pair = (tmp_path / "tls.crt"), (tmp_path / "tls.key")
    aside = [file.rename(f"{file}.aside") for file in pair]
    port, status_port = free_port(), free_port()
    server = {"port": port, "statusPort": status_port}
    with webhook(tmp_path, server=server) as one:
        one.wait_for(lambda: is_open(status_port))
        assert one.get("/livez", status_port)[0] == 200
        code, lines = one.get("/readyz", status_port)
        assert (503, True) == (code, "certificate" in lines)
        assert not is_open(port)
        for file, name in zip(aside, pair, strict=True):
            file.rename(name)
        one.wait_for(lambda: is_open(port))
        assert port == one.port


def test_a_process_that_waits_for_a_certificate_ends_when_told(tmp_path: Path) -> None:
    status_port = free_port()
    nowhere = str(tmp_path / "nowhere")
    server = {"certificate": nowhere, "statusPort": status_port, "drainSeconds": 600}
    with webhook(tmp_path, server=server) as one:
        one.wait_for(lambda: is_open(status_port))
        one.tell(signal.SIGTERM)
        assert one.ended() == 0


def is_open(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@pytest.mark.parametrize("field", ["port", "statusPort"])
def test_an_address_that_is_taken_is_one_clear_line(tmp_path: Path, field: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with webhook(tmp_path, server={field: number}) as one:
            assert one.ended() == 2
    expected = f"imagecompat: server.host 127.0.0.1, server.{field} {number}: "
    assert one.log.read_text().startswith(expected)


def test_a_kubeconfig_that_cannot_be_read_is_one_clear_line(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    with webhook(tmp_path, cluster={"kubeconfig": nowhere}) as one:
        assert one.ended() == 2
    line = one.log.read_text().splitlines()[-1]
    assert line.startswith("imagecompat: ")
    assert nowhere in line


def hanging(folder: Path) -> tuple[Path, Path]:
    """A kubeconfig whose credential plugin never answers; where its id will stand."""
    plugin, noted = folder / "plugin", folder / "pid"
    plugin.write_text(f"#!/bin/sh\necho $$ > {noted}\nexec sleep 600\n")
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    command = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": str(plugin),
        "interactiveMode": "Never",
    }
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"exec": command}}],
    }
    path = folder / "hanging"
    path.write_text(json.dumps(content))
    return path, noted


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_process_whose_credential_plugin_hangs(
    tmp_path: Path, number: signal.Signals
) -> None:
    kubeconfig, noted = hanging(tmp_path)
    values = settings(tmp_path, cluster={"kubeconfig": str(kubeconfig)})
    with started(tmp_path, values) as one:
        one.wait_for(lambda: noted.exists() and noted.read_text().strip())
        plugin = int(noted.read_text())
        one.tell(number)
        try:
            assert 0 == one.ended()
            assert ["stopped"] == [line["event"] for line in one.lines("stopped")]
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.kill(plugin, signal.SIGKILL)
