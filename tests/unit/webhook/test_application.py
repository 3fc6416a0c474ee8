import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from opentelemetry import _logs, trace
from opentelemetry import metrics as otel_metrics

from app.admission.review import Response
from app.settings.sections import ServerSettings
from app.webhook.application import MIN_SECONDS, Reviews, quietly

if TYPE_CHECKING:
    from tests.unit.webhook.conftest import Harness

ENVELOPE = {
    "apiVersion": "admission.k8s.io/v1",
    "kind": "AdmissionReview",
    "request": {"uid": "u-1", "operation": "CREATE"},
}
BODY = json.dumps(ENVELOPE).encode()


@pytest.mark.parametrize("webhook", ["validate", "mutate"])
async def test_a_review_is_answered_with_its_uid(
    harness: "Harness", webhook: str
) -> None:
    harness.reviewer.response = Response(allowed=False, message="no")
    answer = await harness.call("POST", f"/v1/{webhook}?timeout=10s", [BODY])
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    response = json.loads(answer.body)["response"]
    assert ("u-1", False) == (response["uid"], response["allowed"])
    ((name, asked, deadline),) = harness.reviewer.asked
    assert (webhook, "CREATE") == (name, asked.operation)
    assert deadline == pytest.approx(8.0)


@pytest.mark.parametrize(
    ("webhook", "query", "deadline"),
    [
        ("validate", "", 4.0),
        ("mutate", "", 1.6),
        ("mutate", "?timeout=0s", 1.6),
        ("validate", "?timeout=1s", 0.8),
    ],
)
async def test_the_deadline_is_80_percent_of_what_is_granted(
    harness: "Harness", webhook: str, query: str, deadline: float
) -> None:
    await harness.call("POST", f"/v1/{webhook}{query}", [BODY])
    assert deadline == pytest.approx(harness.reviewer.asked[0][2])


@pytest.mark.parametrize(
    ("chunks", "headers", "status", "reason"),
    [
        pytest.param([b"{"], {}, 400, "MalformedReview", id="malformed"),
        pytest.param(
            [BODY.replace(b"io/v1", b"io/v1beta1")],
            {},
            400,
            "UnsupportedReview",
            id="v1beta1",
        ),
        pytest.param(
            [b'{"apiVersion":"v1","kind":"Pod"}'],
            {},
            400,
            "UnsupportedReview",
            id="foreign kind",
        ),
        pytest.param(
            [BODY],
            {"content-type": "text/plain"},
            415,
            "UnsupportedMediaType",
            id="415",
        ),
        pytest.param(
            [BODY], {"content-length": "131073"}, 413, "BodyTooLarge", id="declared"
        ),
        pytest.param(
            [b" " * 65536, b" " * 65536, b" "],
            {},
            413,
            "BodyTooLarge",
            id="streamed past the limit",
        ),
        pytest.param(
            [b" " * 131073],
            {"content-length": "10"},
            413,
            "BodyTooLarge",
            id="declared too small",
        ),
    ],
)
async def test_what_is_no_review_gets_a_clear_4xx(
    harness: "Harness",
    chunks: list[bytes],
    headers: dict[str, str],
    status: int,
    reason: str,
) -> None:
    answer = await harness.call("POST", "/v1/validate", chunks, headers)
    assert status == answer.status
    content = json.loads(answer.body)
    assert reason == content["reason"]
    assert content["message"]
    assert [] == harness.reviewer.asked
    expected = f'admission_rejected_bodies_total{{reason="{reason}"}} 1.0'
    assert expected in harness.metrics.text().decode()


async def test_a_body_of_exactly_the_limit_is_read(harness: "Harness") -> None:
    body = BODY + b" " * ((128 << 10) - len(BODY))
    answer = await harness.call(
        "POST", "/v1/validate", [body], {"content-length": str(len(body))}
    )
    assert answer.status == 200
    assert harness.budget.held == 0


async def test_a_content_type_with_a_charset_is_json(harness: "Harness") -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    assert (await harness.call("POST", "/v1/validate", [BODY], headers)).status == 200


async def test_a_reviews_time_runs_from_its_arrival(harness: "Harness") -> None:
    answer = await harness.call("POST", "/v1/validate?timeout=10s", [BODY], waited=3.0)
    assert answer.status == 200
    assert pytest.approx(5.0) == harness.reviewer.asked[0][2]


async def test_a_review_late_for_us_but_not_for_its_sender_is_still_answered(
    harness: "Harness",
) -> None:
    answer = await harness.call("POST", "/v1/validate?timeout=10s", [BODY], waited=9.9)
    assert answer.status == 200
    assert MIN_SECONDS == harness.reviewer.asked[0][2]


@pytest.mark.parametrize("webhook", ["validate", "mutate"])
async def test_a_review_that_nobody_waits_for_is_not_looked_at(
    harness: "Harness", webhook: str
) -> None:
    path = f"/v1/{webhook}?timeout=10s"
    answer = await harness.call("POST", path, [BODY], waited=10.0)
    assert (408, "Expired") == (answer.status, json.loads(answer.body)["reason"])
    assert [] == harness.reviewer.asked
    expected = f'admission_expired_total{{webhook="{webhook}"}} 1.0'
    assert expected in harness.metrics.text().decode()


