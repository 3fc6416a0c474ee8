"""What refusals mean."""

from __future__ import annotations

import pytest

from app.errors import ClusterError
from app.kube.transport import RefusedError, read, require_ok
from tests.tools.scripted import Answer, FakeTime, ScriptedApi


async def refused(answer: Answer) -> RefusedError:
    api = ScriptedApi(FakeTime(), [answer])
    with pytest.raises(RefusedError) as caught:
        async with api.get("/", {}) as response:
            await require_ok(response)
    return caught.value


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, "BadRequest"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "NotFound"),
        (409, "Conflict"),
        (410, "Gone"),
        (422, "Invalid"),
        (429, "TooManyRequests"),
        (500, "ServerError"),
        (503, "ServerError"),
        (302, "UnexpectedStatus"),
        (499, "UnexpectedStatus"),
    ],
)
async def test_a_refusal_has_a_reason(status: int, reason: str) -> None:
    error = await refused(Answer((b"",), status=status, retry_after_seconds=3.0))
    assert (reason, status, 3.0) == (
        error.reason,
        error.status,
        error.retry_after_seconds,
    )


@pytest.mark.parametrize(
    ("detail", "answer"),
    [
        pytest.param(
            "pods is forbidden", b'{"message":"pods is forbidden"}', id="Status"
        ),
        pytest.param("a b", b'{"message":" a\\n\\u001b b "}', id="control characters"),
        pytest.param("a" * 300, b'{"message":"' + b"a" * 301 + b'"}', id="too long"),
        pytest.param("no detail", b"404 page not found", id="no JSON"),
        pytest.param("no detail", b'{"message":1}', id="another shape"),
        pytest.param("no detail", b'"' + b"a" * 20_000 + b'"', id="too large"),
        pytest.param("no detail", b'{"x":' * 3000, id="nested too deep"),
    ],
)
async def test_a_refusal_says_what_the_server_says(detail: str, answer: bytes) -> None:
    error = await refused(Answer((answer,), status=403))
    assert f"the API server answered 403: {detail}" == error.message


async def test_a_refusal_whose_body_breaks_off_is_still_that_refusal() -> None:
    cut = ClusterError("Unreachable", "")
    assert 403 == (await refused(Answer((b"{",), status=403, fault=cut))).status


@pytest.mark.parametrize(("size", "is_read"), [(10, True), (11, False)])
async def test_a_body_has_a_bound(size: int, is_read: bool) -> None:
    api = ScriptedApi(FakeTime(), [Answer((b"a" * 5, b"a" * (size - 5)))])
    async with api.get("/", {}) as response:
        if is_read:
            assert b"a" * 10 == await read(response, limit_bytes=10)
        else:
            with pytest.raises(ClusterError) as caught:
                await read(response, limit_bytes=10)
            assert "TooLarge" == caught.value.reason
