"""arm64: bits of the auxiliary vector, and the identification register."""

import struct
from pathlib import Path
from typing import Any

import pytest

from app.host import cpu
from app.host.cpu import arm
from app.host.cpu.identity import Identity
from app.host.published import Published
from tests.tools.processors import recorded, tree_of

RECORDED = [pytest.param(one, id=one["name"]) for one in recorded("arm64")]
EMPTY = ("coprocessor", "cstate", "pstate", "rdt", "security", "sst")


def auxiliary(hwcap: int, hwcap2: int = 0) -> bytes:
    pairs = ((33, 0x7FFF0000), (16, hwcap), (6, 4096), (26, hwcap2), (0, 0))
    return b"".join(struct.pack("<QQ", *pair) for pair in pairs)


def discover(folder: Path, files: dict[str, str | bytes]) -> Published:
    return cpu.discover(tree_of(folder, files), machine="aarch64")


@pytest.mark.parametrize("recording", RECORDED)
def test_a_processor_publishes_what_nfd_published_of_it(
    recording: dict[str, Any], tmp_path: Path
) -> None:
    words = [int(recording[name], 16) for name in ("hwcap", "hwcap2")]
    found = discover(
        tmp_path,
        {arm.AUXILIARY: auxiliary(*words), arm.REGISTER: recording["midr"] + "\n"},
    )
    wanted = frozenset(recording["flags"].split())
    assert {"cpuid": wanted} == found.flags
    assert recording["model"] == found.attributes["model"]


@pytest.mark.parametrize("recording", RECORDED)
def test_the_kernels_features_and_parts_say_the_same(
    recording: dict[str, Any], tmp_path: Path
) -> None:
    register = int(recording["midr"], 16)
    text = (
        "processor\t: 0\n"
        f"Features\t: {recording['flags'].lower()} newer\n"
        f"CPU implementer\t: {register >> 24:#04x}\n"
        "CPU architecture: 8\n"
        f"CPU variant\t: {register >> 20 & 0xF:#x}\n"
        f"CPU part\t: {register >> 4 & 0xFFF:#05x}\n"
        f"CPU revision\t: {register & 0xF}\n\nprocessor\t: 1\n"
    )
    found = discover(tmp_path, {"/proc/cpuinfo": text})
    wanted = frozenset(recording["flags"].split())
    assert {"cpuid": wanted} == found.flags
    assert recording["model"] == found.attributes["model"]


@pytest.mark.parametrize(
    ("bit", "name"), [*enumerate(arm.HWCAP)], ids=[f"1-{name}" for name in arm.HWCAP]
)
def test_a_bit_of_the_first_word_is_a_flag(bit: int, name: str) -> None:
    assert {name} == arm.flags_of_auxiliary(auxiliary(1 << bit))


@pytest.mark.parametrize(
    ("bit", "name"), [*enumerate(arm.HWCAP2)], ids=[f"2-{name}" for name in arm.HWCAP2]
)
def test_a_bit_of_the_second_word_is_a_flag(bit: int, name: str) -> None:
    assert {name} == arm.flags_of_auxiliary(auxiliary(0, 1 << bit))


def test_bits_that_nfd_does_not_know_are_passed_over() -> None:
    assert not arm.flags_of_auxiliary(auxiliary(1 << 32, 1 << 34 | 1 << 63))
    assert not arm.flags_of_kernel("mops hbc gcs")


@pytest.mark.parametrize("content", [b"", b"\0" * 15, auxiliary(0)[:-1]])
def test_an_auxiliary_vector_that_is_cut_tells_what_is_whole(content: bytes) -> None:
    assert not arm.flags_of_auxiliary(content)


def test_without_the_flag_cpuid_nfd_does_not_know_who_it_is(tmp_path: Path) -> None:
    found = discover(
        tmp_path, {arm.AUXILIARY: auxiliary(1), arm.REGISTER: "0x00000000410fd0c0\n"}
    )
    assert {
        "vendor_id": "VendorUnknown",
        "family": "0",
        "id": "0",
        "hypervisor": "none",
    } == found.attributes["model"]


def test_nothing_but_topology_is_published_beside(tmp_path: Path) -> None:
    found = discover(tmp_path, {arm.AUXILIARY: auxiliary(0)})
    wanted: dict[str, dict[str, str]] = {name: {} for name in (*EMPTY, "topology")}
    assert wanted == {k: v for k, v in found.attributes.items() if k != "model"}
    assert {} == found.instances


@pytest.mark.parametrize(
    ("files", "unread"),
    [
        pytest.param({}, "/proc/cpuinfo", id="neither vector nor features"),
        pytest.param(
            {"/proc/cpuinfo": "processor: 0\n"}, "/proc/cpuinfo", id="no features"
        ),
        pytest.param(
            {"/proc/cpuinfo": "Features: fp cpuid\n"}, arm.REGISTER, id="no register"
        ),
        pytest.param(
            {arm.AUXILIARY: auxiliary(1 << 11), arm.REGISTER: "nothing"},
            arm.REGISTER,
            id="no number",
        ),
    ],
)
def test_what_nothing_tells_is_listed_and_left_out(
    files: dict[str, str | bytes], unread: str, tmp_path: Path
) -> None:
    tree = tree_of(tmp_path, files)
    found = cpu.discover(tree, machine="aarch64")
    assert [unread] == [one.path for one in tree.unread]
    assert "model" not in found.attributes
    assert (unread == arm.REGISTER) == ("cpuid" in found.flags)


@pytest.mark.parametrize(("implementer", "vendor"), [*arm.VENDORS.items()])
def test_an_implementer_has_nfds_name(
    implementer: int, vendor: str, tmp_path: Path
) -> None:
    register = f"{implementer << 24 | 0x3FD0C1:#018x}\n"
    tree = tree_of(tmp_path, {arm.REGISTER: register})
    assert Identity(vendor, 0x3F, 0xD0C1) == arm.identity_of(tree)
