"""`cpu.security`: which protection of guests and enclaves the host offers or is under.

SGX is told by the processor, the rest by the kernel (`security_amd64.go#L31`).
"""

from __future__ import annotations

from typing import Final

from app.host.cpu.registers import Registers
from app.host.cpu.sysfs import integer
from app.host.tree import Tree

_TDX: Final = "/sys/module/kvm_intel/parameters/tdx"
_SEV: Final = "/sys/module/kvm_amd/parameters"
_CAPACITIES: Final = (
    "/sys/fs/cgroup/misc.capacity",
    "/sys/fs/cgroup/misc/misc.capacity",
)
_SGX_LEAF: Final = 0x12
_SGX_SECTIONS: Final = range(2, 10)


def enclave_bytes(registers: Registers) -> int:
    """How much memory enclaves have; only for a processor with SGX."""
    size = 0
    for subleaf in _SGX_SECTIONS:
        leaf = registers.leaf(_SGX_LEAF, subleaf)
        kind = leaf.eax & 0xF
        if kind == 0:
            break
        if kind == 1:
            size += (leaf.ecx & 0xFFFFF000) + ((leaf.edx & 0x000FFFFF) << 32)
    return size


def published(tree: Tree, *, enclave_bytes: int, is_tdx_guest: bool) -> dict[str, str]:
    """The feature.

    Args:
        tree: the host.
        enclave_bytes: memory for enclaves, 0 without SGX or if it is unknown.
        is_tdx_guest: whether the processor has the flag TDX_GUEST.
    """
    found = {}
    if enclave_bytes:
        found["sgx.enabled"] = "true"
        found["sgx.epc"] = str(enclave_bytes)
    if tree.text(_TDX) == "Y\n":
        found["tdx.enabled"] = "true"
        found |= _capacity(tree, "tdx", "tdx.total_keys")
    if is_tdx_guest:
        found["tdx.protected"] = "true"
    if _is_on(tree, "sev"):
        found["sev.enabled"] = "true"
        found |= _capacity(tree, "sev", "sev.asids")
    if _is_on(tree, "sev_es"):
        found["sev.es.enabled"] = "true"
        found |= _capacity(tree, "sev_es", "sev.encrypted_state_ids")
    if _is_on(tree, "sev_snp"):
        found["sev.snp.enabled"] = "true"
    return found


def _is_on(tree: Tree, parameter: str) -> bool:
    return (tree.text(f"{_SEV}/{parameter}") or "").startswith(("1", "Y"))


def _capacity(tree: Tree, resource: str, element: str) -> dict[str, str]:
    """The limit of the first line that begins with the resource's name."""
    texts = (tree.text(path) for path in _CAPACITIES)
    first = next((text for text in texts if text is not None), "")
    for line in first.split("\n"):
        if line.startswith(resource):
            value = integer(line.removesuffix("\r").partition(" ")[2].partition(" ")[0])
            is_limit = value is not None and value >= 0
            return {element: str(value)} if is_limit else {}
    return {}
