"""The TLS server, on loopback, without a cluster."""

import json
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from app.admission import review
from app.demo import certificates
from app.errors import ConfigError
from app.settings import ServerSettings
from app.telemetry import Metrics
from app.webhook.server import make_server, serving

pytestmark = pytest.mark.integration

REVIEW = {
    "apiVersion": "admission.k8s.io/v1",
    "kind": "AdmissionReview",
    "request": {"uid": "u-1", "operation": "CREATE"},
}


class Allows:
    """Allows everything."""

    async def validate(
        self, request: review.Review, *, deadline_seconds: float
    ) -> review.Response:
        del request, deadline_seconds
        return review.Response(allowed=True)

    mutate = validate

    def problems(self) -> tuple[str, ...]:
        return ()


@dataclass
class TestParts:
    """Implements `Parts`."""

    __test__ = False

    reviewer: Allows
    health: Allows
    metrics: Metrics
    running: Callable[[], AbstractAsyncContextManager[None]]
    refresh: Callable[[], None]


def parts(problem: Exception | None = None) -> TestParts:
    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        if problem is not None:
            raise problem
        yield

    allows = Allows()
    return TestParts(
        reviewer=allows,
        health=allows,
        metrics=Metrics(),
        running=running,
        refresh=lambda: None,
    )


def settings(folder: Path, **fields: object) -> ServerSettings:
    values: dict[str, object] = {
        "host": "127.0.0.1",
        "port": 0,
        "certificate": folder / "tls.crt",
        "private_key": folder / "tls.key",
        **fields,
    }
    return ServerSettings.model_validate(values)


async def test_a_review_is_answered_over_tls(tmp_path: Path) -> None:
    authority = certificates.write_pair(tmp_path)
    served = settings(tmp_path)
    context = ssl.create_default_context(cafile=str(authority))
    async with (
        serving(parts(), served) as port,
        aiohttp.ClientSession() as session,
        session.post(
            f"https://localhost:{port}/v1/validate?timeout=5s",
            json=REVIEW,
            ssl=context,
        ) as answer,
    ):
        assert answer.status == 200
        assert json.loads(await answer.read())["response"] == {
            "uid": "u-1",
            "allowed": True,
        }


async def test_a_body_past_the_limit_gets_413_over_the_wire(tmp_path: Path) -> None:
    certificates.write_pair(tmp_path)
    served = settings(tmp_path, max_body_bytes=2048)
    async with (
        serving(parts(), served) as port,
        aiohttp.ClientSession() as session,
        session.post(
            f"https://127.0.0.1:{port}/v1/validate",
            data=b" " * 2049,
            headers={"Content-Type": "application/json"},
            ssl=False,
        ) as answer,
    ):
        assert answer.status == 413


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"certificate": None}, "MissingCertificate", id="no certificate"),
        pytest.param({"private_key": None}, "MissingCertificate", id="no key"),
        pytest.param(
            {"certificate": "/nonexistent"}, "InvalidCertificate", id="no such file"
        ),
    ],
)
def test_what_is_missing_is_named(
    tmp_path: Path, fields: dict[str, object], reason: str
) -> None:
    certificates.write_pair(tmp_path)
    served = settings(tmp_path, **fields)
    with pytest.raises(ConfigError, match=r"server\.certificate") as caught:
        make_server(parts(), served)
    assert reason == caught.value.reason


def test_a_pair_that_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    certificates.write_pair(tmp_path)
    key = (tmp_path / "tls.key").read_bytes()
    certificates.write_pair(tmp_path)
    (tmp_path / "tls.key").write_bytes(key)
    served = settings(tmp_path)
    with pytest.raises(ConfigError, match="KEY_VALUES_MISMATCH"):
        make_server(parts(), served)


async def test_a_port_in_use_is_an_error_and_no_hang(tmp_path: Path) -> None:
    certificates.write_pair(tmp_path)
    served = settings(tmp_path)
    async with serving(parts(), served) as port:
        again = settings(tmp_path, port=port)
        with pytest.raises(ConfigError, match=str(port)):
            async with serving(parts(), again):
                pytest.fail("two servers on one port")


async def test_parts_that_do_not_start_are_the_callers_error(tmp_path: Path) -> None:
    certificates.write_pair(tmp_path)
    served = settings(tmp_path)
    broken = parts(ConfigError("NoCluster", "no cluster"))
    with pytest.raises(ConfigError, match="no cluster"):
        async with serving(broken, served):
            pytest.fail("served without its parts")


def test_serve_without_a_cluster_says_so_in_one_line(tmp_path: Path) -> None:
    certificates.write_pair(tmp_path)
    file = tmp_path / "settings.yaml"
    file.write_text(
        "server: {host: 127.0.0.1, port: 0, "
        f"certificate: {tmp_path}/tls.crt, privateKey: {tmp_path}/tls.key}}"
    )
    done = subprocess.run(
        [sys.executable, "-m", "app", "serve", "--config", file],
        capture_output=True,
        text=True,
        check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith("KUBE")},
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("imagecompat: the service account: no way to the cluster")
