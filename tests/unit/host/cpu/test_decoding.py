"""Flags from registers; `tests/conformance/test_cpu.py` asks NFD for any others."""

from pathlib import Path
from typing import Any

import pytest

from app.host import cpu
from app.host.cpu import decoding, identity
from app.host.cpu.leaves import AMD, ENABLED, EXTENDED, FACTS, ROWS, ZMM, Row
from app.host.cpu.registers import Leaf, text
from app.host.tree import Tree
from tests.tools.processors import Table, processor, recorded, table_of

RECORDED = [pytest.param(one, id=one["name"]) for one in recorded("amd64")]
ALL = 0xFFFFFFFF
USED = 1 << 26 | 1 << 27
"""The system uses XSAVE, in leaf 1's ecx."""
AVX = USED | 1 << 28


def flags(registers: Table) -> frozenset[str]:
    return decoding.flags_of(registers, identity.of_registers(registers))


@pytest.mark.parametrize("recording", RECORDED)
def test_a_processor_publishes_what_nfd_published_of_it(
    recording: dict[str, Any], tmp_path: Path
) -> None:
    found = cpu.of_registers(Tree(tmp_path), table_of(recording))
    assert frozenset(recording["flags"].split()) == found.flags["cpuid"]
    assert recording["cpuid"] == found.attributes["cpuid"]
    assert recording["model"] == found.attributes["model"]


def _with_bit(row: Row, bit: int) -> dict[tuple[int, int], Leaf]:
    """Leaves with this bit and what its row needs, and nothing else."""
    leaves = {(row.leaf, row.subleaf): Leaf(**{row.register: 1 << bit})}
    for needed in ROWS:
        for number, name in needed.bits.items():
            if name == row.needs:
                leaves = _or(leaves, needed, number)
    if row.needs in {"AVX", ZMM, ENABLED}:
        leaves = _or(leaves, Row(1, 0, "ecx", {}), 26, 27)
    if row.needs == "AVX":
        leaves = _or(leaves, Row(1, 0, "ecx", {}), 28)
    return leaves


def _vendor(row: Row) -> str:
    return "AuthenticAMD" if row.needs == AMD else "GenuineIntel"


def _or(
    leaves: dict[tuple[int, int], Leaf], row: Row, *bits: int
) -> dict[tuple[int, int], Leaf]:
    key = (row.leaf, row.subleaf)
    leaf = leaves.get(key, Leaf())
    value = getattr(leaf, row.register)
    for bit in bits:
        value |= 1 << bit
    return {**leaves, key: leaf._replace(**{row.register: value})}


BITS = [
    pytest.param(row, bit, name, id=f"{row.leaf:x}.{row.subleaf}-{row.register}-{name}")
    for row in ROWS
    for bit, name in row.bits.items()
]


NEWEST_AMD = 0x00C00F00
"""Nothing is known of it by its model."""


@pytest.mark.parametrize(("row", "bit", "name"), BITS)
def test_a_bit_is_a_flag_only_with_what_it_needs(row: Row, bit: int, name: str) -> None:
    leaves = _with_bit(row, bit)
    whole = processor(_vendor(row), signature=NEWEST_AMD, leaves=leaves)
    assert name in flags(whole)
    key = (row.leaf, row.subleaf)
    alone = {key: Leaf(**{row.register: 1 << bit})}
    found = flags(processor("VIA VIA VIA ", state=0, leaves=alone))
    assert (not row.needs) == (name in found)
    every_other = {**leaves, key: Leaf(**{row.register: ALL ^ 1 << bit})}
    others = processor(_vendor(row), signature=NEWEST_AMD, leaves=every_other)
    assert name not in flags(others)


@pytest.mark.parametrize(("row", "bit", "name"), BITS)
def test_a_leaf_beyond_the_highest_is_not_asked(row: Row, bit: int, name: str) -> None:
    least = row.highest()
    highest, extended = (0x24, least - 1) if least >= EXTENDED else (least - 1, 0)
    found = flags(
        processor(
            _vendor(row),
            highest=highest,
            extended=extended,
            signature=NEWEST_AMD,
            leaves=_with_bit(row, bit),
        )
    )
    assert name not in found


def test_what_is_no_flag_is_not_published() -> None:
    every = {
        (row.leaf, row.subleaf): Leaf(ALL, ALL, ALL, ALL)
        for row in ROWS
        if row.leaf != 1
    }
    leaves = {**every, (1, 0): Leaf(0, 0, ALL, ALL)}
    assert not FACTS & flags(processor("AuthenticAMD", leaves=leaves))


