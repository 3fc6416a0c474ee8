"""What the webhook is made of, as it sees it; `bootstrap` joins the real ones."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from app.admission.review import Response, Review
from app.checker.record import Webhook
from app.status import Status
from app.telemetry import Metrics


class Reviewer(Protocol):
    """Answers reviews; never raises, always within the deadline."""

    async def validate(self, request: Review, *, deadline_seconds: float) -> Response:
        """Allows, warns or denies."""
        ...

    async def mutate(self, request: Review, *, deadline_seconds: float) -> Response:
        """Allows, with a patch of annotations."""
        ...

    async def shed(
        self, request: Review, webhook: Webhook, *, deadline_seconds: float
    ) -> Response:
        """The answer to a review that there is no room for; its object is not read."""
        ...


class Health(Protocol):
    """Says whether reviews can be judged."""

    def problems(self) -> tuple[str, ...]:
        """What keeps us from being ready; empty when ready."""
        ...

    def warnings(self) -> tuple[str, ...]:
        """What somebody should look at, though we are ready."""
        ...


class Certificates(Protocol):
    """The serving certificate, wherever it comes from."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Entered while the webhook runs; looks after the certificate."""
        ...

    async def available(self) -> None:
        """Returns once there is one to serve."""
        ...

    def context(self) -> ssl.SSLContext:
        """For the listener; each new handshake gets the newest certificate."""
        ...

    def problems(self) -> tuple[str, ...]:
        """What keeps us from being ready."""
        ...

    def warnings(self) -> tuple[str, ...]:
        """What somebody should look at."""
        ...

    def status(self) -> Mapping[str, object]:
        """For `/statusz`."""
        ...


class Parts(Protocol):
    """What the webhook is made of; `bootstrap.Wired` implements it."""

    @property
    def reviewer(self) -> Reviewer:
        """Answers reviews."""
        ...

    @property
    def health(self) -> Health:
        """Decides `/readyz`, together with the certificates."""
        ...

    @property
    def certificates(self) -> Certificates:
        """What the HTTPS port shows."""
        ...

    @property
    def metrics(self) -> Metrics:
        """What `/metrics` prints, and where reviews are counted."""
        ...

    @property
    def running(self) -> Callable[[], AbstractAsyncContextManager[None]]:
        """Entered before the HTTPS port opens; starts the watches."""
        ...

    @property
    def refresh(self) -> Callable[[], None]:
        """Called before metrics are printed, to bring gauges up to date."""
        ...

    @property
    def job_seconds(self) -> Callable[[], float]:
        """For how long the worker thread is in one job; 0 if in none."""
        ...

    @property
    def status(self) -> Callable[[], Status]:
        """What `/statusz` tells of the parts; the webhook adds its own state."""
        ...
