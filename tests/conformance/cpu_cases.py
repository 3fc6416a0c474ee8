"""Makes processors and the files of `/sys` that tell of them.

Registers are random bits, more or less dense, under names, numbers of the highest
leaf and models at which a decision of klauspost/cpuid turns. Files are random picks
of what stands there and of what hardly ever does. Left out is what ends NFD itself: an
empty `no_turbo`, a line of `misc.capacity` without a number (`index out of range`).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.host.cpu.identity import VENDORS
from app.host.cpu.registers import Leaf
from tests.tools.processors import Table, named

BITS: Final = 32
LEAVES: Final = (
    *((number, 0) for number in (1, 4, 7, 0xA, 0xB, 0x12, 0x19, 0x20, 0x21, 0x24)),
    *((7, 1), (7, 2), (0xD, 1)),
    *((0x12, subleaf) for subleaf in range(2, 11)),
    *((0x80000000 + number, 0) for number in (1, 7, 8, 0xA, 0x1A, 0x1B)),
    *((0x80000000 + number, 0) for number in (0x1E, 0x1F, 0x21)),
    (0x4000000C, 0),
)
HIGHEST: Final = (
    *(0, 1, 2, 3, 4, 6, 7, 9, 0xA, 0xB, 0xC, 0xD, 0x11, 0x12, 0x18, 0x19),
    *(0x1F, 0x20, 0x21, 0x23, 0x24, 0x30, 0x30, 0x30, 0x30),
)
EXTENDED: Final = (0, *(0x80000000 + number for number in range(0x29)))
STATES: Final = (0, 2, 3, 6, 7, 0x66, 0xC6, 0xE0, 0xE6, 0xE7, 0x602E7, 0xFFFFFFFF)
NAMES: Final = (
    *VENDORS,
    *("GenuineIntel", "AuthenticAMD") * 8,
    *("HygonGenuine", "Strange CPU!", "Ge", ""),
)
HYPERVISORS: Final = (*VENDORS, "Strange (Hv)", "\xff\xfe\xfd", "a/b c", "")
FAMILIES: Final = (5, 6, 6, 6, 7, 14, 15, 15, 15)
EXTENDED_FAMILIES: Final = (0, 1, 6, 7, 8, 9, 0xA, 0xB, 0xC)
TDX: Final = named("IntelTDX    ")

SYSTEM: Final = "/sys/devices/system/cpu"
CPUS: Final = "/sys/bus/cpu/devices"
FILES: Final[Mapping[str, tuple[str, ...]]] = {
    **{
        f"{CPUS}/cpu{number}/topology/{name}": values
        for number in range(3)
        for name, values in {
            "thread_siblings_list": ("0\n", "1\n", "0,2\n", "0-1\n", "", "0", "0"),
            "physical_package_id": ("0\n", "0\n", "1\n", " 1", "-1\n"),
        }.items()
    },
    f"{SYSTEM}/online": ("0-2\n",),
    f"{SYSTEM}/cpuidle/current_driver": ("intel_idle\n", "intel_idle", "acpi_idle\n"),
    "/sys/module/intel_idle/parameters/max_cstate": ("9\n", "0\n", "-1\n", "x", ""),
    f"{SYSTEM}/intel_pstate/status": ("active\n", "active", "passive\n", "off\n", ""),
    f"{SYSTEM}/intel_pstate/no_turbo": ("0\n", "1\n", "0", " 0"),
    **{
        f"{SYSTEM}/cpufreq/policy{number}/{name}": values
        for number in (0, 1, 10)
        for name, values in {
            "affected_cpus": ("0\n", "0 1\n", "0", "\n", ""),
            "scaling_governor": ("powersave\n", "powersave", "performance\n", ""),
        }.items()
    },
    "/sys/module/kvm_intel/parameters/tdx": ("Y\n", "N\n", "Y", "Y\n\n"),
    **{
        f"/sys/module/kvm_amd/parameters/{name}": ("Y\n", "1\n", "N\n", "0", "", "y")
        for name in ("sev", "sev_es", "sev_snp")
    },
    **{
        f"/sys/fs/cgroup/{name}": (
            "sev 509\nsev_es 99\ntdx 31\n",
            "sev_es 99\nsev 0\n",
            "tdx -1\r\nsev max\nsev 4\n",
            "rdma 1\n\nsev  7\nsev_es +8\r\ntdx 12 13\n",
            "",
        )
        for name in ("misc.capacity", "misc/misc.capacity")
    },
}
LEAST_FILES: Final = (0.4, 0.8, 0.95, 1.0)


@dataclass(frozen=True, slots=True)
class Case:
    """One host.

    Attributes:
        id: of the case.
        registers: its processor.
        files: path -> content.
    """

    id: str
    registers: Table
    files: Mapping[str, str]


class Generator:
    """Makes cases, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def processor(self, number: int) -> Case:
        """A processor without a file."""
        return Case(str(number), self._registers(), {})

    def host(self, number: int) -> Case:
        """A processor and files."""
        share = self._random.choice(LEAST_FILES)
        files = {
            path: self._random.choice(contents)
            for path, contents in FILES.items()
            if self._random.random() <= share
        }
        return Case(str(number), self._registers(), files)

    def _registers(self) -> Table:
        choose = self._random.choice
        density = choose((0.1, 0.5, 0.9, 0.97))
        leaves = {key: Leaf(*(self._word(density) for _ in range(4))) for key in LEAVES}
        one, two, three = named(choose(NAMES))
        leaves[0, 0] = Leaf(choose(HIGHEST), one, three, two)
        leaves[0x80000000, 0] = Leaf(choose(EXTENDED))
        leaves[0x40000000, 0] = Leaf(0, *named(choose(HYPERVISORS)))
        for turn, often in (
            (self._model, 0.5),
            (self._saved_state, 0.4),
            (self._guest, 0.3),
            (self._threads, 0.5),
            (self._counters, 0.5),
            (self._sections, 0.8),
        ):
            if self._random.random() < often:
                turn(leaves)
        return Table(leaves, choose(STATES))

    def _word(self, density: float) -> int:
        return sum((self._random.random() < density) << bit for bit in range(BITS))

    def _model(self, leaves: dict[tuple[int, int], Leaf]) -> None:
        choose = self._random.choice
        family = choose(FAMILIES) << 8 | choose(EXTENDED_FAMILIES) << 20
        model = self._random.randrange(16) << 4 | self._random.randrange(16) << 16
        leaves[1, 0] = leaves[1, 0]._replace(eax=family | model)

    def _saved_state(self, leaves: dict[tuple[int, int], Leaf]) -> None:
        leaves[1, 0] = leaves[1, 0]._replace(ecx=leaves[1, 0].ecx | 7 << 26)

    def _guest(self, leaves: dict[tuple[int, int], Leaf]) -> None:
        one, two, three = TDX
        leaves[0x21, 0] = Leaf(0, one, three, two)
        isolation = self._random.choice((0xBE2, 0xBE3))
        leaves[0x4000000C, 0] = Leaf(ebx=isolation)

    def _threads(self, leaves: dict[tuple[int, int], Leaf]) -> None:
        choose = self._random.choice
        leaves[0xB, 0] = Leaf(ebx=choose((0, 1, 2, 0x10000, 0x20002)))
        leaves[0x8000001E, 0] = Leaf(ebx=choose((0, 0x100, 0xFFFF00FF)))
        leaves[4, 0] = Leaf(eax=choose((0, 1, 3, 63)) << 26)
        logical = choose((0, 1, 2, 4, 8, 0xFF)) << 16
        leaves[1, 0] = leaves[1, 0]._replace(
            ebx=logical, edx=leaves[1, 0].edx | 1 << 28
        )

    def _counters(self, leaves: dict[tuple[int, int], Leaf]) -> None:
        choose = self._random.choice
        leaves[0xA, 0] = Leaf(
            eax=choose((0, 1, 2, 5, 0x300)),
            ebx=choose((0, 0, 0, 1, 0xF0, 0xFF)),
            edx=choose((0, 2, 3, 4, 5, 0x23, 0x24)),
        )

    def _sections(self, leaves: dict[tuple[int, int], Leaf]) -> None:
        for subleaf in range(2, 11):
            leaf = leaves[0x12, subleaf]
            kind = self._random.choice((0, 1, 1, 1, 2))
            leaves[0x12, subleaf] = leaf._replace(eax=leaf.eax & ~0xF | kind)
