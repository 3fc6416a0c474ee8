"""Configurations that can and cannot be used; nothing is asked of a server."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from kubernetes.aio.config import incluster_config

from app.errors import ClusterError, ConfigError
from app.kube.connection import Connection, HttpResponse, _faults, warning_texts
from tests.tools.authority import Authority

SECRET = "a-secret-token"


def kubeconfig(
    folder: Path,
    user: Mapping[str, Any] | None = None,
    cluster: Mapping[str, Any] | None = None,
) -> Path:
    """Writes a kubeconfig file; its path."""
    path = folder / "config"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "clusters": [
            {
                "name": "c",
                "cluster": {"server": "https://127.0.0.1:1", **(cluster or {})},
            },
            {"name": "d", "cluster": {"server": "https://two.example"}},
        ],
        "users": [{"name": "u", "user": user or {"token": SECRET}}],
        "contexts": [
            {"name": "one", "context": {"cluster": "c", "user": "u"}},
            {"name": "two", "context": {"cluster": "d", "user": "u"}},
        ],
    }
    path.write_text(json.dumps(content))
    return path


@asynccontextmanager
async def opened(path: Path, context: str | None = None) -> AsyncIterator[Connection]:
    connection = await Connection.open(kubeconfig=path, context=context)
    try:
        yield connection
    finally:
        await connection.close()


async def token(connection: Connection) -> str:
    configuration = connection._access.configuration
    found: str = await configuration.get_api_key_with_prefix("BearerToken")
    return found


async def test_a_kubeconfig_gives_address_and_token(tmp_path: Path) -> None:
    async with opened(kubeconfig(tmp_path)) as connection:
        assert "https://127.0.0.1:1" == connection._access.configuration.host
        assert f"Bearer {SECRET}" == await token(connection)


async def test_another_context_may_be_chosen(tmp_path: Path) -> None:
    async with opened(kubeconfig(tmp_path), "two") as connection:
        assert "https://two.example" == connection._access.configuration.host


async def test_renewing_reads_a_token_file_again(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")
    path = kubeconfig(tmp_path, {"tokenFile": str(file)})
    async with opened(path) as connection:
        file.write_text("new")
        assert "Bearer old" == await token(connection)
        await connection.renew()
        assert "Bearer new" == await token(connection)


async def test_what_cannot_be_renewed_stays_as_it_was(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path)
    async with opened(path) as connection:
        path.unlink()
        with pytest.raises(ConfigError):
            await connection.renew()
        assert f"Bearer {SECRET}" == await token(connection)


async def test_an_exec_plugin_gives_the_token(tmp_path: Path) -> None:
    plugin = tmp_path / "plugin"
    status = {"token": "from-plugin"}
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": status,
    }
    plugin.write_text(f"#!/bin/sh\necho '{json.dumps(credential)}'\n")
    plugin.chmod(0o700)
    user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": str(plugin),
            "interactiveMode": "Never",
        }
    }
    async with opened(kubeconfig(tmp_path, user)) as connection:
        assert "Bearer from-plugin" == await token(connection)


async def test_certificates_of_server_and_client_are_used(tmp_path: Path) -> None:
    files = Authority(tmp_path / "pki")
    client = {
        "client-certificate": str(files.certificate),
        "client-key": str(files.key),
    }
    path = kubeconfig(tmp_path, client, {"certificate-authority": str(files.ca)})
    async with opened(path) as connection:
        tls = connection._access.tls
        (authority,) = tls.get_ca_certs()
        assert ((("commonName", "test authority"),),) == authority["subject"]
        assert ssl.CERT_REQUIRED == tls.verify_mode
        assert not tls.verify_flags & ssl.VERIFY_X509_STRICT


async def test_verification_is_left_out_only_if_the_file_says_so(
    tmp_path: Path,
) -> None:
    path = kubeconfig(tmp_path, cluster={"insecure-skip-tls-verify": True})
    async with opened(path) as connection:
        assert ssl.CERT_NONE == connection._access.tls.verify_mode


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda path: path.unlink(), id="not there"),
        pytest.param(lambda path: path.write_text(""), id="empty"),
        pytest.param(lambda path: path.write_text("a: [b"), id="no YAML"),
        pytest.param(lambda path: path.write_text("just text"), id="no mapping"),
        pytest.param(lambda path: path.write_text("a: b"), id="no context"),
        pytest.param(lambda path: path.write_text("contexts: 1"), id="another shape"),
        pytest.param(lambda path: path.write_bytes(b"\xff\x00"), id="no text"),
    ],
)
async def test_a_file_that_is_no_kubeconfig_is_named(
    tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    path = kubeconfig(tmp_path)
    spoil(path)
    with pytest.raises(ConfigError, match=str(path)) as caught:
        await Connection.open(kubeconfig=path)
    assert "Kubeconfig" == caught.value.reason


async def test_a_context_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        await Connection.open(kubeconfig=kubeconfig(tmp_path), context="nowhere")


async def test_a_certificate_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, cluster={"certificate-authority": "/nowhere/ca.crt"})
    with pytest.raises(ConfigError, match=r"/nowhere/ca\.crt"):
        await Connection.open(kubeconfig=path)


async def test_outside_a_cluster_there_is_no_service_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ConfigError, match="the service account"):
        await Connection.open()


async def test_in_a_cluster_the_service_account_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Authority(tmp_path / "pki")
    account = tmp_path / "token"
    account.write_text(SECRET + "\n")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(account))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(files.ca))
    connection = await Connection.open()
    try:
        assert "https://[fd00::1]:443" == connection._access.configuration.host
        assert f"bearer {SECRET}\n" == await token(connection)
        assert SECRET not in repr(connection._access)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param(TimeoutError(), "Timeout", id="silence"),
        pytest.param(aiohttp.ServerTimeoutError("read"), "Timeout", id="idle"),
        pytest.param(ssl.SSLError("bad certificate"), "TlsFailure", id="TLS"),
        pytest.param(aiohttp.ClientPayloadError("cut"), "Unreachable", id="cut"),
        pytest.param(ConnectionResetError(104, "reset"), "Unreachable", id="reset"),
        pytest.param(OSError(), "Unreachable", id="no text"),
    ],
)
def test_every_fault_on_the_way_is_a_cluster_error(
    fault: Exception, reason: str
) -> None:
    with pytest.raises(ClusterError) as caught, _faults():
        raise fault
    assert reason == caught.value.reason
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("headers", "texts"),
    [
        pytest.param([], (), id="none"),
        pytest.param(['299 - "[IC101] no"', '299 - "b"'], ("[IC101] no", "b"), id="2"),
        pytest.param(['299 - "a", 299 - "b"'], ("a", "b"), id="two in one header"),
        pytest.param([r'299 - "rule \"x\\y\""'], ('rule "x\\y"',), id="quoted"),
        pytest.param(['199 - "stale"', "nonsense"], (), id="of another kind"),
    ],
)
def test_warnings_are_read_as_kubectl_reads_them(
    headers: list[str], texts: tuple[str, ...]
) -> None:
    assert texts == warning_texts(headers)


@dataclass
class Headers:
    """As much of aiohttp's answer as a header needs."""

    headers: Mapping[str, str]


@pytest.mark.parametrize(
    ("expected", "headers"),
    [
        pytest.param(
            datetime(2026, 11, 21, 12, tzinfo=UTC),
            {"Date": "Sat, 21 Nov 2026 12:00:00 GMT"},
            id="Date",
        ),
        pytest.param(
            datetime(2026, 11, 21, 12, tzinfo=UTC),
            {"Date": "Sat, 21 Nov 2026 12:00:00 -0000"},
            id="no zone",
        ),
        pytest.param(None, {}, id="none"),
        pytest.param(None, {"Date": "yesterday"}, id="no date"),
    ],
)
def test_an_answer_may_say_when_it_was_given(
    expected: datetime | None, headers: Mapping[str, str]
) -> None:
    answer = HttpResponse(cast("aiohttp.ClientResponse", Headers(headers)))
    assert expected == answer.date
