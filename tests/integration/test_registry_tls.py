"""Authorities and client certificates of registries, over real sockets."""

import asyncio
import logging
import ssl
from pathlib import Path

import pytest

from app.demo import faults
from tests.tools.authority import Authority
from tests.tools.ways import HERE, filled, mirrors, reading, server_context

pytestmark = pytest.mark.integration

OPEN = {"loopback": True}


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


async def test_a_registry_is_trusted_by_an_authority_of_its_own(
    authority: Authority,
) -> None:
    registry = filled()
    async with registry.serving(tls=server_context(authority)):
        image = f"{registry.address}/team/app:1"
        hosts = {registry.address: {**OPEN, "caFile": authority.ca}}
        async with reading(hosts=hosts) as reader:
            assert "spec" == await reader.word(image)
        async with reading(hosts={registry.address: OPEN}) as reader:
            assert "Unavailable UntrustedCertificate" == await reader.word(image)


async def test_an_authority_is_trusted_for_its_host_and_no_other(
    authority: Authority,
) -> None:
    one, two = filled(), filled()
    tls = server_context(authority)
    async with one.serving(tls=tls), two.serving(tls=tls):
        hosts = {one.address: {**OPEN, "caFile": authority.ca}, two.address: OPEN}
        async with reading(hosts=hosts) as reader:
            assert "spec" == await reader.word(f"{one.address}/team/app:1")
            other = await reader.word(f"{two.address}/team/app:1")
            assert "Unavailable UntrustedCertificate" == other
        one.faults["blob"] = faults.redirect(f"https://{two.address}{{path}}")
        async with reading(hosts=hosts) as reader:
            word = await reader.word(f"{one.address}/team/app:1")
            assert "Unavailable UntrustedCertificate" == word
    assert [] == two.log


async def test_an_authority_is_trusted_besides_the_system_s(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the system trusts is OpenSSL's business, `SSL_CERT_FILE` included."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
    other = Authority(tmp_path / "other", "another authority")
    registry = filled()
    async with registry.serving(tls=server_context(authority)):
        hosts = {registry.address: {**OPEN, "caFile": other.ca}}
        async with reading(hosts=hosts) as reader:
            assert "spec" == await reader.word(f"{registry.address}/team/app:1")


async def test_a_certificate_is_for_a_name(authority: Authority) -> None:
    registry = filled()
    tls = server_context(authority, "other.example")
    async with registry.serving(tls=tls):
        hosts = {registry.address: {**OPEN, "caFile": authority.ca}}
        async with reading(hosts=hosts) as reader:
            word = await reader.word(f"{registry.address}/team/app:1")
            assert "Unavailable UntrustedCertificate" == word


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
async def test_tls_1_1_is_not_spoken(authority: Authority) -> None:
    registry = filled()
    tls, old = server_context(authority), ssl.create_default_context()
    old.load_verify_locations(authority.ca)
    for one in (tls, old):
        one.set_ciphers("ALL:@SECLEVEL=0")
        one.minimum_version = ssl.TLSVersion.TLSv1
        one.maximum_version = ssl.TLSVersion.TLSv1_1
    async with registry.serving(tls=tls):
        host, _, port = registry.address.partition(":")
        _, writer = await asyncio.open_connection(host, int(port), ssl=old)
        writer.close()  # others can
        await writer.wait_closed()
        hosts = {registry.address: {**OPEN, "caFile": authority.ca}}
        async with reading(hosts=hosts) as reader:
            word = await reader.word(f"{registry.address}/team/app:1")
            assert word in {"Unavailable TlsError", "Unavailable CannotConnect"}
    assert [] == registry.log


async def test_a_registry_that_wants_a_client_certificate_gets_its_own(
    authority: Authority, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    registry = filled()
    async with registry.serving(tls=server_context(authority, is_mutual=True)):
        image = f"{registry.address}/team/app:1"
        ca = {**OPEN, "caFile": authority.ca}
        certificate, key = authority.issue("client.example")
        pair = {"clientCertificate": certificate, "clientKey": key}
        async with reading(hosts={registry.address: {**ca, **pair}}) as reader:
            assert "spec" == await reader.word(image)
        certificate, key = Authority(tmp_path / "other").issue("client.example")
        pair = {"clientCertificate": certificate, "clientKey": key}
        for wrong in ({}, pair):
            async with reading(hosts={registry.address: {**ca, **wrong}}) as reader:
                assert (await reader.word(image)).startswith("Unavailable ")
    assert "PRIVATE KEY" not in caplog.text


async def test_a_client_certificate_is_shown_to_nobody_else(
    authority: Authority,
) -> None:
    """Two registries that want one; only the first is listed with it."""
    one, two = filled(), filled()
    tls = server_context(authority, is_mutual=True)
    certificate, key = authority.issue("client.example")
    async with one.serving(tls=tls), two.serving(tls=tls):
        ca = {**OPEN, "caFile": authority.ca}
        pair = {"clientCertificate": certificate, "clientKey": key}
        hosts = {one.address: {**ca, **pair}, two.address: ca}
        async with reading(hosts=hosts) as reader:
            assert "spec" == await reader.word(f"{one.address}/team/app:1")
            word = await reader.word(f"{two.address}/team/app:1")
            assert word.startswith("Unavailable ")
    assert [] == two.log


async def test_connections_of_other_material_are_not_used(
    authority: Authority, tmp_path: Path
) -> None:
    """One mirror for two registries: whom one of them trusts, the other does not."""
    mirror, one, two = filled(), filled(), filled()
    async with (
        mirror.serving(tls=server_context(authority)),
        one.serving(),
        two.serving(),
    ):
        url = f'[host."https://{mirror.address}"]\n'
        folder = mirrors(
            tmp_path / "mirrors",
            {one.address: url + "skip_verify = true", two.address: url},
        )
        hosts = {one.address: HERE, two.address: HERE, mirror.address: OPEN}
        async with reading(hosts=hosts, mirrors=folder) as reader:
            assert "spec" == await reader.word(f"{one.address}/team/app:1")
            asked = len(mirror.log)
            assert "spec" == await reader.word(f"{two.address}/team/app:1")
    assert 0 < asked == len(mirror.log)
    assert [] == one.log
    assert two.log
