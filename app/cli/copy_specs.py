"""`imagecompat copy-specs`: takes the specs of images along to where these are."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.specs.options import DryRun, Format, Output, Reach, with_options

if TYPE_CHECKING:
    from app.oci.writing.copying import Copied
    from app.oci.writing.store import Failed

_COLUMNS = ("SOURCE", "DESTINATION", "ARTIFACT", "ATTACHED TO", "RESULT")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("copy-specs")(with_options(copy_specs))


def copy_specs(
    pair: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE DESTINATION",
            help="References, or oci-layout://FOLDER:TAG.",
        ),
    ] = None,
    *,
    file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|-", help="Several: a source and a destination a line."
        ),
    ] = None,
    dry_run: DryRun = False,
    output: Output = Format.TABLE,
    reach: Reach,
) -> None:
    """Copy the specs of images to where the images were mirrored.

    The images themselves are not copied: the destination must have them, under the
    same digests. A layout or repository may have another name and tag.

    Examples:
      imagecompat copy-specs registry.example.com/app:1 mirror.example.com/app:1
      imagecompat copy-specs --file pairs.txt --dry-run

    Exit codes: 0 all are there, 2 bad input, 3 could not be copied.
    """
    from app.cli.output import COULD_NOT_FIND_OUT  # noqa: PLC0415 - fast --help
    from app.cli.specs import opening, running  # noqa: PLC0415
    from app.oci.writing import copying  # noqa: PLC0415

    pairs = _pairs(pair or [], file)

    async def run() -> tuple[Copied | Failed, ...]:
        async with opening.opened(reach, chain.from_iterable(pairs)) as opener:
            return await copying.copy(
                [(opener.open(one), opener.open(to)) for one, to in pairs],
                opener.limits,
                dry_run=dry_run,
                progress=opener.progress,
            )

    running.finish(
        run(),
        output,
        running.View(_COLUMNS, _rows),
        code=lambda one: (
            COULD_NOT_FIND_OUT if one.state is copying.Copy.NO_SUBJECT else 0
        ),
    )


def _pairs(given: list[str], file: str | None) -> list[tuple[str, str]]:
    from app.cli.output import read_input  # noqa: PLC0415
    from app.errors import ConfigError  # noqa: PLC0415

    if (file is None) != (len(given) == 2):  # noqa: PLR2004 - a pair
        text = "expected SOURCE and DESTINATION, or --file"
        raise ConfigError("InvalidOptions", text)
    if file is None:
        return [(given[0], given[1])]
    if given:
        raise ConfigError("InvalidOptions", "--file: expected without a pair")
    found: list[tuple[str, str]] = []
    lines = read_input(file).decode(errors="replace").splitlines()
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 2:  # noqa: PLR2004
            text = f"{file}:{number}: expected a source and a destination"
            raise ConfigError("InvalidInput", text)
        found.append((words[0], words[1]))
    return found


def _rows(one: Copied) -> Iterator[tuple[str, ...]]:
    from app.cli.specs.printing import short  # noqa: PLC0415

    subject = short(one.subject) + (f" ({one.platform})" if one.platform else "")
    digest = short(one.digest)
    yield one.source, one.destination, digest, subject, one.state.value
