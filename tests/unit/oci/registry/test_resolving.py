"""Names whose name servers do not answer, and names that must be found meanwhile."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.oci.failure import LookupFailedError
from app.oci.limits import Limits
from app.oci.registry.connecting import (
    THREADS,
    ZONE_THREADS,
    CrowdedError,
    SystemResolver,
)
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.oci.registry.transport import AiohttpTransport, Request
from app.oci.ways.proxies import Proxies

ADDRESS = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("203.0.113.7", 443))


@dataclass
class Names:
    """Stands in for `socket.getaddrinfo`; names with `evil` wait to be let go."""

    asked: list[str] = field(default_factory=list)
    is_known: bool = True
    let_go: threading.Event = field(default_factory=threading.Event)

    def __call__(self, host: str, *_: object, **__: object) -> list[Any]:
        self.asked.append(host)
        if "evil" in host:
            self.let_go.wait(30)
        if not self.is_known:
            raise socket.gaierror(socket.EAI_NONAME, "x")
        return [ADDRESS]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    double = Names()
    monkeypatch.setattr(socket, "getaddrinfo", double)
    yield double
    double.let_go.set()


@pytest.fixture
async def resolver(names: Names) -> AsyncIterator[SystemResolver]:
    made = SystemResolver(["named.example"], seconds=0.05)
    yield made
    names.let_go.set()
    for _ in range(2):
        await asyncio.gather(*made._asking, return_exceptions=True)
    await made.close()


async def ask(
    resolver: SystemResolver, count: int, of: str = "h{}.evil.example"
) -> list["asyncio.Task[Any]"]:
    """So many names, all on threads or waiting for one."""
    tasks = [
        asyncio.create_task(resolver.resolve(of.format(number), 443))
        for number in range(count)
    ]
    for task in tasks:
        task.add_done_callback(lambda one: one.cancelled() or one.exception())
    for _ in range(50):
        await asyncio.sleep(0)
    return tasks


async def is_found(resolver: SystemResolver, host: str) -> bool:
    try:
        async with asyncio.timeout(5):
            return bool(await resolver.resolve(host, 443))
    except CrowdedError:
        return False


def held(resolver: SystemResolver) -> int:
    """How many threads are held."""
    return len(resolver._asking)


async def test_names_of_one_zone_hold_a_few_threads(resolver: SystemResolver) -> None:
    await ask(resolver, 64)
    assert ZONE_THREADS == held(resolver)
    assert await is_found(resolver, "new.example")


async def test_names_that_nobody_has_heard_of_hold_half_of_the_threads(
    resolver: SystemResolver,
) -> None:
    await resolver.resolve("known.example", 443)
    await ask(resolver, 64, "evil{}.example")
    assert THREADS == held(resolver)
    found = [
        await is_found(resolver, host)
        for host in ("known.example", "named.example", "new.example")
    ]
    assert [True, True, False] == found


async def test_a_name_that_was_found_and_no_longer_answers_holds_a_few_threads(
    resolver: SystemResolver, names: Names
) -> None:
    names.let_go.set()
    await asyncio.gather(*await ask(resolver, ZONE_THREADS))
    await asyncio.gather(*await ask(resolver, ZONE_THREADS, "h1{}.evil.example"))
    names.let_go.clear()
    await ask(resolver, ZONE_THREADS)
    await ask(resolver, ZONE_THREADS, "h1{}.evil.example")
    assert ZONE_THREADS == held(resolver)
    assert await is_found(resolver, "named.example")


async def test_a_name_that_is_not_found_is_unknown_again(
    resolver: SystemResolver, names: Names
) -> None:
    await resolver.resolve("known.example", 443)
    names.is_known = False
    with pytest.raises(socket.gaierror):
        await resolver.resolve("known.example", 443)
    names.is_known = True
    await ask(resolver, 64, "evil{}.example")
    assert not await is_found(resolver, "known.example")


async def test_a_thread_is_held_to_its_end_though_nobody_waits(
    resolver: SystemResolver, names: Names
) -> None:
    for task in await ask(resolver, ZONE_THREADS):
        task.cancel()
    await asyncio.sleep(0)
    assert not await is_found(resolver, "more.evil.example")
    assert ZONE_THREADS == held(resolver)
    names.let_go.set()
    assert await is_found(resolver, "more.evil.example")


async def test_who_is_cancelled_before_it_got_a_thread_asks_nothing(
    resolver: SystemResolver, names: Names
) -> None:
    tasks = await ask(resolver, ZONE_THREADS)
    (waiting,) = await ask(resolver, 1, "late.evil.example")
    waiting.cancel()
    await asyncio.wait({waiting})
    names.let_go.set()
    await asyncio.gather(*tasks)
    assert "late.evil.example" not in names.asked


async def test_closing_leaves_nothing_that_waits(resolver: SystemResolver) -> None:
    tasks = await ask(resolver, ZONE_THREADS)
    await resolver.close()
    await asyncio.wait(tasks)
    assert all(task.cancelled() for task in tasks)


# What a lookup is told -----------------------------------------------------------


async def told(transport: AiohttpTransport, host: str, seconds: float) -> str:
    """Why a request gets no answer."""
    request = Request("GET", f"https://{host}/v2/", seconds=seconds)
    with pytest.raises(LookupFailedError) as caught:
        await transport.send(request)
    return f"{caught.value.reason}: {caught.value.message}"


def inner(transport: AiohttpTransport) -> SystemResolver:
    """What its guarded resolver asks."""
    found = transport._resolvers[0]._resolver  # type: ignore[attr-defined]
    assert isinstance(found, SystemResolver)
    return found


@pytest.mark.parametrize(("lookup_seconds", "waits"), [(5.0, 1.0), (0.2, 0.05)])
async def test_a_name_waits_for_a_thread_for_a_part_of_a_lookups_time(
    lookup_seconds: float, waits: float
) -> None:
    transport = AiohttpTransport(
        RegistryPolicy(), Limits(lookup_seconds=lookup_seconds)
    )
    await transport._open(is_proxied=False)
    assert waits == inner(transport)._seconds
    await transport.close()


async def test_a_host_is_not_blamed_for_threads_that_others_hold(names: Names) -> None:
    transport = AiohttpTransport(RegistryPolicy(), Limits(lookup_seconds=0.2))
    await transport._open(is_proxied=False)
    tasks = await ask(inner(transport), 64, "evil{}.example")
    text = await told(transport, "new.example", 5.0)
    assert text == "Overloaded: too many names are looked up"
    names.let_go.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    await transport.close()


async def test_a_host_whose_own_name_takes_too_long_is_blamed(names: Names) -> None:
    transport = AiohttpTransport(RegistryPolicy(), Limits())
    text = await told(transport, "h.evil.example", 0.05)
    assert text == "Timeout: h.evil.example did not answer in time"
    names.let_go.set()
    await transport.close()


async def test_hosts_of_settings_are_named_without_their_ports() -> None:
    hosts = {
        name: HostPolicy() for name in ("a.example:5000", "b.example", "[::1]:5000")
    }
    policy = RegistryPolicy(hosts, realms={"b.example": frozenset({"c.example:8443"})})
    transport = AiohttpTransport(policy, Limits())
    await transport._open(is_proxied=False)
    expected = {"a.example", "b.example", "c.example", "::1"}
    assert expected == inner(transport)._named
    await transport.close()


async def test_a_proxy_is_named_by_settings() -> None:
    proxies = Proxies(https="http://proxy.example:3128")
    transport = AiohttpTransport(RegistryPolicy(), Limits(), proxies=proxies)
    await transport._open(is_proxied=True)
    assert {"proxy.example"} == inner(transport)._named
    await transport.close()
