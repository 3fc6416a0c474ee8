"""Keys and images: the kubelet's own tables (`keyring_test.go`), and their edges."""

import asyncio
import json

import pytest

from app.oci import credentials
from app.oci.credentials import NOTHING, Credential, Entry, Keyring, fingerprint
from app.oci.images import reference
from app.oci.images.reference import MAX_CHARACTERS, Reference

SECRET = "canary-7f3a"


def config(*keys: str) -> bytes:
    """A config file in which each key's user is the key itself."""
    auths = {key: {"username": key, "password": SECRET} for key in keys}
    return json.dumps({"auths": auths}).encode()


def named(image: str) -> Reference:
    """Of names that the kubelet's tables have, and that are none by the grammar."""
    domain, _, path = image.partition("/")
    return Reference(domain, path)


def users(keyring: Keyring, image: str) -> list[str]:
    return [one.username for one in keyring.lookup(reference.parse(image))]


@pytest.mark.parametrize(
    ("key", "image", "expected"),
    [
        pytest.param("*.k.io", "p.k.io/x", True, id="star-for-a-part"),
        pytest.param("p.*.io", "p.k.io/x", True, id="star-in-the-middle"),
        pytest.param("p.k.*", "p.k.io/x", True, id="star-at-the-end"),
        pytest.param("*-good.k.io", "p-good.k.io/x", True, id="star-in-a-part"),
        pytest.param("*.k.io/blah", "p.k.io/blah", True, id="path"),
        pytest.param("p.*.io/foo", "p.k.io/foo/bar", True, id="path-as-a-prefix"),
        pytest.param("p.k.io/foo", "p.k.io/foobar", True, id="prefix-of-a-segment"),
        pytest.param("p.k.io/foo", "p.k.io/fo", False, id="path-too-short"),
        pytest.param("p.k.io/f*", "p.k.io/foo", False, id="no-glob-in-a-path"),
        pytest.param("*.k.io:1111/blah", "p.k.io:1111/blah", True, id="port"),
        pytest.param("*.k.io", "k.io/x", False, id="too-few-parts"),
        pytest.param("*.*.k.io", "p.k.io/x", False, id="too-few-parts-of-two"),
        pytest.param("*k.io", "a.k.io/x", False, id="star-does-not-cross-dots"),
        pytest.param("*k.io", "k.io/x", True, id="star-for-nothing"),
        pytest.param("*.*.*.k.io", "a.b.c.k.io/x", True, id="many-stars"),
        pytest.param("k.io", "k.com/x", False, id="another-domain"),
        pytest.param("k*.io", "quay.io/x", False, id="another-letter"),
        pytest.param("*.k.io:1234/blah", "p.k.io:1111/blah", False, id="other-port"),
        pytest.param("p.*.io/foo", "p.k.io:1111/foo/bar", False, id="port-unnamed"),
        pytest.param("p.k.io:443", "p.k.io/foo", False, id="port-of-its-scheme"),
        pytest.param("p.k.io:*", "p.k.io:5000/foo", False, id="no-glob-in-a-port"),
        pytest.param("https://p.k.io", "p.k.io/x", True, id="scheme"),
        pytest.param("http://p.k.io/", "p.k.io/x", True, id="scheme-and-slash"),
        pytest.param("https://p.k.io/v1/", "p.k.io/x", True, id="v1"),
        pytest.param("p.k.io/v2/", "p.k.io/x", True, id="v2-without-scheme"),
        pytest.param("p.k.io/v1", "p.k.io/x", False, id="v1-without-slash-is-a-path"),
        pytest.param("p.k.io/v2/foo", "p.k.io/foo/x", True, id="path-behind-v2"),
        pytest.param("p.k.io/v2/foo", "p.k.io/bar", False, id="other-path-behind-v2"),
        pytest.param("p.k.io/v3/", "p.k.io/x", False, id="v3-is-a-path"),
        pytest.param("P.k.io", "p.k.io/x", False, id="case-counts"),
        pytest.param("[::1]:5000", "[::1]:5000/x", True, id="ipv6-with-port"),
        pytest.param("[::1]:5000", "[::1]:5001/x", False, id="ipv6-other-port"),
        pytest.param("::1", "[::1]/x", False, id="ipv6-without-brackets"),
        pytest.param("ftp://p.k.io", "p.k.io/x", False, id="other-scheme"),
        pytest.param("HTTPS://p.k.io", "p.k.io/x", False, id="scheme-in-capitals"),
        pytest.param("p.k.io:", "p.k.io/x", True, id="empty-port"),
        pytest.param("[a-z].k.io", "p.k.io/x", False, id="a-bracket-is-an-address"),
        pytest.param("p.k.io/%66oo", "p.k.io/foo", True, id="escape-in-a-path"),
        pytest.param("p.k.io/%2566oo", "p.k.io/foo", True, id="escaped-twice"),
        pytest.param("p.k.io/%25zz", "p.k.io/foo", False, id="broken-when-decoded"),
        pytest.param("p.k.io/%zz", "p.k.io/foo", False, id="broken-escape"),
        pytest.param("u:p@p.k.io", "p.k.io/foo", True, id="user-before-it"),
        pytest.param("p.k.io?/bar", "p.k.io/foo", True, id="query"),
        pytest.param("docker.io", "nginx", True, id="docker-hub"),
        pytest.param("docker.io/library", "nginx", True, id="docker-hub-library"),
        pytest.param("registry-1.docker.io", "nginx", False, id="docker-hub-s-api"),
        pytest.param("https://index.docker.io/v1/", "nginx", True, id="docker-s-key"),
        pytest.param("index.docker.io", "a/b", True, id="docker-s-key-bare"),
        pytest.param("index.docker.io", "quay.io/a/b", False, id="docker-s-key-other"),
        pytest.param("index.docker.io/a", "a/b", False, id="docker-s-key-with-path"),
        pytest.param("index.docker.io", "localhost/a", True, id="name-of-one-word"),
        pytest.param("index.docker.io", "localhost:5000/a", False, id="one-and-port"),
    ],
)
def test_a_key_matches_images_as_it_does_for_the_kubelet(
    key: str, image: str, expected: bool
) -> None:
    assert ([key] if expected else []) == users(credentials.read(config(key)), image)


