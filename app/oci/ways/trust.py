"""Whom we believe to be a registry, and how we show who we are: TLS.

A context is made of *material*: authorities besides the system's, client
certificates, and whether the server is looked at at all. Hosts share one only if
they have the same material. TLS 1.2 is the least; names are always checked, unless
a `hosts.toml` says `skip_verify`.

The system's authorities are those of OpenSSL, which `SSL_CERT_FILE` and
`SSL_CERT_DIR` replace, as for every program. `SSLKEYLOGFILE` is not honoured.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

MAX_CONTEXTS: Final = 64
"""Different material at the same time; each holds the system's authorities, too."""

_PEM: Final = re.compile(
    rb"-----BEGIN CERTIFICATE-----\s.+?-----END CERTIFICATE-----", re.DOTALL
)


_HTTPS: Final = 443


class UnusableMaterialError(ValueError):
    """A certificate or key cannot be used; the text never holds its content."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A client certificate with its chain, and its key; both PEM, maybe one file."""

    certificate: bytes = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Material:
    """What a context is made of.

    Attributes:
        authorities: PEM bundles that are trusted besides the system's.
        pairs: client certificates; of those with one kind of key the first counts.
        skip_verify: whoever answers is believed to be the host.
    """

    authorities: tuple[bytes, ...] = field(default=(), repr=False)
    pairs: tuple[Pair, ...] = field(default=(), repr=False)
    skip_verify: bool = False


SYSTEM: Final = Material()
"""The system's authorities, and no client certificate."""


def context(material: Material) -> ssl.SSLContext:
    """A context for clients; reads the system's authorities.

    Raises:
        UnusableMaterialError: something of it is broken.
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_default_certs(ssl.Purpose.SERVER_AUTH)
    for bundle in material.authorities:
        require_authorities(bundle, made)
    for pair in reversed(material.pairs):
        require_pair(pair, made)
    if material.skip_verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def require_authorities(bundle: bytes, into: ssl.SSLContext | None = None) -> None:
    """Raises `UnusableMaterialError` unless it is a PEM bundle of certificates."""
    made = into or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    found = _PEM.findall(bundle)
    if not found:
        raise UnusableMaterialError("expected certificates in PEM")
    try:
        made.load_verify_locations(cadata=b"\n".join(found).decode("ascii"))
    except (ssl.SSLError, ValueError):
        # `from None`: OpenSSL's text may quote what it read.
        raise UnusableMaterialError("a certificate in it is broken") from None


def require_pair(pair: Pair, into: ssl.SSLContext | None = None) -> None:
    """Raises `UnusableMaterialError` unless a key comes with its certificate."""
    made = into or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        with _file(pair.certificate) as certificate, _file(pair.key) as key:
            made.load_cert_chain(certificate, key, password=_no_password)
    except (ssl.SSLError, OSError, ValueError) as error:
        is_other = getattr(error, "reason", "") == "KEY_VALUES_MISMATCH"
        text = "the key is another certificate's" if is_other else _EXPECTED_PAIR
        raise UnusableMaterialError(text) from None


_EXPECTED_PAIR: Final = "expected a certificate in PEM, and its key without password"


def _no_password() -> str:
    """Without one OpenSSL would ask at the terminal."""
    return ""


@contextmanager
def _file(content: bytes) -> Iterator[str]:
    """A path to bytes that never reach a disk; `ssl` reads files only."""
    number = os.memfd_create("pem", os.MFD_CLOEXEC)
    try:
        with os.fdopen(os.dup(number), "wb") as file:
            file.write(content)
        yield f"/proc/self/fd/{number}"
    finally:
        os.close(number)


class Trust:
    """Contexts by host, made when they are needed first.

    That takes tens of milliseconds, for the system's authorities are read, so that it
    is done in a thread, once for all who wait for it.

    Args:
        hosts: host, with its port unless it is 443 -> material; others have the
            system's authorities.
    """

    def __init__(self, hosts: Mapping[str, Material] | None = None) -> None:
        self._hosts: Final = dict(hosts or {})
        self._made: dict[Material, asyncio.Task[ssl.SSLContext]] = {}

    async def context(
        self, host: str, port: int, material: Material | None = None
    ) -> ssl.SSLContext:
        """For a connection to `host`.

        Args:
            host: name or address, without brackets.
            port: that is connected to.
            material: of a way that has its own; `None` for the host's.

        Raises:
            UnusableMaterialError: something of it is broken.
        """
        wanted = self._of(host, port) if material is None else material
        making = self._made.get(wanted)
        if making is None:
            if len(self._made) >= MAX_CONTEXTS:
                self._made.pop(next(iter(self._made)))
            making = asyncio.create_task(asyncio.to_thread(context, wanted))
            self._made[wanted] = making
        return await asyncio.shield(making)

    def _of(self, host: str, port: int) -> Material:
        name = f"[{host}]" if ":" in host else host
        listed = self._hosts.get(f"{name}:{port}")
        if listed is None and port == _HTTPS:
            listed = self._hosts.get(name)
        return SYSTEM if listed is None else listed
