"""Runs a program as a container would: no rights, nothing to write, no host.

    mounts = checkout_mounts() | {"/etc/imagecompat": folder}
    with run(["imagecompat", "serve", "--config", "/etc/imagecompat/settings.yaml"],
             env=path_of_checkout(), mounts=mounts) as server:
        ...                      # probe it on 127.0.0.1 or the machine's address
        server.terminate()       # SIGTERM, as the kubelet sends it
        assert 0 == server.wait(20)

What the program meets:

- user and group 65532, no other group, no capability in any set, no new privileges;
- a root file system that is read-only and holds only what was mounted (`mounts`:
  path inside -> folder or file of the host, all of it read-only, changes on the
  host are seen at once), the system's shared libraries, the files of /etc that name
  look-ups need, /dev/null and its like, /proc, and a private, writable /tmp;
- no shell, no other program, and no environment but `env`;
- it is process 1 of its own PID namespace: a signal that it does not handle does
  nothing, SIGKILL ends it and all its children;
- the machine's own network, loopback included: ports are the machine's.

What a kubelet does on top and this does not: seccomp, cgroups (memory and CPU
limits), a network of its own, probes, restarts.

Works as root (the user is switched for real; mounted files must then be readable
for user 65532, which `run` checks) and as any user who may make user namespaces.
Where neither works, `why_not()` says so, in words for `pytest.skip`. Needs Linux
5.12 or newer and `unshare` of util-linux 2.38 or newer.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self

USER: Final = 65532
"""Of the image and of the chart: distroless calls it nonroot."""
ROOT: Final = Path(__file__).resolve().parents[2]

_INIT: Final = Path(__file__).with_name("sandbox_init.py")
_POLL_SECONDS: Final = 0.02
_LIBRARIES: Final = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
_ETC: Final = (
    "/etc/hosts",
    "/etc/ld.so.cache",
    "/etc/nsswitch.conf",
    "/etc/resolv.conf",
    "/etc/ssl/certs",
)
_FILES: Final = {
    "/etc/passwd": f"nonroot:x:{USER}:{USER}:nonroot:/home/nonroot:/sbin/nologin\n",
    "/etc/group": f"nonroot:x:{USER}:\n",
}
_SHARED: Final = ("/usr", "/usr/local")
"""Prefixes that hold programs besides Python's own."""


class SandboxError(Exception):
    """The sandbox cannot be had; the message says why."""


class Sandboxed:
    """A program in the sandbox."""

    def __init__(self, process: subprocess.Popen[bytes], root: Path, log: Path) -> None:
        self._process: Final = process
        self._root: Final = root
        self._log: Final = log
        atexit.register(self.kill)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        """The program's process, as the host numbers it.

        Raises:
            ProcessLookupError: it has ended.
        """
        children = f"/proc/{self._process.pid}/task/{self._process.pid}/children"
        ends = time.monotonic() + 20
        while self._process.poll() is None and time.monotonic() < ends:
            with contextlib.suppress(OSError):
                if found := Path(children).read_text().split():
                    return int(found[0])
            time.sleep(_POLL_SECONDS)
        raise ProcessLookupError(f"the program has ended:\n{self.output()}")

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Sends it a signal; as process 1 it ignores those it does not handle."""
        os.kill(self.pid, number)

    def terminate(self) -> None:
        """Asks it to end, as the kubelet does."""
        self.send(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it at once, with its children. Does nothing if it has ended."""
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            self.send(signal.SIGKILL)
            self._process.wait(20)
        self._process.kill()
        self._process.wait()
        self._forget()

    def wait(self, seconds: float) -> int:
        """Its exit status, negative for a signal.

        Raises:
            subprocess.TimeoutExpired: it has not ended after so many seconds.
        """
        status = self._process.wait(seconds)
        self._forget()
        return status

    def output(self) -> str:
        """What it has written so far, stdout and stderr together."""
        return self._log.read_text(errors="replace")

    def _forget(self) -> None:
        atexit.unregister(self.kill)
        with contextlib.suppress(OSError):
            self._root.rmdir()


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    mounts: Mapping[str, Path],
    writable: Mapping[str, Path] | None = None,
    links: Mapping[str, str] | None = None,
    uid: int = USER,
    folder: str = "/",
    log: Path | None = None,
    tmp_mebibytes: int = 64,
) -> Sandboxed:
    """Starts a program and returns at once.

    Args:
        command: the program and its arguments; found by `PATH` of `env`.
        env: its whole environment.
        mounts: path inside -> folder or file of the host, read-only.
        writable: the same, for what the program may change.
        links: path inside -> what a symbolic link there points to.
        uid: its user and its group.
        folder: its working directory, a path inside.
        log: where its output goes; a temporary file by default.
        tmp_mebibytes: the size of /tmp.

    Raises:
        SandboxError: a mount is missing, or unreadable for the user.
    """
    is_root = os.geteuid() == 0
    writable = writable or {}
    for target, source in (*mounts.items(), *writable.items()):
        _mountable(target, source, uid if is_root else None)
    root = Path(tempfile.mkdtemp(prefix="sandbox-"))
    plan = {
        "root": str(root),
        **_tree(mounts, writable, links or {}),
        "tmp_mebibytes": tmp_mebibytes,
        "user": uid,
        "switch": is_root,
        "folder": folder,
        "command": list(command),
        "environment": dict(env),
    }
    log = log or _temporary_log()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_unshare(uid, is_root=is_root), json.dumps(plan)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={},
        )
    return Sandboxed(process, root, log)


