"""Errors of the command line: one safe line, nothing on standard output."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.cli import output
from app.errors import (
    ClusterError,
    ConfigError,
    ImagecompatError,
    RegistryError,
    ReviewError,
    SpecError,
)
from app.kube.transport import RefusedError

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


class OddError(ConfigError):
    """One of a kind that no table names."""


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


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SpecError("A", "a"), 2),
        (ConfigError("A", "a"), 2),
        (ReviewError("A", "a", status=400), 2),
        (RegistryError("A", "a"), 3),
        (ClusterError("A", "a"), 3),
        (RefusedError(401, "a"), 3),
        (OddError("A", "a"), 2),
        (ImagecompatError("A", "a"), 3),
    ],
    ids=lambda one: type(one).__name__,
)
def test_every_error_has_an_exit_code(error: ImagecompatError, code: int) -> None:
    assert code == output.exit_code(error)


def test_settings_have_a_line_for_each_fault(run: "Run", tmp_path: Path) -> None:
    file = tmp_path / "a\nb.yaml"
    file.write_text('policy: {mode: x}\n"server\\n": {}\n')
    ran = run("serve", "--config", str(file))
    assert 2 == ran.status
    first, second = ran.err.splitlines()
    assert first.startswith(f"imagecompat: {tmp_path}/a\\nb.yaml:1:16: policy.mode: ")
    assert second.startswith(f"{tmp_path}/a\\nb.yaml:2:1: server\\n: unknown key")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list-specs",), "list-specs: missing argument 'image'"),
        (
            ("list-specs", "r.example/a", "-o", "xml"),
            "list-specs: --output: expected table, json or yaml, got xml",
        ),
        (
            ("list-specs", "r.example/a", "--outptu", "json"),
            "list-specs: no such option: --outptu; did you mean --output?",
        ),
        (
            ("list-specs", "r.example/a", "-o"),
            "list-specs: option '-o' requires an argument",
        ),
        (
            ("list-specs", "r.example/a", "b"),
            "list-specs: got unexpected extra argument(s) (b)",
        ),
        (("none",), "no such command: none; --help lists them"),
        (("lists-spec",), "no such command: lists-spec; did you mean list-specs?"),
        (("--verison",), "no such option: --verison; did you mean --version?"),
        ((ODD,), f"no such command: {SHOWN}"),
        (
            ("demo", "--port", "65536"),
            "demo: --port: expected a whole number from 0 to 65535, got 65536",
        ),
        (
            ("selftest", "--timeout", "nan"),
            "selftest: --timeout: expected a number from 0, got nan",
        ),
    ],
    ids=lambda one: " ".join(one).replace(ODD, "ODD") if isinstance(one, tuple) else "",
)
def test_a_usage_error_is_one_line_that_names_it(
    run: "Run", arguments: tuple[str, ...], said: str
) -> None:
    ran = run(*arguments)
    assert (2, "") == (ran.status, ran.out)
    assert 1 == len(ran.err.splitlines())
    assert ran.err.startswith(f"imagecompat: {said}")
