"""Runs the operator's programs that give credentials.

Helpers of Docker and plugins of the kubelet are programs of others, which may hang,
talk without end or fail:

1. A program is run from one folder, by a name that is no path. No shell, no search
   along `PATH`.
2. It gets an environment of its own: three fixed variables, of ours only those that
   SDKs of clouds read (`PASSED`), and what its configuration adds.
3. It has a time and a number of bytes to answer. Then it is killed, with its process
   group; what it leaves behind there is killed, too.
4. So many run at the same time; the others wait for their turn.

What goes wrong is a value. What a program writes to standard error is dropped: it
may hold a secret.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol, TypeAlias

PASSED: Final = ("AWS_", "AZURE_", "GOOGLE_")
"""Beginnings of the variables of ours that programs get: those by which web identity
tokens, regions and metadata services of clouds are found."""

FIXED: Final[Mapping[str, str]] = {
    "HOME": "/nonexistent",
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
}

MAX_PROGRAMS: Final = 4
"""At the same time."""

MAX_INPUT_BYTES: Final = 4096
"""As much as any pipe takes at once; more than the longest reference needs."""

_NAME: Final = re.compile(r"[a-zA-Z0-9._-]{1,255}")
_CHUNK_BYTES: Final = 64 << 10
_REAPING_SECONDS: Final = 1.0
_PAUSES_SECONDS: Final = (0.001, 0.05)


class Failure(StrEnum):
    """Why a program gave no answer."""

    NOT_STARTED = "not_started"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"


@dataclass(frozen=True, slots=True)
class Output:
    """What a program answered.

    Attributes:
        status: its exit status; negative for a signal.
        content: of standard output.
    """

    status: int
    content: bytes = field(repr=False)


Ran: TypeAlias = Output | Failure


class Observer(Protocol):
    """Is told how programs fare."""

    def program(self, kind: str, name: str, outcome: str, *, seconds: float) -> None:
        """One run.

        Args:
            kind: `helper` or `plugin`.
            name: as the operator's files have it.
            outcome: `given`, `nothing` (it has none), `failed` (its exit status says
                so), `invalid` (its answer is none), or a `Failure`.
            seconds: from its start to its end.
        """
        ...


class Unobserved:
    """Tells nobody."""

    def program(self, kind: str, name: str, outcome: str, *, seconds: float) -> None:
        """See `Observer`."""


def is_name(text: str) -> bool:
    """Whether a program may be called so: one part of a path, and no way up."""
    return _NAME.fullmatch(text) is not None and text not in {".", ".."}


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What every program gets (2).

    Args:
        ours: the environment of this process.
    """
    passed = {key: value for key, value in ours.items() if key.startswith(PASSED)}
    return {**passed, **FIXED}


class Runner(Protocol):
    """Runs programs of one folder; `Programs` does, and tests put others in place.

    Attributes:
        turns: to be held by who runs one.
    """

    @property
    def turns(self) -> asyncio.Semaphore:
        """See `Programs`."""
        ...

    async def run(
        self,
        name: str,
        arguments: Sequence[str],
        content: bytes,
        *,
        more: Mapping[str, str] | None = None,
    ) -> Ran:
        """See `Programs.run`."""
        ...


class Programs:
    """The programs of one folder; implements `Runner`.

    Args:
        folder: absolute.
        environment: of each program.
        seconds: that a program may take.
        most_bytes: that it may write to standard output.
        turns: shared by all folders of a process, if there are several.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        seconds: float,
        most_bytes: int,
        turns: asyncio.Semaphore | None = None,
    ) -> None:
        if not folder.is_absolute():
            raise ValueError("expected an absolute folder")
        self._folder: Final = folder
        self._environment: Final = environment
        self._seconds: Final = seconds
        self._most: Final = most_bytes
        self._turns: Final = turns or asyncio.Semaphore(MAX_PROGRAMS)

    @property
    def turns(self) -> asyncio.Semaphore:
        """So many run at the same time (4)."""
        return self._turns

    async def run(
        self,
        name: str,
        arguments: Sequence[str],
        content: bytes,
        *,
        more: Mapping[str, str] | None = None,
    ) -> Ran:
        """Runs a program to its end; the caller holds one of `turns`.

        Args:
            name: of the program, in the folder.
            arguments: behind its name.
            content: for its standard input.
            more: variables besides those of all programs; they win.
        """
        if not is_name(name) or len(content) > MAX_INPUT_BYTES:
            return Failure.NOT_STARTED
        command = [str(self._folder / name), *arguments]
        try:
            reading, writing = os.pipe()
        except OSError:  # no file descriptor is left
            return Failure.NOT_STARTED
        try:
            process = _start(
                command, content, writing, {**self._environment, **(more or {})}
            )
            if process is None:
                return Failure.NOT_STARTED
            return await self._answer(process, reading)
        finally:
            os.close(reading)

    async def _answer(self, process: subprocess.Popen[bytes], reading: int) -> Ran:
        try:
            async with asyncio.timeout(self._seconds):
                content = await _read(reading, self._most)
                if content is None:
                    return Failure.TOO_LARGE
                return Output(await _exit(process), content)
        except TimeoutError:
            return Failure.TIMEOUT
        finally:
            await _end(process)


def _start(
    command: Sequence[str], content: bytes, writing: int, env: Mapping[str, str]
) -> subprocess.Popen[bytes] | None:
    """Starts a program in a session of its own; closes `writing` on our side.

    Not by the loop: uvloop leaves files open in it that may be inherited.
    """
    try:
        given = _filled(content)
        try:
            return subprocess.Popen(  # noqa: S603 - the operator's own programs
                command,
                stdin=given,
                stdout=writing,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=env,
                start_new_session=True,
            )
        finally:
            os.close(given)
    except (OSError, ValueError):  # not there, not executable; a NUL in an argument
        return None
    finally:
        os.close(writing)


def _filled(content: bytes) -> int:
    """The reading end of a pipe that holds so much and no more."""
    reading, writing = os.pipe()
    try:
        os.write(writing, content)
    finally:
        os.close(writing)
    return reading


async def _exit(process: subprocess.Popen[bytes]) -> int:
    """The exit status, once there is one: mostly as soon as nothing more is said."""
    pause = _PAUSES_SECONDS[0]
    while (status := process.poll()) is None:
        await asyncio.sleep(pause)
        pause = min(2 * pause, _PAUSES_SECONDS[1])
    return status


async def _end(process: subprocess.Popen[bytes]) -> None:
    """Kills a program and what it left behind, and waits until it is gone."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(TimeoutError):
        async with asyncio.timeout(_REAPING_SECONDS):
            await _exit(process)


async def _read(end: int, most: int) -> bytes | None:
    """All that comes through a pipe; `None` if it is more than `most`."""
    loop = asyncio.get_running_loop()
    found = bytearray()
    is_whole: asyncio.Future[bool] = loop.create_future()
    os.set_blocking(end, False)

    def _take() -> None:
        chunk = os.read(end, _CHUNK_BYTES)
        found.extend(chunk)
        if not chunk or len(found) > most:
            loop.remove_reader(end)
            is_whole.set_result(not chunk)

    loop.add_reader(end, _take)
    try:
        return bytes(found) if await is_whole else None
    finally:
        loop.remove_reader(end)
