"""This machine's processor, asked by us and by the real `nfd export features`.

Where QEMU's emulator for one process is there (Debian's `qemu-user-static`), other
processors are asked too: both programs run on what it makes up.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pytest

from app.host import cpu
from app.host.cpu import cpuinfo, identity, kernel_flags, sysfs
from app.host.cpu.instruction import asking
from app.host.tree import Tree
from tests.tools import host_trees, needed, nfd_host
from tests.tools.processors import tree_of

pytestmark = pytest.mark.integration

IS_AMD64: Final = platform.machine() == cpu.AMD64
on_amd64: Final = pytest.mark.skipif(not IS_AMD64, reason="an instruction of amd64")
SECONDS: Final = 120.0

SHOW: Final = """
import json, pathlib, platform, sys
from app.host import cpu
from app.host.tree import Tree
tree = Tree(pathlib.Path(sys.argv[1]))
found = cpu.discover(tree, machine=platform.machine())
print(json.dumps({
    "flags": {name: sorted(flags or ()) for name, flags in found.flags.items()},
    "attributes": found.attributes,
    "unread": {one.path: one.why for one in tree.unread},
}))
"""
"""What we find, as a program: of the tree that it is given."""

MAY_BE_HIDDEN: Final = frozenset(
    {
        *("VMX", "SVM", "SGX", "SGXLC", "TME"),  # not switched on by the firmware
        *("SVMNP", "LBRVIRT", "SVML", "NRIPS", "TSCRATEMSR", "VMCBCLEAN"),
        *("SVMFBASID", "SVMDA", "SVMPF", "SVMPFT", "SME", "SEV", "SEV_ES", "SEV_SNP"),
        *("HTT", "RTM", "HLE", "AMXFP8", "XSAVES", "ENQCMD"),  # switched off
        *("CETSS", "CETIBT", "LAM", "FRED", "SEV_DEBUGSWAP", "INVLPGB"),  # too new
        *("AMXTILE", "AMXINT8", "AMXBF16", "AVX512FP16", "AVXVNNI", "AVX512BF16"),
        *("SERIALIZE", "TSXLDTRK", "RDPRU", "CPPC", "PPIN", "SME_COHERENT", "FSRM"),
        *("IBPB", "IBRS", "STIBP", "MD_CLEAR", "FLUSH_L1D"),  # not trusted
    }
)
"""What a kernel may keep to itself although its version of 2026 shows it."""


def theirs(text: str) -> dict[str, Any]:
    """NFD's features of the source `cpu`."""
    exported = json.loads(text)
    return {
        "flags": {
            name.removeprefix("cpu."): sorted(one["elements"])
            for name, one in exported["flags"].items()
            if name.startswith("cpu.")
        },
        "attributes": {
            name.removeprefix("cpu."): one["elements"]
            for name, one in exported["attributes"].items()
            if name.startswith("cpu.")
        },
    }


def ours(root: Path = Path("/"), *, before: Sequence[str | Path] = ()) -> Any:
    """What we find, in a process of its own.

    Args:
        root: of the tree.
        before: what runs the process.
    """
    done = subprocess.run(
        [*before, sys.executable, "-c", SHOW, root],
        capture_output=True,
        check=False,
        text=True,
        timeout=SECONDS,
    )
    assert 0 == done.returncode, done.stderr
    return json.loads(done.stdout)


def test_this_processor_publishes_what_nfd_publishes() -> None:
    exported = nfd_host.on_this_machine()
    assert 0 == exported.status, exported.log
    found = ours()
    assert {} == found.pop("unread")
    assert theirs(exported.text) == found


@on_amd64
def test_what_the_kernel_shows_is_what_the_processor_says() -> None:
    fields = cpuinfo.first_processor(Tree().text(cpuinfo.PATH) or "")
    told = kernel_flags.flags_of(fields)
    with asking() as registers:
        asked = cpu.of_registers(Tree(), registers).flags["cpuid"]
        who = identity.of_registers(registers)
    assert asked is not None
    assert frozenset() == told - asked
    untold = {name.removeprefix("cpuid.") for name in kernel_flags.untold(fields)}
    assert frozenset() == asked - told - untold - MAY_BE_HIDDEN
    assert who == kernel_flags.identity_of(fields)


def executable_pages() -> set[str]:
    """What of our memory can be executed and is of no file: range and rights."""
    maps = Path("/proc/self/maps").read_text()
    lines = re.findall(r"^(\S+ ..x\S) 0+ 00:00 0\s*$", maps, re.MULTILINE)
    return {str(line) for line in lines}


