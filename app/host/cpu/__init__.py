"""Features of the processors: NFD's source `cpu`, on amd64 and arm64.

Where each comes from:

1. x86-64, of the machine that we run on (`place`): the processor's registers, by
   executing the instruction (`instruction`, `decoding`).
2. x86-64 otherwise, or where the system does not let us: the kernel's flags in
   `/proc/cpuinfo` (`kernel_flags`), and what they cannot tell is listed as unread.
3. arm64: the auxiliary vector and the identification register, as the kernel shows
   them in files (`arm`).
4. Both: files below `/sys` (`sysfs`, `rdt`, `security`). NFD reads most of them on
   amd64 only, and publishes the others empty.

A feature of which nothing can be known is left out, and listed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.host.cpu import (
    arm,
    cpuinfo,
    decoding,
    identity,
    kernel_flags,
    place,
    rdt,
    security,
    sysfs,
)
from app.host.cpu.instruction import InstructionRefusedError, asking
from app.host.cpu.registers import Registers
from app.host.published import Published
from app.host.tree import Tree

AMD64: Final = "x86_64"
ARM64: Final = "aarch64"

INSTRUCTION: Final = "the instruction CPUID"
"""What is unread where the system lets nobody execute it."""
_FREQUENCY_LEAF: Final = 0x16
_COPY: Final = (
    "not in this copy of another machine's files, and only that machine's processor"
    " could tell"
)


@dataclass(frozen=True, slots=True)
class _Told:
    """What was found out of an x86-64 processor.

    Attributes:
        flags: its flags.
        avx10_version: 0 if it has none, or if it is unknown.
        model: elements of `cpu.model`.
        rdt: names of what it has of RDT.
        nominal_mhz: the frequency that it says it has, `None` if it is unknown.
        enclave_bytes: memory for SGX, 0 if it is unknown.
    """

    flags: frozenset[str]
    avx10_version: int
    model: Mapping[str, str]
    rdt: tuple[str, ...]
    nominal_mhz: int | None
    enclave_bytes: int


def discover(tree: Tree, *, machine: str) -> Published:
    """What NFD's source `cpu` publishes.

    Args:
        tree: the host.
        machine: kind of its processors, as `platform.machine()` calls it.
    """
    if machine == AMD64:
        return _amd64(tree)
    if machine == ARM64:
        return _arm64(tree)
    tree.refuse(cpuinfo.PATH, f"processors of the kind {machine} are not known here")
    return Published(attributes={"topology": sysfs.topology(tree)})


def machine_of(tree: Tree) -> str | None:
    """The kind of processor that a host's `/proc/cpuinfo` is of.

    Returns:
        `x86_64`, `aarch64`, or `None` if it is neither, or there is no such file.
    """
    return cpuinfo.machine_of(tree.text(cpuinfo.PATH) or "")


def of_registers(tree: Tree, registers: Registers) -> Published:
    """What is published of an x86-64 processor with these registers."""
    return _published(tree, _told_by_registers(registers))


def _amd64(tree: Tree) -> Published:
    if place.is_here(tree, AMD64):
        try:
            with asking() as registers:
                return of_registers(tree, registers)
        except InstructionRefusedError as error:
            tree.refuse(INSTRUCTION, str(error))
    text = tree.text(cpuinfo.PATH)
    fields = cpuinfo.first_processor(text or "")
    if "flags" not in fields:
        tree.refuse(cpuinfo.PATH, _COPY)
        return _published(tree, None)
    told = _told_by_kernel(fields)
    untold = ", ".join(kernel_flags.untold(fields))
    tree.refuse(cpuinfo.PATH, f"tells whether there is a flag, but not of {untold}")
    return _published(tree, told)


def _told_by_registers(registers: Registers) -> _Told:
    who = identity.of_registers(registers)
    flags = decoding.flags_of(registers, who)
    is_guest = "HYPERVISOR" in flags
    hypervisor = identity.hypervisor_of(registers) if is_guest else None
    return _Told(
        flags=flags,
        avx10_version=decoding.avx10_version(registers, flags),
        model=_model(who, hypervisor=hypervisor or identity.NO_HYPERVISOR),
        rdt=rdt.of_registers(registers),
        nominal_mhz=registers.leaf(_FREQUENCY_LEAF).eax,
        enclave_bytes=security.enclave_bytes(registers) if "SGX" in flags else 0,
    )


def _told_by_kernel(fields: Mapping[str, str]) -> _Told:
    flags = kernel_flags.flags_of(fields)
    who = kernel_flags.identity_of(fields)
    hypervisor = None if "HYPERVISOR" in flags else identity.NO_HYPERVISOR
    return _Told(
        flags=flags,
        avx10_version=0,
        model=_model(who, hypervisor=hypervisor),
        rdt=kernel_flags.rdt_of(fields),
        nominal_mhz=None,
        enclave_bytes=0,
    )


def _model(who: identity.Identity, *, hypervisor: str | None) -> dict[str, str]:
    found = {
        "vendor_id": who.vendor,
        "family": str(who.family),
        "id": str(who.model),
    }
    return found if hypervisor is None else found | {"hypervisor": hypervisor}


def _published(tree: Tree, told: _Told | None) -> Published:
    attributes = {
        "coprocessor": {},
        "pstate": sysfs.pstate(tree),
        "security": security.published(
            tree,
            enclave_bytes=told.enclave_bytes if told else 0,
            is_tdx_guest=told is not None and "TDX_GUEST" in told.flags,
        ),
        "sst": _sst(tree, told.nominal_mhz if told else None),
        "topology": sysfs.topology(tree),
    }
    cstate = sysfs.cstate(tree)
    if cstate is not None:
        attributes["cstate"] = cstate
    if told is None:
        return Published(attributes=dict(attributes))
    version = told.avx10_version
    attributes["cpuid"] = {"AVX10_VERSION": str(version)} if version else {}
    attributes["model"] = dict(told.model)
    attributes["rdt"] = rdt.published(tree, told.rdt)
    return Published(flags={"cpuid": told.flags}, attributes=dict(attributes))


def _sst(tree: Tree, nominal_mhz: int | None) -> dict[str, str]:
    if nominal_mhz is not None:
        return sysfs.sst(tree, nominal_mhz)
    if any(sysfs.base_frequencies(tree)):
        tree.refuse(
            f"{sysfs.PROCESSORS}/*/cpufreq/base_frequency",
            "of use only with the processor's nominal frequency, which is not known",
        )
    return {}


def _arm64(tree: Tree) -> Published:
    attributes: dict[str, Mapping[str, str]] = {
        feature: {}
        for feature in ("coprocessor", "cstate", "pstate", "rdt", "security", "sst")
    }
    attributes["topology"] = sysfs.topology(tree)
    # A container may see its host's /sys and not its /proc.
    is_own = not _tells_of_arm(tree) and place.is_here(tree, ARM64)
    source = Tree() if is_own else tree
    flags = arm.flags_of(source)
    if flags is None:
        tree.refuse(cpuinfo.PATH, _COPY)
        return Published(attributes=dict(attributes))
    who = arm.identity_of(source) if "CPUID" in flags else arm.NOBODY
    if who is None:
        tree.refuse(arm.REGISTER, _COPY)
    else:
        # NFD asks for a flag of x86, so that there never is a hypervisor.
        attributes["model"] = _model(who, hypervisor=identity.NO_HYPERVISOR)
    return Published(flags={"cpuid": flags}, attributes=dict(attributes))


def _tells_of_arm(tree: Tree) -> bool:
    return tree.exists(arm.AUXILIARY) or tree.exists(cpuinfo.PATH)
