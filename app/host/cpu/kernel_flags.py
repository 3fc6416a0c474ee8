"""The kernel's flags of an x86-64 processor as NFD's: what `/proc/cpuinfo` can tell.

For where the instruction cannot be executed, or would tell of another machine. The
kernel's names are those of `arch/x86/include/asm/cpufeatures.h`. They say less than
the instruction does:

1. Some bits the kernel never shows: `UNTOLD`. They are listed, not guessed.
2. A kernel shows no flag that is newer than it is.
3. A kernel hides what it or its command line has switched off (`nopku`, `nosmt`).

What they do say is true: no flag is found here that the instruction does not find.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from app.host.cpu import cpuinfo, decoding
from app.host.cpu.identity import UNKNOWN, VENDORS, Identity

FLAGS: Final[Mapping[str, tuple[str, ...]]] = {
    kernels: tuple(names.split())
    for kernels, names in {
        "fpu": "X87",
        "cx8": "CMPXCHG8",
        "sep": "SYSEE",
        "cmov": "CMOV",
        "mmx": "MMX",
        "fxsr": "FXSR",
        # NFD reads FXSROPT from the bit of SSE, too.
        "sse": "SSE FXSROPT",
        "sse2": "SSE2",
        # NFD reads the two others from the bit of SSE3.
        "pni": "SSE3 XSAVE OSXSAVE",
        "pclmulqdq": "CLMUL",
        "vmx": "VMX",
        "ssse3": "SSSE3",
        "cx16": "CX16",
        "sse4_1": "SSE4",
        "sse4_2": "SSE42",
        "movbe": "MOVBE",
        "popcnt": "POPCNT",
        "aes": "AESNI",
        "avx": "AVX",
        "f16c": "F16C",
        "fma": "FMA3",
        "rdrand": "RDRAND",
        "hypervisor": "HYPERVISOR",
        "avx2": "AVX2",
        "bmi1": "BMI1",
        "bmi2": "BMI2",
        "sgx": "SGX",
        "hle": "HLE",
        "erms": "ERMS",
        "rtm": "RTM",
        "mpx": "MPX",
        "rdseed": "RDSEED",
        "adx": "ADX",
        "sha_ni": "SHA",
        "waitpkg": "WAITPKG",
        "user_shstk": "CETSS",
        "gfni": "GFNI",
        "vaes": "VAES",
        "vpclmulqdq": "VPCLMULQDQ",
        "tme": "TME",
        "cldemote": "CLDEMOTE",
        "movdiri": "MOVDIRI",
        "movdir64b": "MOVDIR64B",
        "enqcmd": "ENQCMD",
        "sgx_lc": "SGXLC",
        "fsrm": "FSRM",
        "md_clear": "MD_CLEAR",
        "serialize": "SERIALIZE",
        "tsxldtrk": "TSXLDTRK",
        "pconfig": "PCONFIG",
        "ibt": "CETIBT",
        "flush_l1d": "FLUSH_L1D",
        "arch_capabilities": "IA32_ARCH_CAP",
        "avx_vnni": "AVXVNNI",
        "fred": "FRED",
        "lam": "LAM",
        "avx512f": "AVX512F",
        "avx512dq": "AVX512DQ",
        "avx512ifma": "AVX512IFMA",
        "avx512pf": "AVX512PF",
        "avx512er": "AVX512ER",
        "avx512cd": "AVX512CD",
        "avx512bw": "AVX512BW",
        "avx512vl": "AVX512VL",
        "avx512vbmi": "AVX512VBMI",
        "avx512_vbmi2": "AVX512VBMI2",
        "avx512_vnni": "AVX512VNNI",
        "avx512_bitalg": "AVX512BITALG",
        "avx512_vpopcntdq": "AVX512VPOPCNTDQ",
        "avx512_vp2intersect": "AVX512VP2INTERSECT",
        "avx512_bf16": "AVX512BF16",
        "avx512_fp16": "AVX512FP16",
        "amx_bf16": "AMXBF16",
        "amx_tile": "AMXTILE",
        "amx_int8": "AMXINT8",
        "xsaveopt": "XSAVEOPT",
        "xsavec": "XSAVEC",
        "xgetbv1": "XGETBV1",
        "xsaves": "XSAVES",
        "lahf_lm": "LAHF",
        "svm": "SVM",
        "abm": "LZCNT POPCNT",
        "sse4a": "SSE4A",
        "ibs": "IBS",
        "xop": "XOP",
        "fma4": "FMA4",
        "topoext": "TOPEXT",
        "syscall": "SYSCALL",
        "nx": "NX",
        "mmxext": "MMXEXT",
        "fxsr_opt": "FXSROPT",
        "rdtscp": "RDTSCP",
        "3dnowext": "AMD3DNOWEXT",
        "3dnow": "AMD3DNOW",
        "overflow_recov": "MCAOVERFLOW",
        "succor": "SUCCOR",
        "cpb": "CPBOOST",
        "clzero": "CLZERO",
        "irperf": "MSRIRC",
        "invlpgb": "INVLPGB",
        "rdpru": "RDPRU",
        "wbnoinvd": "WBNOINVD",
        "ibpb": "IBPB",
        "stibp": "STIBP",
        "amd_ppin": "PPIN",
        "cppc": "CPPC",
        "npt": "SVMNP",
        "lbrv": "LBRVIRT",
        "svm_lock": "SVML",
        "nrip_save": "NRIPS",
        "tsc_scale": "TSCRATEMSR",
        "vmcb_clean": "VMCBCLEAN",
        "flushbyasid": "SVMFBASID",
        "decodeassists": "SVMDA",
        "pausefilter": "SVMPF",
        "pfthreshold": "SVMPFT",
        "tdx_guest": "TDX_GUEST",
    }.items()
}
"""Kernel's flag -> NFD's, for all vendors."""

_CUT: Final = range(7, 15)
"""Families whose model NFD cuts to four bits; the kernel does below 6 only."""

AMD_ONLY: Final = {
    # The leaf is read for AMD only, though others have it.
    "sme": "SME",
    "sev": "SEV",
    "sev_es": "SEV_ES",
    "sev_snp": "SEV_SNP",
    "sme_coherent": "SME_COHERENT",
    "debug_swap": "SEV_DEBUGSWAP",
    # For Intel the kernel makes it up from the bit that NFD calls IBPB.
    "ibrs": "IBRS",
}

RDT: Final = {
    "cat_l3": "RDTL3CA",
    "cat_l2": "RDTL2CA",
    "cqm_llc": "RDTMON",
    "cqm_occup_llc": "RDTCMT",
}
"""Kernel's flag -> element of `cpu.rdt`."""

