"""A clock that is set by hand, who is told, and handshakes without a socket."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from app.certificates.authority import Authority, make_authority, make_leaf
from app.certificates.pair import Pair, pem_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
NAMES = ("imagecompat.imagecompat.svc", "imagecompat.imagecompat")
DAY = 86400.0


@dataclass
class Recorder:
    """Implements `Observer`."""

    seen: list[tuple[Any, ...]] = field(default_factory=list)
    lines: list[dict[str, object]] = field(default_factory=list)
    is_refused: bool | None = None

    def rotated(self, what: str, result: str) -> None:
        self.seen.append((what, result))

    def reloaded(self, result: str) -> None:
        self.seen.append(("reload", result))

    def refused(self, *, is_refused: bool) -> None:
        self.is_refused = is_refused

    def expiry(self, certificate: str, ends: datetime) -> None:
        self.seen.append(("expiry", certificate, ends))

    def published(self, *, is_published: bool) -> None:
        self.seen.append(("published", is_published))

    def said(self, event: str, **fields: object) -> None:
        self.lines.append({"level": "info", "event": event, **fields})

    def warned(self, event: str, **fields: object) -> None:
        self.lines.append({"level": "warning", "event": event, **fields})

    def erred(self, event: str, **fields: object) -> None:
        self.lines.append({"level": "error", "event": event, **fields})

    def reloads(self) -> list[str]:
        """What became of certificates, in order."""
        return [one[1] for one in self.seen if one[0] == "reload"]


@dataclass
class Time:
    """A clock that is set by hand."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


def authority(now: datetime = NOW, *, days: float = 1000.0) -> Authority:
    """A new authority."""
    return make_authority(now, seconds=days * DAY)


def leaf(
    of: Authority | None = None,
    now: datetime = NOW,
    *,
    days: float = 90.0,
    names: tuple[str, ...] = NAMES,
) -> Pair:
    """A new leaf, of a new authority by default."""
    return make_leaf(of or authority(now), names, now, seconds=days * DAY)


def client(*trusted: Authority) -> ssl.SSLContext:
    """Trusts these authorities, as strictly as Python can; nobody by default."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    if trusted:
        pem = pem_of(*(one.certificate for one in trusted))
        context.load_verify_locations(cadata=pem.decode())
    return context


def careless() -> ssl.SSLContext:
    """Trusts whoever answers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def handshake(
    server: ssl.SSLContext, by: ssl.SSLContext, name: str | None = NAMES[0]
) -> bytes:
    """The certificate that `server` shows to the client `by`, as DER.

    Raises:
        ssl.SSLError: one of both does not go on.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = by.wrap_bio(to_client, to_server, server_hostname=name)
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    waiting: list[ssl.SSLObject] = [asking, answering]
    while waiting:
        for one in tuple(waiting):
            try:
                one.do_handshake()
                waiting.remove(one)
            except ssl.SSLWantReadError:
                pass
    return asking.getpeercert(binary_form=True) or b""
