"""A container's program on this machine: in the sandbox, or bare where there is none.

In the sandbox the container's paths are true. Bare, a path that stands in an
argument, a variable or a ConfigMap is replaced by the folder that is mounted there.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from tests.tools import sandbox
from tests.tools.servers import ApiServer
from tests.tools.volumes import ACCOUNT_PATH

PROGRAM: Final = "imagecompat"


class Program(Protocol):
    """What runs."""

    @property
    def pid(self) -> int:
        """Its process."""
        ...

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        ...

    def terminate(self) -> None:
        """Asks it to end."""
        ...

    def kill(self) -> None:
        """Ends it at once."""
        ...

    def wait(self, seconds: float) -> int:
        """Its exit status; raises `subprocess.TimeoutExpired`."""
        ...


class Bare:
    """A program without a sandbox."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str], folder: Path, log: Path
    ) -> None:
        with log.open("wb") as output:
            self._process: Final = subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                cwd=folder,
                env=dict(env),
            )

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def terminate(self) -> None:
        """SIGTERM."""
        self._process.terminate()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def wait(self, seconds: float) -> int:
        """Its exit status."""
        return self._process.wait(seconds)


class Sandboxes:
    """Programs with the paths of their container."""

    def __init__(self, mounts: Mapping[str, Path]) -> None:
        """Keeps the Pod's mounts, path inside -> folder of this machine."""
        self._mounts: Final = mounts

    def translated(self, text: str) -> str:
        """The text as it is."""
        return text

    def launch(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        *,
        server: ApiServer,
        folder: Path,
        log: Path,
    ) -> Program:
        """Starts it; /tmp is the only place to write."""
        del server, folder
        # Of an emptyDir at /tmp the sandbox's own takes the place.
        mounts = {at: path for at, path in self._mounts.items() if at != "/tmp"}
        return sandbox.run(
            command,
            env={**sandbox.path_of_checkout(), **env},
            mounts=sandbox.checkout_mounts() | mounts,
            log=log,
        )


class Folders:
    """Programs that are told this machine's paths instead."""

    def __init__(self, mounts: Mapping[str, Path]) -> None:
        """Keeps the Pod's mounts, path inside -> folder of this machine."""
        self._mounts: Final = mounts

    def translated(self, text: str) -> str:
        """The text with this machine's paths, each replaced once."""
        if not self._mounts:
            return text
        longest_first = sorted(self._mounts, key=len, reverse=True)
        paths = "|".join(map(re.escape, longest_first))
        whole = rf"(?<![\w./-])(?:{paths})(?![\w.-])"
        return re.sub(whole, lambda found: str(self._mounts[found[0]]), text)

    def launch(
        self,
        command: Sequence[str],
        env: Mapping[str, str],
        *,
        server: ApiServer,
        folder: Path,
        log: Path,
    ) -> Program:
        """Starts it with a kubeconfig in place of the account's fixed path."""
        told = {
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "PYTHONPATH": str(sandbox.ROOT),
            **{key: value for key, value in os.environ.items() if "COVERAGE" in key},
            **{key: self.translated(value) for key, value in env.items()},
        }
        if ACCOUNT_PATH in self._mounts:
            token = self._mounts[ACCOUNT_PATH] / "token"
            kubeconfig = str(_kubeconfig(server, folder, token))
            told["IMAGECOMPAT_CLUSTER__KUBECONFIG"] = kubeconfig
            told["KUBECONFIG"] = kubeconfig
        program, *rest = command
        start = [sys.executable, "-m", "app"] if program == PROGRAM else [program]
        return Bare([*start, *map(self.translated, rest)], told, folder, log)


Launcher = Sandboxes | Folders


def launcher(mounts: Mapping[str, Path]) -> Launcher:
    """What starts programs here."""
    return Folders(mounts) if sandbox.why_not() else Sandboxes(mounts)


def send(program: Program, number: signal.Signals) -> None:
    """Sends a signal."""
    os.kill(program.pid, number)


def _kubeconfig(server: ApiServer, folder: Path, token: Path) -> Path:
    path = server.write_kubeconfig(f"pod-{folder.name}", token="")
    content = json.loads(path.read_text())
    content["users"][0]["user"] = {"tokenFile": str(token)}
    path.write_text(json.dumps(content))
    return path
