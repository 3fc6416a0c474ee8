"""Programs that give credentials, as real processes."""

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from app.oci.credentials.helpers import HelperNames, Helpers
from app.oci.credentials.programs import (
    FIXED,
    MAX_INPUT_BYTES,
    Failure,
    Output,
    Programs,
    environment,
)
from app.oci.images import reference

pytestmark = pytest.mark.integration

Write = Callable[[str, str], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "programs"
    found.mkdir()
    return found


@pytest.fixture
def write(folder: Path) -> Write:
    """Writes a program: its name and what its shell does."""

    def _write(name: str, script: str) -> None:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    return _write


def programs(
    folder: Path, *, seconds: float = 10.0, most: int = 1000, **env: str
) -> Programs:
    return Programs(folder, {**FIXED, **env}, seconds=seconds, most_bytes=most)


async def output(one: Programs, name: str = "one", content: bytes = b"") -> Output:
    found = await one.run(name, [], content)
    assert isinstance(found, Output)
    return found


# Running -----------------------------------------------------------------------------


async def test_a_program_reads_what_it_is_given_and_answers(
    folder: Path, write: Write
) -> None:
    write("one", 'printf "%s|%s|" "$#" "$1"; cat')
    found = await programs(folder).run("one", ["a b;$HOME"], b"given")
    assert Output(0, b"1|a b;$HOME|given") == found


async def test_how_a_program_ends_is_told(folder: Path, write: Write) -> None:
    write("one", "echo said; exit 3")
    assert Output(3, b"said\n") == await output(programs(folder))


async def test_a_program_that_is_killed_by_another_is_told(
    folder: Path, write: Write
) -> None:
    write("one", "kill -TERM $$")
    assert Output(-signal.SIGTERM, b"") == await output(programs(folder))


async def test_as_much_may_be_given_as_the_limit(folder: Path, write: Write) -> None:
    write("one", "wc -c | tr -d ' \\n'")
    one = programs(folder)
    most = b"x" * MAX_INPUT_BYTES
    assert b"4096" == (await output(one, content=most)).content
    assert Failure.NOT_STARTED is await one.run("one", [], most + b"x")


async def test_a_program_need_not_read_what_it_is_given(
    folder: Path, write: Write
) -> None:
    write("one", "exec echo done")
    assert b"done\n" == (await output(programs(folder), content=b"x" * 4096)).content


@pytest.mark.parametrize(
    "name",
    ["nothing", "", ".", "..", "../one", "folder/one", "/bin/sh", "one two", "a\0b"],
)
async def test_what_is_no_program_of_the_folder_is_not_started(
    folder: Path, write: Write, name: str
) -> None:
    write("one", "echo one")
    (folder / "folder").mkdir()
    shutil.copy(folder / "one", folder / "folder")
    one = Programs(folder / "folder", {}, seconds=9, most_bytes=9)
    assert Failure.NOT_STARTED is await one.run(name, [], b"")


async def test_what_cannot_be_executed_is_not_started(
    folder: Path, write: Write
) -> None:
    write("one", "echo one")
    (folder / "one").chmod(0o644)
    (folder / "two").write_text("no program")
    (folder / "two").chmod(0o755)
    one = programs(folder)
    assert Failure.NOT_STARTED is await one.run("one", [], b"")
    assert Failure.NOT_STARTED is await one.run("two", [], b"")


async def test_an_argument_that_no_process_can_have_starts_nothing(
    folder: Path, write: Write
) -> None:
    write("one", "echo one")
    assert Failure.NOT_STARTED is await programs(folder).run("one", ["a\0b"], b"")


async def test_without_a_file_descriptor_nothing_is_started(
    folder: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("one", "echo one")

    def _none() -> tuple[int, int]:
        raise OSError("too many open files")

    monkeypatch.setattr(os, "pipe", _none)
    assert Failure.NOT_STARTED is await programs(folder).run("one", [], b"")


def test_a_folder_is_absolute() -> None:
    with pytest.raises(ValueError, match="absolute"):
        Programs(Path("programs"), {}, seconds=1, most_bytes=1)


# Bounds ------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [999, 1000])
async def test_as_much_is_read_as_the_limit(
    folder: Path, write: Write, size: int
) -> None:
    write("one", f"head -c {size} /dev/zero")
    assert size == len((await output(programs(folder))).content)


async def test_one_byte_more_is_too_large(folder: Path, write: Write) -> None:
    write("one", "head -c 1001 /dev/zero")
    assert Failure.TOO_LARGE is await programs(folder).run("one", [], b"")


async def test_a_program_that_talks_without_end_is_killed(
    folder: Path, write: Write, tmp_path: Path
) -> None:
    mark = tmp_path / "pid"
    write("one", f"echo $$ > {mark}; exec cat /dev/zero")
    assert Failure.TOO_LARGE is await programs(folder).run("one", [], b"")
    assert not is_alive(int(mark.read_text()))


async def test_large_answers_come_whole(folder: Path, write: Write) -> None:
    """They are more than a pipe holds."""
    write("one", "head -c 1048576 /dev/zero")
    found = await output(programs(folder, most=1 << 20))
    assert 1 << 20 == len(found.content)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("exec sleep 60", id="silent"),
        pytest.param("echo begun; exec sleep 60", id="after-a-word"),
        pytest.param("exec >&-; exec sleep 60", id="with-its-output-closed"),
        pytest.param("trap '' TERM INT HUP; sleep 60", id="deaf"),
        pytest.param("sleep 60 & exit 0", id="in-what-it-left-behind"),
    ],
)
async def test_a_program_that_hangs_is_ended(
    folder: Path, write: Write, tmp_path: Path, script: str
) -> None:
    mark = tmp_path / "pid"
    write("one", f"echo $$ > {mark}; {script}")
    started = time.monotonic()
    found = await programs(folder, seconds=0.5).run("one", [], b"")
    assert Failure.TIMEOUT is found
    assert 0.5 <= time.monotonic() - started < 5
    assert not is_alive(int(mark.read_text()))


