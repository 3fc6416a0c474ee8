"""One run for many who want the same: single flight."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Joined(Generic[K, V]):
    """Runs a coroutine for a key; who asks meanwhile gets the same result.

    A run goes on when those who wait for it are cancelled; it must end by itself.
    """

    def __init__(self) -> None:
        self._runs: Final[dict[K, asyncio.Task[V]]] = {}

    def __contains__(self, key: K) -> bool:
        return key in self._runs

    async def run(self, key: K, make: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """What the run for `key` returns, or raises; begun if there is none.

        Args:
            key: of the run.
            make: makes the coroutine, if one is needed.
        """
        task = self._runs.get(key)
        if task is None:
            task = self._runs[key] = asyncio.create_task(make())
            task.add_done_callback(lambda _: self._runs.pop(key))
        return await asyncio.shield(task)
