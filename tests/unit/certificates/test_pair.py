"""What is a usable pair, and what is told of one that is not."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa, x25519

from app.certificates.pair import (
    MAX_CHAIN,
    Pair,
    Unusable,
    key_pem,
    names_of,
    pem_of,
    read,
)
from tests.tools.certifying import NAMES, NOW, authority, leaf

ROOT = authority()
GOOD = leaf(ROOT)
OTHER = leaf(ROOT)


def reason(chain: bytes, key: bytes) -> str:
    found = read(chain, key, now=NOW)
    assert isinstance(found, Unusable)
    return found.reason


def encrypted(key: bytes) -> bytes:
    loaded = serialization.load_pem_private_key(key, password=None)
    return loaded.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )


def test_a_pair_is_read_with_its_chain() -> None:
    chain = GOOD.chain + pem_of(ROOT.certificate)
    assert Pair(GOOD.leaf, chain, GOOD.key) == read(chain, GOOD.key, now=NOW)


def test_what_else_stands_in_the_texts_is_left_out() -> None:
    """A foreign key before the certificates would else be the one that TLS takes."""
    chain = OTHER.key + b"a comment\n" + GOOD.chain
    assert GOOD == read(chain, OTHER.chain + GOOD.key, now=NOW)


@pytest.mark.parametrize(
    ("expected", "chain", "key"),
    [
        pytest.param("Certificate", b"", GOOD.key, id="no certificate"),
        pytest.param("Certificate", GOOD.chain[:200], GOOD.key, id="half a one"),
        pytest.param(
            "Certificate", GOOD.chain * (MAX_CHAIN + 1), GOOD.key, id="too many"
        ),
        pytest.param("Certificate", b"\xff\x00", GOOD.key, id="no text"),
        pytest.param("Key", GOOD.chain, b"", id="no key"),
        pytest.param("Key", GOOD.chain, GOOD.key[:60], id="half a key"),
        pytest.param("Encrypted", GOOD.chain, encrypted(GOOD.key), id="encrypted"),
        pytest.param("Mismatch", GOOD.chain, OTHER.key, id="another key"),
        pytest.param(
            "Mismatch",
            GOOD.chain,
            key_pem(x25519.X25519PrivateKey.generate()),
            id="a key of another kind",
        ),
    ],
)
def test_what_is_unusable_has_a_reason(expected: str, chain: bytes, key: bytes) -> None:
    assert expected == reason(chain, key)


@pytest.mark.parametrize(("seconds", "is_good"), [(-1, True), (0, False)])
def test_a_certificate_that_has_ended_is_unusable(seconds: int, is_good: bool) -> None:
    now = GOOD.not_after + timedelta(seconds=seconds)
    assert is_good == isinstance(read(GOOD.chain, GOOD.key, now=now), Pair)


def test_a_certificate_without_names_has_none() -> None:
    assert () == names_of(ROOT.certificate)


def test_a_pair_tells_its_names_times_and_fingerprint() -> None:
    assert NAMES == GOOD.names
    assert NOW + timedelta(days=90) == GOOD.not_after
    assert NOW - timedelta(hours=1) == GOOD.not_before
    assert re.fullmatch("[0-9a-f]{64}", GOOD.fingerprint)


@pytest.mark.parametrize(
    "make",
    [
        lambda: rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate,
    ],
)
def test_no_key_is_quoted(make: object) -> None:
    """Whatever was read, and however broken: no line of it is in any text."""
    assert callable(make)
    key = key_pem(make())
    secret = [line for line in key.splitlines() if b"-" not in line]
    for chain, wrong in ((GOOD.chain, key), (key, key), (key, GOOD.key[:-40] + key)):
        found = read(chain, wrong, now=NOW)
        assert isinstance(found, Unusable)
        assert not [one for one in secret if one.decode() in repr(found)]
    assert not [one for one in GOOD.key.splitlines() if one.decode() in repr(GOOD)]
