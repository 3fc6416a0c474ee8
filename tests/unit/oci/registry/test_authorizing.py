"""Which credential is sent, when, and to whom."""

from collections.abc import Callable

import pytest

from app.oci.credentials import Credential
from app.oci.failure import LookupFailedError
from app.oci.registry.client import Shared
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.oci.registry.transport import Answer, Request
from app.ports import ImageNotFound, Unauthorized, Unavailable
from tests.tools.answers import (
    BAD,
    CANARY,
    DIGEST,
    DIGESTED,
    GOOD,
    HEAD,
    HOST,
    MANIFEST,
    SCOPE,
    TOKEN,
    Table,
    answer,
    challenged,
    keyring,
    opens,
    shared,
    token,
)
from tests.tools.authorized import (
    ASKED,
    BASIC,
    BLOB,
    MANIFESTS,
    Offered,
    by_user,
    source,
    tokened,
)

# What worked is tried first ----------------------------------------------------------


async def test_the_credential_that_worked_is_tried_first_the_next_time() -> None:
    table = Table({HEAD: opens(GOOD.basic, otherwise=BASIC)})
    by = shared(table, BAD, GOOD)
    await source(by).resolve()
    await source(by).resolve()
    expected = ["", BAD.basic, GOOD.basic, GOOD.basic]
    assert expected == table.sent_to(MANIFESTS)


async def test_no_credential_is_sent_where_none_worked() -> None:
    table = Table({HEAD: tokened("t"), ASKED: by_user({"": "t"})})
    by = shared(table, BAD)
    await source(by).resolve()
    await source(by).resolve()
    assert [BAD.basic, ""] == table.sent_to(TOKEN)


async def test_what_worked_for_a_pod_says_nothing_of_a_pod_with_other_secrets() -> None:
    other = Credential("other", CANARY)
    table = Table({HEAD: opens(GOOD.basic, other.basic, otherwise=BASIC)})
    by = shared(table)
    await source(by, GOOD).resolve()
    await source(by, other).resolve()
    assert ["", GOOD.basic, other.basic] == table.sent_to(MANIFESTS)
    with pytest.raises(LookupFailedError):
        await source(by, BAD).resolve()
    assert GOOD.basic not in table.sent_to(MANIFESTS)[3:]
    assert other.basic not in table.sent_to(MANIFESTS)[3:]


async def test_what_worked_is_left_when_it_works_no_more() -> None:
    table = Table({HEAD: opens(BAD.basic, otherwise=BASIC)})
    by = shared(table, BAD, GOOD)
    await source(by).resolve()
    table.answers[HEAD] = opens(GOOD.basic, otherwise=BASIC)
    await source(by).resolve()
    await source(by).resolve()
    expected = ["", BAD.basic, BAD.basic, GOOD.basic, GOOD.basic]
    assert expected == table.sent_to(MANIFESTS)


async def test_the_pod_s_own_credentials_come_before_the_operator_s() -> None:
    table = Table({HEAD: opens(GOOD.basic, otherwise=BASIC)})
    by = shared(table, GOOD)
    await source(by, BAD).resolve()
    assert ["", BAD.basic, GOOD.basic] == table.sent_to(MANIFESTS)


@pytest.mark.parametrize(("own", "operators"), [(8, 0), (5, 3), (0, 8)])
async def test_as_many_credentials_as_the_limit_are_tried(
    own: int, operators: int
) -> None:
    """Those of the Pod and the operator's, together."""
    ring = [Credential(f"pod-{number}", CANARY) for number in range(own)]
    offered = [Credential(f"own-{number}", CANARY) for number in range(10)]
    table = Table({HEAD: BASIC})
    with pytest.raises(LookupFailedError) as caught:
        await source(shared(table, *offered), *ring).resolve()
    assert isinstance(caught.value.outcome, Unauthorized)
    tried = [*ring, *offered[:operators]]
    assert ["", *(one.basic for one in tried)] == table.sent_to(MANIFESTS)


async def test_what_worked_counts_among_them() -> None:
    offered = [Credential(f"{number}", CANARY) for number in range(10)]
    table = Table({HEAD: opens(offered[7].basic, otherwise=BASIC)})
    by = shared(table, *offered)
    await source(by).resolve()
    table.answers[HEAD] = BASIC
    table.asked.clear()
    with pytest.raises(LookupFailedError):
        await source(by).resolve()
    first = [offered[7], *offered[:7]]
    assert [*(one.basic for one in first), ""] == table.sent_to(MANIFESTS)


async def test_a_credential_that_is_offered_twice_is_tried_once() -> None:
    table = Table({HEAD: BASIC})
    by = shared(table, BAD)
    with pytest.raises(LookupFailedError):
        await source(by, BAD).resolve()
    assert ["", BAD.basic] == table.sent_to(MANIFESTS)


