"""Docker's credential helpers."""

import asyncio
import json

import pytest

from app.errors import ConfigError
from app.oci.credentials import Credential
from app.oci.credentials.helpers import HelperNames, Helpers, read_helpers
from app.oci.credentials.programs import Failure, Output, Ran
from app.oci.images import reference
from tests.tools.programs import Ask, Scripted, Time, Told

CANARY = "canary-7f3a"
APP = reference.parse("r.example/org/app:1")


def said(username: str = "u", secret: str = CANARY, **more: str) -> Output:
    answer = {"ServerURL": "x", "Username": username, "Secret": secret, **more}
    return Output(0, json.dumps(answer).encode())


def helpers(
    *answers: Ran, told: Told | None = None, time: Time | None = None
) -> tuple[Helpers, Scripted]:
    """Helpers whose only program answers so, the last answer for ever."""
    left = list(answers)
    scripted = Scripted(
        {"docker-credential-one": lambda _: left.pop(0) if left[1:] else left[0]}
    )
    names = HelperNames(otherwise="one")
    return Helpers(names, scripted, observer=told, clock=time or Time()), scripted


# The file ----------------------------------------------------------------------------


def test_a_docker_config_names_helpers() -> None:
    content = {
        "auths": {"r.example": {}},
        "credHelpers": {
            "r.example:5000": "one",
            "https://Q.Example/v2/": "two",
            "s.example": "",
            "t.example": None,
            "https://index.docker.io/v1/": "hub",
        },
        "credsStore": "rest",
    }
    found = read_helpers(json.dumps(content).encode())
    asked = ("r.example:5000", "R.EXAMPLE:5000", "q.example", "docker.io", "x.example")
    assert ["one", "one", "two", "hub", "rest"] == [found.of(one) for one in asked]
    assert ["", ""] == [found.of(one) for one in ("s.example", "t.example")]


@pytest.mark.parametrize(
    "key", ["docker.io", "index.docker.io", "registry-1.docker.io"]
)
def test_docker_hub_has_several_names(key: str) -> None:
    found = read_helpers(json.dumps({"credHelpers": {key: "hub"}}).encode())
    assert "hub" == found.of("docker.io")


@pytest.mark.parametrize("content", [b"{}", b'{"credHelpers":null,"credsStore":null}'])
def test_a_docker_config_need_not_name_helpers(content: bytes) -> None:
    assert HelperNames() == read_helpers(content)


@pytest.mark.parametrize(
    "name", ["../x", "/bin/sh", "a b", "..", ".", "a;b", "ä", "x\n", "a" * 256]
)
def test_a_helper_that_is_no_name_is_refused_with_its_place(name: str) -> None:
    content = {
        "credHelpers": {"r.example": name, "q.example": "ok"},
        "credsStore": name,
    }
    with pytest.raises(ConfigError) as caught:
        read_helpers(json.dumps(content).encode())
    say = "expected a name of letters, digits and `._-`"
    assert f"credHelpers.r.example: {say}; credsStore: {say}" == caught.value.message
    assert "InvalidDockerConfig" == caught.value.reason


def test_a_key_of_many_lines_is_told_on_one() -> None:
    with pytest.raises(ConfigError) as caught:
        read_helpers(json.dumps({"credHelpers": {"a\nb" + "c" * 999: "/"}}).encode())
    assert caught.value.message.startswith("credHelpers.a?bc")
    assert caught.value.message.isprintable()
    assert 400 > len(caught.value.message)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff", id="no-text"),
        pytest.param(b"[" * 9999, id="deep"),
        pytest.param(b"[]", id="list"),
        pytest.param(b'{"credHelpers": ["canary-7f3a"]}', id="list-of-helpers"),
        pytest.param(b'{"credsStore": {"canary-7f3a": 1}}', id="no-name"),
    ],
)
def test_what_is_no_docker_config_is_refused(content: bytes) -> None:
    with pytest.raises(ConfigError) as caught:
        read_helpers(content)
    assert "expected" in caught.value.message
    assert "canary" not in caught.value.message


# Asking ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "address"),
    [
        pytest.param("r.example/org/app:1", b"r.example", id="registry"),
        pytest.param("r.example:5000/app", b"r.example:5000", id="port"),
        pytest.param("nginx", b"https://index.docker.io/v1/", id="docker-hub"),
    ],
)
async def test_a_helper_is_asked_for_the_registry(image: str, address: bytes) -> None:
    one, scripted = helpers(said())
    assert (Credential("u", CANARY),) == await one.lookup(reference.parse(image))
    assert [Ask("docker-credential-one", ("get",), address, {})] == scripted.asked


async def test_where_no_helper_is_named_none_is_run() -> None:
    scripted = Scripted()
    one = Helpers(HelperNames({"r.example": ""}, "one"), scripted)
    assert () == await one.lookup(APP)
    assert [] == scripted.asked


