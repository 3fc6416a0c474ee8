"""Registries through proxies, over real sockets; names are the proxy's to resolve."""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvloop

from app.demo import faults
from app.demo.registry import Registry
from app.ports import Unavailable
from tests.tools.authority import Authority
from tests.tools.proxy import Proxy
from tests.tools.servers import free_port
from tests.tools.ways import HERE, filled, reading, server_context

pytestmark = pytest.mark.integration

NAME = "registry.example"
IMAGE = f"{NAME}/team/app:1"
PASSWORD = "canary-hunter2"


@dataclass
class Scene:
    """A registry on HTTPS that only the proxy finds, and one on HTTP."""

    authority: Authority
    secure: Registry
    plain: Registry
    proxy: Proxy

    def settings(self, **more: Any) -> dict[str, Any]:
        url = f"http://{self.proxy.address}"
        hosts: dict[str, Any] = {NAME: {"caFile": self.authority.ca}}
        hosts["plain.example"] = {"plainHttp": True}
        return {"hosts": hosts, "proxy": {"http": url, "https": url, **more}}


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    authority = Authority(tmp_path / "authority")
    secure, plain = filled("secure"), filled("plain")
    tls = server_context(authority, NAME)
    async with secure.serving(tls=tls), plain.serving():
        names = {f"{NAME}:443": secure.address, "plain.example": plain.address}
        async with Proxy(names).serving() as proxy:
            yield Scene(authority, secure, plain, proxy)


async def test_a_registry_on_https_is_asked_through_a_tunnel(scene: Scene) -> None:
    """The name has no address here, and the proxy is one that no image may name."""
    async with reading(**scene.settings()) as reader:
        assert "secure" == await reader.word(IMAGE)
    assert {f"CONNECT {NAME}:443 HTTP/1.1"} == set(scene.proxy.log)
    assert scene.secure.log


async def test_a_registry_on_http_is_asked_by_the_proxy(scene: Scene) -> None:
    async with reading(**scene.settings()) as reader:
        assert "plain" == await reader.word("plain.example/team/app:1")
    assert scene.proxy.log[0].startswith("HEAD http://plain.example/v2/team/app/")
    assert not any("Proxy-Authorization" in one.headers for one in scene.plain.log)


async def test_a_certificate_is_checked_through_the_tunnel(scene: Scene) -> None:
    settings = scene.settings()
    settings["hosts"][NAME] = {}
    async with reading(**settings) as reader:
        assert "Unavailable UntrustedCertificate" == await reader.word(IMAGE)
    assert [] == scene.secure.log


