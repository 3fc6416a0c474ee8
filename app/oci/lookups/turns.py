"""How many lookups run at the same time, in all and for each registry.

1. `most` in all, and `per_host` for each registry.
2. Registries that are known (`known`) or that settings name may take all of them.
   Unknown ones have half of them together, and those of one zone as much as one
   registry. A domain with thousands of names that never answer takes no more turns
   than one registry that hangs.
3. A registry that settings do not name can answer once and hang later: those of one
   zone have a quarter together, and one that runs out of time is unknown again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from app.oci.lookups.known import zone


class Gate(NamedTuple):
    """Lets so many in at the same time.

    Attributes:
        name: of those who share it; no two kinds of gates have equal ones.
        most: of them.
    """

    name: str
    most: int


def gates(
    host: str, most: int, per_host: int, *, is_known: bool, is_named: bool = False
) -> tuple[Gate, ...]:
    """What a lookup goes through, the narrowest first, so that who waits takes little.

    Args:
        host: the registry.
        most: lookups, in all.
        per_host: for each registry.
        is_known: it has answered lately.
        is_named: settings name it.
    """
    whole = Gate("", most)
    if is_named:
        return Gate(host, per_host), whole
    if is_known:
        of_zone = Gate(f"known in {zone(host)}", max(most // 4, per_host))
        return Gate(host, per_host), of_zone, whole
    unknown = Gate("unknown", max(most // 2, 1))
    return Gate(f"unknown in {zone(host)}", per_host), unknown, whole


class Turns:
    """Lets so many in; the others wait, who came first goes first.

    What is kept of a gate goes with the last who uses it.
    """

    def __init__(self) -> None:
        self._gates: Final[dict[Gate, tuple[asyncio.Semaphore, int]]] = {}

    def __len__(self) -> int:
        """How many gates somebody waits at, or went through and has not left."""
        return len(self._gates)

    def is_free(self, gates: Sequence[Gate]) -> bool:
        """Whether a turn would come at once."""
        held = (self._gates.get(gate) for gate in gates)
        return not any(one is not None and one[0].locked() for one in held)

    @asynccontextmanager
    async def turn(self, gates: Sequence[Gate]) -> AsyncIterator[None]:
        """Waits for its turn at one after the other."""
        passed = []
        used = [self._used(gate) for gate in gates]
        try:
            for one in used:
                await one.acquire()
                passed.append(one)
            yield
        finally:
            for one in passed:
                one.release()
            for gate in gates:
                self._left(gate)

    def _used(self, gate: Gate) -> asyncio.Semaphore:
        one, users = self._gates.get(gate, (asyncio.Semaphore(gate.most), 0))
        self._gates[gate] = (one, users + 1)
        return one

    def _left(self, gate: Gate) -> None:
        one, users = self._gates.pop(gate)
        if users > 1:
            self._gates[gate] = (one, users - 1)
