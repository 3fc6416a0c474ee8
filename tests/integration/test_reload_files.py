"""Files that settings name, which change under a process that serves reviews."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.demo.registry import Registry
from tests.tools import background, served
from tests.tools.authority import Authority
from tests.tools.served import Client, Webhook, review
from tests.tools.ways import mirrors, server_context

pytestmark = pytest.mark.integration

UNAVAILABLE, NOT_FOUND = "IC202", "IC204"


async def cause(one: Webhook, image: str) -> str:
    """What a review says of an image that no registry has: whether we could look."""
    client = await Client.open(one.port, one.context)
    answer = await client.ask(review(image=image))
    await client.close()
    notes = json.loads(answer.body)["response"]["auditAnnotations"]
    (found,) = {UNAVAILABLE, NOT_FOUND} & set(notes["causes"].split(","))
    return found


def applied(one: Webhook, count: int) -> list[Any]:
    """Which files were other ones, change by change."""
    one.wait_for(lambda: len(one.lines("settings applied")) == count)
    return [line["files"] for line in one.lines("settings applied")]


def replace(path: Path, content: bytes) -> None:
    """As the kubelet does: at once."""
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(content)
    new.rename(path)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@pytest.fixture
def registry(authority: Authority) -> Iterator[Registry]:
    registry = Registry()
    with background.serving([registry], tls=server_context(authority)):
        yield registry


async def test_a_rotated_authority_is_trusted_and_a_broken_one_changes_nothing(
    tmp_path: Path, authority: Authority, registry: Registry
) -> None:
    old = Authority(tmp_path / "old", "an older authority")
    bundle = tmp_path / "registry.crt"
    bundle.write_bytes(old.ca.read_bytes())
    address = registry.address
    hosts = {address: {"loopback": True, "caFile": str(bundle)}}
    policy = {"mode": "warn"}
    with served.webhook(tmp_path, registry={"hosts": hosts}, policy=policy) as one:
        assert UNAVAILABLE == await cause(one, f"{address}/team/app:1")
        replace(bundle, authority.ca.read_bytes())
        setting = f"registry.hosts.{address}.caFile"
        assert [[setting]] == applied(one, 1)
        assert NOT_FOUND == await cause(one, f"{address}/team/app:1")
        replace(bundle, b"canary")
        one.wait_for(lambda: one.lines("settings refused"))
        (line,) = one.lines("settings refused")[0]["faults"]
        assert line.endswith(f"{setting}: {bundle}: expected certificates in PEM")
        assert 1 == one.metric("config_invalid")
        assert NOT_FOUND == await cause(one, f"{address}/team/app:2")
        replace(bundle, old.ca.read_bytes())
        assert [[setting]] * 2 == applied(one, 2)
        assert UNAVAILABLE == await cause(one, f"{address}/team/app:3")
        assert "canary" not in one.log.read_text()
    assert registry.log


async def test_a_client_certificate_is_rotated_with_its_key(
    tmp_path: Path, authority: Authority
) -> None:
    registry, other = Registry(), Authority(tmp_path / "other", "another authority")
    certificate, key = tmp_path / "client.crt", tmp_path / "client.key"

    def show(who: Authority) -> None:
        made = who.issue("client.example")
        for path, content in zip((certificate, key), made, strict=True):
            replace(path, content.read_bytes())

    show(other)
    pair = {"clientCertificate": str(certificate), "clientKey": str(key)}
    tls = server_context(authority, is_mutual=True)
    with background.serving([registry], tls=tls):
        address = registry.address
        host = {"loopback": True, "caFile": str(authority.ca), **pair}
        settings = {"hosts": {address: host}, "limits": {"retries": 0}}
        with served.webhook(
            tmp_path, registry=settings, policy={"mode": "warn"}
        ) as one:
            assert UNAVAILABLE == await cause(one, f"{address}/team/app:1")
            show(authority)
            one.wait_for(lambda: one.lines("settings applied"))
            assert NOT_FOUND == await cause(one, f"{address}/team/app:1")


async def test_a_hosts_toml_is_taken_up_and_its_files_too(
    tmp_path: Path, authority: Authority, registry: Registry
) -> None:
    folder = mirrors(tmp_path / "mirrors", {"up.example": "", "_default": ""})
    (folder / "up.example" / "ca.crt").write_bytes(authority.ca.read_bytes())
    settings = {
        "mirrors": str(folder),
        "hosts": {registry.address: {"loopback": True}},
    }
    with served.webhook(tmp_path, registry=settings, policy={"mode": "warn"}) as one:
        assert UNAVAILABLE == await cause(one, "up.example/team/app:1")
        text = f'server = "https://{registry.address}"\nca = "ca.crt"\n'
        mirrors(folder, {"up.example": text})
        assert [["registry.mirrors"]] == applied(one, 1)
        assert NOT_FOUND == await cause(one, "up.example/team/app:1")
        mirrors(folder, {"up.example": 'capabilities = ["fly"]'})
        one.wait_for(lambda: one.lines("settings refused"))
        (line,) = one.lines("settings refused")[0]["faults"]
        assert f"{folder}/up.example/hosts.toml: server: capabilities" in line
        assert NOT_FOUND == await cause(one, "up.example/team/app:2")
        mirrors(folder, {"up.example": ""})
        assert [["registry.mirrors"]] * 2 == applied(one, 2)


def test_a_process_does_not_start_with_a_file_that_cannot_be_used(
    tmp_path: Path,
) -> None:
    gone = tmp_path / "gone.crt"
    hosts = {"r.example": {"caFile": str(gone)}}
    with served.webhook(tmp_path, registry={"hosts": hosts}) as one:
        assert 2 == one.ended()
        say = "registry.hosts.r.example.caFile"
        text = f"{say}: {gone}: cannot be read: No such file or directory"
        assert text in one.log.read_text()