def test_more_specific_keys_come_first() -> None:
    keyring = credentials.read(config("r.io", "*.io", "r.io/a/b", "r.io/a"))
    assert ["r.io/a/b", "r.io/a", "r.io", "*.io"] == users(keyring, "r.io/a/b/c")
    assert ["r.io", "*.io"] == users(keyring, "r.io/other")


def test_keys_that_come_to_the_same_are_tried_in_the_order_of_the_file() -> None:
    keyring = credentials.read(config("https://r.io/v1/", "r.io", "http://r.io"))
    found = users(keyring, "r.io/x")
    assert ["https://r.io/v1/", "r.io", "http://r.io"] == found


def test_dockers_own_key_counts_only_where_nothing_else_matches() -> None:
    keyring = credentials.read(config("index.docker.io", "docker.io/library"))
    assert ["docker.io/library"] == users(keyring, "nginx")
    assert ["index.docker.io"] == users(keyring, "org/app")


def test_one_credential_under_two_keys_is_tried_once() -> None:
    auth = {"username": "u", "password": SECRET}
    content = json.dumps({"auths": {"r.io": auth, "r.io/a": auth}}).encode()
    assert ["u"] == users(credentials.read(content), "r.io/a")


@pytest.mark.parametrize(
    ("key", "image"),
    [
        ("https://hello.kubernetes.io", "hello.kubernetes.io"),
        ("https://*.docker.io", "prefix.docker.io"),
        ("https://prefix.*.io", "prefix.docker.io"),
        ("https://prefix.docker.*", "prefix.docker.io"),
        ("https://*.docker.io/path", "prefix.docker.io/path"),
        ("https://prefix.*.io/path", "prefix.docker.io/path/subpath"),
        ("https://prefix.docker.*/path", "prefix.docker.io/path"),
        ("https://*.docker.io:8888", "prefix.docker.io:8888"),
        ("https://prefix.*.io:8888", "prefix.docker.io:8888"),
        ("https://prefix.docker.*:8888", "prefix.docker.io:8888"),
        ("https://*.docker.io/path:1111", "prefix.docker.io/path:1111"),
        ("https://*.docker.io/v1/", "prefix.docker.io/path:1111"),
        ("https://*.docker.io/v2/", "prefix.docker.io/path:1111"),
        ("https://prefix.docker.*/path:1111", "prefix.docker.io/path:1111"),
        ("prefix.docker.io:1111", "prefix.docker.io:1111/path"),
        ("*.docker.io:1111", "prefix.docker.io:1111/path"),
    ],
)
def test_kubelets_own_hits_are_ours(key: str, image: str) -> None:
    found = credentials.read(config(key)).lookup(named(f"{image}/foo/bar"))
    assert [key] == [one.username for one in found]


