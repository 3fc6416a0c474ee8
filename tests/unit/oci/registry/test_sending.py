"""Requests are sent again where that helps, and not at all to hosts that fail."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from app.oci.failure import LookupFailedError, TooLargeError, unavailable
from app.oci.limits import Limits
from app.oci.registry.breaker import State, Way
from app.oci.registry.sending import Chance, Sender
from app.oci.registry.transport import Answer, Request

HOST = "r.example"
GET = Request("GET", f"https://{HOST}/v2/a/manifests/1")
OK, BUSY = Answer(200), Answer(503)
LOST = unavailable("CannotConnect", "x")

Reply = Answer | LookupFailedError | Callable[[], Answer]


@dataclass
class Scene:
    """A transport that gives one reply after the other, and a clock.

    Attributes:
        replies: the last one is given again and again.
        sent: requests.
        waited: between tries.
        hangs: whether requests get no answer at all.
        others: requests of others that fail while one waits for its next try.
        later: if not at once, one of them is admitted again after so many seconds.
        made: by which they are sent.
    """

    replies: list[Reply] = field(default_factory=list)
    now: float = 100.0
    sent: list[Request] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    hangs: bool = False
    others: int = 0
    later: float = 0.0
    made: Sender | None = None

    def sender(self, **limits: float) -> Sender:
        chance = Chance(
            clock=lambda: self.now,
            now=lambda: datetime(2026, 3, 1, 12, tzinfo=UTC),
            random=lambda: 1.0,
            pause=self.pause,
        )
        bounds = replace(Limits(), **limits)  # type: ignore[arg-type]
        return Sender(self, self, circuits=self, chance=chance, limits=bounds)

    async def send(self, request: Request) -> Answer:
        self.sent.append(request)
        if self.hangs:
            await asyncio.Event().wait()
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, LookupFailedError):
            raise reply
        return reply if isinstance(reply, Answer) else reply()

    async def close(self) -> None:
        return

    async def pause(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds
        if self.made is not None:
            for _ in range(self.others):
                self.made.breaker.failed(Way(HOST, HOST))
            self.now += self.later
            assert self.made.breaker.admits(Way(HOST, HOST)) is bool(self.later)

    def request(self, kind: str, outcome: str, *, seconds: float) -> None:
        del kind, seconds
        self.counted.append(outcome)

    def opened(self, way: Way) -> None:
        self.told.append(f"opened {way.registry} {way.asked}")

    def closed(self, way: Way) -> None:
        self.told.append(f"closed {way.registry} {way.asked}")


async def send(
    sender: Sender,
    request: Request = GET,
    *,
    ends: float = 110.0,
    host: str = HOST,
    **about: str,
) -> str:
    """The answer's status, or why there is none."""
    try:
        answer = await sender.send("resolve", request, host=host, ends=ends, **about)
    except LookupFailedError as error:
        return error.reason
    return str(answer.status)


# Again ---------------------------------------------------------------------------


async def test_a_request_is_sent_again_until_it_is_answered() -> None:
    scene = Scene([LOST, BUSY, OK])
    assert "200" == await send(scene.sender())
    assert [0.2, 0.4] == scene.waited
    assert ["CannotConnect", "5xx", "2xx"] == scene.counted


@pytest.mark.parametrize("retries", [0, 1, 2, 3])
async def test_the_last_answer_counts_when_all_tries_are_used_up(retries: int) -> None:
    scene = Scene([BUSY])
    assert "503" == await send(scene.sender(retries=retries))
    assert retries + 1 == len(scene.sent)


async def test_the_last_failure_counts_when_all_tries_are_used_up() -> None:
    scene = Scene([LOST])
    assert "CannotConnect" == await send(scene.sender(retries=1))
    assert 2 == len(scene.sent)


async def test_each_try_gets_the_time_that_is_left() -> None:
    scene = Scene([BUSY, OK])
    await send(scene.sender())
    assert [10.0, pytest.approx(9.8)] == [one.seconds for one in scene.sent]


@pytest.mark.parametrize(("ends", "tries"), [(100.3, 2), (100.1, 1)])
async def test_no_try_begins_after_the_lookups_deadline(
    ends: float, tries: int
) -> None:
    scene = Scene([BUSY])
    assert "503" == await send(scene.sender(), ends=ends)
    assert tries == len(scene.sent)


@pytest.mark.parametrize("ends", [100.0, 99.0])
async def test_nothing_is_sent_without_time(ends: float) -> None:
    scene = Scene([OK])
    assert "Timeout" == await send(scene.sender(), ends=ends)
    assert [] == scene.sent