@pytest.mark.parametrize(
    ("ecx", "state", "has_avx", "has_avx512"),
    [
        pytest.param(AVX, 0xE7, True, True, id="all"),
        pytest.param(AVX, 0x07, True, False, id="no zmm"),
        pytest.param(AVX, 0x67, True, False, id="no upper zmm"),
        pytest.param(AVX, 0xE1, False, False, id="no ymm"),
        pytest.param(AVX, 0xE3, False, False, id="xmm only"),
        pytest.param(USED, 0xE7, False, True, id="no avx: nfd asks for XSAVE only"),
        pytest.param(1 << 26 | 1 << 28, 0xE7, False, False, id="not switched on"),
        pytest.param(1 << 27 | 1 << 28, 0xE7, False, False, id="no xsave"),
    ],
)
def test_avx_counts_only_where_the_system_keeps_its_registers(
    ecx: int, state: int, has_avx: bool, has_avx512: bool
) -> None:
    leaves = {(1, 0): Leaf(ecx=ecx), (7, 0): Leaf(ebx=1 << 16)}
    found = flags(processor(state=state, leaves=leaves))
    assert (has_avx, has_avx512) == ("AVX" in found, "AVX512F" in found)


def test_the_state_is_not_asked_of_a_processor_that_does_not_know_the_instruction() -> (
    None
):
    class Old(Table):
        def extended_state(self) -> int:
            raise AssertionError("an unknown instruction ends the process")

    leaves = processor(leaves={(1, 0): Leaf(ecx=1 << 26)}).leaves
    assert "AVX" not in flags(Old(leaves))


def test_nfd_takes_protection_keys_for_amxfp8() -> None:
    leaves = {(1, 0): Leaf(ecx=USED), (7, 0): Leaf(ecx=1 << 3)}
    assert {"AMXFP8"} == flags(processor(leaves=leaves))


def test_nfd_takes_sse3_for_xsave() -> None:
    assert {"SSE3", "XSAVE", "OSXSAVE"} == flags(
        processor(leaves={(1, 0): Leaf(ecx=1)})
    )
    assert not flags(processor(leaves={(1, 0): Leaf(ecx=USED)}, state=0))


LEVEL_1 = Leaf(
    edx=1 | 1 << 8 | 1 << 11 | 1 << 15 | 1 << 23 | 1 << 24 | 1 << 25 | 1 << 26
)
LEVEL_2 = LEVEL_1._replace(ecx=1 | 1 << 9 | 1 << 13 | 1 << 19 | 1 << 20 | 1 << 23)
LEVEL_3 = LEVEL_2._replace(ecx=LEVEL_2.ecx | AVX | 1 << 12 | 1 << 22 | 1 << 29)
AVX2_BMI = 1 << 3 | 1 << 5 | 1 << 8
AVX512 = 1 << 16 | 1 << 17 | 1 << 28 | 1 << 30 | 1 << 31


@pytest.mark.parametrize(
    ("first", "seventh", "more", "highest"),
    [
        pytest.param(Leaf(), 0, 0, 0, id="none"),
        pytest.param(LEVEL_1, 0, 0, 1, id="v1"),
        pytest.param(LEVEL_2, 0, 0, 1, id="without LAHF"),
        pytest.param(LEVEL_2, 0, 1, 2, id="v2"),
        pytest.param(LEVEL_3, AVX2_BMI, 1, 2, id="without LZCNT"),
        pytest.param(LEVEL_3, AVX2_BMI, 1 | 1 << 5, 3, id="v3"),
        pytest.param(LEVEL_3, AVX2_BMI | AVX512, 1 | 1 << 5, 4, id="v4"),
        pytest.param(LEVEL_3, AVX512, 1 | 1 << 5, 2, id="v4 without v3"),
        pytest.param(
            LEVEL_1._replace(edx=LEVEL_1.edx & ~(1 << 11)), 0, 0, 0, id="no system call"
        ),
    ],
)
def test_levels_are_counted_from_below(
    first: Leaf, seventh: int, more: int, highest: int
) -> None:
    found = flags(
        processor(
            leaves={
                (1, 0): first,
                (7, 0): Leaf(ebx=seventh),
                (0x80000001, 0): Leaf(ecx=more),
            }
        )
    )
    levels = {f"X86_64_V{number}" for number in range(1, highest + 1)}
    assert levels == {name for name in found if name.startswith("X86_64_V")}


