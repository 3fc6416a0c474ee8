"""`cpu.rdt`: what of Resource Director Technology the processor has.

NFD asks the leaves whatever the processor's highest one is (`rdt_linux_amd64.go#L53`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from app.compat.gotext import trimmed
from app.host.cpu.registers import Registers
from app.host.cpu.sysfs import integer
from app.host.tree import Tree

_RESCTRL: Final = "/sys/fs/resctrl"
_MOUNTS: Final = "/proc/self/mountinfo"
_MOUNT: Final = re.compile(
    r"^\S+ \S+ \S+ \S+ (/[^ \0]*) .*- resctrl ", re.MULTILINE | re.ASCII
)
"""Its fifth field is where it is mounted (proc(5))."""

_MONITORING: Final = 1 << 12
_ALLOCATION: Final = 1 << 15
"""Of leaf 7's ebx."""
_BANDWIDTH: Final = 0b110
"""Total and local, of leaf 15.1's edx."""
_ALLOCATIONS: Final = ((1 << 1, "RDTL3CA"), (1 << 2, "RDTL2CA"), (1 << 3, "RDTMBA"))
"""Bits of leaf 16's ebx."""


def of_registers(registers: Registers) -> tuple[str, ...]:
    """The names of what is there."""
    return (*_monitoring(registers), *_allocation(registers))


def _monitoring(registers: Registers) -> Iterator[str]:
    has_monitoring = registers.leaf(7).ebx & _MONITORING
    if not has_monitoring or not registers.leaf(0xF).edx & 0b10:
        return
    yield "RDTMON"
    events = registers.leaf(0xF, 1).edx
    if events & 0b001:
        yield "RDTCMT"
    if events & _BANDWIDTH == _BANDWIDTH:
        yield "RDTMBM"


def _allocation(registers: Registers) -> Iterator[str]:
    if registers.leaf(7).ebx & _ALLOCATION:
        kinds = registers.leaf(0x10).ebx
        yield from (name for bit, name in _ALLOCATIONS if kinds & bit)


def published(tree: Tree, names: tuple[str, ...]) -> dict[str, str]:
    """The feature: each name is `true`; and how many groups can divide the cache."""
    found = dict.fromkeys(names, "true")
    if "RDTL3CA" in found:
        groups = _groups(tree)
        if groups is not None and groups >= 0:
            found["RDTL3CA_NUM_CLOSID"] = str(groups)
    return found


def _groups(tree: Tree) -> int | None:
    """Without the default group; `None` if resctrl is not mounted."""
    mounted_at = _mounted_at(tree)
    text = mounted_at and tree.text(f"{mounted_at}/info/L3/num_closids")
    groups = integer(trimmed(text)) if text else None
    return None if groups is None else groups - 1


def _mounted_at(tree: Tree) -> str | None:
    if tree.exists(f"{_RESCTRL}/info"):
        return _RESCTRL
    # The kernel makes the folder wherever it could be mounted.
    if not tree.exists(_RESCTRL):
        return None
    found = _MOUNT.search(tree.text(_MOUNTS) or "")
    return found and found[1]
