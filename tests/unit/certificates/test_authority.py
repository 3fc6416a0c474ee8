"""What is made is what verifiers ask for."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from app.certificates.authority import (
    BACKDATE,
    Authority,
    Chance,
    is_ours,
    make_authority,
    make_leaf,
)
from app.certificates.pair import Pair
from app.certificates.serving import Serving
from app.demo import certificates as demo
from tests.tools.certifying import NAMES, NOW, authority, client, handshake, leaf


@pytest.fixture
def root() -> Authority:
    """An authority that is good today: TLS looks at the real clock."""
    return authority(datetime.now(UTC))


def shown(pair: Pair, by: ssl.SSLContext, name: str) -> bytes:
    serving = Serving()
    assert serving.take(pair) is None
    return handshake(serving.context, by, name)


@pytest.mark.parametrize("name", NAMES)
def test_strict_verification_takes_a_leaf(root: Authority, name: str) -> None:
    made = leaf(root, datetime.now(UTC))
    assert made.leaf.public_bytes(Encoding.DER) == shown(made, client(root), name)


def test_a_leaf_is_for_no_other_name(root: Authority) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shown(leaf(root, datetime.now(UTC)), client(root), "other.imagecompat.svc")


def test_a_leaf_of_another_authority_is_not_trusted(root: Authority) -> None:
    now = datetime.now(UTC)
    with pytest.raises(ssl.SSLCertVerificationError):
        shown(leaf(root, now), client(authority(now)), NAMES[0])


def test_old_and_new_authority_are_trusted_side_by_side(root: Authority) -> None:
    """They share no name, so no verifier takes one for the other."""
    now = datetime.now(UTC)
    newer = authority(now)
    assert root.certificate.subject != newer.certificate.subject
    for one in (root, newer):
        assert shown(leaf(one, now), client(root, newer), NAMES[0])


def test_an_authority_signs_leaves_only() -> None:
    extensions = authority().certificate.extensions
    basic = extensions.get_extension_for_class(x509.BasicConstraints)
    usage = extensions.get_extension_for_class(x509.KeyUsage)
    assert (True, True, 0) == (basic.critical, basic.value.ca, basic.value.path_length)
    assert (True, True, False) == (
        usage.critical,
        usage.value.key_cert_sign,
        usage.value.digital_signature,
    )


def test_a_leaf_signs_nothing() -> None:
    extensions = leaf().leaf.extensions
    assert not extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


def test_a_life_begins_an_hour_early_and_has_whole_seconds() -> None:
    now = NOW + timedelta(microseconds=999_999)
    made = make_authority(now, seconds=60).certificate
    assert NOW - BACKDATE == made.not_valid_before_utc
    assert NOW + timedelta(seconds=60) == made.not_valid_after_utc


def test_a_leaf_ends_with_its_authority_at_the_latest() -> None:
    made = leaf(authority(days=10), days=90)
    assert NOW + timedelta(days=10) == made.not_after


def test_keys_and_serial_numbers_come_from_the_caller() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    chance = Chance(key=lambda: key, serial=lambda: 7)
    made = make_authority(NOW, seconds=60, chance=chance)
    below = make_leaf(made, NAMES, NOW, seconds=60, chance=chance)
    assert (7, 7) == (made.certificate.serial_number, below.leaf.serial_number)
    assert key.public_key() == made.certificate.public_key()


def test_a_long_service_name_is_cut_in_the_subject_only() -> None:
    long = f"{'s' * 63}.{'n' * 63}.svc"
    made = leaf(names=(long,))
    assert (long,) == made.names


def test_the_key_is_in_no_repr() -> None:
    made = authority()
    assert "key" not in repr(made)
    assert "PRIVATE" not in repr(leaf(made))


def test_a_certificate_that_says_nothing_of_authorities_is_not_ours() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = authority().certificate.subject
    plain = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    assert not is_ours(plain)


def test_only_authorities_that_we_made_are_ours(tmp_path: Path) -> None:
    demo.write_pair(tmp_path)
    other = x509.load_pem_x509_certificate((tmp_path / "ca.crt").read_bytes())
    assert [True, False, False] == [
        is_ours(one) for one in (authority().certificate, other, leaf().leaf)
    ]
