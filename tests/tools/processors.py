"""Processors that are tables, and hosts that are a few files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from app.host.cpu.registers import Leaf
from app.host.tree import Tree

RECORDED: Final = Path(__file__).parents[1] / "unit" / "host" / "cpu"
"""What processors answered, and what NFD v0.19.0 published of them on that very one:

* `recorded-amd64.json`: registers (leaf.subleaf, hexadecimal -> eax ebx ecx edx; those
  that are all zero are left out), XCR0, flags, attributes and model.
* `recorded-arm64.json`: AT_HWCAP, AT_HWCAP2 and MIDR_EL1, flags and model.

Those under QEMU are what its emulator for one process (`qemu-x86_64`, `qemu-aarch64`,
7.2) shows of a processor by that name.
"""

FULL_STATE: Final = 0xE7
"""XCR0 of a system that keeps the registers of AVX-512."""


@dataclass(frozen=True)
class Table:
    """Implements `Registers`.

    Attributes:
        leaves: (leaf, subleaf) -> registers.
        state: XCR0.
    """

    leaves: Mapping[tuple[int, int], Leaf] = field(default_factory=dict)
    state: int = FULL_STATE

    def leaf(self, number: int, subleaf: int = 0) -> Leaf:
        return self.leaves.get((number, subleaf), Leaf())

    def extended_state(self) -> int:
        return self.state


def named(name: str) -> tuple[int, int, int]:
    """Twelve characters in three registers."""
    content = name.encode("latin-1").ljust(12, b"\0")
    first, second, third = (content[at : at + 4] for at in (0, 4, 8))
    return (
        int.from_bytes(first, "little"),
        int.from_bytes(second, "little"),
        int.from_bytes(third, "little"),
    )


def processor(
    vendor: str = "GenuineIntel",
    *,
    highest: int = 0x24,
    extended: int = 0x80000028,
    signature: int = 0x000A06A0,
    state: int = FULL_STATE,
    leaves: Mapping[tuple[int, int], Leaf] | None = None,
) -> Table:
    """A processor of some vendor that answers these leaves, and no bit beside them."""
    one, two, three = named(vendor)
    given = leaves or {}
    first = given.get((1, 0), Leaf())._replace(eax=signature)
    return Table(
        {
            **given,
            (0, 0): Leaf(highest, one, three, two),
            (1, 0): first,
            (0x80000000, 0): Leaf(extended),
        },
        state,
    )


def tree_of(folder: Path, files: Mapping[str, str | bytes]) -> Tree:
    """A host with these files (path -> content) and no others."""
    for path, content in files.items():
        place = folder / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    return Tree(folder)


def recorded(machine: str) -> list[dict[str, Any]]:
    """What is recorded of `amd64` or `arm64`."""
    content = (RECORDED / f"recorded-{machine}.json").read_text()
    found: list[dict[str, Any]] = json.loads(content)
    return found


def table_of(recording: Mapping[str, Any]) -> Table:
    """The processor of a recording for amd64."""
    leaves = {}
    for key, words in recording["registers"].items():
        leaf, subleaf = (int(number, 16) for number in key.split("."))
        leaves[leaf, subleaf] = Leaf(*(int(word, 16) for word in words.split()))
    return Table(leaves, recording["xcr0"])


def cpuinfo_of(
    flags: str,
    *,
    vendor: str = "GenuineIntel",
    family: str = "6",
    model: str = "143",
) -> dict[str, str]:
    """Fields of `/proc/cpuinfo` on x86-64."""
    return {
        "vendor_id": vendor,
        "cpu family": family,
        "model": model,
        "flags": flags,
    }
