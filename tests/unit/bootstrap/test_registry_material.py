"""What files of registry settings hold, and what is told of those that are broken."""

import base64
import json
from pathlib import Path

import pytest

from app.bootstrap import registry_files
from app.bootstrap.files import SettingsFiles
from app.bootstrap.registry_material import RegistryMaterial, material
from app.oci.images.reference import parse
from app.oci.ways.trust import Material, Pair
from app.settings.loading import Refused
from app.settings.registry import RegistrySettings
from tests.tools.authority import Authority

HOST = "r.example:5000"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def told(**fields: object) -> list[str]:
    """What is wrong, as setting and message."""
    settings = RegistrySettings.model_validate(fields)
    found = material(settings, registry_files.read(settings))
    assert isinstance(found, tuple), found
    return [f"{'.'.join(map(str, one.path))}: {one.message}" for one in found]


def held(**fields: object) -> RegistryMaterial:
    settings = RegistrySettings.model_validate(fields)
    found = material(settings, registry_files.read(settings))
    assert isinstance(found, RegistryMaterial), found
    return found


def docker_config(path: Path, **more: object) -> Path:
    auth = base64.b64encode(b"ada:canary").decode()
    path.write_text(json.dumps({"auths": {"r.example": {"auth": auth}}, **more}))
    return path


def plugins(path: Path) -> Path:
    provider = {
        "name": "ecr",
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "matchImages": ["*.example"],
        "defaultCacheDuration": "1h",
    }
    kind = {
        "apiVersion": "kubelet.config.k8s.io/v1",
        "kind": "CredentialProviderConfig",
    }
    path.write_text(json.dumps({**kind, "providers": [provider]}))
    return path


def test_without_files_there_is_nothing() -> None:
    assert RegistryMaterial() == held()


def test_a_docker_config_holds_entries_tokens_and_helpers(tmp_path: Path) -> None:
    config = docker_config(tmp_path / "config.json", credsStore="pass")
    found = held(docker_config=config)
    assert "ada" == found.keyring.lookup(parse("r.example/a"))[0].username
    assert "pass" == found.helpers.of("q.example")
    config.write_text('{"auths": {"r.example": {"identitytoken": "t"}}}')
    found = held(docker_config=config)
    assert "t" == found.keyring.lookup(parse("r.example/a"))[0].identity_token


def test_plugins_and_the_password_of_proxies_are_read(tmp_path: Path) -> None:
    (tmp_path / "proxy").write_text("ada:canary\n")
    found = held(
        credential_providers=plugins(tmp_path / "plugins.yaml"),
        credential_provider_folder=tmp_path,
        proxy={"credentials_file": tmp_path / "proxy"},
    )
    assert ["ecr"] == [one.name for one in found.plugins]
    assert ("ada", "canary") == (found.proxy_user, found.proxy_password)
    assert "canary" not in repr(found)


def test_a_host_s_files_are_its_material(authority: Authority) -> None:
    ca = {"ca_file": authority.ca}
    both = {"client_certificate": authority.certificate, "client_key": authority.key}
    hosts = {HOST: {**ca, **both}, "docker.io": ca, "none.example": {"private": True}}
    pair = Pair(authority.certificate.read_bytes(), authority.key.read_bytes())
    bundle = authority.ca.read_bytes()
    assert {
        HOST: Material((bundle,), (pair,)),
        "registry-1.docker.io": Material((bundle,)),
    } == held(hosts=hosts).hosts


def mirrors(tmp_path: Path, authority: Authority, text: str) -> Path:
    root = tmp_path / "mirrors"
    (root / "docker.io").mkdir(parents=True, exist_ok=True)
    for name in ("ca.crt", "server.crt", "server.key"):
        content = (authority.ca.parent / name).read_bytes()
        (root / "docker.io" / name).write_bytes(content)
    (root / "docker.io" / "hosts.toml").write_text(text)
    return root


