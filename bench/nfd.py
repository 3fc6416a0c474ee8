"""NFD's own evaluator on the same nodes, in a process beside (`tests/tools`)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal

import msgspec

from tests.tools.build import ToolError, find

Mode = Literal["full", "failfast", "validator"]
_PROGRAM: Final = "nfd-bench"


class _Loaded(msgspec.Struct):
    nodes: int
    bytes: int
    heap_bytes: int
    seconds: float


class _Answer(msgspec.Struct):
    seconds: float
    fits: int
    errors: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Nfd:
    """NFD with all nodes of a file decoded.

    Attributes:
        nodes: how many.
        heap_mb: what they take there.
    """

    nodes: int
    heap_mb: float
    _requests: IO[bytes]
    _answers: IO[bytes]

    def seconds(self, spec: bytes, fits: int, *, mode: Mode = "full") -> float:
        """What judging all nodes once takes.

        Args:
            spec: its text.
            fits: how many nodes fit as we say.
            mode: see the program.

        Raises:
            RuntimeError: NFD fails, or says otherwise: what was measured is not
                the same work.
        """
        said = self._ask(spec, mode)
        if said.error or said.fits != fits:
            raise RuntimeError(f"NFD: {said}; we say that {fits} nodes fit")
        return said.seconds

    def _ask(self, spec: bytes, mode: Mode) -> _Answer:
        asked = {"spec": spec.decode(), "mode": mode}
        self._requests.write(msgspec.json.encode(asked) + b"\n")
        self._requests.flush()
        return msgspec.json.decode(self._answers.readline(), type=_Answer)


@contextmanager
def running(path: Path) -> Iterator[Nfd]:
    """Runs until left.

    Args:
        path: NodeFeatures, a line of JSON each.

    Raises:
        ToolError: the program cannot be had.
    """
    command = [str(find(_PROGRAM)), str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        try:
            first = process.stdout.readline()
            if not first:
                raise ToolError(f"{_PROGRAM} ended with status {process.wait()}")
            loaded = msgspec.json.decode(first, type=_Loaded)
            heap_mb = loaded.heap_bytes / 1e6
            yield Nfd(loaded.nodes, heap_mb, process.stdin, process.stdout)
        finally:
            process.stdin.close()
            process.wait(30)
