"""The port for registries: cached answers, one lookup for many callers.

1. What is known and still holds is answered at once (`cached` says how long).
2. Else one lookup runs for everybody who asks the same. It runs on its own time, at
   most `limits.lookup_seconds`, and nobody's deadline or cancellation ends it: who
   cannot wait is told so, and the next one finds the answer.
3. Callers wait for a lookup until it is `patience_seconds` old. After that the
   registry counts as hanging (`patience`): until it answers something again, lookups
   on it go on in the background, and nobody waits. So a registry that hangs holds the
   first Pod and none of the following, whatever images they have.
4. Lookups are bounded, in all and for each registry (`turns`), so that one that hangs
   leaves room for the others; and so are those that wait (`flights`). Registries that
   nobody has heard of leave room for those that are known (`known`). To wait for a
   turn is no fault of a registry: it has a reason of its own, `Overloaded`.
5. What was found before stands in for a registry that cannot be asked, marked as
   stale (`stale`); a "no" from memory is marked, too.
6. Keys hold what credentials the Pod brings along for the image (`rings`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache, partial
from typing import Final, NamedTuple, Protocol

from app.errors import RegistryError
from app.oci.cache import Filled
from app.oci.images import reference
from app.oci.images.finding import find
from app.oci.images.reference import Reference
from app.oci.lookups.cached import CachedSource, Memory, Times
from app.oci.lookups.flights import Flights
from app.oci.lookups.known import Known, zone
from app.oci.lookups.outcomes import Outcomes
from app.oci.lookups.patience import OVERLOADED, TIMEOUT, Patience, unavailable
from app.oci.lookups.rings import Opener, Rings
from app.oci.lookups.turns import Gate, Turns, gates
from app.oci.registry.breaker import State
from app.oci.registry.shared import Shared
from app.oci.ways import mirrored
from app.ports import (
    NOBODY,
    ImageOutcome,
    Invalid,
    NoPullSecrets,
    Platform,
    Puller,
    PullSecrets,
    Unavailable,
)

__all__ = ["Observer", "RegistryArtifacts", "Times"]

NAMES: Final = 4096
"""References that are read once while they are in use."""

_NOTHING: Final = Reference("", "")
_CROWDED: Final = Unavailable(OVERLOADED, "too many lookups are under way")


class Observer(Protocol):
    """Counts what the cache saves."""

    def cache(self, result: str) -> None:
        """One question: `hit`, `joined` or `miss`; and `stale` if it was stood in."""
        ...

    def evicted(self, cache: str) -> None:
        """An entry went for want of room: of `images`, `tags`, ..."""
        ...


class _Key(NamedTuple):
    """Who asks the same gets the same answer.

    Attributes:
        image: named without doubt.
        platforms: that are asked for.
        ring: fingerprint of the Pod's own credentials for the image.
    """

    image: str
    platforms: frozenset[Platform]
    ring: str


class _Named(NamedTuple):
    """A reference of a Pod, read.

    Attributes:
        reference: of the image.
        text: it in full.
        refusal: why nothing is asked for; `None` if it is.
    """

    reference: Reference
    text: str
    refusal: Invalid | Unavailable | None = None


class RegistryArtifacts:
    """Implements the port on registries.

    Args:
        shared: what lookups share.
        secrets: reads the pull secrets of Pods.
        times: how long answers hold.
        observer: counts questions.
        clock: in seconds, monotonic.
    """

    def __init__(
        self,
        shared: Shared,
        *,
        secrets: PullSecrets | None = None,
        times: Times | None = None,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared = shared
        self._named = lru_cache(maxsize=NAMES)(self._name)
        self._times = times or Times()
        self._observer = observer
        self._clock = clock
        self._memory = Memory(clock, self._times, self._evicted)
        evicted = partial(self._evicted, "images")
        self._outcomes: Outcomes[_Key] = Outcomes(self._times, clock, evicted)
        self._patience = Patience(self._times.patience_seconds, clock)
        allowed = NoPullSecrets() if secrets is None else secrets
        self._rings = Rings(allowed, shared.ways, clock)
        self._flights: Flights[_Key] = Flights(shared.limits.waiting, clock)
        self._turns = Turns()
        self._known_hosts = Known(clock)

    def inherit(self, other: RegistryArtifacts) -> None:
        """What another found may stand in for a registry that cannot be asked."""
        self._outcomes.inherit(other._outcomes)

    def __len__(self) -> int:
        """How many images are known; some that no longer hold are counted too."""
        return len(self._outcomes.cache)

    def caches(self) -> Mapping[str, Filled]:
        """What is remembered, by what it is; entries that have ended are counted."""
        return {"images": self._outcomes.cache, **self._memory.caches()}

    def circuits(self) -> Mapping[State, int]:
        """How many hosts are left alone now, and how many are tried again."""
        return self._shared.sender.breaker.states()

    def at_hand(
        self, image: str, platforms: Collection[Platform], puller: Puller = NOBODY
    ) -> ImageOutcome | None:
        """See `ports.Artifacts.at_hand`."""
        named = self._named(image)
        if named.refusal is not None:
            return named.refusal
        opener = self._rings.at_hand(puller)
        return None if opener is None else self._known(named, platforms, opener)

    def _name(self, image: str) -> _Named:
        """What a reference names, and whether it may be asked for."""
        try:
            named = reference.parse(image)
        except RegistryError as error:
            return _Named(_NOTHING, "", Invalid(error.reason, error.message))
        if not self._shared.policy.allows(named):
            text = f"{named.name} is not among the repositories that may be asked"
            return _Named(named, "", Unavailable("RegistryNotAllowed", text))
        return _Named(named, str(named))

    def _known(
        self, named: _Named, platforms: Collection[Platform], opener: Opener
    ) -> ImageOutcome | None:
        if opener.fault is not None:
            return Unavailable(opener.fault.reason, opener.fault.message)
        known = self._outcomes.known(self._key(named, platforms, opener))
        if known is not None:
            self._count("hit")
        return known

    async def find(
        self,
        image: str,
        platforms: Collection[Platform],
        *,
        deadline_seconds: float,
        puller: Puller = NOBODY,
    ) -> ImageOutcome:
        """See `ports.Artifacts.find`."""
        known = self.at_hand(image, platforms, puller)
        if known is not None:
            return known
        named = self._named(image)
        opener = self._rings.at_hand(puller)
        if opener is None:
            started = self._clock()
            opener = await self._rings.read(puller, deadline_seconds=deadline_seconds)
            deadline_seconds -= self._clock() - started
            known = self._known(named, platforms, opener)
            if known is not None:
                return known
        key = self._key(named, platforms, opener)
        return await self._joined(named.reference, key, opener, deadline_seconds)

    def _key(
        self, named: _Named, platforms: Collection[Platform], opener: Opener
    ) -> _Key:
        ring = self._rings.ring(opener, named.reference)
        return _Key(named.text, frozenset(platforms), ring)

    async def _joined(
        self, named: Reference, key: _Key, opener: Opener, deadline_seconds: float
    ) -> ImageOutcome:
        """Waits for the lookup that is under way, or for a new one."""
        flight = self._flights.get(key)
        self._count("miss" if flight is None else "joined")
        age = self._flights.age_seconds(named.host)
        patience = self._patience.left(named.host, age_seconds=age)
        if flight is None:
            unknown = "" if self._is_known(named) else zone(named.host)
            if self._flights.is_full(unknown):
                return self._or_stale(key, _CROWDED)
            lookup = self._look(named, key, opener)
            flight = self._flights.begin(key, named.host, lookup, unknown=unknown)
        seconds = max(min(deadline_seconds, patience), 0.0)
        done, _ = await asyncio.wait({flight.task}, timeout=seconds)
        if done and not flight.task.cancelled():
            return flight.task.result()
        if flight.waited_longest(self._clock()) and not self._is_slow(named.host):
            return self._or_stale(key, _CROWDED)
        return self._or_stale(key, _late(named))

    def _is_known(self, named: Reference) -> bool:
        return named.host in self._known_hosts or self._is_named(named)

    def _is_named(self, named: Reference) -> bool:
        shared = self._shared
        return named.host in shared.policy.hosts or shared.ways.name(named)

    def _is_slow(self, host: str) -> bool:
        """Whether it is the registry that keeps others waiting for their turn."""
        fair_seconds = min(
            self._shared.limits.connect_seconds, self._times.patience_seconds / 2
        )
        is_late = self._flights.asked_seconds(host) >= fair_seconds
        return is_late or self._patience.is_hanging(host)

    def _or_stale(self, key: _Key, outcome: Unavailable) -> ImageOutcome:
        """What was found before, for who cannot be told anything newer."""
        instead = self._outcomes.stood_in(key, outcome)
        if instead is None:
            return outcome
        self._count("stale")
        return instead

    # The lookup -----------------------------------------------------------------

    async def _look(self, named: Reference, key: _Key, opener: Opener) -> ImageOutcome:
        outcome, ends = await self._looked(named, key, opener)
        self._learn(named.host, outcome)
        answer = self._outcomes.keep(key, outcome, ends)
        if answer is not outcome:
            self._count("stale")
        return answer

    def _learn(self, host: str, outcome: ImageOutcome) -> None:
        self._patience.learn(host, outcome)
        reasons = unavailable(outcome)
        if not reasons:
            self._known_hosts.learn(host)
        elif TIMEOUT in reasons:
            self._known_hosts.forget(host)

    async def _looked(
        self, named: Reference, key: _Key, opener: Opener
    ) -> tuple[ImageOutcome, float]:
        """The outcome, and until when what it rests on holds.

        It may wait for its turn as long as it may take afterwards.
        """
        limits, flight = self._shared.limits, self._flights[key]
        through = self._gates(named)
        flight.is_queued = not self._turns.is_free(through)
        try:
            async with (
                asyncio.timeout(limits.lookup_seconds) as time_limit,
                self._turns.turn(through),
            ):
                now = asyncio.get_running_loop().time()
                time_limit.reschedule(now + limits.lookup_seconds)
                flight.asked = self._clock()
                return await self._asked(named, key, opener)
        except TimeoutError:
            outcome = _CROWDED if flight.asked is None else _late(named)
            return outcome, float("inf")

    def _gates(self, named: Reference) -> tuple[Gate, ...]:
        return gates(
            named.host,
            self._shared.limits.lookups,
            self._shared.limits.per_host,
            is_known=named.host in self._known_hosts,
            is_named=self._is_named(named),
        )

    async def _asked(
        self, named: Reference, key: _Key, opener: Opener
    ) -> tuple[ImageOutcome, float]:
        limits, shared = self._shared.limits, self._shared
        ends = shared.clock() + limits.lookup_seconds
        remote = mirrored.source(shared, named, ends=ends, keyring=opener.keyring)
        source = CachedSource(remote, named, self._memory, ring=key.ring)
        outcome = await find(source, sorted(key.platforms), limits)
        return outcome, source.ends

    def _evicted(self, cache: str) -> None:
        if self._observer is not None:
            self._observer.evicted(cache)

    def _count(self, result: str) -> None:
        if self._observer is not None:
            self._observer.cache(result)

    async def close(self) -> None:
        """Ends lookups under way, and all connections."""
        await self._flights.close()
        await self._shared.transport.close()


def _late(named: Reference) -> Unavailable:
    return Unavailable(TIMEOUT, f"{named.host} did not answer in time")