def _tree(
    mounts: Mapping[str, Path], writable: Mapping[str, Path], links: Mapping[str, str]
) -> dict[str, object]:
    """What stands where, for the program that sets it up."""
    return {
        "mounts": {path: str(mounts[path].resolve()) for path in mounts}
        | {path: path for path in _ETC if Path(path).exists()}
        | _library_mounts(),
        "writable": {path: str(writable[path].resolve()) for path in writable},
        "links": _library_links() | dict(links),
        "files": {path: text for path, text in _FILES.items() if path not in mounts},
    }


def _temporary_log() -> Path:
    """A file that is gone when the tests end."""
    handle, name = tempfile.mkstemp(prefix="sandbox-", suffix=".log")
    os.close(handle)
    log = Path(name)
    atexit.register(log.unlink, missing_ok=True)
    return log


def _unshare(uid: int, *, is_root: bool) -> list[str]:
    program = shutil.which("unshare") or "unshare"
    namespaces = ["--mount", "--pid", "--ipc"]
    if not is_root:
        namespaces += ["--user", f"--map-user={uid}", f"--map-group={uid}"]
        namespaces.append("--keep-caps")
    return [program, *namespaces, "--", sys.executable, "-I", "-S", str(_INIT)]


def _mountable(target: str, source: Path, uid: int | None) -> None:
    """Raises `SandboxError` for what would only look like a fault of the program."""
    try:
        found = source.stat()
    except OSError as error:
        raise SandboxError(f"{target}: {error.strerror}: {source}") from error
    if uid is None or found.st_uid == uid:
        return
    wanted = 0o005 if stat.S_ISDIR(found.st_mode) else 0o004
    if found.st_mode & wanted != wanted:
        mode = stat.filemode(found.st_mode)
        raise SandboxError(f"{target}: {source} is {mode}: unreadable for user {uid}")


def _library_mounts() -> dict[str, str]:
    """Of a merged /usr the links stay links; see `_library_links`."""
    folders = [path for path in _LIBRARIES if Path(path).is_dir()]
    return {path: path for path in folders if not Path(path).is_symlink()}


def _library_links() -> dict[str, str]:
    links = [path for path in _LIBRARIES if Path(path).is_symlink()]
    return {path: str(Path(path).readlink()) for path in links}


def python_mounts(python: Path) -> dict[str, Path]:
    """The mounts for an interpreter: its file, its links and its standard library.

    Args:
        python: `bin/python` of an installation or of a virtual environment, whose
            own folder must be mounted besides.
    """
    mounts: dict[str, Path] = {}
    step = python.absolute()
    while step.is_symlink():
        step = Path(os.path.normpath(step.parent / step.readlink()))
        mounts[str(step)] = step.resolve()
    prefix = step.parent.parent
    if str(prefix) not in _SHARED:
        # Mounting the whole prefix's `lib` is enough: `bin` has pip and others.
        mounts[str(prefix / "lib")] = prefix / "lib"
    return mounts


def checkout_mounts() -> dict[str, Path]:
    """The mounts that run this checkout's `imagecompat` with the suite's Python."""
    venv = Path(sys.prefix)
    own = {str(venv): venv, str(ROOT / "app"): ROOT / "app"}
    return own | python_mounts(venv / "bin" / "python")


def path_of_checkout() -> dict[str, str]:
    """The environment in which `imagecompat` is the checkout's."""
    return {"PATH": str(Path(sys.prefix) / "bin"), "PYTHONDONTWRITEBYTECODE": "1"}


@functools.cache
def why_not() -> str | None:
    """Why there is no sandbox on this machine; `None` if there is one."""
    if sys.platform != "linux":
        return f"the sandbox needs Linux, this is {sys.platform}"
    if shutil.which("unshare") is None:
        return "the sandbox needs the program unshare (util-linux)"
    python = Path(sys.executable)
    venv = {str(sys.prefix): Path(sys.prefix)}
    mounts = venv | python_mounts(python)
    command = [str(python), "-I", "-S", "-c", "pass"]
    with run(command, env={}, mounts=mounts) as probe:
        try:
            status = probe.wait(30)
        except subprocess.TimeoutExpired:
            return "the sandbox does not start within 30 s"
        said = probe.output().strip().replace("\n", "; ")
    return f"no sandbox here: {said or f'status {status}'}" if status else None
