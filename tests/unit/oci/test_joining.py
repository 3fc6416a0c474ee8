"""One run for many who want the same."""

import asyncio
import gc

import pytest

from app.oci.joining import Joined


class Work:
    """Counts its runs; they end when `gate` is set."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.runs = 0

    async def run(self) -> int:
        self.runs += 1
        await self.gate.wait()
        return self.runs

    async def fail(self) -> int:
        await self.run()
        raise ValueError("x")


async def test_who_asks_meanwhile_gets_the_same_result() -> None:
    joined, work = Joined[str, int](), Work()
    waiting = [asyncio.create_task(joined.run("a", work.run)) for _ in range(9)]
    await asyncio.sleep(0)
    assert "a" in joined
    work.gate.set()
    assert [1] * 9 == await asyncio.gather(*waiting)
    assert "a" not in joined


async def test_who_asks_later_or_for_another_gets_a_run_of_its_own() -> None:
    joined, work = Joined[str, int](), Work()
    work.gate.set()
    assert 1 == await joined.run("a", work.run)
    assert 2 == await joined.run("a", work.run)
    assert 3 == await joined.run("b", work.run)


async def test_a_run_that_fails_fails_for_all_and_is_forgotten() -> None:
    joined, work = Joined[str, int](), Work()
    waiting = [asyncio.create_task(joined.run("a", work.fail)) for _ in range(2)]
    await asyncio.sleep(0)
    work.gate.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert [ValueError, ValueError] == [type(one) for one in found]
    assert "a" not in joined


async def test_a_run_goes_on_when_nobody_waits_any_more() -> None:
    joined, work = Joined[str, int](), Work()
    waiting = asyncio.create_task(joined.run("a", work.run))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    assert "a" in joined
    work.gate.set()
    assert 1 == await joined.run("a", work.run)


async def test_a_failure_that_nobody_waits_for_is_no_fault_of_the_loop() -> None:
    faults: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: faults.append(context))
    joined, work = Joined[str, int](), Work()
    waiting = asyncio.create_task(joined.run("a", work.fail))
    await asyncio.sleep(0)
    waiting.cancel()
    work.gate.set()
    while "a" in joined:  # noqa: ASYNC110 - it ends by itself
        await asyncio.sleep(0)
    del waiting
    gc.collect()
    assert [] == faults


async def test_a_run_that_is_cancelled_is_forgotten() -> None:
    joined, work = Joined[str, int](), Work()
    waiting = asyncio.create_task(joined.run("a", work.run))
    await asyncio.sleep(0)
    (run,) = asyncio.all_tasks() - {waiting, asyncio.current_task()}
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert "a" not in joined
