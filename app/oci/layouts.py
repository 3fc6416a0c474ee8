"""The port for folders of image layouts, and for both kinds of places.

1. An image is looked for in `ROOT/REGISTRY/REPOSITORY`, which mirrors a registry.
2. What was read holds for `HELD_SECONDS`, and is read once for all who ask.
3. After that the layout's list is looked at: if it is the same, and nothing was
   lacking that may be copied there still, what was found holds for as long again, at
   most `RENEWED_SECONDS` after it was read.
4. So many are read at the same time as are asked for on one registry.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from app.errors import RegistryError
from app.oci.cache import TimedCache
from app.oci.files import Stamp
from app.oci.images import reference
from app.oci.images.finding import find
from app.oci.images.reference import Reference
from app.oci.layout import SCHEME, LayoutSource, split
from app.oci.limits import Limits
from app.oci.lookups import stale
from app.oci.lookups.flights import Flights
from app.oci.lookups.outcomes import content_bytes
from app.ports import (
    NOBODY,
    Artifacts,
    Found,
    ImageOutcome,
    Invalid,
    Platform,
    Puller,
    Resolved,
    Unavailable,
)

HELD_SECONDS: Final = 5.0
RENEWED_SECONDS: Final = 300.0

_FOLDERS_BYTES: Final = 4 << 20
OUTCOMES_BYTES: Final = 16 << 20


class _Key(NamedTuple):
    image: str
    platforms: frozenset[Platform]


@dataclass(frozen=True, slots=True)
class _Held:
    """What was read.

    Attributes:
        outcome: of reading.
        stamp: of the layout's list before it was read.
        ends: until when it holds without another look, on the clock.
    """

    outcome: ImageOutcome
    stamp: Stamp | None
    ends: float


class LayoutArtifacts:
    """Implements the port on folders.

    Args:
        root: of the folders; `None` for none.
        limits: every bound.
        clock: in seconds, monotonic.
        reads_any_folder: whether `oci-layout://FOLDER:TAG` names a layout itself.
            That is for people at a terminal: in a Pod it would let anybody who may
            create one have any folder of ours read.
    """

    def __init__(
        self,
        root: Path | None = None,
        limits: Limits | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        reads_any_folder: bool = False,
    ) -> None:
        self._root = root
        self._limits = limits or Limits()
        self._clock = clock
        self._reads_any_folder = reads_any_folder
        self._flights: Flights[_Key] = Flights(self._limits.waiting, clock)
        self._turns = asyncio.Semaphore(self._limits.per_host)
        self._known: TimedCache[_Key, _Held] = TimedCache(
            clock, most_bytes=OUTCOMES_BYTES
        )
        self._folders: TimedCache[str, bool] = TimedCache(
            clock, most_bytes=_FOLDERS_BYTES
        )

    def holds(self, image: str) -> bool:
        """Whether the image is in a layout here, rather than in a registry."""
        if self._root is None or image.startswith(SCHEME):
            return image.startswith(SCHEME) and self._reads_any_folder
        known = self._folders.get(image)
        if known is None:
            known = self._has_folder(image)
            self._folders.put(
                image, known, seconds=HELD_SECONDS, content_bytes=len(image)
            )
        return known

    def at_hand(
        self, image: str, platforms: Collection[Platform], puller: Puller = NOBODY
    ) -> ImageOutcome | None:
        """See `ports.Artifacts.at_hand`."""
        del puller
        held = self._known.get(_Key(image, frozenset(platforms)))
        if held is None or self._clock() >= held.ends:
            return None
        return stale.remembered(held.outcome)

    def _has_folder(self, image: str) -> bool:
        try:
            folder = self._folder(reference.parse(image))
            return folder is not None and folder.is_dir()
        except PermissionError:
            return True  # `find` says so
        except (RegistryError, OSError):
            return False

    async def find(
        self,
        image: str,
        platforms: Collection[Platform],
        *,
        deadline_seconds: float,
        puller: Puller = NOBODY,
    ) -> ImageOutcome:
        """See `ports.Artifacts.find`; files need no deadline but get one."""
        known = self.at_hand(image, platforms, puller)
        if known is not None:
            return known
        key = _Key(image, frozenset(platforms))
        flight = self._flights.get(key)
        if flight is None:
            if self._flights.is_full():
                return Unavailable("Overloaded", "too many lookups are under way")
            flight = self._flights.begin(key, "", self._look(key))
        seconds = max(deadline_seconds, 0.0)
        done, _ = await asyncio.wait({flight.task}, timeout=seconds)
        if done:
            return flight.task.result()
        return Unavailable("Timeout", "reading the layout took too long")

    async def _look(self, key: _Key) -> ImageOutcome:
        try:
            source = self._source(key.image)
        except RegistryError as error:
            return Invalid(error.reason, error.message)
        async with self._turns:
            stamp = await source.stamp()
            held = self._known.entry(key)
            if held is not None and stamp is not None and held[0].stamp == stamp:
                self._keep(key, held[0].outcome, stamp, seconds=held[1] - self._clock())
                return held[0].outcome
            outcome = await find(source, sorted(key.platforms), self._limits)
        seconds = RENEWED_SECONDS if _is_whole(outcome) else HELD_SECONDS
        self._keep(key, outcome, stamp, seconds=seconds)
        return outcome

    def _keep(
        self, key: _Key, outcome: ImageOutcome, stamp: Stamp | None, *, seconds: float
    ) -> None:
        held = _Held(outcome, stamp, self._clock() + HELD_SECONDS)
        size = content_bytes(outcome) + len(key.image)
        self._known.put(key, held, seconds=seconds, content_bytes=size)

    def _source(self, image: str) -> LayoutSource:
        if image.startswith(SCHEME) and self._reads_any_folder:
            folder, wanted = split(image)
            return LayoutSource(folder, wanted, self._limits)
        named = reference.parse(image)
        where = self._folder(named)
        if where is None:
            raise RegistryError("NoLayout", "no folder of layouts is configured")
        return LayoutSource(where, named.wanted, self._limits)

    def _folder(self, named: Reference) -> Path | None:
        """The folder of a repository, inside the root.

        The grammar keeps the name below the root; a link may lead out of it.
        """
        if self._root is None:
            return None
        folder = self._root / named.domain / named.repository
        try:
            is_inside = folder.resolve().is_relative_to(self._root.resolve())
        except (OSError, RuntimeError):
            return None
        return folder if is_inside else None


def _is_whole(outcome: ImageOutcome) -> bool:
    """Whether nothing was lacking that may still be copied to the layout (3)."""
    parts = outcome.platforms.values() if isinstance(outcome, Resolved) else ()
    return bool(parts) and all(
        isinstance(one, Found) and not one.doubts for one in parts
    )


class LayoutsFirst:
    """Implements the port: layouts where there are some, else registries."""

    def __init__(self, layouts: LayoutArtifacts, registries: Artifacts) -> None:
        self._layouts = layouts
        self._registries = registries

    def at_hand(
        self, image: str, platforms: Collection[Platform], puller: Puller = NOBODY
    ) -> ImageOutcome | None:
        """See `ports.Artifacts.at_hand`."""
        return self._where(image).at_hand(image, platforms, puller)

    async def find(
        self,
        image: str,
        platforms: Collection[Platform],
        *,
        deadline_seconds: float,
        puller: Puller = NOBODY,
    ) -> ImageOutcome:
        """See `ports.Artifacts.find`."""
        where = self._where(image)
        return await where.find(
            image, platforms, deadline_seconds=deadline_seconds, puller=puller
        )

    def _where(self, image: str) -> Artifacts:
        return self._layouts if self._layouts.holds(image) else self._registries