@pytest.mark.parametrize(
    ("again", "waited"),
    [
        pytest.param("3", [3.2], id="honoured"),
        pytest.param("Sun, 01 Mar 2026 12:00:02 GMT", [2.2], id="as-a-date"),
        pytest.param("6", [], id="too-long-for-us"),
        pytest.param("", [0.2], id="none"),
    ],
)
async def test_a_registry_says_when_to_come_again(
    again: str, waited: list[float]
) -> None:
    busy = Answer(429, {"retry-after": again} if again else {})
    scene = Scene([busy, OK])
    assert ("200" if waited else "429") == await send(scene.sender())
    assert waited == scene.waited


async def test_a_longer_wait_can_be_allowed() -> None:
    scene = Scene([Answer(429, {"retry-after": "6"}), OK])
    assert "200" == await send(scene.sender(retry_after_seconds=6.0))


async def test_what_changes_something_is_sent_once() -> None:
    scene = Scene([BUSY])
    request = Request("PUT", f"https://{HOST}/v2/a/manifests/1", body=b"x")
    assert "503" == await send(scene.sender(), request)
    assert 1 == len(scene.sent)


# Left alone ----------------------------------------------------------------------


async def test_a_host_that_fails_is_left_alone_and_tried_later() -> None:
    scene = Scene([Answer(500)])
    sender = scene.sender(breaker_failures=3, breaker_seconds=30.0)
    answers = [await send(sender, ends=1000) for _ in range(4)]
    assert ["500", "500", "500", "CircuitOpen"] == answers
    assert 3 == len(scene.sent)
    assert 3 == len(scene.counted), "what is not sent is not counted"
    scene.now += 30
    scene.replies = [OK]
    assert "200" == await send(sender, ends=1000)
    assert [f"opened {HOST} {HOST}", f"closed {HOST} {HOST}"] == scene.told


async def test_the_tries_of_a_request_are_one_failure() -> None:
    scene = Scene([BUSY])
    sender = scene.sender(retries=2, breaker_failures=2)
    assert ["503", "503", "CircuitOpen"] == [await send(sender) for _ in range(3)]
    assert 6 == len(scene.sent)


async def test_a_host_that_is_left_alone_is_not_tried_again_and_again() -> None:
    """The last answer counts: nobody waits only to be turned away."""
    scene = Scene([BUSY])
    sender = scene.sender(retries=9, breaker_failures=1)
    await send(sender)
    scene.now += 30
    scene.sent.clear()
    assert "503" == await send(sender, ends=1000)
    assert 1 == len(scene.sent)


async def test_what_waits_for_its_next_try_is_turned_away_like_others() -> None:
    """Others have failed meanwhile; what it was told before counts no more."""
    scene = Scene([BUSY], others=2)
    sender = scene.made = scene.sender(retries=1, breaker_failures=2)
    assert "CircuitOpen" == await send(sender)
    assert 1 == len(scene.sent)
    assert [f"opened {HOST} {HOST}"] == scene.told


async def test_what_is_turned_away_does_not_end_the_probe_of_another() -> None:
    scene = Scene([BUSY], others=2, later=30.1)
    sender = scene.made = scene.sender(retries=1, breaker_failures=2)
    assert "CircuitOpen" == await send(sender, ends=1000)
    assert 1 == len(scene.sent)
    assert {State.OPEN: 0, State.HALF_OPEN: 1} == sender.breaker.states()
    assert not sender.breaker.admits(Way(HOST, HOST)), "the other is under way"


async def test_what_was_not_sent_for_want_of_room_ends_no_row() -> None:
    scene = Scene([LOST, LOST, unavailable("Overloaded", "x"), LOST])
    sender = scene.sender(retries=0, breaker_failures=3)
    for _ in range(4):
        await send(sender)
    assert "CircuitOpen" == await send(sender)


async def test_a_repository_that_fails_is_left_alone_and_no_other_one() -> None:
    scene = Scene([Answer(502)])
    sender = scene.sender(retries=0, breaker_failures=2)
    for _ in range(2):
        await send(sender, repository="team/bad")
    assert "CircuitOpen" == await send(sender, repository="team/bad")
    scene.replies = [OK]
    assert "200" == await send(sender, repository="team/good")


async def test_what_a_mirror_serves_of_one_registry_says_nothing_of_another() -> None:
    scene = Scene([LOST])
    sender = scene.sender(retries=0, breaker_failures=1)
    await send(sender, place="?ns=evil.example")
    assert "CircuitOpen" == await send(sender, place="?ns=evil.example")
    scene.replies = [OK]
    assert "200" == await send(sender, place="?ns=docker.io")


@pytest.mark.parametrize(
    ("reply", "is_of_the_host"),
    [
        pytest.param(LOST, True, id="no-connection"),
        pytest.param(unavailable("Timeout", "x"), True, id="timeout"),
        pytest.param(Answer(500), False, id="500"),
        pytest.param(unavailable("CutOff", "x"), False, id="cut-off"),
        pytest.param(unavailable("BadAnswer", "x"), False, id="no-http"),
    ],
)
async def test_what_speaks_against_a_whole_host(
    reply: Reply, is_of_the_host: bool
) -> None:
    scene = Scene([reply])
    sender = scene.sender(retries=0, breaker_failures=1)
    await send(sender, repository="team/one")
    scene.replies = [OK]
    other = await send(sender, repository="team/other")
    assert ("CircuitOpen" if is_of_the_host else "200") == other


