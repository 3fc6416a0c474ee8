from pathlib import Path

import pytest

from app.cli.checking import files
from app.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.yaml", "a.json", "c.yml", "notes.md", "more/d.yaml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    return tmp_path


def names(*paths: Path | str, recursive: bool = False) -> list[str]:
    found = files.read([str(one) for one in paths], recursive=recursive)
    return [Path(one.name).name for one in found]


def test_a_folders_manifests_are_read_by_name(folder: Path) -> None:
    assert ["a.json", "b.yaml", "c.yml"] == names(folder)


def test_its_folders_are_read_if_that_is_asked(folder: Path) -> None:
    assert ["a.json", "b.yaml", "c.yml", "d.yaml"] == names(folder, recursive=True)


def test_a_file_that_is_named_may_have_any_name(folder: Path) -> None:
    assert ["notes.md"] == names(folder / "notes.md")


def refused(*paths: Path | str, recursive: bool = False) -> tuple[str, str]:
    with pytest.raises(ConfigError) as caught:
        names(*paths, recursive=recursive)
    return caught.value.reason, caught.value.message


def test_a_folder_without_manifests_is_a_mistake(tmp_path: Path) -> None:
    none = "no .yaml, .yml, .json file in it"
    reason, message = refused(tmp_path)
    assert "NoManifests" == reason
    assert message.endswith(f"{none} (-R looks into its folders)")
    assert refused(tmp_path, recursive=True)[1].endswith("in it or its folders")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    reason, message = refused(tmp_path / "x.yaml")
    assert ("UnreadableInput", True) == (reason, "x.yaml: cannot be read" in message)


def test_a_folder_that_cannot_be_read_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def walk(path: str, onerror: object) -> None:
        assert callable(onerror)
        onerror(OSError(13, "Permission denied", path))

    monkeypatch.setattr("os.walk", walk)
    message = f"{folder}: cannot be read: Permission denied"
    assert ("UnreadableInput", message) == refused(folder)


def test_standard_input_is_read_once() -> None:
    assert "InputTwice" == refused("-", "-")[0]


@pytest.mark.parametrize(("most", "is_fine"), [(3, True), (2, False)])
def test_files_of_a_folder_have_a_bound(
    folder: Path, monkeypatch: pytest.MonkeyPatch, most: int, is_fine: bool
) -> None:
    monkeypatch.setattr(files, "MAX_FILES", most)
    if is_fine:
        assert 3 == len(names(folder))
    else:
        assert ("TooManyFiles", f"{folder}: more than 2 files") == refused(folder)


@pytest.mark.parametrize(("most", "is_fine"), [(17, True), (16, False)])
def test_bytes_of_all_files_have_a_bound(
    folder: Path, monkeypatch: pytest.MonkeyPatch, most: int, is_fine: bool
) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", most)
    if is_fine:
        assert 3 == len(names(folder))
    else:
        assert "InputTooLarge" == refused(folder)[0]
