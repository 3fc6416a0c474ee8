"""Exemptions end: that is said once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from app.admission.exemption import Exemption, expired
from app.telemetry import log_event


class Expiries:
    """Tells of each exemption that it has expired: once, when that is noticed.

    Args:
        given: the exemptions that hold now; others after a change of settings.
    """

    def __init__(self, given: Callable[[], Sequence[Exemption]]) -> None:
        self._given = given
        self._told: frozenset[Exemption] = frozenset()

    def report(self) -> None:
        """Writes a line for each that has expired since the last time."""
        over = expired(self._given(), now=datetime.now(UTC))
        for one in over:
            if one not in self._told:
                log_event(
                    "exemption expired",
                    owner=one.owner,
                    reason=one.reason,
                    expires=one.expires,
                    namespaces=one.namespaces,
                    images=one.images,
                    service_accounts=one.service_accounts,
                )
        self._told = frozenset(over)
