"""`imagecompat remove-spec`: takes compatibility specs from an image."""

from __future__ import annotations

from collections.abc import Iterator
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
    from app.oci.writing.removing import Removed, Which
    from app.oci.writing.store import Failed

_COLUMNS = ("IMAGE", "ARTIFACT", "ATTACHED TO", "RESULT", "NOTE")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("remove-spec")(with_options(remove_spec))


def remove_spec(
    image: Annotated[
        str, typer.Argument(help="A reference, or oci-layout://FOLDER:TAG.")
    ],
    *,
    digest: Annotated[
        str | None, typer.Option(help="Of the artifact, as list-specs prints it.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every compatibility artifact.")
    ] = False,
    platform: PlatformOption = None,
    dry_run: DryRun = False,
    output: Output = Format.TABLE,
    reach: Reach,
) -> None:
    """Remove the spec of an image that counts, another, or all.

    Where an older one is attached, it counts from now on: see list-specs.

    Examples:
      imagecompat remove-spec registry.example.com/team/app:1 --dry-run
      imagecompat remove-spec registry.example.com/team/app:1 --all

    Exit codes: 0 removed, 1 there is none, 2 bad input, 3 could not be removed.
    """
    from app.cli.output import COULD_NOT_FIND_OUT, DOES_NOT_FIT  # noqa: PLC0415
    from app.cli.specs import opening, running  # noqa: PLC0415 - fast --help
    from app.oci.writing import removing  # noqa: PLC0415

    which = _which(digest, platform, every=every)

    async def run() -> tuple[Removed | Failed, ...]:
        async with opening.opened(reach, [image]) as opener:
            return await removing.remove(
                opener.open(image),
                which,
                opener.limits,
                dry_run=dry_run,
                progress=opener.progress,
            )

    states = {
        removing.Removal.FORBIDDEN: COULD_NOT_FIND_OUT,
        removing.Removal.MISSING: DOES_NOT_FIT,
    }
    view = running.View(_COLUMNS, _rows)
    running.finish(run(), output, view, code=lambda one: states.get(one.state, 0))


def _which(digest: str | None, platform: str | None, *, every: bool) -> Which:
    from app.errors import ConfigError  # noqa: PLC0415
    from app.oci.images.digest import Digest  # noqa: PLC0415
    from app.oci.writing import removing  # noqa: PLC0415

    if digest is None:
        kind = removing.All if every else removing.Counting
        return kind(platform or "")
    if every or platform is not None:
        text = "--digest: expected without --all and --platform"
        raise ConfigError("InvalidOptions", text)
    if Digest.parse(digest) is None:
        text = f"--digest {digest}: expected sha256:<64 hex>, as list-specs prints it"
        raise ConfigError("InvalidOptions", text)
    return removing.ByDigest(digest)


def _rows(one: Removed) -> Iterator[tuple[str, ...]]:
    from app.cli.specs.printing import short  # noqa: PLC0415

    digest, subject = short(one.digest) or "-", short(one.subject) or "-"
    yield one.image, digest, subject, one.state.value, one.detail
