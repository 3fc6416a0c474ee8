"""Live settings of a running process, and their exchange."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from app.bootstrap.files import Wanted
from app.bootstrap.options import options
from app.bootstrap.registries import Sources
from app.checker import Checker, Options


class Switch:
    """Exchanges what a process was given by its settings; for the event loop.

    Args:
        checker: answers reviews.
        sources: that it asks.
        wanted: what it was made from.
        make: sources for other settings; opens nothing yet.
        settle: called when large things were made that stay, as `gc.freeze` is.

    Attributes:
        wanted: what holds.
        sources: that reviews ask which begin now.
    """

    def __init__(
        self,
        checker: Checker,
        sources: Sources,
        wanted: Wanted,
        make: Callable[[Wanted], Sources],
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        self.wanted = wanted
        self.sources = sources
        self._checker = checker
        self._make = make
        self._settle = settle
        self._closing: dict[asyncio.Task[None], Sources] = {}

    async def to(self, wanted: Wanted) -> None:
        """Reviews that begin after this are decided by other settings.

        The old registries are closed after the last review that asks them. If this
        is given up, the old settings hold.
        """
        chosen, last = options(wanted.settings), self.wanted
        registry = wanted.settings.registry
        if (registry, wanted.files) == (last.settings.registry, last.files):
            await self._checker.exchange(chosen)
        else:
            await self._exchange(chosen, self._make(wanted))
        self.wanted = wanted
        before = last.settings.policy.unpublished_features
        if wanted.settings.policy.unpublished_features is not before:
            self._settle()  # there are other indexes now; see `webhook.interpreter`

    async def _exchange(self, chosen: Options, new: Sources) -> None:
        new.inherit(self.sources)
        try:
            await self._checker.exchange(chosen, new.port)
        except BaseException:
            await new.close()
            raise
        old, self.sources = self.sources, new
        task = asyncio.create_task(self._close_unused(old))
        self._closing[task] = old

    async def _close_unused(self, sources: Sources) -> None:
        await self._checker.until_unused(sources.port)
        await sources.close()
        task = asyncio.current_task()
        if task is not None:
            self._closing.pop(task, None)

    async def close(self) -> None:
        """Closes all sources, whoever still asks them."""
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)
        for sources in (*self._closing.values(), self.sources):
            await sources.close()
        self._closing.clear()
