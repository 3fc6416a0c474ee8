"""The options that the commands on specs share."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from app.cli.specs.options import Reach, with_options
from app.errors import ConfigError


def run(*arguments: str) -> Reach:
    """What a command with one argument is given."""
    seen: list[Reach] = []

    def command(image: str, *, reach: Reach) -> None:
        assert "an-image" == image
        seen.append(reach)

    app = typer.Typer()
    app.command()(with_options(command))
    done = CliRunner().invoke(app, ["an-image", *arguments])
    assert 0 == done.exit_code, done.output
    return seen[0]


def test_a_command_without_options_reaches_registries_as_they_are() -> None:
    assert Reach() == run()


def test_each_option_arrives() -> None:
    expected = Reach(
        plain_http=True,
        ca_file=Path("ca"),
        client_certificate=Path("crt"),
        client_key=Path("key"),
        token_server=["one", "two"],
        settings=Path("settings"),
        docker_config=Path("config"),
        registry_username="ada",
        registry_password_stdin=True,
        quiet=True,
    )
    words = (
        "--plain-http --ca-file ca --client-certificate crt --client-key key "
        "--token-server one --token-server two --settings settings "
        "--docker-config config --registry-username ada --registry-password-stdin -q"
    )
    assert expected == run(*words.split())
    assert run("--registry-token-stdin").registry_token_stdin


@pytest.mark.parametrize(
    ("reach", "text"),
    [
        pytest.param(
            Reach(registry_password_stdin=True, registry_token_stdin=True),
            "--registry-password-stdin and --registry-token-stdin: only one",
            id="two secrets of one stdin",
        ),
        pytest.param(
            Reach(registry_username="ada"),
            "--registry-username and --registry-password-stdin: both or none",
            id="a user without a password",
        ),
        pytest.param(
            Reach(registry_password_stdin=True),
            "--registry-username and --registry-password-stdin: both or none",
            id="a password without a user",
        ),
        pytest.param(
            Reach(client_key=Path("key")),
            "--client-certificate and --client-key: both or none",
            id="a key without a certificate",
        ),
    ],
)
def test_options_that_need_or_exclude_others_are_named(reach: Reach, text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        reach.check()
    assert f"{text} can be given" == raised.value.message
