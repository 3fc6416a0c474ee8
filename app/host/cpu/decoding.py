"""The flags of an x86-64 processor, from its registers.

The table of `leaves` says nearly all; what depends on more than a bit is here:

1. AVX and AVX-512 count only if the system keeps their registers (XCR0).
2. HTT counts only if a core has more than one thread.
3. Some flags follow from vendor, family and model alone.
4. A guest of TDX is told by names; fixed counters by numbers.
5. The levels x86-64-v1 to v4 are sets of flags (`cpuid.go#L575`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from app.host.cpu.identity import Identity
from app.host.cpu.leaves import AMD, BASIC, ENABLED, EXTENDED, FACTS, ROWS, ZMM
from app.host.cpu.registers import Registers, text

_BIT: Final = tuple(1 << bit for bit in range(32))

_AVX_BITS: Final = _BIT[26] | _BIT[27] | _BIT[28]
"""XSAVE, OSXSAVE and AVX, of leaf 1's ecx."""
_XSAVE_BITS: Final = _BIT[26] | _BIT[27]
_AVX_STATE: Final = 0b110
"""XMM and YMM, of XCR0."""
_ZMM_STATE: Final = 0b1110_0110
"""And opmask and both halves of ZMM."""

_LEVELS: Final = (
    frozenset(["CMOV", "CMPXCHG8", "X87", "FXSR", "MMX", "SSE", "SSE2"]),
    frozenset(["CX16", "LAHF", "POPCNT", "SSE3", "SSE4", "SSE42", "SSSE3"]),
    frozenset(
        ["AVX", "AVX2", "BMI1", "BMI2", "F16C", "FMA3", "LZCNT", "MOVBE", "OSXSAVE"]
    ),
    frozenset(["AVX512F", "AVX512BW", "AVX512CD", "AVX512DQ", "AVX512VL"]),
)
_SYSTEM_CALLS: Final = frozenset({"SYSEE", "SYSCALL"})

_CACHE_LEAF: Final = 0x4
_COUNTER_LEAF: Final = 0xA
_TOPOLOGY_LEAF: Final = 0xB
_KEY_LOCKER_LEAF: Final = 0x19
_HYPER_V_LEAST: Final = 0x20
_TDX_LEAF: Final = 0x21
_AVX10_LEAF: Final = 0x24
_HYPER_V_LEAF: Final = 0x4000000C
_AMD_TOPOLOGY_LEAF: Final = 0x8000001E

_WIDE_KEYS: Final = 0b101
_HASWELL: Final = (6, 60)
_ZEN: Final = 23
_ZEN_2: Final = (23, 49)
_ZEN_3: Final = 0x19
_ZEN_5: Final = 0x1A
_SPARED_MODELS: Final = frozenset((*range(0x50), *range(0x60, 0x80)))
"""Of Zen 5: not open to TSA, though no bit says so."""

_COUNTERS: Final = (
    "PMU_FIXEDCOUNTER_INSTRUCTIONS",
    "PMU_FIXEDCOUNTER_CYCLES",
    "PMU_FIXEDCOUNTER_REFCYCLES",
    "PMU_FIXEDCOUNTER_TOPDOWN_SLOTS",
)
_TDX_GUEST_OF_HYPER_V: Final = 0xBE3
_TDX_GUEST: Final = "IntelTDX    "


def flags_of(registers: Registers, identity: Identity) -> frozenset[str]:
    """All flags that NFD publishes, with the levels."""
    highest = registers.leaf(BASIC).eax
    if highest < 1:
        return frozenset()
    found = {*_kept_by_the_system(registers), *_of_bits(registers, identity)}
    found |= set(by_model(identity))
    if "AVX" in found:
        found |= set(slow_avx(identity))
    if _threads(registers, identity) > 1:
        found.add("HTT")
    if "KEYLOCKER" in found and _has_wide_keys(registers, highest):
        found.add("KEYLOCKERW")
    if _is_tdx_guest(registers, highest):
        found.add("TDX_GUEST")
    if highest >= _COUNTER_LEAF:
        found |= set(_fixed_counters(registers))
    return frozenset(found | set(levels(found)))


def levels(flags: set[str] | frozenset[str]) -> Iterator[str]:
    """The levels of x86-64 that these flags reach."""
    if not flags & _SYSTEM_CALLS:
        return
    for number, needed in enumerate(_LEVELS, start=1):
        if not needed <= flags:
            return
        yield f"X86_64_V{number}"


def avx10_version(registers: Registers, flags: frozenset[str]) -> int:
    """The version of AVX10; 0 without it."""
    if "AVX10" not in flags or registers.leaf(BASIC).eax < _AVX10_LEAF:
        return 0
    return registers.leaf(_AVX10_LEAF).ebx & 0xFF


