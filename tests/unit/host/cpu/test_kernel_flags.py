"""The kernel's flags as NFD's."""

import pytest

from app.host.cpu import decoding, kernel_flags
from app.host.cpu.identity import Identity
from app.host.cpu.leaves import ROWS
from tests.tools.processors import cpuinfo_of

ANYWHERE = {name for row in ROWS for name in row.bits.values()}
COMPUTED = {
    "AVX",
    "AVXSLOW",
    "HTT",
    "KEYLOCKERW",
    "TDX_GUEST",
    "PMU_FIXEDCOUNTER_INSTRUCTIONS",
    "PMU_FIXEDCOUNTER_CYCLES",
    "PMU_FIXEDCOUNTER_REFCYCLES",
    "PMU_FIXEDCOUNTER_TOPDOWN_SLOTS",
}
BY_VENDOR = {name for _, name in kernel_flags.AMD_ONLY.items()} | {"AMXFP8"}


def test_of_every_flag_it_is_known_whether_the_kernel_tells_it() -> None:
    told = {name for names in kernel_flags.FLAGS.values() for name in names}
    told |= BY_VENDOR | {"HTT", "AVXSLOW"}
    untold = kernel_flags.UNTOLD | kernel_flags.UNTOLD_OF_AMD
    assert set() == told & untold
    assert ANYWHERE | COMPUTED == told | untold


@pytest.mark.parametrize(
    ("flag", "names"), [*kernel_flags.FLAGS.items()], ids=[*kernel_flags.FLAGS]
)
def test_a_flag_of_the_kernel_is_nfds(flag: str, names: tuple[str, ...]) -> None:
    assert set(names) == kernel_flags.flags_of(cpuinfo_of(flag, model="140"))
    assert set(names) <= ANYWHERE | {"AVX", "TDX_GUEST"}


def test_a_flag_that_nfd_has_no_name_for_is_passed_over() -> None:
    assert not kernel_flags.flags_of(cpuinfo_of("constant_tsc vme no_such"))
    assert not kernel_flags.flags_of({})


@pytest.mark.parametrize(("flag", "name"), [*kernel_flags.AMD_ONLY.items()])
def test_some_leaves_are_read_for_amd_only(flag: str, name: str) -> None:
    amd = cpuinfo_of(flag, vendor="AuthenticAMD", family="26", model="80")
    assert {name} == kernel_flags.flags_of(amd)
    assert not kernel_flags.flags_of(cpuinfo_of(flag))


def test_protection_keys_are_amxfp8_beside_avx512() -> None:
    assert "AMXFP8" in kernel_flags.flags_of(cpuinfo_of("avx512f pku"))
    assert "AMXFP8" not in kernel_flags.flags_of(cpuinfo_of("avx512f"))
    assert "AMXFP8" not in kernel_flags.flags_of(cpuinfo_of("avx2 pku"))


def test_levels_and_slow_avx_follow() -> None:
    shown = (
        "fpu cx8 cmov mmx fxsr sse sse2 syscall cx16 lahf_lm popcnt pni sse4_1 sse4_2"
        " ssse3 avx avx2 bmi1 bmi2 f16c fma abm movbe"
    )
    found = kernel_flags.flags_of(cpuinfo_of(shown, model="58"))
    assert {"X86_64_V1", "X86_64_V2", "X86_64_V3", "AVXSLOW"} <= found
    assert "X86_64_V4" not in found
    assert "AVXSLOW" not in kernel_flags.flags_of(cpuinfo_of(shown, model="60"))
    assert {*decoding.levels(set(found))} <= found


def test_amds_that_are_spared_are_known_by_their_model() -> None:
    zen = cpuinfo_of("", vendor="AuthenticAMD", family="23", model="1")
    assert {"TSA_L1_NO", "TSA_SQ_NO"} == kernel_flags.flags_of(zen)


@pytest.mark.parametrize(
    ("vendor", "siblings", "cores", "has_threads"),
    [
        ("GenuineIntel", "8", "4", True),
        ("GenuineIntel", "4", "4", False),
        ("GenuineIntel", "4", "0", False),
        ("GenuineIntel", "", "", False),
        ("AuthenticAMD", "2", "1", True),
        ("HygonGenuine", "2", "1", False),
    ],
)
def test_hyper_threading_is_more_siblings_than_cores(
    vendor: str, siblings: str, cores: str, has_threads: bool
) -> None:
    more = {"siblings": siblings, "cpu cores": cores}
    fields = cpuinfo_of("ht", vendor=vendor, family="26", model="80") | more
    assert ({"HTT"} if has_threads else set()) == kernel_flags.flags_of(fields)


@pytest.mark.parametrize(
    ("vendor", "family", "model", "wanted"),
    [
        ("GenuineIntel", "6", "143", Identity("Intel", 6, 143)),
        ("AuthenticAMD", "25", "17", Identity("AMD", 25, 17)),
        ("  Shanghai  ", "7", "59", Identity("VendorUnknown", 7, 11)),
        ("GenuineIntel", "15", "33", Identity("Intel", 15, 33)),
    ],
)
def test_the_model_is_cut_as_nfd_cuts_it(
    vendor: str, family: str, model: str, wanted: Identity
) -> None:
    fields = cpuinfo_of("", vendor=vendor, family=family, model=model)
    assert wanted == kernel_flags.identity_of(fields)
    assert Identity("VendorUnknown", 0, 0) == kernel_flags.identity_of({})


@pytest.mark.parametrize(
    ("vendor", "shown", "names"),
    [
        ("GenuineIntel", "cat_l3 cat_l2", {"RDTL3CA", "RDTL2CA"}),
        ("GenuineIntel", "cqm_llc cqm_occup_llc", {"RDTMON", "RDTCMT"}),
        ("GenuineIntel", "cqm_mbm_total cqm_mbm_local", {"RDTMBM"}),
        ("GenuineIntel", "cqm_mbm_total", set()),
        ("GenuineIntel", "mba", {"RDTMBA"}),
        ("AuthenticAMD", "mba", set()),
    ],
)
def test_rdt_is_told_but_for_what_amd_tells_elsewhere(
    vendor: str, shown: str, names: set[str]
) -> None:
    assert names == set(kernel_flags.rdt_of(cpuinfo_of(shown, vendor=vendor)))


def test_what_is_untold_is_named() -> None:
    amd = cpuinfo_of("ht hypervisor sgx mba", vendor="AuthenticAMD", family="25")
    untold = set(kernel_flags.untold(amd))
    assert {
        "cpuid.HTT",
        "cpuid.AVX10",
        "cpuid.AVX10_VERSION",
        "cpuid.SRSO_NO",
        "model.hypervisor",
        "security.sgx.enabled",
        "security.sgx.epc",
        "rdt.RDTMBA",
    } <= untold
    intel = set(kernel_flags.untold(cpuinfo_of("mba")))
    assert "cpuid.AVX10" in intel
    assert set() == intel & {
        "cpuid.HTT",
        "cpuid.SRSO_NO",
        "model.hypervisor",
        "security.sgx.epc",
        "rdt.RDTMBA",
    }


def test_what_is_known_otherwise_is_not_untold() -> None:
    zen = cpuinfo_of("", vendor="AuthenticAMD", family="23", model="1")
    assert "cpuid.TSA_L1_NO" not in set(kernel_flags.untold(zen))
    threads = cpuinfo_of("ht") | {"siblings": "2", "cpu cores": "1"}
    assert "cpuid.HTT" not in set(kernel_flags.untold(threads))
