"""Pull secrets that cannot be read: that is not as if there were none."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from app.errors import ClusterError
from app.kube.secrets import ABSENT_SECONDS, FAILED_SECONDS, KEPT_SECONDS
from app.ports import Puller, UnreadSecret
from tests.tools.scripted import FakeTime
from tests.tools.secrets_api import (
    ACCOUNT,
    SOON,
    Api,
    Counts,
    account,
    having,
    path,
    pod,
    read,
    reader,
    secret,
    told,
)

OF_ACCOUNT = Puller("n", (), "sa")

Breaking = Callable[[Api], None]


def refused(status: int, where: str = path("a")) -> Breaking:
    return lambda api: api.refused.update({where: status})


def failed(reason: str) -> Breaking:
    return lambda api: api.faults.update({path("a"): ClusterError(reason, "no way")})


def answering(content: bytes) -> Breaking:
    return lambda api: api.objects.update({path("a"): content})


UNREAD = [
    pytest.param(refused(429), "TooManyRequests", id="throttled"),
    pytest.param(refused(500), "ServerError", id="broken"),
    pytest.param(refused(503), "ServerError", id="overloaded"),
    pytest.param(refused(401), "Unauthorized", id="our-token-is-refused"),
    pytest.param(failed("Unreachable"), "Unreachable", id="unreachable"),
    pytest.param(failed("Timeout"), "Timeout", id="silent"),
    pytest.param(answering(b'{"data": "canary-7f3a"}'), "malformed", id="malformed"),
    pytest.param(answering(secret(b"x" * ((1 << 20) + 1))), "oversized", id="large"),
]
GONE = [
    pytest.param(lambda api: api.objects.clear(), "absent", id="absent"),
    pytest.param(refused(403), "Forbidden", id="forbidden"),
]


@pytest.mark.parametrize(("breaking", "event"), UNREAD)
async def test_a_secret_that_was_not_read_is_told_from_one_that_is_not_there(
    breaking: Breaking, event: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The kubelet goes on without one that is not there, and without no other."""
    caplog.set_level(logging.DEBUG)
    counts, api = Counts(), Api(having("a", "b"))
    breaking(api)
    given = reader(api, observer=counts)
    found = await given.read(pod("b", "a"), deadline_seconds=SOON)
    assert ["b", "?a"] == told(found) == told(given.at_hand(pod("b", "a")))
    assert UnreadSecret("a") == found[1]
    assert {"secrets read": 1, f"secrets {event}": 1} == counts.events
    assert "canary" not in f"{found} {caplog.text}"


@pytest.mark.parametrize("status", [404, 403])
async def test_an_account_that_is_not_there_is_no_unread_one(status: int) -> None:
    api = Api({ACCOUNT: account("a")}, refused={ACCOUNT: status})
    assert [] == await read(reader(api), OF_ACCOUNT)


async def test_secrets_of_an_account_that_was_not_read_are_unread() -> None:
    """Which ones would count, nobody knows."""
    api = Api(having("a") | {ACCOUNT: account("a")}, refused={ACCOUNT: 500})
    given = reader(api)
    found = await given.read(OF_ACCOUNT, deadline_seconds=SOON)
    assert (UnreadSecret("sa", "ServiceAccount"),) == found
    assert found == given.at_hand(OF_ACCOUNT)
    assert [ACCOUNT] == api.asked


# What was read before ------------------------------------------------------------


@pytest.mark.parametrize(("breaking", "event"), UNREAD)
async def test_what_was_read_before_stands_in_for_a_while(
    breaking: Breaking, event: str
) -> None:
    time, counts, api = FakeTime(), Counts(), Api(having("a"))
    given = reader(api, clock=time.clock(), observer=counts)
    first = await given.read(pod("a"), deadline_seconds=SOON)
    breaking(api)
    time.now += 60.0
    assert None is given.at_hand(pod("a")), "it is asked for first"
    assert first == await given.read(pod("a"), deadline_seconds=SOON)
    assert (1, 1) == (counts.events[f"secrets {event}"], counts.events["secrets kept"])
    assert first == given.at_hand(pod("a"))
    time.now += KEPT_SECONDS - 0.1
    assert first == await given.read(pod("a"), deadline_seconds=SOON)
    time.now += 0.1
    assert ["?a"] == await read(given, pod("a"))


