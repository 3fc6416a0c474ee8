"""The operator's files and programs, from the settings to a registry that asks.

Plugins and helpers are small programs, as clouds' are: over real sockets.
"""

import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from app.bootstrap import registries, registry_files
from app.demo.faults import Reply
from app.demo.registry import Registry
from app.demo.registry_auth import Basic, Bearer
from app.ports import Found, ImageOutcome, Platform, Resolved
from app.settings.registry import RegistrySettings
from app.telemetry import Metrics

pytestmark = pytest.mark.integration

AMD = Platform("linux", "amd64")
CANARY = "canary-7f3a"
Write = Callable[[str, str], None]

ECR = """\
#!/bin/sh
# As ecr-credential-provider: user AWS, for twelve hours, for the registry.
test "$1" = get-credentials || exit 2
request=$(cat)
image=$(printf '%s' "$request" | sed -n 's/.*"image":"\\([^"]*\\)".*/\\1/p')
echo "$image $AWS_REGION" >> "$LOG"
cat <<END
{"kind": "CredentialProviderResponse",
 "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
 "cacheKeyType": "Registry", "cacheDuration": "12h",
 "auth": {"${image%%/*}": {"username": "AWS", "password": "canary-7f3a"}}}
END
"""

HELPER = """\
#!/bin/sh
test "$1" = get || exit 2
read -r server
printf '{"ServerURL": "%s", "Username": "%s", "Secret": "canary-7f3a"}' "$server" USER
"""


def filled() -> Registry:
    """`team/app` and `team/other`, each with an artifact."""
    registry = Registry()
    for name in ("app", "other"):
        repository = registry.repository(f"team/{name}")
        image = repository.image("amd64", name)
        repository.tag(image, "1")
        repository.attach(image, name.encode(), created="2026-02-01T00:00:00Z")
    return registry


@asynccontextmanager
async def finding(
    registry: Registry, settings: Mapping[str, str], metrics: Metrics | None = None
) -> AsyncIterator[Callable[[str], Any]]:
    """Looks for an image of the registry, by these settings."""
    host = {"plainHttp": True, "loopback": True, "plainHttpCredentials": True}
    given: dict[str, object] = {"hosts": {registry.address: host}, **settings}
    read = RegistrySettings.model_validate(given)
    files = registry_files.read(read)
    found = registries.registries(read, files, metrics or Metrics())

    async def look(name: str) -> ImageOutcome:
        image = f"{registry.address}/team/{name}:1"
        return await found.find(image, [AMD], deadline_seconds=20)

    try:
        yield look
    finally:
        await found.close()


def spec(outcome: ImageOutcome) -> bytes:
    assert isinstance(outcome, Resolved), outcome
    found = outcome.platforms[AMD]
    assert isinstance(found, Found), found
    return found.content


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "programs"
    found.mkdir()
    return found


@pytest.fixture
def write(folder: Path) -> Write:
    def _write(name: str, script: str) -> None:
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)

    return _write


def providers(folder: Path, registry: Registry, **provider: object) -> dict[str, str]:
    """The settings of one plugin for a registry."""
    path = folder.parent / "providers.yaml"
    plugin = {
        "name": "ecr",
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "matchImages": [registry.address],
        "defaultCacheDuration": "1m",
        "args": ["get-credentials"],
        "env": [{"name": "LOG", "value": str(folder.parent / "log")}],
        **provider,
    }
    content = {
        "apiVersion": "kubelet.config.k8s.io/v1",
        "kind": "CredentialProviderConfig",
        "providers": [plugin],
    }
    path.write_text(json.dumps(content))
    return {"credentialProviders": str(path), "credentialProviderFolder": str(folder)}


# Plugins -----------------------------------------------------------------------------


async def test_a_plugin_opens_a_registry_as_a_cloud_s_does(
    folder: Path,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    write("ecr", ECR)
    registry, metrics = filled(), Metrics()
    registry.auth = Basic({"AWS": CANARY})
    async with registry.serving():
        settings = providers(folder, registry)
        async with finding(registry, settings, metrics) as look:
            assert b"app" == spec(await look("app"))
            assert b"other" == spec(await look("other"))
        ran = (folder.parent / "log").read_text().splitlines()
    assert [f"{registry.address}/team/app eu-west-1"] == ran
    counted = 'credential_programs_total{kind="plugin",outcome="given"} 1.0'
    assert counted in metrics.text().decode()
    assert CANARY not in caplog.text


async def test_a_plugin_is_not_run_for_a_registry_that_asks_for_nothing(
    folder: Path, write: Write
) -> None:
    write("ecr", ECR)
    registry = filled()
    async with (
        registry.serving(),
        finding(registry, providers(folder, registry)) as look,
    ):
        assert b"app" == spec(await look("app"))
    assert not (folder.parent / "log").exists()


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        pytest.param("#!/bin/sh\nexit 1\n", "failed", id="fails"),
        pytest.param("#!/bin/sh\necho '<html>'\n", "invalid", id="talks-nonsense"),
        pytest.param("", "not_started", id="no-program"),
        pytest.param(
            "#!/bin/sh\nhead -c 1048577 /dev/zero\n", "too_large", id="talks-too-much"
        ),
    ],
)
async def test_a_plugin_that_fails_leaves_the_registry_to_everybody_s_access(
    folder: Path, write: Write, script: str, outcome: str
) -> None:
    write("ecr", script)
    registry, metrics = filled(), Metrics()
    registry.auth = Bearer({"AWS": CANARY})
    async with registry.serving():
        settings = providers(folder, registry)
        async with finding(registry, settings, metrics) as look:
            assert b"app" == spec(await look("app"))
    counted = f'credential_programs_total{{kind="plugin",outcome="{outcome}"}} 1.0'
    assert counted in metrics.text().decode()


