import asyncio
import logging
import threading

import pytest

from app.checker import worker as module
from app.checker.worker import Worker


async def test_work_is_done_in_a_thread_of_its_own_in_order() -> None:
    worker, done = Worker(), list[tuple[str, bool]]()
    here = threading.get_ident()

    async def work(name: str) -> None:
        there = await worker.run(threading.get_ident)
        done.append((name, there != here))

    await worker.do({name: lambda name=name: work(name) for name in "abc"}, 5.0)  # type: ignore[misc]
    assert [("a", True), ("b", True), ("c", True)] == done
    await worker.close()


async def test_the_same_work_is_done_once_for_all_who_want_it() -> None:
    worker, times = Worker(), list[int]()

    async def work() -> None:
        await asyncio.sleep(0)
        times.append(1)

    await asyncio.gather(*(worker.do({"x": work}, 5.0) for _ in range(3)))
    assert [1] == times
    await worker.do({"x": work}, 5.0)
    assert [1, 1] == times
    await worker.close()


async def test_late_work_goes_on() -> None:
    worker, go, times = Worker(), asyncio.Event(), list[int]()

    async def work() -> None:
        await go.wait()
        times.append(1)

    await worker.do({"x": work}, 0.0)
    assert [] == times
    go.set()
    await worker.do({"x": work}, 5.0)
    assert [1] == times
    await worker.close()


async def test_no_more_waits_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING", 2)
    worker, go, done = Worker(), asyncio.Event(), set[str]()

    async def work(name: str) -> None:
        await go.wait()
        done.add(name)

    works = {name: lambda name=name: work(name) for name in "abc"}
    await worker.do(works, 0.0)
    go.set()
    await worker.do({"a": works["a"], "b": works["b"]}, 5.0)
    assert {"a", "b"} == done
    await worker.do({}, 5.0)
    await worker.close()


async def test_what_fails_is_in_the_log_and_raised(
    caplog: pytest.LogCaptureFixture,
) -> None:
    worker = Worker()

    async def work() -> None:
        raise LookupError("a bug")

    with caplog.at_level(logging.ERROR), pytest.raises(LookupError, match="a bug"):
        await worker.do({"x": work}, 5.0)
    assert ["evaluation failed"] == [record.message for record in caplog.records]
    await worker.close()


async def test_closing_gives_up_what_waits() -> None:
    worker, done = Worker(), list[int]()

    async def work() -> None:
        await asyncio.Event().wait()
        done.append(1)

    await worker.do({"x": work, "y": work}, 0.0)
    await worker.close()
    assert [] == done
    with pytest.raises(RuntimeError):
        await worker.run(lambda: None)
