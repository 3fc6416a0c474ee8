"""What the processor says of itself: four registers for each leaf and subleaf."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Leaf(NamedTuple):
    """What the instruction left in the registers, 32 bits each."""

    eax: int = 0
    ebx: int = 0
    ecx: int = 0
    edx: int = 0


class Registers(Protocol):
    """A processor that answers, or a table of its answers."""

    def leaf(self, number: int, subleaf: int = 0) -> Leaf:
        """What CPUID answers; zeros for what a table does not hold."""
        ...

    def extended_state(self) -> int:
        """The low half of XCR0: which registers the system keeps for programs.

        Only for a processor that has OSXSAVE: others do not know the instruction.
        """
        ...


def text(*values: int) -> str:
    """The characters in some registers, up to the first zero; a byte is a character."""
    content = b"".join(value.to_bytes(4, "little") for value in values)
    return content.partition(b"\0")[0].decode("latin-1")
