"""Who made the processor, which one it is, and what it runs under.

Names are NFD's: those of klauspost/cpuid v2.4.0 (`cpuid.go#L1131`, `familyModel`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from app.host.cpu.leaves import BASIC
from app.host.cpu.registers import Registers, text

UNKNOWN: Final = "VendorUnknown"
NO_HYPERVISOR: Final = "none"
_UNNAMED_HYPERVISOR: Final = "unknown"
_EXTENDED_FAMILY: Final = 0xF
_HYPERVISOR_LEAF: Final = 0x40000000

VENDORS: Final = {
    "AMDisbetter!": "AMD",
    "AuthenticAMD": "AMD",
    "CentaurHauls": "VIA",
    "GenuineIntel": "Intel",
    "TransmetaCPU": "Transmeta",
    "GenuineTMx86": "Transmeta",
    "Geode by NSC": "NSC",
    "VIA VIA VIA ": "VIA",
    "KVMKVMKVM": "KVM",
    "Linux KVM Hv": "KVM",
    "TCGTCGTCGTCG": "QEMU",
    "Microsoft Hv": "MSVM",
    "VMwareVMware": "VMware",
    "XenVMMXenVMM": "XenHVM",
    "bhyve bhyve ": "Bhyve",
    "HygonGenuine": "Hygon",
    "Vortex86 SoC": "SiS",
    "SiS SiS SiS ": "SiS",
    "RiseRiseRise": "SiS",
    "Genuine  RDC": "RDC",
    "QNXQVMBSQG": "QNX",
    "ACRNACRNACRN": "ACRN",
    "SRESRESRESRE": "SRE",
    "Apple VZ": "Apple",
}
"""What a processor or a hypervisor calls itself -> NFD's name, one table for both."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One processor.

    Attributes:
        vendor: NFD's name, `UNKNOWN` for one that it does not know.
        family: with the extended family.
        model: with the extended model.
    """

    vendor: str
    family: int
    model: int


def of_registers(registers: Registers) -> Identity:
    """Who this is."""
    first = registers.leaf(BASIC)
    vendor = VENDORS.get(text(first.ebx, first.edx, first.ecx), UNKNOWN)
    if first.eax < 1:
        return Identity(vendor, 0, 0)
    return Identity(vendor, *_family_and_model(registers.leaf(1).eax))


def _family_and_model(signature: int) -> tuple[int, int]:
    """Extended parts count for base families 6 and 15 only."""
    family = signature >> 8 & 0xF
    model = signature >> 4 & 0xF
    if family in (0x6, _EXTENDED_FAMILY):
        model += signature >> 12 & 0xF0
    if family == _EXTENDED_FAMILY:
        family += signature >> 20 & 0xFF
    return family, model


def hypervisor_of(registers: Registers) -> str:
    """What the hypervisor calls itself, as NFD writes it.

    Only for a processor with the flag HYPERVISOR: others may answer anything.
    """
    leaf = registers.leaf(_HYPERVISOR_LEAF)
    name = text(leaf.ebx, leaf.ecx, leaf.edx)
    known = VENDORS.get(name)
    if known:
        return known.lower()
    return re.sub("[^-A-Za-z0-9_.]+", "_", name) or _UNNAMED_HYPERVISOR