@pytest.mark.parametrize(
    ("vendor", "signature", "is_slow"),
    [
        pytest.param("GenuineIntel", 0x000306A0, True, id="Ivy Bridge"),
        pytest.param("GenuineIntel", 0x000306C0, False, id="Haswell"),
        pytest.param("AuthenticAMD", 0x00600F20, True, id="Piledriver"),
        pytest.param("AuthenticAMD", 0x00820F00, True, id="Zen, model 32"),
        pytest.param("AuthenticAMD", 0x00830F00, True, id="Zen, model 48"),
        pytest.param("AuthenticAMD", 0x00830F10, False, id="Zen 2"),
        pytest.param("AuthenticAMD", 0x00A00F10, False, id="Zen 3"),
        pytest.param("HygonGenuine", 0x00900F00, False, id="Hygon"),
    ],
)
def test_avx_in_halves_is_known_by_the_model(
    vendor: str, signature: int, is_slow: bool
) -> None:
    leaves = {(1, 0): Leaf(ecx=AVX)}
    found = flags(processor(vendor, signature=signature, leaves=leaves))
    assert is_slow == ("AVXSLOW" in found)
    assert "AVXSLOW" not in flags(processor(vendor, signature=signature))


@pytest.mark.parametrize(
    ("vendor", "signature", "is_spared"),
    [
        pytest.param("AuthenticAMD", 0x00800F10, True, id="Zen"),
        pytest.param("AuthenticAMD", 0x00A00F10, False, id="Zen 3"),
        pytest.param("AuthenticAMD", 0x00B40FF0, True, id="Zen 5, model 4f"),
        pytest.param("AuthenticAMD", 0x00B50F00, False, id="Zen 5, model 50"),
        pytest.param("AuthenticAMD", 0x00B50FF0, False, id="Zen 5, model 5f"),
        pytest.param("AuthenticAMD", 0x00B60F00, True, id="Zen 5, model 60"),
        pytest.param("AuthenticAMD", 0x00B70FF0, True, id="Zen 5, model 7f"),
        pytest.param("AuthenticAMD", 0x00B80F00, False, id="Zen 5, model 80"),
        pytest.param("AuthenticAMD", NEWEST_AMD, False, id="after Zen 5"),
        pytest.param("HygonGenuine", 0x00800F10, False, id="Hygon"),
    ],
)
def test_some_of_amds_are_spared_by_their_model(
    vendor: str, signature: int, is_spared: bool
) -> None:
    wanted = {"TSA_L1_NO", "TSA_SQ_NO"} if is_spared else set()
    assert wanted == flags(processor(vendor, signature=signature))


HTT = 1 << 28
ZEN_3 = 0x00A00F10


@pytest.mark.parametrize(
    ("vendor", "highest", "extended", "signature", "leaves", "has_threads"),
    [
        pytest.param(
            "GenuineIntel", 0xB, 0, 0x000806F0, {(0xB, 0): Leaf(ebx=2)}, True, id="two"
        ),
        pytest.param(
            "GenuineIntel", 0xB, 0, 0x000806F0, {(0xB, 0): Leaf(ebx=1)}, False, id="one"
        ),
        pytest.param("GenuineIntel", 0xB, 0, 0x000806F0, {}, False, id="not told"),
        pytest.param(
            "GenuineIntel",
            0xB,
            0,
            0x000806F0,
            {(0xB, 0): Leaf(ebx=0x10001)},
            False,
            id="the low half counts",
        ),
        pytest.param(
            "HygonGenuine", 0xB, 0, ZEN_3, {(0xB, 0): Leaf(ebx=2)}, False, id="Hygon"
        ),
        pytest.param(
            "GenuineIntel",
            0xA,
            0,
            0x000106A0,
            {(1, 0): Leaf(ebx=8 << 16, edx=HTT), (4, 0): Leaf(eax=3 << 26)},
            True,
            id="old Intel, 8 of 4",
        ),
        pytest.param(
            "GenuineIntel",
            0x4,
            0,
            0x000106A0,
            {(1, 0): Leaf(ebx=4 << 16, edx=HTT), (4, 0): Leaf(eax=3 << 26)},
            False,
            id="old Intel, 4 of 4",
        ),
        pytest.param(
            "GenuineIntel",
            0x3,
            0,
            0x00000F20,
            {(1, 0): Leaf(ebx=2 << 16, edx=HTT)},
            False,
            id="older Intel",
        ),
        pytest.param(
            "GenuineIntel",
            0xA,
            0,
            0x000106A0,
            {(1, 0): Leaf(ebx=1 << 16, edx=HTT)},
            False,
            id="old Intel, one",
        ),
        pytest.param(
            "AuthenticAMD",
            0x6,
            0,
            0x00800F10,
            {(1, 0): Leaf(ebx=8 << 16, edx=HTT)},
            False,
            id="AMD without the leaf",
        ),
        pytest.param("AuthenticAMD", 0xB, 0, 0x00600F20, {}, False, id="Piledriver"),
        pytest.param("AuthenticAMD", 0xB, 0x80000008, ZEN_3, {}, True, id="untold"),
        pytest.param(
            "AuthenticAMD",
            0xB,
            0x8000001E,
            ZEN_3,
            {(0x8000001E, 0): Leaf(ebx=1 << 8)},
            True,
            id="Zen, two",
        ),
        pytest.param("AuthenticAMD", 0xB, 0x8000001E, ZEN_3, {}, False, id="Zen, one"),
    ],
)
def test_hyper_threading_is_more_than_one_thread_of_a_core(
    vendor: str,
    highest: int,
    extended: int,
    signature: int,
    leaves: dict[tuple[int, int], Leaf],
    has_threads: bool,
) -> None:
    given = {(1, 0): Leaf(edx=HTT), **leaves}

    def found(leaves: dict[tuple[int, int], Leaf]) -> bool:
        return "HTT" in flags(
            processor(
                vendor,
                highest=highest,
                extended=extended,
                signature=signature,
                leaves=leaves,
            )
        )

    assert has_threads == found(given)
    without = given[1, 0]._replace(edx=0)
    assert not found({**given, (1, 0): without})