async def test_what_a_program_started_ends_with_it(
    folder: Path, write: Write, tmp_path: Path
) -> None:
    mark = tmp_path / "pid"
    write("one", f"sleep 60 >/dev/null & echo $! > {mark}; echo done")
    assert b"done\n" == (await output(programs(folder))).content
    assert await is_gone(int(mark.read_text()))


async def test_a_program_ends_with_the_task_that_runs_it(
    folder: Path, write: Write, tmp_path: Path
) -> None:
    mark = tmp_path / "pid"
    write("one", f"echo $$ > {mark}.new; mv {mark}.new {mark}; exec sleep 60")
    task = asyncio.create_task(programs(folder, seconds=60).run("one", [], b""))
    while not mark.exists():  # noqa: ASYNC110 - a file tells no event
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not is_alive(int(mark.read_text()))


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_no_file_stays_open(folder: Path, write: Write) -> None:
    write("one", "echo one")
    write("two", "exec sleep 60")
    one = programs(folder, seconds=0.1)
    await one.run("one", [], b"")
    before = open_files()
    for name in ("one", "two", "none"):
        await one.run(name, [], b"x")
    assert before == open_files()


async def test_so_many_run_at_the_same_time(
    folder: Path, write: Write, tmp_path: Path
) -> None:
    """Each counts those that run with it."""
    running = tmp_path / "running"
    running.mkdir()
    script = f"touch {running}/$$; ls {running} | wc -l >> {tmp_path}/counts"
    write("docker-credential-one", f"{script}; sleep 0.2; rm {running}/$$")
    one = Helpers(HelperNames(otherwise="one"), programs(folder))
    images = [reference.parse(f"r{number}.example/x") for number in range(9)]
    await asyncio.gather(*(one.lookup(image) for image in images))
    counts = [int(line) for line in (tmp_path / "counts").read_text().split()]
    assert 9 == len(counts)
    assert 4 == max(counts)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return state != "Z"


async def is_gone(pid: int) -> bool:
    """Whether a process that was killed is gone within a second."""
    for _ in range(100):
        if not is_alive(pid):
            return True
        await asyncio.sleep(0.01)
    return False


# What it gets ------------------------------------------------------------------------


