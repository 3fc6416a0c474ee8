"""What the Secret holds and what the configurations publish, as values.

The Secret has four keys: `ca.crt`, the authorities that clients shall trust,
newest last; `ca.key`, the newest one's key; `tls.crt` and `tls.key`, the leaf.
Whatever of them cannot be used counts as missing and is named among the flaws, so
that half a Secret is still worth its half.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.certificates import pair as pairs
from app.certificates.authority import Authority, is_ours
from app.certificates.pair import UNREADABLE, Pair, Unusable, key_pem, pem_of

CA_CERTIFICATE: Final = "ca.crt"
CA_KEY: Final = "ca.key"
CERTIFICATE: Final = "tls.crt"
KEY: Final = "tls.key"

MAX_AUTHORITIES: Final = 8
"""In a bundle; two are the rule, more only where the Secret was lost repeatedly."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What the Secret holds, as far as it can be used.

    Attributes:
        bundle: authorities of ours, newest last.
        authority: the last of them, if its key is there.
        leaf: the serving pair, if one of them has signed it.
        flaws: what could not be used, for a person; empty for an empty Secret.
    """

    bundle: tuple[x509.Certificate, ...] = ()
    authority: Authority | None = None
    leaf: Pair | None = None
    flaws: tuple[str, ...] = ()

    @property
    def issuer(self) -> x509.Certificate | None:
        """The authority that signed the leaf."""
        if self.leaf is None:
            return None
        return issuer_of(self.leaf.leaf, self.bundle)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What one webhook configuration publishes.

    Attributes:
        version: its resourceVersion.
        bundles: for each webhook, in order, the certificates of its `caBundle`;
            `None` for one that cannot be read.
    """

    version: str
    bundles: tuple[frozenset[x509.Certificate] | None, ...]

    def trusts(self, authority: x509.Certificate | None) -> bool:
        """Whether every webhook's clients trust `authority`."""
        return all(one is not None and authority in one for one in self.bundles)

    def ours(self) -> frozenset[x509.Certificate]:
        """The authorities of ours in any of the bundles."""
        found = frozenset[x509.Certificate]().union(*(b for b in self.bundles if b))
        return frozenset(one for one in found if is_ours(one))


def read(data: Mapping[str, bytes], *, name: str, now: datetime) -> Holding:
    """What the Secret's data amounts to for the server called `name`."""
    flaws: list[str] = []
    bundle = _bundle(data, flaws)
    authority = _authority(data, bundle, flaws)
    leaf = _leaf(data, bundle, flaws, name=name, now=now)
    return Holding(bundle, authority, leaf, tuple(flaws))


def write(holding: Holding) -> dict[str, bytes]:
    """The Secret's data; a part that is missing becomes empty."""
    authority, leaf = holding.authority, holding.leaf
    return {
        CA_CERTIFICATE: pem_of(*holding.bundle),
        CA_KEY: b"" if authority is None else key_pem(authority.key),
        CERTIFICATE: b"" if leaf is None else leaf.chain,
        KEY: b"" if leaf is None else leaf.key,
    }


def published(version: str, bundles: Iterable[bytes]) -> Configuration:
    """What a configuration with these `caBundle`s publishes."""
    return Configuration(version, tuple(_published(one) for one in bundles))


def in_order(bundle: Iterable[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """The certificates as a bundle is written: oldest first."""
    return tuple(
        sorted(
            set(bundle),
            key=lambda one: (one.not_valid_before_utc, pairs.fingerprint(one)),
        )
    )


def _published(pem: bytes) -> frozenset[x509.Certificate] | None:
    if not pem:
        return frozenset()
    try:
        return frozenset(x509.load_pem_x509_certificates(pem))
    except UNREADABLE:
        return None


def _bundle(
    data: Mapping[str, bytes], flaws: list[str]
) -> tuple[x509.Certificate, ...]:
    pem = data.get(CA_CERTIFICATE, b"")
    if not pem:
        return ()
    try:
        found = x509.load_pem_x509_certificates(pem)
    except UNREADABLE:
        flaws.append(f"{CA_CERTIFICATE}: no PEM certificates that can be read")
        return ()
    ours = tuple(dict.fromkeys(one for one in found if is_ours(one)))
    if len(ours) < len(found) or len(ours) > MAX_AUTHORITIES:
        flaws.append(f"{CA_CERTIFICATE}: more than our authorities, each once")
    return ours[-MAX_AUTHORITIES:]


def _authority(
    data: Mapping[str, bytes], bundle: tuple[x509.Certificate, ...], flaws: list[str]
) -> Authority | None:
    pem = data.get(CA_KEY, b"")
    if not pem:
        if bundle:
            flaws.append(f"{CA_KEY}: missing")
        return None
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except UNREADABLE:
        flaws.append(f"{CA_KEY}: no PEM key that can be read")
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not bundle:
        flaws.append(f"{CA_KEY}: no key of ours")
        return None
    if key.public_key() != bundle[-1].public_key():
        flaws.append(f"{CA_KEY}: not the newest authority's")
        return None
    return Authority(bundle[-1], key)


def _leaf(
    data: Mapping[str, bytes],
    bundle: tuple[x509.Certificate, ...],
    flaws: list[str],
    *,
    name: str,
    now: datetime,
) -> Pair | None:
    chain, key = data.get(CERTIFICATE, b""), data.get(KEY, b"")
    if not chain and not key and not bundle:
        return None
    found = pairs.read(chain, key, now=now)
    if isinstance(found, Unusable):
        flaws.append(f"{CERTIFICATE}: {found}")
        return None
    if issuer_of(found.leaf, bundle) is None:
        flaws.append(f"{CERTIFICATE}: of none of the authorities")
        return None
    if name not in found.names:
        flaws.append(f"{CERTIFICATE}: not for {name}")
        return None
    return found


def issuer_of(
    leaf: x509.Certificate, bundle: Iterable[x509.Certificate]
) -> x509.Certificate | None:
    """The authority of `bundle` that signed `leaf`."""
    for one in bundle:
        if one.subject == leaf.issuer:
            try:
                leaf.verify_directly_issued_by(one)
            except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
                continue
            return one
    return None
