"""The way to registries, made of settings and of the files that they name."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.bootstrap import registry_files
from app.bootstrap.pull_secrets import pull_secrets
from app.bootstrap.registries import Sources, policy, sources
from app.errors import ConfigError
from app.kube.secrets import KubePullSecrets
from app.oci.images.reference import parse as reference
from app.oci.registry.guard import HostPolicy, policy_for
from app.oci.registry.patterns import parse
from app.settings.registry import RegistrySettings
from app.telemetry import Metrics
from tests.tools.secrets_api import Api, having, pod, read, reader


def settings(**fields: Any) -> RegistrySettings:
    return RegistrySettings.model_validate(fields)


def made(secrets: KubePullSecrets | None = None, **fields: Any) -> Sources:
    given = settings(**fields)
    return sources(given, registry_files.read(given), Metrics(), secrets)


def test_a_policy_says_all_that_the_settings_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    host = {
        "plain_http": True,
        "plain_http_credentials": True,
        "private": True,
        "loopback": True,
        "token_servers": ["t.example"],
    }
    hosts = {"R.example": host, "q.example": {}}
    found = policy(settings(hosts=hosts, allow=["a.example"], deny=["b.example/x"]))
    whole = HostPolicy(
        plain_http=True, plain_http_credentials=True, private=True, loopback=True
    )
    assert {"r.example": whole, "q.example": HostPolicy()} == found.hosts
    assert {"10.96.0.1"} == found.refused
    assert {"t.example"} == found.realms["r.example"]
    assert ((parse("a.example"),), (parse("b.example/x"),)) == (found.allow, found.deny)


@pytest.mark.parametrize("name", ["docker.io", "index.docker.io", "Docker.IO"])
def test_docker_hub_may_be_listed_by_the_name_that_images_have(name: str) -> None:
    hosts = {name: {"private": True, "token_servers": ["t.example"]}}
    found = policy(settings(hosts=hosts))
    host = reference("nginx").host
    assert found.of(host).private
    assert {"t.example"} == found.realms[host]


def test_a_host_is_listed_once_whatever_its_names() -> None:
    with pytest.raises(ValueError, match="are one host"):
        settings(hosts={"docker.io": {}, "registry-1.docker.io": {}})


def test_outside_a_cluster_there_is_no_api_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert frozenset() == policy(settings()).refused


def test_a_file_that_cannot_be_used_is_told() -> None:
    with pytest.raises(ConfigError, match=r"registry\.dockerConfig: /gone: cannot be"):
        made(docker_config=Path("/gone"))


async def test_nothing_is_opened_until_it_is_needed(tmp_path: Path) -> None:
    found = made(mirrors=tmp_path, proxy={"https": "http://proxy.example:3128"})
    shared = found.registries._shared
    assert {} == shared.transport._sessions  # type: ignore[attr-defined]
    assert "http://proxy.example:3128" == shared.transport._proxies.https  # type: ignore[attr-defined]
    await found.close()


@pytest.mark.parametrize(
    ("written", "ports"),
    [
        pytest.param("http://M.example", {80, 443}, id="http"),
        pytest.param("https://m.example", {443}, id="https"),
        pytest.param("http://m.example:8080", {443}, id="port"),
        pytest.param("http://q.example", {443}, id="another"),
    ],
)
async def test_a_mirror_s_scheme_opens_its_port_of_a_host_that_is_listed(
    written: str, ports: set[int], tmp_path: Path
) -> None:
    (tmp_path / "r.example").mkdir()
    (tmp_path / "r.example/hosts.toml").write_text(f'[host."{written}"]\n')
    found = made(mirrors=tmp_path, hosts={"m.example": {"private": True}})
    opens = found.registries._shared.transport._policy  # type: ignore[attr-defined]
    tried = {80, 443, 8080}
    assert ports == {
        one for one in tried if policy_for(opens, "m.example", one).private
    }
    assert not policy_for(opens, "q.example", 80).private
    await found.close()


async def offered(found: Sources, image: str) -> list[str]:
    operator = found.registries._shared.operator
    names = [one.username async for one in operator.offers(reference(image))]
    await found.close()
    return names


async def test_credentials_come_from_the_file_its_helpers_and_plugins(
    tmp_path: Path,
) -> None:
    helper = tmp_path / "docker-credential-corp"
    helper.write_text('#!/bin/sh\necho \'{"Username": "helper", "Secret": "s"}\'\n')
    helper.chmod(0o755)
    answer = {
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "kind": "CredentialProviderResponse",
        "cacheKeyType": "Registry",
        "auth": {"*.example": {"username": "plugin", "password": "s"}},
    }
    plugin = tmp_path / "ecr"
    plugin.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n")
    plugin.chmod(0o755)
    config = tmp_path / "config.json"
    entry = {"username": "entry", "password": "s"}
    config.write_text(json.dumps({"auths": {"r.example": entry}, "credsStore": "corp"}))
    providers = tmp_path / "plugins.json"
    provider = {
        "name": "ecr",
        "apiVersion": answer["apiVersion"],
        "matchImages": ["*.example"],
        "defaultCacheDuration": "1h",
    }
    providers.write_text(
        json.dumps(
            {
                "apiVersion": "kubelet.config.k8s.io/v1",
                "kind": "CredentialProviderConfig",
                "providers": [provider],
            }
        )
    )
    with_helpers: dict[str, Any] = {
        "docker_config": config,
        "credential_helpers": tmp_path,
    }
    with_plugins: dict[str, Any] = {
        "credential_providers": providers,
        "credential_provider_folder": tmp_path,
    }
    assert ["entry"] == await offered(made(docker_config=config), "r.example/a")
    found = made(**with_helpers)
    assert ["entry", "helper"] == await offered(found, "r.example/a")
    assert ["plugin"] == await offered(made(**with_plugins), "r.example/a")
    found = made(**with_helpers, **with_plugins)
    assert ["entry", "helper", "plugin"] == await offered(found, "r.example/a")


# Pull secrets ------------------------------------------------------------------------


class Closing(KubePullSecrets):
    """Notes when it is closed."""

    is_closed = False

    async def close(self) -> None:
        self.is_closed = True


async def test_the_reader_of_pull_secrets_is_closed_with_the_registries() -> None:
    secrets = Closing(object())  # type: ignore[arg-type]
    await made(secrets).close()
    assert secrets.is_closed


async def test_pull_secrets_are_told_among_what_is_remembered() -> None:
    secrets = reader(Api(having("a")))
    found = made(secrets)
    assert 0 == len(found.caches()["pull_secrets"])
    await read(secrets, pod("a"))
    filled = found.caches()["pull_secrets"]
    assert (1, 1) == (len(filled), filled.size_bytes)
    assert {*made().caches()} == {*found.caches()}, "the gauge goes back to none"


@pytest.mark.parametrize("is_rotated", [True, False])
async def test_what_was_found_stands_in_after_a_rotation_only(
    is_rotated: bool, tmp_path: Path
) -> None:
    config = tmp_path / "config.json"
    entry = {"username": "u", "password": "p"}
    config.write_text(json.dumps({"auths": {"r.example": entry}}))
    before = made(docker_config=config)
    entry["password" if is_rotated else "username"] = "other"
    config.write_text(json.dumps({"auths": {"r.example": entry}}))
    after = made(docker_config=config)
    after.inherit(before)
    is_shared = after.caches()["images"] is before.caches()["images"]
    assert is_rotated is is_shared
    assert after.caches()["tags"] is not before.caches()["tags"]


def test_registries_of_unknown_standing_inherit_nothing() -> None:
    """Two that say nothing of it are not equal."""
    found = [made(), made()]
    before, after = (Sources(one.port, one.registries) for one in found)
    after.inherit(before)
    assert after.caches()["images"] is not before.caches()["images"]


async def test_what_was_read_of_pull_secrets_stays_known() -> None:
    api = Api(having("a"))
    before, after = made(reader(api)), made(reader(api))
    assert before.secrets is not None
    await read(before.secrets, pod("a"))
    after.inherit(before)
    assert 1 == len(after.caches()["pull_secrets"])
    made().inherit(before)
    after.inherit(made())
    assert 1 == len(after.caches()["pull_secrets"])


@pytest.mark.parametrize("reading", ["named", "namespaces"])
def test_pull_secrets_are_read_as_far_as_the_settings_allow(reading: str) -> None:
    given = settings(
        pull_secrets={
            "read": reading,
            "names": ["a/b"],
            "namespaces": ["c"],
            "seconds": 7,
        }
    ).pull_secrets
    found = pull_secrets(given, object(), Metrics())  # type: ignore[arg-type]
    assert found is not None
    allowed = found._allowed
    assert (reading, {"a/b"}, {"c"}) == (
        allowed.read,
        allowed.names,
        allowed.namespaces,
    )
    assert 7 == found._seconds
    assert pull_secrets(given, None, Metrics()) is None


def test_without_the_admin_s_word_none_is_read() -> None:
    given = settings().pull_secrets
    assert pull_secrets(given, object(), Metrics()) is None  # type: ignore[arg-type]
