"""What the kernel says of processors under `/sys`: threads, sockets, idle, frequency.

Each function is one feature of NFD's source `cpu`; errors that NFD logs and passes
over leave out here what they leave out there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from app.compat.gotext import trimmed
from app.host.tree import Tree

PROCESSORS: Final = "/sys/bus/cpu/devices"
_SYSTEM: Final = "/sys/devices/system/cpu"
_IDLE: Final = f"{_SYSTEM}/cpuidle"
_PSTATE: Final = f"{_SYSTEM}/intel_pstate"
_FREQUENCY: Final = f"{_SYSTEM}/cpufreq"
_MAX_CSTATE: Final = "/sys/module/intel_idle/parameters/max_cstate"

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,64}\Z", re.ASCII)
_LARGEST: Final = (1 << 63) - 1


def integer(text: str) -> int | None:
    """What Go's `strconv.Atoi` reads; `None` for what it refuses."""
    if not _INTEGER.match(text):
        return None
    value = int(text)
    return value if -_LARGEST - 1 <= value <= _LARGEST else None


def topology(tree: Tree) -> dict[str, str]:
    """`cpu.topology`; empty as soon as one processor does not tell (`cpu.go#L397`)."""
    names = tree.names(PROCESSORS)
    if not names and not tree.exists(PROCESSORS):
        return {}
    has_siblings = False
    sockets: set[str] = set()
    for name in names:
        siblings = tree.text(f"{PROCESSORS}/{name}/topology/thread_siblings_list")
        if siblings is None:
            return {}
        socket = tree.text(f"{PROCESSORS}/{name}/topology/physical_package_id")
        if socket is None:
            return {}
        has_siblings |= "," in siblings or "-" in siblings
        sockets.add(trimmed(socket))
    return {
        "hardware_multithreading": "true" if has_siblings else "false",
        "socket_count": str(len(sockets)),
    }


def cstate(tree: Tree) -> dict[str, str] | None:
    """`cpu.cstate`; `None` if NFD does not publish it at all."""
    if not tree.exists(_SYSTEM):
        return None
    if not tree.exists(_IDLE):
        return {}
    driver = tree.text(f"{_IDLE}/current_driver")
    if driver is None:
        return None
    if trimmed(driver) != "intel_idle":
        return {}
    states = integer(trimmed(tree.text(_MAX_CSTATE) or ""))
    return None if states is None else {"enabled": "true" if states > 0 else "false"}


def pstate(tree: Tree) -> dict[str, str]:
    """`cpu.pstate`; empty without Intel's driver."""
    if not tree.exists(_PSTATE):
        return {}
    text = tree.text(f"{_PSTATE}/status")
    if text is None or trimmed(text) == "off":
        return {}
    found = {"status": trimmed(text)}
    no_turbo = tree.text(f"{_PSTATE}/no_turbo")
    if no_turbo:
        found["turbo"] = "true" if no_turbo.startswith("0") else "false"
    if found["status"] != "active":
        return found
    governor = ""
    for name in _governors(tree):
        if governor not in ("", name):
            return found
        governor = name
    if governor:
        found["scaling_governor"] = governor
    return found


def _governors(tree: Tree) -> Iterator[str]:
    """The governor of each policy that has processors."""
    for policy in tree.names(_FREQUENCY):
        processors = tree.text(f"{_FREQUENCY}/{policy}/affected_cpus")
        if processors is None or not trimmed(processors):
            continue
        governor = tree.text(f"{_FREQUENCY}/{policy}/scaling_governor")
        if governor is not None:
            yield trimmed(governor)


def sst(tree: Tree, nominal_mhz: int) -> dict[str, str]:
    """`cpu.sst`: whether the base frequency of a processor is above the nominal one.

    Args:
        tree: the host.
        nominal_mhz: what the processor says of itself; 0 if it does not.
    """
    for frequency in base_frequencies(tree):
        if frequency is None or not nominal_mhz:
            return {}
        if frequency // 1000 > nominal_mhz:
            return {"bf.enabled": "true"}
    return {}


def base_frequencies(tree: Tree) -> Iterator[int | None]:
    """Of each processor that has one, in kHz; `None` for one that cannot be read."""
    for name in tree.names(PROCESSORS):
        path = f"{PROCESSORS}/{name}/cpufreq/base_frequency"
        text = tree.text(path)
        if text is not None:
            yield integer(trimmed(text))
        elif tree.exists(path):
            yield None
