"""The kubelet's three probes of one container: HTTP, in its rhythm or quicker."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

EARLY_SECONDS: Final = 0.05
"""Between the probes of what has not been ready yet."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe.

    Attributes:
        path: of its GET.
        port: where.
        is_tls: whether over HTTPS, without a look at the certificate.
        period_seconds: between two.
        timeout_seconds: for an answer.
        threshold: failures in a row that count.
    """

    path: str
    port: int
    is_tls: bool
    period_seconds: float
    timeout_seconds: float
    threshold: int

    def passes(self) -> bool:
        """Asks once, at the machine's own loopback address."""
        timeout = self.timeout_seconds
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        if self.is_tls:
            tls = ssl.create_default_context()
            tls.check_hostname = False
            tls.verify_mode = ssl.CERT_NONE
            connection = http.client.HTTPSConnection(
                "127.0.0.1", self.port, timeout=timeout, context=tls
            )
        try:
            connection.request("GET", self.path)
            return 200 <= connection.getresponse().status < 400
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def read(
    content: Mapping[str, Any] | None, port_of: Callable[[int | str], int]
) -> Probe | None:
    """A probe of a container; `None` where it has none."""
    if content is None:
        return None
    get = content["httpGet"]
    return Probe(
        path=get.get("path", "/"),
        port=port_of(get["port"]),
        is_tls=get.get("scheme") == "HTTPS",
        period_seconds=content.get("periodSeconds", 10),
        timeout_seconds=content.get("timeoutSeconds", 1),
        threshold=content.get("failureThreshold", 3),
    )


class Health(Enum):
    """What the probes say."""

    STARTING = auto()
    UNREADY = auto()
    READY = auto()
    DEAD = auto()


class Probes:
    """The state of one container's probes; `tick` often."""

    def __init__(
        self,
        container: Mapping[str, Any],
        port_of: Callable[[int | str], int],
        *,
        pace: float,
    ) -> None:
        """Reads them.

        Args:
            container: of a Pod's spec.
            port_of: the real port behind a port's name or number.
            pace: times the periods of readiness, and of liveness.
        """
        self._startup: Final = read(container.get("startupProbe"), port_of)
        self._liveness: Final = read(container.get("livenessProbe"), port_of)
        self._readiness: Final = read(container.get("readinessProbe"), port_of)
        self._pace: Final = pace
        self._born: Final = time.monotonic()
        self._next: Final[dict[str, float]] = {}
        self._failures: Final[dict[str, int]] = {}
        self._is_started = self._startup is None
        self._is_ready = False

    def tick(self) -> Health:
        """Probes what is due."""
        now = time.monotonic()
        if not self._is_started:
            return self._starting(now)
        if self._has_died(now):
            return Health.DEAD
        self._look(now)
        return Health.READY if self._is_ready else Health.UNREADY

    def _starting(self, now: float) -> Health:
        probe = self._startup
        assert probe is not None
        if self._due("startup", now, EARLY_SECONDS) and probe.passes():
            self._is_started = True
            return Health.UNREADY
        given = probe.period_seconds * probe.threshold
        return Health.DEAD if now - self._born > given else Health.STARTING

    def _has_died(self, now: float) -> bool:
        probe = self._liveness
        if probe is None:
            return False
        if self._due("liveness", now, probe.period_seconds * self._pace):
            failures = 0 if probe.passes() else self._failures.get("liveness", 0) + 1
            self._failures["liveness"] = failures
        return self._failures.get("liveness", 0) >= probe.threshold

    def _look(self, now: float) -> None:
        probe = self._readiness
        if probe is None:
            self._is_ready = True
            return
        slow = probe.period_seconds * self._pace
        if not self._due("readiness", now, slow if self._is_ready else EARLY_SECONDS):
            return
        if probe.passes():
            self._is_ready = True
            self._failures["readiness"] = 0
        else:
            failures = self._failures.get("readiness", 0) + 1
            self._failures["readiness"] = failures
            self._is_ready = self._is_ready and failures < probe.threshold

    def _due(self, name: str, now: float, period_seconds: float) -> bool:
        if now < self._next.get(name, 0.0):
            return False
        self._next[name] = now + period_seconds
        return True
