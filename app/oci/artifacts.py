"""The port for registries: cached answers, one lookup for many callers.

A lookup runs on its own time, at most `limits.lookup_seconds`, and nobody's
deadline ends it: the caller that cannot wait is told so, and the next one finds
the answer. Callers wait for one lookup until it is `patience_seconds` old, so a
registry that hangs holds the first Pod that long and the following not at all.

How long an answer holds: a spec that was found 60 s by digest and 30 s by tag (a
tag may move), "there is none" 15 s, and that we could not look 10 s.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from app.errors import RegistryError
from app.oci import reference
from app.oci.cache import TimedCache
from app.oci.client import RemoteSource, Shared
from app.oci.finding import find
from app.oci.layout import LayoutArtifacts
from app.oci.reference import Reference
from app.ports import (
    Artifacts,
    Found,
    ImageOutcome,
    Invalid,
    Missing,
    Platform,
    PlatformAbsent,
    Resolved,
    Unavailable,
)

_Key: TypeAlias = tuple[str, frozenset[Platform]]


class Observer(Protocol):
    """Counts what the cache saves."""

    def cache(self, result: str) -> None:
        """One question: `hit`, `joined` or `miss`."""
        ...


@dataclass(frozen=True, slots=True)
class Times:
    """How long answers hold, and how long one is waited for; in seconds."""

    by_digest_seconds: float = 60.0
    by_tag_seconds: float = 30.0
    missing_seconds: float = 15.0
    failed_seconds: float = 10.0
    patience_seconds: float = 4.0


@dataclass(slots=True)
class _Flight:
    """A lookup under way."""

    task: asyncio.Task[ImageOutcome]
    started: float


class RegistryArtifacts:
    """Implements the port on registries."""

    def __init__(
        self,
        shared: Shared,
        *,
        times: Times | None = None,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared = shared
        self._times = times or Times()
        self._observer = observer
        self._clock = clock
        self._cache: TimedCache[_Key, ImageOutcome] = TimedCache(clock)
        self._flights: dict[_Key, _Flight] = {}
        self._slots = asyncio.Semaphore(shared.limits.lookups)

    async def find(
        self, image: str, platforms: Collection[Platform], *, deadline_seconds: float
    ) -> ImageOutcome:
        """See `ports.Artifacts.find`."""
        try:
            named = reference.parse(image)
        except RegistryError as error:
            return Invalid(error.reason, error.message)
        key = (str(named), frozenset(platforms))
        known = self._cache.get(key)
        if known is not None:
            self._count("hit")
            return known
        flight = self._flights.get(key)
        self._count("miss" if flight is None else "joined")
        if flight is None:
            task = asyncio.create_task(self._look(named, key))
            flight = self._flights[key] = _Flight(task, self._clock())
        return await self._wait(flight, named, deadline_seconds)

    async def _wait(
        self, flight: _Flight, named: Reference, deadline_seconds: float
    ) -> ImageOutcome:
        age = self._clock() - flight.started
        patience = min(deadline_seconds, self._times.patience_seconds - age)
        done, _ = await asyncio.wait({flight.task}, timeout=max(patience, 0.0))
        if done:
            return flight.task.result()
        return Unavailable("Timeout", f"{named.host} did not answer in time")

    async def _look(self, named: Reference, key: _Key) -> ImageOutcome:
        try:
            outcome = await self._looked(named, key[1])
            self._cache.put(
                key,
                outcome,
                seconds=self._seconds(named, outcome),
                content_bytes=_content_bytes(outcome),
            )
            return outcome
        finally:
            self._flights.pop(key, None)

    async def _looked(
        self, named: Reference, platforms: frozenset[Platform]
    ) -> ImageOutcome:
        limits = self._shared.limits
        try:
            async with asyncio.timeout(limits.lookup_seconds), self._slots:
                ends = time.monotonic() + limits.lookup_seconds
                source = RemoteSource(self._shared, named, ends=ends)
                return await find(source, sorted(platforms), limits)
        except TimeoutError:
            return Unavailable("Timeout", f"{named.host} did not answer in time")

    def _seconds(self, named: Reference, outcome: ImageOutcome) -> float:
        """How long an outcome holds: as long as its weakest part."""
        times = self._times
        if not isinstance(outcome, Resolved):
            return times.failed_seconds
        held = times.by_digest_seconds if named.digest else times.by_tag_seconds
        for one in outcome.platforms.values():
            if isinstance(one, Missing | PlatformAbsent):
                held = min(held, times.missing_seconds)
            elif not isinstance(one, Found):
                held = min(held, times.failed_seconds)
        return held

    def _count(self, result: str) -> None:
        if self._observer is not None:
            self._observer.cache(result)

    async def close(self) -> None:
        """Ends lookups under way, and all connections."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._shared.transport.close()


def _content_bytes(outcome: ImageOutcome) -> int:
    if not isinstance(outcome, Resolved):
        return 0
    contents = {
        one.spec_digest: len(one.content)
        for one in outcome.platforms.values()
        if isinstance(one, Found)
    }
    return sum(contents.values())


class LayoutsFirst:
    """Implements the port: layouts where there are some, else registries."""

    def __init__(self, layouts: LayoutArtifacts, registries: Artifacts) -> None:
        self._layouts = layouts
        self._registries = registries

    async def find(
        self, image: str, platforms: Collection[Platform], *, deadline_seconds: float
    ) -> ImageOutcome:
        """See `ports.Artifacts.find`."""
        where: Artifacts = (
            self._layouts if self._layouts.holds(image) else self._registries
        )
        return await where.find(image, platforms, deadline_seconds=deadline_seconds)
