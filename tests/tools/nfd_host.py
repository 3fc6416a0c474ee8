"""The real `nfd export features` on files that are not this machine's.

The client runs in a root of its own: every path that it reads, with a prefix or
without one, is the tree's. It sees this machine's processor all the same.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.tools import needed

_PROGRAM: Final = ".nfd"
_SECONDS: Final = 60.0
_BOUND: Final = (
    "setpriv",
    "--inh-caps=-all",
    "--bounding-set=-dac_override,-dac_read_search",
)
"""Root, to whom the rights of files apply as to everybody."""


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


def exported(
    root: Path, *, node_name: str | None = None, has_rights: bool = True
) -> Exported:
    """Runs it with `root` as its root; skips the test where it cannot be had.

    Args:
        root: the tree; it is given the program, as a hidden file.
        node_name: what `NODE_NAME` holds.
        has_rights: whether the rights of files bind it as little as they bind root.
    """
    (program,) = needed.programs("nfd-static")
    _place(program, root / _PROGRAM)
    done = subprocess.run(
        [
            *(() if os.geteuid() == 0 else ("unshare", "--map-root-user")),
            *(() if has_rights else _BOUND),
            *_chroot(),
            str(root),
            f"/{_PROGRAM}",
            *("export", "features"),
        ],
        env={} if node_name is None else {"NODE_NAME": node_name},
        capture_output=True,
        check=False,
        timeout=_SECONDS,
    )
    log = done.stderr.decode(errors="replace")
    if any(f"{name}:" in log for name in ("chroot", "unshare", "setpriv")):
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


def without_rights(root: Path) -> tuple[str, list[str]]:
    """What we export, and the paths that are listed, where the rights of files bind."""
    code = (
        "import sys, pathlib; from app.host import discovery, nfd_json;"
        "found = discovery.discover(pathlib.Path(sys.argv[1]));"
        "print(*(each.path for each in found.unread), sep='\\n', file=sys.stderr);"
        "print(nfd_json.text(found.as_read), end='')"
    )
    done = subprocess.run(
        [
            *(_BOUND if os.geteuid() == 0 else ()),
            *(sys.executable, "-c", code, str(root)),
        ],
        capture_output=True,
        check=True,
        text=True,
        timeout=_SECONDS,
    )
    return done.stdout, done.stderr.splitlines()


def _chroot() -> list[str]:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    return [shutil.which("chroot", path=path) or "chroot"]


def _place(program: Path, target: Path) -> None:
    if target.exists():
        return
    try:
        os.link(program, target)
    except OSError:  # another file system
        shutil.copy(program, target)
