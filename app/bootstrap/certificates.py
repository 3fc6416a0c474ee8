"""Where the serving certificate comes from, and what is told of it."""

from __future__ import annotations

from datetime import datetime

from app.certificates.files import FileCertificates
from app.errors import ConfigError
from app.settings import ServerSettings
from app.telemetry import Metrics, log_event


class CertificateObserver:
    """Counts what happens to certificates, and logs it."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def rotated(self, what: str, result: str) -> None:
        """Something was made or published, or should have been."""
        self._metrics.count("certificate_rotations_total", what=what, result=result)

    def reloaded(self, result: str) -> None:
        """A certificate was taken into use, or refused."""
        self._metrics.count("certificate_reloads_total", result=result)
        self._metrics.set("certificate_refused", float(result == "broken"))

    def expiry(self, certificate: str, ends: datetime) -> None:
        """When what is served, or published, ends."""
        name = "certificate_expiry_timestamp_seconds"
        self._metrics.set(name, ends.timestamp(), certificate=certificate)

    def published(self, *, is_published: bool) -> None:
        """Whether every `caBundle` of ours trusts what is served."""
        self._metrics.set("certificate_published", float(is_published))

    def said(self, event: str, **fields: object) -> None:
        """A line for the log."""
        log_event(event, **fields)


def from_files(settings: ServerSettings, metrics: Metrics) -> FileCertificates:
    """The certificate of `server.certificate` and `server.privateKey`.

    Raises:
        ConfigError: one of both is not set.
    """
    if settings.certificate is None or settings.private_key is None:
        text = "server.certificate and server.privateKey are needed: two PEM files"
        raise ConfigError("MissingCertificate", text)
    return FileCertificates(
        settings.certificate,
        settings.private_key,
        check_seconds=settings.check_seconds,
        observer=CertificateObserver(metrics),
    )
