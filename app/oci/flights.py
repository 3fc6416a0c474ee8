"""One lookup for many callers: who asks the same waits for the same task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from app.ports import ImageOutcome

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Flight:
    """A lookup under way.

    Attributes:
        host: the registry that it is about.
        task: that nobody's deadline or cancellation ends.
        started: on the clock, in seconds.
    """

    host: str
    task: asyncio.Task[ImageOutcome]
    started: float


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

    def get(self, key: K) -> Flight | None:
        """The lookup of `key`, if it is under way."""
        return self._flights.get(key)

    @property
    def is_full(self) -> bool:
        """Whether no other lookup may begin."""
        return len(self._flights) >= self._most

    def begin(
        self, key: K, host: str, lookup: Coroutine[Any, Any, ImageOutcome]
    ) -> Flight:
        """Starts a lookup; it is forgotten when it ends, however it ends."""
        task = asyncio.create_task(lookup)
        flight = self._flights[key] = Flight(host, task, self._clock())
        task.add_done_callback(lambda _: self._flights.pop(key, None))
        return flight

    def age_seconds(self, host: str) -> float:
        """How old the oldest lookup on a registry is; 0 without one."""
        now = self._clock()
        flights = self._flights.values()
        return max(
            (now - one.started for one in flights if one.host == host), default=0
        )

    async def close(self) -> None:
        """Ends all of them."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
