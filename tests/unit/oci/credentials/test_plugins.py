"""The kubelet's credential provider plugins."""

import asyncio
import json

import pytest

from app.oci.credentials import Credential, Entry
from app.oci.credentials.plugin_config import Plugin
from app.oci.credentials.plugins import MAX_ENTRIES, Plugins
from app.oci.credentials.programs import Failure, Output, Ran
from app.oci.images import reference
from tests.tools.programs import Ask, Scripted, Time, Told

CANARY = "canary-7f3a"
VERSION = "credentialprovider.kubelet.k8s.io/v1"
APP = reference.parse("1.dkr.ecr.eu-west-1.amazonaws.com/org/app:1")
AWS = Credential("AWS", CANARY)


def plugin(
    name: str = "ecr",
    *match: str,
    seconds: float = 3600,
    version: str = VERSION,
) -> Plugin:
    patterns = match or ("*.dkr.ecr.*.amazonaws.com",)
    entries = [Entry.as_written(one, Credential()) for one in patterns]
    return Plugin(
        name,
        version,
        tuple(one for one in entries if one is not None),
        seconds,
        ("get-credentials",),
        {"AWS_PROFILE": "x"},
    )


def said(
    *keys: str,
    kind: str = "Registry",
    duration: str | None = None,
    user: str = "AWS",
    **more: object,
) -> Output:
    answer = {
        "kind": "CredentialProviderResponse",
        "apiVersion": VERSION,
        "cacheKeyType": kind,
        "auth": {
            key: {"username": user, "password": CANARY}
            for key in keys or ["*.*.*.*.*.*"]
        },
        **({} if duration is None else {"cacheDuration": duration}),
        **more,
    }
    return Output(0, json.dumps(answer).encode())


def asking(
    *answers: Ran, told: Told | None = None, time: Time | None = None, **more: object
) -> tuple[Plugins, Scripted]:
    """One plugin that answers so, the last answer for ever."""
    left = list(answers)
    scripted = Scripted({"ecr": lambda _: left.pop(0) if left[1:] else left[0]})
    one = plugin("ecr", "*.*.*.*.*.*", "*.example", **more)  # type: ignore[arg-type]
    return Plugins([one], scripted, observer=told, clock=time or Time()), scripted


# Asking ------------------------------------------------------------------------------


async def test_a_plugin_is_asked_by_the_kubelet_s_protocol() -> None:
    scripted = Scripted({"ecr": said("*.dkr.ecr.*.amazonaws.com")})
    found = await Plugins([plugin()], scripted).lookup(APP)
    assert (AWS,) == found
    (ask,) = scripted.asked
    assert ("ecr", ("get-credentials",)) == (ask.name, ask.arguments)
    assert {"AWS_PROFILE": "x"} == ask.more
    assert ask.content == (
        b'{"kind":"CredentialProviderRequest",'
        b'"apiVersion":"credentialprovider.kubelet.k8s.io/v1",'
        b'"image":"1.dkr.ecr.eu-west-1.amazonaws.com/org/app"}\n'
    )


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
async def test_a_plugin_is_spoken_to_in_its_own_version(version: str) -> None:
    spoken = f"credentialprovider.kubelet.k8s.io/{version}"
    scripted = Scripted({"ecr": said("*.*.*.*.*.*", apiVersion=spoken)})
    assert (AWS,) == await Plugins([plugin(version=spoken)], scripted).lookup(APP)
    assert spoken == json.loads(scripted.asked[0].content)["apiVersion"]


@pytest.mark.parametrize(
    ("pattern", "image", "is_asked"),
    [
        pytest.param("*.example", "r.example/x", True, id="glob"),
        pytest.param("*.example", "a.b.example/x", False, id="another-part"),
        pytest.param("r.example:5000", "r.example:5000/x", True, id="port"),
        pytest.param("r.example", "r.example:5000/x", False, id="no-port"),
        pytest.param("r.example/team", "r.example/teams/x", True, id="path-prefix"),
        pytest.param("r.example/team", "r.example/other", False, id="another-path"),
        pytest.param("r.example/v1/x", "r.example/v1/x", True, id="version-in-path"),
        pytest.param("r.example/v1/x", "r.example/x", False, id="none-is-cut-off"),
        pytest.param("docker.io", "nginx", True, id="docker-hub"),
        pytest.param("index.docker.io", "nginx", False, id="no-fallback"),
    ],
)
async def test_a_plugin_is_asked_for_the_images_that_it_matches(
    pattern: str, image: str, *, is_asked: bool
) -> None:
    scripted = Scripted({"ecr": said(pattern)})
    await Plugins([plugin("ecr", pattern)], scripted).lookup(reference.parse(image))
    assert is_asked is bool(scripted.asked)


