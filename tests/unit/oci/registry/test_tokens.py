"""Tokens: one for all who want the same, anew when they are refused."""

import asyncio
from urllib.parse import parse_qs

import pytest

from app.oci.credentials import Credential
from app.oci.failure import LookupFailedError, unavailable
from app.oci.images import reference
from app.oci.registry.exchange import Asked, Exchange
from app.oci.registry.transport import Answer, Request
from tests.tools.answers import (
    BAD,
    CANARY,
    DIGEST,
    GOOD,
    HEAD,
    HOST,
    TOKEN,
    Table,
    challenged,
    opens,
    shared,
    token,
)
from tests.tools.authorized import (
    ASKED,
    BASIC,
    MANIFESTS,
    Gated,
    by_user,
    settled,
    source,
    tokened,
)

# Tokens ------------------------------------------------------------------------------


async def test_a_hundred_lookups_of_one_repository_cost_one_token() -> None:
    table = Gated({HEAD: tokened("t"), ASKED: token()})
    by = shared(table, GOOD)
    lookups = [asyncio.create_task(source(by).resolve()) for _ in range(100)]
    await settled()
    table.gate.set()
    assert {DIGEST} == {root.digest for root in await asyncio.gather(*lookups)}
    assert [GOOD.basic] == table.sent_to(TOKEN)


async def test_many_that_wait_for_a_token_server_that_fails_are_told_once() -> None:
    table = Table({HEAD: tokened("t"), ASKED: Answer(500)})
    by = shared(table, GOOD)
    lookups = [source(by).resolve() for _ in range(100)]
    found = await asyncio.gather(*lookups, return_exceptions=True)
    assert {"TokenError"} == {getattr(one, "reason", one) for one in found}
    assert 1 == len(table.sent_to(TOKEN))


async def test_who_has_time_left_waits_for_no_one_who_has_not() -> None:
    replies: list[LookupFailedError | Answer]
    replies = [unavailable("Timeout", "x"), token()]
    table = Table({HEAD: tokened("t")})

    def reply(_request: Request) -> Answer:
        one = replies.pop(0)
        if isinstance(one, LookupFailedError):
            raise one
        return one

    table.answers[ASKED] = reply
    by = shared(table, GOOD)
    lookups = [source(by).resolve() for _ in range(3)]
    found = await asyncio.gather(*lookups, return_exceptions=True)
    assert ["Timeout"] == [getattr(one, "reason", one) for one in found[:1]]
    assert [DIGEST, DIGEST] == [getattr(one, "digest", one) for one in found[1:]]
    assert 2 == len(table.sent_to(TOKEN))


async def test_a_lookup_that_is_given_up_takes_no_token_from_the_others() -> None:
    table = Gated({HEAD: tokened("t"), ASKED: token()})
    by = shared(table, GOOD)
    first, second = (asyncio.create_task(source(by).resolve()) for _ in range(2))
    await settled()
    first.cancel()
    await settled()
    table.gate.set()
    assert DIGEST == (await second).digest
    assert 1 == len(table.sent_to(TOKEN))
    assert first.cancelled()


async def test_a_refused_token_is_got_anew_once_before_the_next_credential() -> None:
    served = {BAD.basic: "old", GOOD.basic: "good"}
    table = Table({HEAD: tokened("old"), ASKED: by_user(served)})
    by = shared(table, BAD, GOOD)
    await source(by).resolve()
    table.answers[HEAD] = tokened("good")
    served[BAD.basic] = "anew"
    table.asked.clear()
    await source(by).resolve()
    expected = ["Bearer old", "Bearer anew", "Bearer good"]
    assert expected == table.sent_to(MANIFESTS)
    assert [BAD.basic, GOOD.basic] == table.sent_to(TOKEN)


async def test_a_token_that_was_new_is_not_got_anew() -> None:
    served = {BAD.basic: "bad", GOOD.basic: "good"}
    table = Table({HEAD: tokened("good"), ASKED: by_user(served)})
    await source(shared(table, BAD, GOOD)).resolve()
    assert [BAD.basic, GOOD.basic] == table.sent_to(TOKEN)


async def test_a_new_token_that_is_refused_is_not_kept() -> None:
    table = Table({HEAD: challenged(), ASKED: token()})
    by = shared(table)
    for _ in range(2):
        with pytest.raises(LookupFailedError):
            await source(by).resolve()
    assert 2 == len(table.sent_to(TOKEN))
    assert ["", "Bearer t"] * 2 == table.sent_to(MANIFESTS)


