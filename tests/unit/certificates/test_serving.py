"""Each handshake gets the newest pair, and no key reaches a disk."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from app.certificates.pair import Pair, Unusable, key_pem, pem_of
from app.certificates.serving import Serving, context_of
from tests.tools.certifying import NAMES, NOW, careless, handshake, leaf

OLD = leaf()
NEW = leaf()


def der(pair: Pair) -> bytes:
    return pair.leaf.public_bytes(Encoding.DER)


@pytest.mark.parametrize("name", [NAMES[0], None], ids=["with SNI", "without"])
@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_a_handshake_gets_the_newest_pair(version: str, name: str | None) -> None:
    """OpenSSL asks for the context even where the client names no server."""
    client = careless()
    client.minimum_version = client.maximum_version = ssl.TLSVersion[version]
    serving = Serving()
    assert serving.take(OLD) is None
    assert der(OLD) == handshake(serving.context, client, name)
    assert serving.take(NEW) is None
    assert der(NEW) == handshake(serving.context, client, name)


def test_the_listeners_context_stays_the_same() -> None:
    serving = Serving()
    before = serving.context
    serving.take(OLD)
    assert before is serving.context


def test_before_there_is_a_pair_a_handshake_ends_with_an_alert() -> None:
    with pytest.raises(ssl.SSLError):
        handshake(Serving().context, careless())


async def test_it_is_available_once_there_is_a_pair() -> None:
    serving = Serving()
    waiting = asyncio.create_task(serving.available())
    await asyncio.sleep(0)
    assert not waiting.done()
    serving.take(OLD)
    await waiting
    await serving.available()


def weak() -> Pair:
    """A pair that belongs together, but whose key is below what OpenSSL takes."""
    key = rsa.generate_private_key(65537, 1024)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "weak")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(NOW)
        .not_valid_after(OLD.not_after)
        .sign(key, hashes.SHA256())
    )
    return Pair(made, pem_of(made), key_pem(key))


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(Pair(OLD.leaf, OLD.chain, NEW.key), id="another key"),
        pytest.param(weak(), id="a key that is too short"),
    ],
)
def test_a_pair_that_tls_refuses_changes_nothing(broken: Pair) -> None:
    serving = Serving()
    serving.take(OLD)
    refused = serving.take(broken)
    assert isinstance(refused, Unusable)
    assert "Refused" == refused.reason
    assert OLD == serving.pair
    assert der(OLD) == handshake(serving.context, careless())


def test_no_key_stays_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written where files go by default, and no descriptor stays open."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    assert isinstance(context_of(OLD), ssl.SSLContext)
    assert isinstance(context_of(Pair(OLD.leaf, OLD.chain, NEW.key)), Unusable)
    assert before == len(list(Path("/proc/self/fd").iterdir()))
    assert [] == list(tmp_path.iterdir())


def test_no_session_outlives_its_certificate() -> None:
    serving = Serving()
    serving.take(OLD)
    assert serving.context.options & ssl.OP_NO_TICKET
    assert 0 == serving.context.num_tickets
