"""Pull secrets: which are asked for, how often, and what becomes of the others."""

import asyncio
import base64
from typing import Any

import pytest

from app.kube import secrets
from app.kube.secrets import ABSENT_SECONDS, FAILED_SECONDS
from app.ports import Puller, PullSecret
from tests.tools.scripted import FakeTime
from tests.tools.secrets_api import (
    ACCOUNT,
    CANARY,
    JSON,
    SOON,
    Api,
    Counts,
    account,
    having,
    path,
    pod,
    read,
    reader,
    secret,
)

# Which ones ----------------------------------------------------------------------


async def test_the_secrets_of_a_pod_come_in_its_order() -> None:
    given = reader(Api(having("a", "b", "c")))
    assert ["c", "a", "b"] == await read(given, pod("c", "a", "b", "c"))
    [found] = await given.read(pod("a"), deadline_seconds=SOON)
    assert PullSecret("a", JSON, {".dockerconfigjson": b"a"}) == found


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"read": "none"}, [], id="none"),
        pytest.param({"read": "named"}, [], id="none-named"),
        pytest.param(
            {"read": "named", "names": {"n/b", "m/a", "m/n/a"}}, ["b"], id="named"
        ),
        pytest.param(
            {"read": "named", "names": {"n/b"}, "namespaces": {"n", "*"}},
            ["b"],
            id="namespaces-do-not-count-then",
        ),
        pytest.param({"namespaces": {"m"}}, [], id="another-namespace"),
        pytest.param({"namespaces": {"m"}, "names": {"n/a"}}, [], id="nor-names"),
        pytest.param({"namespaces": {"m", "n"}}, ["a", "b"], id="namespace"),
        pytest.param({"namespaces": {"*"}}, ["a", "b"], id="every-namespace"),
    ],
)
async def test_only_what_the_admin_allowed_is_asked_for(
    settings: dict[str, Any], expected: list[str]
) -> None:
    api, counts = Api(having("a", "b")), Counts()
    given = reader(api, observer=counts, **settings)
    puller = pod("a", "b")
    at_hand = given.at_hand(puller)
    assert (() if not expected else None) == at_hand
    assert expected == await read(given, puller)
    assert [path(name) for name in expected] == api.asked
    assert 2 - len(expected) == counts.events["secrets withheld"]


@pytest.mark.parametrize(
    "puller",
    [
        pytest.param(Puller("n", ("../../../nodes",)), id="path"),
        pytest.param(Puller("n", ("a?watch=1",)), id="query"),
        pytest.param(Puller("n", ("A",)), id="upper-case"),
        pytest.param(Puller("n", ("a" * 254,)), id="long"),
        pytest.param(Puller("n/secrets/a?", ("a",)), id="namespace"),
        pytest.param(Puller("", ("a",)), id="no-namespace"),
        pytest.param(Puller("n", (), "../a"), id="account"),
    ],
)
async def test_what_is_no_name_never_becomes_a_path(puller: Puller) -> None:
    api = Api()
    given = reader(api, namespaces={"*"})
    assert () == given.at_hand(puller)
    assert [] == await read(given, puller)
    assert [] == api.asked


async def test_a_pod_has_as_many_secrets_as_the_limit() -> None:
    names = [f"s{at}" for at in range(secrets.MAX_SECRETS + 1)]
    given = reader(Api(having(*names)))
    assert names[:-1] == await read(given, pod("", *names))


async def test_a_secret_may_have_as_many_bytes_as_the_limit() -> None:
    most = secrets.MAX_SECRET_BYTES
    counts = Counts()
    objects = {path("a"): secret(b"x" * most), path("b"): secret(b"x" * (most + 1))}
    given = reader(Api(objects), observer=counts)
    assert ["a", "?b"] == await read(given, pod("a", "b"))
    assert {"secrets read": 1, "secrets oversized": 1} == counts.events


# ServiceAccounts -----------------------------------------------------------------


