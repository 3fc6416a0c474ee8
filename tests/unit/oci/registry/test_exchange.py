"""Credentials, redirects and time: what it takes to get an answer."""

import asyncio
import logging

import pytest

from app.errors import RegistryError
from app.oci.credentials import Credential
from app.oci.failure import LookupFailedError, unavailable
from app.oci.limits import Limits
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.oci.registry.transport import Answer, Request
from app.ports import Unauthorized, Unavailable
from tests.tools.answers import (
    API,
    BAD,
    BASE,
    CANARY,
    DIGEST,
    DIGESTED,
    GET,
    GOOD,
    HEAD,
    HOST,
    MANIFEST,
    SCOPE,
    TAG,
    TOKEN,
    Counts,
    Table,
    Time,
    answer,
    challenged,
    opens,
    shared,
    source,
    token,
)

# Authorization -----------------------------------------------------------------------


async def test_an_open_registry_is_sent_no_credential() -> None:
    table = Table({HEAD: answer(headers=DIGESTED)})
    await source(table, by=shared(table, GOOD)).resolve()
    assert [""] == table.sent_to(f"{BASE}/manifests/1")


async def test_a_token_is_got_without_a_credential_where_we_have_none() -> None:
    table = Table({HEAD: opens("Bearer t", otherwise=challenged())})
    table.answers[f"{TOKEN}?{SCOPE}"] = token()
    await source(table).resolve()
    assert [HEAD, f"GET {TOKEN}?{SCOPE}", HEAD] == table.urls()
    assert [""] == table.sent_to(TOKEN)


async def test_credentials_are_tried_in_order_until_one_is_accepted() -> None:
    def server(request: Request) -> Answer:
        is_good = request.headers.get("Authorization") == GOOD.basic
        return token() if is_good else Answer(401)

    table = Table({HEAD: opens("Bearer t", otherwise=challenged())})
    table.answers[f"{TOKEN}?{SCOPE}"] = server
    await source(table, by=shared(table, BAD, GOOD)).resolve()
    assert [BAD.basic, GOOD.basic] == table.sent_to(TOKEN)
    assert ["", "Bearer t"] == table.sent_to(f"{BASE}/manifests/1")


async def test_a_token_that_the_registry_refuses_leads_to_the_next_credential() -> None:
    def server(request: Request) -> Answer:
        return token("g" if request.headers["Authorization"] == GOOD.basic else "b")

    table = Table({HEAD: opens("Bearer g", otherwise=challenged(status=403))})
    table.answers[HEAD] = opens("Bearer g", otherwise=challenged())
    table.answers[f"{TOKEN}?{SCOPE}"] = server
    await source(table, by=shared(table, BAD, GOOD)).resolve()
    assert ["", "Bearer b", "Bearer g"] == table.sent_to(f"{BASE}/manifests/1")


async def test_anonymous_comes_last() -> None:
    def server(request: Request) -> Answer:
        return Answer(401) if "Authorization" in request.headers else token()

    table = Table({HEAD: opens("Bearer t", otherwise=challenged())})
    table.answers[f"{TOKEN}?{SCOPE}"] = server
    await source(table, by=shared(table, BAD)).resolve()
    assert [BAD.basic, ""] == table.sent_to(TOKEN)


async def test_a_user_and_a_password_are_sent_where_a_registry_wants_them() -> None:
    basic = Answer(401, challenges=('Basic realm="x"',))
    table = Table({HEAD: opens(GOOD.basic, otherwise=basic)})
    await source(table, by=shared(table, BAD, GOOD)).resolve()
    sent = table.sent_to(f"{BASE}/manifests/1")
    assert ["", BAD.basic, GOOD.basic] == sent


@pytest.mark.parametrize(
    "answer_",
    [
        pytest.param(Answer(401), id="no-challenge"),
        pytest.param(Answer(401, challenges=("Negotiate",)), id="another-scheme"),
        pytest.param(Answer(401, challenges=('Basic realm="x"',)), id="basic"),
        pytest.param(Answer(403), id="forbidden"),
    ],
)
async def test_none_accepted_is_unauthorized(answer_: Answer) -> None:
    table = Table({HEAD: answer_})
    with pytest.raises(LookupFailedError) as caught:
        await source(table, by=shared(table, BAD)).resolve()
    assert isinstance(caught.value.outcome, Unauthorized)