async def test_a_program_gets_no_more_of_our_environment_than_clouds_need(
    folder: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = {
        "PATH": str(folder),
        "HOME": str(folder),
        "DOCKER_CONFIG": str(folder),
        "LD_PRELOAD": "x",
        "HTTPS_PROXY": "http://evil.example",
        "KUBECONFIG": "x",
        "IMAGECOMPAT_SETTINGS": "x",
        "XAWS_REGION": "x",
        "aws_region": "x",
    }
    clouds = {
        "AWS_REGION": "eu-west-1",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/token",
        "AZURE_FEDERATED_TOKEN_FILE": "/var/run/token",
        "GOOGLE_APPLICATION_CREDENTIALS": "/var/run/key",
    }
    for key, value in {**hostile, **clouds}.items():
        monkeypatch.setenv(key, value)
    write("one", "exec /usr/bin/env -0")
    one = Programs(folder, environment(os.environ), seconds=9, most_bytes=9999)
    said = (await output(one)).content.decode().rstrip("\0").split("\0")
    found = dict(line.partition("=")[::2] for line in said)
    for shells in ("PWD", "OLDPWD", "SHLVL", "_"):
        found.pop(shells, None)
    ours = {key: value for key, value in os.environ.items() if key[:4] in _CLOUDS}
    assert {**ours, **clouds, **FIXED} == found


_CLOUDS = {"AWS_", "AZUR", "GOOG"}


async def test_no_program_of_the_path_is_run(
    folder: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("docker-credential-desktop", "echo found")
    monkeypatch.setenv("PATH", str(folder))
    elsewhere = folder / "empty"
    elsewhere.mkdir()
    one = programs(elsewhere)
    found = await one.run("docker-credential-desktop", [], b"")
    assert Failure.NOT_STARTED is found


async def test_what_is_configured_for_a_program_wins(
    folder: Path, write: Write
) -> None:
    write("one", 'echo "$AWS_REGION $HOME $MORE"')
    one = programs(folder, AWS_REGION="a")
    more = {"AWS_REGION": "b", "HOME": "/here", "MORE": "c"}
    found = await one.run("one", [], b"", more=more)
    assert Output(0, b"b /here c\n") == found


async def test_a_program_runs_outside_of_our_folder_and_session(
    folder: Path, write: Write
) -> None:
    write("one", "pwd; echo $$; set -- $(cat /proc/$$/stat); echo $5 $6")
    where, pid, group, session = (await output(programs(folder))).content.split()
    assert b"/" == where
    assert pid == group == session


async def test_a_program_gets_no_file_of_ours(
    folder: Path, write: Write, tmp_path: Path
) -> None:
    write("one", "exec ls -l /proc/self/fd")
    with (tmp_path / "secret").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        said = (await output(programs(folder))).content.decode()
    assert "pipe:" in said
    assert "secret" not in said


async def test_what_a_program_says_on_standard_error_is_dropped(
    folder: Path, write: Write, capfd: pytest.CaptureFixture[str]
) -> None:
    write("one", "echo canary-7f3a >&2; echo out")
    assert b"out\n" == (await output(programs(folder))).content
    sys.stderr.flush()
    assert "canary" not in "".join(capfd.readouterr())


async def test_what_a_program_says_is_not_shown(folder: Path, write: Write) -> None:
    write("one", "echo canary-7f3a")
    assert "canary" not in repr(await output(programs(folder)))


# The loop that serves ----------------------------------------------------------------


def test_all_of_it_holds_on_the_loop_that_serves(
    folder: Path, write: Write, tmp_path: Path
) -> None:
    """The webhook runs on uvloop, which starts processes in a way of its own."""
    mark = tmp_path / "pid"
    write("good", "head -c 100000 /dev/zero; cat")
    write("long", "exec cat /dev/zero")
    write("hanging", f"sleep 60 & echo $! > {mark}; wait")
    write("files", "exec ls -l /proc/self/fd")
    write("session", "echo $$; set -- $(cat /proc/$$/stat); echo $5 $6; env")

    async def _all() -> list[object]:
        one = programs(folder, seconds=0.5, most=100_005)
        names = ("good", "long", "hanging", "none", "files", "session")
        before = open_files()
        found = [await one.run(name, [], b"given") for name in names]
        assert before == open_files()
        return list(found)

    with (
        (tmp_path / "secret").open("w") as file,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        os.set_inheritable(file.fileno(), True)
        good, long, hanging, none, files, session = runner.run(_all())
    assert Output(0, bytes(100_000) + b"given") == good
    failures = [Failure.TOO_LARGE, Failure.TIMEOUT, Failure.NOT_STARTED]
    assert failures == [long, hanging, none]
    assert not is_alive(int(mark.read_text()))
    assert isinstance(files, Output)
    assert b"secret" not in files.content
    assert isinstance(session, Output)
    pid, group, leader, *environment = session.content.split()
    assert pid == group == leader
    assert b"LANG=C.UTF-8" in environment
