"""Programs that give credentials: `aws eks get-token`, `gke-gcloud-auth-plugin`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap.connecting import LazyConnection
from app.errors import ClusterError
from app.kube.connection import Connection
from app.settings.sections import ClusterSettings

SECRET = "a-secret-token"
VERSION = "client.authentication.k8s.io/v1"


def kubeconfig(folder: Path, script: str, *, command: str = "") -> Path:
    """A kubeconfig whose credentials come from a program; its path."""
    program = folder / "plug\tin"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    user = {"exec": {"apiVersion": VERSION, "command": command or str(program)}}
    path = folder / "config"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(json.dumps(content))
    return path


def gives(status: object, version: str = VERSION) -> str:
    credential = {"apiVersion": version, "kind": "ExecCredential", "status": status}
    return f"cat <<'E'\n{json.dumps(credential)}\nE"


async def key(path: Path) -> Any:
    connection = await Connection.open(kubeconfig=path)
    await connection.close()
    configuration = connection._access.configuration
    return await configuration.get_api_key_with_prefix("BearerToken")


async def test_a_token_is_taken(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, gives({"token": SECRET}))
    assert f"Bearer {SECRET}" == await key(path)


FAILED = "failed (exit 1): log in again"
NO_CREDENTIAL = "printed no credential"
NEITHER = "gave neither a token nor a certificate with its key"


@pytest.mark.parametrize(
    ("script", "text"),
    [
        pytest.param(f"echo {SECRET} >&2; exit 1", FAILED, id="expired"),
        pytest.param("exit 1", FAILED, id="without a word"),
        pytest.param(f"echo {SECRET}", NO_CREDENTIAL, id="no JSON"),
        pytest.param("echo '{}'", NO_CREDENTIAL, id="no fields"),
        pytest.param("echo 7", NO_CREDENTIAL, id="no object"),
        pytest.param(gives({}, version=SECRET), NO_CREDENTIAL, id="another version"),
        pytest.param(gives({}), NEITHER, id="nothing"),
        pytest.param(gives(SECRET), NEITHER, id="no status"),
        pytest.param(gives({"token": 7}), NEITHER, id="a number"),
        pytest.param(
            gives({"clientCertificateData": SECRET}), NEITHER, id="half a pair"
        ),
    ],
)
async def test_a_program_that_fails_is_named_and_nobody_is_asked_without_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, script: str, text: str
) -> None:
    """The official package logs what it printed, and goes on as nobody."""
    with pytest.raises(ClusterError) as caught:
        await key(kubeconfig(tmp_path, script))
    assert f"the credential program plug?in {text}" == caught.value.message
    assert "Credentials" == caught.value.reason
    assert not caplog.records


async def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path, "", command="/nowhere/no-such-program")
    with pytest.raises(ClusterError) as caught:
        await key(path)
    text = "the credential program no-such-program cannot be run: No such file or "
    assert f"{text}directory" == caught.value.message


async def test_a_certificate_is_taken(tmp_path: Path) -> None:
    """Here one that cannot be read: that is told, and not what it holds."""
    pair = {"clientCertificateData": SECRET, "clientKeyData": SECRET}
    with pytest.raises(Exception, match="no way to the cluster") as caught:
        await key(kubeconfig(tmp_path, gives(pair)))
    assert SECRET not in str(caught.value)


async def test_the_webhook_starts_without_and_asks_again(tmp_path: Path) -> None:
    connection = LazyConnection(
        ClusterSettings(kubeconfig=kubeconfig(tmp_path, "exit 1"))
    )
    await connection.open()
    with pytest.raises(ClusterError) as caught:
        connection.get("/", {})
    assert ("Unauthorized", f"the credential program plug?in {FAILED}") == (
        caught.value.reason,
        caught.value.message,
    )
    with pytest.raises(ClusterError):
        await connection.renew()
    kubeconfig(tmp_path, gives({"token": SECRET}))
    await connection.renew()
    assert "https://127.0.0.1:1" == connection._opened().address
    kubeconfig(tmp_path, "exit 1")
    with pytest.raises(ClusterError):
        await connection.renew()
    await connection.close()
