"""Whether a tree is of the machine that we run on."""

import platform
from pathlib import Path

import pytest

from app.host.cpu import place
from app.host.tree import Tree

LINE = "36 25 0:32 / {} rw,nosuid shared:9 - {} none rw\n"


@pytest.mark.parametrize(
    ("folder", "kind", "is_kernels"),
    [
        pytest.param("sys", "sysfs", True, id="sys"),
        pytest.param("proc", "proc", True, id="proc"),
        pytest.param("sys", "overlay", False, id="a folder of an image"),
        pytest.param("proc", "sysfs", False, id="one in the other's place"),
        pytest.param("sys/kernel", "sysfs", False, id="a part"),
        pytest.param("", "sysfs", False, id="the root"),
        pytest.param("other", "proc", False, id="another folder"),
    ],
)
def test_a_tree_is_here_if_it_holds_what_is_the_kernels(
    folder: str, kind: str, is_kernels: bool, tmp_path: Path
) -> None:
    (tmp_path / folder).mkdir(parents=True, exist_ok=True)
    mounts = LINE.format("/", "ext4") + LINE.format(tmp_path / folder, kind)
    assert is_kernels == place.holds_kernels_own(tmp_path, mounts)


def test_only_an_end_of_line_ends_a_mount(tmp_path: Path) -> None:
    root = tmp_path / "my\x1chost"
    (root / "sys").mkdir(parents=True)
    mounts = LINE.format(f"{root}/sys", "sysfs")
    assert place.holds_kernels_own(root, mounts)


def test_a_place_is_written_with_octal_numbers(tmp_path: Path) -> None:
    root = tmp_path / "my host"
    (root / "sys").mkdir(parents=True)
    mounts = LINE.format(f"{tmp_path}/my\\040host/sys", "sysfs")
    assert place.holds_kernels_own(root, mounts)


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real" / "proc").mkdir(parents=True)
    (tmp_path / "host").symlink_to(tmp_path / "real")
    mounts = LINE.format(tmp_path / "real" / "proc", "proc")
    assert place.holds_kernels_own(tmp_path / "host", mounts)


def test_a_link_out_of_a_copy_is_not(tmp_path: Path) -> None:
    host = tmp_path / "host"
    host.mkdir()
    (host / "sys").symlink_to("/sys")
    assert not place.holds_kernels_own(host, LINE.format("/sys", "sysfs"))


@pytest.mark.parametrize("mounts", ["", "\n", "36 25 0:32 /\n", "nonsense - sysfs x\n"])
def test_no_mount_is_no_kernel(mounts: str, tmp_path: Path) -> None:
    assert not place.holds_kernels_own(tmp_path, mounts)


def test_the_root_is_here_and_a_copy_is_not(tmp_path: Path) -> None:
    assert place.is_here(Tree(), platform.machine())
    assert not place.is_here(Tree(tmp_path), platform.machine())
    assert not place.is_here(Tree(), "another machine")


@pytest.mark.parametrize(
    ("told", "bits", "machine"),
    [
        pytest.param("x86_64", 64, "x86_64", id="as it is"),
        pytest.param("aarch64", 64, "aarch64", id="arm64"),
        pytest.param("i686", 64, "x86_64", id="setarch linux32"),
        pytest.param("armv8l", 64, "aarch64", id="setarch linux32 on arm64"),
        pytest.param("i686", 32, "i686", id="a process of 32 bits"),
        pytest.param("riscv64", 64, "riscv64", id="another"),
    ],
)
def test_a_personality_does_not_hide_what_we_run_on(
    told: str, bits: int, machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: told)
    monkeypatch.setattr("sys.maxsize", (1 << bits - 1) - 1)
    assert machine == place.machine()
    assert place.is_here(Tree(), machine)
