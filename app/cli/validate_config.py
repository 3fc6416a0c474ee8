"""`imagecompat validate-config`: would a process take these settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.settings.checking import Checked
    from app.settings.faults import Fault
    from app.settings.sections import Settings


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("validate-config")(validate_config)


def validate_config(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|-...",
            help="Settings files, or manifests with a ConfigMap; - for standard input.",
        ),
    ],
    against: Annotated[
        str | None,
        typer.Option(
            metavar="OLD",
            help="Also print what would change, and whether a process takes it up.",
            show_default=False,
        ),
    ] = None,
    *,
    with_files: Annotated[
        bool,
        typer.Option("--files", help="Also read the files that settings name, here."),
    ] = False,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="text|json", help="Format.")
    ] = "text",
) -> None:
    """Check settings before they are applied.

    Says what `imagecompat serve` would say, variables of this environment included,
    and warns of what is valid but looks like a mistake. Faults name line and column.
    Files that settings name
    are those of the container: without --files they are not looked at.

    Examples:
      imagecompat validate-config settings.yaml
      helm template chart | imagecompat validate-config - --against old.yaml

    Exit codes: 0 valid, 2 invalid or unreadable.
    """
    from app.cli.output import BAD_INPUT, read_input  # noqa: PLC0415 - fast --help
    from app.errors import ConfigError  # noqa: PLC0415
    from app.settings import checking  # noqa: PLC0415

    if output not in {"text", "json"}:
        raise ConfigError("UnknownFormat", f"-o {output}: expected text or json")
    if [*files, against].count("-") > 1:
        raise ConfigError("InputTwice", "standard input can be read only once")
    old = _old(against, output) if against is not None else None
    files_too = checking.Looks(_wrong_files, _odd_files)
    looks = files_too if with_files else checking.Looks()
    checked = [
        one
        for file in files
        for one in checking.check(read_input(file), _name(file), old, looks)
    ]
    _print(checked, as_json=output == "json")
    if any(one.faults for one in checked):
        raise typer.Exit(BAD_INPUT)


def _wrong_files(settings: Settings) -> tuple[Fault, ...]:
    """What a process would say of the files that settings of registries name."""
    from app.bootstrap import registry_files  # noqa: PLC0415 - fast --help
    from app.bootstrap.registry_material import material  # noqa: PLC0415

    registry = settings.registry
    found = material(registry, registry_files.read(registry))
    return found if isinstance(found, tuple) else ()


def _odd_files(settings: Settings) -> tuple[Fault, ...]:
    """What of these files never counts."""
    from app.bootstrap import registry_advice, registry_files  # noqa: PLC0415

    registry = settings.registry
    return registry_advice.advise(registry, registry_files.read(registry))


def _old(against: str, output: str) -> Settings:
    """The one settings file to compare with; exits if it is none."""
    from app.cli.output import BAD_INPUT, read_input  # noqa: PLC0415
    from app.settings import checking  # noqa: PLC0415

    found = checking.check(read_input(against), _name(against))
    settings = found[0].settings
    if len(found) == 1 and settings is not None:
        return settings
    _print(found, as_json=output == "json")
    if len(found) > 1:
        from app.cli.output import safe  # noqa: PLC0415

        text = f"{_name(against)}: expected one settings file, found {len(found)}"
        typer.echo(safe(text), err=True)
    raise typer.Exit(BAD_INPUT)


def _name(file: str) -> str:
    return "<stdin>" if file == "-" else file


def _print(checked: list[Checked], *, as_json: bool) -> None:
    if as_json:
        import json  # noqa: PLC0415

        files = [one.plain() for one in checked]
        typer.echo(json.dumps({"files": files}, indent=2, default=str))
        return
    for one in checked:
        for line in (*one.fault_lines(), *one.warning_lines()):
            typer.echo(line, err=True)
        for line in one.summary_lines():
            typer.echo(line)
