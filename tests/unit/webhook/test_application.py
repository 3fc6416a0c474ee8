import json
from typing import TYPE_CHECKING

import pytest

from app.admission.review import Response

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
            [BODY], {"content-length": "2049"}, 413, "BodyTooLarge", id="declared"
        ),
        pytest.param(
            [b" " * 1024, b" " * 1024, b" "],
            {},
            413,
            "BodyTooLarge",
            id="streamed past the limit",
        ),
        pytest.param(
            [b" " * 2049],
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
    body = BODY + b" " * (2048 - len(BODY))
    answer = await harness.call(
        "POST", "/v1/validate", [body], {"content-length": "2048"}
    )
    assert answer.status == 200


async def test_a_content_type_with_a_charset_is_json(harness: "Harness") -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    assert (await harness.call("POST", "/v1/validate", [BODY], headers)).status == 200


async def test_health_and_readiness(harness: "Harness") -> None:
    assert (await harness.call("GET", "/healthz")).status == 200
    assert (await harness.call("GET", "/readyz")).body == b"ok\n"
    harness.problems.append("list nodes: forbidden")
    answer = await harness.call("GET", "/readyz")
    assert (503, b"list nodes: forbidden\n") == (answer.status, answer.body)
    assert (await harness.call("GET", "/healthz")).status == 200


async def test_metrics_are_brought_up_to_date_before_they_are_printed(
    harness: "Harness",
) -> None:
    answer = await harness.call("GET", "/metrics")
    assert b"imagecompat_cluster_stale_seconds 3.0" in answer.body
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


async def test_what_does_not_exist_is_404_and_no_documentation_is_served(
    harness: "Harness",
) -> None:
    for path in ("/", "/docs", "/openapi.json", "/validate"):
        assert (await harness.call("GET", path)).status == 404
