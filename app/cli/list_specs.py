"""`imagecompat list-specs`: which specs an image has, and which of them count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.specs.options import Format, Output, Reach, with_options

if TYPE_CHECKING:
    from app.oci.writing.listing import ImageSpecs, Listed, SubjectSpecs
    from app.oci.writing.store import Failed

_COLUMNS = ("ARTIFACT", "ATTACHED TO", "FOR", "CREATED", "COUNTS", "NOTE")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("list-specs")(with_options(list_specs))


def list_specs(
    image: Annotated[
        str, typer.Argument(help="A reference, or oci-layout://FOLDER:TAG.")
    ],
    *,
    output: Output = Format.TABLE,
    reach: Reach,
) -> None:
    """List an image's specs: which counts, and why others do not.

    The choice is the webhook's own. Exit codes: 0 listed (even if there are none),
    2 bad input, 3 could not find out.

    Examples:
      imagecompat list-specs registry.example.com/team/app:1
      imagecompat list-specs oci-layout://build:1 -o json
    """
    from datetime import UTC, datetime  # noqa: PLC0415 - fast --help

    from app.cli.specs import opening, running  # noqa: PLC0415
    from app.oci.writing import listing  # noqa: PLC0415

    async def run() -> tuple[ImageSpecs | Failed, ...]:
        async with opening.opened(reach, [image]) as opener:
            found = await listing.list_specs(
                opener.open(image),
                opener.limits,
                now=datetime.now(UTC),
                progress=opener.progress,
            )
        return (found,)

    running.finish(run(), output, running.View(_COLUMNS, _rows, _head))


def _head(one: ImageSpecs) -> Iterator[str]:
    kind = "index" if one.is_index else "manifest"
    yield f"{one.image}: {kind} {one.digest}"
    for platform, outcome in one.platforms:
        yield f"{platform}: {_said(outcome)}"
    if not any(subject.artifacts for subject in one.subjects):
        yield "no compatibility spec is attached"


def _said(outcome: object) -> str:
    """What admission finds for a platform."""
    from app.cli.specs.printing import short  # noqa: PLC0415
    from app.ports import Found  # noqa: PLC0415

    if isinstance(outcome, Found):
        return f"{short(outcome.digest)} counts"
    words = type(outcome).__name__
    detail = getattr(outcome, "detail", "")
    return f"{words.lower()}: {detail}" if detail else words.lower()


def _rows(one: ImageSpecs) -> Iterator[tuple[str, ...]]:
    for subject in one.subjects:
        for artifact in subject.artifacts:
            yield _row(one, subject, artifact)


def _row(image: ImageSpecs, subject: SubjectSpecs, one: Listed) -> tuple[str, ...]:
    from app.cli.specs.printing import short  # noqa: PLC0415
    from app.oci.writing.listing import State, Warn  # noqa: PLC0415

    warnings = {
        Warn.FUTURE: "its date is in the future",
        Warn.OTHER_ANNOTATIONS: "it is listed with another date",
    }
    is_index = image.is_index and not subject.platform
    where = subject.platform or ("all platforms" if is_index else "")
    counts = ", ".join(one.counts_for) or "yes"
    notes = [one.detail, *(warnings[warning] for warning in one.warnings)]
    return (
        short(one.digest),
        short(subject.digest),
        where,
        one.created or "-",
        counts if one.state is State.COUNTS else f"no: {one.state.value}",
        "; ".join(filter(None, notes)),
    )
