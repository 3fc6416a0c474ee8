"""The three answers, as reports have them, and what they come to together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from app.cli.output import COULD_NOT_FIND_OUT, DOES_NOT_FIT, FITS


class Verdict(StrEnum):
    """Whether an image, or all images of a workload, can run somewhere."""

    FITS = "fits"
    DOES_NOT_FIT = "does not fit"
    UNKNOWN = "unknown"


EXIT_CODES: Final[Mapping[Verdict, int]] = {
    Verdict.FITS: FITS,
    Verdict.DOES_NOT_FIT: DOES_NOT_FIT,
    Verdict.UNKNOWN: COULD_NOT_FIND_OUT,
}
"""What a command ends with."""

_WORST: Final = (Verdict.DOES_NOT_FIT, Verdict.UNKNOWN)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Of all together: does not fit, else unknown, else fits."""
    found = set(verdicts)
    return next((one for one in _WORST if one in found), Verdict.FITS)
