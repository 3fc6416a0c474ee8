"""Who counts and logs what happens to the watches.

`bootstrap` connects this with metrics and logs. Words are stable; resources are
named as RBAC spells them, so both may become labels.
"""

from __future__ import annotations

from typing import Protocol


class Observer(Protocol):
    """Is told what happens; must be quick and must not raise."""

    def counted(self, resource: str, event: str) -> None:
        """One more `event`.

        Objects: `listed`, `added`, `modified`, `deleted`, `unreadable` (its spec
        has another shape), `malformed`, `oversized` (both lost). Otherwise `list`
        (one begins), `bookmark`, `unknown` (a type of event), `crash`, or a
        failure's reason (`Gone`, `Timeout`, `Forbidden`, ...).

        Secrets and ServiceAccounts, got by name: `read`, `absent`, `malformed`,
        `oversized`, `withheld` (the settings do not allow it), `late`, `overload`,
        or a failure's reason; `kept` (what was read before stands in).
        """
        ...

    def synced(self, resource: str, objects: int) -> None:
        """A list of so many objects has been taken in."""
        ...

    def failed(self, resource: str, reason: str, detail: str) -> None:
        """A try failed for another reason than the one before it."""
        ...

    def recovered(self, resource: str) -> None:
        """After failures, a watch is open again."""
        ...

    def installed(self, resource: str, *, is_installed: bool) -> None:
        """An optional kind turns out to be installed, or not to be."""
        ...


class SilentObserver:
    """Tells nobody."""

    def counted(self, resource: str, event: str) -> None:
        """Does nothing."""

    def synced(self, resource: str, objects: int) -> None:
        """Does nothing."""

    def failed(self, resource: str, reason: str, detail: str) -> None:
        """Does nothing."""

    def recovered(self, resource: str) -> None:
        """Does nothing."""

    def installed(self, resource: str, *, is_installed: bool) -> None:
        """Does nothing."""
