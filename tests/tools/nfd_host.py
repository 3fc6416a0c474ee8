"""The real `nfd export features` on files that are not this machine's.

The client runs in a root of its own: every path that it reads, with a prefix or
without one, is the tree's. It sees this machine's processor all the same.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.tools import needed

_PROGRAM: Final = ".nfd"
_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Exported:
    """What the client said.

    Attributes:
        status: its exit status.
        text: its standard output, lone surrogates for what is no UTF-8.
        log: its standard error.
    """

    status: int
    text: str
    log: str


def exported(root: Path, *, node_name: str | None = None) -> Exported:
    """Runs it with `root` as its root; skips the test where it cannot be had.

    Args:
        root: the tree; it is given the program, as a hidden file.
        node_name: what `NODE_NAME` holds.
    """
    (program,) = needed.programs("nfd-static")
    _place(program, root / _PROGRAM)
    done = subprocess.run(
        [*_change_root(), str(root), f"/{_PROGRAM}", "export", "features"],
        env={} if node_name is None else {"NODE_NAME": node_name},
        capture_output=True,
        check=False,
        timeout=_SECONDS,
    )
    log = done.stderr.decode(errors="replace")
    if "chroot:" in log or "unshare:" in log:
        pytest.skip(f"no root of one's own here: {log.strip()}")
    output = done.stdout.decode("utf-8", "surrogateescape")
    return Exported(done.returncode, output, log)


def on_this_machine() -> Exported:
    """Runs the client that authors have on the files of this machine."""
    (program,) = needed.programs("nfd")
    done = subprocess.run(
        [str(program), "export", "features"],
        capture_output=True,
        check=False,
        timeout=_SECONDS,
    )
    log = done.stderr.decode(errors="replace")
    return Exported(
        done.returncode, done.stdout.decode("utf-8", "surrogateescape"), log
    )


def _change_root() -> list[str]:
    chroot = shutil.which("chroot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    command = [chroot or "chroot"]
    return command if os.geteuid() == 0 else ["unshare", "--map-root-user", *command]


def _place(program: Path, target: Path) -> None:
    if target.exists():
        return
    try:
        os.link(program, target)
    except OSError:  # another file system
        shutil.copy(program, target)
