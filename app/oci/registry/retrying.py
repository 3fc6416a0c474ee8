"""Whether a request is sent again, and after how long; decides, and waits for nothing.

1. Only GET and HEAD, which change nothing.
2. Only where a later try may end otherwise: `AGAIN`, and connections that failed
   before an answer came (`REASONS`). What ran out of time is not tried again: that
   would only make callers wait longer.
3. At most `retries` times, and only if the wait ends before the lookup does.
4. The wait is random below a bound that doubles ("full jitter"), so that those who
   failed together do not come back together. A `Retry-After` is waited for besides;
   one that is longer than `retry_after_seconds` is not, and the answer counts as it
   is.

Source: RFC 9110, sections 9.2.2 (idempotent methods) and 10.2.3 (`Retry-After`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

METHODS: Final = frozenset({"GET", "HEAD"})
AGAIN: Final = frozenset({408, 429, 502, 503, 504})
REASONS: Final = frozenset(
    {"CannotConnect", "NetworkError", "NoSuchHost", "ProxyUnreachable"}
)

FIRST_SECONDS: Final = 0.2
"""The most that is waited before the second try; twice as much before the next."""
MOST_SECONDS: Final = 2.0

_MAX_CHARACTERS: Final = 64
_SECONDS: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What bounds retries.

    Attributes:
        retries: of one request.
        retry_after_seconds: a longer `Retry-After` is not waited for.
    """

    retries: int
    retry_after_seconds: float


@dataclass(frozen=True, slots=True)
class Tried:
    """A try that failed.

    Attributes:
        method: of HTTP.
        retries: that were made before.
        status: of the answer; 0 without one.
        reason: why there is no answer; `""` with one.
        retry_after: the header as it came; `""` for none.
    """

    method: str
    retries: int
    status: int = 0
    reason: str = ""
    retry_after: str = ""


def wait_seconds(
    tried: Tried, bounds: Bounds, *, left: float, chance: float, now: datetime
) -> float | None:
    """How long to wait for the next try; `None` if this one is the last.

    Args:
        tried: the last try.
        bounds: of all of them.
        left: of the lookup's time, in seconds.
        chance: random, from 0 to 1.
        now: for a date in `Retry-After`.
    """
    may_help = tried.status in AGAIN or tried.reason in REASONS
    if tried.method not in METHODS or not may_help or tried.retries >= bounds.retries:
        return None
    asked = retry_after_seconds(tried.retry_after, now)
    if asked > bounds.retry_after_seconds:
        return None
    most = min(FIRST_SECONDS * 2.0**tried.retries, MOST_SECONDS)
    wait = asked + chance * most
    return wait if wait < left else None


def retry_after_seconds(text: str, now: datetime) -> float:
    """What a `Retry-After` asks for; 0 if it says nothing that can be read.

    A number is taken as seconds, a date as one of HTTP; one that is past is 0.
    """
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return float(text)
    if not text or len(text) > _MAX_CHARACTERS:
        return 0.0
    try:
        date = parsedate_to_datetime(text)
        date = date if date.tzinfo is not None else date.replace(tzinfo=UTC)
        return max((date - now).total_seconds(), 0.0)
    except (ValueError, OverflowError, TypeError, IndexError):
        return 0.0