def test_a_mirror_s_files_are_its_material(
    tmp_path: Path, authority: Authority
) -> None:
    text = """\
server = "https://a.example"
[host."https://b.example"]
ca = "ca.crt"
client = [["server.crt", "server.key"]]
[host."https://c.example"]
skip_verify = true
"""
    found = held(mirrors=mirrors(tmp_path, authority, text)).mirrors["docker.io"]
    pair = Pair(authority.certificate.read_bytes(), authority.key.read_bytes())
    assert [
        ("b.example", Material((authority.ca.read_bytes(),), (pair,))),
        ("c.example", Material(skip_verify=True)),
        ("a.example", None),
    ] == [(one.host.host, one.trust) for one in found]


# What is broken ----------------------------------------------------------------------


def test_everything_that_is_wrong_is_told_by_setting_and_file(
    tmp_path: Path, authority: Authority
) -> None:
    names = ("config", "plugins", "proxy", "ca", "key")
    config, providers, proxy, ca, key = (tmp_path / name for name in names)
    for path in (config, providers, proxy, ca, key):
        path.write_text("canary")
    host = {"ca_file": ca, "client_certificate": authority.certificate}
    lines = told(
        docker_config=config,
        credential_providers=providers,
        credential_provider_folder=tmp_path,
        proxy={"credentials_file": proxy},
        hosts={HOST: {**host, "client_key": key}},
    )
    where = f"registry.hosts.{HOST}"
    starts = [
        f"registry.proxy.credentialsFile: {proxy}: expected USER:PASSWORD",
        f"registry.dockerConfig: {config}: expected JSON",
        f"registry.credentialProviders: {providers}: ",
        f"{where}.caFile: {ca}: expected certificates in PEM",
        f"{where}.clientCertificate: {authority.certificate}: with {key}: expected a",
    ]
    for start in starts:
        assert any(line.startswith(start) for line in lines), (start, lines)
    assert "canary" not in "\n".join(lines)


def test_a_file_that_cannot_be_read_is_told_once(
    tmp_path: Path, authority: Authority
) -> None:
    gone = tmp_path / "gone"
    say = f"{gone}: cannot be read: No such file or directory"
    assert [f"registry.dockerConfig: {say}"] == told(docker_config=gone)
    host = {"client_certificate": authority.certificate, "client_key": gone}
    assert [f"registry.hosts.{HOST}.clientKey: {say}"] == told(hosts={HOST: host})
    assert [f"registry.hosts.{HOST}.caFile: {say}"] == told(
        hosts={HOST: {"ca_file": gone}}
    )


@pytest.mark.parametrize(
    ("text", "name", "say"),
    [
        ("server = 1", "hosts.toml", "server: expected a text"),
        ('ca = "gone"', "gone", "cannot be read: No such file or directory"),
        ('ca = "server.key"', "server.key", "expected certificates in PEM"),
        ('client = "ca.crt"', "ca.crt", "expected a certificate in PEM, and its key"),
        ('ca = "../../x"', "../../x", "cannot be read: No such file or directory"),
    ],
)
def test_what_is_wrong_with_mirrors_is_told_by_folder_and_file(
    tmp_path: Path, authority: Authority, text: str, name: str, say: str
) -> None:
    root = mirrors(tmp_path, authority, text)
    (line,) = told(mirrors=root)
    assert line.startswith(f"registry.mirrors: {root}/docker.io/{name}: {say}")


def test_a_folder_of_mirrors_that_is_not_there_is_told(tmp_path: Path) -> None:
    say = "cannot be read: No such file or directory"
    assert [f"registry.mirrors: {tmp_path}/gone: {say}"] == told(
        mirrors=tmp_path / "gone"
    )


# Where it is told --------------------------------------------------------------------


def test_files_are_told_with_the_place_of_their_setting(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    text = f"registry:\n  hosts:\n    {HOST}:\n      caFile: {tmp_path}/ca.crt\n"
    file.write_text(text)
    files = SettingsFiles(file)
    first = files.look()
    assert isinstance(first.said, Refused)
    where = f"{file}:4:15: registry.hosts.{HOST}.caFile: {tmp_path}/ca.crt"
    assert (f"{where}: cannot be read: No such file or directory",) == first.said.lines
    again = files.look()
    assert first.digest == again.digest
    assert first.said == again.said
