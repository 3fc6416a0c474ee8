"""Which of a Pod's own credentials count, and how often they are looked at."""

from collections.abc import Mapping

import pytest

from app.oci.credentials.docker_config import MAX_CONFIG_BYTES, MAX_VALUES
from app.oci.credentials.keyring import Keyring
from app.oci.credentials.pull_secrets import Config, opened
from app.oci.images.reference import parse
from app.oci.lookups import rings
from app.oci.lookups.rings import NO_OPENER, Opener, Rings
from app.oci.ways import hosts_toml
from app.oci.ways.ways import Configured, Ways
from app.ports import NOBODY, Pulled, Puller, PullSecret, UnreadSecret
from tests.tools.pull_secrets import BROKEN, HOST, Secrets, config, secret

ADA, BOB = Puller("ada", ("ada",)), Puller("bob", ("bob",))


@pytest.fixture
def secrets() -> Secrets:
    return Secrets(
        {
            "ada": (secret("ada", "one"),),
            "again": (secret("ada", "one"),),
            "bob": (secret("bob", "two"),),
        }
    )


def test_nobodys_secrets_are_not_asked_for(secrets: Secrets) -> None:
    assert NO_OPENER is Rings(secrets, Ways(), lambda: 0.0).at_hand(NOBODY)
    assert 0 == secrets.asked


def test_secrets_of_one_content_are_read_once(secrets: Secrets) -> None:
    """However often they came from the API server."""
    found = Rings(secrets, Ways(), lambda: 0.0)
    assert found.at_hand(ADA) is found.at_hand(Puller("again"))
    assert found.at_hand(ADA) is not found.at_hand(BOB)


def test_a_fault_names_no_secret_of_another_namespace() -> None:
    """Though both have the same content."""
    other = PullSecret("other", BROKEN.type, BROKEN.data)
    found = Rings(Secrets({"a": (BROKEN,), "b": (other,)}), Ways(), lambda: 0.0)
    first, second = found.at_hand(Puller("a")), found.at_hand(Puller("b"))
    assert first is not None
    assert second is not None
    assert "broken" in str(first.fault)
    assert "broken" not in str(second.fault)


def test_the_order_of_secrets_counts() -> None:
    """It decides which credential is tried first."""
    ada, bob = secret("ada", "one"), secret("bob", "two")
    found = Rings(Secrets({"a": (ada, bob), "b": (bob, ada)}), Ways(), lambda: 0.0)
    assert found.at_hand(Puller("a")) is not found.at_hand(Puller("b"))


def test_what_secrets_open_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    many = {str(n): (secret("ada", str(n)),) for n in range(3)}
    size = len(many["0"][0].data[".dockerconfigjson"])
    monkeypatch.setattr(rings, "KEYRINGS_BYTES", 2 * (4 * size + 1024))
    found = Rings(Secrets(many), Ways(), lambda: 0.0)
    openers = [found.at_hand(Puller(name)) for name in many]
    assert openers[2] is found.at_hand(Puller("2"))
    assert openers[1] is found.at_hand(Puller("1"))
    assert openers[0] is not found.at_hand(Puller("0"))


def test_images_of_one_pod_that_are_remembered_are_bounded(secrets: Secrets) -> None:
    found = Rings(secrets, Ways(), lambda: 0.0)
    opener = found.at_hand(ADA)
    assert opener is not None
    images = [parse(f"{HOST}/app{n}:1") for n in range(rings.MAX_RINGS + 1)]
    assert 1 == len({found.ring(opener, image) for image in images})
    assert rings.MAX_RINGS >= len(opener.rings) > 0


def test_a_fingerprint_is_short_however_many_credentials_there_are() -> None:
    content = {f"{HOST}": {"auth": "YTpi"}, f"{HOST}/app": {"auth": "YzpkZQ=="}}
    many = PullSecret("many", BROKEN.type, {".dockerconfigjson": config(content)})
    found = Rings(Secrets({"many": (many,)}), Ways(), lambda: 0.0)
    opener = found.at_hand(Puller("many"))
    assert opener is not None
    image = parse(f"{HOST}/app:1")
    assert 2 == len(opener.keyring.lookup(image))
    assert 64 == len(found.ring(opener, image))


def test_a_mirror_has_credentials_of_its_own() -> None:
    """What a Pod's secret for a mirror earned there serves no other Pod."""
    hosts = hosts_toml.read(b'[host."https://mirror.example"]\n')
    ways = Ways({"r.example": tuple(Configured(one) for one in hosts)})
    secret_for = {
        "a": (secret("ada", "one", host="mirror.example"),),
        "b": (secret("bob", "two", host="mirror.example"),),
    }
    found = Rings(Secrets(secret_for), ways, lambda: 0.0)
    first, second = (found.at_hand(Puller(name)) for name in secret_for)
    assert first is not None
    assert second is not None
    image = parse("r.example/app:1")
    assert found.ring(first, image) != found.ring(second, image)