@pytest.mark.parametrize(
    ("key", "image"),
    [
        ("https://hello.kubernetes.io", "world.mesos.org/foo/bar"),
        ("https://*.docker.com", "prefix.docker.io"),
        ("https://suffix.*.io", "prefix.docker.io"),
        ("https://prefix.docker.c*", "prefix.docker.io"),
        ("https://prefix.*.io/path:1111", "prefix.docker.io/path/subpath:1111"),
        ("suffix.*.io", "prefix.docker.io"),
        ("https://index.docker.io/v1/", "world.mesos.org"),
    ],
)
def test_kubelets_own_misses_are_ours(key: str, image: str) -> None:
    found = credentials.read(config(key)).lookup(named(f"{image}/foo/bar"))
    assert () == found


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("bar.example.com/any", ["bar.example.com"]),
        ("bar.example.com/pong", ["bar.example.com/pong", "bar.example.com"]),
        ("bar.example.com/ping", ["bar.example.com"]),
        ("bar.example.com/pongz", ["bar.example.com/pong", "bar.example.com"]),
        ("bar.example.com/pong/pang", ["bar.example.com/pong", "bar.example.com"]),
        ("example.com/any", []),
        ("foo.example.com/any", []),
    ],
)
def test_the_longer_path_comes_first(image: str, expected: list[str]) -> None:
    keyring = credentials.read(config("bar.example.com", "bar.example.com/pong"))
    assert expected == users(keyring, image)


def test_an_entry_without_a_credential_keeps_dockers_own_away() -> None:
    """For the kubelet it matches, and what it offers is to ask without one."""
    auths = {"docker.io": {}, "index.docker.io": {"username": "u"}}
    keyring = credentials.read(json.dumps({"auths": auths}).encode())
    assert [] == users(keyring, "nginx")


def test_what_serves_every_pod_never_goes_to_a_name_of_one_word() -> None:
    async def offered(image: str) -> list[str]:
        keyring = credentials.read(config("index.docker.io"))
        parsed = reference.parse(image)
        return [one.username async for one in keyring.offers(parsed)]

    assert ["index.docker.io"] == asyncio.run(offered("nginx"))
    assert [] == asyncio.run(offered("localhost/nginx"))
    assert [] == asyncio.run(offered("Hub/nginx"))


def test_keys_longer_than_any_image_are_left_out() -> None:
    """So that what compares them is bounded by the image."""
    most = 2 * MAX_CHARACTERS + 1
    assert 2 == len(credentials.read(config("*" * 9999, "a" * most)).entries)
    assert NOTHING == credentials.read(config("a" * (most + 1)))
    path = "/" + "a" * (most - 1)
    assert 1 == len(credentials.read(config(f"r.io{path}")).entries)
    assert NOTHING == credentials.read(config(f"r.io{path}a"))


def test_many_stars_are_one() -> None:
    keyring = credentials.read(config("**.**k****.io"))
    assert ["**.**k****.io"] == users(keyring, "p.k.io/x")


def test_what_is_no_key_opens_nothing() -> None:
    assert Keyring() == Keyring.of([Entry.of("r io", Credential("u", "p"))])


def test_a_credential_never_shows_itself() -> None:
    credential = Credential("user-canary", SECRET)
    keyring = credentials.read(config("r.io"))
    for text in (repr(credential), str(credential), repr(keyring), f"{keyring}"):
        assert SECRET not in text
        assert "user-canary" not in text


def test_a_credential_is_sent_as_basic() -> None:
    assert "Basic dTpwOnE=" == Credential("u", "p:q").basic


def test_rings_are_told_apart_by_every_part_of_their_credentials() -> None:
    rings = [
        (Credential("a", "b"),),
        (Credential("ab", ""),),
        (Credential("a", "b", "c"),),
        (Credential("a", "b", "", "c"),),
        (Credential("a", "b"), Credential("c", "d")),
        (Credential("c", "d"), Credential("a", "b")),
        NOTHING.lookup(reference.parse("nginx")),
    ]
    assert len(rings) == len({fingerprint(ring) for ring in rings})
    assert "" == fingerprint(())
