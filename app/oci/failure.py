"""Why a lookup ended without an answer, carried up to where outcomes are made."""

from __future__ import annotations

from typing import Final, TypeAlias

from app.errors import RegistryError
from app.ports import ImageNotFound, Invalid, Unauthorized, Unavailable

Outcome: TypeAlias = Invalid | Unavailable | Unauthorized | ImageNotFound


class LookupFailedError(RegistryError):
    """A lookup cannot go on.

    Attributes:
        outcome: what the port answers.
    """

    def __init__(self, outcome: Outcome) -> None:
        reason = getattr(outcome, "reason", type(outcome).__name__)
        super().__init__(reason, outcome.detail)
        self.outcome: Final = outcome


class TooLargeError(LookupFailedError):
    """An answer is larger than it may be; whose fault that is depends on what for."""

    def __init__(self, detail: str) -> None:
        super().__init__(Unavailable("TooLarge", detail))


class NotThereError(RegistryError):
    """The registry answered 404 for content that something else names."""

    def __init__(self, what: str) -> None:
        super().__init__("NotThere", f"{what} is not there")


def invalid(reason: str, detail: str) -> LookupFailedError:
    """What is attached breaks the rules."""
    return LookupFailedError(Invalid(reason, detail))


def unavailable(reason: str, detail: str) -> LookupFailedError:
    """We could not look."""
    return LookupFailedError(Unavailable(reason, detail))


def unauthorized(detail: str) -> LookupFailedError:
    """No credential of ours, nor none, is accepted."""
    return LookupFailedError(Unauthorized(detail))


def not_found(detail: str) -> LookupFailedError:
    """The registry knows no such image."""
    return LookupFailedError(ImageNotFound(detail))
