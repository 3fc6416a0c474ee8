"""What is offered while somebody types; real shells are in `tests/integration`."""

from typing import TYPE_CHECKING

import pytest

from app.cli.commands import COMMANDS
from app.cli.frame import completing

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


def names(*words: str) -> list[str]:
    return [value for value, _ in completing.offer(words).values]


def test_commands_are_offered_with_their_help() -> None:
    found = completing.offer(["va"])
    every = [row for row in COMMANDS if row.name.startswith("va")]
    assert tuple((row.name, row.help) for row in every) == found.values
    assert {"validate-spec", "validate-node"} < {row.name for row in every}


def test_nothing_typed_offers_every_command_and_no_option() -> None:
    assert [row.name for row in COMMANDS] == names("") == names()


def test_a_dash_offers_the_options_of_the_front_page() -> None:
    assert ["--help", "--version"] == names("-") == names("--")


def test_a_command_that_does_not_exist_offers_nothing() -> None:
    assert completing.Offer() == completing.offer(["none", ""])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("status -o ", ["table", "json"], id="values of an option"),
        pytest.param("status -o j", ["json"], id="values that begin so"),
        pytest.param("status --output=j", ["--output=json"], id="after ="),
        pytest.param("status -n x -o ", ["table", "json"], id="after another's value"),
        pytest.param("status -n -o --output ", ["table", "json"], id="-o is a value"),
        pytest.param("status --nodes -o ", ["table", "json"], id="after a flag"),
        pytest.param("status --none -o ", ["table", "json"], id="an unknown option"),
        pytest.param("status --rel", ["--release"], id="an option"),
        pytest.param("status --release x --rel", [], id="an option, once"),
        pytest.param("validate-config --ag", ["--against"], id="beside arguments"),
        pytest.param(
            "attach-spec --annotation a=b --ann", ["--annotation"], id="often"
        ),
        pytest.param(
            "completion ", ["bash", "zsh", "fish"], id="values of an argument"
        ),
        pytest.param("completion -- ", ["bash", "zsh", "fish"], id="after --"),
        pytest.param("completion -- --h", [], id="no option after --"),
        pytest.param("completion bash ", [], id="no argument too many"),
        pytest.param("completion --h", ["--help"], id="help"),
    ],
)
def test_a_command_offers(words: str, expected: list[str]) -> None:
    assert expected == names(*words.split(" "))


@pytest.mark.parametrize(
    ("words", "is_file"),
    [
        ("validate-spec ", True),
        ("validate-node --spec ", True),
        ("validate-node --spec=", True),
        ("status --kubeconfig ", True),
        ("attach-spec a b", True),
        ("status -o x", False),
        ("status x", False),
        ("completion ", False),
    ],
)
def test_files_are_offered_where_one_may_stand(words: str, *, is_file: bool) -> None:
    assert is_file == completing.offer(words.split(" ")).files


def test_an_answer_is_cobra_s(run: "Run") -> None:
    ran = run("__complete", "status", "--rel")
    assert (0, "--release\tName of the Helm release.\n:4\n", "") == (
        ran.status,
        ran.out,
        ran.err,
    )
    assert ":0\n" == run("__complete", "validate-spec", "").out


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("imagecompat stat", "status\n:4\n"),
        ("imagecompat status -o ", "table\njson\n:4\n"),
        ("imagecompat status --output=j", "json\n:4\n"),
        ("imagecompat status --output=", "table\njson\n:4\n"),
        ("imagecompat status -n 'a b' -o j", "json\n:4\n"),
        ("imagecompat status -n 'a b", ":0\n"),
        ("imagecompat status -n # -o j", "json\n:4\n"),
    ],
)
def test_a_line_is_split_as_bash_does(run: "Run", line: str, expected: str) -> None:
    assert expected == run("__complete_line", line).out


def test_a_shell_that_gives_no_line_gets_commands(run: "Run") -> None:
    assert len(COMMANDS) + 1 == len(run("__complete_line").out.splitlines())
    assert len(COMMANDS) + 1 == len(run("__complete").out.splitlines())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_completes_imagecompat(run: "Run", shell: str) -> None:
    ran = run("completion", shell)
    assert (0, "") == (ran.status, ran.err)
    assert "__complete" in ran.out


def test_another_shell_is_refused(run: "Run") -> None:
    ran = run("completion", "tcsh")
    assert (2, "") == (ran.status, ran.out)
    assert "imagecompat: completion: SHELL: expected bash, zsh or fish, got tcsh\n" == (
        ran.err
    )