async def test_a_server_that_gives_no_other_token_leads_to_the_next_one() -> None:
    served = {BAD.basic: "old", GOOD.basic: "good"}
    table = Table({HEAD: tokened("old"), ASKED: by_user(served)})
    by = shared(table, BAD, GOOD)
    await source(by).resolve()
    table.answers[HEAD] = tokened("good")
    del served[BAD.basic]
    await source(by).resolve()
    assert "Bearer good" == table.sent_to(MANIFESTS)[-1]


async def test_a_token_that_another_lookup_got_meanwhile_is_taken() -> None:
    """Of many whose token expired, one gets another: none of them drops that."""
    table = Table({HEAD: tokened("old"), ASKED: token("old")})
    by = shared(table, GOOD)
    await source(by).resolve()
    table.answers[HEAD] = tokened("new")
    table.answers[ASKED] = token("new")
    table.asked.clear()
    await asyncio.gather(*(source(by).resolve() for _ in range(20)))
    assert 1 == len(table.sent_to(TOKEN))
    assert {"Bearer old", "Bearer new"} == set(table.sent_to(MANIFESTS))


async def test_tokens_for_other_actions_are_others() -> None:
    write = ASKED + "%2Cpush"
    table = Table({HEAD: tokened("r"), ASKED: token("r"), write: token("w")})
    by = shared(table, GOOD)
    await source(by).resolve()
    image = reference.parse(f"{HOST}/org/app:1")
    writing = Exchange(by, image, ends=by.clock() + 10, actions="pull,push")
    table.answers[HEAD] = tokened("w")
    await writing.ask(Asked("manifest", "HEAD", MANIFESTS, "*/*"))
    assert ["Bearer r", "Bearer w"] == table.sent_to(MANIFESTS)[1:]


# Tokens of the operator's own --------------------------------------------------------


async def test_an_identity_token_is_exchanged_for_a_token() -> None:
    one = Credential("00000000", "", identity_token=f"id-{CANARY}")

    def server(request: Request) -> Answer:
        form = parse_qs(request.body.decode())
        is_ours = form.get("refresh_token") == [f"id-{CANARY}"]
        return token() if request.method == "POST" and is_ours else Answer(401)

    table = Table({HEAD: tokened("t"), TOKEN: server})
    await source(shared(table, one)).resolve()
    assert [HEAD, f"POST {TOKEN}", HEAD] == table.urls()
    assert [""] == table.sent_to(TOKEN)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405])
async def test_an_identity_token_that_is_refused_leads_to_the_next(status: int) -> None:
    one = Credential(identity_token=CANARY)
    table = Table({HEAD: tokened("t"), ASKED: token(), TOKEN: Answer(status)})
    await source(shared(table, one, GOOD)).resolve()
    assert ["", GOOD.basic] == table.sent_to(TOKEN)


@pytest.mark.parametrize("status", [429, 500, 302])
async def test_a_server_that_fails_to_exchange_is_unavailable(status: int) -> None:
    one = Credential(identity_token=CANARY)
    table = Table({HEAD: tokened("t"), TOKEN: Answer(status, {"location": "x"})})
    with pytest.raises(LookupFailedError) as caught:
        await source(shared(table, one)).resolve()
    assert "TokenError" == caught.value.reason


async def test_an_identity_token_is_no_password() -> None:
    one = Credential("user", "", identity_token=CANARY)
    table = Table({HEAD: opens(GOOD.basic, otherwise=BASIC)})
    await source(shared(table, one, GOOD)).resolve()
    assert ["", GOOD.basic] == table.sent_to(MANIFESTS)


async def test_a_registry_token_is_sent_as_it_is() -> None:
    one = Credential(registry_token=f"reg-{CANARY}")
    table = Table({HEAD: tokened(f"reg-{CANARY}")})
    await source(shared(table, one)).resolve()
    assert ["", f"Bearer reg-{CANARY}"] == table.sent_to(MANIFESTS)
    assert [] == table.sent_to(TOKEN)


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "ä", "a b"])
async def test_a_registry_token_that_is_no_header_is_not_sent(value: str) -> None:
    table = Table({HEAD: tokened("t"), ASKED: token()})
    await source(shared(table, Credential(registry_token=value))).resolve()
    assert ["", "Bearer t"] == table.sent_to(MANIFESTS)


async def test_a_registry_token_answers_no_other_challenge() -> None:
    table = Table({HEAD: BASIC})
    with pytest.raises(LookupFailedError):
        await source(shared(table, Credential(registry_token=CANARY))).resolve()
    assert [""] == table.sent_to(MANIFESTS)