async def test_the_operator_is_not_asked_for_a_registry_that_wants_nothing() -> None:
    offered = Offered((GOOD,))
    table = Table({HEAD: answer(headers=DIGESTED)})
    by = Shared(table, RegistryPolicy(), operator=offered)
    await source(by).resolve()
    assert [] == offered.taken


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(Answer(403), id="forbidden"),
        pytest.param(Answer(401), id="no-challenge"),
        pytest.param(Answer(401, challenges=("Negotiate", "<html>")), id="others"),
    ],
)
@pytest.mark.parametrize("plain_http", [False, True])
async def test_the_operator_is_not_asked_for_what_no_credential_answers(
    refusal: Answer, *, plain_http: bool
) -> None:
    offered = Offered((GOOD,))
    table = Table({HEAD: refusal, HTTP_HEAD: refusal})
    by = Shared(table, CLOSED if plain_http else RegistryPolicy(), operator=offered)
    with pytest.raises(LookupFailedError) as caught:
        await source(by).resolve()
    assert isinstance(caught.value.outcome, Unauthorized)
    assert [] == offered.taken
    assert 1 == len(table.asked)


async def test_the_operator_is_asked_only_when_the_pod_s_own_are_refused() -> None:
    offered = Offered((BAD, GOOD))
    table = Table({HEAD: opens(GOOD.basic, otherwise=BASIC)})
    by = Shared(table, RegistryPolicy(), operator=offered)
    await source(by, GOOD).resolve()
    assert [] == offered.taken
    await source(by).resolve()
    assert [BAD, GOOD] == offered.taken


# "Not found" may mean "not for you" --------------------------------------------------


def hiding(status: int, *values: str) -> Callable[[Request], Answer]:
    """Answers this status to these, right to `GOOD`, and 401 to all others."""

    def reply(request: Request) -> Answer:
        given = request.headers.get("Authorization", "")
        if given in values:
            return Answer(status)
        is_good = given == GOOD.basic
        return answer(MANIFEST, headers=DIGESTED) if is_good else BASIC

    return reply


async def test_an_image_that_one_credential_does_not_find_is_asked_with_the_next() -> (
    None
):
    table = Table({HEAD: hiding(404, BAD.basic)})
    by = shared(table, BAD, GOOD)
    assert DIGEST == (await source(by).resolve()).digest
    assert ["", BAD.basic, GOOD.basic] == table.sent_to(MANIFESTS)
    await source(by).resolve()
    assert [GOOD.basic] == table.sent_to(MANIFESTS)[3:]


async def test_not_found_is_the_answer_where_no_other_credential_finds_it() -> None:
    other = Credential("other", CANARY)
    table = Table({HEAD: hiding(404, BAD.basic, other.basic)})
    third = Credential("third", CANARY)
    with pytest.raises(LookupFailedError) as caught:
        await source(shared(table, BAD, other, third)).resolve()
    assert isinstance(caught.value.outcome, ImageNotFound)
    sent = ["", BAD.basic, other.basic, third.basic]
    assert sent == table.sent_to(MANIFESTS)


async def test_not_found_is_not_asked_again_without_a_credential() -> None:
    """None is no other credential."""
    table = Table({ASKED: by_user({BAD.basic: "bad", "": "any"})})

    def reply(request: Request) -> Answer:
        is_bad = request.headers.get("Authorization") == "Bearer bad"
        return Answer(404) if is_bad else challenged()

    table.answers[HEAD] = reply
    with pytest.raises(LookupFailedError) as caught:
        await source(shared(table, BAD)).resolve()
    assert isinstance(caught.value.outcome, ImageNotFound)
    assert ["", "Bearer bad"] == table.sent_to(MANIFESTS)
    assert [BAD.basic] == table.sent_to(TOKEN)


async def test_what_opened_the_repository_may_be_hidden_too() -> None:
    served = {BAD.basic: "bad", "": "any"}
    table = Table({HEAD: tokened("any"), ASKED: by_user(served)})
    by = shared(table)
    await source(by).resolve()
    by.operator = keyring(GOOD)
    served[GOOD.basic] = "good"
    hidden = Answer(404)

    def reply(request: Request) -> Answer:
        is_good = request.headers.get("Authorization") == "Bearer good"
        return answer(MANIFEST, headers=DIGESTED) if is_good else hidden

    table.answers[HEAD] = reply
    assert DIGEST == (await source(by).resolve()).digest


async def test_content_that_is_not_there_is_asked_for_once() -> None:
    table = Table({BLOB: hiding(404, BAD.basic)})
    with pytest.raises(Exception, match="is not there"):
        await source(shared(table, BAD, GOOD)).blob(DIGEST, most_bytes=9)
    assert ["", BAD.basic] == table.sent_to(BLOB)


async def test_another_fault_than_not_found_is_the_answer() -> None:
    table = Table({HEAD: hiding(500, BAD.basic)})
    with pytest.raises(LookupFailedError) as caught:
        await source(shared(table, BAD, GOOD)).resolve()
    assert isinstance(caught.value.outcome, Unavailable)
    assert ["", BAD.basic] == table.sent_to(MANIFESTS)


