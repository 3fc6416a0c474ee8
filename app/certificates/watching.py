"""Time and chance as arguments, and who is told what happens."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol

What = Literal["authority", "leaf", "bundle"]
Result = Literal["made", "lost", "failed"]
Reload = Literal["taken", "broken"]


def _utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """Time and chance, so that tests need neither.

    Attributes:
        now: the time of day.
        monotonic: seconds on a clock that never goes back.
        sleep: waits that many seconds.
        uniform: a number between two others.
    """

    now: Callable[[], datetime] = _utc
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    uniform: Callable[[float, float], float] = random.uniform


class Observer(Protocol):
    """Is told what happens; must be quick and must not raise."""

    def rotated(self, what: What, result: Result) -> None:
        """Something was made or published; `lost`: another replica was quicker."""
        ...

    def reloaded(self, result: Reload) -> None:
        """A certificate was taken into use, or refused."""
        ...

    def refused(self, *, is_refused: bool) -> None:
        """Whether what is there to be served is, at this moment, not usable."""
        ...

    def expiry(self, certificate: Literal["leaf", "authority"], ends: datetime) -> None:
        """When what is served, or published, ends."""
        ...

    def published(self, *, is_published: bool) -> None:
        """Whether every `caBundle` of ours trusts what is served."""
        ...

    def said(self, event: str, **fields: object) -> None:
        """A line for the log; no secret is among the fields."""
        ...

    def warned(self, event: str, **fields: object) -> None:
        """The same, of what a person should look at."""
        ...

    def erred(self, event: str, **fields: object) -> None:
        """The same, with the exception of ours that is being handled."""
        ...


class SilentObserver:
    """Tells nobody."""

    def rotated(self, what: What, result: Result) -> None:
        """Does nothing."""

    def reloaded(self, result: Reload) -> None:
        """Does nothing."""

    def refused(self, *, is_refused: bool) -> None:
        """Does nothing."""

    def expiry(self, certificate: Literal["leaf", "authority"], ends: datetime) -> None:
        """Does nothing."""

    def published(self, *, is_published: bool) -> None:
        """Does nothing."""

    def said(self, event: str, **fields: object) -> None:
        """Does nothing."""

    def warned(self, event: str, **fields: object) -> None:
        """Does nothing."""

    def erred(self, event: str, **fields: object) -> None:
        """Does nothing."""
