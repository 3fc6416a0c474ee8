"""Reviews a second, and how long one takes, beside the same app that only echoes.

Server and client are processes of their own, each kept on a core. The echo is the
same FastAPI application over the same TLS: it reads the whole review as ours does
(msgspec), allows it and gives its uid back; what is left is what we do ourselves.
The two take turns. The client's own share of its core is printed: below one it was
not what was measured.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import msgspec

from bench import client, scene, served
from bench.client import Result
from bench.figure import Figure
from bench.served import Setting

NODES: Final = 5_000
TURNS: Final = 3
SECONDS: Final = 4.0
STEADY_RATE: Final = 200.0
GOAL_SHARE: Final = 0.5
GOAL_MILLISECONDS: Final = 10.0
WARM_SECONDS: Final = 2.0


async def figures() -> AsyncIterator[Figure]:
    """The rate as a share of the echo's, and two kinds of p99."""
    bodies = scene.bodies()
    ours: list[Result] = []
    bare: list[Result] = []
    async with (
        served.serving(Setting(nodes=NODES)) as server,
        served.serving(Setting(answers="echo")) as echo,
    ):
        await client.load(server.plan(bodies, WARM_SECONDS))
        await client.load(echo.plan(bodies, WARM_SECONDS))
        for _ in range(TURNS):
            bare.append(await client.load(echo.plan(bodies, SECONDS)))
            ours.append(await client.load(server.plan(bodies, SECONDS)))
        steady = await client.load(server.plan(bodies, 2 * SECONDS, STEADY_RATE))
        steady_bare = await client.load(echo.plan(bodies, SECONDS, STEADY_RATE))
    best, best_bare = _fastest(ours), _fastest(bare)
    yield Figure(
        name="reviews_per_second",
        value=best.rate / best_bare.rate,
        unit="share of the same app that echoes",
        goal=GOAL_SHARE,
        better="higher",
        beside={
            "reviews per second": best.rate,
            "echoes per second": best_bare.rate,
            "microseconds more than an echo": 1e6 / best.rate - 1e6 / best_bare.rate,
            "client's share of its core, reviews": best.busy,
            "client's share of its core, echoes": best_bare.busy,
            "failed": sum(one.failed for one in [*ours, *bare]),
            **_said(best),
        },
    )
    yield _slow("reviews_p99_closed_loop", min(ours, key=_p99), min(bare, key=_p99))
    yield _slow("reviews_p99_at_200_per_second", steady, steady_bare)


def _fastest(results: list[Result]) -> Result:
    return max(results, key=lambda one: one.rate)


def _p99(result: Result) -> float:
    return result.p99


def _slow(name: str, one: Result, bare: Result) -> Figure:
    return Figure(
        name=name,
        value=one.p99,
        unit="milliseconds, p99",
        goal=GOAL_MILLISECONDS,
        beside={
            "p50": one.p50,
            "p99.9": one.p999,
            "longest": one.slowest,
            "p50 of an echo": bare.p50,
            "p99 of an echo": bare.p99,
            "reviews per second": one.rate,
            "failed": one.failed,
        },
    )


def _said(result: Result) -> dict[str, float]:
    """How many shapes were allowed, warned about and denied."""
    counts = {"shapes allowed": 0.0, "shapes warned about": 0.0, "shapes denied": 0.0}
    for texts in result.texts:
        response = msgspec.json.decode(texts[0])["response"] if texts else {}
        if not response.get("allowed"):
            counts["shapes denied"] += 1
        elif response.get("warnings"):
            counts["shapes warned about"] += 1
        else:
            counts["shapes allowed"] += 1
    return counts
