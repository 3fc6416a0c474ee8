"""The bytes of files with nodes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from app.cli.nodes import files
from app.cli.nodes.files import File, Limits
from app.errors import ConfigError

CONTENT = b"0123456789"


def write(folder: Path, name: str, content: bytes = CONTENT) -> str:
    """The path of a file."""
    (folder / name).write_bytes(content)
    return str(folder / name)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        pytest.param("a.json", "a", id="json"),
        pytest.param("a.b.yaml", "a.b", id="a dot in the name"),
        pytest.param("a.json.gz", "a", id="gzip"),
        pytest.param("a.txt", "a", id="another suffix"),
        pytest.param("a", "a", id="none"),
    ],
)
def test_a_file_is_called_like_its_name_without_the_suffix(
    name: str, stem: str, tmp_path: Path
) -> None:
    path = write(tmp_path, name)
    assert [File(path, stem, CONTENT)] == list(files.read(path))


def test_a_name_that_is_no_text_becomes_one(tmp_path: Path) -> None:
    """Names of files are bytes; nothing else can be made of JSON."""
    path = write(tmp_path, "bad\udcff.json")
    (one,) = files.read(path)
    assert "bad\ufffd" == one.stem


def test_gzip_is_told_by_its_bytes_whatever_the_name(tmp_path: Path) -> None:
    path = write(tmp_path, "a.json", gzip.compress(CONTENT))
    assert [CONTENT] == [one.content for one in files.read(path)]


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_has_a_bound(tmp_path: Path, *, packed: bool) -> None:
    path = write(tmp_path, "a", gzip.compress(CONTENT) if packed else CONTENT)
    size = max(len(CONTENT), len(Path(path).read_bytes()))
    content = CONTENT
    if packed:
        content = b"0" * size
        write(tmp_path, "a", gzip.compress(content))
    assert [content] == [
        one.content for one in files.read(path, limits=Limits(bytes=size))
    ]
    with pytest.raises(ConfigError) as caught:
        list(files.read(path, limits=Limits(bytes=size - 1)))
    assert f"{path}: larger than {size - 1} bytes" == caught.value.message


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param(gzip.compress(CONTENT)[:-9], "it is cut short", id="cut"),
        pytest.param(b"\x1f\x8b" + CONTENT, "Error -3 while", id="no gzip"),
    ],
)
def test_gzip_that_is_none_is_said(content: bytes, text: str, tmp_path: Path) -> None:
    path = write(tmp_path, "a.gz", content)
    with pytest.raises(ConfigError, match="no valid gzip: ") as caught:
        list(files.read(path))
    assert text in caught.value.message


def test_a_folder_has_a_bound(tmp_path: Path) -> None:
    for name in ("b.json", "a.yaml.gz", "c.txt"):
        write(tmp_path, name)
    found = files.read(str(tmp_path), limits=Limits(files=2))
    assert ["a", "b"] == [one.stem for one in found]
    with pytest.raises(ConfigError) as caught:
        list(files.read(str(tmp_path), limits=Limits(files=1)))
    assert f"{tmp_path}: 2 files, at most 1 are read" == caught.value.message


def test_a_folder_that_cannot_be_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(ConfigError, match="cannot be read: Permission denied"):
        list(files.read(str(tmp_path)))


@pytest.mark.parametrize(
    ("paths", "text"),
    [
        pytest.param(["a"], "a", id="one"),
        pytest.param(["a", "-"], "a and standard input", id="two"),
        pytest.param(["a", "b", "c"], "3 files", id="more"),
    ],
)
def test_files_are_named_in_few_words(paths: list[str], text: str) -> None:
    assert text == files.described(paths)
