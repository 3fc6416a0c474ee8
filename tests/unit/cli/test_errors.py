"""Errors of the command line: one safe line, nothing on standard output."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

ODD = "a\nimagecompat: all is well\x1b[2J\u2028/b:c@"
SHOWN = "a?imagecompat: all is well?[2J?/b:c@"


@pytest.mark.parametrize(
    "arguments",
    [
        ("list-specs", ODD),
        ("show-spec", ODD),
        ("remove-spec", ODD),
        ("copy-specs", ODD, "r.example"),
        ("remove-spec", "r.example/a", "--digest", ODD),
        ("validate-spec", ODD),
        ("validate-node", "--spec", ODD, "--features", "x"),
        ("validate-config", "-", "-o", ODD),
        ("list-specs", "r.example/a", "--settings", ODD),
    ],
    ids=lambda one: " ".join(one).replace(ODD, "ODD"),
)
def test_what_was_typed_writes_no_line_of_its_own(
    run: "Run", arguments: tuple[str, ...]
) -> None:
    ran = run(*arguments)
    assert (2, "") == (ran.status, ran.out), ran
    assert 1 == len(ran.err.splitlines()), ran.err
    assert ran.err[:-1].isprintable()


def test_the_rest_of_what_was_typed_is_shown(run: "Run") -> None:
    assert run("list-specs", ODD).err.startswith(f"imagecompat: {SHOWN}: not an image")


def test_settings_have_a_line_for_each_fault(run: "Run", tmp_path: Path) -> None:
    file = tmp_path / "a\nb.yaml"
    file.write_text('policy: {mode: x}\n"server\\n": {}\n')
    ran = run("serve", "--config", str(file))
    assert 2 == ran.status
    first, second = ran.err.splitlines()
    assert first.startswith(f"imagecompat: {tmp_path}/a\\nb.yaml:1:16: policy.mode: ")
    assert second.startswith(f"{tmp_path}/a\\nb.yaml:2:1: server\\n: unknown key")


@pytest.mark.parametrize(
    "arguments",
    [
        ("list-specs",),
        ("list-specs", "r.example/a", "-o", "xml"),
        ("list-specs", "r.example/a", "--none"),
        ("none",),
    ],
    ids=" ".join,
)
def test_a_wrong_option_leaves_standard_output_empty(
    run: "Run", arguments: tuple[str, ...]
) -> None:
    ran = run(*arguments)
    assert (2, "") == (ran.status, ran.out)
    assert "Usage" in ran.err
