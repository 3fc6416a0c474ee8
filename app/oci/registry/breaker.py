"""When a host that fails is left alone for a while, and when it is tried again.

A circuit is `closed` as long as there are answers. After `failures` in a row it is
`open`: nothing is sent for `seconds`. Then it is `half open`: one request is let
through, and its end decides. Requests count, not their tries.

* A host fails if no connection or answer comes of a request, in the time that there
  was for it. That closes the way to all of its repositories.
* An answer from 500 on, or one that is cut off or no HTTP, may be about one
  repository only: that one has a circuit of its own. It counts against its host
  once in a row, however often it fails, and never alone (`SEVERAL`): who makes a path
  fail, closes the way to no other one.
* Any other answer closes the circuits of its repository and its host.
* 429 is an answer: it is meant for one credential or one repository, and others must
  not wait for it. What it costs is bounded by how long an outcome holds.
* A circuit belongs to the registry that a lookup is about *and* the host that is
  asked for it (the same one, a token server, the target of a redirect): a hostile
  registry that redirects to where it fails hurts nobody's lookups but its own. A
  mirror of several registries is several hosts.

All of these names are anybody's input, so that only `MAX_CIRCUITS` are kept, and none
of what did not fail.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

MAX_CIRCUITS: Final = 4096
"""Hosts and repositories that failed lately."""
SEVERAL: Final = 2
"""Repositories, at the least, that make a failure their host's."""
MAX_FAULTY: Final = 16
"""Repositories of a host that are told apart; from then on each failure counts."""


class State(StrEnum):
    """Of a circuit; a closed one lets everything through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


class Way(NamedTuple):
    """Whose circuit it is.

    Attributes:
        registry: that the lookup is about.
        asked: host and port of the request.
        place: tells apart what one mirror serves (`ways.Way.place`).
        repository: that the lookup is about; `""` for the circuit of the host.
    """

    registry: str
    asked: str
    place: str = ""
    repository: str = ""

    @property
    def host(self) -> Way:
        """The way to all of its repositories."""
        return self._replace(repository="") if self.repository else self


@dataclass(frozen=True, slots=True)
class Circuit:
    """What is known of what failed; each step gives another one.

    Attributes:
        failures: in a row.
        faulty: repositories that they were about, where each counts once.
        opened: when it opened or its probe failed, in seconds; `None` while closed.
        is_probed: whether the one request is under way.
    """

    failures: int = 0
    faulty: frozenset[str] = frozenset()
    opened: float | None = None
    is_probed: bool = False

    def state(self, now: float, seconds: float) -> State:
        """What it is at `now`, if it opens for so many seconds."""
        if self.opened is None:
            return State.CLOSED
        return State.HALF_OPEN if now - self.opened >= seconds else State.OPEN

    def admits(self, now: float, seconds: float) -> bool:
        """Whether a request may be sent at `now`."""
        state = self.state(now, seconds)
        return state is not State.OPEN and not self.is_probed

    def failed(self, now: float, most: int, repository: str = "") -> Circuit:
        """After one more failure; `most` of them open it, or the probe's own.

        Args:
            now: in seconds.
            most: failures.
            repository: that may be alone with it, so that it decides nothing by
                itself; `""` if it is not.
        """
        if self.opened is not None and not self.is_probed:
            return self  # was under way when it opened, and says nothing new
        failures, faulty = self.failures, self.faulty
        if not repository or len(faulty) >= MAX_FAULTY:
            failures += 1
        elif repository not in faulty:
            failures, faulty = failures + 1, faulty | {repository}
        if failures >= most or (self.is_probed and not repository):
            return Circuit(opened=now)
        return Circuit(failures, faulty, self.opened)

    def released(self) -> Circuit:
        """After a request that told nothing."""
        return replace(self, is_probed=False)


class Observer(Protocol):
    """Told when a host or a repository is left alone, and when no more."""

    def opened(self, way: Way) -> None:
        """A circuit has opened that was closed."""
        ...

    def closed(self, way: Way) -> None:
        """A circuit has closed that was open."""
        ...


class Breaker:
    """The circuits of all hosts and repositories.

    Args:
        failures: in a row, until a circuit opens.
        seconds: how long it stays so.
        clock: in seconds, monotonic.
        observer: told of changes.
    """

    def __init__(
        self,
        failures: int,
        seconds: float,
        clock: Callable[[], float],
        observer: Observer | None = None,
    ) -> None:
        self._failures: Final = failures
        self._seconds: Final = seconds
        self._clock: Final = clock
        self._observer: Final = observer
        self._circuits: Final[OrderedDict[Way, Circuit]] = OrderedDict()

    def __len__(self) -> int:
        """How many hosts and repositories failed lately."""
        return len(self._circuits)

    def states(self) -> Mapping[State, int]:
        """How many circuits are open and half open."""
        now = self._clock()
        counts = Counter(
            one.state(now, self._seconds) for one in self._circuits.values()
        )
        return {state: counts[state] for state in (State.OPEN, State.HALF_OPEN)}

    def is_closed(self, way: Way) -> bool:
        """Whether neither the repository nor its host failed too often."""
        return all(one.opened is None for _, one in self._known(way))

    def admits(self, way: Way) -> bool:
        """Whether a request may be sent now.

        Each that may ends with `answered`, `failed`, `faulted` or `released`.
        """
        now, known = self._clock(), self._known(way)
        if not all(one.admits(now, self._seconds) for _, one in known):
            return False
        for whose, one in known:
            if one.opened is not None:
                self._keep(whose, replace(one, is_probed=True))
        return True

    def answered(self, way: Way) -> None:
        """A request was answered."""
        for whose, circuit in self._known(way):
            del self._circuits[whose]
            if circuit.opened is not None and self._observer is not None:
                self._observer.closed(whose)

    def failed(self, way: Way) -> None:
        """A request failed, whatever repository it was about."""
        if way.repository:
            self._release(way)
        self._fail(way.host, self._failures)

    def faulted(self, way: Way) -> None:
        """A request failed, and that may be so for its repository only."""
        self._fail(way, self._failures)
        if way.repository:
            self._fail(way.host, max(self._failures, SEVERAL), way.repository)

    def released(self, way: Way) -> None:
        """A request ended that says nothing of the host."""
        for whose in (way, way.host):
            self._release(whose)

    def _release(self, whose: Way) -> None:
        circuit = self._circuits.get(whose)
        if circuit is not None:
            self._keep(whose, circuit.released())

    def _known(self, way: Way) -> list[tuple[Way, Circuit]]:
        """The circuits that a request goes through, as far as something failed."""
        if not self._circuits:
            return []
        whose = (way, way.host) if way.repository else (way,)
        found = ((one, self._circuits.get(one)) for one in whose)
        return [(one, circuit) for one, circuit in found if circuit is not None]

    def _fail(self, whose: Way, most: int, repository: str = "") -> None:
        before = self._circuits.get(whose, Circuit())
        after = before.failed(self._clock(), most, repository)
        self._keep(whose, after)
        is_new = before.opened is None and after.opened is not None
        if is_new and self._observer is not None:
            self._observer.opened(whose)

    def _keep(self, whose: Way, circuit: Circuit) -> None:
        self._circuits[whose] = circuit
        self._circuits.move_to_end(whose)
        if len(self._circuits) > MAX_CIRCUITS:
            self._circuits.popitem(last=False)
