"""What is answered from memory, and how it is marked.

1. A "no" that is answered from memory is marked as remembered.
2. What was found stands in for a registry that cannot be asked, marked as stale:
   a spec, or that an image with one lacks a platform. "There is none" never does, for
   "could not look" is not "there is none"; nor does a refusal or a fault.
3. Only what could not be asked is stood in for: an answer of any other kind counts.
   If the reference names another digest now, what was found is another image's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from app.ports import (
    Found,
    ImageOutcome,
    Mark,
    Platform,
    PlatformAbsent,
    PlatformOutcome,
    Resolved,
    Unavailable,
)


def remembered(outcome: ImageOutcome) -> ImageOutcome:
    """The same, as it is answered from memory (1)."""
    if not isinstance(outcome, Resolved):
        return replace(outcome, mark=Mark.REMEMBERED)
    parts = {
        platform: part
        if isinstance(part, Found) or part.mark is not Mark.NONE
        else replace(part, mark=Mark.REMEMBERED)
        for platform, part in outcome.platforms.items()
    }
    same = all(part is outcome.platforms[platform] for platform, part in parts.items())
    return outcome if same else replace(outcome, platforms=parts)


def may_stand_in(outcome: ImageOutcome) -> bool:
    """Whether anything of it could stand in later (2)."""
    return isinstance(outcome, Resolved) and any(
        map(_lasts, outcome.platforms.values())
    )


def stood_in(former: ImageOutcome, now: ImageOutcome) -> ImageOutcome | None:
    """What is answered instead of `now`; `None` for `now` itself.

    Args:
        former: what was found before, of the same image and platforms, with the same
            credentials.
        now: what came of asking again.
    """
    if not isinstance(former, Resolved):
        return None
    if isinstance(now, Resolved):
        if now.digest != former.digest:
            return None
        parts = _parts(former.platforms, now.platforms)
        return replace(now, platforms=parts) if parts else None
    if not isinstance(now, Unavailable):
        return None
    parts = _parts(former.platforms, dict.fromkeys(former.platforms, now))
    return replace(former, platforms=parts) if parts else None


def _parts(
    former: Mapping[Platform, PlatformOutcome],
    now: Mapping[Platform, PlatformOutcome],
) -> Mapping[Platform, PlatformOutcome]:
    """Platform by platform; empty if nothing stands in for anything."""
    stale = {
        platform: replace(former[platform], mark=Mark.STALE)
        for platform, part in now.items()
        if isinstance(part, Unavailable)
        and platform in former
        and _lasts(former[platform])
    }
    return {**now, **stale} if stale else {}


def _lasts(part: PlatformOutcome) -> bool:
    is_lacking = isinstance(part, PlatformAbsent) and part.has_spec
    return is_lacking or isinstance(part, Found)
