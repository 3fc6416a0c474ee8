"""A certificate with its key, read and checked.

A pair is *usable* if the chain and the key can be read, the key is the leaf's and
not encrypted, and the leaf has not ended. What is not usable is a value that says
why, and never quotes what it read: that may be a key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

MAX_CHAIN: Final = 10

UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises for bytes that are no certificate or key."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a pair is not taken.

    Attributes:
        reason: a stable CamelCase word.
        text: for a person; quotes nothing of the pair.
    """

    reason: str
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Pair:
    """A serving certificate with its chain and key.

    Attributes:
        leaf: the first certificate.
        chain: PEM, the leaf first.
        key: PEM; kept out of `repr`.
    """

    leaf: x509.Certificate
    chain: bytes = field(repr=False)
    key: bytes = field(repr=False)

    @property
    def not_before(self) -> datetime:
        """From when it is good."""
        return self.leaf.not_valid_before_utc

    @property
    def not_after(self) -> datetime:
        """Until when it is good."""
        return self.leaf.not_valid_after_utc

    @property
    def names(self) -> tuple[str, ...]:
        """The DNS names and addresses that it is for."""
        return names_of(self.leaf)

    @property
    def fingerprint(self) -> str:
        """Of the leaf."""
        return fingerprint(self.leaf)


def read(chain: bytes, key: bytes, *, now: datetime) -> Pair | Unusable:
    """The pair in two PEM texts, or why it is unusable at `now`.

    What else stands in the texts is left out.
    """
    certificates = _certificates(chain)
    if isinstance(certificates, Unusable):
        return certificates
    private = _private(key)
    if isinstance(private, Unusable):
        return private
    leaf = certificates[0]
    if _public_bytes(private) != _public_bytes(leaf):
        return Unusable("Mismatch", "the key does not belong to the certificate")
    if leaf.not_valid_after_utc <= now:
        ended = leaf.not_valid_after_utc.isoformat()
        return Unusable("Expired", f"the certificate ended at {ended}")
    return Pair(leaf, pem_of(*certificates), key_pem(private))


def _certificates(chain: bytes) -> list[x509.Certificate] | Unusable:
    try:
        found = x509.load_pem_x509_certificates(chain)
        names_of(found[0])
        found[0].public_key()
    except UNREADABLE:
        return Unusable("Certificate", "no PEM certificate that can be read")
    if len(found) > MAX_CHAIN:
        return Unusable("Certificate", f"more than {MAX_CHAIN} certificates")
    return found


def _private(key: bytes) -> PrivateKeyTypes | Unusable:
    try:
        return serialization.load_pem_private_key(key, password=None)
    except TypeError:
        return Unusable("Encrypted", "the key is encrypted")
    except UNREADABLE:
        return Unusable("Key", "no PEM key that can be read")


def _public_bytes(owner: x509.Certificate | PrivateKeyTypes) -> bytes:
    return owner.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def pem_of(*certificates: x509.Certificate) -> bytes:
    """Their PEM, one behind the other."""
    pem = serialization.Encoding.PEM
    return b"".join(one.public_bytes(pem) for one in certificates)


def key_pem(key: PrivateKeyTypes) -> bytes:
    """Its PEM, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """Its subject alternative names: DNS names, then addresses.

    Raises:
        one of `UNREADABLE`: they cannot be read.
    """
    try:
        found = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
    except x509.ExtensionNotFound:
        return ()
    addresses = found.get_values_for_type(x509.IPAddress)
    return (*found.get_values_for_type(x509.DNSName), *map(str, addresses))


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of its bytes, in hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()
