"""One lookup for many callers: who asks the same waits for the same task.

They are bounded, so that what waits takes a bounded room. Lookups on registries that
are unknown (`known`) have half of it together, and those of one zone a quarter.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from app.ports import ImageOutcome

K = TypeVar("K", bound=Hashable)


@dataclass(slots=True)
class Flight:
    """A lookup under way.

    Attributes:
        host: the registry that it is about.
        task: that nobody's deadline or cancellation ends.
        started: on the clock, in seconds.
        unknown: the zone of a registry that is unknown; `""` for a known one.
        is_queued: it had to wait for its turn.
        asked: when its turn came, on the clock; `None` before.
    """

    host: str
    task: asyncio.Task[ImageOutcome]
    started: float
    unknown: str = ""
    is_queued: bool = False
    asked: float | None = None

    def waited_longest(self, now: float) -> bool:
        """Whether more of its time went by before its turn than since."""
        asked = now if self.asked is None else self.asked
        return self.is_queued and asked - self.started > now - asked


class Flights(Generic[K]):
    """The lookups under way, bounded.

    Args:
        most: at the same time.
        clock: in seconds, monotonic.
    """

    def __init__(self, most: int, clock: Callable[[], float]) -> None:
        self._most: Final = most
        self._clock: Final = clock
        self._flights: Final[dict[K, Flight]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def __getitem__(self, key: K) -> Flight:
        return self._flights[key]

    def get(self, key: K) -> Flight | None:
        """The lookup of `key`, if it is under way."""
        return self._flights.get(key)

    def is_full(self, unknown: str = "") -> bool:
        """Whether no other lookup may begin.

        Args:
            unknown: the zone of a registry that is unknown; `""` for a known one.
        """
        if len(self._flights) >= self._most:
            return True
        if not unknown:
            return False
        zones = [one.unknown for one in self._flights.values() if one.unknown]
        half, quarter = max(self._most // 2, 1), max(self._most // 4, 1)
        return len(zones) >= half or zones.count(unknown) >= quarter

    def begin(
        self,
        key: K,
        host: str,
        lookup: Coroutine[Any, Any, ImageOutcome],
        *,
        unknown: str = "",
    ) -> Flight:
        """Starts a lookup; it is forgotten when it ends, however it ends."""
        task = asyncio.create_task(lookup)
        flight = self._flights[key] = Flight(host, task, self._clock(), unknown)
        task.add_done_callback(lambda _: self._flights.pop(key, None))
        return flight

    def age_seconds(self, host: str) -> float:
        """How old the oldest lookup on a registry is; 0 without one."""
        now = self._clock()
        flights = self._flights.values()
        return max(
            (now - one.started for one in flights if one.host == host), default=0
        )

    def asked_seconds(self, host: str) -> float:
        """For how long a registry has been asked, at the most; 0 if it is not."""
        now = self._clock()
        asked = [one.asked for one in self._flights.values() if one.host == host]
        return max((now - one for one in asked if one is not None), default=0)

    async def close(self) -> None:
        """Ends all of them."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
