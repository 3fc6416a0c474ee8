"""`imagecompat init-spec`: a first spec, of an image or of templates, to be edited."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.specs.options import PlatformOption, Reach, with_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.cli.authoring.draft import Draft


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("init-spec")(with_options(init_spec))


def _templates(incomplete: str) -> list[tuple[str, str]]:
    """For shells: the templates that begin so, each with what it asks for."""
    from app.recipes import RECIPES  # noqa: PLC0415 - fast --help

    return [
        (one.name, one.summary) for one in RECIPES if one.name.startswith(incomplete)
    ]


def init_spec(
    *,
    template: Annotated[
        list[str] | None,
        typer.Option(
            "--template",
            metavar="NAME",
            help="What the image needs; repeatable: a node must have it all.",
            autocompletion=_templates,
        ),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the templates.")] = False,
    image: Annotated[
        str | None,
        typer.Option(
            help="What this image says of itself; or oci-layout://FOLDER:TAG."
        ),
    ] = None,
    platform: PlatformOption = None,
    output_file: Annotated[
        Path | None,
        typer.Option("--output-file", "-f", help="Write the spec to a new file."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there.")
    ] = False,
    reach: Reach,
) -> None:
    """Write a first compatibility spec, to be edited.

    It is made of templates, of what an image says of itself (platform, NVIDIA's
    variables, labels), or of both. Each rule has a comment with why; what could not
    be made a rule is said in a comment, too. A spec that no node could ever fit, or
    that would ask for nothing, is not written.

    Exit codes: 0 written, 2 bad input, 3 the image could not be read.

    Examples:
      imagecompat init-spec --list
      imagecompat init-spec --template cuda-12.4 --template efa -f spec.yaml
      imagecompat init-spec --image registry.example.com/team/app:1
    """
    from app.errors import ConfigError  # noqa: PLC0415 - fast --help

    if listed:
        _list()
        return
    if not template and image is None:
        text = "expected --template NAME or --image REFERENCE; --list lists templates"
        raise ConfigError("InvalidOptions", text)
    if platform is not None and image is None:
        raise ConfigError("InvalidOptions", "--platform is for --image only")
    if force and output_file is None:
        raise ConfigError("InvalidOptions", "--force is for --output-file only")
    from app.cli.authoring import draft  # noqa: PLC0415

    drafts = _of_templates(template or [])
    if image is not None:
        first = _of_image(image, platform, reach)
        if not drafts:
            _refuse_nothing(image, first)
        drafts = {image: first, **drafts}
    text = draft.text(draft.merge(drafts))
    _check(text, output_file)
    _write(text, output_file, force=force)


def _list() -> None:
    from app.cli.specs.printing import table  # noqa: PLC0415 - fast --help
    from app.recipes import RECIPES  # noqa: PLC0415

    rows = [(one.name, one.summary, one.needs or "-") for one in RECIPES]
    typer.echo(table(("TEMPLATE", "ASKS FOR", "NEEDS"), rows), nl=False)


def _of_templates(names: Sequence[str]) -> dict[str, Draft]:
    from app.cli.authoring import draft  # noqa: PLC0415 - fast --help
    from app.cli.suites.fields import near  # noqa: PLC0415
    from app.errors import ConfigError  # noqa: PLC0415
    from app.recipes import NAMED  # noqa: PLC0415

    for name in names:
        if name not in NAMED:
            text = f"there is no template {name}{near(name, NAMED)}"
            raise ConfigError("NoSuchTemplate", f"{text}; --list lists them")
    return {name: draft.read(NAMED[name].content) for name in names}


def _of_image(image: str, platform: str | None, reach: Reach) -> Draft:
    import asyncio  # noqa: PLC0415 - fast --help

    from app.cli.authoring import of_image  # noqa: PLC0415
    from app.cli.output import BAD_INPUT, COULD_NOT_FIND_OUT  # noqa: PLC0415
    from app.cli.specs import opening, printing  # noqa: PLC0415
    from app.oci.writing import configurations  # noqa: PLC0415
    from app.oci.writing.configurations import Configuration  # noqa: PLC0415
    from app.oci.writing.store import Failed  # noqa: PLC0415

    async def read() -> tuple[Configuration, ...] | Failed:
        async with opening.opened(reach, [image]) as opener:
            store = opener.open(image)
            return await configurations.read(store, opener.limits, platform=platform)

    found = asyncio.run(read())
    if isinstance(found, Failed):
        printing.report([found])
        is_input = found.reason in configurations.CALLERS_FAULT
        raise typer.Exit(BAD_INPUT if is_input else COULD_NOT_FIND_OUT)
    return of_image.draft(image, found)


def _refuse_nothing(image: str, found: Draft) -> None:
    from app.cli.authoring import of_image  # noqa: PLC0415 - fast --help

    of_image.refuse_nothing(image, found)


def _check(text: str, path: Path | None) -> None:
    """Says what is wrong with the spec; refuses one that no node can fit."""
    from app.cli.authoring import checking  # noqa: PLC0415 - fast --help
    from app.errors import ConfigError  # noqa: PLC0415

    name = "spec" if path is None else str(path)
    lines, is_never = checking.problems(text, name)
    for one in lines:
        typer.echo(one, err=True)
    if is_never:
        text = "these exclude each other: no node can ever fit all of them at once"
        raise ConfigError("NeverFits", f"{text}; nothing is written")


def _write(text: str, path: Path | None, *, force: bool) -> None:
    from app.errors import ConfigError  # noqa: PLC0415 - fast --help

    if path is None:
        typer.echo(text, nl=False)
        return
    try:
        with path.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        text = f"{path}: is there already; --force writes over it"
        raise ConfigError("FileExists", text) from error
    except OSError as error:
        text = f"{path}: cannot be written: {error.strerror}"
        raise ConfigError("UnwritableOutput", text) from error
