"""The certificates and keys of one test cluster."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Authority:
    """The certificates and keys of one cluster, in files of a folder."""

    def __init__(self, folder: Path, name: str = "test authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.ca: Final = folder / "ca.crt"
        self.certificate: Final = folder / "server.crt"
        self.key: Final = folder / "server.key"
        self.account_key: Final = folder / "accounts.key"
        key = ec.generate_private_key(ec.SECP256R1())
        authority = _certificate(name, key, None)
        self.ca.write_bytes(_pem(authority))
        server_key = ec.generate_private_key(ec.SECP256R1())
        server = _certificate("127.0.0.1", server_key, (authority, key))
        self.certificate.write_bytes(_pem(server))
        self.key.write_bytes(_key_pem(server_key))
        self.account_key.write_bytes(_key_pem(ec.generate_private_key(ec.SECP256R1())))
        self._folder: Final = folder
        self._issuer: Final = (authority, key)

    def issue(self, *names: str) -> tuple[Path, Path]:
        """A certificate for other names and its key, in files of the folder."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _certificate(names[0], key, self._issuer, names)
        certificate = self._folder / f"{names[0]}.crt"
        certificate.write_bytes(_pem(made))
        certificate.with_suffix(".key").write_bytes(_key_pem(key))
        return certificate, certificate.with_suffix(".key")


_Issuer = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: _Issuer | None,
    names: Sequence[str] = ("localhost",),
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), True)
    )
    if issuer:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        own = [address] if "localhost" in names else []
        listed = x509.SubjectAlternativeName([*own, *map(x509.DNSName, names)])
        builder = builder.add_extension(listed, critical=False)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
