"""The table of commands says what the commands say; the front page needs no more."""

import inspect
import os
import pkgutil
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer

import app
import app.cli
from app.cli import demo
from app.cli.commands import COMMANDS, GROUPS, Row
from app.cli.frame import loading, overview

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

EACH = pytest.mark.parametrize("row", COMMANDS, ids=lambda one: one.name)


def test_every_module_that_registers_a_command_has_a_row() -> None:
    folder = Path(app.cli.__file__).parent
    named = {
        f"app.cli.{one.name}"
        for one in pkgutil.iter_modules([str(folder)])
        if not one.ispkg
        and "def register(app" in (folder / one.name).with_suffix(".py").read_text()
    }
    assert {row.module for row in COMMANDS} == named


def test_no_command_has_two_rows() -> None:
    assert sorted({row.name for row in COMMANDS}) == sorted(r.name for r in COMMANDS)


def test_all_commands_are_in_one_application() -> None:
    names = [one.name for one in loading.whole().registered_commands]
    assert [row.name for row in COMMANDS] == names


@EACH
def test_a_row_has_the_first_line_of_its_command(row: Row) -> None:
    help_text = inspect.cleandoc(loading.load(row).help or "")
    assert help_text.splitlines()[0] == row.help


@EACH
def test_a_row_fits_the_front_page(row: Row) -> None:
    assert row.group in GROUPS
    (line,) = re.findall(rf"^  {row.name} .*$", overview.page("x"), re.MULTILINE)
    assert line.endswith(f"  {row.help}")
    assert overview.WIDTH >= len(line)


def test_a_module_that_registers_two_commands_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def register(app: typer.Typer) -> None:
        for name in ("one", "two"):
            app.command(name)(lambda: None)

    monkeypatch.setattr(demo, "register", register)
    (row,) = (one for one in COMMANDS if one.name == "demo")
    with pytest.raises(TypeError, match="registers more than demo"):
        loading.load(row)


@EACH
def test_a_module_registers_the_command_of_its_row(row: Row) -> None:
    assert row.name == loading.load(row).name
    assert str(import_module(row.module).__doc__).startswith(
        f"`imagecompat {row.name}`"
    )


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_the_front_page_lists_all_commands(run: "Run", word: str) -> None:
    ran = run(word)
    assert (0, "") == (ran.status, ran.err)
    assert ran.out.startswith("Usage: imagecompat COMMAND")
    assert all(f"\n  {row.name} " in ran.out for row in COMMANDS)
    assert all(f"\n{group}:\n" in ran.out for group in GROUPS)


def test_without_a_command_the_front_page_is_an_error(run: "Run") -> None:
    ran = run()
    assert (2, "") == (ran.status, ran.out)
    assert overview.page("imagecompat") == ran.err


def test_the_version_is_the_package_s(run: "Run") -> None:
    assert (0, f"imagecompat {app.__version__}\n", "") == tuple(
        run("--version").__dict__.values()
    )


def loaded(*arguments: str) -> set[str]:
    """The modules that a process has loaded when a command line is done."""
    code = (
        "import sys\nfrom app.cli.frame import running\nrunning.run(['imagecompat',"
        " *sys.argv[1:]])\nprint('loaded:', *sys.modules)"
    )
    measured = "COVERAGE"  # what measures a process loads much into it
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={k: v for k, v in os.environ.items() if not k.startswith(measured)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stdout.rpartition("loaded:")[2].split())


@pytest.mark.parametrize("words", [("--help",), (), ("--version",), ("none",)])
def test_the_front_page_loads_no_command(words: tuple[str, ...]) -> None:
    found = loaded(*words)
    assert set() == found & {"typer", "dataclasses", "inspect", "asyncio", "yaml"}
    assert set() == found & {row.module for row in COMMANDS}


@EACH
def test_help_of_a_command_loads_no_other(row: Row) -> None:
    found = loaded(row.name, "--help")
    assert {row.module} == found & {one.module for one in COMMANDS}
    slow = {"asyncio", "pydantic", "rich", "yaml", "aiohttp", "kubernetes", "msgspec"}
    assert set() == found & slow


def test_a_spec_on_a_file_of_features_loads_little(tmp_path: Path) -> None:
    spec, features = tmp_path / "spec.yaml", tmp_path / "node.json"
    spec.write_text("compatibilities: [{rules: [{name: a}]}]")
    features.write_text('{"attributes": {}}')
    found = loaded("validate-node", "--spec", str(spec), "--features", str(features))
    slow = {"asyncio", "pydantic", "rich", "aiohttp", "kubernetes", "msgspec", "re2"}
    assert set() == found & (slow | {"app.ports", "app.compat.nodefeaturerule"})


def test_a_registry_is_asked_without_the_webhooks_settings(tmp_path: Path) -> None:
    found = loaded("list-specs", f"oci-layout://{tmp_path}/none:a")
    assert "app.settings.registry" in found
    webhooks = {"app.settings.sections", "app.settings.loading", "pydantic_settings"}
    assert set() == found & webhooks
