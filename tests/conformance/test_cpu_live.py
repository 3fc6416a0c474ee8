"""Our reading of registers and files against NFD's, on made processors.

`IMAGECOMPAT_CASES` sets how many (2,000 by default), `IMAGECOMPAT_SEED` repeats a
run. The oracle is NFD's own source `cpu`, whose instructions are tables; `cpu.rdt`
and `cpu.sst` ask the real processor there, and are no part of this.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from app.host import cpu
from app.host.cpu.leaves import ROWS
from tests.conformance import cpu_cases
from tests.conformance.cpu_cases import Case
from tests.tools import needed
from tests.tools.processors import recorded, table_of, tree_of

OURS_ALONE: Final = ("rdt", "sst")
LEAST_CASES: Final = 2000
LEAST_SHARE: Final = 0.01
FLAGS: Final = {
    *(name for row in ROWS for name in row.bits.values()),
    *("AVX", "AVXSLOW", "HTT", "KEYLOCKERW", "TDX_GUEST"),
    *("X86_64_V1", "X86_64_V2", "X86_64_V3", "X86_64_V4"),
    *("PMU_FIXEDCOUNTER_INSTRUCTIONS", "PMU_FIXEDCOUNTER_CYCLES"),
    *("PMU_FIXEDCOUNTER_REFCYCLES", "PMU_FIXEDCOUNTER_TOPDOWN_SLOTS"),
}
ATTRIBUTES: Final = {
    *("cstate.enabled", "cpuid.AVX10_VERSION"),
    *(f"model.{name}" for name in ("vendor_id", "family", "id", "hypervisor")),
    *(f"pstate.{name}" for name in ("status", "turbo", "scaling_governor")),
    *(f"topology.{name}" for name in ("hardware_multithreading", "socket_count")),
    *("security.sgx.enabled", "security.sgx.epc", "security.tdx.enabled"),
    *("security.tdx.protected", "security.tdx.total_keys", "security.sev.enabled"),
    *("security.sev.es.enabled", "security.sev.snp.enabled", "security.sev.asids"),
    "security.sev.encrypted_state_ids",
}


@pytest.fixture(scope="module")
def oracle() -> Path:
    [program] = needed.programs("cpu-oracle")
    return program


def ask(oracle: Path, cases: Sequence[Case], folder: Path) -> list[dict[str, Any]]:
    lines = "".join(json.dumps(question(case, folder)) + "\n" for case in cases)
    done = subprocess.run(
        [oracle], input=lines, capture_output=True, text=True, check=True, timeout=300
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [case.id for case in cases] == [answer["id"] for answer in answers]
    return answers


def question(case: Case, folder: Path) -> dict[str, Any]:
    registers = {
        f"{leaf:x}.{subleaf:x}": list(values)
        for (leaf, subleaf), values in case.registers.leaves.items()
    }
    root = str(folder / case.id)
    return {
        "id": case.id,
        "root": root,
        "registers": registers,
        "xcr0": case.registers.state,
    }


def theirs(answer: dict[str, Any]) -> dict[str, Any]:
    found = answer["features"]
    return {
        "flags": {
            name: sorted(one["elements"]) for name, one in found["flags"].items()
        },
        "attributes": {
            name: one["elements"] for name, one in found["attributes"].items()
        },
    }


def ours(case: Case, folder: Path) -> dict[str, Any]:
    found = cpu.of_registers(tree_of(folder / case.id, case.files), case.registers)
    return {
        "flags": {name: sorted(flags or ()) for name, flags in found.flags.items()},
        "attributes": {
            name: dict(elements or {})
            for name, elements in found.attributes.items()
            if name not in OURS_ALONE
        },
    }


def compare(oracle: Path, cases: Sequence[Case], folder: Path) -> Counter[str]:
    """How often each flag and each attribute was published; fails on a difference."""
    found = [ours(case, folder) for case in cases]
    answers = [theirs(answer) for answer in ask(oracle, cases, folder)]
    rows = zip(cases, answers, found, strict=True)
    differences = [(case, *two) for case, *two in rows if two[0] != two[1]]
    assert [] == differences[:2]
    said: Counter[str] = Counter()
    for answer in answers:
        said.update(answer["flags"]["cpuid"])
        said.update(
            f"{feature}.{element}"
            for feature, elements in answer["attributes"].items()
            for element in elements
        )
        said.update(f"{feature}." for feature in answer["attributes"])
    return said


def drawn() -> tuple[cpu_cases.Generator, int]:
    seed = int(
        os.environ.get("IMAGECOMPAT_SEED") or random.SystemRandom().getrandbits(32)
    )
    count = int(os.environ.get("IMAGECOMPAT_CASES") or LEAST_CASES)
    print(f"IMAGECOMPAT_SEED={seed} IMAGECOMPAT_CASES={count}")
    return cpu_cases.Generator(seed), count


def test_what_is_recorded_is_what_nfd_makes_of_those_registers(
    oracle: Path, tmp_path: Path
) -> None:
    cases = [
        Case(f"{number}", table_of(one), {})
        for number, one in enumerate(recorded("amd64"))
    ]
    compare(oracle, cases, tmp_path)


def test_a_processor_publishes_what_nfd_makes_of_its_registers(
    oracle: Path, tmp_path: Path
) -> None:
    generator, count = drawn()
    cases = [generator.processor(number) for number in range(count)]
    said = compare(oracle, cases, tmp_path)
    if count >= LEAST_CASES:
        assert set() == {one for one in FLAGS if said[one] < count * LEAST_SHARE}


def test_a_host_publishes_what_nfd_makes_of_its_files(
    oracle: Path, tmp_path: Path
) -> None:
    generator, count = drawn()
    count //= 5
    cases = [generator.host(number) for number in range(count)]
    said = compare(oracle, cases, tmp_path)
    if count >= LEAST_CASES // 5:
        assert set() == {one for one in ATTRIBUTES if said[one] < count * LEAST_SHARE}
        # A feature that is missing is another thing than an empty one.
        assert count * LEAST_SHARE < said["cstate."] < count * (1 - LEAST_SHARE)
