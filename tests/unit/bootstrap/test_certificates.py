"""Which certificates the settings ask for, and what is told of them."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.bootstrap.certificates import CertificateObserver, certificates
from app.bootstrap.connecting import LazyConnection
from app.certificates.files import FileCertificates
from app.certificates.own import SelfCertificates
from app.errors import ClusterError, ConfigError
from app.kube.objects import DatedResponse
from app.settings.sections import ClusterSettings, Settings
from app.telemetry import Metrics


class NoTransport:
    """Implements `SendingTransport`; nothing is to be asked of it."""

    def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        body: bytes | None = None,
        content_type: str = "application/json",
    ) -> AbstractAsyncContextManager[DatedResponse]:
        raise AssertionError((method, path, query, body, content_type))

    async def renew(self) -> None:
        raise AssertionError


def settings(**sections: Mapping[str, object]) -> Settings:
    return Settings.model_validate(sections)


def test_files_are_served_where_they_are_set() -> None:
    server = {"certificate": "/tls/tls.crt", "privateKey": "/tls/tls.key"}
    found = certificates(settings(server=server), Metrics(), None)
    assert isinstance(found, FileCertificates)
    assert "/tls/tls.crt" == found.status()["file"]


@pytest.mark.parametrize("field", ["certificate", "privateKey"])
def test_files_that_are_not_set_are_named(field: str) -> None:
    with pytest.raises(ConfigError, match=r"server\.certificate") as caught:
        certificates(settings(server={field: Path("/tls")}), Metrics(), None)
    assert "MissingCertificate" == caught.value.reason


def test_our_own_need_an_api_server() -> None:
    asked = settings(certificates={"mode": "self"})
    with pytest.raises(ConfigError, match="no API server"):
        certificates(asked, Metrics(), None)


def test_our_own_are_for_the_service_and_in_its_namespace() -> None:
    asked = settings(
        certificates={
            "mode": "self",
            "namespace": "ns",
            "service": "svc",
            "secret": "tls",
            "clusterDomain": "example.internal",
            "validatingConfiguration": "v",
            "mutatingConfiguration": "",
        }
    )
    found = certificates(asked, Metrics(), NoTransport())
    assert isinstance(found, SelfCertificates)
    assert ("svc.ns.svc", "svc.ns", "svc", "svc.ns.svc.example.internal") == (
        found._replica._plan.names
    )
    assert "/api/v1/namespaces/ns/secrets" == found._secret.collection
    assert ["validatingwebhookconfigurations/v"] == list(found._places)
    assert isinstance(found.context(), ssl.SSLContext)


def test_what_happens_is_counted_and_logged(
    events: list[dict[str, object]],
) -> None:
    metrics = Metrics()
    told = CertificateObserver(metrics)
    told.rotated("leaf", "made")
    told.expiry("authority", datetime(2026, 11, 21, tzinfo=UTC))
    told.published(is_published=True)
    told.said("certificate taken", notAfter="then")
    told.warned("certificate refused", detail="why")
    told.erred("certificate check failed")
    text = metrics.text().decode()
    for line in (
        'certificate_rotations_total{result="made",what="leaf"} 1.0',
        'certificate_expiry_timestamp_seconds{certificate="authority"} 1.7952192e+09',
        "certificate_published 1.0",
    ):
        assert f"imagecompat_{line}" in text
    assert [
        {"level": "info", "event": "certificate taken", "notAfter": "then"},
        {"level": "warning", "event": "certificate refused", "detail": "why"},
        {"level": "error", "event": "certificate check failed"},
    ] == events


async def test_before_the_connection_is_open_nothing_can_be_sent() -> None:
    connection = LazyConnection(ClusterSettings())
    with pytest.raises(ClusterError) as caught:
        async with connection.send("GET", "/", {}):
            pytest.fail("sent without a connection")
    assert "NotConnected" == caught.value.reason
    await connection.close()


async def test_an_open_connection_sends(tmp_path: Path) -> None:
    content = {
        "current-context": "one",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
    }
    file = tmp_path / "config"
    file.write_text(json.dumps(content))
    connection = LazyConnection(ClusterSettings(kubeconfig=file))
    await connection.open()
    try:
        assert connection.send("GET", "/", {}) is not None
        await connection.renew()
    finally:
        await connection.close()