async def test_more_credentials_than_the_limit_are_not_tried() -> None:
    many = [Credential(f"{number}", CANARY) for number in range(9)]
    table = Table({HEAD: challenged(), f"{TOKEN}?{SCOPE}": Answer(401)})
    with pytest.raises(LookupFailedError):
        await source(table, by=shared(table, *many)).resolve()
    assert [*(one.basic for one in many[:8]), ""] == table.sent_to(TOKEN)


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(
    ("given", "text"),
    [((BAD,), "refused every credential that we have"), ((), "wants a credential")],
)
async def test_a_credential_that_is_refused_is_not_called_missing(
    status: int, given: tuple[Credential, ...], text: str
) -> None:
    table = Table({HEAD: challenged(), f"{TOKEN}?{SCOPE}": Answer(status)})
    with pytest.raises(LookupFailedError) as caught:
        await source(table, by=shared(table, *given)).resolve()
    assert isinstance(caught.value.outcome, Unauthorized)
    assert text in caught.value.outcome.detail


async def test_a_token_is_asked_for_once_for_all_requests() -> None:
    table = Table(
        {
            HEAD: opens("Bearer t", otherwise=challenged()),
            f"{TOKEN}?{SCOPE}": token(),
            f"{BASE}/manifests/{DIGEST}": opens("Bearer t", otherwise=challenged()),
        }
    )
    by = shared(table, GOOD)
    await source(table, by=by).resolve()
    await source(table, by=by).manifest(DIGEST, most_bytes=100)
    await source(table, by=by).resolve()
    assert 1 == len(table.sent_to(TOKEN))
    assert 5 == len(table.asked)


async def test_a_token_of_one_repository_is_not_sent_to_another() -> None:
    other = f"https://{HOST}/v2/org/other/manifests/1"
    table = Table(
        {
            HEAD: opens("Bearer t", otherwise=challenged()),
            f"HEAD {other}": opens("Bearer u", otherwise=challenged()),
            f"{TOKEN}?{SCOPE}": token("t"),
            f"{TOKEN}?{SCOPE.replace('app', 'other')}": token("u"),
        }
    )
    by = shared(table, GOOD)
    await source(table, by=by).resolve()
    await source(table, f"{HOST}/org/other:1", by=by).resolve()
    assert "Bearer t" not in table.sent_to(other)


async def test_the_second_repository_of_a_registry_costs_a_token_and_no_refusal() -> (
    None
):
    other = f"https://{HOST}/v2/org/other/manifests/1"
    table = Table(
        {
            HEAD: opens("Bearer t", otherwise=challenged()),
            f"HEAD {other}": opens("Bearer t", otherwise=challenged()),
            f"{TOKEN}?{SCOPE}": token(),
            f"{TOKEN}?{SCOPE.replace('app', 'other')}": token(),
        }
    )
    by = shared(table)
    await source(table, by=by).resolve()
    await source(table, f"{HOST}/org/other:1", by=by).resolve()
    assert 5 == len(table.asked)
    assert ["Bearer t"] == table.sent_to(other)


async def test_an_expired_token_is_replaced() -> None:
    time = Time()
    table = Table({HEAD: opens("Bearer t", otherwise=challenged())})
    table.answers[f"{TOKEN}?{SCOPE}"] = token()
    by = shared(table, clock=time)
    await source(table, by=by).resolve()
    time.now += 290
    await source(table, by=by).resolve()
    assert 2 == len(table.sent_to(TOKEN))


