"""What half a Secret is worth."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from app.certificates.authority import Authority, Chance, make_authority
from app.certificates.holding import (
    MAX_AUTHORITIES,
    Configuration,
    Holding,
    in_order,
    issuer_of,
    published,
    read,
    write,
)
from app.certificates.pair import key_pem, pem_of
from app.demo import certificates as demo
from tests.tools.certifying import NAMES, NOW, authority, leaf

OLD, NEW = authority(NOW - timedelta(days=1)), authority(NOW)
LEAF = leaf(OLD)
WHOLE = Holding((OLD.certificate, NEW.certificate), NEW, LEAF)
DATA = write(WHOLE)


def held(**changes: bytes) -> Holding:
    data = {**DATA, **{key.replace("_", "."): one for key, one in changes.items()}}
    return read(data, name=NAMES[0], now=NOW)


def parts(found: Holding) -> tuple[int, bool, bool]:
    """How many authorities, whether one may sign, whether there is a leaf."""
    return len(found.bundle), found.authority is not None, found.leaf is not None


def test_what_is_written_is_read() -> None:
    found = held()
    assert (WHOLE.bundle, WHOLE.leaf, ()) == (found.bundle, found.leaf, found.flaws)
    assert found.authority is not None
    assert key_pem(NEW.key) == key_pem(found.authority.key)
    assert OLD.certificate == found.issuer


def test_an_empty_secret_has_no_flaws() -> None:
    assert Holding() == read({}, name=NAMES[0], now=NOW)
    assert dict.fromkeys(DATA, b"") == write(Holding())
    assert Holding() == read(write(Holding()), name=NAMES[0], now=NOW)
    assert Holding().issuer is None


@pytest.mark.parametrize(
    ("expected", "flaw", "changes"),
    [
        pytest.param(
            (0, False, False), "ca.crt: no PEM", {"ca_crt": b"x"}, id="bundle"
        ),
        pytest.param((2, False, True), "ca.key: missing", {"ca_key": b""}, id="no key"),
        pytest.param((2, False, True), "ca.key: no PEM", {"ca_key": b"x"}, id="key"),
        pytest.param(
            (2, False, True),
            "ca.key: not the newest",
            {"ca_key": key_pem(OLD.key)},
            id="the older one's key",
        ),
        pytest.param((2, True, False), "tls.crt: no PEM", {"tls_crt": b"x"}, id="leaf"),
        pytest.param(
            (2, True, False), "does not belong", {"tls_key": DATA["ca.key"]}, id="pair"
        ),
        pytest.param(
            (1, True, False),
            "tls.crt: of none",
            {"ca_crt": pem_of(NEW.certificate)},
            id="leaf of another authority",
        ),
        pytest.param(
            (2, True, True),
            "ca.crt: more than",
            {"ca_crt": LEAF.chain + DATA["ca.crt"]},
            id="a foreign certificate",
        ),
    ],
)
def test_what_cannot_be_used_is_missing(
    expected: tuple[int, bool, bool], flaw: str, changes: dict[str, bytes]
) -> None:
    found = held(**changes)
    assert expected == parts(found)
    assert any(flaw in one for one in found.flaws)


def test_a_key_of_another_kind_is_no_key_of_ours() -> None:
    key = key_pem(ed25519.Ed25519PrivateKey.generate())
    assert ("ca.key: no key of ours",) == held(ca_key=key).flaws


def test_a_leaf_for_another_name_is_no_leaf() -> None:
    found = read(DATA, name="other.svc", now=NOW)
    assert ("tls.crt: not for other.svc",) == found.flaws
    assert (2, True, False) == parts(found)


def test_a_leaf_that_has_ended_is_no_leaf() -> None:
    found = read(DATA, name=NAMES[0], now=NOW + timedelta(days=90))
    assert (2, True, False) == parts(found)


def test_a_bundle_is_bounded_to_its_newest() -> None:
    many = [authority() for _ in range(MAX_AUTHORITIES + 2)]
    found = held(
        ca_crt=pem_of(*(one.certificate for one in many)), ca_key=key_pem(many[-1].key)
    )
    assert tuple(one.certificate for one in many[2:]) == found.bundle
    assert found.authority is not None


def test_a_leaf_is_of_the_authority_whose_signature_it_bears() -> None:
    """A name can be anybody's."""
    same = Authority(
        make_authority(
            NOW,
            seconds=60,
            chance=Chance(serial=lambda: OLD.certificate.serial_number),
        ).certificate,
        NEW.key,
    )
    assert same.certificate.subject == OLD.certificate.subject
    assert issuer_of(LEAF.leaf, [same.certificate]) is None
    assert OLD.certificate == issuer_of(
        LEAF.leaf, [same.certificate, NEW.certificate, OLD.certificate]
    )


def test_a_configuration_trusts_what_all_its_webhooks_trust() -> None:
    both, one = pem_of(OLD.certificate, NEW.certificate), pem_of(NEW.certificate)
    found = published("7", [both, one])
    assert (False, True) == (
        found.trusts(OLD.certificate),
        found.trusts(NEW.certificate),
    )
    assert {OLD.certificate, NEW.certificate} == found.ours()
    assert "7" == found.version


@pytest.mark.parametrize(
    "bundle", [pytest.param(b"", id="none"), pytest.param(b"rubbish", id="rubbish")]
)
def test_a_webhook_without_a_bundle_trusts_nobody(bundle: bytes) -> None:
    found = published("7", [pem_of(OLD.certificate), bundle])
    assert not found.trusts(OLD.certificate)
    assert {OLD.certificate} == found.ours()


def test_without_webhooks_nobody_has_to_trust() -> None:
    assert Configuration("7", ()).trusts(OLD.certificate)


def test_foreign_authorities_in_a_bundle_are_not_ours(tmp_path: Path) -> None:
    demo.write_pair(tmp_path)
    foreign = (tmp_path / "ca.crt").read_bytes()
    assert frozenset() == published("7", [foreign]).ours()


def test_bundles_are_written_oldest_first() -> None:
    assert (OLD.certificate, NEW.certificate) == in_order(
        [NEW.certificate, OLD.certificate, NEW.certificate]
    )