LARGE = json.dumps(
    {
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": "u-2",
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "namespace": "team",
            "operation": "CREATE",
            "userInfo": {"username": "somebody"},
            "object": {"kind": "Pod", "metadata": {"name": "x" * 100_000}},
        },
    },
    separators=(",", ":"),
).encode()
"""As the API server's encoder puts it: the object after all that names it."""


def halves(body: bytes) -> list[bytes]:
    return [body[:60_000], body[60_000:]]


@pytest.mark.parametrize("webhook", ["validate", "mutate"])
async def test_a_large_review_without_room_is_read_no_further_than_its_name(
    harness: "Harness", webhook: str
) -> None:
    assert harness.budget.take(230 << 10)
    answer = await harness.call("POST", f"/v1/{webhook}", halves(LARGE))
    assert (200, "u-2") == (
        answer.status,
        json.loads(answer.body)["response"]["uid"],
    )
    ((what, asked, _),) = harness.reviewer.asked
    assert f"shed {webhook}" == what
    assert ("Pod", "team", None) == (asked.kind, asked.namespace, asked.object)
    assert 230 << 10 == harness.budget.held


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"request":{}}' + b" " * 100_000, id="no object"),
        pytest.param(b'[,"object":' + b" " * 100_000, id="no JSON"),
        pytest.param(
            b'{"a":"' + b"x" * 70_000 + b'","object":0}', id="object far behind"
        ),
    ],
)
async def test_a_large_body_without_room_or_name_is_an_overload(
    harness: "Harness", body: bytes
) -> None:
    harness.budget.take(256 << 10)
    answer = await harness.call("POST", "/v1/validate", halves(body))
    assert (503, "Overloaded") == (answer.status, json.loads(answer.body)["reason"])
    assert "retry-after" not in answer.headers
    assert [] == harness.reviewer.asked


async def test_a_large_body_without_room_is_bounded_too(harness: "Harness") -> None:
    harness.budget.take(256 << 10)
    chunks = [b" " * (70 << 10), b" " * (70 << 10)]
    assert (await harness.call("POST", "/v1/validate", chunks)).status == 413
    assert 256 << 10 == harness.budget.held


async def test_a_small_review_finds_room_whatever_large_ones_take(
    harness: "Harness",
) -> None:
    harness.budget.take(256 << 10)
    answer = await harness.call("POST", "/v1/validate", [BODY])
    assert (200, "validate") == (answer.status, harness.reviewer.asked[0][0])


async def test_room_is_given_back_when_the_sender_hangs_up(harness: "Harness") -> None:
    class HungUpError(Exception):
        pass

    messages = iter([{"type": "http.request", "body": LARGE, "more_body": True}])

    async def receive() -> dict[str, object]:
        for message in messages:
            return message
        raise HungUpError

    async def send(message: object) -> None:
        del message

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/validate",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json")],
    }
    with pytest.raises(HungUpError):
        await harness.app(scope, receive, send)
    assert harness.budget.held == 0


async def test_a_request_that_is_cancelled_ends_without_a_word() -> None:
    started = asyncio.Event()

    async def hangs(*_: object) -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(quietly(hangs)({}, None, None))
    await started.wait()
    task.cancel()
    await task
    assert not task.cancelled()


def test_reviews_whose_sender_has_gone_are_counted(harness: "Harness") -> None:
    reviews = Reviews(harness.parts, ServerSettings())
    reviews.dropped("/v1/mutate")
    reviews.dropped("/readyz")
    reviews.refused()
    text = harness.metrics.text().decode()
    assert 'admission_expired_total{webhook="mutate"} 1.0' in text
    assert 'admission_expired_total{webhook="validate"} 0.0' in text
    assert 'rejected_bodies_total{reason="TooManyConnections"} 1.0' in text


async def test_what_does_not_exist_is_404_and_no_documentation_is_served(
    harness: "Harness",
) -> None:
    for path in ("/", "/docs", "/openapi.json", "/validate", "/metrics"):
        assert (await harness.call("GET", path)).status == 404


@pytest.mark.parametrize("path", ["/v1/validate", "/v1/mutate"])
async def test_reviews_are_only_posted(harness: "Harness", path: str) -> None:
    answer = await harness.call("GET", path)
    assert (405, "POST") == (answer.status, answer.headers["allow"])


async def test_no_telemetry_but_ours_is_looked_for(
    harness: "Harness", monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    for module, name in (
        (trace, "get_tracer_provider"),
        (otel_metrics, "get_meter_provider"),
        (_logs, "get_logger_provider"),
    ):
        monkeypatch.setattr(module, name, lambda name=name: asked.append(name))
    answer = await harness.call("POST", "/v1/validate", [BODY])
    assert 200 == answer.status
    assert [] == asked