async def test_the_user_token_says_that_the_secret_is_an_identity_token() -> None:
    one, _ = helpers(said("<token>"))
    assert (Credential(identity_token=CANARY),) == await one.lookup(APP)


@pytest.mark.parametrize(
    ("ran", "outcome"),
    [
        pytest.param(said(), "given", id="given"),
        pytest.param(said("", CANARY), "given", id="no-user"),
        pytest.param(said(Extra="x"), "given", id="another-field"),
        pytest.param(said("u", ""), "nothing", id="empty"),
        pytest.param(Output(0, b"{}"), "nothing", id="no-field"),
        pytest.param(
            Output(1, b"credentials not found in native keychain\n"),
            "nothing",
            id="not-found",
        ),
        pytest.param(
            Output(1, b"Credentials not found for r.example"), "nothing", id="words"
        ),
        pytest.param(Output(1, said().content), "failed", id="status"),
        pytest.param(Output(-9, b""), "failed", id="signal"),
        pytest.param(Output(0, b"<html>"), "invalid", id="no-json"),
        pytest.param(Output(0, b""), "invalid", id="silent"),
        pytest.param(Output(0, b"\xff"), "invalid", id="no-text"),
        pytest.param(Output(0, b"[" * 9999), "invalid", id="deep"),
        pytest.param(Output(0, b'{"Secret": 1}'), "invalid", id="number"),
        pytest.param(Failure.TIMEOUT, "timeout", id="timeout"),
        pytest.param(Failure.TOO_LARGE, "too_large", id="too-large"),
        pytest.param(Failure.NOT_STARTED, "not_started", id="not-started"),
    ],
)
async def test_how_a_helper_fares_is_told_and_never_raised(
    ran: Ran, outcome: str
) -> None:
    told = Told()
    one, _ = helpers(ran, told=told)
    found = await one.lookup(APP)
    assert [("helper", "one", outcome)] == told.seen
    assert (outcome == "given") is bool(found)
    assert CANARY not in repr(found)


async def test_the_time_of_a_run_is_told() -> None:
    told, time = Told(), Time()

    def slow(_ask: Ask) -> Ran:
        time.now += 3
        return said()

    scripted = Scripted({"docker-credential-one": slow})
    names = HelperNames(otherwise="one")
    await Helpers(names, scripted, observer=told, clock=time).lookup(APP)
    assert [3] == told.seconds


# Remembering -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ran", "seconds"),
    [
        pytest.param(said(), 60, id="given"),
        pytest.param(Output(1, b"credentials not found"), 60, id="nothing"),
        pytest.param(Output(1, b""), 10, id="failed"),
        pytest.param(Failure.TIMEOUT, 10, id="timeout"),
        pytest.param(Output(0, b"x"), 10, id="invalid"),
    ],
)
async def test_an_answer_holds_for_a_while(ran: Ran, seconds: float) -> None:
    time = Time()
    one, scripted = helpers(ran, said("new"), time=time)
    first = await one.lookup(APP)
    time.now += seconds - 0.1
    assert first == await one.lookup(reference.parse("r.example/other"))
    assert 1 == len(scripted.asked)
    time.now += 0.1
    assert (Credential("new", CANARY),) == await one.lookup(APP)


async def test_an_answer_is_for_one_registry() -> None:
    one, scripted = helpers(said("a"), said("b"))
    assert (Credential("a", CANARY),) == await one.lookup(APP)
    other = reference.parse("r.example:5000/org/app:1")
    assert (Credential("b", CANARY),) == await one.lookup(other)
    assert 2 == len(scripted.asked)


async def test_many_who_want_the_same_cost_one_run() -> None:
    one, scripted = helpers(said())
    scripted.gate.clear()
    lookups = [asyncio.create_task(one.lookup(APP)) for _ in range(100)]
    for _ in range(5):
        await asyncio.sleep(0)
    scripted.gate.set()
    assert {(Credential("u", CANARY),)} == set(await asyncio.gather(*lookups))
    assert 1 == len(scripted.asked)


async def test_a_run_takes_its_turn() -> None:
    one, scripted = helpers(said())
    scripted.turns = asyncio.Semaphore(1)
    async with scripted.turns:
        lookup = asyncio.create_task(one.lookup(APP))
        for _ in range(5):
            await asyncio.sleep(0)
        assert [] == scripted.asked
    assert (Credential("u", CANARY),) == await lookup


async def test_what_is_remembered_is_bounded() -> None:
    one, scripted = helpers(said("u", "x" * 60_000))
    for number in range(80):
        await one.lookup(reference.parse(f"r{number}.example/x"))
    await one.lookup(reference.parse("r79.example/x"))
    assert 80 == len(scripted.asked)
    await one.lookup(reference.parse("r0.example/x"))
    assert 81 == len(scripted.asked)
