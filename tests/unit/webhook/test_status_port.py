from typing import TYPE_CHECKING

import msgspec

from app import __version__, status
from app.status import Decided, Load, Status
from app.webhook.life import NOT_OPEN, WORKER_FACTOR

if TYPE_CHECKING:
    from tests.unit.webhook.conftest import Answered, Harness


async def both(harness: "Harness", path: str) -> "Answered":
    """The same route of both ports, which answer the same."""
    first, second = await harness.call("GET", path), await harness.status(path)
    assert (first.status, first.body) == (second.status, second.body)
    return first


async def test_a_process_is_alive_and_ready(harness: "Harness") -> None:
    assert (await harness.status("/livez")).body == b"ok\n"
    assert (await both(harness, "/healthz")).status == 200
    assert (await both(harness, "/readyz")).body == b"ok\n"


async def test_what_keeps_it_from_being_ready_is_told_line_by_line(
    harness: "Harness",
) -> None:
    harness.parts.health.problem = "nodes: first list not complete"
    harness.parts.certificates.problem = "no certificate"
    answer = await both(harness, "/readyz")
    expected = b"nodes: first list not complete\nno certificate\n"
    assert (503, expected) == (answer.status, answer.body)
    assert (await harness.status("/livez")).status == 200


async def test_warnings_do_not_make_it_unready(harness: "Harness") -> None:
    harness.parts.health.warning = "the settings file is invalid"
    harness.parts.certificates.warning = "the newer pair is broken"
    answer = await both(harness, "/readyz")
    expected = (
        b"ok\nwarning: the settings file is invalid\n"
        b"warning: the newer pair is broken\n"
    )
    assert (200, expected) == (answer.status, answer.body)


async def test_it_is_not_ready_before_its_port_is_open(harness: "Harness") -> None:
    harness.life.is_open = False
    answer = await harness.status("/readyz")
    assert (503, f"{NOT_OPEN}\n".encode()) == (answer.status, answer.body)


async def test_a_draining_process_is_not_ready_but_alive(harness: "Harness") -> None:
    harness.life.is_draining = True
    answer = await both(harness, "/readyz")
    assert (503, True) == (answer.status, answer.body.startswith(b"draining"))
    assert (await harness.status("/livez")).status == 200


async def test_only_a_worker_stuck_far_beyond_any_spec_ends_it(
    harness: "Harness",
) -> None:
    seconds = 30.0 * WORKER_FACTOR
    harness.parts.job_seconds = lambda: seconds
    assert (await harness.status("/livez")).status == 200
    harness.parts.job_seconds = lambda: seconds + 1
    answer = await harness.status("/livez")
    expected = b"the worker thread has been in one job for 301 s\n"
    assert (503, expected) == (answer.status, answer.body)
    assert (await harness.status("/readyz")).status == 200


async def test_metrics_are_brought_up_to_date_before_they_are_printed(
    harness: "Harness",
) -> None:
    answer = await harness.status("/metrics")
    assert b"imagecompat_cluster_stale_seconds 3.0" in answer.body
    assert b"imagecompat_event_loop_lag_seconds 0.0" in answer.body
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


async def test_the_gauge_says_what_readyz_says(harness: "Harness") -> None:
    assert b"imagecompat_ready 1.0" in (await harness.status("/metrics")).body
    harness.life.is_draining = True
    assert b"imagecompat_ready 0.0" in (await harness.status("/metrics")).body


async def test_the_status_port_takes_no_reviews(harness: "Harness") -> None:
    app = harness.status_app
    assert (await harness.call("POST", "/v1/validate", app=app)).status == 404


async def test_the_state_of_the_process_is_one_document(harness: "Harness") -> None:
    told = Status(
        load=Load(reviews=3),
        decisions=(Decided(time="2026-03-01T00:00:00Z", codes=("IC101",)),),
    )
    harness.parts.status = lambda: told
    harness.parts.health.problem = "not yet"
    harness.parts.certificates.warning = "soon"
    harness.parts.job_seconds = lambda: 1.5
    harness.now.seconds += 60
    answer = await harness.status("/statusz")
    found = status.decode(answer.body)
    assert "application/json" == answer.headers["content-type"]
    expected = msgspec.structs.replace(
        told,
        software=__version__,
        started=harness.life.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        uptime_seconds=60.0,
        problems=("not yet",),
        warnings=("soon",),
        load=Load(reviews=3, connections=7, body_bytes=11, worker_seconds=1.5),
        certificate={"mode": "files"},
    )
    assert expected == found


async def test_a_field_of_a_later_version_is_no_error(harness: "Harness") -> None:
    body = (await harness.status("/statusz")).body
    later = body.replace(b"{", b'{"later": 1,', 1)
    assert status.decode(body) == status.decode(later)
