"""The TLS server, on loopback, without a cluster."""

import json
import ssl
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
from app.webhook.application import create_app
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
        serving(create_app(parts(), served), served) as port,
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
        serving(create_app(parts(), served), served) as port,
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
        make_server(create_app(parts(), served), served)
    assert reason == caught.value.reason


def test_a_pair_that_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    certificates.write_pair(tmp_path)
    key = (tmp_path / "tls.key").read_bytes()
    certificates.write_pair(tmp_path)
    (tmp_path / "tls.key").write_bytes(key)
    served = settings(tmp_path)
    with pytest.raises(ConfigError, match="KEY_VALUES_MISMATCH"):
        make_server(create_app(parts(), served), served)


async def test_a_port_in_use_is_an_error_and_no_hang(tmp_path: Path) -> None:
    certificates.write_pair(tmp_path)
    served = settings(tmp_path)
    async with serving(create_app(parts(), served), served) as port:
        again = settings(tmp_path, port=port)
        with pytest.raises(ConfigError, match=str(port)):
            async with serving(create_app(parts(), again), again):
                pytest.fail("two servers on one port")


async def test_a_start_that_fails_is_an_error_and_no_hang(tmp_path: Path) -> None:
    certificates.write_pair(tmp_path)
    served = settings(tmp_path)
    app = create_app(parts(ConfigError("NoCluster", "no cluster")), served)
    with pytest.raises(ConfigError, match="did not start"):
        async with serving(app, served):
            pytest.fail("served without its parts")
