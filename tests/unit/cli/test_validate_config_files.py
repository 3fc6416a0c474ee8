"""Files that settings name, looked at before they are applied."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

PAIR = "server: {certificate: /tls.crt, privateKey: /tls.key}\n"
"""Without these a process does not start."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.yaml"


def test_files_that_settings_name_are_looked_at_when_asked(
    run: "Run", file: Path, tmp_path: Path
) -> None:
    ca = tmp_path / "ca.crt"
    hosts = f"hosts: {{r.example: {{caFile: {ca}}}}}"
    file.write_text(f"{PAIR}registry:\n  {hosts}\n")
    assert 0 == run("validate-config", str(file)).status
    found = run("validate-config", "--files", str(file))
    assert 2 == found.status
    where = f"{file}:3:31: registry.hosts.r.example.caFile: {ca}"
    assert f"{where}: cannot be read: No such file or directory\n" == found.err
    ca.write_text("canary")
    found = run("validate-config", "--files", str(file))
    assert f"{where}: expected certificates in PEM\n" == found.err


def test_files_without_a_fault_are_valid(
    run: "Run", file: Path, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text('{"auths": {}}')
    file.write_text(f"{PAIR}registry: {{dockerConfig: {tmp_path}/config.json}}\n")
    found = run("validate-config", "--files", str(file))
    assert (0, f"{file}: valid\n") == (found.status, found.out)


@pytest.mark.parametrize(
    "name", ["credentialHelpers", "credentialProviderFolder", "layoutRoot"]
)
def test_a_folder_that_is_not_there_is_told_when_asked(
    run: "Run", file: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "config.json").write_text('{"auths": {}}')
    (tmp_path / "providers.yaml").write_text(PROVIDERS)
    others = {
        "credentialHelpers": f"dockerConfig: {tmp_path}/config.json",
        "credentialProviderFolder": f"credentialProviders: {tmp_path}/providers.yaml",
        "layoutRoot": "mirrors: null",
    }
    folder = tmp_path / "folder"
    file.write_text(f"{PAIR}registry:\n  {others[name]}\n  {name}: {folder}\n")
    assert "" == run("validate-config", str(file)).err
    found = run("validate-config", "--files", str(file))
    assert (0, f"{file}: valid, 1 warning\n") == (found.status, found.out)
    where = f"{file}:4:{5 + len(name)}: warning: registry.{name}"
    assert f"{where}: {folder} is no folder here\n" == found.err
    folder.mkdir()
    assert "" == run("validate-config", "--files", str(file)).err


PROVIDERS = """\
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
- name: plugin
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  matchImages: [r.example]
  defaultCacheDuration: 1m
"""


@pytest.mark.parametrize(
    "config", ['{"credsStore": "canary"}', '{"credHelpers": {"r.example": "canary"}}']
)
def test_helpers_that_are_never_asked_are_told_when_asked(
    run: "Run", file: Path, tmp_path: Path, config: str
) -> None:
    docker = tmp_path / "config.json"
    docker.write_text(config)
    file.write_text(f"{PAIR}registry: {{dockerConfig: {docker}}}\n")
    assert "" == run("validate-config", str(file)).err
    found = run("validate-config", "--files", str(file))
    where = f"{file}:2:26: warning: registry.dockerConfig: {docker}"
    text = "names credential helpers: none is asked without credentialHelpers"
    assert (0, f"{where} {text}\n") == (found.status, found.err)
    both = f"dockerConfig: {docker}, credentialHelpers: {tmp_path}"
    file.write_text(f"{PAIR}registry: {{{both}}}\n")
    assert "" == run("validate-config", "--files", str(file)).err


def test_what_is_wrong_is_told_without_what_is_odd(
    run: "Run", file: Path, tmp_path: Path
) -> None:
    text = f"{{dockerConfig: {tmp_path}/none.json, layoutRoot: {tmp_path}/none}}"
    file.write_text(f"{PAIR}registry: {text}\n")
    found = run("validate-config", "--files", str(file))
    assert 2 == found.status
    assert 1 == len(found.err.splitlines())
