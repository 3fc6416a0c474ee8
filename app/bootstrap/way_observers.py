"""How hosts, programs and Secrets fare on the way to registries.

Of hosts and programs the log tells only changes: a mirror that is down would else
write a line for each image.
"""

from __future__ import annotations

from typing import Final

from app.kube.observer import SilentObserver
from app.telemetry import Metrics, log_event, log_warning

MAX_KNOWN: Final = 1024
"""Hosts and programs whose state is kept; operators name them all."""

_FINE: Final = frozenset({"given", "nothing"})


class WayObserver:
    """Told which mirrors are passed over; implements `ways.ways.Observer`."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def passed_over(self, host: str, reason: str) -> None:
        """A mirror did not answer, and another host is asked; `""`: it did."""
        if not _is_new(self._known, host, reason):
            return
        if reason:
            log_warning("mirror passed over", host=host, reason=reason)
        else:
            log_event("mirror answers again", host=host)


class ProgramObserver:
    """Told how credential programs fare; implements `programs.Observer`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics: Final = metrics
        self._known: dict[str, str] = {}

    def program(self, kind: str, name: str, outcome: str, *, seconds: float) -> None:
        """One run."""
        counter = "credential_programs_total"
        self._metrics.count(counter, kind=kind, outcome=outcome)
        wrong = "" if outcome in _FINE else str(outcome)
        if not _is_new(self._known, f"{kind} {name}", wrong):
            return
        if wrong:
            log_warning(
                "credential program failed",
                kind=kind,
                program=name,
                reason=wrong,
                seconds=round(seconds, 3),
            )
        else:
            log_event("credential program works again", kind=kind, program=name)


class PullSecretObserver(SilentObserver):
    """Counts what becomes of pull secrets; implements `kube.observer.Observer`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics: Final = metrics

    def counted(self, resource: str, event: str) -> None:
        """One Secret or ServiceAccount: `read`, `absent`, `withheld`, ..."""
        name = "pull_secret_reads_total"
        self._metrics.count(name, resource=resource, event=event)


def _is_new(known: dict[str, str], name: str, state: str) -> bool:
    """Whether that is another state than before; the first is fine."""
    if known.get(name, "") == state:
        return False
    if len(known) >= MAX_KNOWN and name not in known:
        return False
    known[name] = state
    return True
