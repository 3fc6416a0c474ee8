"""The sandbox keeps what its docstring promises; the other tests stand on it."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from tests.tools.sandbox import (
    USER,
    Sandboxed,
    SandboxError,
    checkout_mounts,
    path_of_checkout,
    run,
    why_not,
)

pytestmark = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")

PYTHON = str(Path(sys.prefix) / "bin" / "python")
SECONDS = 30.0


def python(program: str, mounts: dict[str, Path] | None = None) -> Sandboxed:
    return run(
        [PYTHON, "-I", "-S", "-c", program],
        env=path_of_checkout(),
        mounts=checkout_mounts() | (mounts or {}),
    )


def said(program: str, mounts: dict[str, Path] | None = None) -> object:
    with python(program, mounts) as sandboxed:
        assert 0 == sandboxed.wait(SECONDS), sandboxed.output()
        return json.loads(sandboxed.output())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that user 65532 may read."""
    made = tmp_path / "mounted"
    made.mkdir(mode=0o755)
    return made


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("Uid", [str(USER)] * 4),
        ("Gid", [str(USER)] * 4),
        ("CapInh", ["0" * 16]),
        ("CapPrm", ["0" * 16]),
        ("CapEff", ["0" * 16]),
        ("CapBnd", ["0" * 16]),
        ("CapAmb", ["0" * 16]),
        ("NoNewPrivs", ["1"]),
        ("Pid", ["1"]),
    ],
)
def test_the_program_has_no_rights(field: str, expected: list[str]) -> None:
    program = """
import json
lines = [line.split(":", 1) for line in open("/proc/self/status")]
print(json.dumps({key: value.split() for key, value in lines}))
"""
    status = said(program)
    assert isinstance(status, dict)
    assert expected == status[field]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/written", "EROFS"),
        ("/usr/lib/written", "EROFS"),
        ("/etc/written", "EROFS"),
        ("/etc/hosts", "EROFS"),
        ("/dev/written", "EROFS"),
        ("/mounted/written", "EROFS"),
        ("/proc/sys/vm/swappiness", "EACCES"),
        ("/tmp/written", None),
        ("/dev/null", None),
    ],
)
def test_only_tmp_can_be_written(folder: Path, path: str, expected: str | None) -> None:
    program = f"""
import errno, json
try:
    open({path!r}, "w").write("1")
    print("null")
except OSError as error:
    print(json.dumps(errno.errorcode[error.errno]))
"""
    assert expected == said(program, {"/mounted": folder})


def test_tmp_is_private() -> None:
    """What is mounted below it is there, and nothing of the host's."""
    mounted = {
        Path(path).parts[2] for path in checkout_mounts() if path.startswith("/tmp/")
    }
    assert sorted(mounted) == said(
        "import json, os; print(json.dumps(sorted(os.listdir('/tmp'))))"
    )


def test_there_is_no_shell_and_no_host() -> None:
    candidates = ["/bin", "/usr/bin/sh", "/usr/bin/env", "/usr/sbin", "/sbin", "/home"]
    program = f"""
import json, os
print(json.dumps([path for path in {candidates!r} if os.path.exists(path)]))
"""
    assert [] == said(program)


def test_the_environment_is_what_was_given_and_no_more() -> None:
    # Python itself sets LC_CTYPE where no locale is set (PEP 538).
    program = """
import json, os
print(json.dumps({key: os.environ[key] for key in os.environ if key != "LC_CTYPE"}))
"""
    assert path_of_checkout() == said(program)


def test_a_change_on_the_host_is_seen_inside(folder: Path) -> None:
    program = """
import os, time
open("/tmp/started", "w").close()
while not os.path.exists("/mounted/new"):
    time.sleep(0.01)
print(open("/mounted/new").read())
"""
    with python(program, {"/mounted": folder}) as sandboxed:
        assert sandboxed.pid > 1
        (folder / "unfinished").write_text("7")
        (folder / "unfinished").rename(folder / "new")
        assert 0 == sandboxed.wait(SECONDS), sandboxed.output()
        assert "7\n" == sandboxed.output()


def test_the_status_is_the_programs() -> None:
    with python("import sys; sys.exit(7)") as sandboxed:
        assert 7 == sandboxed.wait(SECONDS)
    assert not sandboxed.is_running


def test_a_program_that_is_not_there_is_said_so() -> None:
    with run(["nothing"], env={"PATH": "/usr/lib"}, mounts={}) as sandboxed:
        assert 127 == sandboxed.wait(SECONDS)
        assert "sandbox: nothing: No such file or directory\n" == sandboxed.output()


def test_a_signal_reaches_the_program() -> None:
    program = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
print("ready", flush=True)
while True:
    signal.pause()
"""
    with python(program) as sandboxed:
        while "ready" not in sandboxed.output():
            assert sandboxed.is_running
        sandboxed.terminate()
        assert 3 == sandboxed.wait(SECONDS)


def test_kill_leaves_no_process() -> None:
    program = """
import os, signal
if os.fork() == 0:
    signal.pause()
print("ready", flush=True)
signal.pause()
"""
    with python(program) as sandboxed:
        while "ready" not in sandboxed.output():
            assert sandboxed.is_running
        pid = sandboxed.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        assert 1 == len(children)
        os.kill(pid, signal.SIGKILL)
        assert -signal.SIGKILL == sandboxed.wait(SECONDS)
    assert [] == [child for child in children if Path("/proc", child).exists()]


def test_a_mount_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="/mounted: No such file"):
        python("", {"/mounted": tmp_path / "missing"})


def test_a_mount_that_the_user_cannot_read_is_refused(folder: Path) -> None:
    """Where we are root. Another user stands for 65532, and reads what is its own."""
    folder.chmod(0o700)
    listing = "import os; os.listdir('/mounted')"
    if os.geteuid() == 0:
        with pytest.raises(SandboxError, match="unreadable for user 65532"):
            python(listing, {"/mounted": folder})
    else:
        with python(listing, {"/mounted": folder}) as sandboxed:
            assert 0 == sandboxed.wait(SECONDS), sandboxed.output()


def test_a_mount_below_tmp_is_not_hidden(folder: Path) -> None:
    (folder / "seen").write_text("7")
    program = "import json; print(json.dumps(open('/tmp/mounted/seen').read()))"
    assert "7" == said(program, {"/tmp/mounted": folder})
