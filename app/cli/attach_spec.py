"""`imagecompat attach-spec`: gives images a compatibility spec."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.specs.options import (
    DryRun,
    Format,
    Output,
    PlatformOption,
    Reach,
    with_options,
)

if TYPE_CHECKING:
    from app.cli.specs.opening import Opener
    from app.oci.writing.attaching import Attached, Spec
    from app.oci.writing.store import Failed

_COLUMNS = ("IMAGE", "ARTIFACT", "ATTACHED TO", "FOR", "CREATED")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("attach-spec")(with_options(attach_spec))


def attach_spec(  # noqa: PLR0913 - each is an option
    images: Annotated[
        list[str],
        typer.Argument(metavar="IMAGE", help="References, or oci-layout://FOLDER:TAG."),
    ],
    *,
    spec: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="The spec; - for stdin.")
    ] = None,
    from_image: Annotated[
        str | None, typer.Option(help="Attach the spec of this image instead.")
    ] = None,
    platform: PlatformOption = None,
    annotation: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Of the artifact; repeatable."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Attach it though it is invalid.")
    ] = False,
    dry_run: DryRun = False,
    output: Output = Format.TABLE,
    reach: Reach,
) -> None:
    """Attach a compatibility spec to images.

    As `oras attach` does. Of an image for several platforms the spec is attached to
    the index, and holds for each platform without one of its own; with --platform it
    is attached to that platform's manifest.

    Examples:
      imagecompat attach-spec registry.example/a:1 --spec spec.yaml
      imagecompat attach-spec oci-layout://a:1 --spec s.yaml --platform linux/arm64
      imagecompat attach-spec registry.example/a:2 --from-image registry.example/a:1

    Exit codes: 0 attached, 2 bad input, 3 could not be attached everywhere.
    """
    from datetime import UTC, datetime  # noqa: PLC0415 - fast --help

    from app.cli.specs import opening, running  # noqa: PLC0415
    from app.errors import ConfigError  # noqa: PLC0415
    from app.oci.writing import attaching  # noqa: PLC0415

    if (spec is None) == (from_image is None):
        raise ConfigError("InvalidOptions", "expected --spec FILE or --from-image")
    annotations = _annotations(annotation or [])
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    named = [*images, *([from_image] if from_image is not None else [])]

    async def run() -> tuple[Attached | Failed, ...]:
        async with opening.opened(reach, named) as opener:
            content = await _spec(opener, spec, from_image, platform, force=force)
            if content.fault:
                running.warn(f"the spec is invalid: {content.fault}")
            return await attaching.attach(
                [opener.open(image) for image in images],
                content,
                opener.limits,
                created=created,
                platform=platform,
                annotations=annotations,
                dry_run=dry_run,
                progress=opener.progress,
            )

    running.finish(run(), output, running.View(_COLUMNS, _rows))


async def _spec(
    opener: Opener,
    file: str | None,
    from_image: str | None,
    platform: str | None,
    *,
    force: bool,
) -> Spec:
    from app.cli.output import located, read_input  # noqa: PLC0415
    from app.errors import SpecError  # noqa: PLC0415
    from app.oci.writing import attaching  # noqa: PLC0415

    if file is None:
        store = opener.open(from_image or "")
        return await attaching.reuse(store, opener.limits, platform=platform)
    title = attaching.TITLE if file == "-" else Path(file).name
    content = read_input(file)
    try:
        spec = attaching.read(content, title=title, force=force, limits=opener.limits)
    except SpecError as error:
        raise SpecError(error.reason, located(error, file)) from error
    if not spec.fault:
        _warn_of_traps(content, file)
    return spec


def _warn_of_traps(content: bytes, file: str) -> None:
    """What `validate-spec` says of a spec that can be read."""
    import sys  # noqa: PLC0415 - fast --help

    from app.cli.linting import linted, naming, printing  # noqa: PLC0415

    name = "<stdin>" if file == naming.STDIN else file
    found = linted.of_content(content, name)
    for line in printing.lines(found, excerpt=sys.stderr.isatty()):
        typer.echo(line, err=True)


def _annotations(given: list[str]) -> dict[str, str]:
    from app.errors import ConfigError  # noqa: PLC0415

    found: dict[str, str] = {}
    for one in given:
        key, mark, value = one.partition("=")
        if not (key and mark):
            raise ConfigError(
                "InvalidOptions", f"--annotation {one}: expected KEY=VALUE"
            )
        found[key] = value
    return found


def _rows(one: Attached) -> Iterator[tuple[str, ...]]:
    from app.cli.specs.printing import short  # noqa: PLC0415

    where = one.platform or ("all platforms" if one.is_index else "")
    digest = short(one.digest) + ("" if one.is_done else " (dry run)")
    yield one.image, digest, short(one.subject), where, one.created