# Plain HTTP --------------------------------------------------------------------------

HTTP_HEAD = HEAD.replace("https", "http")
HTTP_MANIFESTS = MANIFESTS.replace("https", "http")
CLOSED = RegistryPolicy({HOST: HostPolicy(plain_http=True)})
OPEN = RegistryPolicy({HOST: HostPolicy(plain_http=True, plain_http_credentials=True)})


@pytest.mark.parametrize("is_pods", [True, False], ids=["pod", "operator"])
@pytest.mark.parametrize(
    "credential",
    [
        pytest.param(GOOD, id="password"),
        pytest.param(Credential(registry_token=CANARY), id="registry-token"),
        pytest.param(Credential(identity_token=CANARY), id="identity-token"),
    ],
)
@pytest.mark.parametrize(
    "challenge",
    [
        pytest.param('Basic realm="x"', id="basic"),
        pytest.param(f'Bearer realm="http://{HOST}/token"', id="bearer"),
        pytest.param(f'Bearer realm="{TOKEN}"', id="bearer-on-https"),
    ],
)
async def test_no_credential_goes_over_plain_http(
    challenge: str, credential: Credential, *, is_pods: bool
) -> None:
    table = Table({HTTP_HEAD: Answer(401, challenges=(challenge,))})
    for scheme in ("http", "https"):
        table.answers[f"{scheme}://{HOST}/token?{SCOPE}"] = Answer(401)
    by = shared(table, *([] if is_pods else [credential]), policy=CLOSED)
    with pytest.raises(LookupFailedError) as caught:
        await source(by, *([credential] if is_pods else [])).resolve()
    assert isinstance(caught.value.outcome, Unavailable)
    assert "PlainHttpCredentials" == caught.value.reason
    assert "plainHttpCredentials" in caught.value.message
    assert not [one for one in table.asked if "Authorization" in one.headers]
    assert not [one for one in table.asked if one.body]


async def test_over_plain_http_who_has_no_credential_is_just_refused() -> None:
    table = Table({HTTP_HEAD: BASIC})
    with pytest.raises(LookupFailedError) as caught:
        await source(shared(table, policy=CLOSED)).resolve()
    assert isinstance(caught.value.outcome, Unauthorized)


async def test_over_plain_http_a_token_for_everybody_serves() -> None:
    realm = f"http://{HOST}/token"
    table = Table({HTTP_HEAD: opens("Bearer t", otherwise=challenged(realm))})
    table.answers[f"{realm}?{SCOPE}"] = token()
    await source(shared(table, GOOD, policy=CLOSED)).resolve()
    assert ["", "Bearer t"] == table.sent_to(HTTP_MANIFESTS)
    assert [""] == table.sent_to(realm)


async def test_credentials_go_over_plain_http_where_the_operator_says_so() -> None:
    table = Table({HTTP_HEAD: opens(GOOD.basic, otherwise=BASIC)})
    await source(shared(table, policy=OPEN), GOOD).resolve()
    assert ["", GOOD.basic] == table.sent_to(HTTP_MANIFESTS)


# Challenges --------------------------------------------------------------------------


async def test_a_registry_that_repeats_itself_is_not_tried_again() -> None:
    """Only the scope and the error differ: what they say is the same."""

    def reply(_request: Request) -> Answer:
        number = len(table.asked)
        text = f'Bearer realm="{TOKEN}",service="",scope="{number}",error="{number}"'
        return Answer(401, challenges=(text,))

    table = Table({HEAD: tokened("t"), ASKED: token()})
    by = shared(table)
    await source(by).resolve()
    table.answers[HEAD] = reply
    table.asked.clear()
    with pytest.raises(LookupFailedError):
        await source(by).resolve()
    assert ["Bearer t", "Bearer t", ""] == table.sent_to(MANIFESTS)


async def test_of_several_challenges_the_first_that_fits_is_answered() -> None:
    both = Answer(
        401, challenges=("Negotiate YWJj", f'Basic realm="x", Bearer realm="{TOKEN}"')
    )
    table = Table({HEAD: opens("Bearer t", otherwise=both), ASKED: token()})
    await source(shared(table, Credential(identity_token=CANARY))).resolve()
    assert ["", "Bearer t"] == table.sent_to(MANIFESTS)


async def test_no_credential_is_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    one = Credential("u", "", f"id-{CANARY}", f"reg-{CANARY}")
    table = Table({HEAD: challenged(), TOKEN: Answer(401), ASKED: Answer(401)})
    by = shared(table, one, GOOD)
    with pytest.raises(LookupFailedError) as caught:
        await source(by, BAD).resolve()
    shown = [caplog.text, repr(by), repr(caught.value), str(caught.value.outcome)]
    assert CANARY not in "".join([*shown, repr(table.asked)])
