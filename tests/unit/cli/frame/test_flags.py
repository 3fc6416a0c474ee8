"""Flags as NFD's client takes them, and scripts write them."""

from __future__ import annotations

import pytest

from app.cli.commands import COMMANDS
from app.cli.frame import flags, loading

NFDS = (
    *("--output-json", "--plain-http"),
    *("--registry-password-stdin", "--registry-token-stdin"),
)
"""Every flag of `nfd compat validate-node` that is a boolean (v0.19.0)."""

TRUE = ("1", "t", "T", "true", "TRUE", "True")
FALSE = ("0", "f", "F", "false", "FALSE", "False")


def plain(*arguments: str) -> list[str]:
    row = next(one for one in COMMANDS if one.name == "validate-node")
    command = loading.load(row)
    with command.make_context("validate-node", ["--spec", "x"]) as context:
        return flags.plain(arguments, command.get_params(context))


@pytest.mark.parametrize("flag", NFDS)
def test_a_flag_of_nfds_takes_a_value(flag: str) -> None:
    for value in TRUE:
        assert [flag] == plain(f"{flag}={value}")
    for value in FALSE:
        assert [] == plain(f"{flag}={value}")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("--plain-http=yes", "--plain-http=yes"),
        ("--plain-http=", "--plain-http="),
        ("--spec=true", "--spec=true"),
        ("--plain-http --plain-http=false", ""),
        ("--plain-http=false --plain-http=true", "--plain-http"),
        ("--plain-http -- --plain-http=false", "--plain-http -- --plain-http=false"),
    ],
)
def test_what_is_no_such_value_stays_and_the_last_counts(
    typed: str, expected: str
) -> None:
    assert expected.split() == plain(*typed.split())


def test_a_command_is_parsed_with_it() -> None:
    row = next(one for one in COMMANDS if one.name == "validate-node")
    command = loading.load(row)
    words = ["--spec", "x", "--output-json=true", "--plain-http=false"]
    with command.make_context("validate-node", words) as context:
        found = (context.params["output_json"], context.params["plain_http"])
    assert (True, False) == found


def test_examples_call_us_as_the_user_does() -> None:
    row = next(one for one in COMMANDS if one.name == "check")
    command = loading.load(row)
    with command.make_context(
        "kubectl imagecompat check", ["-h"], resilient_parsing=True
    ) as context:
        lines = command.get_help(context).splitlines()
    examples = [one for one in lines if " check -" in one and "Usage" not in one]
    assert examples
    for one in examples:
        assert one.count("imagecompat check") == one.count("kubectl imagecompat check")