_UNTOLD_NAMES: Final = (
    "SRBDS_CTRL RTM_ALWAYS_ABORT HYBRID_CPU IA32_CORE_CAP SPEC_CTRL_SSBD KEYLOCKER "
    "KEYLOCKERW SM3_X86 SM4_X86 CMPCCXADD MOVSB_ZL STOSB_SHORT CMPSB_SCADBS_SHORT "
    "HRESET AVXIFMA AVXVNNIINT8 AVXNECONVERT AMXTRANSPOSE AMXTF32 AMXCOMPLEX "
    "AVXVNNIINT16 PREFETCHI AVX10 AVX10_128 AVX10_256 AVX10_512 APX_F WRMSRNS AMXFP16 "
    "MSRLIST PSFD IDPRED_CTRL RRSBA_CTRL BHI_CTRL MCDT_NO SGXPQC "
    "PMU_FIXEDCOUNTER_INSTRUCTIONS PMU_FIXEDCOUNTER_CYCLES PMU_FIXEDCOUNTER_REFCYCLES "
    "PMU_FIXEDCOUNTER_TOPDOWN_SLOTS"
)
UNTOLD: Final = frozenset(_UNTOLD_NAMES.split())
"""Flags of NFD that no kernel shows, on any vendor's processor."""
_UNTOLD_OF_AMD_NAMES: Final = (
    "HWA MCOMMIT INT_WBINVD STIBP_ALWAYSON IBRS_PREFERRED IBRS_PROVIDES_SMP "
    "EFER_LMSLE_UNS TLB_FLUSH_NESTED FP128 MOVU FP256 IBSFFV IBSFETCHSAM IBSOPSAM "
    "IBSRDWROPCNT IBSOPCNT IBSBRNTRGT IBSOPCNTEXT IBSRIPINVALIDCHK IBS_OPFUSE "
    "IBS_FETCH_CTLX IBS_OPDATA4 IBS_ZEN4 MSR_PAGEFLUSH VMPL SEV_64BIT SEV_RESTRICTED "
    "SEV_ALTERNATIVE IBS_PREVENTHOST VTE VMSA_REGPROT TSA_VERW_CLEAR AVX512BMM SBPB "
    "IBPB_BRTYPE SRSO_NO SRSO_USER_KERNEL_NO SRSO_MSR_FIX TSA_L1_NO TSA_SQ_NO"
)
UNTOLD_OF_AMD: Final = frozenset(_UNTOLD_OF_AMD_NAMES.split())
"""And these, of leaves that only AMD's and Hygon's have."""


