"""All sources joined: what is named, what is listed, and that nothing is raised."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from app.compat import features
from app.compat.features import Features
from app.host import local, nfd_json
from app.host.discovery import TOLD_BY, discover
from app.host.local import FOLDER as FEATURES
from app.host.local import MAX_BYTES
from app.host.tree import MAX_FILE_BYTES, Tree, Unread
from tests.tools import host_examples, host_trees
from tests.tools.host_trees import FOLDER, GONE, PIPE, Entries, Entry, Link


def unread(folder: Path, entries: Entries) -> dict[str, str]:
    """What is listed of a host, but for its processor."""
    found = discover(host_trees.make(folder, entries), machine="riscv64")
    return {each.path: each.why for each in found.unread if "/cpu" not in each.path}


def test_features_are_named_with_their_source(tmp_path: Path) -> None:
    found = discover(host_trees.make(tmp_path, {})).features
    sources = {
        name.partition(".")[0]
        for kind in (found.flags, found.attributes, found.instances)
        for name in kind
    }
    assert {
        *("cpu", "kernel", "local", "memory", "network"),
        *("pci", "storage", "system", "usb"),
    } == sources


def test_what_every_host_has_is_listed_where_it_is_missing(tmp_path: Path) -> None:
    missing = unread(tmp_path, dict.fromkeys(host_trees.BASE, GONE))
    assert {
        "/etc/os-release",
        "/proc/modules",
        "/proc/swaps",
        "/proc/sys/kernel/osrelease",
        "/sys/block",
        "/sys/bus/node/devices",
        "/sys/bus/pci/devices",
        "/sys/class/net",
        "/sys/fs",
        "/usr/src/linux/.config",
    } <= missing.keys()
    assert {"No such file or directory"} == set(missing.values())


@pytest.mark.parametrize("folder", TOLD_BY)
def test_a_folder_that_was_not_copied_is_listed(folder: str, tmp_path: Path) -> None:
    """NFD publishes that such a host has no KVM, no huge pages, no USB."""
    base = dict.fromkeys(TOLD_BY, FOLDER)
    whole = host_trees.make(tmp_path / "whole", base, base={})
    assert folder not in {each.path for each in discover(whole).unread}
    others = {path: FOLDER for path in TOLD_BY if not path.startswith(folder)}
    found = discover(host_trees.make(tmp_path / "part", others, base={}))
    assert Unread(folder, "No such file or directory") in found.unread
    assert {"enabled": "false"} == found.features.attributes["kernel.kvm"]
    assert {"enabled": "false"} == found.features.attributes["memory.hugepages"]


def test_a_whole_host_has_nothing_to_list(tmp_path: Path) -> None:
    listed = unread(tmp_path, {})
    assert {} == {path: why for path, why in listed.items() if "cpu" not in path}


@pytest.mark.parametrize(
    ("entries", "path", "why"),
    [
        pytest.param(
            {"/sys/fs/selinux/enforce": ""},
            "/sys/fs/selinux/enforce",
            "empty",
            id="at-which-nfd-crashes",
        ),
        pytest.param(
            host_examples.TREES["options-whose-end-is-missing"],
            "/proc/config.gz",
            "not a whole gzip file",
            id="cut-short",
        ),
        pytest.param(
            host_examples.TREES["options-that-are-not-packed"],
            "/proc/config.gz",
            "not a whole gzip file",
            id="not-packed",
        ),
        pytest.param(
            host_examples.TREES["feature-files-with-directives"],
            f"{FEATURES}/a",
            "has a directive that is unknown or cannot be read",
            id="directive",
        ),
        pytest.param(
            host_examples.TREES["feature-files-at-the-limit"],
            f"{FEATURES}/b",
            "larger than 65536 bytes",
            id="feature-file",
        ),
    ],
)
def test_what_is_there_and_cannot_be_read_is_listed(
    entries: Entries, path: str, why: str, tmp_path: Path
) -> None:
    assert why == unread(tmp_path, entries)[path]


def test_an_empty_word_of_selinux_publishes_nothing(tmp_path: Path) -> None:
    root = host_trees.make(tmp_path, {"/sys/fs/selinux/enforce": ""})
    assert "kernel.selinux" not in discover(root).features.attributes


def test_a_line_of_white_space_is_no_module(tmp_path: Path) -> None:
    """At which NFD crashes; no kernel writes one."""
    root = host_trees.make(tmp_path, {"/proc/modules": "a 1\n \t\n"})
    found = discover(root).features.flags["kernel.loadedmodule"]
    assert frozenset({"a"}) == found


@pytest.mark.parametrize("members", [16, 17])
def test_options_are_unpacked_up_to_sixteen_members(
    members: int, tmp_path: Path
) -> None:
    packed = host_examples.packed(b"CONFIG_A=y\n")
    root = host_trees.make(tmp_path, {"/proc/config.gz": packed * members})
    found = discover(root).features.attributes["kernel.config"]
    assert (members == 16) == ({"A": "y"} == found)


@pytest.mark.parametrize("more", [0, 1])
def test_options_are_unpacked_up_to_sixteen_mebibytes(
    more: int, tmp_path: Path
) -> None:
    text = b"CONFIG_A=y\n".ljust(MAX_FILE_BYTES + more, b"#")
    entries = {"/proc/config.gz": host_examples.packed(text)}
    found = discover(host_trees.make(tmp_path, entries))
    assert (more == 0) == ({"A": "y"} == found.features.attributes["kernel.config"])
    listed = {each.path: each.why for each in found.unread}
    why = f"larger than {MAX_FILE_BYTES} bytes" if more else None
    assert why == listed.get("/proc/config.gz")


def test_feature_files_are_read_up_to_sixteen_mebibytes_in_all(
    tmp_path: Path,
) -> None:
    allowed = MAX_FILE_BYTES // MAX_BYTES
    entries = {
        f"{FEATURES}/{index:04}": f"k{index}=1\n".ljust(MAX_BYTES, "#")
        for index in range(allowed + 1)
    }
    tree = Tree(host_trees.make(tmp_path, entries, base={}))
    found = local.discover(tree, now=datetime.now(UTC))
    assert allowed == len(found.attributes["label"] or {})
    assert [f"{FEATURES}/{allowed:04}"] == [each.path for each in tree.unread]


@pytest.mark.parametrize(
    ("now", "counts"), [("11:59:59", True), ("12:00:00", False), ("12:00:01", False)]
)
def test_a_feature_counts_until_its_time(
    now: str, counts: bool, tmp_path: Path
) -> None:
    text = "# +expiry-time=2026-01-01T12:00:00Z\nx=1\n"
    tree = Tree(host_trees.make(tmp_path, {f"{FEATURES}/a": text}))
    elsewhere = timezone(timedelta(hours=5))
    then = datetime.fromisoformat(f"2026-01-01T{now}+00:00").astimezone(elsewhere)
    found = local.discover(tree, now=then)
    expected = {"x": "1"} if counts else {}
    assert expected == found.attributes["feature"]


def test_the_node_has_no_name_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = host_trees.make(tmp_path, {})
    monkeypatch.delenv("NODE_NAME", raising=False)
    assert {"nodename": ""} == discover(root).features.attributes["system.name"]
    monkeypatch.setenv("NODE_NAME", "worker-1")
    assert {"nodename": "worker-1"} == discover(root).features.attributes["system.name"]


def test_a_copy_is_of_the_machine_that_its_files_tell(tmp_path: Path) -> None:
    """What we run on may be another one, unless the caller says which it is."""
    text = "processor : 0\nFeatures : fp asimd\nCPU implementer : 0x41\n"
    root = host_trees.make(tmp_path, {"/proc/cpuinfo": text})
    arm = frozenset({"FP", "ASIMD"})
    assert arm == discover(root).features.flags["cpu.cpuid"]
    assert arm != discover(root, machine="x86_64").features.flags.get("cpu.cpuid")


def test_names_that_differ_in_broken_bytes_alone_become_one(tmp_path: Path) -> None:
    """The last, as for who reads NFD's JSON; what is printed has both."""
    root = host_trees.make(tmp_path, {f"{FEATURES}/a": b"\xff=2\n\xfe=1\n"})
    found = discover(root)
    assert {"\ufffd": "2"} == found.features.attributes["local.label"]
    as_read = found.as_read.attributes["local.label"] or {}
    assert [b"\xfe", b"\xff"] == sorted(map(os.fsencode, as_read))
    assert 4 == nfd_json.text(found.as_read).count('"\\ufffd"')