async def test_what_a_plugin_gives_is_matched_with_the_image() -> None:
    scripted = Scripted({"ecr": said("q.example", "r.example/other")})
    one = Plugins([plugin("ecr", "r.example")], scripted)
    assert () == await one.lookup(reference.parse("r.example/x"))


async def test_all_plugins_that_match_are_asked_and_the_longest_key_comes_first() -> (
    None
):
    scripted = Scripted(
        {
            "one": said("r.example", user="one"),
            "two": said("r.example/org", user="two"),
            "three": said("r.example", user="three"),
        }
    )
    names = ("one", "two", "three", "other")
    plugins = [plugin(name, "r.example") for name in names[:3]]
    plugins.append(plugin("other", "q.example"))
    found = await Plugins(plugins, scripted).lookup(reference.parse("r.example/org/x"))
    assert ["two", "one", "three"] == [each.username for each in found]
    assert {"one", "two", "three"} == {ask.name for ask in scripted.asked}


@pytest.mark.parametrize(
    ("ran", "outcome"),
    [
        pytest.param(said(), "given", id="given"),
        pytest.param(said(auth={}), "nothing", id="empty"),
        pytest.param(said(auth=None), "nothing", id="null"),
        pytest.param(Output(1, said().content), "failed", id="status"),
        pytest.param(Output(-9, b""), "failed", id="signal"),
        pytest.param(Output(0, b""), "invalid", id="silent"),
        pytest.param(Output(0, b"\xff"), "invalid", id="no-text"),
        pytest.param(Output(0, b"[" * 9999), "invalid", id="deep"),
        pytest.param(Output(0, said().content + b"{}"), "invalid", id="two"),
        pytest.param(said(kind="Repository"), "invalid", id="cache-key-type"),
        pytest.param(said(cacheKeyType=None), "invalid", id="no-cache-key-type"),
        pytest.param(said(duration="soon"), "invalid", id="duration"),
        pytest.param(said(cacheDuration=60), "invalid", id="number-as-duration"),
        pytest.param(said(unknown="x"), "invalid", id="unknown-field"),
        pytest.param(
            said(apiVersion="credentialprovider.kubelet.k8s.io/v1beta1"),
            "invalid",
            id="another-version",
        ),
        pytest.param(said(auth={"x": {"user": "y"}}), "invalid", id="unknown-in-auth"),
        pytest.param(said(auth={"x": "y"}), "invalid", id="auth-as-text"),
        pytest.param(Failure.TIMEOUT, "timeout", id="timeout"),
        pytest.param(Failure.TOO_LARGE, "too_large", id="too-large"),
        pytest.param(Failure.NOT_STARTED, "not_started", id="not-started"),
    ],
)
async def test_how_a_plugin_fares_is_told_and_never_raised(
    ran: Ran, outcome: str
) -> None:
    told = Told()
    one, _ = asking(ran, told=told)
    found = await one.lookup(APP)
    assert [("plugin", "ecr", outcome)] == told.seen
    assert (outcome == "given") is bool(found)
    assert CANARY not in repr(found)


async def test_an_answer_of_another_kind_is_none() -> None:
    answer = json.loads(said().content) | {"kind": "CredentialProviderRequest"}
    told = Told()
    one, _ = asking(Output(0, json.dumps(answer).encode()), told=told)
    assert () == await one.lookup(APP)
    assert [("plugin", "ecr", "invalid")] == told.seen


@pytest.mark.parametrize(("more", "outcome"), [(0, "given"), (1, "invalid")])
async def test_as_many_entries_as_the_limit_are_taken(more: int, outcome: str) -> None:
    told = Told()
    keys = [f"r{number}.example" for number in range(MAX_ENTRIES + more)]
    one, _ = asking(said(*keys), told=told)
    await one.lookup(reference.parse("r7.example/x"))
    assert [("plugin", "ecr", outcome)] == told.seen


async def test_an_entry_that_is_no_key_is_left_out() -> None:
    one, _ = asking(said("a b", "r.example"))
    assert (AWS,) == await one.lookup(reference.parse("r.example/x"))


async def test_an_entry_without_user_and_password_offers_nothing() -> None:
    one, _ = asking(said(auth={"r.example": {}}))
    assert () == await one.lookup(reference.parse("r.example/x"))


async def test_the_time_of_a_run_is_told() -> None:
    told, time = Told(), Time()

    def slow(_ask: Ask) -> Ran:
        time.now += 3
        return said()

    one = Plugins([plugin()], Scripted({"ecr": slow}), observer=told, clock=time)
    await one.lookup(APP)
    assert [3] == told.seconds


# Remembering -------------------------------------------------------------------------

IMAGES = ("a.example/org/app", "a.example/org/other", "b.example/org/app")


