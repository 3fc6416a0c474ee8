"""What other packages do, as metrics and lines of the log."""

from __future__ import annotations

from app.telemetry import Metrics, log_event, log_warning


class RegistryObserver:
    """Counts what goes to registries, and what caches save."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def request(self, kind: str, outcome: str, *, seconds: float) -> None:
        """One request."""
        self._metrics.count("registry_requests_total", kind=kind, outcome=outcome)
        name = "registry_request_duration_seconds"
        self._metrics.observe(name, seconds, kind=kind)

    def cache(self, result: str) -> None:
        """One question to the cache."""
        self._metrics.count("registry_lookups_total", result=result)

    def evicted(self, cache: str) -> None:
        """An entry of a cache went for want of room."""
        self._metrics.count("cache_evictions_total", cache=cache)


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