def slow_avx(identity: Identity) -> Iterator[str]:
    """AVXSLOW for those whose AVX works in halves; only for one that has AVX."""
    which = (identity.family, identity.model)
    is_family_6 = identity.family == _HASWELL[0]
    before_haswell = identity.vendor == "Intel" and is_family_6 and which < _HASWELL
    before_zen_2 = identity.vendor == "AMD" and which < _ZEN_2
    if before_haswell or before_zen_2:
        yield "AVXSLOW"


def by_model(identity: Identity) -> Iterator[str]:
    """What follows from who it is: AMD's that are not open to TSA."""
    if identity.vendor != "AMD":
        return
    is_spared = identity.family == _ZEN_5 and identity.model in _SPARED_MODELS
    if identity.family < _ZEN_3 or is_spared:
        yield from ("TSA_L1_NO", "TSA_SQ_NO")


def _kept_by_the_system(registers: Registers) -> Iterator[str]:
    if _saves(registers, _AVX_BITS) & _AVX_STATE == _AVX_STATE:
        yield "AVX"


def _saves(registers: Registers, bits: int) -> int:
    """XCR0, if leaf 1's ecx has these bits."""
    has_bits = registers.leaf(1).ecx & bits == bits
    return registers.extended_state() if has_bits else 0


def _of_bits(registers: Registers, identity: Identity) -> set[str]:
    known = set(_kept_by_the_system(registers))
    if _saves(registers, _XSAVE_BITS) & _ZMM_STATE == _ZMM_STATE:
        known.add(ZMM)
    if registers.leaf(1).ecx & _BIT[27]:
        known.add(ENABLED)
    if identity.vendor == "AMD":
        known.add(AMD)
    highest = registers.leaf(BASIC).eax
    highest_extended = registers.leaf(EXTENDED).eax
    for row in ROWS:
        least = row.highest()
        if least > (highest_extended if least >= EXTENDED else highest):
            continue
        if row.needs and row.needs not in known:
            continue
        value: int = getattr(registers.leaf(row.leaf, row.subleaf), row.register)
        known.update(name for bit, name in row.bits.items() if value & _BIT[bit])
    return known - FACTS


def _threads(registers: Registers, identity: Identity) -> int:
    """Threads of a core, where NFD asks for them (`cpuid.go#L1003`)."""
    highest = registers.leaf(BASIC).eax
    first = registers.leaf(1)
    asks = identity.vendor in {"Intel", "AMD"} and first.edx & _BIT[28]
    if not asks or highest < _CACHE_LEAF:
        return 1
    if highest < _TOPOLOGY_LEAF:
        return _threads_of_old_intel(registers) if identity.vendor == "Intel" else 1
    threads = registers.leaf(_TOPOLOGY_LEAF).ebx & 0xFFFF
    if threads:
        return threads
    if identity.vendor != "AMD" or identity.family < _ZEN:
        return 1
    if registers.leaf(EXTENDED).eax < _AMD_TOPOLOGY_LEAF:
        return 2
    return (registers.leaf(_AMD_TOPOLOGY_LEAF).ebx >> 8 & 0xFF) + 1


def _threads_of_old_intel(registers: Registers) -> int:
    logical = registers.leaf(1).ebx >> 16 & 0xFF
    cores = (registers.leaf(_CACHE_LEAF).eax >> 26) + 1
    return logical // cores if logical > 1 else 1


def _has_wide_keys(registers: Registers, highest: int) -> bool:
    if highest < _KEY_LOCKER_LEAF:
        return False
    return registers.leaf(_KEY_LOCKER_LEAF).ebx & _WIDE_KEYS == _WIDE_KEYS


def _is_tdx_guest(registers: Registers, highest: int) -> bool:
    # Hyper-V hides Intel's own leaf.
    says = registers.leaf(_HYPER_V_LEAF).ebx if highest >= _HYPER_V_LEAST else 0
    if says == _TDX_GUEST_OF_HYPER_V:
        return True
    if highest < _TDX_LEAF:
        return False
    leaf = registers.leaf(_TDX_LEAF)
    return text(leaf.ebx, leaf.edx, leaf.ecx) == _TDX_GUEST


def _fixed_counters(registers: Registers) -> tuple[str, ...]:
    """Fixed counters that leaf 10 does not say are missing."""
    leaf = registers.leaf(_COUNTER_LEAF)
    version = leaf.eax & 0xFF
    if version < 1:
        return ()
    if leaf.ebx:
        return tuple(
            name for bit, name in enumerate(_COUNTERS) if not leaf.ebx & _BIT[bit]
        )
    count = leaf.edx & 0x1F if version > 1 else 0
    return _COUNTERS[:count] if count in {3, 4} else ()
