"""How long the event loop keeps reviews waiting, whatever happens around them.

A monitor in the server (`bench.loop`) watches while 200 reviews a second come in,
and one thing at a time happens besides. The value is the longest step between two
`await`s, in processor time of the loop's thread. Beside it is how late the loop was
for others, whatever the cause; the first line, an echo under the same load, tells
how much of that is the machine's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from bench import attacks, client, scene, served
from bench.client import Result
from bench.figure import Figure, Rows
from bench.loop import Waits
from bench.served import Server, Setting

GOAL_MILLISECONDS: Final = 10.0
RATE: Final = 200.0
SECONDS: Final = 5.0
NODES: Final = 5_000
MANY_NODES: Final = 15_000

_Act = Callable[[Server], Awaitable[object]]


async def figures() -> AsyncIterator[Figure]:
    """The longest wait in each case."""
    bodies = scene.bodies()
    async with served.serving(Setting(answers="echo", is_monitored=True)) as echo:
        yield await _case("echo", echo, bodies, None, goal=None)
    async with served.serving(Setting(nodes=NODES, is_monitored=True)) as server:
        await client.load(server.plan(bodies, 2.0, RATE))
        for name, act in _CASES.items():
            yield await _case(name, server, bodies, act)
    async with served.serving(Setting(nodes=MANY_NODES, is_monitored=True)) as server:
        await client.load(server.plan(bodies, 2.0, RATE))
        act = _attack((attacks.unseen("misfit"),), 2.0)
        yield await _case("denial_of_15000_nodes", server, bodies, act)


async def _case(
    name: str,
    server: Server,
    bodies: tuple[str, ...],
    act: _Act | None,
    *,
    goal: float | None = GOAL_MILLISECONDS,
) -> Figure:
    await server.ask("monitor")
    happening = asyncio.ensure_future(act(server)) if act is not None else None
    result = await client.load(server.plan(bodies, SECONDS, RATE))
    if happening is not None:
        await happening
    await server.ask("calm")
    return _figure(name, await server.waits(), result, goal)


def _figure(name: str, waits: Waits, result: Result, goal: float | None) -> Figure:
    return Figure(
        name=f"event_loop_{name}",
        value=waits.step,
        unit="milliseconds, longest step",
        goal=goal,
        beside={
            "steps of more than 10 ms": waits.steps_over,
            "longest garbage collection": waits.collection,
            "longest wait": waits.longest,
            "p99.9 of the waits": waits.p999,
            "p99 of the waits": waits.p99,
            "waits of more than 10 ms": waits.over,
            "p99 of the reviews": result.p99,
            "longest review": result.slowest,
            "reviews per second": result.rate,
            "failed": result.failed,
        },
        note=f"longest step: {waits.step_of}",
    )


async def _nothing(server: Server) -> None:
    del server


async def _churn(server: Server) -> None:
    await server.ask("churn", every_seconds=0.1)


async def _change_many(server: Server) -> None:
    for _ in range(3):
        await asyncio.sleep(1)
        await server.ask("change", count=256)


async def _change_all(server: Server) -> None:
    await asyncio.sleep(1)
    await server.ask("change", count=NODES)


async def _relist(server: Server) -> None:
    for _ in range(2):
        await asyncio.sleep(1)
        await server.ask("relist")


def _attack(bodies: tuple[str, ...], rate: float) -> _Act:
    async def act(server: Server) -> Result:
        seconds = SECONDS - 1
        plan = server.plan(bodies, seconds, rate, connections=8)
        return await client.load(plan)

    return act


_CASES: Final[dict[str, _Act]] = {
    "steady": _nothing,
    "node_change_every_100_ms": _churn,
    "256_nodes_at_once": _change_many,
    "all_nodes_at_once": _change_all,
    "relist": _relist,
    "new_specs": _attack(
        tuple(map(attacks.unseen, ("cuda-12.4", "x86-64-v3", "kvm-nested"))), 5.0
    ),
    "too_costly_specs": _attack((attacks.unseen("too-costly"),), 1.0),
    "costly_specs": _attack((attacks.unseen("costly"),), 1.0),
    "costly_templates": _attack((attacks.unseen("template"),), 1.0),
    "odd_pods": _attack(attacks.odd_pods(), 4.0),
}

ROWS: Final[Rows] = {"event_loop": figures}