@pytest.mark.parametrize("status", [200, 307, 401, 404, 429, 499])
async def test_any_other_answer_closes_a_circuit(status: int) -> None:
    scene = Scene([Answer(500), Answer(status), Answer(500), Answer(500)])
    sender = scene.sender(breaker_failures=2, retries=0)
    answers = [await send(sender) for _ in range(4)]
    assert "CircuitOpen" not in answers
    assert State.OPEN in sender.breaker.states()


@pytest.mark.parametrize(
    ("failure", "opens"),
    [
        pytest.param(LOST, True, id="no-connection"),
        pytest.param(unavailable("NoSuchHost", "x"), True, id="no-address"),
        pytest.param(unavailable("UntrustedCertificate", "x"), True, id="certificate"),
        pytest.param(unavailable("TlsError", "x"), True, id="tls"),
        pytest.param(unavailable("NetworkError", "x"), True, id="network"),
        pytest.param(unavailable("CutOff", "x"), True, id="cut-off"),
        pytest.param(unavailable("BadAnswer", "x"), True, id="no-http"),
        pytest.param(unavailable("Timeout", "x"), True, id="timeout"),
        pytest.param(unavailable("ProxyUnreachable", "x"), True, id="proxy"),
        pytest.param(unavailable("ProxyRefused", "x"), False, id="proxy-refuses"),
        pytest.param(TooLargeError("x"), False, id="too-large"),
        pytest.param(unavailable("UnwantedEncoding", "x"), False, id="encoding"),
        pytest.param(unavailable("AddressRefused", "x"), False, id="not-sent"),
        pytest.param(unavailable("BadAddress", "x"), False, id="no-url"),
        pytest.param(unavailable("Overloaded", "x"), False, id="too-much-of-ours"),
    ],
)
async def test_what_speaks_against_a_host(
    failure: LookupFailedError,
    opens: bool,
) -> None:
    scene = Scene([failure])
    sender = scene.sender(breaker_failures=1)
    await send(sender)
    assert ("CircuitOpen" if opens else failure.reason) == await send(sender)


@pytest.mark.parametrize(("given", "reason"), [(2.0, "CircuitOpen"), (1.9, "Timeout")])
async def test_a_host_that_had_no_time_did_not_fail(given: float, reason: str) -> None:
    """The end of a lookup that waited for its turn is not the registry's fault."""
    scene = Scene([unavailable("Timeout", "x")])
    sender = scene.sender(breaker_failures=1, connect_seconds=2.0)
    await send(sender, ends=scene.now + given)
    assert reason == await send(sender)


@pytest.mark.parametrize(("later", "opens"), [(2.0, True), (1.9, False)])
async def test_a_request_that_is_given_up_counts_as_what_ran_out_of_time(
    later: float,
    opens: bool,
) -> None:
    scene = Scene([OK], hangs=True)
    sender = scene.sender(breaker_failures=1, connect_seconds=2.0)
    task = asyncio.create_task(send(sender))
    await asyncio.sleep(0)
    scene.now += later
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert opens is not sender.breaker.is_closed(Way(HOST, HOST))
    assert ["Unfinished"] == scene.counted


async def test_a_probe_that_is_given_up_leaves_room_for_the_next() -> None:
    scene = Scene([Answer(500)])
    sender = scene.sender(breaker_failures=1)
    await send(sender)
    scene.now += 30
    scene.hangs = True
    task = asyncio.create_task(send(sender, ends=1000))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    scene.hangs, scene.replies = False, [OK]
    assert "200" == await send(sender, ends=1000)


async def test_what_a_registry_redirects_to_has_a_circuit_of_its_own() -> None:
    """And it is that registry's: nobody else's lookups suffer."""
    elsewhere = Request("GET", "https://cdn.example:8443/x")
    scene = Scene([Answer(500)])
    sender = scene.sender(breaker_failures=1)
    await send(sender, elsewhere, host="evil.example")
    assert "CircuitOpen" == await send(sender, elsewhere, host="evil.example")
    scene.replies = [OK]
    assert "200" == await send(sender, elsewhere)
    assert "200" == await send(sender, GET, host="evil.example")
    assert ["opened evil.example cdn.example:8443"] == scene.told


async def test_a_sender_waits_for_real_if_nothing_else_is_said() -> None:
    scene = Scene([BUSY, OK])
    sender = Sender(scene, limits=Limits(retries=0))
    loop = asyncio.get_running_loop()
    assert "503" == await send(sender, ends=loop.time() + 1e9)
    assert 0 <= Chance().random() <= 1
    assert Chance().now().tzinfo is UTC