async def test_a_proxy_on_https_is_trusted_as_the_system_says(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not as a registry: it does not see that one's client certificate."""
    own = Authority(tmp_path / "own", "the system's authority")
    monkeypatch.setenv("SSL_CERT_FILE", str(own.ca))
    proxy = Proxy(scene.proxy.names)
    async with proxy.serving(tls=server_context(own)):
        settings = scene.settings(https=f"https://{proxy.address}")
        async with reading(**settings) as reader:
            assert "secure" == await reader.word(IMAGE)
    assert proxy.log
    proxy = Proxy(scene.proxy.names)
    async with proxy.serving(tls=server_context(scene.authority)):
        settings = scene.settings(https=f"https://{proxy.address}")
        async with reading(**settings) as reader:
            assert (await reader.word(IMAGE)).startswith("Unavailable ")
    assert [] == proxy.log


# Credentials of the proxy ------------------------------------------------------------


async def test_a_proxy_gets_its_user_and_password_and_nobody_else_does(
    scene: Scene, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    scene.proxy.credentials = f"ada:{PASSWORD}"
    file = tmp_path / "proxy"
    file.write_text(f"ada:{PASSWORD}\n")
    async with reading(**scene.settings(credentialsFile=file)) as reader:
        assert "secure" == await reader.word(IMAGE)
        assert "plain" == await reader.word("plain.example/team/app:1")
    encoded = base64.b64encode(scene.proxy.credentials.encode()).decode()
    assert {f"Basic {encoded}"} == set(scene.proxy.authorizations)
    for registry in (scene.secure, scene.plain):
        assert not any(encoded in str(one.headers) for one in registry.log)
    assert PASSWORD not in caplog.text
    assert encoded not in caplog.text


@pytest.mark.parametrize("image", [IMAGE, "plain.example/team/app:1"])
async def test_a_password_that_is_refused_is_told_without_it(
    scene: Scene, tmp_path: Path, image: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    scene.proxy.credentials = "ada:other"
    file = tmp_path / "proxy"
    file.write_text(f"ada:{PASSWORD}")
    async with reading(**scene.settings(credentialsFile=file)) as reader:
        outcome = await reader.look(image)
        shown = (repr(outcome), caplog.text)
    assert "ProxyRefused" in shown[0]
    assert not any(PASSWORD in text or "YWRhO" in text for text in shown)


async def test_a_proxy_that_is_down_is_told_from_a_registry_that_is(
    scene: Scene,
) -> None:
    gone = f"http://127.0.0.1:{free_port()}"
    settings = {**scene.settings(https=gone), "limits": {"retries": 0}}
    async with reading(**settings) as reader:
        assert "Unavailable ProxyUnreachable" == await reader.word(IMAGE)


# What goes directly, and what may not go at all --------------------------------------


async def test_what_is_not_to_go_through_the_proxy_does_not(scene: Scene) -> None:
    settings = scene.settings(noProxy=["127.0.0.0/8"])
    address = scene.plain.address
    settings["hosts"][address] = HERE
    async with reading(**settings) as reader:
        assert "plain" == await reader.word(f"{address}/team/app:1")
    assert [] == scene.proxy.log


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:{port}",
        "localhost:{port}",
        "169.254.169.254",
        "10.0.0.1",
        "127.1",
        "2130706433:443",
        "0x7f.1",
        "[::1]:{port}",
        "[::ffff:7f00:1]:{port}",
    ],
)
async def test_no_image_uses_what_only_the_proxy_may(scene: Scene, host: str) -> None:
    """The proxy is on loopback; names of it and of others inside stay closed."""
    port = scene.proxy.address.partition(":")[2]
    direct = scene.settings(noProxy=["*"])
    image = f"{host.format(port=port)}/team/app:1"
    async with reading(**direct) as reader:
        assert "Unavailable AddressRefused" == await reader.word(image)
    async with reading(**scene.settings()) as reader:
        assert "Unavailable AddressRefused" == await reader.word(image)
    assert [] == scene.proxy.log


@pytest.mark.parametrize(
    "host",
    [
        "metadata.google.internal",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local:443",
        "localhost:9090",
        "LocalHost:9090",
    ],
)
async def test_a_proxy_is_asked_for_no_name_inside(scene: Scene, host: str) -> None:
    """The proxy resolves names, so that no address is there to be looked at."""
    async with reading(**scene.settings()) as reader:
        assert "Unavailable AddressRefused" == await reader.word(f"{host}/team/app:1")
    assert [] == scene.proxy.log


async def test_a_redirect_has_a_proxy_asked_for_no_name_inside(scene: Scene) -> None:
    scene.plain.faults["resolve"] = faults.redirect("http://localhost:9090/")
    async with reading(**scene.settings()) as reader:
        word = await reader.word("plain.example/team/app:1")
    assert "Unavailable AddressRefused" == word
    assert not any("localhost" in line for line in scene.proxy.log)


async def test_without_a_proxy_the_address_counts_and_not_the_name(
    scene: Scene,
) -> None:
    for direct, what in ((["localhost"], "address"), ([], "name")):
        async with reading(**scene.settings(noProxy=direct)) as reader:
            outcome = await reader.look("localhost:9090/team/app:1")
        assert isinstance(outcome, Unavailable)
        assert f"localhost is not a public {what}" == outcome.detail


async def test_a_name_inside_that_is_listed_is_asked_for_through_a_proxy(
    scene: Scene,
) -> None:
    name = "registry.corp.internal"
    scene.proxy.names = {name: scene.plain.address}
    settings = scene.settings()
    settings["hosts"][name] = {"plainHttp": True}
    async with reading(**settings) as reader:
        assert "plain" == await reader.word(f"{name}/team/app:1")
        word = await reader.word(f"{name}:9090/team/app:1")
    assert "Unavailable AddressRefused" == word


# The environment ---------------------------------------------------------------------


async def test_no_proxy_or_password_comes_from_the_environment(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Proxy({})
    netrc = tmp_path / ".netrc"
    host, _, _ = scene.plain.address.partition(":")
    netrc.write_text(f"machine {host} login ada password {PASSWORD}\n")
    netrc.chmod(0o600)
    async with other.serving():
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            for one in (name, name.lower()):
                monkeypatch.setenv(one, f"http://{other.address}")
        monkeypatch.setenv("NETRC", str(netrc))
        monkeypatch.setenv("HOME", str(tmp_path))
        hosts = {scene.plain.address: HERE}
        async with reading(hosts=hosts) as reader:
            assert "plain" == await reader.word(f"{scene.plain.address}/team/app:1")
        monkeypatch.setenv("NO_PROXY", "*")
        async with reading(**scene.settings()) as reader:
            assert "secure" == await reader.word(IMAGE)
    assert [] == other.log
    assert scene.proxy.log
    assert {""} == {one.authorization for one in scene.plain.log}
    assert {""} == set(scene.proxy.authorizations)


@pytest.mark.parametrize("is_tls", [False, True], ids=["http", "https"])
def test_tunnels_stand_on_the_loop_of_the_webhook_too(
    *, is_tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Uvloop has TLS of its own, and here TLS inside TLS."""
    authority = Authority(tmp_path / "registry")
    own = Authority(tmp_path / "own", "the system's authority")
    monkeypatch.setenv("SSL_CERT_FILE", str(own.ca))
    registry = filled("secure")

    async def read() -> str:
        async with registry.serving(tls=server_context(authority, NAME)):
            proxy = Proxy({f"{NAME}:443": registry.address})
            async with proxy.serving(tls=server_context(own) if is_tls else None):
                url = f"{'https' if is_tls else 'http'}://{proxy.address}"
                hosts = {NAME: {"caFile": authority.ca}}
                async with reading(hosts=hosts, proxy={"https": url}) as reader:
                    return await reader.word(IMAGE)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert "secure" == runner.run(read())
