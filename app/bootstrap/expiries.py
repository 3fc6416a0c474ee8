"""Exemptions end: that is said once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from app.admission.exemption import Exemption, expired
from app.telemetry import log_event


class Expiries:
    """Tells of each exemption that it has expired: once, when that is noticed."""

    def __init__(self, exemptions: Sequence[Exemption]) -> None:
        self._left = tuple(exemptions)

    def report(self) -> None:
        """Writes a line for each that has expired since the last time."""
        now = datetime.now(UTC)
        for one in expired(self._left, now=now):
            log_event(
                "exemption expired",
                owner=one.owner,
                reason=one.reason,
                expires=one.expires,
                namespaces=one.namespaces,
                images=one.images,
                service_accounts=one.service_accounts,
            )
        self._left = tuple(one for one in self._left if not one.has_expired(now))
