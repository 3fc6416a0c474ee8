"""Files that registry settings name: what is read, and when they change."""

import os
from itertools import pairwise
from pathlib import Path

import pytest

from app.bootstrap import registry_files
from app.bootstrap.registry_files import (
    MAX_FILE_BYTES,
    MAX_FOLDERS,
    MAX_NAMES,
    MIRRORS,
    Folder,
    RegistryFiles,
    read,
)
from app.settings.registry import RegistrySettings

TOML = '[host."https://m.example"]\nca = "ca.crt"\n'


def settings(**fields: object) -> RegistrySettings:
    return RegistrySettings.model_validate(fields)


def mirrors(root: Path, **texts: str) -> RegistryFiles:
    """Folders of mirrors with a `hosts.toml` each."""
    for name, text in texts.items():
        (root / name).mkdir(exist_ok=True)
        (root / name / "hosts.toml").write_text(text)
    return read(settings(mirrors=root))


def problems(found: RegistryFiles) -> list[str]:
    named = [one for folder in found.folders for _, one in folder.files]
    files = [one.problem for one in (*found.files, *named)]
    return [*filter(None, [*files, *(one.problem for one in found.folders)])]


def test_without_a_setting_nothing_is_read() -> None:
    assert RegistryFiles() == read(settings())


def test_every_file_goes_by_the_setting_that_names_it(tmp_path: Path) -> None:
    for name in "abcdef":
        (tmp_path / name).write_text(name)
    found = read(
        settings(
            docker_config=tmp_path / "a",
            credential_providers=tmp_path / "b",
            credential_provider_folder=tmp_path,
            proxy={"credentials_file": tmp_path / "c"},
            hosts={
                "r.example:5000": {
                    "ca_file": tmp_path / "d",
                    "client_certificate": tmp_path / "e",
                    "client_key": tmp_path / "f",
                }
            },
        )
    )
    host = ("registry", "hosts", "r.example:5000")
    assert [
        (("registry", "dockerConfig"), b"a"),
        (("registry", "credentialProviders"), b"b"),
        (("registry", "proxy", "credentialsFile"), b"c"),
        ((*host, "caFile"), b"d"),
        ((*host, "clientCertificate"), b"e"),
        ((*host, "clientKey"), b"f"),
    ] == [(one.setting, one.content) for one in found.files]
    assert b"d" == (one.content if (one := found.of(*host, "caFile")) else None)
    assert found.of("registry", "mirrors") is None


def test_contents_are_never_shown(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("canary")
    text = '[header]\nAuthorization = "canary"'
    found = mirrors(tmp_path, **{"docker.io": text})
    config = read(settings(docker_config=tmp_path / "config"))
    assert "canary" not in repr((found, config))


# What is refused ---------------------------------------------------------------------


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    found = read(settings(docker_config=tmp_path / "gone"))
    assert ["cannot be read: No such file or directory"] == problems(found)


def test_a_pipe_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    found = read(settings(docker_config=tmp_path / "pipe"))
    assert ["cannot be read: it is no plain file"] == problems(found)
    found = read(settings(docker_config=tmp_path))
    assert ["cannot be read: Is a directory"] == problems(found)


def test_a_file_is_read_to_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_bytes(b"x" * MAX_FILE_BYTES)
    assert [] == problems(read(settings(docker_config=path)))
    path.write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    (told,) = problems(read(settings(docker_config=path)))
    assert f"larger than {MAX_FILE_BYTES} bytes" == told


def test_a_file_that_is_missed_while_its_volume_changes_is_looked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config"
    path.write_text("x")
    tries = iter([FileNotFoundError(2, "gone")])
    whole = registry_files._content

    def content(path: Path, inside: Path | None) -> bytes | None:
        for error in tries:
            raise error
        return whole(path, inside)

    monkeypatch.setattr(registry_files, "_content", content)
    assert [] == problems(read(settings(docker_config=path)))


# Mirrors -----------------------------------------------------------------------------


def test_each_folder_is_a_registry_s_and_links_of_volumes_are_none(
    tmp_path: Path,
) -> None:
    (tmp_path / "..2026_01").mkdir()
    (tmp_path / "..data").symlink_to("..2026_01")
    (tmp_path / "README").write_text("no folder")
    for name in ("docker.io", "_default", "r.example_5000_"):
        (tmp_path / "..2026_01" / name).mkdir()
        (tmp_path / "..2026_01" / name / "hosts.toml").write_text(TOML)
        (tmp_path / "..2026_01" / name / "ca.crt").write_text(name)
        (tmp_path / name).symlink_to(f"..data/{name}")
    found = read(settings(mirrors=tmp_path))
    assert ["_default", "docker.io", "r.example_5000_"] == [
        one.name for one in found.folders
    ]
    assert [] == problems(found)
    assert [b"_default", b"docker.io", b"r.example_5000_"] == [
        file.content for one in found.folders for _, file in one.files
    ]


@pytest.mark.parametrize("text", ["", None], ids=["empty", "none"])
def test_without_a_hosts_toml_certificates_count(
    tmp_path: Path, text: str | None
) -> None:
    folder = tmp_path / "r.example"
    folder.mkdir()
    if text is not None:
        (folder / "hosts.toml").write_text(text)
    for name in ("a.crt", "b.cert", "b.key", "README"):
        (folder / name).write_text(name)
    (found,) = read(settings(mirrors=tmp_path)).folders
    assert {"a.crt", "b.cert", "b.key"} == {name for name, _ in found.files}
    (host,) = found.hosts
    assert "" == host.host


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    found = read(settings(mirrors=tmp_path / "gone"))
    assert ["cannot be read: No such file or directory"] == problems(found)
    assert found.of(*MIRRORS) is not None


def test_a_broken_hosts_toml_is_told(tmp_path: Path) -> None:
    found = mirrors(tmp_path, **{"docker.io": 'capabilities = ["fly"]', "_default": ""})
    (told,) = problems(found)
    assert told.startswith("server: capabilities: expected some of")


@pytest.mark.parametrize("name", ["../secret", "/etc/hostname", "link", "circle"])
def test_files_stay_inside_the_folder_of_mirrors(tmp_path: Path, name: str) -> None:
    root = tmp_path / "mirrors"
    (root / "docker.io").mkdir(parents=True)
    (tmp_path / "secret").write_text("canary")
    (root / "secret").symlink_to(tmp_path / "secret")
    (root / "docker.io" / "link").symlink_to(tmp_path / "secret")
    (root / "docker.io" / "circle").symlink_to("circle")
    found = mirrors(root, **{"docker.io": f'ca = "{name}"'})
    (told,) = problems(found)
    assert told.startswith(("leads out of the folder", "cannot be read: "))
    assert "canary" not in repr([file.content for _, file in found.folders[0].files])


def test_a_hosts_toml_that_leads_out_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "mirrors"
    (root / "docker.io").mkdir(parents=True)
    (tmp_path / "secret").write_text("canary")
    (root / "docker.io" / "hosts.toml").symlink_to(tmp_path / "secret")
    (told,) = problems(read(settings(mirrors=root)))
    assert "leads out of the folder of mirrors" == told


def test_files_of_another_folder_inside_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "corp.crt").write_text("x")
    found = mirrors(tmp_path, **{"docker.io": 'ca = "../corp.crt"'})
    assert [] == problems(found)


