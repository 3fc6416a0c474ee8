"""What the admin leaves alone: who answers for it, why, and until when.

An exemption names namespaces, images and service accounts; each list that it has
must match, and a list that it has not matches everything. Patterns are those of a
shell: `*`, `?` and `[abc]` (`team-*`, `registry.example.com/legacy/*`).

With an `images` list only the images that match are exempt; the others of the
same Pod are judged. An exemption that has expired exempts nothing; whoever wires
the process tells the admin so (`expired`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Exemption:
    """One exemption.

    Attributes:
        owner: whom to ask.
        reason: why it is there.
        namespaces: patterns of names; empty for all.
        images: patterns of references as Pods write them; empty for all.
        service_accounts: patterns of `namespace/name`; empty for all.
        expires: the first moment at which it no longer holds; `None` for never.
    """

    owner: str
    reason: str
    namespaces: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    service_accounts: tuple[str, ...] = ()
    expires: datetime | None = None

    def holds(self, *, namespace: str, service_account: str, now: datetime) -> bool:
        """Whether it holds for a Pod, its images left aside.

        Args:
            namespace: of the Pod.
            service_account: its name; `""` is `default`.
            now: with a time zone.
        """
        account = f"{namespace}/{service_account or 'default'}"
        return (
            not self.has_expired(now)
            and _matches(self.namespaces, namespace)
            and _matches(self.service_accounts, account)
        )

    def has_expired(self, now: datetime) -> bool:
        """Whether its time is over; `now` has a time zone."""
        return self.expires is not None and now >= self.expires

    def covers(self, image: str) -> bool:
        """Whether it exempts an image of a Pod for which it holds."""
        return _matches(self.images, image)


def exempt_images(
    exemptions: Iterable[Exemption],
    images: Iterable[str],
    *,
    namespace: str,
    service_account: str,
    now: datetime,
) -> dict[str, Exemption]:
    """The images of a Pod that are not judged -> the first exemption that says so.

    Args:
        exemptions: all of the admin's.
        images: references as the Pod writes them.
        namespace: of the Pod.
        service_account: its name; `""` is `default`.
        now: with a time zone.
    """
    holding = [
        one
        for one in exemptions
        if one.holds(namespace=namespace, service_account=service_account, now=now)
    ]
    covers = ((image, one) for image in images for one in holding if one.covers(image))
    found: dict[str, Exemption] = {}
    for image, one in covers:
        found.setdefault(image, one)
    return found


def expired(exemptions: Iterable[Exemption], *, now: datetime) -> tuple[Exemption, ...]:
    """Those that no longer hold, in order; `now` has a time zone."""
    return tuple(one for one in exemptions if one.has_expired(now))


def _matches(patterns: tuple[str, ...], text: str) -> bool:
    return not patterns or any(fnmatchcase(text, pattern) for pattern in patterns)
