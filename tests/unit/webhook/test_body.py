from typing import Any

import pytest
from fastapi import Request

from app.errors import ReviewError
from app.webhook import body
from app.webhook.body import Beginning, Budget

BODY = (
    b'{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview",'
    b'"request":{"uid":"u-1"}}'
)
OURS = (b"content-type", b"application/json")


async def read(*headers: tuple[bytes, bytes]) -> str:
    """What a request with these headers asks: its uid."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": BODY, "more_body": False}

    request = Request({"type": "http", "headers": list(headers)}, receive)
    found = await body.read(request, 1000, Budget())
    assert not isinstance(found, Beginning)
    return found.uid


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([OURS], id="as the API server sends it"),
        pytest.param(
            [(b"content-type", b" Application/JSON; a=b")], id="in other words"
        ),
        pytest.param([OURS, (b"content-type", b"text/plain")], id="the first counts"),
        pytest.param([OURS, (b"content-length", b"1000")], id="as long as may be"),
        pytest.param([OURS, (b"content-length", b"\xb2")], id="no number"),
    ],
)
async def test_a_review_is_read_by_its_own_word(
    headers: list[tuple[bytes, bytes]],
) -> None:
    assert "u-1" == await read(*headers)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        pytest.param([], "UnsupportedMediaType", id="none"),
        pytest.param(
            [(b"content-type", b"text/plain"), OURS],
            "UnsupportedMediaType",
            id="the first counts",
        ),
        pytest.param(
            [(b"content-type", b"\xff\xfe")], "UnsupportedMediaType", id="no text"
        ),
        pytest.param(
            [OURS, (b"content-length", b"1001"), (b"content-length", b"1")],
            "BodyTooLarge",
            id="too long",
        ),
    ],
)
async def test_by_its_own_word_it_is_none(
    headers: list[tuple[bytes, bytes]], reason: str
) -> None:
    with pytest.raises(ReviewError) as caught:
        await read(*headers)
    assert reason == caught.value.reason
