"""Which bit of which register is which flag, as klauspost/cpuid v2.4.0 has it.

NFD publishes the names of that library (`cpuid.go#L1277`, `support`), so its faults
are part of what is published: AMXFP8 is read from the bit of protection keys, and
FXSROPT from that of SSE, XSAVE and OSXSAVE from that of SSE3 (a mask and a shift in
Go bind alike, so that the shift is of the bit that the mask left).

Rows are read in order: what a row needs may have been found by one before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

BASIC: Final = 0x0
EXTENDED: Final = 0x80000000

AMD: Final = "vendor is AMD"
ENABLED: Final = "the system has switched XSAVE on"
ZMM: Final = "the system keeps the registers of AVX-512"
"""Facts that rows may need beside flags; no flag has such a name."""
FACTS: Final = frozenset({AMD, ENABLED, ZMM})


@dataclass(frozen=True, slots=True)
class Row:
    """Some flags of one register.

    Attributes:
        leaf: the leaf.
        subleaf: its subleaf.
        register: `eax`, `ebx`, `ecx` or `edx`.
        bits: bit -> flag.
        needs: a flag or fact without which the row says nothing.
        least: the processor must know leaves up to this; the leaf itself if absent.
    """

    leaf: int
    subleaf: int
    register: str
    bits: Mapping[int, str]
    needs: str = ""
    least: int = field(default=-1)

    def highest(self) -> int:
        """The leaf that the processor must know."""
        return self.leaf if self.least < 0 else self.least


ROWS: Final = (
    Row(
        0x1,
        0,
        "edx",
        {
            0: "X87",
            8: "CMPXCHG8",
            11: "SYSEE",
            15: "CMOV",
            23: "MMX",
            24: "FXSR",
            25: "SSE",
            26: "SSE2",
        },
    ),
    Row(0x1, 0, "edx", {25: "FXSROPT"}),
    Row(
        0x1,
        0,
        "ecx",
        {
            0: "SSE3",
            1: "CLMUL",
            5: "VMX",
            9: "SSSE3",
            13: "CX16",
            19: "SSE4",
            20: "SSE42",
            22: "MOVBE",
            23: "POPCNT",
            25: "AESNI",
            29: "F16C",
            30: "RDRAND",
            31: "HYPERVISOR",
        },
    ),
    Row(0x1, 0, "ecx", {0: "XSAVE"}),
    Row(0x1, 0, "ecx", {0: "OSXSAVE"}),
    Row(0x1, 0, "ecx", {12: "FMA3"}, needs=ENABLED),
    Row(0x7, 0, "ebx", {5: "AVX2"}, needs="AVX"),
    Row(
        0x7,
        0,
        "ebx",
        {
            2: "SGX",
            3: "BMI1",
            4: "HLE",
            9: "ERMS",
            11: "RTM",
            14: "MPX",
            18: "RDSEED",
            19: "ADX",
            29: "SHA",
        },
    ),
    Row(0x7, 0, "ebx", {8: "BMI2"}, needs="BMI1"),
    Row(
        0x7,
        0,
        "ecx",
        {
            5: "WAITPKG",
            7: "CETSS",
            8: "GFNI",
            9: "VAES",
            10: "VPCLMULQDQ",
            13: "TME",
            23: "KEYLOCKER",
            25: "CLDEMOTE",
            27: "MOVDIRI",
            28: "MOVDIR64B",
            29: "ENQCMD",
            30: "SGXLC",
        },
    ),
    Row(
        0x7,
        0,
        "edx",
        {
            4: "FSRM",
            9: "SRBDS_CTRL",
            10: "MD_CLEAR",
            11: "RTM_ALWAYS_ABORT",
            14: "SERIALIZE",
            15: "HYBRID_CPU",
            16: "TSXLDTRK",
            18: "PCONFIG",
            20: "CETIBT",
            26: "IBPB",
            27: "STIBP",
            28: "FLUSH_L1D",
            29: "IA32_ARCH_CAP",
            30: "IA32_CORE_CAP",
            31: "SPEC_CTRL_SSBD",
        },
    ),
    Row(0x7, 1, "eax", {4: "AVXVNNI"}, needs="AVX"),
    Row(
        0x7,
        1,
        "eax",
        {
            1: "SM3_X86",
            2: "SM4_X86",
            7: "CMPCCXADD",
            10: "MOVSB_ZL",
            11: "STOSB_SHORT",
            12: "CMPSB_SCADBS_SHORT",
            17: "FRED",
            22: "HRESET",
            23: "AVXIFMA",
            26: "LAM",
        },
    ),
    Row(
        0x7,
        1,
        "edx",
        {
            4: "AVXVNNIINT8",
            5: "AVXNECONVERT",
            6: "AMXTRANSPOSE",
            7: "AMXTF32",
            8: "AMXCOMPLEX",
            10: "AVXVNNIINT16",
            14: "PREFETCHI",
            19: "AVX10",
            21: "APX_F",
        },
    ),
    Row(
        0x7,
        0,
        "ebx",
        {
            16: "AVX512F",
            17: "AVX512DQ",
            21: "AVX512IFMA",
            26: "AVX512PF",
            27: "AVX512ER",
            28: "AVX512CD",
            30: "AVX512BW",
            31: "AVX512VL",
        },
        needs=ZMM,
    ),
    Row(
        0x7,
        0,
        "ecx",
        {
            1: "AVX512VBMI",
            3: "AMXFP8",
            6: "AVX512VBMI2",
            11: "AVX512VNNI",
            12: "AVX512BITALG",
            14: "AVX512VPOPCNTDQ",
        },
        needs=ZMM,
    ),
    Row(
        0x7,
        0,
        "edx",
        {
            8: "AVX512VP2INTERSECT",
            22: "AMXBF16",
            23: "AVX512FP16",
            24: "AMXTILE",
            25: "AMXINT8",
        },
        needs=ZMM,
    ),
    Row(
        0x7,
        1,
        "eax",
        {5: "AVX512BF16", 19: "WRMSRNS", 21: "AMXFP16", 27: "MSRLIST"},
        needs=ZMM,
    ),
    Row(
        0x7,
        2,
        "edx",
        {0: "PSFD", 1: "IDPRED_CTRL", 2: "RRSBA_CTRL", 4: "BHI_CTRL", 5: "MCDT_NO"},
    ),
    Row(0x12, 0, "eax", {12: "SGXPQC"}, needs="SGX", least=0x7),
    Row(
        0x24,
        0,
        "ebx",
        {16: "AVX10_128", 17: "AVX10_256", 18: "AVX10_512"},
        needs="AVX10",
    ),
    Row(
        0xD,
        1,
        "eax",
        {0: "XSAVEOPT", 1: "XSAVEC", 2: "XGETBV1", 3: "XSAVES"},
        needs="XSAVE",
    ),
    Row(
        0x80000001,
        0,
        "ecx",
        {
            0: "LAHF",
            2: "SVM",
            5: "LZCNT",
            6: "SSE4A",
            10: "IBS",
            22: "TOPEXT",
        },
    ),
    Row(0x80000001, 0, "ecx", {5: "POPCNT"}),
    Row(
        0x80000001,
        0,
        "edx",
        {
            11: "SYSCALL",
            20: "NX",
            22: "MMXEXT",
            23: "MMX",
            24: "FXSR",
            25: "FXSROPT",
            27: "RDTSCP",
            30: "AMD3DNOWEXT",
            31: "AMD3DNOW",
        },
    ),
    Row(0x80000001, 0, "ecx", {11: "XOP", 16: "FMA4"}, needs="AVX"),
    Row(0x80000007, 0, "ebx", {0: "MCAOVERFLOW", 1: "SUCCOR", 2: "HWA"}),
    Row(0x80000007, 0, "edx", {9: "CPBOOST"}),
    Row(
        0x80000008,
        0,
        "ebx",
        {
            0: "CLZERO",
            1: "MSRIRC",
            3: "INVLPGB",
            4: "RDPRU",
            8: "MCOMMIT",
            9: "WBNOINVD",
            12: "IBPB",
            13: "INT_WBINVD",
            14: "IBRS",
            15: "STIBP",
            17: "STIBP_ALWAYSON",
            18: "IBRS_PREFERRED",
            19: "IBRS_PROVIDES_SMP",
            20: "EFER_LMSLE_UNS",
            21: "TLB_FLUSH_NESTED",
            23: "PPIN",
            24: "SPEC_CTRL_SSBD",
            27: "CPPC",
            28: "PSFD",
        },
    ),
    Row(
        0x8000000A,
        0,
        "edx",
        {
            0: "SVMNP",
            1: "LBRVIRT",
            2: "SVML",
            3: "NRIPS",
            4: "TSCRATEMSR",
            5: "VMCBCLEAN",
            6: "SVMFBASID",
            7: "SVMDA",
            10: "SVMPF",
            12: "SVMPFT",
        },
        needs="SVM",
    ),
    Row(0x8000001A, 0, "eax", {0: "FP128", 1: "MOVU", 2: "FP256"}),
    Row(
        0x8000001B,
        0,
        "eax",
        {
            0: "IBSFFV",
            1: "IBSFETCHSAM",
            2: "IBSOPSAM",
            3: "IBSRDWROPCNT",
            4: "IBSOPCNT",
            5: "IBSBRNTRGT",
            6: "IBSOPCNTEXT",
            7: "IBSRIPINVALIDCHK",
            8: "IBS_OPFUSE",
            9: "IBS_FETCH_CTLX",
            10: "IBS_OPDATA4",
            11: "IBS_ZEN4",
        },
        needs="IBS",
    ),
    Row(
        0x8000001F,
        0,
        "eax",
        {
            0: "SME",
            1: "SEV",
            2: "MSR_PAGEFLUSH",
            3: "SEV_ES",
            4: "SEV_SNP",
            5: "VMPL",
            10: "SME_COHERENT",
            11: "SEV_64BIT",
            12: "SEV_RESTRICTED",
            13: "SEV_ALTERNATIVE",
            14: "SEV_DEBUGSWAP",
            15: "IBS_PREVENTHOST",
            16: "VTE",
            24: "VMSA_REGPROT",
        },
        needs=AMD,
    ),
    Row(
        0x80000021,
        0,
        "eax",
        {
            5: "TSA_VERW_CLEAR",
            23: "AVX512BMM",
            27: "SBPB",
            28: "IBPB_BRTYPE",
            29: "SRSO_NO",
            30: "SRSO_USER_KERNEL_NO",
            31: "SRSO_MSR_FIX",
        },
        needs=AMD,
    ),
    Row(0x80000021, 0, "ecx", {1: "TSA_L1_NO", 2: "TSA_SQ_NO"}, needs=AMD),
)