async def test_a_template_without_secrets_has_those_of_its_account() -> None:
    api = Api(having("a", "b") | {ACCOUNT: account("b", "a")})
    given = reader(api)
    puller = Puller("n", (), "sa")
    assert None is given.at_hand(puller)
    assert ["b", "a"] == await read(given, puller)
    assert ["b", "a"] == [one.name for one in given.at_hand(puller) or ()]
    assert 3 == len(api.asked)


async def test_a_template_with_secrets_has_none_of_its_account() -> None:
    api = Api(having("a", "b") | {ACCOUNT: account("b")})
    assert ["a"] == await read(reader(api), Puller("n", ("a",), "sa"))
    assert [path("a")] == api.asked


async def test_accounts_are_read_only_where_all_secrets_may_be() -> None:
    api = Api(having("a") | {ACCOUNT: account("a")})
    given = reader(api, read="named", names={"n/a"})
    puller = Puller("n", (), "sa")
    assert () == given.at_hand(puller)
    assert [] == await read(given, puller)
    assert [] == api.asked


async def test_an_account_that_is_not_there_names_nothing() -> None:
    given = reader(Api())
    puller = Puller("n", (), "sa")
    assert [] == await read(given, puller)
    assert () == given.at_hand(puller)


# What is left out ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "event"),
    [
        pytest.param(404, "absent", id="absent"),
        pytest.param(403, "Forbidden", id="forbidden"),
    ],
)
async def test_a_secret_that_is_not_to_be_had_is_left_out_and_counted(
    status: int, event: str
) -> None:
    counts = Counts()
    api = Api(having("a", "b", "c"), refused={path("b"): status})
    given = reader(api, observer=counts)
    assert ["a", "c"] == await read(given, pod("a", "b", "c"))
    assert {"secrets read": 2, f"secrets {event}": 1} == counts.events


async def test_nothing_shows_a_secret() -> None:
    given = reader(Api({path("a"): secret()}))
    [found] = await given.read(pod("a"), deadline_seconds=SOON)
    for text in (repr(given), str(given), repr(found), f"{vars(given)}"):
        assert CANARY.decode() not in text
        assert base64.b64encode(CANARY).decode() not in text
    assert "KubePullSecrets('namespaces', 1 known)" == repr(given)


async def test_who_has_read_nothing_yet_is_not_nobody() -> None:
    """`secrets or NoPullSecrets()` must not take it for an empty collection."""
    given = reader(Api())
    assert bool(given) is True
    assert 0 == given.remembered


# How often -----------------------------------------------------------------------


async def test_all_who_ask_at_the_same_time_share_one_get() -> None:
    api = Api(having("a", "b"), opened=asyncio.Event())
    given = reader(api)
    asking = [asyncio.create_task(read(given, pod("a"))) for _ in range(50)]
    asking.append(asyncio.create_task(read(given, pod("b", "a"))))
    await asyncio.sleep(0)
    assert api.opened is not None
    api.opened.set()
    assert [["a"]] * 50 + [["b", "a"]] == await asyncio.gather(*asking)
    assert [path("a"), path("b")] == api.asked


async def test_namespaces_are_kept_apart() -> None:
    objects = having("a") | {path("a", "m"): secret(b"of m")}
    given = reader(Api(objects), namespaces={"n", "m"})
    for namespace, content in (("n", b"a"), ("m", b"of m"), ("n", b"a")):
        puller = pod("a", namespace=namespace)
        [found] = await given.read(puller, deadline_seconds=SOON)
        assert PullSecret("a", JSON, {".dockerconfigjson": content}) == found


@pytest.mark.parametrize(
    ("api", "seconds"),
    [
        pytest.param(Api(having("a")), 60.0, id="read"),
        pytest.param(Api(), ABSENT_SECONDS, id="absent"),
        pytest.param(Api(refused={path("a"): 403}), ABSENT_SECONDS, id="forbidden"),
        pytest.param(Api({path("a"): b"[]"}), ABSENT_SECONDS, id="malformed"),
        pytest.param(Api(refused={path("a"): 503}), FAILED_SECONDS, id="failed"),
    ],
)
async def test_an_answer_holds_for_its_time(api: Api, seconds: float) -> None:
    time = FakeTime()
    given = reader(api, clock=time.clock())
    expected = await given.read(pod("a"), deadline_seconds=SOON)
    time.now += seconds - 0.1
    assert expected == given.at_hand(pod("a"))
    assert expected == await given.read(pod("a"), deadline_seconds=SOON)
    assert 1 == len(api.asked)
    time.now += 0.1
    assert None is given.at_hand(pod("a"))
    await given.read(pod("a"), deadline_seconds=SOON)
    assert 2 == len(api.asked)


