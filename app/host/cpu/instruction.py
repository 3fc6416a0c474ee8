"""Asks the processor that we run on: executes CPUID and XGETBV.

Python cannot execute an instruction, so a few bytes of code, constants of this
module, are put into a page of memory of their own and called. The page is written
first and made executable afterwards, never both at once, and is given back when
`asking` ends. A system that allows no such page (SELinux' `execmem`, systemd's
`MemoryDenyWriteExecute`, a seccomp filter, no ctypes) refuses; then there are no
registers, and the kernel's flags have to do.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import sys
from collections.abc import Callable, Iterator
from typing import Final

from app.host.cpu import place
from app.host.cpu.registers import Leaf, Registers

MACHINE: Final = "x86_64"

# System V's calling convention: rdi, rsi, rdx are the arguments, rbx is the caller's.
CPUID_CODE: Final = bytes.fromhex(
    "f30f1efa"  # endbr64: a target of calls
    "53"  #       push rbx
    "4989d0"  #   mov r8, rdx
    "89f8"  #     mov eax, edi
    "89f1"  #     mov ecx, esi
    "0fa2"  #     cpuid
    "418900"  #   mov [r8], eax
    "41895804"  # mov [r8+4], ebx
    "41894808"  # mov [r8+8], ecx
    "4189500c"  # mov [r8+12], edx
    "5b"  #       pop rbx
    "c3"  #       ret
)
"""`void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t registers[4])`."""
XGETBV_CODE: Final = bytes.fromhex(
    "f30f1efa"  # endbr64
    "89f9"  #     mov ecx, edi
    "0f01d0"  #   xgetbv
    "8906"  #     mov [rsi], eax
    "895604"  #   mov [rsi+4], edx
    "c3"  #       ret
)
"""`void xgetbv(uint32_t index, uint32_t registers[2])`."""
_XGETBV_AT: Final = 64
_SHORT_MAX: Final = (1 << 32) - 1
"""`sys.maxsize` is below it where pointers have 32 bits."""


class InstructionRefusedError(Exception):
    """The instruction cannot be executed here; the message says why."""


class Instruction:
    """Implements `Registers`; only inside of `asking`."""

    def __init__(
        self,
        cpuid: Callable[[int, int], Leaf],
        xgetbv: Callable[[], int],
    ) -> None:
        self._cpuid = cpuid
        self._xgetbv = xgetbv
        self._leaves: dict[tuple[int, int], Leaf] = {}

    def leaf(self, number: int, subleaf: int = 0) -> Leaf:
        """What CPUID answers; each is asked once, for it may cost a hypervisor."""
        key = (number, subleaf)
        if key not in self._leaves:
            self._leaves[key] = self._cpuid(number, subleaf)
        return self._leaves[key]

    def extended_state(self) -> int:
        """The low half of XCR0."""
        return self._xgetbv()


@contextlib.contextmanager
def asking(machine: str | None = None) -> Iterator[Registers]:
    """The processor's registers, for as long as the block lasts.

    Args:
        machine: as `platform.machine()` calls it; by default what we run on.

    Raises:
        InstructionRefusedError: this is no process of x86-64, or the system does not
            let us.
    """
    if (machine or place.machine()) != MACHINE or sys.maxsize <= _SHORT_MAX:
        raise InstructionRefusedError("only x86-64 has the instruction")
    with _page() as page:
        yield page


@contextlib.contextmanager
def _page() -> Iterator[Instruction]:
    try:
        # Imported here: a command that asks no processor need not wait for it, and
        # where libffi may not have its own pages, the import fails.
        import ctypes  # noqa: PLC0415

        page = mmap.mmap(
            -1,
            mmap.PAGESIZE,
            flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS,
            prot=mmap.PROT_READ | mmap.PROT_WRITE,
        )
    except (ImportError, MemoryError, OSError) as error:
        raise InstructionRefusedError(str(error)) from error
    with page:
        page[: len(CPUID_CODE)] = CPUID_CODE
        page[_XGETBV_AT : _XGETBV_AT + len(XGETBV_CODE)] = XGETBV_CODE
        first = ctypes.c_char.from_buffer(page)
        try:
            address = ctypes.addressof(first)
            _make_executable(address)
            yield _callable(address)
        finally:
            # The page cannot be given back while something of Python's points to it.
            del first


def _make_executable(address: int) -> None:
    import ctypes  # noqa: PLC0415 - see _page

    protect = ctypes.CDLL(None, use_errno=True).mprotect
    protect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    protect.restype = ctypes.c_int
    if protect(address, mmap.PAGESIZE, mmap.PROT_READ | mmap.PROT_EXEC):
        raise InstructionRefusedError(os.strerror(ctypes.get_errno()))


def _callable(address: int) -> Instruction:
    import ctypes  # noqa: PLC0415 - see _page

    number = ctypes.c_uint32
    answers = (number * 4)()
    pointer = ctypes.POINTER(number)
    cpuid_at = ctypes.CFUNCTYPE(None, number, number, pointer)(address)
    xgetbv_at = ctypes.CFUNCTYPE(None, number, pointer)(address + _XGETBV_AT)

    def cpuid(leaf: int, subleaf: int) -> Leaf:
        cpuid_at(leaf, subleaf, answers)
        return Leaf(*answers)

    def xgetbv() -> int:
        xgetbv_at(0, answers)
        return answers[0]

    return Instruction(cpuid, xgetbv)
