"""What reviews are decided by, and its exchange while they go on.

A review takes the setup that holds when it begins, and ends on it: it sees wholly
old or wholly new options and registries. What a new setup needs is made aside:

| what differs | what is made anew |
|---|---|
| policy, exemptions, texts, `max_reviews`, candidates | nothing |
| tags | explanations; the answers for specs that are remembered |
| what an unpublished feature is | both indexes, explanations and those answers |
| registries | nothing here: the new port brings a memory of its own |

Parsed specs and the worker thread are the same in every setup. An index that is
still behind would deny nothing wrongly, since each review catches up first; it is
brought up to date before the exchange so that no review waits for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

from app.checker.explanation import Explainer
from app.checker.gathering import Gathering
from app.checker.options import Options
from app.checker.view import View
from app.ports import Artifacts, Cluster
from app.telemetry import Metrics

WARM_SECONDS: Final = 5.0
"""How long an exchange may be put off so that specs are judged before reviews ask;
those that are left over are judged for the first review that asks."""


@dataclass(slots=True, eq=False)
class Setup:
    """What reviews are decided by from one exchange to the next.

    Attributes:
        options: the admin's decisions.
        gathering: finds out, with what these decisions need.
        reviews: that use it now.
    """

    options: Options
    gathering: Gathering
    reviews: int = 0


def first_setup(
    cluster: Cluster, artifacts: Artifacts, metrics: Metrics, options: Options
) -> Setup:
    """The setup that a process starts with."""
    view = View(cluster, unpublished=options.unpublished)
    gathering = Gathering(
        cluster,
        artifacts,
        options.policy,
        options.candidates,
        options.tags,
        view,
        Explainer(view.index, view.nodes, options.tags),
        metrics=metrics,
    )
    return Setup(options, gathering)


async def next_setup(last: Setup, options: Options, artifacts: Artifacts) -> Setup:
    """The setup after `last`, up to date; `last` stays in use meanwhile."""
    before, old = last.options, last.gathering
    if options.candidates == before.candidates:
        # Answers about candidates are remembered by the identity of their options.
        options = replace(options, candidates=before.candidates)
    view, explainer = old.view, old.explainer
    if options.unpublished is not before.unpublished:
        view = View(old.cluster, unpublished=options.unpublished)
    is_judged_anew = view is not old.view or options.tags != before.tags
    if is_judged_anew:
        explainer = Explainer(view.index, view.nodes, options.tags)
    gathering = replace(
        old,
        artifacts=artifacts,
        policy=options.policy,
        options=options.candidates,
        tags=options.tags,
        view=view,
        explainer=explainer,
    )
    await view.catch_up(is_urgent=False)
    if is_judged_anew:
        await _warm(gathering, old)
    return Setup(options, gathering)


async def _warm(gathering: Gathering, old: Gathering) -> None:
    """Judges the specs that are in use: one at a time, for reviews come first."""
    ends = time.monotonic() + WARM_SECONDS
    for digest in old.view.index.keys(old.tags):
        left = ends - time.monotonic()
        if left <= 0:
            break
        with suppress(Exception):  # the worker has logged it; reviews answer it
            await gathering.warm(digest, left)
    await gathering.view.catch_up()


class Setups:
    """The setup of reviews that begin, and those that reviews under way end on.

    Attributes:
        current: of reviews that begin.
    """

    def __init__(self, setup: Setup) -> None:
        self.current = setup
        self._leaving: Final[list[Setup]] = []
        self._left: Final = asyncio.Event()
        self._one_at_a_time: Final = asyncio.Lock()

    @contextmanager
    def use(self) -> Iterator[Setup]:
        """The setup of a review, from its beginning to its end."""
        setup = self.current
        setup.reviews += 1
        try:
            yield setup
        finally:
            setup.reviews -= 1
            if not setup.reviews and setup is not self.current:
                self._leaving.remove(setup)
                self._left.set()

    async def exchange(self, options: Options, artifacts: Artifacts | None) -> None:
        """Makes the next setup, then puts it in the place of the current one.

        Args:
            options: the new ones.
            artifacts: the new ones; `None` to keep the old.
        """
        async with self._one_at_a_time:
            last = self.current
            kept = last.gathering.artifacts if artifacts is None else artifacts
            self.current = await next_setup(last, options, kept)
            if last.reviews:
                self._leaving.append(last)
            self._left.set()

    async def until_unused(self, artifacts: Artifacts) -> None:
        """Ends when no review uses a port any more, and none will."""
        while any(
            setup.gathering.artifacts is artifacts
            for setup in (self.current, *self._leaving)
        ):
            self._left.clear()
            await self._left.wait()