async def test_a_token_that_is_no_longer_accepted_is_replaced_once() -> None:
    table = Table({HEAD: opens("Bearer t", otherwise=challenged())})
    table.answers[f"{TOKEN}?{SCOPE}"] = token()
    by = shared(table)
    await source(table, by=by).resolve()
    table.answers[HEAD] = opens("Bearer u", otherwise=challenged())
    table.answers[f"{TOKEN}?{SCOPE}"] = token("u")
    assert DIGEST == (await source(table, by=by).resolve()).digest
    assert 2 == len(table.sent_to(TOKEN))


async def test_a_challenge_that_no_longer_holds_is_asked_for_again() -> None:
    table = Table({HEAD: opens("Bearer t", otherwise=challenged())})
    table.answers[f"{TOKEN}?{SCOPE}"] = token()
    by = shared(table, GOOD)
    await source(table, by=by).resolve()
    other = f"https://{HOST}/v2/org/other/manifests/1"
    basic = Answer(401, challenges=('Basic realm="x"',))
    table.answers[f"HEAD {other}"] = opens(GOOD.basic, otherwise=basic)
    table.answers[f"{TOKEN}?{SCOPE.replace('app', 'other')}"] = Answer(401)
    await source(table, f"{HOST}/org/other:1", by=by).resolve()
    assert ["", GOOD.basic] == table.sent_to(other)


async def test_a_credential_does_not_go_to_a_foreign_token_server() -> None:
    table = Table({HEAD: challenged("https://evil.example/token")})
    with pytest.raises(LookupFailedError) as caught:
        await source(table, by=shared(table, GOOD)).resolve()
    assert isinstance(caught.value.outcome, Unavailable)
    assert "RealmRefused" == caught.value.reason
    assert [HEAD] == table.urls()


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Answer(500), id="server-error"),
        pytest.param(Answer(429), id="too-many"),
        pytest.param(Answer(302, {"location": "https://evil.example/"}), id="redirect"),
        pytest.param(Answer(404), id="not-found"),
        pytest.param(Answer(200, body=b"<html>"), id="no-json"),
        pytest.param(Answer(200, body=b"{}"), id="no-token"),
    ],
)
async def test_a_token_server_that_fails_is_unavailable(reply: Answer) -> None:
    table = Table({HEAD: challenged(), f"{TOKEN}?{SCOPE}": reply})
    with pytest.raises(LookupFailedError) as caught:
        await source(table, by=shared(table, GOOD)).resolve()
    assert isinstance(caught.value.outcome, Unavailable)
    assert "TokenError" == caught.value.reason
    assert not [one for one in table.asked if "evil" in one.url]


# Redirects ---------------------------------------------------------------------------

BLOB = f"{BASE}/blobs/{DIGEST}"
CDN = "https://cdn.example/x?sig=a%2Fb"


def redirect(location: str, status: int = 307) -> Answer:
    return Answer(status, {"location": location})


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed_without_the_credential(status: int) -> None:
    basic = Answer(401, challenges=('Basic realm="x"',))

    def reply(request: Request) -> Answer:
        is_open = request.headers.get("Authorization") == GOOD.basic
        return redirect(CDN, status) if is_open else basic

    table = Table({BLOB: reply, CDN: answer(MANIFEST)})
    found = await source(table, by=shared(table, GOOD)).blob(DIGEST, most_bytes=99)
    assert MANIFEST == found
    assert [""] == [
        one.headers.get("Authorization", "") for one in table.asked if one.url == CDN
    ]


async def test_a_credential_that_was_left_behind_does_not_come_back() -> None:
    basic = Answer(401, challenges=('Basic realm="x"',))
    back = f"{BASE}/blobs/back"

    def reply(request: Request) -> Answer:
        return redirect(CDN) if "Authorization" in request.headers else basic

    table = Table({BLOB: reply, CDN: redirect(back), back: answer(MANIFEST)})
    await source(table, by=shared(table, GOOD)).blob(DIGEST, most_bytes=99)
    assert [""] == table.sent_to(back)


