"""Single objects: what is asked, and what the answers mean."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.errors import ClusterError, ConfigError
from app.kube.connection import IDLE_SECONDS
from app.kube.objects import MERGE, PATCH, WATCH_SECONDS, Objects
from tests.tools.scripted import Answer, FakeTime, event, status

SECRETS = "/api/v1/namespaces/n/secrets"
HOOKS = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
HANGS = b"nothing comes any more"
DATE = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass
class Given:
    """Implements `DatedResponse`."""

    answer: Answer
    date: datetime | None
    retry_after_seconds: float | None = None

    @property
    def status(self) -> int:
        return self.answer.status

    async def chunks(self) -> AsyncIterator[bytes]:
        for chunk in self.answer.chunks:
            if chunk == HANGS:
                await asyncio.Event().wait()
            yield chunk
        if self.answer.fault is not None:
            raise self.answer.fault


@dataclass
class Script:
    """Implements `SendingTransport`; gives answers in order."""

    answers: list[Answer]
    date: datetime | None = DATE
    sent: list[tuple[str, str, Mapping[str, str], Any, str]] = field(
        default_factory=list
    )
    renewals: int = 0
    renewal_fault: Exception | None = None

    @asynccontextmanager
    async def send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        *,
        body: bytes | None = None,
        content_type: str = "application/json",
    ) -> AsyncIterator[Given]:
        content = None if body is None else json.loads(body)
        self.sent.append((method, path, dict(query), content, content_type))
        answer = self.answers.pop(0)
        if not answer.status and answer.fault is not None:
            raise answer.fault
        yield Given(answer, self.date)

    async def renew(self) -> None:
        self.renewals += 1
        if self.renewal_fault is not None:
            raise self.renewal_fault


def at(version: str) -> Answer:
    return Answer((b'{"metadata":{"resourceVersion":"%s"}}' % version.encode(),))


def refusal(code: int, message: str = "") -> Answer:
    return Answer((json.dumps({"message": message}).encode(),), status=code)


async def write(objects: Objects, verb: str) -> bytes | None:
    match verb:
        case "get":
            return await objects.get(SECRETS, "tls")
        case "create":
            return await objects.create(SECRETS, "tls", b"{}")
        case "merge":
            return await objects.merge(SECRETS, "tls", b"{}")
        case _:
            return await objects.patch(SECRETS, "tls", [], version="5")


@pytest.mark.parametrize(
    ("verb", "sent"),
    [
        pytest.param(
            "get", ("GET", f"{SECRETS}/tls", {}, None, "application/json"), id="get"
        ),
        pytest.param(
            "create",
            (
                "POST",
                SECRETS,
                {"fieldManager": "imagecompat"},
                {},
                "application/json",
            ),
            id="create",
        ),
        pytest.param(
            "merge",
            ("PATCH", f"{SECRETS}/tls", {"fieldManager": "imagecompat"}, {}, MERGE),
            id="merge",
        ),
        pytest.param(
            "patch",
            (
                "PATCH",
                f"{SECRETS}/tls",
                {"fieldManager": "imagecompat"},
                [{"op": "test", "path": "/metadata/resourceVersion", "value": "5"}],
                PATCH,
            ),
            id="patch",
        ),
    ],
)
async def test_a_request_is_what_the_api_server_expects(
    verb: str, sent: tuple[object, ...]
) -> None:
    script = Script([at("6")])
    found = await write(Objects(script), verb)
    assert b'{"metadata":{"resourceVersion":"6"}}' == found
    assert [sent] == script.sent


@pytest.mark.parametrize(
    ("verb", "code"),
    [
        ("get", 404),
        ("create", 409),
        ("merge", 404),
        ("merge", 409),
        ("patch", 404),
        ("patch", 409),
    ],
)
async def test_no_object_and_a_lost_race_are_no_errors(verb: str, code: int) -> None:
    assert await write(Objects(Script([refusal(code)])), verb) is None


async def test_what_was_created_is_given_back() -> None:
    answer = Answer((b"{}",), status=201)
    assert b"{}" == await write(Objects(Script([answer])), "create")


@pytest.mark.parametrize(
    "then",
    [
        pytest.param(at("6"), id="another version"),
        pytest.param(refusal(404), id="gone"),
    ],
)
async def test_a_test_that_fails_is_a_lost_race(then: Answer) -> None:
    """The API server answers 422 to a patch whose `test` fails."""
    script = Script([refusal(422), then])
    assert await write(Objects(script), "patch") is None


async def test_a_patch_that_is_not_accepted_is_an_error() -> None:
    script = Script([refusal(422, "webhooks is invalid"), at("5")])
    with pytest.raises(ClusterError, match="webhooks is invalid") as caught:
        await write(Objects(script), "patch")
    assert "Invalid" == caught.value.reason


@pytest.mark.parametrize("verb", ["get", "create", "merge", "patch"])
async def test_a_refusal_names_the_verb_and_the_object(verb: str) -> None:
    script = Script([refusal(403, "no")])
    with pytest.raises(ClusterError) as caught:
        await write(Objects(script), verb)
    said = {"merge": "patch"}.get(verb, verb)
    assert (
        "Forbidden",
        f"{said} secrets tls in n: the API server answered 403: no",
    ) == (caught.value.reason, caught.value.message)


async def test_an_object_without_a_namespace_is_named_without_one() -> None:
    script = Script([refusal(403, "no")])
    text = "^get validatingwebhookconfigurations hooks: the API server"
    with pytest.raises(ClusterError, match=text):
        await Objects(script).get(HOOKS, "hooks")


async def test_a_namespace_that_is_missing_is_an_error_of_create() -> None:
    with pytest.raises(ClusterError, match=r"create secrets tls in n: .* 404"):
        await write(Objects(Script([refusal(404)])), "create")


@pytest.mark.parametrize(
    ("answer", "renewals"),
    [
        pytest.param(refusal(401), 1, id="401"),
        pytest.param(
            Answer(status=0, fault=ClusterError("TlsFailure", "")), 1, id="TLS"
        ),
        pytest.param(refusal(500), 0, id="500"),
    ],
)
async def test_credentials_that_fail_are_loaded_again(
    answer: Answer, renewals: int
) -> None:
    script = Script([answer], renewal_fault=ConfigError("Kubeconfig", "gone"))
    with pytest.raises(ClusterError):
        await write(Objects(script), "get")
    assert renewals == script.renewals


async def test_an_answer_that_breaks_off_is_an_error() -> None:
    cut = Answer((b"{",), fault=ClusterError("Unreachable", "cut"))
    with pytest.raises(ClusterError, match="get secrets tls in n: cut"):
        await write(Objects(Script([cut])), "get")


async def test_silence_is_an_error() -> None:
    objects = Objects(Script([Answer((HANGS,))]), request_seconds=0)
    with pytest.raises(ClusterError, match="no answer within 0 s") as caught:
        await write(objects, "get")
    assert "Timeout" == caught.value.reason


async def watched(script: Script) -> list[bytes | None]:
    seen = []
    async with Objects(script).watch(HOOKS, "hooks") as events:
        async for one in events:
            seen.append(one)  # noqa: PERF401 - a fault ends it
    return seen


async def test_a_watch_gives_each_change() -> None:
    one, two = ({"metadata": {"name": "hooks", "x": n}} for n in (1, 2))
    lines = event("ADDED", one) + event("MODIFIED", two) + event("DELETED", two)
    script = Script([Answer((lines[:30], lines[30:]))])
    found = await watched(script)
    assert [one, two, None] == [None if x is None else json.loads(x) for x in found]
    ((method, path, query, _, _),) = script.sent
    assert ("GET", HOOKS) == (method, path)
    assert {
        "watch": "1",
        "fieldSelector": "metadata.name=hooks",
        "timeoutSeconds": "75",
    } == query


@pytest.mark.parametrize(
    ("reason", "answer"),
    [
        pytest.param("Forbidden", refusal(403), id="refused"),
        pytest.param("Gone", Answer((status(410, "too old"),)), id="ended by a Status"),
        pytest.param("Truncated", Answer((b"rubbish\n",)), id="no event"),
        pytest.param("Truncated", Answer((b"x" * (3 << 20) + b"\n",)), id="too long"),
        pytest.param(
            "Unreachable", Answer((), fault=ClusterError("Unreachable", "")), id="cut"
        ),
        pytest.param(
            "Timeout",
            Answer(status=0, fault=ClusterError("Timeout", "")),
            id="silence instead of an answer",
        ),
    ],
)
async def test_a_watch_that_fails_names_the_object(reason: str, answer: Answer) -> None:
    with pytest.raises(ClusterError, match=r"^watch validating.* hooks: ") as caught:
        await watched(Script([answer]))
    assert reason == caught.value.reason


async def test_silence_ends_a_watch_as_the_api_server_would() -> None:
    """An object may stay as it is for months; the next request finds a fault."""
    one = {"metadata": {"name": "hooks"}}
    silent = Answer((event("ADDED", one),), fault=ClusterError("Timeout", ""))
    assert [one] == [json.loads(x or b"") for x in await watched(Script([silent]))]


def test_a_watch_ends_before_its_silence_would_end_it() -> None:
    assert WATCH_SECONDS < IDLE_SECONDS


async def test_an_object_whose_version_cannot_be_read_is_an_error() -> None:
    script = Script([refusal(422), Answer((b"[]",))])
    with pytest.raises(ClusterError) as caught:
        await write(Objects(script), "patch")
    assert "Truncated" == caught.value.reason


async def test_time_is_the_api_servers() -> None:
    time = FakeTime()
    objects = Objects(Script([at("1"), at("2")]), monotonic=lambda: time.now)
    before = objects.now()
    assert abs(datetime.now(UTC) - before) < timedelta(minutes=1)
    await objects.get(SECRETS, "tls")
    time.now += 30
    assert DATE + timedelta(seconds=30) == objects.now()


async def test_an_answer_without_a_date_changes_no_clock() -> None:
    objects = Objects(Script([at("1")], date=None))
    await objects.get(SECRETS, "tls")
    assert abs(datetime.now(UTC) - objects.now()) < timedelta(minutes=1)