# Helpers -----------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["credHelpers", "credsStore"])
async def test_a_helper_of_docker_opens_a_registry(
    folder: Path, write: Write, key: str
) -> None:
    write("docker-credential-cloud", HELPER.replace("USER", "helped"))
    registry = filled()
    registry.auth = Bearer({"helped": CANARY}, is_open=False)
    config = folder.parent / "config.json"
    async with registry.serving():
        names = {registry.address: "cloud"} if key == "credHelpers" else "cloud"
        config.write_text(json.dumps({key: names}))
        settings = {"dockerConfig": str(config), "credentialHelpers": str(folder)}
        async with finding(registry, settings) as look:
            assert b"app" == spec(await look("app"))


async def test_no_helper_is_run_where_the_settings_name_no_folder(
    folder: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("docker-credential-cloud", HELPER.replace("USER", "helped"))
    monkeypatch.setenv("PATH", str(folder))
    registry = filled()
    registry.auth = Basic({"helped": CANARY})
    config = folder.parent / "config.json"
    config.write_text(json.dumps({"credsStore": "cloud"}))
    async with (
        registry.serving(),
        finding(registry, {"dockerConfig": str(config)}) as look,
    ):
        assert "Unauthorized" == type(await look("app")).__name__


# Identity tokens ---------------------------------------------------------------------


def exchanging(registry: Registry, asked: list[dict[str, str]]) -> None:
    """Lets the registry's token server give tokens for one identity token only."""
    auth = Bearer(is_open=False)
    registry.auth = auth

    async def _exchange(request: web.Request, _: Reply) -> Reply:
        form = {key: str(value) for key, value in (await request.post()).items()}
        asked.append(form)
        scope = form.get("scope", "").split(":")
        is_ours = form.get("refresh_token") == CANARY and request.method == "POST"
        if not is_ours or form.get("grant_type") != "refresh_token":
            return Reply(401)
        answer = {"access_token": auth.issue(*scope[1:]), "expires_in": 300}
        headers = {"Content-Type": "application/json"}
        return Reply(200, headers, json.dumps(answer).encode())

    registry.faults["token"] = _exchange


async def test_an_identity_token_of_the_docker_config_is_exchanged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    registry, asked = filled(), list[dict[str, str]]()
    exchanging(registry, asked)
    config = tmp_path / "config.json"
    async with registry.serving():
        entry = {"auth": "MDAwMDo=", "identitytoken": CANARY}
        config.write_text(json.dumps({"auths": {registry.address: entry}}))
        async with finding(registry, {"dockerConfig": str(config)}) as look:
            assert b"app" == spec(await look("app"))
    assert [
        {
            "grant_type": "refresh_token",
            "service": "registry",
            "client_id": "imagecompat",
            "scope": "repository:team/app:pull",
            "refresh_token": CANARY,
        }
    ] == asked
    assert CANARY not in caplog.text


async def test_an_identity_token_of_a_helper_is_exchanged(
    folder: Path, write: Write
) -> None:
    write("docker-credential-cloud", HELPER.replace("USER", "'<token>'"))
    registry, asked = filled(), list[dict[str, str]]()
    exchanging(registry, asked)
    config = folder.parent / "config.json"
    config.write_text(json.dumps({"credsStore": "cloud"}))
    async with registry.serving():
        settings = {"dockerConfig": str(config), "credentialHelpers": str(folder)}
        async with finding(registry, settings) as look:
            assert b"app" == spec(await look("app"))
    assert [CANARY] == [form["refresh_token"] for form in asked]


async def test_a_registry_token_of_the_docker_config_is_sent(tmp_path: Path) -> None:
    registry = filled()
    auth = registry.auth = Bearer(is_open=False)
    token = auth.issue("team/app")
    config = tmp_path / "config.json"
    async with registry.serving():
        entry = {"registrytoken": token}
        config.write_text(json.dumps({"auths": {registry.address: entry}}))
        async with finding(registry, {"dockerConfig": str(config)}) as look:
            assert b"app" == spec(await look("app"))
    assert "token" not in registry.asked()
