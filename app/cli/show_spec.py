"""`imagecompat show-spec`: the spec of an image that counts, as it was written."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.specs.options import Format, PlatformOption, Reach, with_options

if TYPE_CHECKING:
    from app.oci.writing.showing import Shown
    from app.oci.writing.store import Failed


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("show-spec")(with_options(show_spec))


def show_spec(
    image: Annotated[
        str, typer.Argument(help="A reference, or oci-layout://FOLDER:TAG.")
    ],
    *,
    platform: PlatformOption = None,
    output: Annotated[
        Format | None,
        typer.Option("--output", "-o", help="Digests and the spec, as a document."),
    ] = None,
    reach: Reach,
) -> None:
    """Print the spec of an image that counts, byte for byte.

    Examples:
      imagecompat show-spec registry.example.com/team/app:1 > spec.yaml
      imagecompat show-spec registry.example.com/team/app:1 --platform linux/arm64

    Exit codes: 0 printed, 1 the image has none, 2 bad input, 3 could not find out.
    """
    from app.cli.output import DOES_NOT_FIT  # noqa: PLC0415 - fast --help
    from app.cli.specs import opening, running  # noqa: PLC0415
    from app.oci.writing import showing  # noqa: PLC0415

    async def run() -> tuple[Shown | Failed, ...]:
        async with opening.opened(reach, [image]) as opener:
            store = opener.open(image)
            return (await showing.show(store, opener.limits, platform=platform),)

    codes = {"NoSpec": DOES_NOT_FIT, "NoSuchPlatform": DOES_NOT_FIT}
    view = running.View(("IMAGE", "SPEC"), write=_write)
    running.finish(run(), output or Format.TABLE, view, codes=codes)


def _write(one: Shown) -> None:
    """The bytes as they are; on a terminal without what it would obey."""
    if sys.stdout.isatty():
        from app.cli.output import safe  # noqa: PLC0415

        lines = one.content.decode(errors="replace").split("\n")
        sys.stdout.write("\n".join(map(safe, lines)))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(one.content)
    sys.stdout.flush()