_TOPOLOGY = ("thread_siblings_list", "physical_package_id")
_PATHS = (
    *host_trees.BASE,
    "/proc/config.gz",
    "/sys/fs/selinux/enforce",
    "/sys/devices/virtual/misc/kvm",
    f"{FEATURES}/a",
    *(f"{host_trees.PCI}/0000:00:00.0/{name}" for name in ("class", "vendor")),
    f"{host_trees.USB}/1-1/idProduct",
    f"{host_trees.BLOCK}/sda/queue/zoned",
    "/proc/cpuinfo",
    "/proc/self/mountinfo",
    *(f"/sys/bus/cpu/devices/cpu0/topology/{name}" for name in _TOPOLOGY),
    "/sys/bus/cpu/devices/cpu0/cpufreq/base_frequency",
    "/sys/devices/system/cpu/cpuidle/current_driver",
    "/sys/devices/system/cpu/intel_pstate/status",
    "/sys/fs/cgroup/misc.capacity",
    "/sys/module/kvm_amd/parameters/sev",
)


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(bytes(range(256)) * 64, id="garbage"),
        pytest.param(b"\x1f\x8b\x08\x00" + b"\xff" * 64, id="broken-gzip"),
        pytest.param("\0" * 4096, id="zeros"),
        pytest.param("9" * 70000, id="digits"),
        pytest.param("=\n" * 5000, id="signs"),
        pytest.param(FOLDER, id="folder"),
        pytest.param(PIPE, id="pipe"),
        pytest.param(Link("."), id="link-to-its-folder"),
        pytest.param(Link("loop/loop"), id="loop"),
        pytest.param(Link("/dev/zero"), id="device"),
    ],
)
@pytest.mark.parametrize("machine", ["x86_64", "aarch64", "riscv64"])
def test_nothing_is_raised_whatever_stands_there(
    entry: Entry, machine: str, tmp_path: Path
) -> None:
    leaves = [path for path in _PATHS if not any(f"{path}/" in one for one in _PATHS)]
    root = host_trees.make(tmp_path, dict.fromkeys(leaves, entry), base={})
    found = discover(root, machine=machine)
    text = nfd_json.text(found.features)
    assert found.features == features.from_json(json.loads(text))


