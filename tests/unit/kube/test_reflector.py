"""The loop of list and watch, fed with recorded bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from app.errors import ClusterError, ConfigError
from app.kube import decode
from app.kube.reflector import MAX_LINE_BYTES, Reflector
from app.kube.resource import Resource
from app.scheduling.node import Node
from tests.tools.scripted import (
    Answer,
    FakeTime,
    Recorder,
    ScriptedApi,
    ScriptEnded,
    bookmark,
    event,
    node,
    page,
    status,
)

PATH = "/api/v1/nodes"
CUT = ClusterError("Unreachable", "the connection broke")
SILENCE = ClusterError("Timeout", "the API server does not answer")


@dataclass
class Names:
    """A sink that keeps names, and every list as it was handed over."""

    now: set[str] = field(default_factory=set)
    lists: list[set[str]] = field(default_factory=list)

    def replace(self, objects: Mapping[str, Node]) -> Iterator[None]:
        yield
        self.now = set(objects)
        self.lists.append(set(objects))

    def put(self, key: str, value: Node) -> None:
        assert key == value.name
        self.now.add(key)

    def remove(self, key: str) -> None:
        self.now.discard(key)


class Rig:
    """A reflector of Nodes with everything around it made up."""

    def __init__(self, *script: Answer, is_optional: bool = False) -> None:
        self.time = FakeTime()
        self.api = ScriptedApi(self.time, list(script))
        self.sink = Names()
        self.seen = Recorder()
        self.reflector = Reflector(
            Resource("nodes", PATH, page_limit=20, is_optional=is_optional),
            decode.node,
            self.sink,
            self.api,
            observer=self.seen,
            clock=self.time.clock(),
        )

    async def run(self) -> Rig:
        """Until the script is used up."""
        with pytest.raises(ScriptEnded):
            await self.reflector.run()
        return self


def streamed(*objects: Mapping[str, object], version: str = "10") -> bytes:
    """A whole streaming list."""
    added = b"".join(event("ADDED", one) for one in objects)
    return added + bookmark(version, ends_list=True)


REFUSED = Answer((b'{"message": "sendInitialEvents is forbidden"}',), status=422)
OVERSIZED = b'{"x": "' + b"a" * MAX_LINE_BYTES + b'"}\n'


async def test_a_streaming_list_is_handed_over_whole_and_goes_on_as_a_watch() -> None:
    rig = await Rig(
        Answer(
            (
                streamed(node("a"), node("b")),
                event("ADDED", node("c", "11")),
                event("DELETED", node("a", "12")),
            )
        )
    ).run()
    assert [{"a", "b"}] == rig.sink.lists
    assert {"b", "c"} == rig.sink.now
    assert rig.reflector.is_ready
    assert ["stream"] == rig.api.asked()


async def test_a_list_asks_for_everything_that_makes_it_a_streaming_one() -> None:
    rig = await Rig(Answer((streamed(),))).run()
    assert [
        (
            PATH,
            {
                "watch": "1",
                "allowWatchBookmarks": "true",
                "timeoutSeconds": "300",
                "sendInitialEvents": "true",
                "resourceVersionMatch": "NotOlderThan",
            },
        )
    ] == rig.api.requests


async def test_nobody_is_ready_before_the_list_has_ended() -> None:
    rig = await Rig(Answer((event("ADDED", node("a")),))).run()
    assert not rig.reflector.is_ready
    assert [] == rig.sink.lists
    assert rig.reflector.current_at is None


async def test_an_object_deleted_during_the_list_is_not_in_it() -> None:
    rig = await Rig(
        Answer(
            (
                event("ADDED", node("a")),
                event("DELETED", node("a", "9")),
                event("DELETED", node("never-there", "9")),
                streamed(node("b")),
            )
        )
    ).run()
    assert [{"b"}] == rig.sink.lists


async def test_a_chunk_may_end_anywhere() -> None:
    body = streamed(node("a"), node("b")) + event("MODIFIED", node("b", "11"))
    rig = await Rig(Answer(tuple(bytes([one]) for one in body))).run()
    assert {"a", "b"} == rig.sink.now
    assert 1 == rig.seen.counts.count("modified")


async def test_the_clean_end_of_a_watch_is_followed_by_the_next_from_there() -> None:
    rig = await Rig(
        Answer((streamed(), event("ADDED", node("a", "11")))),
        Answer((event("ADDED", node("b", "15")),)),
        Answer((bookmark("22"),)),
        Answer((), seconds=1),
    ).run()
    assert ["stream", "watch 11", "watch 15", "watch 22"] == rig.api.asked()
    assert {"a", "b"} == rig.sink.now


@pytest.mark.parametrize("version", ["", None])
async def test_an_event_without_a_version_leaves_the_one_we_have(
    version: str | None,
) -> None:
    lines = streamed() + bookmark("")
    if version is None:
        lines += event("ADDED", {"metadata": {"name": "a"}})
    rig = await Rig(Answer((lines,)), Answer((bookmark("11"),))).run()
    assert ["stream", "watch 10"] == rig.api.asked()


async def test_a_broken_watch_goes_on_after_a_pause_without_a_new_list() -> None:
    rig = await Rig(
        Answer((streamed(node("a")), event("ADDED", node("b", "11"))), fault=CUT),
        Answer((event("ADDED", node("c", "12")),)),
    ).run()
    assert ["stream", "watch 11"] == rig.api.asked()
    assert [0.8] == rig.time.sleeps
    assert {"a", "b", "c"} == rig.sink.now
    assert [
        ("synced", "nodes", 1),
        ("failed", "nodes", "Unreachable"),
        ("recovered", "nodes"),
    ] == rig.seen.notes


async def test_a_watch_that_falls_silent_is_followed_by_the_next_and_is_no_fault() -> (
    None
):
    """A cluster at rest has nothing to tell, not always a bookmark either."""
    rig = await Rig(
        Answer((streamed(node("a")), bookmark("11")), fault=SILENCE, seconds=90),
        Answer((b"",), fault=SILENCE, seconds=90),
        Answer((event("ADDED", node("b", "12")),)),
    ).run()
    assert ["stream", "watch 11", "watch 11"] == rig.api.asked()
    assert [] == rig.time.sleeps
    assert {"a", "b"} == rig.sink.now
    assert [("synced", "nodes", 1)] == rig.seen.notes
    assert 2 == rig.seen.counts.count("silent")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(status=0, fault=SILENCE, seconds=90), id="no answer"),
        pytest.param(Answer((b"",), fault=SILENCE, seconds=0.5), id="at once"),
    ],
)
async def test_silence_is_a_fault_where_no_watch_was_open_for_a_while(
    answer: Answer,
) -> None:
    rig = await Rig(Answer((streamed(),)), answer).run()
    assert ("failed", "nodes", "Timeout") == rig.seen.notes[-1]
    assert [0.8] == rig.time.sleeps


async def test_silence_inside_a_list_is_a_fault() -> None:
    half = Answer((event("ADDED", node("a")),), fault=SILENCE, seconds=90)
    rig = await Rig(half).run()
    assert [("failed", "nodes", "Timeout")] == rig.seen.notes


async def test_half_an_event_at_the_end_is_a_fault_and_is_not_taken_in() -> None:
    rig = await Rig(
        Answer((streamed(), event("ADDED", node("a", "11"))[:-1])),
        Answer((bookmark("11"),)),
    ).run()
    assert set() == rig.sink.now
    assert ["stream", "watch 10"] == rig.api.asked()
    assert "Truncated" in rig.seen.counts


async def test_pauses_grow_to_thirty_seconds() -> None:
    down = Answer(status=0, fault=CUT)
    rig = await Rig(*[down] * 8).run()
    assert [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0] == rig.time.sleeps
    assert [("failed", "nodes", "Unreachable")] == rig.seen.notes


async def test_a_server_that_is_down_does_not_lose_its_streaming_lists() -> None:
    rig = await Rig(*[Answer(status=0, fault=CUT)] * 8, Answer((streamed(),))).run()
    assert ["stream"] * 9 == rig.api.asked()


async def test_a_watch_that_ends_at_once_and_empty_is_a_fault() -> None:
    empty = Answer(())
    rig = await Rig(Answer((streamed(),)), empty, empty, empty).run()
    assert [0.8, 1.6, 3.2] == rig.time.sleeps
    assert 3 == rig.seen.counts.count("ShortWatch")


@pytest.mark.parametrize(
    "gone",
    [
        pytest.param(Answer((b"{}",), status=410), id="as a status"),
        pytest.param(Answer((status(410, "too old"),)), id="inside the watch"),
    ],
)
async def test_410_forgets_the_version_but_not_what_is_known(gone: Answer) -> None:
    rig = await Rig(Answer((streamed(node("a"), node("b")),)), gone).run()
    assert {"a", "b"} == rig.sink.now
    rig = await Rig(
        Answer((streamed(node("a"), node("b")),)),
        gone,
        Answer((streamed(node("b"), version="50"),)),
    ).run()
    assert ["stream", "watch 10", "stream"] == rig.api.asked()
    assert [{"a", "b"}, {"b"}] == rig.sink.lists


async def test_a_list_that_breaks_off_changes_nothing() -> None:
    rig = await Rig(
        Answer((streamed(node("a")),)),
        Answer((status(410),)),
        Answer((event("ADDED", node("b")),), fault=CUT),
    ).run()
    assert {"a"} == rig.sink.now


@pytest.mark.parametrize("code", [400, 422])
async def test_pages_are_read_where_streaming_lists_are_refused(code: int) -> None:
    rig = await Rig(
        Answer((b"{}",), status=code),
        Answer((page(node("a"), node("b"), token="next"),)),
        Answer((page(node("c"), version="10"),)),
        Answer((event("ADDED", node("d", "11")),)),
        Answer((status(410),)),
        Answer((page(version="20"),)),
    ).run()
    asked = ["stream", "list", "list", "watch 10", "watch 11", "list"]
    assert asked == rig.api.asked()
    assert "next" == rig.api.requests[2][1]["continue"]
    assert [{"a", "b", "c"}, set()] == rig.sink.lists
    assert rig.reflector.is_ready


async def test_pages_alone_make_nobody_ready_only_the_watch_behind_them() -> None:
    rig = await Rig(REFUSED, Answer((page(node("a")),))).run()
    assert {"a"} == rig.sink.now
    assert not rig.reflector.is_ready


async def test_streaming_lists_that_never_finish_are_given_up() -> None:
    endless = Answer((event("ADDED", node("a")),), fault=ClusterError("Timeout", ""))
    rig = await Rig(endless, endless, endless, Answer((page(node("a")),))).run()
    assert ["stream", "stream", "stream", "list"] == rig.api.asked()


async def test_a_streaming_list_that_finishes_starts_the_count_again() -> None:
    cut = Answer((), fault=CUT)
    whole = Answer((streamed(), status(410)))
    rig = await Rig(cut, cut, whole, cut, cut, whole).run()
    assert ["stream"] * 6 == rig.api.asked()


async def test_a_page_that_has_expired_starts_the_list_again() -> None:
    rig = await Rig(
        REFUSED,
        Answer((page(node("a"), token="next"),)),
        Answer((b"{}",), status=410),
        Answer((page(node("b")),)),
    ).run()
    assert [{"b"}] == rig.sink.lists
    assert "continue" not in rig.api.requests[3][1]


async def test_401_loads_the_credentials_again() -> None:
    rig = await Rig(Answer((b"",), status=401), Answer((streamed(),))).run()
    assert 1 == rig.api.renewals
    assert rig.reflector.is_ready


async def test_a_certificate_that_is_not_trusted_loads_everything_again() -> None:
    fault = ClusterError("TlsFailure", "certificate verify failed")
    rig = await Rig(Answer(status=0, fault=fault), Answer((streamed(),))).run()
    assert 1 == rig.api.renewals


async def test_credentials_that_cannot_be_loaded_are_reported() -> None:
    rig = Rig(Answer((b"",), status=401), Answer((streamed(),)))
    rig.api.renewal_fault = ConfigError("Kubeconfig", "the file is gone")
    await rig.run()
    assert ("failed", "nodes", "Kubeconfig") in rig.seen.notes
    assert rig.reflector.is_ready


@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        pytest.param(None, 0.8, id="no Retry-After"),
        pytest.param(0.0, 0.8, id="less than our own pause"),
        pytest.param(7.0, 7.0, id="more than our own pause"),
        pytest.param(30.0, 30.0, id="the most we grant"),
        pytest.param(31.0, 30.0, id="more than we grant"),
    ],
)
@pytest.mark.parametrize("code", [429, 503])
async def test_retry_after_is_respected(
    code: int, asked: float | None, waited: float
) -> None:
    refusal = Answer((b"",), status=code, retry_after_seconds=asked)
    rig = await Rig(refusal, Answer((streamed(),))).run()
    assert [waited] == rig.time.sleeps


async def test_whatever_a_watch_brings_makes_our_view_current() -> None:
    rig = await Rig(Answer((streamed(), bookmark("11")), seconds=50)).run()
    assert 1100.0 == rig.time.now
    assert 1050.0 == rig.reflector.current_at


async def test_a_list_makes_our_view_current_only_when_it_ends() -> None:
    started = event("ADDED", node("a"))
    rig = await Rig(
        Answer((streamed(), status(410))), Answer((started, started), seconds=50)
    ).run()
    assert 1000.0 == rig.reflector.current_at


async def test_a_refusal_does_not_make_our_view_younger() -> None:
    rig = await Rig(Answer((streamed(),)), *[Answer((b"",), status=503)] * 3).run()
    assert rig.reflector.current_at is not None
    assert rig.time.now - rig.reflector.current_at >= sum(rig.time.sleeps)


FORBIDDEN = Answer((b'{"message": "no"}',), status=403)


async def test_both_verbs_are_named_where_neither_is_allowed() -> None:
    rig = await Rig(FORBIDDEN, FORBIDDEN).run()
    assert ("list", "watch") == rig.reflector.missing_verbs
    assert not rig.reflector.is_ready
    assert [30.0] == rig.time.sleeps


@pytest.mark.parametrize(
    "probe",
    [
        pytest.param(Answer((page(),)), id="a list is allowed"),
        pytest.param(Answer((b"",), status=503), id="nobody knows"),
    ],
)
async def test_only_watch_is_named_where_a_list_may_be_allowed(probe: Answer) -> None:
    rig = await Rig(FORBIDDEN, probe).run()
    assert ("watch",) == rig.reflector.missing_verbs


async def test_list_is_named_where_pages_are_forbidden() -> None:
    rig = await Rig(REFUSED, FORBIDDEN).run()
    assert ("list",) == rig.reflector.missing_verbs


async def test_watch_is_named_where_only_the_pages_were_allowed() -> None:
    rig = await Rig(REFUSED, Answer((page(),)), FORBIDDEN, Answer((page(),))).run()
    assert ("watch",) == rig.reflector.missing_verbs
    assert not rig.reflector.is_ready


async def test_a_verb_that_was_granted_is_named_no_more() -> None:
    rig = await Rig(FORBIDDEN, FORBIDDEN, Answer((streamed(),))).run()
    assert () == rig.reflector.missing_verbs
    assert rig.reflector.is_ready


async def test_who_was_ready_stays_ready_when_a_verb_is_taken_away() -> None:
    rig = await Rig(Answer((streamed(node("a")),)), FORBIDDEN, FORBIDDEN).run()
    assert rig.reflector.is_ready
    assert ("list", "watch") == rig.reflector.missing_verbs
    assert {"a"} == rig.sink.now


NOT_FOUND = Answer((b"404 page not found",), status=404)


async def test_an_optional_kind_that_is_not_installed_has_no_objects() -> None:
    rig = await Rig(NOT_FOUND, NOT_FOUND, is_optional=True).run()
    assert rig.reflector.is_ready
    assert rig.reflector.is_absent
    assert rig.reflector.current_at is not None
    assert [("installed", "nodes", False)] == rig.seen.notes
    assert [30.0, 30.0] == rig.time.sleeps


async def test_an_optional_kind_is_picked_up_when_it_appears() -> None:
    rig = await Rig(NOT_FOUND, Answer((streamed(node("a")),)), is_optional=True).run()
    assert {"a"} == rig.sink.now
    assert not rig.reflector.is_absent
    assert [
        ("installed", "nodes", False),
        ("installed", "nodes", True),
        ("synced", "nodes", 1),
    ] == rig.seen.notes


async def test_an_optional_kind_that_is_taken_away_takes_its_objects_along() -> None:
    rig = await Rig(Answer((streamed(node("a")),)), NOT_FOUND, is_optional=True).run()
    assert set() == rig.sink.now


async def test_404_for_another_kind_is_a_fault() -> None:
    rig = await Rig(NOT_FOUND).run()
    assert "NotFound" == rig.reflector.failure
    assert not rig.reflector.is_ready


@pytest.mark.parametrize(
    ("lost", "count"),
    [
        pytest.param(OVERSIZED, "oversized", id="longer than a line may be"),
        pytest.param(b"no json\n", "malformed", id="no JSON"),
        pytest.param(b"[" * 5000 + b"\n", "malformed", id="nested too deep"),
        pytest.param(event("ADDED", {"metadata": {}}), "malformed", id="no name"),
        pytest.param(
            event("ADDED", {"metadata": {"name": "x", "labels": {"a": 1}}}),
            "malformed",
            id="a label that is no text",
        ),
    ],
)
async def test_an_object_lost_in_a_list_keeps_nobody_from_being_ready(
    lost: bytes, count: str
) -> None:
    body = event("ADDED", node("a")) + lost + streamed(node("b"))
    rig = await Rig(Answer((body,)), Answer((bookmark("11"),))).run()
    assert [{"a", "b"}] == rig.sink.lists
    assert rig.reflector.is_ready
    assert rig.reflector.is_incomplete
    assert 1 == rig.seen.counts.count(count)
    assert ["stream", "watch 10"] == rig.api.asked()


async def test_an_incomplete_list_is_made_again_at_the_end_of_a_watch() -> None:
    rig = await Rig(
        Answer((OVERSIZED + streamed(),)),
        Answer((bookmark("11"),), seconds=299),
        Answer((bookmark("12"),), seconds=1),
        Answer((streamed(),)),
    ).run()
    assert ["stream", "watch 10", "watch 11", "stream"] == rig.api.asked()
    assert not rig.reflector.is_incomplete


async def test_an_event_lost_in_a_watch_makes_a_new_list_at_once() -> None:
    rig = await Rig(
        Answer((streamed(node("a")), OVERSIZED)),
        Answer((streamed(node("b")),)),
    ).run()
    assert ["stream", "stream"] == rig.api.asked()
    assert {"b"} == rig.sink.now
    assert not rig.reflector.is_incomplete


async def test_lost_events_make_no_hot_loop_of_lists() -> None:
    rig = await Rig(
        Answer((streamed(), OVERSIZED)),
        Answer((streamed(), OVERSIZED, event("ADDED", node("a", "11")))),
        Answer((OVERSIZED, bookmark("12"))),
        Answer((bookmark("13"),), seconds=300),
        Answer((streamed(),)),
    ).run()
    asked = ["stream", "stream", "watch 11", "watch 12", "stream"]
    assert asked == rig.api.asked()
    assert not rig.reflector.is_incomplete


async def test_a_line_of_the_greatest_length_is_taken_in() -> None:
    line = event("ADDED", node("a")).strip()
    rig = await Rig(
        Answer((line.ljust(MAX_LINE_BYTES) + b"\n", streamed())),
        Answer((bookmark("1"),)),
    ).run()
    assert [{"a"}] == rig.sink.lists
    rig = await Rig(
        Answer((line.ljust(MAX_LINE_BYTES + 1) + b"\n", streamed())),
        Answer((bookmark("1"),)),
    ).run()
    assert [set()] == rig.sink.lists


async def test_an_object_lost_in_a_page_keeps_nobody_from_being_ready() -> None:
    rig = await Rig(
        REFUSED,
        Answer((page({"metadata": {}}, node("a")),)),
        Answer((bookmark("11"),)),
    ).run()
    assert {"a"} == rig.sink.now
    assert rig.reflector.is_incomplete
    assert rig.reflector.is_ready


async def test_an_oversized_object_in_a_page_of_one_is_passed_over() -> None:
    large = Answer((page(node("x"), token="next").replace(b'"x"', OVERSIZED[6:-2]),))
    rig = await Rig(
        REFUSED, *[large] * 5, Answer((page(node("a")),)), Answer((bookmark("11"),))
    ).run()
    assert {"a"} == rig.sink.now
    assert rig.reflector.is_incomplete
    assert "next" == rig.api.requests[6][1]["continue"]


async def test_an_event_of_an_unknown_type_is_counted_and_passed_over() -> None:
    rig = await Rig(Answer((event("NEWS", {}), streamed(node("a"))))).run()
    assert {"a"} == rig.sink.now
    assert "unknown" in rig.seen.counts
    assert not rig.reflector.is_incomplete


@pytest.mark.parametrize(
    ("code", "reason"), [(0, "UnexpectedStatus"), (500, "ServerError")]
)
async def test_another_error_inside_a_watch_is_followed_by_a_watch(
    code: int, reason: str
) -> None:
    rig = await Rig(Answer((streamed(), status(code))), Answer((bookmark("11"),))).run()
    assert ["stream", "watch 10"] == rig.api.asked()
    assert reason in rig.seen.counts


async def test_others_run_between_events_that_take_long() -> None:
    class Slow(FakeTime):
        breaths = 0

        async def sleep(self, seconds: float) -> None:
            self.breaths += seconds == 0
            await super().sleep(seconds)

    rig = Rig(Answer((streamed(*(node(str(one)) for one in range(10))),)))
    slow = Slow()
    clock = slow.clock()

    def now() -> float:
        slow.now += 0.001
        return slow.now

    rig.reflector = Reflector(
        rig.reflector.resource,
        decode.node,
        rig.sink,
        rig.api,
        observer=rig.seen,
        clock=type(clock)(now, clock.sleep, clock.uniform),
    )
    await rig.run()
    assert 2 <= slow.breaths <= 4
