"""Where the instruction cannot be executed; that it can be is integration's."""

import mmap
import platform
import sys
from typing import Any

import pytest

from app.host import cpu
from app.host.cpu.instruction import Instruction, InstructionRefusedError, asking
from app.host.cpu.registers import Leaf
from app.host.tree import Tree


def test_another_machine_has_no_such_instruction() -> None:
    with (
        pytest.raises(InstructionRefusedError, match="only x86-64"),
        asking("aarch64"),
    ):
        pass


def test_python_may_be_without_ctypes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ctypes", None)
    with pytest.raises(InstructionRefusedError, match="ctypes"), asking("x86_64"):
        pass


def test_there_may_be_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> mmap.mmap:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(mmap, "mmap", refuse)
    with (
        pytest.raises(InstructionRefusedError, match="not permitted"),
        asking("x86_64"),
    ):
        pass


def test_a_leaf_is_asked_once() -> None:
    asked = []

    def answer(leaf: int, subleaf: int) -> Leaf:
        asked.append((leaf, subleaf))
        return Leaf(leaf, subleaf)

    registers = Instruction(answer, lambda: 7)
    assert Leaf(7, 1) == registers.leaf(7, 1)
    assert Leaf(7, 1) == registers.leaf(7, 1)
    assert Leaf(7, 0) == registers.leaf(7)
    assert [(7, 1), (7, 0)] == asked
    assert 7 == registers.extended_state()


def test_the_kernels_flags_do_where_the_instruction_cannot_be_executed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setitem(sys.modules, "ctypes", None)
    tree = Tree()
    cpu.discover(tree, machine="x86_64")
    assert cpu.INSTRUCTION in [one.path for one in tree.unread]


def test_a_process_of_32_bits_does_not_execute_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It runs on such a processor, in a mode in which the code means another thing."""
    monkeypatch.setattr("sys.maxsize", (1 << 31) - 1)
    with pytest.raises(InstructionRefusedError, match="only x86-64"), asking("x86_64"):
        pass