async def test_a_redirect_within_the_registry_keeps_the_credential() -> None:
    basic = Answer(401, challenges=('Basic realm="x"',))
    there = f"{BASE}/blobs/there"
    table = Table({BLOB: redirect("/v2/org/app/blobs/there")})
    table.answers[there] = opens(GOOD.basic, otherwise=basic)
    await source(table, by=shared(table, GOOD)).blob(DIGEST, most_bytes=99)
    assert ["", GOOD.basic] == table.sent_to(there)


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("http://cdn.example/x", id="plain-http"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("ftp://cdn.example/x", id="ftp"),
        pytest.param("https://:443/x", id="no-host"),
        pytest.param("https://user:pw@cdn.example/x", id="user"),
        pytest.param("https://[x/", id="no-url"),
    ],
)
async def test_a_redirect_to_nowhere_good_is_not_followed(location: str) -> None:
    table = Table({BLOB: redirect(location)})
    with pytest.raises(LookupFailedError) as caught:
        await source(table).blob(DIGEST, most_bytes=99)
    assert isinstance(caught.value.outcome, Unavailable)
    assert "BadRedirect" == caught.value.reason
    assert 1 == len(table.asked)


async def test_a_refusal_behind_a_redirect_is_not_the_registrys() -> None:
    challenge = Answer(401, challenges=('Basic realm="x"',))
    table = Table({BLOB: redirect(CDN), CDN: challenge})
    with pytest.raises(LookupFailedError) as caught:
        await source(table, by=shared(table, GOOD)).blob(DIGEST, most_bytes=99)
    assert isinstance(caught.value.outcome, Unavailable)
    assert ["", ""] == [one.headers.get("Authorization", "") for one in table.asked]


@pytest.mark.parametrize("hops", [3, 4])
async def test_as_many_redirects_as_the_limit_are_followed(hops: int) -> None:
    table = Table({BLOB: redirect("https://cdn.example/1")})
    for number in range(1, hops):
        table.answers[f"https://cdn.example/{number}"] = redirect(f"/{number + 1}")
    table.answers[f"https://cdn.example/{hops}"] = answer(MANIFEST)
    if hops == 3:
        assert MANIFEST == await source(table).blob(DIGEST, most_bytes=99)
        return
    with pytest.raises(LookupFailedError) as caught:
        await source(table).blob(DIGEST, most_bytes=99)
    assert "TooManyRedirects" == caught.value.reason
    assert 4 == len(table.asked)


async def test_plain_http_is_spoken_only_where_the_operator_says_so() -> None:
    policy = RegistryPolicy({HOST: HostPolicy(plain_http=True)})
    table = Table({HEAD.replace("https", "http"): answer(headers=DIGESTED)})
    await source(table, by=shared(table, policy=policy)).resolve()
    assert [HEAD.replace("https", "http")] == table.urls()


async def test_docker_hub_answers_at_its_own_host() -> None:
    url = "https://registry-1.docker.io/v2/library/nginx/manifests/1.27"
    table = Table({url: answer(headers=DIGESTED)})
    await source(table, "nginx:1.27").resolve()
    assert [f"HEAD {url}"] == table.urls()


# Time, counts and secrets ------------------------------------------------------------


async def test_each_request_has_the_time_that_is_left() -> None:
    time = Time()

    def slow(_request: Request) -> Answer:
        time.now += 4
        return redirect(f"{BASE}/blobs/x")

    table = Table({BLOB: slow, f"{BASE}/blobs/x": slow})
    by = shared(table, clock=time)
    with pytest.raises(LookupFailedError) as caught:
        await source(table, by=by).blob(DIGEST, most_bytes=99)
    assert Unavailable("Timeout", f"no time left to ask {HOST}") == caught.value.outcome
    assert [10, 6, 2] == [one.seconds for one in table.asked]


async def test_every_request_is_counted_by_what_it_was_for() -> None:
    counts = Counts()
    table = Table({HEAD: opens("Bearer t", otherwise=challenged())})
    table.answers[f"{TOKEN}?{SCOPE}"] = token()
    table.answers[API] = unavailable("Timeout", "x")
    by = shared(table, observer=counts)
    await source(table, by=by).resolve()
    with pytest.raises(LookupFailedError):
        await source(table, by=by).referrers(DIGEST)
    expected = [
        ("resolve", "4xx"),
        ("token", "2xx"),
        ("resolve", "2xx"),
        ("referrers", "Timeout"),
    ]
    assert expected == counts.seen


