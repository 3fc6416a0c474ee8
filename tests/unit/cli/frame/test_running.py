"""What ends a command line: exit codes, signals, streams, and bugs of ours."""

import errno
import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer

from app.cli import validate_spec
from app.cli.frame import running, streams

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

PROGRAM = (sys.executable, "-c", "from app.cli import main; main()")


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """What `validate-spec` raises."""
    errors: list[BaseException] = []

    def register(app: object) -> None:
        def fails(file: str) -> None:
            """Check a compatibility spec."""
            assert file
            raise errors[0]

        app.command("validate-spec")(fails)  # type: ignore[attr-defined]

    monkeypatch.setattr(validate_spec, "register", register)
    monkeypatch.delenv(running.DEBUG, raising=False)
    return errors


def test_a_bug_is_one_line_and_no_traceback(
    run: "Run", failing: list[BaseException]
) -> None:
    failing.append(KeyError("a\nb"))
    said = "KeyError: 'a\\nb': this is a bug of imagecompat; IMAGECOMPAT_DEBUG=1"
    ran = run("validate-spec", "x")
    assert (3, "") == (ran.status, ran.out)
    assert f"imagecompat: {said} prints where\n" == ran.err


def test_a_bug_without_a_text_is_named_by_its_class(
    run: "Run", failing: list[BaseException]
) -> None:
    failing.append(RecursionError())
    said = "imagecompat: RecursionError: this is a bug of imagecompat;"
    assert run("validate-spec", "x").err.startswith(said)


@pytest.mark.parametrize("error", [KeyError("x"), OSError(errno.ENOSPC, "full")])
def test_a_bug_has_its_traceback_on_demand(
    run: "Run",
    failing: list[BaseException],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    failing.append(error)
    monkeypatch.setenv(running.DEBUG, "1")
    with pytest.raises(type(error)):
        run("validate-spec", "x")


def test_a_server_s_bug_keeps_its_traceback(
    run: "Run", monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes to a log, where nobody can ask again."""

    def load(file: object) -> None:
        raise KeyError(str(file))

    monkeypatch.setattr("app.bootstrap.files.load", load)
    with pytest.raises(KeyError):
        run("serve")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (FileNotFoundError(2, "No such file or directory", "a\nb"), "a?b: No such"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_an_error_of_the_system_is_one_line(
    run: "Run", failing: list[BaseException], error: OSError, said: str
) -> None:
    failing.append(error)
    ran = run("validate-spec", "x")
    assert (3, "") == (ran.status, ran.out)
    assert ran.err.startswith(f"imagecompat: {said}")
    assert 1 == len(ran.err.splitlines())


@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyboardInterrupt(), 130), (typer.Abort(), 130), (BrokenPipeError(), 141)],
)
def test_who_ends_a_command_from_outside_hears_nothing(
    run: "Run", failing: list[BaseException], error: BaseException, code: int
) -> None:
    failing.append(error)
    assert (code, "", "") == tuple(run("validate-spec", "x").__dict__.values())


def test_a_plugin_of_kubectl_shows_itself_as_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for words, usage in (
        (("--help",), "Usage: kubectl imagecompat COMMAND"),
        (("status", "--help"), "Usage: kubectl imagecompat status [OPTIONS]"),
    ):
        assert 0 == running.run(["/usr/local/bin/kubectl-imagecompat", *words])
        assert capsys.readouterr().out.startswith(usage)


def test_no_name_of_the_program_is_no_problem(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert 2 == running.run([])
    assert capsys.readouterr().err.startswith("Usage: imagecompat COMMAND")


def shell(script: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Runs a script of bash, with `$imagecompat` as the program."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "", **variables}
    program = " ".join(f'"{word}"' for word in PROGRAM)
    return subprocess.run(
        ["bash", "-c", f'imagecompat() {{ {program} "$@"; }}\n{script}'],
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_head_ends_the_output_quietly() -> None:
    done = shell("set -o pipefail; imagecompat --help | head -c 1")
    assert (b"U", b"") == (done.stdout, done.stderr)
    assert done.returncode in {0, streams.PIPE_CLOSED}, "written before or after head"


def test_a_reader_that_is_gone_is_no_error() -> None:
    code = "import os; r, w = os.pipe(); os.close(r); os.dup2(w, 1); os.close(w)\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}{PROGRAM[-1]}", "--help"],
        env={**os.environ, "PYTHONUNBUFFERED": ""},  # so that the end writes it
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (streams.PIPE_CLOSED, b"") == (done.returncode, done.stderr)


def test_a_full_disk_is_said() -> None:
    done = shell("imagecompat --help >/dev/full")
    assert (3, b"imagecompat: No space left on device\n") == (
        done.returncode,
        done.stderr,
    )


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("imagecompat validate-spec none >&-", 2),
        ("imagecompat serve --settings none >&-", 2),
        ("imagecompat validate-spec none 2>&-", 2),
        ("imagecompat validate-spec - <&-", 2),
        ("imagecompat status --help >&- 2>&- <&-", 3),
    ],
)
def test_a_closed_stream_is_the_null_device(script: str, code: int) -> None:
    done = shell(script)
    assert (code, b"") == (done.returncode, done.stdout), done
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("words", ["--help", "--version", "status --help"])
def test_an_answer_that_goes_nowhere_is_no_answer(words: str) -> None:
    """Exit status 0 would say that it fits, and nobody was told."""
    done = shell(f"imagecompat {words} >&-")
    assert (3, b"imagecompat: standard output: it is closed\n") == (
        done.returncode,
        done.stderr,
    )


def test_a_server_needs_no_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    place = io.StringIO()
    monkeypatch.setattr(sys, "stdout", streams.Closed(place))
    streams.allow_closed()
    assert place is sys.stdout
    streams.allow_closed()
    assert place is sys.stdout


@pytest.mark.parametrize(
    "variables", [{"LC_ALL": "C", "PYTHONUTF8": "0"}, {"PYTHONIOENCODING": "ascii"}]
)
def test_another_encoding_than_utf_8_is_no_error(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    name = tmp_path / "spéc.yaml"
    name.write_text("policy: {mode: warn}\n")
    done = shell(
        f"imagecompat validate-config '{name}'", PYTHONCOERCECLOCALE="0", **variables
    )
    assert 0 == done.returncode
    assert b"c.yaml: valid" in done.stdout
    assert b"Traceback" not in done.stderr


def test_what_an_encoding_lacks_is_a_question_mark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = io.BytesIO()
    ascii_stream = io.TextIOWrapper(written, encoding="ascii")
    monkeypatch.setattr(sys, "stdout", ascii_stream)
    streams.prepare()
    ascii_stream.write("sp\u00e9c \udcff\n")
    ascii_stream.flush()
    assert b"sp?c ?\n" == written.getvalue()


def test_a_stream_without_a_descriptor_needs_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    streams.prepare()
    streams.drop(stream)
    assert stream is sys.stdout


def test_control_c_is_quiet(tmp_path: Path) -> None:
    pipe = tmp_path / "settings.yaml"
    os.mkfifo(pipe)
    process = subprocess.Popen(
        [*PROGRAM, "validate-config", str(pipe)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with pipe.open("wb"):  # from now on it waits for what nobody writes
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (running.INTERRUPTED, b"", b"") == (process.returncode, out, err)