@pytest.mark.parametrize("seconds", [0.0, KEPT_SECONDS - 1.0])
async def test_what_stands_in_is_asked_for_again_soon(seconds: float) -> None:
    """And ends when it is too old, however lately that was."""
    time, api = FakeTime(), Api(having("a"), refused={})
    given = reader(api, clock=time.clock())
    await read(given, pod("a"))
    api.refused[path("a")] = 503
    time.now += 60.0 + seconds
    assert ["a"] == await read(given, pod("a"))
    holds = min(FAILED_SECONDS, KEPT_SECONDS - seconds)
    time.now += holds - 0.1
    assert ["a"] == told(given.at_hand(pod("a")))
    time.now += 0.1
    assert ["wait"] == told(given.at_hand(pod("a")))
    api.refused.clear()
    api.objects[path("a")] = secret(b"new")
    [found] = await given.read(pod("a"), deadline_seconds=SOON)
    assert b"new" == getattr(found, "data", {})[".dockerconfigjson"]


@pytest.mark.parametrize(("breaking", "event"), GONE)
async def test_nothing_stands_in_for_a_secret_that_is_gone_or_forbidden(
    breaking: Breaking, event: str
) -> None:
    time, counts, api = FakeTime(), Counts(), Api(having("a"))
    given = reader(api, clock=time.clock(), observer=counts)
    await read(given, pod("a"))
    breaking(api)
    time.now += 60.0
    assert [] == await read(given, pod("a"))
    assert 1 == counts.events[f"secrets {event}"]
    refused(503)(api)
    time.now += ABSENT_SECONDS
    assert ["?a"] == await read(given, pod("a")), "nor that there was none"
    assert 0 == counts.events["secrets kept"]


async def test_what_an_account_named_stands_in_too() -> None:
    time = FakeTime()
    api = Api(having("a") | {ACCOUNT: account("a")})
    given = reader(api, clock=time.clock())
    await read(given, OF_ACCOUNT)
    refused(500, ACCOUNT)(api)
    time.now += 60.0
    assert ["a"] == await read(given, OF_ACCOUNT)


async def test_of_what_was_never_read_nothing_stands_in() -> None:
    time, api = FakeTime(), Api(refused={path("a"): 503})
    given = reader(api, clock=time.clock())
    for _ in range(2):
        assert ["?a"] == await read(given, pod("a"))
        time.now += FAILED_SECONDS


# Late ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("puller", "expected"),
    [
        pytest.param(pod("a"), UnreadSecret("a", is_late=True), id="secret"),
        pytest.param(
            OF_ACCOUNT, UnreadSecret("sa", "ServiceAccount", is_late=True), id="account"
        ),
    ],
)
async def test_what_comes_late_is_unread(
    puller: Puller, expected: UnreadSecret
) -> None:
    api = Api(having("a") | {ACCOUNT: account("a")}, opened=asyncio.Event())
    given = reader(api)
    assert (expected,) == await given.read(puller, deadline_seconds=0.0)
    assert None is given.at_hand(puller), "it may come any time"
    await given.close()


async def test_who_cannot_wait_gets_what_is_there_and_the_next_one_all() -> None:
    api, counts = Api(having("a", "b")), Counts()
    given = reader(api, observer=counts)
    await read(given, pod("a"))
    api.opened = asyncio.Event()
    assert None is given.at_hand(pod("a", "b"))
    assert ["a", "?b"] == await read(given, pod("a", "b"), seconds=0.0)
    assert 1 == counts.events["secrets late"]
    api.opened.set()
    assert ["a", "b"] == await read(given, pod("a", "b"))
    assert [path("a"), path("b")] == api.asked


async def test_an_api_server_that_hangs_holds_one_pod_where_something_stands_in() -> (
    None
):
    time, api = FakeTime(), Api(having("a"))
    given = reader(api, clock=time.clock())
    await read(given, pod("a"))
    api.opened = asyncio.Event()
    time.now += 60.0
    assert ["a"] == await read(given, pod("a"), seconds=0.0)
    assert ["a"] == told(given.at_hand(pod("a")))
    api.objects[path("a")] = secret(b"new")
    api.opened.set()
    for _ in range(5):
        await asyncio.sleep(0)
    [found] = given.at_hand(pod("a")) or ()
    assert b"new" == getattr(found, "data", {})[".dockerconfigjson"]
    assert 2 == len(api.asked)


async def test_where_too_many_are_asked_for_what_was_read_before_stands_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    time, api = FakeTime(), Api(having("a"))
    given = reader(api, clock=time.clock())
    await read(given, pod("a"))
    time.now += 60.0
    monkeypatch.setattr("app.kube.secrets.MAX_WAITING", 0)
    assert ["a", "?b"] == await read(given, pod("a", "b"))