async def test_the_time_of_every_request_is_told() -> None:
    counts, time = Counts(), Time()

    def slow(_request: Request) -> Answer:
        time.now += 4
        return redirect(f"{BASE}/blobs/x")

    def refused(_request: Request) -> Answer:
        time.now += 2
        raise unavailable("ServerError", "x")

    table = Table({BLOB: slow, f"{BASE}/blobs/x": refused})
    by = shared(table, clock=time, observer=counts)
    with pytest.raises(LookupFailedError):
        await source(table, by=by).blob(DIGEST, most_bytes=99)
    assert [("blob", "3xx"), ("blob", "ServerError")] == counts.seen
    assert [4, 2] == counts.seconds


async def test_a_request_that_nobody_waits_for_is_counted() -> None:
    def given_up(_request: Request) -> Answer:
        raise asyncio.CancelledError

    counts = Counts()
    table = Table({BLOB: given_up})
    by = shared(table, observer=counts)
    with pytest.raises(asyncio.CancelledError):
        await source(table, by=by).blob(DIGEST, most_bytes=99)
    assert [("blob", "Unfinished")] == counts.seen


async def test_no_secret_shows_in_errors_outcomes_logs_or_repr(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    body = f'{{"token": "token-{CANARY}"}}'.encode()
    secret = f"{CANARY} of the registry".encode()
    table = Table(
        {
            HEAD: challenged(),
            f"{TOKEN}?{SCOPE}": Answer(200, body=body),
            BLOB: Answer(500, {"x-secret": CANARY}, body=secret),
        }
    )
    by = shared(table, GOOD)
    texts: list[object] = [by]
    for ask in (
        source(table, by=by).resolve(),
        source(table, by=by).blob(DIGEST, most_bytes=9),
    ):
        with pytest.raises(RegistryError) as caught:
            await ask
        error: BaseException | None = caught.value
        while error is not None:
            texts += [error, getattr(error, "outcome", None)]
            error = error.__cause__ or error.__context__
    texts += [*table.asked, table.answers[BLOB], table.answers[f"{TOKEN}?{SCOPE}"]]
    assert any(CANARY in one.headers.get("Authorization", "") for one in table.asked)
    assert CANARY not in "".join(map(repr, texts)) + "".join(map(str, texts))
    assert CANARY not in caplog.text


async def test_each_kind_of_request_has_its_own_limit() -> None:
    """The transport keeps it to the byte: `tests/integration` asks for one more."""
    limits = Limits(manifest_bytes=1, token_bytes=2)
    table = Table(
        {
            HEAD: Answer(405),
            GET: opens("Bearer t", otherwise=challenged()),
            f"{TOKEN}?{SCOPE}": token(),
            API: Answer(404),
            BLOB: answer(MANIFEST),
        }
    )
    by = shared(table, limits=limits)
    await source(table, by=by).resolve()
    await source(table, by=by).referrers(DIGEST)
    await source(table, by=by).blob(DIGEST, most_bytes=3)
    asked = {(one.url.partition("?")[0], one.most_bytes) for one in table.asked}
    manifest = f"{BASE}/manifests/1"
    expected = {
        (manifest, 0),
        (manifest, 1),
        (TOKEN, 2),
        (API.partition("?")[0], 1),
        (TAG, 1),
        (BLOB, 3),
    }
    assert expected == asked


def test_the_limits_are_those_of_the_design() -> None:
    limits = Limits()
    assert 4 << 20 == limits.manifest_bytes
    assert (1 << 20, 256 << 10) == (limits.artifact_bytes, limits.spec_bytes)
    assert (64 << 10, 8 << 10) == (limits.token_bytes, limits.error_bytes)
    assert (10, 256, 8) == (limits.pages, limits.descriptors, limits.untyped)
    assert (3, 256) == (limits.redirects, limits.children)