def test_a_root_that_is_not_there_has_little_to_publish(tmp_path: Path) -> None:
    found = discover(tmp_path / "nowhere")
    assert {} == found.as_read.attributes["local.label"]
    assert "kernel.version" not in found.features.attributes


def test_a_host_needs_no_heavy_module() -> None:
    heavy = ("aiohttp", "fastapi", "kubernetes", "pydantic", "requests", "typer")
    code = (
        "import sys, app.host.discovery, app.host.nfd_json;"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "[]\n" == done.stdout


def test_features_are_printed_as_go_prints_them() -> None:
    found = Features(
        flags={"b": frozenset({"z", "A"}), "a": frozenset(), "c": None},
        attributes={"x": {"é": "<&>\u2028", "\udcff": "\udce2", "\uffee": '"\\\x01'}},
        instances={"n": (), "d": ({"k": "v"}, {})},
    )
    assert """\
{
    "flags": {
        "a": {
            "elements": {}
        },
        "b": {
            "elements": {
                "A": {},
                "z": {}
            }
        },
        "c": {
            "elements": null
        }
    },
    "attributes": {
        "x": {
            "elements": {
                "é": "\\u003c\\u0026\\u003e\\u2028",
                "\uffee": "\\"\\\\\\u0001",
                "\\ufffd": "\\ufffd"
            }
        }
    },
    "instances": {
        "d": {
            "elements": [
                {
                    "attributes": {
                        "k": "v"
                    }
                },
                {
                    "attributes": {}
                }
            ]
        },
        "n": {
            "elements": []
        }
    }
}
""" == nfd_json.text(found)


def test_nothing_is_printed_as_three_empty_objects() -> None:
    expected = '{\n    "flags": {},\n    "attributes": {},\n    "instances": {}\n}\n'
    assert expected == nfd_json.text(Features())
