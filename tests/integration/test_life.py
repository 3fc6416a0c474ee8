"""The life of a process, seen from outside: drain, end, and hard times."""

import asyncio
import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import status
from tests.tools import served
from tests.tools.served import Client, Webhook, clients, request, review, webhook

pytestmark = pytest.mark.integration


# End --------------------------------------------------------------------------


class Load:
    """Connections that ask again and again, as an API server does.

    Attributes:
        answered: how many times.
        failures: what went wrong.
        last: answers that said that they were the last on their connection.
    """

    def __init__(self, one: Webhook) -> None:
        self.answered = 0
        self.last = 0
        self.failures: list[str] = []
        self.is_over = False
        self._port = one.port
        self._context = one.context

    async def keep_asking(self) -> None:
        """Asks until it is over; connects again whenever it is told to."""
        while not self.is_over:
            try:
                client = await Client.open(self._port, self._context)
            except OSError as error:
                self.failures.append(f"connect: {error!r}")
                return
            await self._ask_on(client)
            await client.close()

    async def _ask_on(self, client: Client) -> None:
        while not self.is_over:
            try:
                answer = await client.ask()
            except (OSError, EOFError) as error:
                self.failures.append(repr(error))
                return
            self.answered += answer.status == 200
            if answer.status != 200:
                self.failures.append(str(answer))
            if answer.closes:
                self.last += 1
                return


async def test_sigterm_under_load_fails_nobody(tmp_path: Path) -> None:
    with webhook(tmp_path, server={"drainSeconds": 600}) as one:
        load = Load(one)
        asking = [asyncio.create_task(load.keep_asking()) for _ in range(20)]
        await until(lambda: load.answered > 100)
        assert load.last == 0
        one.tell(signal.SIGTERM)
        await until(lambda: load.last > 100)
        code, lines = await asyncio.to_thread(one.get, "/readyz")
        assert (503, True) == (code, lines.startswith("draining"))
        assert (await asyncio.to_thread(one.get, "/livez"))[0] == 200
        found = (await asyncio.to_thread(one.get, "/statusz"))[1]
        assert status.decode(found.encode()).draining
        load.is_over = True
        await asyncio.gather(*asking)
        assert [] == load.failures
        one.tell(signal.SIGTERM)
        assert one.ended() == 0


def test_a_drain_lasts_for_as_long_as_the_setting_says(tmp_path: Path) -> None:
    with webhook(tmp_path, server={"drainSeconds": 2}) as one:
        assert one.port
        told = time.monotonic()
        one.tell(signal.SIGTERM)
        assert one.ended() == 0
    assert time.monotonic() >= told + 2


async def test_each_answer_in_a_drain_is_the_last_on_its_connection(
    tmp_path: Path,
) -> None:
    with webhook(tmp_path, server={"drainSeconds": 60}) as one:
        async with clients(one, 2) as (idle, busy):
            assert not (await busy.ask()).closes
            one.tell(signal.SIGTERM)
            one.wait_for(lambda: one.lines("draining"))
            for client in (idle, busy, await Client.open(one.port, one.context)):
                answer = await client.ask()
                assert (200, True) == (answer.status, answer.closes)
                assert await client.is_closed()


async def until(holds: Any) -> None:
    ends = time.monotonic() + served.END_SECONDS
    while not holds():
        assert time.monotonic() < ends, "this did not happen in time"
        await asyncio.sleep(0.01)


