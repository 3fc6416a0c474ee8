"""The three answers, as reports have them."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """Whether an image, or all images of a workload, can run somewhere."""

    FITS = "fits"
    DOES_NOT_FIT = "does not fit"
    UNKNOWN = "unknown"
