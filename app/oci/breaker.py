"""When a host that fails is left alone for a while, and when it is tried again.

A circuit is `closed` as long as a host answers. After `failures` in a row it is
`open`: nothing is sent for `seconds`. Then it is `half open`: one request is let
through, and its end decides.

* Failures are requests that no connection or answer came of, in the time that there
  was for it, and answers from 500 on. Any other answer closes the circuit.
* 429 is an answer: it is meant for one credential or one repository, and others must
  not wait for it. What it costs is bounded by how long an outcome holds.
* A circuit belongs to the registry that a lookup is about *and* the host that is
  asked for it (the same one, a token server, the target of a redirect): a hostile
  registry that redirects to where it fails hurts nobody's lookups but its own.

Both names are anybody's input, so that only `MAX_CIRCUITS` are kept, and none of a
host that did not fail.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

MAX_CIRCUITS: Final = 4096
"""Hosts that failed lately."""


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
    """

    registry: str
    asked: str


@dataclass(frozen=True, slots=True)
class Circuit:
    """What is known of a host that failed; each step gives another one.

    Attributes:
        failures: in a row.
        opened: when it opened or its probe failed, in seconds; `None` while closed.
        is_probed: whether the one request is under way.
    """

    failures: int = 0
    opened: float | None = None
    is_probed: bool = False

    def state(self, now: float, seconds: float) -> State:
        """What it is at `now`, if it opens for so many seconds."""
        if self.opened is None:
            return State.CLOSED
        return State.HALF_OPEN if now - self.opened >= seconds else State.OPEN

    def failed(self, now: float, most: int) -> Circuit:
        """After one more failure; `most` of them open it."""
        failures = self.failures + 1
        opens = self.is_probed or (self.opened is None and failures >= most)
        return Circuit(failures, now if opens else self.opened)

    def released(self) -> Circuit:
        """After a request that told nothing."""
        return replace(self, is_probed=False)


class Observer(Protocol):
    """Told when a host is left alone, and when no more."""

    def opened(self, way: Way) -> None:
        """A circuit has opened that was closed."""
        ...

    def closed(self, way: Way) -> None:
        """A circuit has closed that was open."""
        ...


class Breaker:
    """The circuits of all hosts.

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
        """How many hosts failed lately."""
        return len(self._circuits)

    def states(self) -> Mapping[State, int]:
        """How many circuits are open and half open."""
        now = self._clock()
        counts = Counter(
            one.state(now, self._seconds) for one in self._circuits.values()
        )
        return {state: counts[state] for state in (State.OPEN, State.HALF_OPEN)}

    def is_closed(self, way: Way) -> bool:
        """Whether the host did not fail too often."""
        circuit = self._circuits.get(way)
        return circuit is None or circuit.opened is None

    def admits(self, way: Way) -> bool:
        """Whether a request may be sent now.

        Each that may ends with `answered`, `failed` or `released`.
        """
        circuit = self._circuits.get(way)
        if circuit is None or circuit.opened is None:
            return True  # closed
        state = circuit.state(self._clock(), self._seconds)
        if state is State.OPEN or circuit.is_probed:
            return False
        self._keep(way, replace(circuit, is_probed=True))
        return True

    def answered(self, way: Way) -> None:
        """A request was answered."""
        circuit = self._circuits.pop(way, None)
        if circuit is not None and circuit.opened is not None and self._observer:
            self._observer.closed(way)

    def failed(self, way: Way) -> None:
        """A request failed."""
        before = self._circuits.get(way, Circuit())
        after = before.failed(self._clock(), self._failures)
        self._keep(way, after)
        if before.opened is None and after.opened is not None and self._observer:
            self._observer.opened(way)

    def released(self, way: Way) -> None:
        """A request ended that says nothing of the host."""
        circuit = self._circuits.get(way)
        if circuit is not None:
            self._keep(way, circuit.released())

    def _keep(self, way: Way, circuit: Circuit) -> None:
        self._circuits[way] = circuit
        self._circuits.move_to_end(way)
        if len(self._circuits) > MAX_CIRCUITS:
            self._circuits.popitem(last=False)
