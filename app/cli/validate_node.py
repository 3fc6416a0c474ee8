"""`imagecompat validate-node`: does this node fit this spec, as NFD sees it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from app.cli.specs.options import PlatformOption, Reach, with_options


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("validate-node")(with_options(validate_node))


def validate_node(
    *,
    spec: Annotated[
        str | None, typer.Option(help="A compatibility spec; - for stdin.")
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            help="Instead: a reference, or oci-layout://FOLDER:TAG, that has one."
        ),
    ] = None,
    platform: PlatformOption = None,
    features: Annotated[
        str, typer.Option(help="Features as `nfd export features` prints them.")
    ],
    tags: Annotated[
        list[str] | None,
        typer.Option(help="Only sets with one of these tags; commas separate."),
    ] = None,
    output_json: Annotated[
        bool, typer.Option("--output-json", help="NFD's JSON report.")
    ] = False,
    reach: Reach,
) -> None:
    """Validate a node's features against a compatibility spec.

    An image to which nothing is attached asks for nothing, and fits. Of an index
    without --platform the spec is the index's own, as for NFD.

    Exit codes: 0 fits, 1 does not fit, 2 bad input, 3 could not find out.
    """
    from app.cli.output import (  # noqa: PLC0415 - fast --help
        DOES_NOT_FIT,
        FITS,
        read_input,
        want_colour,
    )
    from app.compat import matching, parse, status, table  # noqa: PLC0415
    from app.errors import ConfigError  # noqa: PLC0415

    if (spec is None) == (image is None):
        raise ConfigError("InvalidOptions", "expected --spec FILE or --image REFERENCE")
    node = read_features(features)
    content = _of_image(image, platform, reach) if spec is None else read_input(spec)
    if content is None:
        typer.echo("[]" if output_json else "fits")
        raise typer.Exit(FITS)
    parsed = parse.read(content)
    results = matching.judge(parsed, node, tags=_split(tags or []))
    report = status.report(results)
    fits = matching.fits(results)
    if output_json:
        typer.echo(status.to_json(report))
    else:
        typer.echo(table.render(report, colour=want_colour()), nl=False)
        typer.echo("fits" if fits else "does not fit")
    raise typer.Exit(FITS if fits else DOES_NOT_FIT)


def _of_image(image: str | None, platform: str | None, reach: Reach) -> bytes | None:
    from app.cli.specs import fetching  # noqa: PLC0415

    return fetching.spec_of(image or "", platform, reach)


def read_features(path: str) -> Any:  # noqa: ANN401 - typed where it is loaded
    """The features in a file, as `nfd export features` writes them.

    Raises:
        ConfigError: it is no JSON or of another shape; the message says where.
    """
    import msgspec  # noqa: PLC0415

    from app.cli.output import read_input  # noqa: PLC0415
    from app.compat import features  # noqa: PLC0415
    from app.errors import ConfigError  # noqa: PLC0415

    try:
        content = msgspec.json.decode(read_input(path))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text = f"{path}: no valid JSON: {error}"
        raise ConfigError("InvalidFeatures", text) from error
    try:
        return features.from_json(content)
    except ConfigError as error:
        raise ConfigError(error.reason, f"{path}: {error.message}") from error


def _split(tags: list[str]) -> tuple[str, ...]:
    """NFD's flag takes several tags at once: `--tags a,b`."""
    return tuple(tag for given in tags for tag in given.split(","))
