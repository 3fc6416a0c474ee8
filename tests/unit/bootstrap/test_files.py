"""What both files say, by their content."""

import base64
import json
from pathlib import Path

import pytest

from app.bootstrap.files import SettingsFiles, Sight, Wanted, load
from app.bootstrap.registry_material import RegistryMaterial, material
from app.errors import ConfigError
from app.oci.images.reference import parse
from app.settings.loading import Refused


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "settings.yaml"
    path.write_text("policy: {mode: audit}\n")
    return path


def docker_config(user: str) -> str:
    auth = base64.b64encode(f"{user}:secret".encode()).decode()
    return json.dumps({"auths": {"r.example": {"auth": auth}}})


def taken(sight: Sight) -> Wanted:
    assert isinstance(sight.said, Wanted), sight.said
    return sight.said


def held(sight: Sight) -> RegistryMaterial:
    wanted = taken(sight)
    found = material(wanted.settings.registry, wanted.files)
    assert isinstance(found, RegistryMaterial), found
    return found


def refused(sight: Sight) -> str:
    assert isinstance(sight.said, Refused), sight.said
    return "\n".join(sight.said.lines)


def test_equal_contents_have_equal_digests(file: Path) -> None:
    files = SettingsFiles(file)
    first = files.look()
    file.write_bytes(file.read_bytes())
    assert first.digest == files.look().digest
    file.write_text("policy: {mode: warn}\n")
    assert first.digest != files.look().digest
    assert "warn" == taken(files.look()).settings.policy.mode


def test_without_a_file_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGECOMPAT_POLICY__MODE", "audit")
    assert "audit" == taken(SettingsFiles(None).look()).settings.policy.mode


def test_a_docker_config_that_changes_is_another_content(
    file: Path, tmp_path: Path
) -> None:
    docker = tmp_path / "config.json"
    docker.write_text(docker_config("ada"))
    file.write_text(f"registry: {{dockerConfig: {docker}}}\n")
    files = SettingsFiles(file)
    first = files.look()
    docker.write_text(docker_config("bob"))
    second = files.look()
    image = parse("r.example/app:1")
    assert ["ada", "bob"] == [
        held(one).keyring.lookup(image)[0].username for one in (first, second)
    ]
    assert first.digest != second.digest


def test_a_docker_config_that_cannot_be_used_is_told_by_its_setting(
    file: Path, tmp_path: Path
) -> None:
    docker = tmp_path / "config.json"
    file.write_text(f"policy: {{}}\nregistry:\n  dockerConfig: {docker}\n")
    files = SettingsFiles(file)
    missing = files.look()
    where = f"{file}:3:17: registry.dockerConfig: {docker}: "
    assert where + "cannot be read: No such file or directory" == refused(missing)
    docker.write_text("secret")
    broken = files.look()
    assert refused(broken).startswith(where + "expected JSON")
    assert "secret" not in refused(broken)
    docker.write_text(docker_config("ada"))
    fine = files.look()
    assert 3 == len({missing.digest, broken.digest, fine.digest})
    assert held(fine).keyring.entries


def test_a_docker_config_of_the_environment_is_told_without_a_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IMAGECOMPAT_REGISTRY__DOCKER_CONFIG", "/nonexistent")
    text = refused(SettingsFiles(None).look())
    assert text.startswith("the settings: registry.dockerConfig: /nonexistent: cannot")


def test_a_process_starts_with_neither_file_broken(file: Path) -> None:
    assert "audit" == load(file).policy.mode
    file.write_text("registry: {dockerConfig: /nonexistent}")
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert refused(SettingsFiles(file).look()) == caught.value.message
    assert "InvalidSettings" == caught.value.reason


def test_a_file_that_is_gone_or_broken_is_refused_by_its_content(file: Path) -> None:
    files = SettingsFiles(file)
    digests = {files.look().digest}
    file.write_text("policy: {mode: [}")
    assert f"{file}:1:17: no valid YAML" in refused(files.look())
    digests.add(files.look().digest)
    file.unlink()
    assert f"{file}: cannot be read: No such file or directory" == refused(files.look())
    digests.add(files.look().digest)
    assert 3 == len(digests)


def test_a_volume_of_the_kubelet_changes_at_once(tmp_path: Path) -> None:
    """Files are links through `..data`, which another link is renamed over."""

    def write(version: str, mode: str) -> None:
        (tmp_path / version).mkdir()
        (tmp_path / version / "settings.yaml").write_text(f"policy: {{mode: {mode}}}")
        (tmp_path / "..data_tmp").symlink_to(version)
        (tmp_path / "..data_tmp").rename(tmp_path / "..data")

    write("..1", "audit")
    file = tmp_path / "settings.yaml"
    file.symlink_to("..data/settings.yaml")
    files = SettingsFiles(file)
    assert "audit" == taken(files.look()).settings.policy.mode
    write("..2", "warn")
    assert "warn" == taken(files.look()).settings.policy.mode
