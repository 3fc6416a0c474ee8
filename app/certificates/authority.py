"""Makes authorities and leaves, so that Go and Python's strict checks take them.

RFC 5280 asks for key identifiers on both, a critical `basicConstraints` and
`keyUsage` on the authority, and a positive serial number; clients ask for
`serverAuth` and the name among the subject's alternative names. Keys are ECDSA on
P-256, which every API server takes and which cost nothing to make.

Everything begins an hour before it is made: the verifier's clock may be behind.
A time in a certificate has whole seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.certificates.pair import UNREADABLE, Pair, key_pem, pem_of

BACKDATE: Final = timedelta(hours=1)
ORGANIZATION: Final = "imagecompat"
"""Marks authorities of ours, in a `caBundle` too."""

_NAME_CHARACTERS: Final = 64
"""Of a common name, RFC 5280 appendix A.1."""


@dataclass(frozen=True, slots=True)
class Chance:
    """Where keys and serial numbers come from."""

    key: Callable[[], ec.EllipticCurvePrivateKey] = lambda: ec.generate_private_key(
        ec.SECP256R1()
    )
    serial: Callable[[], int] = x509.random_serial_number


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that may sign, and its key, which is kept out of `repr`."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)


def make_authority(
    now: datetime, *, seconds: float, chance: Chance | None = None
) -> Authority:
    """A new authority, good for `seconds` from `now`; it signs leaves only."""
    chance = chance or Chance()
    key, serial = chance.key(), chance.serial()
    subject = _name(f"imagecompat authority {serial % (1 << 64):016x}")
    unsigned = (
        builder(subject, key.public_key(), serial=serial, issuer=subject)
        .not_valid_before(_whole(now) - BACKDATE)
        .not_valid_after(_whole(now) + timedelta(seconds=seconds))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(signs=True), critical=True)
    )
    return Authority(signed(unsigned, key), key)


def make_leaf(
    authority: Authority,
    names: Sequence[str],
    now: datetime,
    *,
    seconds: float,
    chance: Chance | None = None,
) -> Pair:
    """A new serving certificate for `names`, no longer good than its authority."""
    chance = chance or Chance()
    key, serial, issuer = chance.key(), chance.serial(), authority.certificate
    ends = min(_whole(now) + timedelta(seconds=seconds), issuer.not_valid_after_utc)
    alternatives = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
    serving = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    subject = _name(names[0])
    unsigned = (
        builder(subject, key.public_key(), serial=serial, issuer=issuer.subject)
        .not_valid_before(_whole(now) - BACKDATE)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(signs=False), critical=True)
        .add_extension(serving, critical=False)
        .add_extension(alternatives, critical=False)
    )
    leaf = signed(unsigned, authority.key)
    return Pair(leaf, pem_of(leaf), key_pem(key))


def is_ours(certificate: x509.Certificate) -> bool:
    """Whether this is an authority that a process like this one made."""
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except (x509.ExtensionNotFound, *UNREADABLE):
        return False
    organizations = certificate.subject.get_attributes_for_oid(
        NameOID.ORGANIZATION_NAME
    )
    return basic.value.ca and [one.value for one in organizations] == [ORGANIZATION]


def _whole(now: datetime) -> datetime:
    return now.replace(microsecond=0)


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common[:_NAME_CHARACTERS]),
        ]
    )


def builder(
    subject: x509.Name,
    key: ec.EllipticCurvePublicKey,
    *,
    serial: int,
    issuer: x509.Name,
) -> x509.CertificateBuilder:
    """What every certificate here has; its life and its purpose are still missing."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(serial)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def signed(
    unsigned: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    """The certificate, with its authority's key identifier."""
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    return unsigned.add_extension(issuer, critical=False).sign(key, hashes.SHA256())


def usage(*, signs: bool) -> x509.KeyUsage:
    """What the key is for: signing certificates, or handshakes."""
    return x509.KeyUsage(
        key_cert_sign=signs,
        crl_sign=signs,
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