@pytest.fixture
def silent() -> Iterator[str]:
    """A registry that accepts connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def slow(silent: str) -> dict[str, Any]:
    """Settings under which a review of an image there takes its whole time."""
    return {"hosts": {silent: {"plainHttp": True, "loopback": True}}}


async def test_what_is_under_way_ends_before_the_process_does(
    tmp_path: Path, silent: str
) -> None:
    body = review(image=f"{silent}/team/image:1")
    with webhook(tmp_path, registry=slow(silent)) as one:
        async with clients(one, 2) as (client, idle):
            client.send(request(body, granted="10s"))
            await until(lambda: one.metric("admission_in_flight") == 1)
            one.tell(signal.SIGTERM)
            one.wait_for(lambda: one.lines("draining"))
            assert await idle.is_closed()
            answer = await client.answer()
            assert (200, True) == (answer.status, answer.closes)
        assert await asyncio.to_thread(one.ended) == 0


async def test_what_is_under_way_for_too_long_is_broken_off(
    tmp_path: Path, silent: str
) -> None:
    body = review(image=f"{silent}/team/image:1")
    server = {"shutdownSeconds": 0.2}
    with webhook(tmp_path, registry=slow(silent), server=server) as one:
        async with clients(one, 1) as (client,):
            client.send(request(body, granted="30s"))
            await until(lambda: one.metric("admission_in_flight") == 1)
            one.tell(signal.SIGTERM)
            assert await client.is_closed(10)
        assert await asyncio.to_thread(one.ended) == 0
    assert [] == one.lines("fault")


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_a_second_signal_ends_at_once(
    tmp_path: Path, silent: str, second: signal.Signals
) -> None:
    body = review(image=f"{silent}/team/image:1")
    server = {"drainSeconds": 600, "shutdownSeconds": 600}
    with webhook(tmp_path, registry=slow(silent), server=server) as one:
        async with clients(one, 1) as (client,):
            client.send(request(body, granted="30s"))
            await until(lambda: one.metric("admission_in_flight") == 1)
            one.tell(signal.SIGTERM)
            one.wait_for(lambda: one.lines("draining"))
            one.tell(second)
            started = time.monotonic()
            assert await asyncio.to_thread(one.ended) == 0
    assert time.monotonic() < started + 20


def test_an_interrupt_at_a_terminal_drains_shortly(tmp_path: Path) -> None:
    with webhook(tmp_path, server={"drainSeconds": 600}) as one:
        assert one.port
        one.tell(signal.SIGINT)
        assert one.ended() == 0
        (line,) = one.lines("draining")
        assert line["seconds"] == 1.0


# On the way --------------------------------------------------------------------


async def test_connections_are_given_up_by_count_and_not_together(
    tmp_path: Path,
) -> None:
    with webhook(tmp_path, server={"requestsPerConnection": 40}) as one:
        counts = [await answers_of(one) for _ in range(12)]
    assert all(30 <= count <= 51 for count in counts), counts
    assert len(set(counts)) > 2, counts


async def answers_of(one: Webhook) -> int:
    """How many answers one connection gives."""
    async with clients(one, 1) as (client,):
        count, body = 1, request(review())
        client.send(body)
        while not (await client.answer()).closes:
            count += 1
            client.send(body)
        assert await client.is_closed()
        return count


async def test_connections_are_given_up_by_age(tmp_path: Path) -> None:
    with webhook(tmp_path, server={"connectionSeconds": 1}) as one:
        async with clients(one, 1) as (client,):
            began = time.monotonic()
            while not (await client.ask()).closes:  # noqa: ASYNC110 - asks itself
                await asyncio.sleep(0.01)
            assert time.monotonic() - began >= 0.7


async def test_an_idle_connection_is_kept_for_as_long_as_the_setting_says(
    tmp_path: Path,
) -> None:
    with webhook(tmp_path, server={"keepAliveSeconds": 2}) as one:
        assert one.port
        began = time.monotonic()
        async with clients(one, 2) as (used, fresh):
            assert not (await used.ask()).closes
            assert await fresh.is_closed()
            assert time.monotonic() - began >= 2
            assert await used.is_closed()
            assert time.monotonic() - began >= 2


async def test_500_clients_at_once_are_all_answered(tmp_path: Path) -> None:
    with webhook(tmp_path, server={"maxReviews": 64}) as one:
        port = one.port

        async def asks() -> list[int]:
            client = await Client.open(port, one.context)
            found = [(await client.ask(granted="30s")).status for _ in range(5)]
            await client.close()
            return found

        codes = await asyncio.gather(*(asks() for _ in range(500)))
        assert {200} == {code for found in codes for code in found}
        async with clients(one, 1) as (client,):
            assert (await client.ask()).status == 200
        await until(lambda: one.metric("admission_in_flight") == 0)


async def test_more_reviews_than_allowed_are_shed(tmp_path: Path, silent: str) -> None:
    server = {"maxReviews": 2}
    policy = {"onOverload": "warn"}
    registry = slow(silent)
    slowly = request(review(image=f"{silent}/team/image:1"), granted="10s")
    with webhook(tmp_path, server=server, policy=policy, registry=registry) as one:
        async with clients(one, 3) as (first, second, third):
            first.send(slowly)
            second.send(slowly)
            await until(lambda: one.metric("admission_in_flight") == 2)
            answer = json.loads((await third.ask()).body)["response"]
            assert (True, ["[IC302]"]) == (answer["allowed"], codes(answer))
        assert 1 == one.metric('admission_shed_total{webhook="validate"}')
        (line,) = (e for e in one.lines("review") if e.get("not_judged") == "overload")
        assert "validate" == line["webhook"]
        found = status.decode(one.get("/statusz")[1].encode())
        assert ["overload"] == [each.not_judged for each in found.decisions]


async def test_large_bodies_without_room_are_answered_all_the_same(
    tmp_path: Path,
) -> None:
    """24 of 4 MiB do not fit into the budget; none is lost, nor is a small one."""
    whole = request(review(annotations={"x": "y" * (4 << 20)}), granted="30s")
    with webhook(tmp_path) as one:
        async with clients(one, 25) as (small, *large):
            for client in large:
                client.send(whole[:-10])
                await client.writer.drain()
            await read_by(one)
            assert (await small.ask(granted="30s")).status == 200
            for client in large:
                client.send(whole[-10:])
            answers = [await client.answer() for client in large]
        assert {(200, "u-1")} == {(each.status, each.uid) for each in answers}
        assert one.metric('admission_shed_total{webhook="validate"}') >= 1
        found = status.decode(one.get("/statusz")[1].encode())
        assert found.load.body_bytes == 0


async def read_by(one: Webhook) -> None:
    """Waits until what was sent has been read: nothing more is taken for a second."""
    last, same = -1, 0
    while same < 5:
        text = (await asyncio.to_thread(one.get, "/statusz"))[1]
        held = status.decode(text.encode()).load.body_bytes
        same = same + 1 if held == last and held else 0
        last = held
        await asyncio.sleep(0.2)


async def test_clients_that_are_slow_do_not_delay_others(tmp_path: Path) -> None:
    with webhook(tmp_path) as one:
        plain = [await Client.open(one.port) for _ in range(100)]
        async with clients(one, 200) as slowly, clients(one, 1) as (client,):
            for each in slowly[:100]:
                each.send(request(review())[:40])
            for each in slowly[100:]:
                each.send(request(review())[:-1])
            for _ in range(50):
                assert (await client.ask()).status == 200
            found = status.decode(one.get("/statusz")[1].encode())
            assert found.load.connections == 301
        for each in plain:
            await each.close()


def codes(answer: dict[str, Any]) -> list[str]:
    return [re.findall(r"\[IC\d+\]", line)[0] for line in answer["warnings"]]


async def test_work_for_who_has_hung_up_is_dropped(tmp_path: Path, silent: str) -> None:
    body = request(review(image=f"{silent}/team/image:1"), granted="30s")
    with webhook(tmp_path, registry=slow(silent)) as one:
        async with clients(one, 1) as (client,):
            client.send(body)
            await until(lambda: one.metric("admission_in_flight") == 1)
        await until(lambda: one.metric("admission_in_flight") == 0)
        assert 1 == one.metric('admission_expired_total{webhook="validate"}')
        assert [] == one.lines("review")


async def test_a_review_that_comes_in_too_slowly_is_not_looked_at(
    tmp_path: Path,
) -> None:
    whole = request(review(), granted="1s")
    with webhook(tmp_path) as one:
        async with clients(one, 1) as (client,):
            client.send(whole[:-10])
            await asyncio.sleep(1.1)
            client.send(whole[-10:])
            assert (await client.answer()).status == 408
            assert (await client.ask()).status == 200
        assert 1 == one.metric('admission_expired_total{webhook="validate"}')


STUCK = """
import runpy, sys, time
from app.admission.review import Response
from app.checker import Checker

async def stands_still(self, request, *, deadline_seconds):
    time.sleep(3.0)
    return Response(allowed=True)

Checker.validate = stands_still
sys.argv = ["imagecompat", "serve", "--config", sys.argv[1]]
runpy.run_module("app", run_name="__main__")
"""
"""The program with a review that stops the loop: nothing in the product can."""


async def test_where_a_loop_stands_still_is_written_down_once(tmp_path: Path) -> None:
    values = served.settings(tmp_path, server={"stuckSeconds": 0.8})
    with served.started(tmp_path, values, ("-c", STUCK)) as one:
        async with clients(one, 1) as (client,):
            client.send(request(review(image="secret/image:1")))
            one.wait_for(lambda: one.lines("event loop stands still"))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.to_thread(one.get, "/livez"), 0.5)
            one.wait_for(lambda: one.lines("event loop goes on"))
        (line,) = one.lines("event loop stands still")
        assert line["seconds"] >= 0.8
        (main,) = (v for k, v in line["threads"].items() if k.startswith("MainThread"))
        assert "stands_still" in main[0]
        assert "secret" not in json.dumps(line)
