"""Flags and identity of an arm64 processor.

Flags are the bits of AT_HWCAP and AT_HWCAP2, by the names of NFD's own table
(`cpuid_linux_arm64.go#L114`), which ends where it was when it was written: newer
bits are published by no version of NFD up to v0.19. Where no auxiliary vector is to
be had, the kernel's `Features` say the same, for its names are NFD's in small letters.

Identity is the register MIDR_EL1: the kernel lets programs read it if the flag CPUID
is there, and shows it in `/sys` and `/proc/cpuinfo`. Where processors are of several
kinds NFD publishes that which it happens to run on; here it is the first.
"""

from __future__ import annotations

import struct
from typing import Final

from app.compat.gotext import trimmed
from app.host.cpu import cpuinfo
from app.host.cpu.identity import UNKNOWN, Identity
from app.host.tree import Tree

AUXILIARY: Final = "/proc/self/auxv"
REGISTER: Final = "/sys/devices/system/cpu/cpu0/regs/identification/midr_el1"

_AT_HWCAP: Final = 16
_AT_HWCAP2: Final = 26

_HWCAP_NAMES: Final = (
    "FP ASIMD EVTSTRM AES PMULL SHA1 SHA2 CRC32 ATOMICS FPHP ASIMDHP CPUID ASIMDRDM "
    "JSCVT FCMA LRCPC DCPOP SHA3 SM3 SM4 ASIMDDP SHA512 SVE ASIMDFHM DIT USCAT ILRCPC "
    "FLAGM SSBS SB PACA PACG"
)
HWCAP: Final = tuple(_HWCAP_NAMES.split())
"""By bit, from 0."""
_HWCAP2_NAMES: Final = (
    "DCPODP SVE2 SVEAES SVEPMULL SVEBITPERM SVESHA3 SVESM4 FLAGM2 FRINT SVEI8MM "
    "SVEF32MM SVEF64MM SVEBF16 I8MM BF16 DGH RNG BTI MTE ECV AFP RPRES MTE3 SME "
    "SMEI16I64 SMEF64F64 SMEI8I32 SMEF16F32 SMEB16F32 SMEF32F32 SMEFA64 WFXT EBF16 "
    "SVEEBF16"
)
HWCAP2: Final = tuple(_HWCAP2_NAMES.split())
"""By bit, from 0."""
_KNOWN: Final = frozenset((*HWCAP, *HWCAP2))

VENDORS: Final = {
    0x41: "ARM",
    0x42: "Broadcom",
    0x43: "Cavium",
    0x44: "DEC",
    0x46: "Fujitsu",
    0x49: "Infineon",
    0x4D: "Motorola",
    0x4E: "NVIDIA",
    0x50: "AMCC",
    0x51: "Qualcomm",
    0x56: "Marvell",
    0x69: "Intel",
    0xC0: "Ampere",
}
"""Implementer -> NFD's name (`detect_arm64.go#L52`)."""


def flags_of_auxiliary(content: bytes) -> frozenset[str]:
    """Flags in an auxiliary vector: pairs of 64 bits, little end first."""
    whole = content[: len(content) // 16 * 16]
    words = dict(struct.iter_unpack("<QQ", whole))
    return frozenset(
        name
        for key, names in ((_AT_HWCAP, HWCAP), (_AT_HWCAP2, HWCAP2))
        for bit, name in enumerate(names)
        if words.get(key, 0) >> bit & 1
    )


def flags_of_kernel(features: str) -> frozenset[str]:
    """Flags in the field `Features` of `/proc/cpuinfo`."""
    return _KNOWN & {name.upper() for name in features.split()}


def flags_of(tree: Tree) -> frozenset[str] | None:
    """The flags that a host's files tell; `None` if they tell none."""
    content = tree.content(AUXILIARY)
    if content:
        return flags_of_auxiliary(content)
    text = tree.text(cpuinfo.PATH)
    fields = cpuinfo.first_processor(text or "")
    return flags_of_kernel(fields["Features"]) if "Features" in fields else None


def identity_of(tree: Tree) -> Identity | None:
    """Who it is, of a processor with the flag CPUID; `None` if no file tells."""
    text = trimmed(tree.text(REGISTER) or "")
    if text.startswith("0x") and len(text) <= len("0x") + 16:
        register = cpuinfo.number({"": text}, "")
        return _identity(register)
    fields = cpuinfo.first_processor(tree.text(cpuinfo.PATH) or "")
    if "CPU implementer" not in fields:
        return None
    return _identity(
        cpuinfo.number(fields, "CPU implementer") << 24
        | cpuinfo.number(fields, "CPU variant") << 20
        # The kernel writes 8 whatever the register holds, which is 15 for all of it.
        | 0xF << 16
        | cpuinfo.number(fields, "CPU part") << 4
        | cpuinfo.number(fields, "CPU revision")
    )


def _identity(register: int) -> Identity:
    """The family is variant and architecture, the model is part and revision."""
    return Identity(
        VENDORS.get(register >> 24 & 0xFF, UNKNOWN),
        register >> 16 & 0xFF,
        register & 0xFFFF,
    )


NOBODY: Final = Identity(UNKNOWN, 0, 0)
"""Who a processor without the flag CPUID is, to NFD."""
