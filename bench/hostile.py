"""Others' reviews while hostile specs arrive: how long they take, what they say.

200 reviews a second, first alone; then while an image with a hostile spec comes in,
under another digest every second. Every answer is compared with those without the
attack, body by body.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from bench import attacks, client, scene, served
from bench.client import Result
from bench.figure import Figure
from bench.served import Setting

RATE: Final = 200.0
SECONDS: Final = 8.0
GOAL_MILLISECONDS: Final = 25.0
SPECS: Final = ("too-costly", "costly", "template")


async def figures() -> AsyncIterator[Figure]:
    """p99 of the others for each hostile spec, and how many verdicts changed."""
    bodies = scene.bodies()
    changed, answers = 0, 0
    for name in SPECS:
        async with served.serving(Setting()) as server:
            await client.load(server.plan(bodies, 2.0, RATE))
            alone = await client.load(server.plan(bodies, SECONDS / 2, RATE))
            unseen = (attacks.unseen(name),)
            attacker = server.plan(unseen, SECONDS, 1.0, connections=8)
            others, attack = await asyncio.gather(
                client.load(server.plan(bodies, SECONDS, RATE)), client.load(attacker)
            )
        changed += _changed(alone, others)
        answers += others.answers
        yield _slow(name, alone, others, attack)
    yield Figure(
        name="hostile_verdicts_changed",
        value=changed,
        unit="answers that differ from those without the attack",
        goal=0,
        beside={"answers": answers},
    )


def _changed(alone: Result, others: Result) -> int:
    """Bodies with an answer that they did not get before, and failures."""
    pairs = zip(alone.texts, others.texts, strict=True)
    return others.failed + sum(set(now) != set(before) for before, now in pairs)


def _slow(name: str, alone: Result, others: Result, attack: Result) -> Figure:
    return Figure(
        name=f"hostile_{name.replace('-', '_')}_p99",
        value=others.p99,
        unit="milliseconds, p99 of the other reviews",
        goal=GOAL_MILLISECONDS,
        beside={
            "p99 without the attack": alone.p99,
            "p50": others.p50,
            "longest": others.slowest,
            "reviews per second": others.rate,
            "hostile reviews answered": attack.answers,
            "p50 of the hostile ones": attack.p50,
            "longest of the hostile ones": attack.slowest,
        },
    )
