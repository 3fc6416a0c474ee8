"""Where the serving certificate comes from, and what is told of it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from app.certificates.files import FileCertificates
from app.certificates.own import SelfCertificates
from app.certificates.rotation import Plan
from app.certificates.store import Place
from app.errors import ConfigError
from app.kube.objects import Objects, SendingTransport
from app.settings.sections import (
    CertificateMode,
    CertificateSettings,
    ServerSettings,
    Settings,
)
from app.telemetry import Metrics, log_event, log_exception, log_warning

Certificates = FileCertificates | SelfCertificates

ADMISSION: Final = "/apis/admissionregistration.k8s.io/v1"


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

    def refused(self, *, is_refused: bool) -> None:
        """Whether what is there to be served is, at this moment, not usable."""
        self._metrics.set("certificate_refused", float(is_refused))

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

    def warned(self, event: str, **fields: object) -> None:
        """A line that a person should look at."""
        log_warning(event, **fields)

    def erred(self, event: str, **fields: object) -> None:
        """A line of an exception of ours."""
        log_exception(event, **fields)


def certificates(
    settings: Settings, metrics: Metrics, transport: SendingTransport | None
) -> Certificates:
    """The serving certificate, as `certificates.mode` says.

    Args:
        settings: of the process.
        metrics: counts what happens.
        transport: the way to the API server; `None` where there is none.

    Raises:
        ConfigError: files are not set, or there is no API server to ask.
    """
    if settings.certificates.mode is CertificateMode.FILES:
        return from_files(settings.server, metrics)
    if transport is None:
        text = "certificates.mode self: there is no API server to keep them"
        raise ConfigError("MissingCertificate", text)
    return self_managed(settings.certificates, metrics, transport)


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


def self_managed(
    settings: CertificateSettings, metrics: Metrics, transport: SendingTransport
) -> SelfCertificates:
    """The certificate that the replicas make and share."""
    configurations = {
        "validatingwebhookconfigurations": settings.validating_configuration,
        "mutatingwebhookconfigurations": settings.mutating_configuration,
    }
    return SelfCertificates(
        Objects(transport),
        _plan(settings),
        secret=Place(
            f"/api/v1/namespaces/{settings.namespace}/secrets", settings.secret
        ),
        configurations=[
            Place(f"{ADMISSION}/{kind}", name)
            for kind, name in configurations.items()
            if name
        ],
        observer=CertificateObserver(metrics),
    )


def _plan(settings: CertificateSettings) -> Plan:
    short = f"{settings.service}.{settings.namespace}"
    return Plan(
        names=(
            f"{short}.svc",
            short,
            settings.service,
            f"{short}.svc.{settings.cluster_domain}",
        ),
        authority_seconds=settings.authority_seconds,
        leaf_seconds=settings.leaf_seconds,
        renew_at=settings.renew_at,
        publish_seconds=settings.publish_seconds,
    )