def test_folders_are_bounded(tmp_path: Path) -> None:
    for number in range(MAX_FOLDERS):
        (tmp_path / f"r{number}.example").mkdir()
    assert MAX_FOLDERS == len(read(settings(mirrors=tmp_path)).folders)
    (tmp_path / "one.more").mkdir()
    found = read(settings(mirrors=tmp_path))
    assert [f"expected at most {MAX_FOLDERS} folders"] == problems(found)
    assert () == found.folders


def test_certificates_of_a_folder_are_bounded(tmp_path: Path) -> None:
    folder = tmp_path / "r.example"
    folder.mkdir()
    for number in range(MAX_NAMES):
        (folder / f"{number}.crt").write_text("x")
    assert [] == problems(read(settings(mirrors=tmp_path)))
    (folder / "more.crt").write_text("x")
    (told,) = problems(read(settings(mirrors=tmp_path)))
    assert told.startswith(f"expected at most {MAX_NAMES} certificates")


def test_folders_that_cannot_be_read_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> list[str]:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "r.example").mkdir()
    monkeypatch.setattr(registry_files, "_certificates", refuse)
    denied = "cannot be read: Permission denied"
    assert (Folder("r.example", problem=denied),) == read(
        settings(mirrors=tmp_path)
    ).folders
    monkeypatch.setattr(registry_files, "_folder_problem", lambda _: "")
    monkeypatch.setattr(registry_files, "_subfolders", refuse)
    assert (Folder("", problem=denied),) == read(settings(mirrors=tmp_path)).folders


# What changes ------------------------------------------------------------------------


def test_equal_contents_are_equal_files(tmp_path: Path) -> None:
    first = mirrors(tmp_path, **{"docker.io": TOML})
    (tmp_path / "docker.io" / "hosts.toml").write_text(TOML)
    again = read(settings(mirrors=tmp_path))
    assert (first, first.digest) == (again, again.digest)
    assert () == again.changed(first)


def test_another_hosts_toml_header_or_certificate_is_another_content(
    tmp_path: Path,
) -> None:
    seen = [mirrors(tmp_path, **{"docker.io": TOML})]
    seen.append(mirrors(tmp_path, **{"docker.io": TOML + '[header]\nx = "a"'}))
    seen.append(mirrors(tmp_path, **{"docker.io": TOML + '[header]\nx = "b"'}))
    (tmp_path / "docker.io" / "ca.crt").write_text("x")
    seen.append(read(settings(mirrors=tmp_path)))
    (tmp_path / "docker.io" / "ca.crt").write_text("y")
    seen.append(read(settings(mirrors=tmp_path)))
    seen.append(mirrors(tmp_path, _default=""))
    assert len(seen) == len({one.digest for one in seen})
    for before, after in pairwise(seen):
        assert ("registry.mirrors",) == after.changed(before)


def test_a_file_that_comes_goes_or_changes_is_told_by_its_setting(
    tmp_path: Path,
) -> None:
    path = tmp_path / "config"
    path.write_text("x")
    one = read(settings(docker_config=path))
    path.write_text("y")
    two = read(settings(docker_config=path))
    for before, after in ((one, two), (RegistryFiles(), one), (one, RegistryFiles())):
        assert ("registry.dockerConfig",) == after.changed(before)
        assert before.digest != after.digest
