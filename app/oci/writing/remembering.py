"""A source that reads everything once, so that two questions get one answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Final, TypeVar, cast

from app.oci.images.digest import Digest
from app.oci.images.manifests import Descriptor
from app.oci.images.source import Root, Source

_T = TypeVar("_T")

AT_ONCE: Final = 8
"""Requests to one store at the same time."""


class Remembering:
    """Implements `source.Source` on another one.

    What is asked again, even while the first answer is on its way,
    gets the first answer, or the first error.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: dict[Hashable, asyncio.Task[object]] = {}
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def resolve(self) -> Root:
        """See `source.Source`."""
        return await self._once("root", self._source.resolve)

    async def manifest(self, digest: Digest, *, most_bytes: int) -> bytes:
        """See `source.Source`."""
        return await self._once(
            ("manifest", digest, most_bytes),
            lambda: self._source.manifest(digest, most_bytes=most_bytes),
        )

    async def blob(self, digest: Digest, *, most_bytes: int) -> bytes:
        """See `source.Source`."""
        return await self._once(
            ("blob", digest, most_bytes),
            lambda: self._source.blob(digest, most_bytes=most_bytes),
        )

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        """See `source.Source`."""
        return await self._once(
            ("referrers", subject), lambda: self._source.referrers(subject)
        )

    async def _once(self, key: Hashable, ask: Callable[[], Awaitable[_T]]) -> _T:
        task = self._known.get(key)
        if task is None:
            task = self._known[key] = asyncio.create_task(self._ask(ask))
        return cast("_T", await asyncio.shield(task))

    async def _ask(self, ask: Callable[[], Awaitable[object]]) -> object:
        async with self._turns:
            return await ask()

    async def close(self) -> None:
        """Leaves nothing under way."""
        for task in self._known.values():
            task.cancel()
        await asyncio.gather(*self._known.values(), return_exceptions=True)
