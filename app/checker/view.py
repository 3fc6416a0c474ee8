"""The cluster as reviews see it: nodes and features in indexes, kept up to date.

Both indexes belong to the event loop and number nodes alike, so that candidates
and judgements are joined by one `&`. What changed since the last review is taken
in before the next, in portions, so that nobody else waits long even when every
node has changed. A portion holds whole nodes, as if the watch had brought the
others a moment later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import compress, islice
from operator import is_not
from typing import Final, TypeVar

from app.bits import Bits
from app.checker.evaluation import Platforms
from app.compat.index import Index
from app.compat.outcome import UnpublishedFeatures
from app.ports import Cluster, Platform, Snapshot
from app.scheduling.index import NodeIndex

PORTION: Final = 64
"""Nodes that are taken in without a pause: some milliseconds at most."""

ASIDE_SECONDS: Final = 0.002
"""Between portions that nobody waits for."""

MAX_REMEMBERED: Final = 1024
"""Sets of candidates whose platforms are remembered."""

_T = TypeVar("_T")


class View:
    """Follows a cluster's snapshots; only for the event loop.

    Attributes:
        nodes: who is there, under which number, and who takes a Pod.
        index: what specs say of the same nodes.
    """

    def __init__(
        self,
        cluster: Cluster,
        *,
        unpublished: UnpublishedFeatures = UnpublishedFeatures.UNKNOWN,
    ) -> None:
        self.nodes: Final = NodeIndex()
        self.index: Final = Index(number=_numbers(self.nodes), unpublished=unpublished)
        self._cluster: Final = cluster
        self._newest: Snapshot = Snapshot()
        self._pending: dict[str, None] = {}
        self._platforms: dict[Bits, Platforms] = {}
        self._labelled: dict[str, bool] = {}
        self._remembered_at = -1
        self._one_at_a_time: Final = asyncio.Lock()

    def platforms(self, nodes: Bits) -> Platforms:
        """The nodes of a set by platform; remembered until a node changes."""
        self._forget_old()
        found = self._platforms.get(nodes)
        if found is None:
            pairs = self.nodes.platforms(nodes).items()
            found = {Platform(*pair) if pair else None: bits for pair, bits in pairs}
            if len(self._platforms) < MAX_REMEMBERED:
                self._platforms[nodes] = found
        return found

    def labelled(self, key: str) -> bool:
        """Whether any node carries a label; remembered likewise."""
        self._forget_old()
        found = self._labelled.get(key)
        if found is None:
            found = self._labelled[key] = bool(self.nodes.labelled(key))
        return found

    def _forget_old(self) -> None:
        if self._remembered_at != self.nodes.generation:
            self._platforms.clear()
            self._labelled.clear()
            self._remembered_at = self.nodes.generation

    async def catch_up(self, *, is_urgent: bool = True) -> None:
        """Takes in what has changed; then, until the next `await`, nothing does.

        Args:
            is_urgent: somebody waits. If not, portions are smaller, and others have
                time between them.
        """
        most, pause = (PORTION, 0.0) if is_urgent else (PORTION // 2, ASIDE_SECONDS)
        self._look()
        if len(self._pending) <= PORTION:
            if self._pending:
                self._take_in()
            return
        async with self._one_at_a_time:
            self._look()
            while self._pending:
                self._take_in(most)
                await asyncio.sleep(pause)
                self._look()

    def _look(self) -> None:
        """Notes the nodes of which something is another object now."""
        last, now = self._newest, self._cluster.snapshot()
        if now is last:
            return
        self._pending.update(dict.fromkeys(_differing(last.nodes, now.nodes)))
        self._pending.update(dict.fromkeys(_differing(last.features, now.features)))
        self._newest = now

    def _take_in(self, most: int = PORTION) -> None:
        portion = list(islice(self._pending, most))
        for name in portion:
            del self._pending[name]
        now = self._newest
        there = {name: now.nodes[name] for name in portion if name in now.nodes}
        gone = [
            name
            for name in portion
            if name not in there and self.nodes.number(name) is not None
        ]
        features = {name: now.features.get(name) for name in there}
        self.nodes.change(there, gone)
        self.index.change({**dict.fromkeys(gone), **features})


def _numbers(nodes: NodeIndex) -> Callable[[str], int]:
    """Name -> number. Knows no `View`: one that is let go is gone at once.

    The collector may have been told not to look for what is left in cycles.
    """

    def number(name: str) -> int:
        found = nodes.number(name)
        assert found is not None, "features are taken in after their node"  # noqa: S101 - a bug of ours
        return found

    return number


def _differing(last: Mapping[str, _T], now: Mapping[str, _T]) -> Iterable[str]:
    """The names that are gone, are new, or stand for another object."""
    if last is now:
        return ()
    if list(last) == list(now):
        return compress(now, map(is_not, last.values(), now.values()))
    return _one_by_one(last, now)


def _one_by_one(last: Mapping[str, _T], now: Mapping[str, _T]) -> Iterator[str]:
    yield from (name for name in last if name not in now)
    yield from (name for name, one in now.items() if last.get(name) is not one)
