"""The error of what templates may not do here."""

from __future__ import annotations

from typing import Final, NoReturn

from app.errors import SpecError

UNSUPPORTED: Final = "UnsupportedFunction"
PAGE: Final = "docs/reference/templates.md"


def refuse(what: str, why: str) -> NoReturn:
    """Raises the error of a function, or a use of one, that is not supported."""
    raise SpecError(UNSUPPORTED, f"{what} is not supported: {why} (see {PAGE})")
