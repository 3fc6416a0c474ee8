"""The wheel and the source distribution: the same bytes from the same commit."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.tools.sandbox import ROOT

EPOCH: Final = "1767225600"
"""2026-01-01, any moment will do."""
VERSION: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
    "version"
]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What must not matter."""

    folder: str
    umask: int
    file_seconds: int
    environment: dict[str, str]


SURROUNDINGS: Final = (
    Surroundings("one", 0o022, 1_000_000_000, {"TZ": "UTC", "LANG": "C.UTF-8"}),
    Surroundings(
        "another/place with a space",
        0o077,
        1_700_000_000,
        {"TZ": "Asia/Kathmandu", "LANG": "C", "PYTHONHASHSEED": "7"},
    ),
)


def git(*arguments: str | Path, umask: int = -1) -> str:
    done = subprocess.run(
        ["git", *map(str, arguments)],
        check=True,
        umask=umask,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def commit() -> str:
    """The commit that all tests build; the checkout may move on meanwhile."""
    return git("-C", ROOT, "rev-parse", "HEAD")


def clone(target: Path, commit: str, umask: int = -1) -> Path:
    git("clone", "--quiet", "--no-checkout", ROOT.as_uri(), target, umask=umask)
    git("-C", target, "checkout", "--quiet", "--detach", commit, umask=umask)
    return target


def built(sources: Path, target: Path, surroundings: Surroundings) -> list[Path]:
    """The wheel and the source distribution, in the order of their names."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(target),
        "SOURCE_DATE_EPOCH": EPOCH,
    } | surroundings.environment
    command = [sys.executable, "-I", "-m", "hatchling", "build", "-d", str(target)]
    subprocess.run(
        command,
        cwd=sources,
        env=environment,
        check=True,
        capture_output=True,
        umask=surroundings.umask,
    )
    return sorted(path for path in target.iterdir() if path.is_file())


@pytest.fixture(scope="module")
def distributions(
    tmp_path_factory: pytest.TempPathFactory, commit: str
) -> list[list[Path]]:
    """Both distributions, from two clones that differ in all that must not matter."""
    found = []
    for surroundings in SURROUNDINGS:
        folder = tmp_path_factory.mktemp("clone") / surroundings.folder
        sources = clone(folder, commit, surroundings.umask)
        for path in sources.rglob("*"):
            seconds = surroundings.file_seconds
            os.utime(path, (seconds, seconds), follow_symlinks=False)
        target = tmp_path_factory.mktemp("dist")
        found.append(built(sources, target, surroundings))
    return found


@pytest.fixture(scope="module")
def wheel(distributions: list[list[Path]]) -> Path:
    return next(path for path in distributions[0] if path.suffix == ".whl")


@pytest.fixture(scope="module")
def source(distributions: list[list[Path]]) -> Path:
    return next(path for path in distributions[0] if path.suffix == ".gz")


def digests(paths: list[Path]) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_two_builds_give_the_same_bytes(distributions: list[list[Path]]) -> None:
    first, second = map(digests, distributions)
    assert {
        f"imagecompat-{VERSION}-py3-none-any.whl",
        f"imagecompat-{VERSION}.tar.gz",
    } == set(first)
    assert first == second


def test_a_wheel_from_the_source_distribution_is_the_same(
    wheel: Path, source: Path, tmp_path: Path
) -> None:
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (folder,) = (tmp_path / "unpacked").iterdir()
    target = tmp_path / "dist"
    target.mkdir()
    again = built(folder, target, SURROUNDINGS[1])
    assert digests([wheel])[wheel.name] == digests(again)[wheel.name]


def test_the_wheel_holds_the_package_and_no_more(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {"app", f"imagecompat-{VERSION}.dist-info"} == {
        name.partition("/")[0] for name in names
    }
    assert "app/py.typed" in names
    assert "app/demo/story.py" in names
    assert any(name.startswith("app/demo/data/hosts/") for name in names)
    parts = {part for name in names for part in name.split("/")}
    assert set() == parts & {"__pycache__", "tests", "bench"}


def test_the_wheel_holds_every_file_of_the_package(wheel: Path, commit: str) -> None:
    listed = git("-C", ROOT, "ls-tree", "-r", "--name-only", commit, "app")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("app/")}
    assert set(listed.splitlines()) == packed


def test_the_source_distribution_holds_what_a_wheel_needs(source: Path) -> None:
    with tarfile.open(source) as archive:
        names = {name.split("/")[1] for name in archive.getnames()}
    assert {
        ".gitignore",
        "CHANGELOG.md",
        "LICENSE",
        "PKG-INFO",
        "README.md",
        "app",
        "pyproject.toml",
    } == names


def test_the_image_installs_the_same_package(
    wheel: Path, commit: str, tmp_path: Path
) -> None:
    """Built in a context without .git and .gitignore, as the Dockerfile does."""
    sources = clone(tmp_path / "clone", commit)
    for name in (".git", ".gitignore"):
        (sources / name).rename(tmp_path / f"away{name}")
    target = tmp_path / "dist"
    target.mkdir()
    again = built(sources, target, SURROUNDINGS[1])
    assert digests([wheel])[wheel.name] == digests(again)[wheel.name]