async def test_nothing_holds_longer_than_the_setting_says() -> None:
    time, api = FakeTime(), Api()
    given = reader(api, clock=time.clock(), seconds=1.0)
    await read(given, pod("a"))
    time.now += 1.0
    assert None is given.at_hand(pod("a"))


async def test_a_pod_without_secrets_asks_for_nothing() -> None:
    api = Api()
    given = reader(api)
    assert () == given.at_hand(pod())
    assert [] == await read(given, pod())
    assert [] == api.asked


# In time -------------------------------------------------------------------------


async def test_a_caller_who_gives_up_takes_nothing_from_the_others() -> None:
    api = Api(having("a"), opened=asyncio.Event())
    given = reader(api)
    first, second = (asyncio.create_task(read(given, pod("a"))) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert api.opened is not None
    api.opened.set()
    assert ["a"] == await second
    assert [path("a")] == api.asked


async def test_closing_ends_what_is_under_way() -> None:
    api = Api(having("a"), opened=asyncio.Event())
    given = reader(api)
    asking = asyncio.create_task(read(given, pod("a")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert 1 == api.under_way
    await given.close()
    assert 0 == api.under_way
    assert ["?a"] == await asking


async def test_requests_at_the_same_time_are_bounded() -> None:
    names = [f"s{at}" for at in range(secrets.MAX_SECRETS)]
    api = Api(having(*names), opened=asyncio.Event())
    given = reader(api)
    asking = asyncio.create_task(read(given, pod(*names)))
    for _ in range(5):
        await asyncio.sleep(0)
    assert secrets.MAX_REQUESTS == api.under_way
    assert api.opened is not None
    api.opened.set()
    assert names == await asking
    assert secrets.MAX_REQUESTS == api.most_under_way


async def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "MAX_WAITING", 2)
    counts, api = Counts(), Api(having("a", "b", "c"), opened=asyncio.Event())
    given = reader(api, observer=counts)
    asking = asyncio.create_task(read(given, pod("a", "b", "c")))
    await asyncio.sleep(0)
    assert api.opened is not None
    api.opened.set()
    assert ["a", "b", "?c"] == await asking
    assert 1 == counts.events["secrets overload"]


async def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "MAX_KNOWN", 2)
    given = reader(Api(having("a", "b", "c")))
    assert ["a", "b", "c"] == await read(given, pod("a", "b", "c"))
    assert 2 == given.remembered == len(given.memory)
    assert 2 == given.memory.size_bytes
    assert None is given.at_hand(pod("a"))


async def test_bytes_that_are_remembered_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(secrets, "MAX_BYTES", 2)
    given = reader(Api(having("a", "b", "cc")))
    await read(given, pod("a", "b"))
    assert 2 == given.remembered
    assert ["cc"] == await read(given, pod("cc"))
    assert 1 == given.remembered


# Of others -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({}, 1, id="the-same"),
        pytest.param({"namespaces": {"n", "m"}}, 2, id="more-namespaces"),
        pytest.param({"read": "named", "names": {"n/a"}}, 2, id="by-name"),
        pytest.param({"seconds": 30.0}, 2, id="for-another-time"),
    ],
)
async def test_what_another_read_is_known_where_the_settings_are_equal(
    settings: dict[str, Any], expected: int
) -> None:
    api = Api(having("a"))
    first = reader(api)
    await read(first, pod("a"))
    second = reader(api, **settings)
    second.inherit(first)
    assert ["a"] == await read(second, pod("a"))
    assert expected == len(api.asked)
