"""Which registries hang, and how long one waits for a registry.

A lookup that runs out of time leaves its registry hanging, until a lookup on it gets
an answer. That a host is left alone (`breaker`) is no answer: the two live side by
side. Hanging is about who waits, and begins with the first lookup that nobody should
have waited for; a circuit is about what is sent, and opens after several failures of
any kind. What waits for its turn among ours asks nobody, and is nobody's fault.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from app.oci.cache import TimedCache
from app.ports import ImageOutcome, Resolved, Unavailable

TIMEOUT: Final = "Timeout"
OVERLOADED: Final = "Overloaded"
_UNASKED: Final = frozenset({"CircuitOpen", OVERLOADED})
_HANGING_SECONDS: Final = 300.0
HANGING_BYTES: Final = 1 << 20


class Patience:
    """Knows which registries hang.

    Args:
        seconds: how old a lookup may become until nobody waits for it.
        clock: in seconds, monotonic.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds: Final = seconds
        self._hanging: Final[TimedCache[str, bool]] = TimedCache(
            clock, most_bytes=HANGING_BYTES
        )

    def __len__(self) -> int:
        """How many registries hang."""
        return len(self._hanging)

    def left(self, host: str, *, age_seconds: float) -> float:
        """How long one waits for a registry now, in seconds; 0 if it hangs.

        Args:
            host: the registry.
            age_seconds: of the oldest lookup on it.
        """
        return 0.0 if self.is_hanging(host) else self._seconds - age_seconds

    def is_hanging(self, host: str) -> bool:
        """Whether nobody waits for a registry."""
        return self._hanging.get(host) is not None

    def learn(self, host: str, outcome: ImageOutcome) -> None:
        """Takes in how a lookup ended."""
        reasons = unavailable(outcome)
        if TIMEOUT in reasons:
            self._hanging.put(
                host, value=True, seconds=_HANGING_SECONDS, content_bytes=len(host)
            )
        elif not reasons & _UNASKED:
            self._hanging.drop(host)


def unavailable(outcome: ImageOutcome) -> frozenset[str]:
    """Why parts of an outcome, or all of it, could not be looked for."""
    parts = outcome.platforms.values() if isinstance(outcome, Resolved) else (outcome,)
    return frozenset(one.reason for one in parts if isinstance(one, Unavailable))
