"""The specs of images, for commands that go on with them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final, TypeAlias

import typer

from app.cli.output import BAD_INPUT, COULD_NOT_FIND_OUT
from app.cli.specs import opening, printing
from app.cli.specs.options import Reach
from app.oci.writing import showing
from app.oci.writing.showing import Shown
from app.oci.writing.store import Failed

NO_SPEC: Final = "NoSpec"

Wanted: TypeAlias = tuple[str, str | None]
"""An image, and one of its platforms; `None` for what the reference names."""

_INPUT: Final = frozenset({"InvalidPlatform", "NoSuchPlatform"})


def spec_of(image: str, platform: str | None, reach: Reach) -> bytes | None:
    """The bytes of the spec that counts; `None` if nothing is attached.

    Raises:
        typer.Exit: there is no such image or platform, or we could not find out; why
            stands on standard error.
        ConfigError: an option cannot be used.
    """
    return specs_of([(image, platform)], reach)[image, platform]


def specs_of(wanted: Sequence[Wanted], reach: Reach) -> dict[Wanted, bytes | None]:
    """The same of several images, each with the platform that is meant.

    Raises:
        typer.Exit: as `spec_of`, if that is so of any of them.
        ConfigError: an option cannot be used.
    """
    shown = dict(zip(wanted, asyncio.run(_shown(wanted, reach)), strict=True))
    failed = [one for one in shown.values() if isinstance(one, Failed)]
    printing.report(failed)
    codes = [
        BAD_INPUT if one.reason in _INPUT else COULD_NOT_FIND_OUT
        for one in failed
        if one.reason != NO_SPEC
    ]
    if codes:
        raise typer.Exit(max(codes))
    return {
        key: one.content if isinstance(one, Shown) else None
        for key, one in shown.items()
    }


async def _shown(wanted: Sequence[Wanted], reach: Reach) -> list[Shown | Failed]:
    async with opening.opened(reach, [image for image, _ in wanted]) as opener:
        found = []
        for number, (image, platform) in enumerate(wanted):
            opener.progress(f"looking up {image}", number, len(wanted))
            store = opener.open(image)
            found.append(await showing.show(store, opener.limits, platform=platform))
    return found