@on_amd64
def test_the_page_is_never_writable_and_executable_and_is_given_back() -> None:
    with asking():
        pass  # what ctypes keeps for itself is there
    before = executable_pages()
    with asking() as registers:
        registers.leaf(0)
        [page] = executable_pages() - before
    assert before == executable_pages()
    place, rights = page.split()
    start, end = (int(number, 16) for number in place.split("-"))
    assert "r-xp" == rights
    assert 4096 == end - start


FORBIDDING: Final = """
import ctypes, runpy, sys
set_rule, refuse_exec_gain = 65, 1  # PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN
assert ctypes.CDLL(None).prctl(set_rule, refuse_exec_gain, 0, 0, 0) == 0
exec(sys.argv.pop(1))
"""
"""What systemd's `MemoryDenyWriteExecute` asks of the kernel, of Linux 6.3 on."""


@on_amd64
def test_where_no_page_may_become_executable_the_kernels_flags_do() -> None:
    found = ours(before=())
    done = subprocess.run(
        [sys.executable, "-c", FORBIDDING, SHOW, "/"],
        capture_output=True,
        check=False,
        text=True,
        timeout=SECONDS,
    )
    assert 0 == done.returncode, done.stderr
    told = json.loads(done.stdout)
    assert "Permission denied" == told["unread"][cpu.INSTRUCTION]
    assert cpuinfo.PATH in told["unread"]
    assert "X86_64_V1" in told["flags"]["cpuid"]
    assert set(told["flags"]["cpuid"]) <= set(found["flags"]["cpuid"])
    model = found["attributes"]["model"]
    assert told["attributes"]["model"].items() <= model.items()
    assert found["attributes"]["topology"] == told["attributes"]["topology"]


def in_a_mount_space(script: str, *arguments: str | Path) -> Any:
    """Runs a shell's script as root of its own mounts."""
    user = () if os.geteuid() == 0 else ("--map-root-user",)
    done = subprocess.run(
        ["unshare", *user, "--mount", "sh", "-ec", script, "sh", *arguments],
        capture_output=True,
        check=False,
        text=True,
        timeout=SECONDS,
    )
    if "unshare:" in done.stderr:
        pytest.skip(f"no mounts of one's own here: {done.stderr.strip()}")
    assert 0 == done.returncode, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("folder", ["sys", "proc"])
def test_a_container_sees_its_host_by_what_is_mounted(
    folder: str, tmp_path: Path
) -> None:
    (tmp_path / folder).mkdir()
    script = 'mount --rbind "/$1" "$2/$1" && "$3" -c "$4" "$2"'
    found = in_a_mount_space(script, folder, tmp_path, sys.executable, SHOW)
    live = ours()
    assert live["flags"] == found["flags"]
    assert live["attributes"]["model"] == found["attributes"]["model"]
    has_topology = found["attributes"]["topology"] == live["attributes"]["topology"]
    assert ("sys" == folder) == has_topology


def test_a_copy_of_files_is_another_machine(tmp_path: Path) -> None:
    copied = cpuinfo.PATH, Tree().text(cpuinfo.PATH) or ""
    tree_of(tmp_path, dict([copied]))
    found = ours(tmp_path)
    assert cpu.INSTRUCTION not in found["unread"]
    if IS_AMD64:
        assert cpuinfo.PATH in found["unread"]
    assert set(found["flags"]["cpuid"]) <= set(ours()["flags"]["cpuid"])


@on_amd64
@pytest.mark.parametrize("frequency", ["0", "800000", "99000000", "fast"])
def test_base_frequencies_are_compared_with_what_this_processor_says(
    frequency: str, tmp_path: Path
) -> None:
    path = f"{sysfs.PROCESSORS}/cpu0/cpufreq/base_frequency"
    root = host_trees.make(tmp_path, {path: f"{frequency}\n"})
    exported = nfd_host.exported(root)
    assert 0 == exported.status, exported.log
    with asking() as registers:
        found = cpu.of_registers(Tree(root), registers)
    wanted = theirs(exported.text)
    assert wanted["attributes"] == asdict(found)["attributes"]


MODELS: Final = ("Skylake-Server", "EPYC-Rome", "Opteron_G5")


@on_amd64
@pytest.mark.parametrize("model", MODELS)
def test_an_emulated_processor_publishes_what_nfd_publishes(model: str) -> None:
    qemu, nfd = needed.programs("qemu-x86_64", "nfd")
    emulator = (qemu, "-cpu", model)
    done = subprocess.run(
        [*emulator, nfd, "export", "features"],
        capture_output=True,
        check=True,
        text=True,
        timeout=SECONDS,
    )
    found = ours(before=emulator)
    assert {} == found.pop("unread")
    assert theirs(done.stdout) == found
    assert "qemu" == found["attributes"]["model"]["hypervisor"]
