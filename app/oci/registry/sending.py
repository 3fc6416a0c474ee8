"""One request of a lookup: within its deadline, counted, and tried again if that helps.

The only place that waits between tries; `retrying` decides on them, `breaker` whether
the host is asked at all. What goes over the wire is the transport's business, what an
answer means the client's.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import urlsplit

from app.oci.failure import LookupFailedError, unavailable
from app.oci.limits import Limits
from app.oci.registry import breaker
from app.oci.registry.breaker import Breaker, Way
from app.oci.registry.retrying import Bounds, Tried, wait_seconds
from app.oci.registry.transport import Answer, Request, Transport

FAILURES: Final = frozenset(
    {
        "CannotConnect",
        "NetworkError",
        "NoSuchHost",
        "ProxyUnreachable",
        "Timeout",
        "TlsError",
        "UntrustedCertificate",
    }
)
"""Reasons of the transport that speak against a host."""
FAULTS: Final = frozenset({"BadAnswer", "CutOff"})
"""Those that may be so for one repository only; what is in no set is an answer."""
UNTOLD: Final = frozenset(
    {"AddressRefused", "BadAddress", "Overloaded", "ProxyRefused"}
)
"""Those that say nothing of either: nothing was sent."""


class Observer(Protocol):
    """Counts what goes over the wire."""

    def request(self, kind: str, outcome: str, *, seconds: float) -> None:
        """One request.

        Args:
            kind: what for (`resolve`, `token`, ...).
            outcome: its status class (`2xx`), or why there is no answer;
                `Unfinished` if nobody waited for it any more.
            seconds: from the request to the end of the answer.
        """
        ...


class Silent:
    """Counts nothing."""

    def request(self, kind: str, outcome: str, *, seconds: float) -> None:
        """See `Observer`."""


@dataclass(frozen=True, slots=True)
class Chance:
    """What a sender takes from outside.

    Attributes:
        clock: in seconds, monotonic.
        now: the time of day, for dates of registries.
        random: from 0 to 1.
        pause: waits for so many seconds.
    """

    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    random: Callable[[], float] = random.random
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep


@dataclass(slots=True)
class _Judged:
    """What the last try of a request says of its host; `None` for nothing yet."""

    told: Callable[[Way], None] | None = None


class Sender:
    """Sends the requests of all lookups.

    Args:
        transport: sends one request.
        observer: counts them.
        circuits: told which hosts are left alone.
        chance: time and randomness.
        limits: bounds of retries, and when a host is left alone.

    Attributes:
        breaker: which hosts are left alone.
    """

    def __init__(
        self,
        transport: Transport,
        observer: Observer | None = None,
        *,
        circuits: breaker.Observer | None = None,
        chance: Chance | None = None,
        limits: Limits | None = None,
    ) -> None:
        limits = limits or Limits()
        self._transport: Final = transport
        self._observer: Final = observer or Silent()
        self._chance: Final = chance or Chance()
        self._fair_seconds: Final = limits.connect_seconds
        self._bounds: Final = Bounds(limits.retries, limits.retry_after_seconds)
        self.breaker: Final = Breaker(
            limits.breaker_failures,
            limits.breaker_seconds,
            self._chance.clock,
            circuits,
        )

    async def send(
        self,
        kind: str,
        request: Request,
        *,
        host: str,
        ends: float,
        place: str = "",
        repository: str = "",
    ) -> Answer:
        """The answer to a request, or to the last of its tries.

        Args:
            kind: for the observer.
            request: its `seconds` are set here.
            host: the registry that the lookup is about, for texts and circuits.
            ends: the lookup's deadline, on the clock.
            place: tells apart what the host serves (`ways.Way.place`).
            repository: that the lookup is about.

        Raises:
            LookupFailedError: no answer comes in time, or the host is left alone.
        """
        way = Way(host, urlsplit(request.url).netloc, place, repository)
        judged = _Judged()
        try:
            return await self._tries(kind, request, way, ends, judged)
        finally:
            if judged.told is not None:
                judged.told(way)

    async def _tries(
        self, kind: str, request: Request, way: Way, ends: float, judged: _Judged
    ) -> Answer:
        tried = Tried(request.method, 0)
        while True:
            try:
                answer = await self._send(kind, request, way, ends, judged)
            except LookupFailedError as error:
                tried = replace(tried, status=0, reason=error.reason, retry_after="")
                wait = self._wait(tried, way, ends)
                if wait is None:
                    raise
            else:
                again = answer.headers.get("retry-after", "")
                tried = replace(
                    tried, status=answer.status, reason="", retry_after=again
                )
                wait = self._wait(tried, way, ends)
                if wait is None:
                    return answer
            await self._chance.pause(wait)
            tried = replace(tried, retries=tried.retries + 1)

    def _wait(self, tried: Tried, way: Way, ends: float) -> float | None:
        """How long to wait for the next try; no host is pressed that is to rest."""
        if not self.breaker.is_closed(way):
            return None
        return wait_seconds(
            tried,
            self._bounds,
            left=ends - self._chance.clock(),
            chance=self._chance.random(),
            now=self._chance.now(),
        )

    async def _send(
        self, kind: str, request: Request, way: Way, ends: float, judged: _Judged
    ) -> Answer:
        """One try."""
        started = self._chance.clock()
        left = ends - started
        if left <= 0:
            raise unavailable("Timeout", f"no time left to ask {way.registry}")
        if not self.breaker.admits(way):
            judged.told = None
            text = f"{way.registry} failed lately, and is left alone for a while"
            raise unavailable("CircuitOpen", text)
        outcome = "Unfinished"
        judged.told = self.breaker.released
        try:
            answer = await self._transport.send(replace(request, seconds=left))
            outcome = f"{answer.status // 100}xx"
            is_fault = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            judged.told = self.breaker.faulted if is_fault else self.breaker.answered
        except LookupFailedError as error:
            outcome = error.reason
            judged.told = self._judge(outcome, left)
            raise
        except asyncio.CancelledError:
            judged.told = self._judge("Timeout", self._chance.clock() - started)
            raise
        finally:
            seconds = self._chance.clock() - started
            self._observer.request(kind, outcome, seconds=seconds)
        return answer

    def _judge(self, reason: str, given: float) -> Callable[[Way], None]:
        """What a request says of its host that ended without a whole answer.

        Args:
            reason: of the transport.
            given: how long the host had, in seconds: too short a time proves nothing.
        """
        if reason in UNTOLD or (reason == "Timeout" and given < self._fair_seconds):
            return self.breaker.released
        if reason in FAULTS:
            return self.breaker.faulted
        return self.breaker.failed if reason in FAILURES else self.breaker.answered
