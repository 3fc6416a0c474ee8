"""Who takes how many turns."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from app.oci.lookups.turns import Gate, Turns, gates


async def taken(turns: Turns, *wanted: tuple[Gate, ...]) -> int:
    """How many of those who want a turn at the same time get one at once."""
    got = 0

    async def take(through: tuple[Gate, ...]) -> None:
        nonlocal got
        async with turns.turn(through):
            got += 1
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(take(one)) for one in wanted]
    for _ in range(20):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return got


def through(host: str, **who: bool) -> tuple[Gate, ...]:
    return gates(host, 64, 8, **{"is_known": False, **who})


@pytest.mark.parametrize(
    ("hosts", "who", "expected"),
    [
        pytest.param(["r.example"], {"is_named": True}, 8, id="one-registry"),
        pytest.param(["r.example"], {"is_known": True}, 8, id="one-known"),
        pytest.param(["r.example"], {}, 8, id="one-unknown"),
        pytest.param(
            [f"h{n}.evil.example" for n in range(99)], {}, 8, id="an-unknown-zone"
        ),
        pytest.param([f"{n}.example" for n in range(99)], {}, 32, id="unknown-zones"),
        pytest.param(
            [f"h{n}.evil.example" for n in range(99)],
            {"is_known": True},
            16,
            id="a-zone-that-answered",
        ),
        pytest.param(
            [f"{n}.example" for n in range(99)], {"is_known": True}, 64, id="known"
        ),
        pytest.param(
            [f"h{n}.our.example" for n in range(99)], {"is_named": True}, 64, id="named"
        ),
    ],
)
async def test_so_many_lookups_run_at_the_same_time(
    hosts: list[str], who: dict[str, bool], expected: int
) -> None:
    wanted = [through(host, **who) for host in hosts for _ in range(9)]
    assert expected == await taken(Turns(), *wanted)


async def test_however_many_unknown_ones_wait_known_ones_run() -> None:
    turns = Turns()
    unknown = [through(f"{n}.example") for n in range(99)]
    known = [through(f"known-{n}.example", is_known=True) for n in range(32)]
    assert 64 == await taken(turns, *unknown, *known)
    assert 0 == len(turns)


@pytest.mark.parametrize(("most", "expected"), [(1, 1), (2, 1), (3, 1), (4, 2)])
async def test_unknown_ones_have_half_and_one_at_the_least(
    most: int, expected: int
) -> None:
    wanted = [gates(f"{n}.example", most, 8, is_known=False) for n in range(9)]
    assert expected == await taken(Turns(), *wanted)


async def test_a_zone_that_answered_has_room_for_one_registry() -> None:
    wanted = [gates("r.example", 8, 6, is_known=True) for _ in range(9)]
    assert 6 == await taken(Turns(), *wanted)


async def test_who_leaves_lets_the_next_one_in() -> None:
    turns, order = Turns(), []
    gate = (Gate("r.example", 1),)

    async def take(name: str) -> None:
        async with turns.turn(gate):
            order.append(name)
            await asyncio.sleep(0)

    await asyncio.gather(take("a"), take("b"), take("c"))
    assert ["a", "b", "c"] == order
    assert 0 == len(turns)


async def test_a_turn_is_free_until_one_of_its_gates_is_full() -> None:
    turns, wide, narrow = Turns(), Gate("a", 2), Gate("b", 1)
    assert turns.is_free((narrow, wide))
    async with turns.turn((wide,)):
        assert turns.is_free((narrow, wide))
        async with turns.turn((narrow,)):
            assert not turns.is_free((narrow, wide))
        assert turns.is_free((narrow, wide))


async def test_who_is_cancelled_while_it_waits_takes_nothing_along() -> None:
    turns, gate = Turns(), (Gate("a", 1), Gate("b", 1))
    async with AsyncExitStack() as first:
        await first.enter_async_context(turns.turn(gate[1:]))
        waiting = asyncio.create_task(taken(turns, gate))
        await asyncio.sleep(0)
        assert 0 == await waiting
        assert 1 == len(turns)
        assert turns.is_free(gate[:1])
    assert 1 == await taken(turns, gate)
