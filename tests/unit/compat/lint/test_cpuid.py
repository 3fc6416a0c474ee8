"""The table of flags is that of what finds them on a host."""

from __future__ import annotations

import pytest

from app.compat.lint import cpuid
from app.host.cpu import arm, decoding, kernel_flags, leaves
from tests.unit.compat.lint.examples import codes, of_expressions

OF_BITS = {name for row in leaves.ROWS for name in row.bits.values()}
COMPUTED = {"AVX", "AVXSLOW", "HTT", "KEYLOCKERW", "TDX_GUEST", *cpuid.LEVELS}
"""What depends on more than a bit (`decoding`)."""

NEVER_FOUND = {"TBM"}
"""What klauspost/cpuid has a name for, and never looks for."""


def test_every_flag_that_a_host_with_amd64_may_have_is_known() -> None:
    counters = set(decoding._COUNTERS)
    assert cpuid.AMD64 == OF_BITS | counters | COMPUTED | NEVER_FOUND


def test_what_the_kernel_shows_of_them_is_known() -> None:
    untold = kernel_flags.UNTOLD | kernel_flags.UNTOLD_OF_AMD
    shown = {name for names in kernel_flags.FLAGS.values() for name in names}
    assert shown | untold <= cpuid.AMD64


def test_every_flag_that_a_host_with_arm64_may_have_is_known() -> None:
    assert {*arm.HWCAP, *arm.HWCAP2} == cpuid.ARM64


@pytest.mark.parametrize(
    "name", ["CYCLES", "INSTRUCTIONS", "REFCYCLES", "TOPDOWN_SLOTS"]
)
def test_a_fixed_counter_is_a_flag(name: str) -> None:
    spec = of_expressions("cpu.cpuid", f"PMU_FIXEDCOUNTER_{name}: {{op: Exists}}")
    assert [] == codes(spec)
