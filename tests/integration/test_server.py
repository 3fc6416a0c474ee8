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
from app.bootstrap.certificates import from_files
from app.certificates.files import FileCertificates
from app.demo import certificates
from app.errors import ConfigError
from app.settings.sections import ServerSettings
from app.status import Status
from app.telemetry import Metrics
from app.webhook.server import serving

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

    async def shed(
        self, request: review.Review, webhook: str, *, deadline_seconds: float
    ) -> review.Response:
        del request, webhook, deadline_seconds
        return review.Response(allowed=True)

    def problems(self) -> tuple[str, ...]:
        return ()

    warnings = problems


@dataclass
class TestParts:
    """Implements `Parts`."""

    __test__ = False

    reviewer: Allows
    health: Allows
    certificates: FileCertificates
    metrics: Metrics
    running: Callable[[], AbstractAsyncContextManager[None]]
    refresh: Callable[[], None]
    job_seconds: Callable[[], float] = lambda: 0.0
    status: Callable[[], Status] = Status


def parts(served: ServerSettings, problem: Exception | None = None) -> TestParts:
    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        if problem is not None:
            raise problem
        yield

    allows, metrics = Allows(), Metrics()
    return TestParts(
        reviewer=allows,
        health=allows,
        certificates=from_files(served, metrics),
        metrics=metrics,
        running=running,
        refresh=lambda: None,
    )


def settings(folder: Path, **fields: object) -> ServerSettings:
    values: dict[str, object] = {
        "host": "127.0.0.1",
        "port": 0,
        "status_port": 0,
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
        serving(parts(served), served) as ports,
        aiohttp.ClientSession() as session,
        session.post(
            f"https://localhost:{ports.https}/v1/validate?timeout=5s",
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
        serving(parts(served), served) as ports,
        aiohttp.ClientSession() as session,
        session.post(
            f"https://127.0.0.1:{ports.https}/v1/validate",
            data=b" " * 2049,
            headers={"Content-Type": "application/json"},
            ssl=False,
        ) as answer,
    ):
        assert answer.status == 413


@pytest.mark.parametrize("field", ["port", "status_port"])
async def test_a_port_in_use_is_an_error_and_no_hang(
    tmp_path: Path, field: str
) -> None:
    certificates.write_pair(tmp_path)
    served = settings(tmp_path)
    async with serving(parts(served), served) as ports:
        for taken in (ports.https, ports.status):
            again = settings(tmp_path, **{field: taken})
            with pytest.raises(ConfigError, match=str(taken)) as caught:
                async with serving(parts(again), again):
                    pytest.fail("two servers on one port")
            assert "AddressInUse" == caught.value.reason


async def test_parts_that_do_not_start_are_the_callers_error(tmp_path: Path) -> None:
    certificates.write_pair(tmp_path)
    served = settings(tmp_path)
    broken = parts(served, ConfigError("NoCluster", "no cluster"))
    with pytest.raises(ConfigError, match="no cluster"):
        async with serving(broken, served):
            pytest.fail("served without its parts")


def test_serve_without_a_cluster_says_so_in_one_line(tmp_path: Path) -> None:
    certificates.write_pair(tmp_path)
    file = tmp_path / "settings.yaml"
    file.write_text(
        "server: {host: 127.0.0.1, port: 0, statusPort: 0, "
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
