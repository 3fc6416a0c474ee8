"""One request of a lookup: within its deadline, counted, and tried again if that helps.

The only place that decides about retries. What goes over the wire is the
transport's business, what an answer means the client's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

from app.oci.failure import LookupFailedError, unavailable
from app.oci.transport import Answer, Request, Transport


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


class Sender:
    """Sends the requests of all lookups.

    Args:
        transport: sends one request.
        observer: counts them.
        clock: in seconds, monotonic.
    """

    def __init__(
        self,
        transport: Transport,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport: Final = transport
        self._observer: Final = observer or Silent()
        self._clock: Final = clock

    async def send(
        self, kind: str, request: Request, *, host: str, ends: float
    ) -> Answer:
        """The answer to a request.

        Args:
            kind: for the observer.
            request: its `seconds` are set here.
            host: the registry that the lookup is about, for texts.
            ends: the lookup's deadline, on the clock.

        Raises:
            LookupFailedError: no answer comes in time.
        """
        started = self._clock()
        left = ends - started
        if left <= 0:
            raise unavailable("Timeout", f"no time left to ask {host}")
        outcome = "Unfinished"
        try:
            answer = await self._transport.send(replace(request, seconds=left))
            outcome = f"{answer.status // 100}xx"
        except LookupFailedError as error:
            outcome = error.reason
            raise
        finally:
            seconds = self._clock() - started
            self._observer.request(kind, outcome, seconds=seconds)
        return answer