def test_no_secret_is_shown() -> None:
    opener = Rings(
        Secrets({"ada": (secret("ada", "canary"),)}), Ways(), lambda: 0.0
    ).at_hand(Puller("ada"))
    assert "canary" not in repr(opener)


# How often -----------------------------------------------------------------------


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes of all contents that were parsed, reading by reading."""
    made: list[int] = []

    def counting(configs: tuple[Config, ...]) -> Keyring:
        made.append(sum(len(one.content) for one in configs))
        return opened(configs)

    monkeypatch.setattr(rings, "opened", counting)
    return made


class Content(bytes):
    """Counts how often it is hashed."""

    hashed = 0

    def __hash__(self) -> int:
        Content.hashed += 1
        return super().__hash__()


def plain(name: str, content: bytes) -> PullSecret:
    return PullSecret(name, "kubernetes.io/dockercfg", {".dockercfg": content})


def asked(found: Rings, times: int) -> list[Opener | None]:
    """As for so many images of one Pod."""
    return [found.at_hand(Puller("n")) for _ in range(times)]


def of(*given: PullSecret | UnreadSecret) -> Rings:
    return Rings(Secrets({"n": given}), Ways(), lambda: 0.0)


@pytest.mark.parametrize(
    ("content", "is_fault"),
    [
        pytest.param(b"{}", False, id="small"),
        pytest.param(b"{}" + b" " * (MAX_CONFIG_BYTES - 2), False, id="large"),
        pytest.param(b"{", True, id="broken"),
        pytest.param(b"{" + b" " * (MAX_CONFIG_BYTES - 1), True, id="large-broken"),
        pytest.param(b"," * (MAX_VALUES + 1), True, id="values"),
    ],
)
def test_secrets_are_parsed_once_for_all_images_of_all_pods(
    content: bytes, is_fault: bool, readings: list[int]
) -> None:
    """Whether they open something or are at fault."""
    other = plain("other", b"{}")
    found = Rings(
        Secrets({"n": (plain("s", content),), "m": (other,)}), Ways(), lambda: 0.0
    )
    for _ in range(3):
        openers = asked(found, 64)
        assert 1 == len(set(map(id, openers)))
        assert openers[0] is not None
        assert is_fault is (openers[0].fault is not None)
        found.at_hand(Puller("m"))
    assert sorted([len(content), 2]) == sorted(readings)


@pytest.mark.parametrize("count", [2, 5, 32])
def test_too_much_is_neither_parsed_nor_hashed_nor_kept(
    count: int, readings: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its size is seen first: 32 MiB would hold up all reviews for seconds."""
    monkeypatch.setattr(Content, "hashed", 0)
    size = MAX_CONFIG_BYTES // count + 1
    found = of(*(plain(f"s{n}", Content(b"{" + b" " * size)) for n in range(count)))
    for opener in asked(found, 64):
        assert opener is not None
        assert "too much" in str(opener.fault)
    assert ([], 0) == (readings, Content.hashed)
    assert 0 == len(found._openers)


def test_contents_are_hashed_for_the_first_image_of_a_pod_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = of(plain("s", Content(b"{}")))
    asked(found, 1)
    monkeypatch.setattr(Content, "hashed", 0)
    asked(found, 64)
    assert 0 == Content.hashed


def test_what_another_pod_has_is_not_taken_for_the_last_ones() -> None:
    """One that has more, fewer, or others."""
    ada, bob = secret("ada", "one"), secret("bob", "two")
    of_all: Mapping[str, Pulled] = {
        "1": (ada,),
        "2": (ada, bob),
        "3": (bob,),
        "4": (),
        "5": (bob, ada),
        "6": (bob, UnreadSecret("s")),
    }
    found = Rings(Secrets(of_all), Ways(), lambda: 0.0)
    openers = [found.at_hand(Puller(name)) for name in of_all]
    assert len(of_all) == len(set(map(id, openers)))
    assert openers[3] is NO_OPENER
    expected = [1, 2, 1, 0, 2, 0]
    assert expected == [len(one.keyring.entries) for one in openers if one is not None]


def test_secrets_that_do_not_count_are_none() -> None:
    assert NO_OPENER is of(PullSecret("o", "Opaque")).at_hand(Puller("n"))


def test_a_fault_takes_no_more_than_its_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And so less than the objects that a secret without one becomes."""
    content = b"{" * 1000
    monkeypatch.setattr(rings, "KEYRINGS_BYTES", 1000 + 1024)
    found = of(plain("s", content))
    asked(found, 1)
    assert 1000 + 1024 == found._openers.size_bytes


def test_a_fault_holds_on_to_nothing_that_was_read() -> None:
    """As a traceback does, with the frames that it leads through."""
    for given in (b"{", b" " * (MAX_CONFIG_BYTES + 1)):
        [opener] = asked(of(plain("s", given)), 1)
        assert opener is not None
        assert opener.fault is not None
        assert None is opener.fault.__traceback__
        assert None is opener.fault.__context__
