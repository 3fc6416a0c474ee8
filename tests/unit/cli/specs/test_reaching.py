"""How the registries that a person names are reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.specs import names, reaching
from app.cli.specs.options import Reach
from app.errors import ConfigError
from app.oci.credentials import Credential
from app.oci.images import reference
from app.settings.registry import RegistryHostSettings, RegistrySettings

APP = reference.parse("registry.example:5000/team/app:1")
OWN = RegistryHostSettings(private=True, loopback=True)


def settings(
    reach: Reach | None = None,
    environment: dict[str, str] | None = None,
    home: Path = Path("/nobody"),
) -> RegistrySettings:
    return reaching.settings(
        reach or Reach(), [APP], environment=environment or {}, home=home
    )


def test_layouts_need_no_way() -> None:
    images = ["oci-layout://folder:1", "registry.example:5000/team/app:1"]
    assert (APP,) == names.named(images)


@pytest.mark.parametrize("image", ["a/B", "oci-layout://:1"])
def test_what_is_no_reference_is_refused_by_its_name(image: str) -> None:
    with pytest.raises(ConfigError) as raised:
        names.named([image])
    assert "InvalidReference" == raised.value.reason
    assert raised.value.message.startswith(f"{image}: not ")


def test_a_host_that_is_named_may_be_anywhere_and_no_other() -> None:
    assert {"registry.example:5000": OWN} == settings().hosts


def test_what_was_typed_holds_for_the_hosts_that_are_named(tmp_path: Path) -> None:
    ca = tmp_path / "ca"
    reach = Reach(plain_http=True, ca_file=ca, token_server=["auth.example"])
    expected = RegistryHostSettings(
        private=True,
        loopback=True,
        plain_http=True,
        plain_http_credentials=True,
        ca_file=ca,
        token_servers=frozenset({"auth.example"}),
    )
    assert {"registry.example:5000": expected} == settings(reach).hosts


def test_a_settings_file_is_the_base(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(
        "registry:\n"
        "  mirrors: /mirrors\n"
        "  proxy: {https: 'http://proxy.example:1'}\n"
        "  hosts:\n"
        "    registry.example:5000: {tokenServers: [auth.example]}\n"
        "    other.example: {plainHttp: true}\n"
    )
    found = settings(Reach(settings=file), {"https_proxy": "http://ignored.example"})
    assert Path("/mirrors") == found.mirrors
    assert "http://proxy.example:1" == found.proxy.https
    own = OWN.model_copy(update={"token_servers": frozenset({"auth.example"})})
    other = RegistryHostSettings(plain_http=True)
    assert {"registry.example:5000": own, "other.example": other} == found.hosts


@pytest.mark.parametrize("content", ["registry: 1", None])
def test_a_settings_file_that_cannot_be_used_is_named(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "settings.yaml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError) as raised:
        settings(Reach(settings=file))
    assert str(file) in raised.value.message


def test_dockers_file_is_found_where_docker_keeps_it(tmp_path: Path) -> None:
    assert settings(home=tmp_path).docker_config is None
    own = tmp_path / ".docker" / "config.json"
    own.parent.mkdir()
    own.write_text("{}")
    assert own == settings(home=tmp_path).docker_config
    other = tmp_path / "elsewhere" / "config.json"
    other.parent.mkdir()
    other.write_text("{}")
    environment = {"DOCKER_CONFIG": str(other.parent)}
    assert other == settings(environment=environment, home=tmp_path).docker_config
    typed = Reach(docker_config=tmp_path / "typed")
    found = settings(typed, environment, tmp_path)
    assert tmp_path / "typed" == found.docker_config


def test_the_environments_proxies_count_for_a_person() -> None:
    found = settings(
        environment={
            "http_proxy": "proxy.example:3128",
            "HTTPS_PROXY": "http://proxy.example:3129/",
            "HTTP_PROXY": "http://a-header-of-cgi.example",
            "NO_PROXY": "localhost, .example.com,",
        }
    ).proxy
    assert "http://proxy.example:3128" == found.http
    assert "http://proxy.example:3129" == found.https
    assert ("localhost", ".example.com") == found.no_proxy


def test_a_proxys_password_is_refused_without_being_shown() -> None:
    with pytest.raises(ConfigError) as raised:
        settings(environment={"https_proxy": "http://ada:secret@proxy.example"})
    assert "secret" not in raised.value.message
    assert raised.value.message.startswith("https_proxy: ")


def test_a_proxy_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError) as raised:
        settings(environment={"https_proxy": "socks5://proxy.example"})
    assert "InvalidOptions" == raised.value.reason
    assert "http://HOST:PORT" in raised.value.message


@pytest.mark.parametrize("url", ["http://p:99999", "http://[::1", "[::1", "p:x"])
def test_a_proxy_of_the_environment_that_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as raised:
        settings(environment={"https_proxy": url})
    assert "InvalidOptions" == raised.value.reason
    assert "with a port from 1 to 65535" in raised.value.message


def test_a_password_opens_the_registries_that_are_named() -> None:
    other = reference.parse("other.example/app")
    ring = reaching.keyring(Reach(registry_username="ada"), [APP], "secret")
    assert (Credential("ada", "secret"),) == ring.lookup(APP)
    assert () == ring.lookup(other)


def test_a_token_opens_the_registries_that_are_named() -> None:
    ring = reaching.keyring(Reach(registry_token_stdin=True), [APP], "secret")
    assert (Credential(registry_token="secret"),) == ring.lookup(APP)


def test_docker_hub_is_found_by_its_own_name() -> None:
    hub = reference.parse("nginx")
    ring = reaching.keyring(Reach(registry_username="ada"), [hub], "secret")
    assert (Credential("ada", "secret"),) == ring.lookup(hub)


def test_no_secret_opens_nothing() -> None:
    assert () == reaching.keyring(Reach(), [APP], "").lookup(APP)