def identity_of(fields: Mapping[str, str]) -> Identity:
    """Who it is, by the fields of `/proc/cpuinfo`."""
    vendor = VENDORS.get(fields.get("vendor_id", ""), UNKNOWN)
    family = cpuinfo.number(fields, "cpu family")
    model = cpuinfo.number(fields, "model")
    return Identity(vendor, family, model & 0xF if family in _CUT else model)


def flags_of(fields: Mapping[str, str]) -> frozenset[str]:
    """What of NFD's flags these fields tell, with the levels."""
    identity = identity_of(fields)
    shown = fields.get("flags", "").split()
    found = {name for flag in shown for name in FLAGS.get(flag, ())}
    if identity.vendor == "AMD":
        found |= {AMD_ONLY[flag] for flag in shown if flag in AMD_ONLY}
    if "pku" in shown and "AVX512F" in found:
        # NFD takes the bit of protection keys for that of AMXFP8.
        found.add("AMXFP8")
    if "AVX" in found:
        found |= set(decoding.slow_avx(identity))
    if _has_threads(fields, identity):
        found.add("HTT")
    found |= set(decoding.by_model(identity))
    return frozenset(found | set(decoding.levels(found)))


def rdt_of(fields: Mapping[str, str]) -> tuple[str, ...]:
    """The elements of `cpu.rdt` that these fields tell."""
    shown = set(fields.get("flags", "").split())
    found = [RDT[flag] for flag in sorted(shown & set(RDT))]
    if {"cqm_mbm_total", "cqm_mbm_local"} <= shown:
        found.append("RDTMBM")
    # AMD's are told by another leaf, which NFD does not ask.
    if "mba" in shown and identity_of(fields).vendor == "Intel":
        found.append("RDTMBA")
    return tuple(found)


def untold(fields: Mapping[str, str]) -> Iterator[str]:
    """What the instruction would tell beyond this, as `FEATURE.ELEMENT`."""
    identity = identity_of(fields)
    found = flags_of(fields)
    names = set(UNTOLD)
    if identity.vendor in {"AMD", "Hygon"}:
        names |= UNTOLD_OF_AMD
    if "ht" in fields.get("flags", "").split():
        names.add("HTT")
    yield from sorted(f"cpuid.{name}" for name in names - found)
    yield "cpuid.AVX10_VERSION"
    if "HYPERVISOR" in found:
        yield "model.hypervisor"
    if "SGX" in found:
        yield from ("security.sgx.enabled", "security.sgx.epc")
    if "mba" in fields.get("flags", "") and identity.vendor != "Intel":
        yield "rdt.RDTMBA"


def _has_threads(fields: Mapping[str, str], identity: Identity) -> bool:
    is_asked = identity.vendor in {"Intel", "AMD"}
    threads, cores = (
        cpuinfo.number(fields, name) for name in ("siblings", "cpu cores")
    )
    return is_asked and threads > cores > 0
