"""All of `cpu`, of copies of a host's files."""

from pathlib import Path

import pytest

from app.host import cpu
from app.host.cpu import cpuinfo
from app.host.cpu.registers import Leaf
from app.host.published import Published
from app.host.tree import Unread
from tests.tools.processors import cpuinfo_of, processor, tree_of

CPU0 = "/sys/bus/cpu/devices/cpu0"
TOPOLOGY = {
    f"{CPU0}/topology/thread_siblings_list": "0\n",
    f"{CPU0}/topology/physical_package_id": "0\n",
}
ONE_SOCKET = {"hardware_multithreading": "false", "socket_count": "1"}
ALWAYS = {"coprocessor", "pstate", "security", "sst", "topology"}


def text_of(fields: dict[str, str]) -> str:
    return "".join(f"{name}\t: {value}\n" for name, value in fields.items())


def only_flags(found: Published) -> set[str]:
    [(name, flags)] = found.flags.items()
    assert "cpuid" == name
    return set(flags or ())


def test_a_copy_tells_by_the_kernels_flags(tmp_path: Path) -> None:
    fields = cpuinfo_of("fpu syscall nx cat_l3 tdx_guest", family="6", model="143")
    closids = {"/sys/fs/resctrl/info/L3/num_closids": "16\n"}
    tree = tree_of(tmp_path, {"/proc/cpuinfo": text_of(fields), **TOPOLOGY, **closids})
    found = cpu.discover(tree, machine="x86_64")
    assert {"X87", "SYSCALL", "NX", "TDX_GUEST"} == only_flags(found)
    assert {
        "coprocessor": {},
        "cpuid": {},
        "model": {
            "vendor_id": "Intel",
            "family": "6",
            "id": "143",
            "hypervisor": "none",
        },
        "pstate": {},
        "rdt": {"RDTL3CA": "true", "RDTL3CA_NUM_CLOSID": "15"},
        "security": {"tdx.protected": "true"},
        "sst": {},
        "topology": ONE_SOCKET,
    } == found.attributes
    [unread] = tree.unread
    assert cpuinfo.PATH == unread.path
    assert "cpuid.AVX10_VERSION" in unread.why


def test_which_hypervisor_a_copy_had_is_not_guessed(tmp_path: Path) -> None:
    fields = cpuinfo_of("hypervisor")
    tree = tree_of(tmp_path, {"/proc/cpuinfo": text_of(fields)})
    found = cpu.discover(tree, machine="x86_64")
    assert {"vendor_id", "family", "id"} == set(found.attributes["model"] or ())
    assert "model.hypervisor" in tree.unread[0].why


@pytest.mark.parametrize("text", [None, "", "processor: 0\n"])
def test_a_copy_without_flags_leaves_out_what_only_the_processor_knows(
    text: str | None, tmp_path: Path
) -> None:
    files = TOPOLOGY if text is None else TOPOLOGY | {"/proc/cpuinfo": text}
    tree = tree_of(tmp_path, files)
    found = cpu.discover(tree, machine="x86_64")
    assert {} == found.flags
    assert ALWAYS == set(found.attributes)
    assert ONE_SOCKET == found.attributes["topology"]
    assert [cpuinfo.PATH] == [one.path for one in tree.unread]


def test_a_base_frequency_says_nothing_without_the_nominal_one(tmp_path: Path) -> None:
    files = {f"{CPU0}/cpufreq/base_frequency": "2700000\n"}
    tree = tree_of(tmp_path, files)
    assert {} == cpu.discover(tree, machine="x86_64").attributes["sst"]
    assert Unread(
        "/sys/bus/cpu/devices/*/cpufreq/base_frequency",
        "of use only with the processor's nominal frequency, which is not known",
    ) in (tree.unread)


def test_a_processor_tells_all(tmp_path: Path) -> None:
    leaves = {
        (1, 0): Leaf(ecx=1 << 31),
        (7, 0): Leaf(ebx=1 << 2 | 1 << 12 | 1 << 15),
        (7, 1): Leaf(edx=1 << 19),
        (0xF, 0): Leaf(edx=2),
        (0x10, 0): Leaf(ebx=8),
        (0x12, 2): Leaf(1, 0, 0x1000, 0),
        (0x16, 0): Leaf(eax=2300),
        (0x24, 0): Leaf(ebx=2),
        (0x40000000, 0): Leaf(0, 0x4B4D564B, 0x564B4D56, 0x0000004D),
    }
    files = {
        f"{CPU0}/cpufreq/base_frequency": "2700000\n",
        "/sys/devices/system/cpu/online": "0\n",
    }
    found = cpu.of_registers(
        tree_of(tmp_path, files | TOPOLOGY),
        processor(signature=0x000806F8, leaves=leaves),
    )
    assert {"AVX10", "HYPERVISOR", "SGX"} == only_flags(found)
    assert {
        "coprocessor": {},
        "cpuid": {"AVX10_VERSION": "2"},
        "cstate": {},
        "model": {
            "vendor_id": "Intel",
            "family": "6",
            "id": "143",
            "hypervisor": "kvm",
        },
        "pstate": {},
        "rdt": {"RDTMON": "true", "RDTMBA": "true"},
        "security": {"sgx.enabled": "true", "sgx.epc": "4096"},
        "sst": {"bf.enabled": "true"},
        "topology": ONE_SOCKET,
    } == found.attributes
    assert {} == found.instances


def test_enclaves_take_the_flag(tmp_path: Path) -> None:
    leaves = {(0x12, 2): Leaf(1, 0, 0x1000, 0)}
    found = cpu.of_registers(tree_of(tmp_path, {}), processor(leaves=leaves))
    assert {} == found.attributes["security"]


def test_a_hypervisor_is_asked_for_only_with_the_flag(tmp_path: Path) -> None:
    leaves = {(0x40000000, 0): Leaf(0, 0x4B4D564B, 0x564B4D56, 0x0000004D)}
    found = cpu.of_registers(tree_of(tmp_path, {}), processor(leaves=leaves))
    model = found.attributes["model"]
    assert model is not None
    assert "none" == model["hypervisor"]


def test_of_another_kind_of_processor_only_topology_is_known(tmp_path: Path) -> None:
    tree = tree_of(tmp_path, TOPOLOGY)
    found = cpu.discover(tree, machine="s390x")
    assert {"topology": ONE_SOCKET} == found.attributes
    assert {} == found.flags
    wanted = Unread("/proc/cpuinfo", "processors of the kind s390x are not known here")
    assert (wanted,) == tree.unread


def test_the_kind_of_processor_shows_in_a_copy(tmp_path: Path) -> None:
    assert cpu.machine_of(tree_of(tmp_path, {})) is None
    tree = tree_of(tmp_path, {"/proc/cpuinfo": text_of(cpuinfo_of(""))})
    assert "x86_64" == cpu.machine_of(tree)
