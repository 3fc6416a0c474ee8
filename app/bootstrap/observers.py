"""What other packages do, as metrics and lines of the log."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from app.oci.registry.breaker import Way
from app.telemetry import Metrics, log_event, log_warning

LINES: Final = 10
"""Of a minute, about registries that are left alone: their names are anybody's."""
_MINUTE: Final = 60.0


class RegistryObserver:
    """Counts what goes to registries, and what caches save.

    Args:
        metrics: counts.
        clock: in seconds, monotonic.

    Attributes:
        metrics: the same.
    """

    def __init__(
        self, metrics: Metrics, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.metrics: Final = metrics
        self._clock: Final = clock
        self._minute = clock()
        self._lines = 0
        self._unsaid = 0

    def request(self, kind: str, outcome: str, *, seconds: float) -> None:
        """One request."""
        self.metrics.count("registry_requests_total", kind=kind, outcome=outcome)
        name = "registry_request_duration_seconds"
        self.metrics.observe(name, seconds, kind=kind)

    def cache(self, result: str) -> None:
        """One question to the cache."""
        self.metrics.count("registry_lookups_total", result=result)

    def evicted(self, cache: str) -> None:
        """An entry of a cache went for want of room."""
        self.metrics.count("cache_evictions_total", cache=cache)

    def opened(self, way: Way) -> None:
        """A registry, who answers for it, or a repository is left alone from now on."""
        self.metrics.count("registry_circuits_opened_total")
        unsaid = self._room()
        if unsaid is not None:
            log_warning(
                "registry left alone",
                registry=way.registry,
                asked=way.asked,
                repository=way.repository,
                unsaid=unsaid,
            )

    def closed(self, way: Way) -> None:
        """It has answered again."""
        unsaid = self._room()
        if unsaid is not None:
            log_event(
                "registry answers again",
                registry=way.registry,
                asked=way.asked,
                repository=way.repository,
                unsaid=unsaid,
            )

    def _room(self) -> int | None:
        """How many lines were left out before this one; `None` leaves it out, too."""
        now = self._clock()
        if now - self._minute >= _MINUTE:
            self._minute, self._lines = now, 0
        if self._lines >= LINES:
            self._unsaid += 1
            return None
        self._lines += 1
        unsaid, self._unsaid = self._unsaid, 0
        return unsaid


class ClusterObserver:
    """Counts what the watches do, and logs what changes."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def counted(self, resource: str, event: str) -> None:
        """One more event."""
        self._metrics.count("watch_events_total", resource=resource, event=event)

    def synced(self, resource: str, objects: int) -> None:
        """A list has been taken in."""
        log_event("synced", resource=resource, objects=objects)

    def failed(self, resource: str, reason: str, detail: str) -> None:
        """A try failed for another reason than the one before."""
        log_warning("watch failed", resource=resource, reason=reason, detail=detail)

    def recovered(self, resource: str) -> None:
        """A watch is open again."""
        log_event("watch recovered", resource=resource)

    def installed(self, resource: str, *, is_installed: bool) -> None:
        """An optional kind turns out to be installed, or not to be."""
        log_event("kind installed" if is_installed else "kind absent", kind=resource)
