"""A certificate authority of the demo's own and one serving certificate."""

from __future__ import annotations

import datetime as dt
import ipaddress
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.certificates import authority
from app.certificates.pair import key_pem, pem_of

_DAY: Final = dt.timedelta(days=1)


def write_pair(folder: Path, *, names: tuple[str, ...] = ("localhost",)) -> Path:
    """Writes `ca.crt`, `tls.crt` and `tls.key` for loopback and `names`.

    Returns:
        The CA's certificate, for clients.
    """
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "imagecompat demo CA")])
    ca = (
        _builder(issuer, issuer, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(authority.usage(signs=True), critical=True)
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    leaf = (
        _builder(subject, issuer, key.public_key())
        .add_extension(
            x509.SubjectAlternativeName([*map(x509.DNSName, names), loopback]),
            critical=False,
        )
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
    )
    (folder / "ca.crt").write_bytes(pem_of(authority.signed(ca, ca_key)))
    (folder / "tls.crt").write_bytes(pem_of(authority.signed(leaf, ca_key)))
    path = folder / "tls.key"
    path.touch(mode=0o600)
    path.write_bytes(key_pem(key))
    return folder / "ca.crt"


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now, serial = dt.datetime.now(dt.UTC), x509.random_serial_number()
    return (
        authority.builder(subject, key, serial=serial, issuer=issuer)
        .not_valid_before(now - _DAY)
        .not_valid_after(now + _DAY)
    )