@pytest.mark.parametrize(
    ("kind", "runs"),
    [
        pytest.param("Image", 3, id="image"),
        pytest.param("Registry", 2, id="registry"),
        pytest.param("Global", 1, id="global"),
    ],
)
async def test_an_answer_is_for_what_it_says(kind: str, runs: int) -> None:
    one, scripted = asking(said("*.example", kind=kind))
    for _ in range(2):
        for image in IMAGES:
            assert (AWS,) == await one.lookup(reference.parse(image))
    assert runs == len(scripted.asked)


async def test_tags_of_an_image_are_one_image() -> None:
    one, scripted = asking(said("*.example", kind="Image"))
    await one.lookup(reference.parse("a.example/x:1"))
    await one.lookup(reference.parse("a.example/x:2"))
    assert 1 == len(scripted.asked)


async def test_the_narrowest_answer_comes_first() -> None:
    time = Time()
    one, _ = asking(
        said("*.example", kind="Image", duration="3m", user="image"),
        said("*.example", kind="Global", duration="9m", user="global"),
        time=time,
    )
    app, other = (reference.parse(image) for image in IMAGES[:2])
    assert ["image"] == [each.username for each in await one.lookup(app)]
    assert ["global"] == [each.username for each in await one.lookup(other)]
    assert ["image"] == [each.username for each in await one.lookup(app)]
    time.now += 180
    assert ["global"] == [each.username for each in await one.lookup(app)]


@pytest.mark.parametrize(
    ("ran", "seconds"),
    [
        pytest.param(said("*.example", duration="90s"), 90, id="as-it-says"),
        pytest.param(said("*.example"), 3600, id="as-the-file-says"),
        pytest.param(said("*.example", cacheDuration=None), 3600, id="null"),
        pytest.param(said("*.example", duration="24h"), 86400, id="a-day"),
        pytest.param(Output(1, b""), 10, id="failed"),
        pytest.param(Failure.TIMEOUT, 10, id="timeout"),
        pytest.param(Output(0, b"x"), 10, id="invalid"),
    ],
)
async def test_an_answer_holds_for_a_while(ran: Ran, seconds: float) -> None:
    time = Time()
    one, scripted = asking(ran, said("*.example", user="new"), time=time)
    app, other = (reference.parse(image) for image in IMAGES[:2])
    first = await one.lookup(app)
    time.now += seconds - 0.1
    assert first == await one.lookup(other)
    assert 1 == len(scripted.asked)
    time.now += 0.1
    assert ["new"] == [each.username for each in await one.lookup(app)]


@pytest.mark.parametrize(
    ("duration", "default"),
    [
        pytest.param("0s", 3600, id="it-says-so"),
        pytest.param("-5s", 3600, id="below-nought"),
        pytest.param(None, 0, id="the-file-says-so"),
    ],
)
async def test_an_answer_that_holds_for_no_time_is_used_once(
    duration: str | None, default: float
) -> None:
    one, scripted = asking(said("*.example", duration=duration), seconds=default)
    for _ in range(2):
        assert (AWS,) == await one.lookup(reference.parse(IMAGES[0]))
    assert 2 == len(scripted.asked)


async def test_many_who_want_the_same_cost_one_run() -> None:
    one, scripted = asking(said("*.example", duration="0s"))
    scripted.gate.clear()
    image = reference.parse(IMAGES[0])
    lookups = [asyncio.create_task(one.lookup(image)) for _ in range(100)]
    for _ in range(9):
        await asyncio.sleep(0)
    scripted.gate.set()
    assert {(AWS,)} == set(await asyncio.gather(*lookups))
    assert 1 == len(scripted.asked)


async def test_who_waits_for_a_turn_takes_what_came_meanwhile() -> None:
    """The kubelet would run a plugin once for each of these images."""
    one, scripted = asking(said("*.example", kind="Registry"))
    scripted.turns = asyncio.Semaphore(1)
    images = [reference.parse(f"a.example/app-{number}") for number in range(50)]
    found = await asyncio.gather(*(one.lookup(image) for image in images))
    assert {(AWS,)} == set(found)
    assert 1 == len(scripted.asked)


async def test_what_is_remembered_is_bounded() -> None:
    keys = [f"*.example/{number}" for number in range(999)]
    one, scripted = asking(said("*.example", *keys))
    for number in range(9):
        await one.lookup(reference.parse(f"r{number}.example/x"))
    await one.lookup(reference.parse("r8.example/x"))
    assert 9 == len(scripted.asked)
    await one.lookup(reference.parse("r0.example/x"))
    assert 10 == len(scripted.asked)


def test_it_shows_no_secret() -> None:
    one = plugin()
    assert "AWS_PROFILE" not in repr(one)