@pytest.mark.parametrize(
    ("eax", "ebx", "edx", "count"),
    [
        pytest.param(0, 0, 4, 0, id="no version"),
        pytest.param(1, 0, 4, 0, id="version 1 tells no number"),
        pytest.param(2, 0, 2, 0, id="two"),
        pytest.param(2, 0, 3, 3, id="three"),
        pytest.param(5, 0, 0x24, 4, id="four; higher bits are no number"),
        pytest.param(5, 0, 5, 0, id="five"),
        pytest.param(1, 0b11111000, 0, 3, id="by bits"),
        pytest.param(0, 0b11111000, 0, 0, id="by bits, no version"),
    ],
)
def test_fixed_counters_are_told_by_bits_or_number(
    eax: int, ebx: int, edx: int, count: int
) -> None:
    found = flags(processor(leaves={(0xA, 0): Leaf(eax, ebx, 0, edx)}))
    names = ("INSTRUCTIONS", "CYCLES", "REFCYCLES", "TOPDOWN_SLOTS")
    assert {f"PMU_FIXEDCOUNTER_{name}" for name in names[:count]} == found
    below = processor(highest=9, leaves={(0xA, 0): Leaf(eax, ebx, 0, edx)})
    assert not flags(below)


TDX = Leaf(0, 0x65746E49, 0x20202020, 0x5844546C)


@pytest.mark.parametrize(
    ("highest", "leaves", "is_guest"),
    [
        pytest.param(0x21, {(0x21, 0): TDX}, True, id="Intel's leaf"),
        pytest.param(0x20, {(0x21, 0): TDX}, False, id="beyond the highest"),
        pytest.param(0x21, {(0x21, 0): TDX._replace(ecx=0)}, False, id="another name"),
        pytest.param(0x20, {(0x4000000C, 0): Leaf(ebx=0xBE3)}, True, id="Hyper-V"),
        pytest.param(0x1F, {(0x4000000C, 0): Leaf(ebx=0xBE3)}, False, id="too old"),
        pytest.param(0x20, {(0x4000000C, 0): Leaf(ebx=0xBE2)}, False, id="SEV-SNP"),
    ],
)
def test_a_guest_of_tdx_is_told_by_name_or_by_hyper_v(
    highest: int, leaves: dict[tuple[int, int], Leaf], is_guest: bool
) -> None:
    assert "IntelTDX    " == text(TDX.ebx, TDX.edx, TDX.ecx)
    found = flags(processor(highest=highest, leaves=leaves))
    assert is_guest == ("TDX_GUEST" in found)


@pytest.mark.parametrize(
    ("highest", "ebx", "is_wide"),
    [(0x19, 5, True), (0x18, 5, False), (0x19, 4, False), (0x19, 1, False)],
)
def test_wide_keys_take_both_bits(highest: int, ebx: int, is_wide: bool) -> None:
    leaves = {(7, 0): Leaf(ecx=1 << 23), (0x19, 0): Leaf(ebx=ebx)}
    found = flags(processor(highest=highest, leaves=leaves))
    assert is_wide == ("KEYLOCKERW" in found)
    del leaves[7, 0]
    assert "KEYLOCKERW" not in flags(processor(highest=highest, leaves=leaves))


@pytest.mark.parametrize(
    ("highest", "edx", "version"),
    [(0x24, 1 << 19, 2), (0x23, 1 << 19, 0), (0x24, 0, 0)],
)
def test_avx10_has_a_version(highest: int, edx: int, version: int) -> None:
    leaves = {(7, 1): Leaf(edx=edx), (0x24, 0): Leaf(ebx=0x70102 & ~0x100)}
    registers = processor(highest=highest, leaves=leaves)
    assert version == decoding.avx10_version(registers, flags(registers))


def test_a_processor_without_leaves_has_no_flags() -> None:
    leaves = {(1, 0): Leaf(edx=ALL), (0x80000001, 0): Leaf(ALL, ALL, ALL, ALL)}
    assert not flags(processor(highest=0, leaves=leaves))
