"""`imagecompat validate-spec`: every problem of a compatibility spec, at once."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.specs.options import Reach, with_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.cli.linting.attached import Outcome
    from app.cli.linting.linted import Linted
    from app.oci.writing.store import Failed


class Format(StrEnum):
    """How problems are printed."""

    TEXT = "text"
    JSON = "json"
    YAML = "yaml"
    JUNIT = "junit"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("validate-spec")(with_options(validate_spec))


def validate_spec(
    specs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE|IMAGE",
            help="Specs, - for stdin; or images, whose specs are checked.",
        ),
    ] = None,
    *,
    image: Annotated[
        list[str] | None,
        typer.Option(metavar="IMAGE", help="An image, whatever it looks like."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Warnings count as errors.")
    ] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of specs.")
    ] = False,
    output: Annotated[
        Format, typer.Option("--output", "-o", help="How to print.")
    ] = Format.TEXT,
    reach: Reach,
) -> None:
    """Check a compatibility spec; errors name line and column.

    Errors are what NFD or the webhook refuses; warnings are what is valid and does
    not say what it seems to. A file that is there is a file; a name with a registry,
    a tag or a digest is an image otherwise.

    Exit codes: 0 valid, 2 invalid or unreadable, 3 an image could not be read.

    Examples:
      imagecompat validate-spec spec.yaml
      imagecompat validate-spec --strict specs/*.yaml
      imagecompat validate-spec registry.example.com/team/app:1
      imagecompat validate-spec --schema > compatibility-spec.schema.json
    """
    if schema:
        _print_schema(output)
        return
    _check(specs or [], image or [], reach)
    outcomes = _outcomes(specs or [], image or [], reach)
    _finish(outcomes, output, strict=strict)


def _check(specs: Sequence[str], images: Sequence[str], reach: Reach) -> None:
    from app.errors import ConfigError  # noqa: PLC0415 - fast --help

    takes_stdin = reach.registry_password_stdin or reach.registry_token_stdin
    if not specs and not images:
        text = "expected FILE, - or IMAGE, or --schema"
        raise ConfigError("InvalidOptions", text)
    if specs.count("-") + takes_stdin > 1:
        text = "standard input can be read once: for one spec, a password or a token"
        raise ConfigError("InvalidOptions", text)


def _print_schema(output: Format) -> None:
    import json  # noqa: PLC0415 - fast --help

    from app.compat.lint import schema  # noqa: PLC0415
    from app.errors import ConfigError  # noqa: PLC0415

    if output not in {Format.TEXT, Format.JSON}:
        raise ConfigError("InvalidOptions", "--schema is JSON: expected no --output")
    typer.echo(json.dumps(schema.document(), indent=2))


def _outcomes(
    specs: Sequence[str], images: Sequence[str], reach: Reach
) -> list[Outcome]:
    """What is found of each argument, in order; images that are options last."""
    from app.cli.linting import linted, naming  # noqa: PLC0415 - fast --help
    from app.cli.output import read_input  # noqa: PLC0415

    named = [one for one in specs if naming.is_image(one)]
    attached = _attached([*named, *images], reach)
    found: list[Outcome] = []
    for one in specs:
        if one in named:
            found += attached[one]
        else:
            name = "<stdin>" if one == naming.STDIN else one
            found.append(linted.of_content(read_input(one), name))
    return [*found, *(each for one in images for each in attached[one])]


def _attached(images: Sequence[str], reach: Reach) -> dict[str, Sequence[Outcome]]:
    if not images:
        return {}
    import asyncio  # noqa: PLC0415 - not for files
    from datetime import UTC, datetime  # noqa: PLC0415

    from app.cli.linting import attached  # noqa: PLC0415
    from app.cli.specs import opening  # noqa: PLC0415

    async def run() -> dict[str, Sequence[Outcome]]:
        now = datetime.now(UTC)
        async with opening.opened(reach, images) as opener:
            return {one: await attached.check(opener, one, now=now) for one in images}

    return asyncio.run(run())


def _finish(outcomes: Sequence[Outcome], output: Format, *, strict: bool) -> None:
    """Prints what was found, and ends with the code that it deserves."""
    from app.cli.linting.linted import Linted  # noqa: PLC0415 - fast --help
    from app.cli.output import BAD_INPUT, COULD_NOT_FIND_OUT  # noqa: PLC0415

    found = [one for one in outcomes if isinstance(one, Linted)]
    failures = [one for one in outcomes if not isinstance(one, Linted)]
    if output is Format.TEXT:
        for one in found:
            _print_text(one, strict=strict)
    elif found:
        _print_document(found, output, strict=strict)
    if failures:
        raise typer.Exit(_report(failures) or COULD_NOT_FIND_OUT)
    if not all(_passes(one, strict=strict) for one in found):
        raise typer.Exit(BAD_INPUT)


def _passes(one: Linted, *, strict: bool) -> bool:
    return not one.problems if strict else one.is_valid


def _print_text(one: Linted, *, strict: bool) -> None:
    """Problems go to standard error, that it is valid to standard output."""
    import sys  # noqa: PLC0415 - fast --help

    from app.cli.linting import printing  # noqa: PLC0415

    for line in printing.lines(one, excerpt=sys.stderr.isatty()):
        typer.echo(line, err=True)
    if _passes(one, strict=strict):
        typer.echo(printing.summary(one))


def _print_document(found: Sequence[Linted], output: Format, *, strict: bool) -> None:
    from app.cli.linting import printing  # noqa: PLC0415 - fast --help

    if output is Format.JUNIT:
        typer.echo(printing.xml(found, strict=strict), nl=False)
        return
    from app.cli.specs.options import Format as Known  # noqa: PLC0415
    from app.cli.specs.printing import document  # noqa: PLC0415

    text = document(printing.document(found), Known(output.value))
    typer.echo(text, nl=False)


def _report(failures: Sequence[Failed]) -> int:
    """A line for each that could not be read; the exit code, 0 for the usual one."""
    from app.cli.output import BAD_INPUT  # noqa: PLC0415 - fast --help
    from app.cli.specs import printing  # noqa: PLC0415

    printing.report(failures)
    is_input = all(one.reason == "InvalidReference" for one in failures)
    return BAD_INPUT if is_input else 0
