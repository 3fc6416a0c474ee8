"""The spec of an image, for commands that go on with it."""

from __future__ import annotations

import asyncio
from typing import Final

import typer

from app.cli.output import BAD_INPUT, COULD_NOT_FIND_OUT
from app.cli.specs import opening, printing
from app.cli.specs.options import Reach
from app.oci.writing import showing
from app.oci.writing.showing import Shown
from app.oci.writing.store import Failed

NO_SPEC: Final = "NoSpec"
_INPUT: Final = frozenset({"InvalidPlatform", "NoSuchPlatform"})


def spec_of(image: str, platform: str | None, reach: Reach) -> bytes | None:
    """The bytes of the spec that counts; `None` if nothing is attached.

    Raises:
        typer.Exit: there is no such image or platform, or we could not find out; why
            stands on standard error.
        ConfigError: an option cannot be used.
    """
    shown = asyncio.run(_shown(image, platform, reach))
    if isinstance(shown, Shown):
        return shown.content
    printing.report([shown])
    if shown.reason == NO_SPEC:
        return None
    raise typer.Exit(BAD_INPUT if shown.reason in _INPUT else COULD_NOT_FIND_OUT)


async def _shown(image: str, platform: str | None, reach: Reach) -> Shown | Failed:
    async with opening.opened(reach, [image]) as opener:
        store = opener.open(image)
        return await showing.show(store, opener.limits, platform=platform)
