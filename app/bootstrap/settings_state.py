"""What is known of the settings file, for probes, metrics and people."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from app.bootstrap.health import Health
from app.status import SettingsFile
from app.telemetry import Metrics


class SettingsState:
    """Which settings hold, what is wrong with newer ones, and what they still need.

    Args:
        path: of the file; `None` for none.
        metrics: kept up to date.
        now: when the process took its first settings into use.
    """

    def __init__(self, path: Path | None, metrics: Metrics, now: datetime) -> None:
        self._path = path
        self._metrics = metrics
        self._loaded = now
        self._faults: tuple[str, ...] = ()
        self._restart_needed: tuple[str, ...] = ()
        self.taken(now)
        self.found((), ())

    @property
    def faults(self) -> tuple[str, ...]:
        """What is wrong with the file, one line each; empty while it holds."""
        return self._faults

    @property
    def restart_needed(self) -> tuple[str, ...]:
        """Settings of the file that only a new process takes up."""
        return self._restart_needed

    def taken(self, now: datetime) -> None:
        """Other settings hold from now on."""
        self._loaded = now
        name = "config_reload_success_timestamp_seconds"
        self._metrics.set(name, now.timestamp())

    def found(
        self, faults: tuple[str, ...], restart_needed: tuple[str, ...] | None = None
    ) -> None:
        """What the file is like now; of an invalid one we know no more than that."""
        self._faults = faults
        if restart_needed is not None:
            self._restart_needed = restart_needed
        self._metrics.set("config_invalid", float(bool(faults)))
        is_needed = float(bool(self._restart_needed))
        self._metrics.set("config_restart_needed", is_needed)

    def warnings(self) -> tuple[str, ...]:
        """What somebody should look at; one line each."""
        lines = []
        if self._faults:
            first, *more = self._faults
            others = f" (and {len(more)} more)" if more else ""
            lines.append(f"invalid settings, older ones hold: {first}{others}")
        if self._restart_needed:
            names = ", ".join(self._restart_needed)
            lines.append(f"settings that need a new process: {names}")
        return tuple(lines)

    def status(self) -> SettingsFile:
        """For `/statusz`."""
        return SettingsFile(
            file=str(self._path) if self._path is not None else "",
            loaded=self._loaded.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            invalid="\n".join(self._faults),
            restart_needed=self._restart_needed,
        )


class SettingsHealth:
    """What `/readyz` is told, the settings file included.

    An invalid file never makes us unready: older settings hold, and a replica that
    is taken out would serve nobody.
    """

    def __init__(self, health: Health, state: SettingsState) -> None:
        self._health = health
        self._state = state

    def problems(self) -> tuple[str, ...]:
        """What keeps us from being ready."""
        return self._health.problems()

    def warnings(self) -> tuple[str, ...]:
        """What somebody should look at."""
        return (*self._health.warnings(), *self._state.warnings())
