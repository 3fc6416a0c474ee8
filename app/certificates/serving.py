"""What the listener is given: one TLS context that always has the newest pair.

A context whose pair is replaced in place is broken for good if the new one does
not fit, so each pair gets a context of its own. The listener holds an empty one,
and OpenSSL's servername callback moves each new handshake to the newest; it is
called for handshakes without a server name, too (tested for TLS 1.2 and 1.3).

Python reads certificates from files only. They stand in memory for the moment
(`memfd_create`): the root may be read-only, and no key must reach a disk.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from app.certificates.pair import Pair, Unusable


class Serving:
    """The pair that is served, and the context for the listener.

    Attributes:
        pair: what new handshakes get; `None` before there is any.
        context: the listener's; the same for good.
    """

    def __init__(self) -> None:
        self.pair: Pair | None = None
        self._newest: ssl.SSLContext | None = None
        self._available: Final = asyncio.Event()
        self.context: Final = _empty()
        self.context.sni_callback = self._choose

    def take(self, pair: Pair) -> Unusable | None:
        """Serves `pair` from the next handshake on; what kept it from that, if so."""
        made = context_of(pair)
        if isinstance(made, Unusable):
            return made
        self.pair, self._newest = pair, made
        self._available.set()
        return None

    async def available(self) -> None:
        """Returns once there is a pair."""
        await self._available.wait()

    def _choose(
        self,
        connection: ssl.SSLSocket | ssl.SSLObject,
        name: str | None,
        listener: ssl.SSLContext,
    ) -> int | None:
        """OpenSSL's callback: the newest context, or an alert while there is none."""
        del name, listener
        if self._newest is None:
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        connection.context = self._newest
        return None


def context_of(pair: Pair) -> ssl.SSLContext | Unusable:
    """A context for `pair`, or why TLS refuses it."""
    context = _empty()
    try:
        with _in_memory(pair.chain + pair.key) as path:
            context.load_cert_chain(path)
    except ssl.SSLError as error:
        return Unusable("Refused", f"TLS refuses the pair: {error.reason}")
    return context


def _empty() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The API server resumes no session, and one would outlive its certificate.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    return context


@contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """A path that reads as `content` while inside, and is on no disk."""
    number = os.memfd_create("pair", os.MFD_CLOEXEC)
    with os.fdopen(number, "wb", buffering=0) as file:
        file.write(content)
        yield f"/proc/self/fd/{number}"
