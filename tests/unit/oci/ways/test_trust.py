"""TLS contexts: what they are made of, and what is told of broken material."""

import asyncio
import ssl
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.oci.failure import LookupFailedError
from app.oci.limits import Limits
from app.oci.registry.guard import RegistryPolicy
from app.oci.registry.transport import AiohttpTransport, Request
from app.oci.ways import trust
from app.oci.ways.trust import (
    SYSTEM,
    Material,
    Pair,
    Trust,
    UnusableMaterialError,
    context,
)
from tests.tools.authority import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def pair(authority: Authority) -> Pair:
    return Pair(authority.certificate.read_bytes(), authority.key.read_bytes())


def test_every_context_asks_for_a_certificate_of_the_name(authority: Authority) -> None:
    for one in (SYSTEM, Material((authority.ca.read_bytes(),), (pair(authority),))):
        made = context(one)
        assert made.check_hostname
        assert ssl.CERT_REQUIRED == made.verify_mode
        assert ssl.TLSVersion.TLSv1_2 == made.minimum_version


def test_only_skip_verify_takes_anybody() -> None:
    made = context(Material(skip_verify=True))
    assert (False, ssl.CERT_NONE) == (made.check_hostname, made.verify_mode)
    assert ssl.TLSVersion.TLSv1_2 == made.minimum_version


def test_authorities_are_trusted_besides_the_system_s(authority: Authority) -> None:
    before = context(SYSTEM).cert_store_stats()["x509"]
    bundle = b"text before\n" + authority.ca.read_bytes()
    assert before + 1 == context(Material((bundle,))).cert_store_stats()["x509"]


def test_the_environment_s_key_log_is_not_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    assert context(SYSTEM).keylog_filename is None


@pytest.mark.parametrize(
    ("bundle", "say"),
    [
        pytest.param(b"", "expected certificates in PEM", id="empty"),
        pytest.param(b"canary", "expected certificates in PEM", id="text"),
        pytest.param(
            b"-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n",
            "a certificate in it is broken",
            id="broken",
        ),
        pytest.param(
            b"-----BEGIN CERTIFICATE-----\n\xff\n-----END CERTIFICATE-----\n",
            "a certificate in it is broken",
            id="no-ascii",
        ),
    ],
)
def test_a_broken_bundle_is_told_without_its_content(bundle: bytes, say: str) -> None:
    with pytest.raises(UnusableMaterialError, match=say) as caught:
        context(Material((bundle,)))
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_bundle_with_one_broken_certificate_is_broken(authority: Authority) -> None:
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    with pytest.raises(UnusableMaterialError, match="is broken"):
        trust.require_authorities(authority.ca.read_bytes() + broken)


def test_a_key_without_its_certificate_is_refused(authority: Authority) -> None:
    other = authority.account_key.read_bytes()
    with pytest.raises(UnusableMaterialError, match="another certificate's"):
        trust.require_pair(Pair(authority.certificate.read_bytes(), other))


def encrypted() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"canary"),
    )


@pytest.mark.parametrize("key", [b"", b"canary", encrypted()], ids=["no", "text", "pw"])
def test_a_key_that_cannot_be_read_asks_nobody(
    authority: Authority, key: bytes
) -> None:
    with pytest.raises(UnusableMaterialError, match="key without password") as caught:
        trust.require_pair(Pair(authority.certificate.read_bytes(), key))
    assert "canary" not in str(caught.value)


def test_certificate_and_key_may_be_one_file(authority: Authority) -> None:
    both = authority.certificate.read_bytes() + authority.key.read_bytes()
    trust.require_pair(Pair(both, both))


def test_material_is_never_shown() -> None:
    assert "canary" not in repr(Material((b"canary",), (Pair(b"canary", b"canary"),)))


# By host -----------------------------------------------------------------------------


async def test_each_host_has_the_context_of_its_material(authority: Authority) -> None:
    own = Material((authority.ca.read_bytes(),))
    found = Trust(
        {"r.example": own, "r.example:5000": Material(pairs=(pair(authority),))}
    )
    whole, port = (
        await found.context("r.example", 443),
        await found.context("r.example", 5000),
    )
    other = await found.context("q.example", 443)
    assert 3 == len({whole, port, other})
    assert other is await found.context("r.example", 8443)
    assert other is await found.context("p.example", 443)


async def test_hosts_of_the_same_material_share_a_context(
    authority: Authority,
) -> None:
    bundle = authority.ca.read_bytes()
    found = Trust({"a.example": Material((bundle,)), "b.example": Material((bundle,))})
    assert await found.context("a.example", 443) is await found.context(
        "b.example", 443
    )


async def test_an_address_is_listed_in_brackets() -> None:
    found = Trust({"[fd00::1]:5000": Material(skip_verify=True)})
    assert not (await found.context("fd00::1", 5000)).check_hostname
    assert (await found.context("fd00::1", 443)).check_hostname


async def test_a_way_s_own_material_wins() -> None:
    found = Trust({"r.example": Material(skip_verify=True)})
    assert (await found.context("r.example", 443, SYSTEM)).check_hostname


async def test_contexts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "MAX_CONTEXTS", 2)
    monkeypatch.setattr(trust, "context", lambda one: (one,))
    found = Trust()
    kept = [Material(pairs=(Pair(b"%d" % number, b""),)) for number in range(3)]
    made = [await found.context("r.example", 443, one) for one in kept]
    assert 2 == len(found._made)
    assert made[2] is await found.context("r.example", 443, kept[2])
    assert made[0] is not await found.context("r.example", 443, kept[0])


async def test_those_who_wait_for_one_context_share_its_making(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads = []

    def make(_: Material) -> object:
        threads.append(threading.current_thread())
        return object()

    monkeypatch.setattr(trust, "context", make)
    found = Trust()
    made = await asyncio.gather(*(found.context("r.example", 443) for _ in range(9)))
    assert 1 == len(set(made)) == len(threads)
    assert threading.main_thread() not in threads


async def test_broken_material_is_told_to_who_connects() -> None:
    found = Trust({"r.example": Material((b"",))})
    sender = AiohttpTransport(RegistryPolicy(), Limits(), found)
    with pytest.raises(LookupFailedError) as caught:
        await sender.send(Request("GET", "https://r.example/", seconds=1.0))
    assert "TlsError" == caught.value.reason
