"""What is pinned, and that both platforms of the image can have it."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.image.installation import base_python
from tests.tools.sandbox import ROOT

FOLDER: Final = ROOT / "requirements"
FILES: Final = ("build", "dev", "go", "runtime")
BASE_GLIBC_MINOR: Final = 41


def blocks(name: str) -> Iterator[tuple[Requirement, list[str]]]:
    """Each requirement of a file with the hashes below it."""
    text = (FOLDER / f"{name}.txt").read_text().replace("\\\n", " ")
    for line in filter(None, text.splitlines()):
        requirement, *hashes = re.split(r"\s+--hash=", line.strip())
        yield Requirement(requirement.strip()), hashes


def pins(name: str) -> dict[tuple[str, str], str]:
    """Name and marker -> version."""
    return {
        (canonicalize_name(one.name), str(one.marker)): str(one.specifier)
        for one, _ in blocks(name)
    }


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_is_one_version_with_its_hashes(name: str) -> None:
    found = list(blocks(name))
    assert found
    for requirement, hashes in found:
        assert re.fullmatch(r"==[^=,*]+", str(requirement.specifier)), requirement
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes)


@pytest.mark.parametrize("name", FILES)
def test_no_download_address_is_recorded(name: str) -> None:
    text = (FOLDER / f"{name}.txt").read_text()
    assert [] == re.findall(r"://|--(?:extra-)?index-url|--find-links|\s@\s", text)


@pytest.mark.parametrize("name", ["build", "runtime"])
def test_what_developers_have_is_what_is_shipped(name: str) -> None:
    shipped, developed = pins(name), pins("dev")
    assert shipped == {key: developed[key] for key in shipped if key in developed}


def test_the_readme_describes_every_file() -> None:
    described = re.findall(r"(?m)^\| `(\w+)\.txt`", (FOLDER / "README.md").read_text())
    assert sorted(FILES) == sorted(described)
    assert sorted(FILES) == sorted(path.stem for path in FOLDER.glob("*.txt"))


def test_what_the_project_declares_is_pinned_within_its_bounds() -> None:
    pinned = {
        canonicalize_name(one.name): one.specifier for one, _ in blocks("runtime")
    }
    for text in project()["project"]["dependencies"]:
        wanted = Requirement(text)
        (version,) = (one.version for one in pinned[canonicalize_name(wanted.name)])
        assert wanted.specifier.contains(version), text


def test_the_images_other_platform_has_wheels_of_those_hashes(tmp_path: Path) -> None:
    """A source distribution would need a compiler in the builder stage.

    That this machine's platform has them is seen by the tests of the installation.
    """
    machine = {"x86_64": "aarch64", "aarch64": "x86_64"}[platform.machine()]
    minor = base_python().wanted.replace(".", "")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--require-hashes", "--only-binary=:all:", "--implementation", "cp"]
    command += ["--python-version", minor, "--dest", str(tmp_path)]
    command += [f"--abi={abi}" for abi in (f"cp{minor}", "abi3", "none")]
    newest_first = range(BASE_GLIBC_MINOR, 16, -1)
    command += [f"--platform=manylinux_2_{number}_{machine}" for number in newest_first]
    command += [f"--platform=manylinux2014_{machine}"]
    command += ["-r", str(FOLDER / "runtime.txt")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr[-3000:]
    assert any(machine in path.name for path in tmp_path.iterdir())
