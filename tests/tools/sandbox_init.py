"""The inside of `sandbox.py`: makes the root file system, drops rights, runs.

Run by `unshare` as `python -I -S sandbox_init.py PLAN`, where PLAN is JSON, so it
imports nothing of the project. It forks the first process of a PID namespace, which
becomes the command: process 1, as in a container. The other one waits for it and
ends as it did (unshare of util-linux 2.38 does not: a signal becomes status 1 or 0).

1. A tmpfs is the new root. Everything in it is made or mounted from the host.
2. Mounts from the host are read-only, and so is the tmpfs; /tmp is writable.
3. The host's root is gone.
4. Rights go: capabilities (all five sets), groups, user, new privileges.
5. The command starts, with its environment and no other.

Status 125: one of 1 to 4 failed. 127: the command could not be started.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import signal
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

FAILED: Final = 125
NOT_STARTED: Final = 127

_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND, _MS_REC = 2, 4, 8, 4096, 16384
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 1, 2, 4
_READ_ONLY: Final = _ATTR_RDONLY | _ATTR_NODEV
_AT_FDCWD, _AT_RECURSIVE, _MNT_DETACH = -100, 0x8000, 2
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP = 1, 24
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 38, 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522
_SYS_MOUNT_SETATTR: Final = 442
_SYS_PIVOT_ROOT: Final = {"x86_64": 155, "aarch64": 41}
"""By machine; glibc has no function for it."""

_DEVICES: Final = ("null", "zero", "full", "random", "urandom")

_libc: Final = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(
    source: str, target: str, kind: str = "", flags: int = 0, data: str = ""
) -> None:
    result = _libc.mount(
        source.encode(),
        target.encode(),
        kind.encode() or None,
        ctypes.c_ulong(flags),
        data.encode() or None,
    )
    _check(result, f"mount {source} on {target}")


def _limit(path: Path, attributes: int, *, recursive: bool) -> None:
    """Needs Linux 5.12; unlike a remount it reaches the mounts below."""
    change = struct.pack("QQQQ", attributes | _ATTR_NOSUID, 0, 0, 0)
    result = _libc.syscall(
        ctypes.c_long(_SYS_MOUNT_SETATTR),
        ctypes.c_int(_AT_FDCWD),
        str(path).encode(),
        ctypes.c_uint(_AT_RECURSIVE if recursive else 0),
        change,
        ctypes.c_size_t(len(change)),
    )
    _check(result, f"limit {path}")


def _place(target: Path, *, is_folder: bool) -> None:
    """Makes what something can be mounted on."""
    folder = target if is_folder else target.parent
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    if not is_folder and not target.exists():
        target.touch(mode=0o644)


def _bind(source: Path, target: Path, *, attributes: int) -> None:
    _place(target, is_folder=source.is_dir())
    _mount(str(source), str(target), flags=_MS_BIND | _MS_REC)
    _limit(target, attributes, recursive=True)


def _build(root: Path, plan: Mapping[str, Any]) -> None:
    """Steps 1 and 2."""

    def inside(path: str) -> Path:
        return root / path.lstrip("/")

    _mount("tmpfs", str(root), "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=0755,size=16m")
    for link, target in plan["links"].items():
        _place(inside(link).parent, is_folder=True)
        inside(link).symlink_to(target)
    for path, text in plan["files"].items():
        _place(inside(path), is_folder=False)
        inside(path).write_text(text, encoding="utf-8")
    for folder, kind, flags, data in (
        ("/proc", "proc", _MS_NOEXEC, ""),
        ("/tmp", "tmpfs", 0, f"mode=1777,size={plan['tmp_mebibytes']}m"),
    ):
        _place(inside(folder), is_folder=True)
        _mount(kind, str(inside(folder)), kind, flags | _MS_NOSUID | _MS_NODEV, data)
    # Outer folders first, so that they do not hide the inner ones.
    sources = plan["mounts"] | plan["writable"]
    for target in sorted(sources):
        attributes = _ATTR_NODEV if target in plan["writable"] else _READ_ONLY
        _bind(Path(sources[target]), inside(target), attributes=attributes)
    for device in _DEVICES:
        _bind(Path("/dev", device), inside(f"/dev/{device}"), attributes=0)
    _limit(root, _READ_ONLY, recursive=False)


def _enter(root: str) -> None:
    """Step 3."""
    number = _SYS_PIVOT_ROOT[platform.machine()]
    os.chdir(root)
    _check(_libc.syscall(ctypes.c_long(number), b".", b"."), "pivot_root")
    _check(_libc.umount2(b".", _MNT_DETACH), "unmount the host's root")


def _drop(user: int, *, switch: bool) -> None:
    """Step 4; `switch` is false where a user namespace gave the user already."""
    capability = 0
    while _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    _check(
        _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0),
        "clear the ambient capabilities",
    )
    if switch:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, bytes(24)), "drop the capabilities")
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "forbid new privileges")
    # Last, since a change of the user takes it back.
    _check(
        _libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0),
        "end with the parent",
    )


def _become(plan: Mapping[str, Any]) -> int:
    """Becomes the command; returns a status only if that failed."""
    os.umask(0o022)
    try:
        _build(Path(plan["root"]), plan)
        _enter(plan["root"])
        _drop(plan["user"], switch=plan["switch"])
        os.chdir(plan["folder"])
    except OSError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return FAILED
    try:
        os.execvpe(plan["command"][0], plan["command"], plan["environment"])
    except OSError as error:
        print(f"sandbox: {plan['command'][0]}: {error.strerror}", file=sys.stderr)
    return NOT_STARTED


def main(plan: Mapping[str, Any]) -> int:
    """The command's status; a signal that ended it ends this process too."""
    child = os.fork()
    if child == 0:
        return _become(plan)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        os.kill(os.getpid(), os.WTERMSIG(status))
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
