"""One image over several ways: mirrors first, its own registry last.

1. Hosts are asked in their order. One that fails, lacks what is wanted, or answers
   with something else is passed over: the next one is asked.
2. A tag is resolved by hosts that the operator trusts with it, content that goes by
   its digest by any that may be pulled from.
3. What refers to a digest is not verified by it: hosts are asked that may resolve.
   A mirror's list without a spec is not final, for a pull-through cache seldom has
   it; the next host is asked, and the last one's word counts.
4. If all fail, the outcome is the last host's, so that a mirror without the image
   and a registry that does not answer make "could not look", never "there is none".
5. A mirror has a `SHARE` of the time that is left; one that could not be asked is
   not asked again by this lookup.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from app.errors import RegistryError
from app.oci.credentials import NOTHING, Keyring
from app.oci.failure import LookupFailedError, unavailable
from app.oci.images import selection
from app.oci.images.digest import Digest
from app.oci.images.manifests import Descriptor
from app.oci.images.reference import Reference
from app.oci.images.source import Root, Source
from app.oci.registry.client import RemoteSource
from app.oci.registry.shared import Shared
from app.oci.ways.way import Way
from app.oci.ways.ways import Observer
from app.ports import Unavailable

SHARE: Final = 0.25
"""Of what is left of a lookup; a hanging mirror leaves the rest to the others."""

_T = TypeVar("_T")


def source(
    shared: Shared, image: Reference, *, ends: float, keyring: Keyring = NOTHING
) -> Source:
    """Where an image is read from, by all ways that the operator configured.

    Args:
        shared: what lookups share.
        image: what is looked for.
        ends: the deadline, on `shared.clock`.
        keyring: of the Pod that wants it.
    """
    ways = shared.ways.of(image, shared.policy)
    sources = [
        (way, RemoteSource(shared, image, ends=ends, keyring=keyring, way=way))
        for way in ways
    ]
    if len(sources) == 1:
        return sources[0][1]
    return MirroredSource(sources, shared, image, ends=ends)


@dataclass(slots=True)
class _Host:
    way: Way
    source: Source
    is_out: bool = False
    """It could not be asked, and is not asked again."""


class MirroredSource:
    """Implements `Source` over several.

    Args:
        sources: in the order in which they are asked; the last one's word is final.
        shared: whose clock and observer of ways are used.
        image: what is looked for.
        ends: the deadline, on that clock.
    """

    def __init__(
        self,
        sources: Sequence[tuple[Way, Source]],
        shared: Shared,
        image: Reference,
        *,
        ends: float,
    ) -> None:
        self._hosts: Final = [_Host(way, one) for way, one in sources]
        self._image: Final = image
        self._clock: Final = shared.clock
        self._observer: Final[Observer] = shared.ways.observer
        self._ends: Final = ends

    async def resolve(self) -> Root:
        """See `source.Source` (2)."""
        by_tag = self._image.digest is None
        hosts = [
            one
            for one in self._hosts
            if (one.way.can_resolve if by_tag else one.way.can_pull)
        ]
        return await self._first(hosts, lambda one: one.resolve())

    async def manifest(self, digest: Digest, *, most_bytes: int) -> bytes:
        """See `source.Source`."""
        return await self._first(
            self._pulled(), lambda one: one.manifest(digest, most_bytes=most_bytes)
        )

    async def blob(self, digest: Digest, *, most_bytes: int) -> bytes:
        """See `source.Source`."""
        return await self._first(
            self._pulled(), lambda one: one.blob(digest, most_bytes=most_bytes)
        )

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """See `source.Source` (3)."""
        hosts = [one for one in self._hosts if one.way.can_list]
        return await self._first(
            hosts, lambda one: one.referrers(subject), is_enough=_has_ours
        )

    def _pulled(self) -> list[_Host]:
        return [one for one in self._hosts if one.way.can_pull]

    # Asking ---------------------------------------------------------------------

    async def _first(
        self,
        hosts: Sequence[_Host],
        ask: Callable[[Source], Awaitable[_T]],
        is_enough: Callable[[_T], bool] = lambda _: True,
    ) -> _T:
        """The first answer that is enough, else the last host's, else its failure."""
        if not hosts:
            text = f"no host may be asked for that of {self._image.domain}"
            raise unavailable("NoWay", text)
        *mirrors, last = hosts
        for one in mirrors:
            if one.is_out:
                continue
            try:
                answer = await self._share(one, ask)
            except RegistryError as error:
                self._passed_over(one, error)
                continue
            self._observer.passed_over(one.way.host, "")
            if is_enough(answer):
                return answer
        return await ask(last.source)

    async def _share(self, one: _Host, ask: Callable[[Source], Awaitable[_T]]) -> _T:
        """A mirror's answer, within its share (5)."""
        left = max(self._ends - self._clock(), 0.0)
        try:
            async with asyncio.timeout(left * SHARE):
                return await ask(one.source)
        except TimeoutError as error:
            text = f"{one.way.host} did not answer in its share of the time"
            raise unavailable("Timeout", text) from error

    def _passed_over(self, one: _Host, error: RegistryError) -> None:
        if isinstance(error, LookupFailedError):
            one.is_out = isinstance(error.outcome, Unavailable)
        self._observer.passed_over(one.way.host, error.reason)


def _has_ours(listed: Sequence[Descriptor]) -> bool:
    return any(selection.is_ours(one) or selection.may_be_ours(one) for one in listed)
