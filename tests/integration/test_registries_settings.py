"""A real registry that is guarded, read as an admin's settings file says.

The registry wants a certificate of its clients and a password; the names in the
settings are those of the how-to pages.
"""

import base64
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap.files import SettingsFiles, Wanted
from app.bootstrap.registries import sources
from app.ports import Artifacts, ImageOutcome, Unauthorized, Unavailable
from app.telemetry import Metrics
from tests.integration.test_registries import AMD64, SPEC, content, specs
from tests.tools import needed
from tests.tools.authority import Authority
from tests.tools.registries import (
    HTPASSWD,
    PASSWORD,
    READER,
    Guard,
    distribution,
    push,
)

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def address(
    authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    needed.programs("distribution")
    folder = tmp_path_factory.mktemp("distribution")
    with distribution(folder) as opened:
        push(opened, "org/app", content())
    guard = Guard(authority, htpasswd=HTPASSWD, wants_certificate=True)
    with distribution(folder, guard) as address:
        yield address


@pytest.fixture
def allowed(authority: Authority) -> dict[str, object]:
    """All that the registry wants."""
    return {
        "loopback": True,
        "caFile": str(authority.ca),
        "clientCertificate": str(authority.certificate),
        "clientKey": str(authority.key),
    }


def docker_config(folder: Path, host: str) -> str:
    pair = base64.b64encode(f"{READER}:{PASSWORD}".encode()).decode()
    path = folder / "config.json"
    path.write_text(json.dumps({"auths": {host: {"auth": pair}}}))
    return str(path)


@asynccontextmanager
async def set_up(folder: Path, registry: Mapping[str, Any]) -> AsyncIterator[Artifacts]:
    """What a process would ask with these settings."""
    path = folder / "settings.yaml"
    path.write_text(json.dumps({"registry": registry}))
    said = SettingsFiles(path).look().said
    assert isinstance(said, Wanted), said
    found = sources(said.settings.registry, said.files, Metrics())
    try:
        yield found.port
    finally:
        await found.close()


async def look(artifacts: Artifacts, image: str) -> ImageOutcome:
    return await artifacts.find(image, (AMD64,), deadline_seconds=10)


async def test_authority_certificate_and_password_open_a_registry(
    address: str, allowed: dict[str, object], tmp_path: Path
) -> None:
    config = docker_config(tmp_path, address)
    registry = {"dockerConfig": config, "hosts": {address: allowed}}
    async with set_up(tmp_path, registry) as artifacts:
        assert [SPEC] == specs(await look(artifacts, f"{address}/org/app:multi"))


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        pytest.param(("caFile",), "UntrustedCertificate", id="authority"),
        pytest.param(
            ("clientCertificate", "clientKey"), "CertificateRequired", id="certificate"
        ),
        pytest.param(("loopback",), "AddressRefused", id="address"),
    ],
)
async def test_each_part_is_needed(
    missing: tuple[str, ...],
    expected: str,
    address: str,
    allowed: dict[str, object],
    tmp_path: Path,
) -> None:
    for key in missing:
        del allowed[key]
    registry = {
        "dockerConfig": docker_config(tmp_path, address),
        "hosts": {address: allowed},
    }
    async with set_up(tmp_path, registry) as artifacts:
        outcome = await look(artifacts, f"{address}/org/app:multi")
    assert isinstance(outcome, Unavailable)
    assert expected == outcome.reason


async def test_a_password_for_another_host_opens_nothing(
    address: str, allowed: dict[str, object], tmp_path: Path
) -> None:
    config = docker_config(tmp_path, "registry.example")
    registry = {"dockerConfig": config, "hosts": {address: allowed}}
    async with set_up(tmp_path, registry) as artifacts:
        outcome = await look(artifacts, f"{address}/org/app:multi")
    assert isinstance(outcome, Unauthorized)


@pytest.mark.parametrize(
    ("folder", "image"),
    [
        pytest.param("registry.example", "registry.example/org/app:multi", id="one"),
        pytest.param("_default", "another.example/org/app:multi", id="all"),
    ],
)
async def test_a_registry_stands_for_another(
    folder: str, image: str, address: str, authority: Authority, tmp_path: Path
) -> None:
    """It gets its own password; its TLS files lie beside the `hosts.toml`."""
    mirrors = tmp_path / "mirrors" / folder
    mirrors.mkdir(parents=True)
    for path in (authority.ca, authority.certificate, authority.key):
        (mirrors / path.name).write_bytes(path.read_bytes())
    (mirrors / "hosts.toml").write_text(
        f'server = "https://{address}"\n'
        'ca = "ca.crt"\nclient = [["server.crt", "server.key"]]\n'
    )
    registry = {
        "dockerConfig": docker_config(tmp_path, address),
        "mirrors": str(tmp_path / "mirrors"),
        "hosts": {address: {"loopback": True}},
    }
    async with set_up(tmp_path, registry) as artifacts:
        assert [SPEC] == specs(await look(artifacts, image))
