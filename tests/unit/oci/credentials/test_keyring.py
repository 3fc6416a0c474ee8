"""Credentials: the ideas of kubelet's own tables, and globs as Go answered them."""

import base64
import json

import pytest

from app.errors import ConfigError
from app.oci import credentials, reference
from app.oci.credentials import Credential, Keyring, glob

SECRET = "canary-7f3a"


def config(*keys: str) -> bytes:
    """A config file in which each key's user is the key itself."""
    auths = {key: {"username": key, "password": SECRET} for key in keys}
    return json.dumps({"auths": auths}).encode()


def users(keyring: Keyring, image: str) -> list[str]:
    return [one.username for one in keyring.lookup(reference.parse(image))]


# pattern, text -> what Go's filepath.Match says; a broken pattern matches nothing
GLOBS = [
    ("*", "abc", True),
    ("*", "", True),
    ("a*", "abc", True),
    ("a*", "a", True),
    ("*c", "abc", True),
    ("*b*", "abc", True),
    ("a*c", "abdc", True),
    ("a*c", "abx", False),
    ("**", "x", True),
    ("?", "a", True),
    ("?", "", False),
    ("?", "ab", False),
    ("a?c", "abc", True),
    ("[a-z]", "m", True),
    ("[a-z]", "M", False),
    ("[^a-z]", "M", True),
    ("[^a-z]", "m", False),
    ("[!a]", "!", True),
    ("[!a]", "b", False),
    ("[abc]", "b", True),
    ("[abc]", "", False),
    ("[]a]", "]", False),
    ("[-]", "-", False),
    ("[a-]", "-", False),
    ("[-a]", "-", False),
    ("[a", "a", False),
    ("[", "[", False),
    ("[]", "", False),
    ("[^]", "^", False),
    ("[b-a]", "a", False),
    ("[\\]a]", "]", True),
    ("[a\\-z]", "-", True),
    ("[\\-]", "-", True),
    ("\\*", "*", True),
    ("\\*", "a", False),
    ("a\\", "a", False),
    ("\\", "", False),
    ("", "", True),
    ("", "a", False),
    ("a", "a", True),
    ("a", "b", False),
    ("*[", "a", False),
    ("a[", "a", False),
    ("a[", "b", False),
    ("[a-b-c]", "c", False),
    ("[a-c]*", "bxyz", True),
    ("*.x", "a.x", True),
    ("*-east-?", "us-east-1", True),
    ("ä?", "äö", True),
    ("[ä-ö]", "ä", True),
    ("[[]", "[", True),
    ("[a-zA-Z0-9]", "Z", True),
    ("x*y*z", "x1y2z", True),
    ("x*y*z", "x1z2y", False),
    ("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", False),
]


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [pytest.param(*row, id=f"{at}") for at, row in enumerate(GLOBS)],
)
def test_a_glob_matches_as_in_go(pattern: str, text: str, expected: bool) -> None:
    assert expected is glob(pattern, text)


def test_a_glob_of_many_stars_takes_no_time() -> None:
    """A backtracking matcher would not end here."""
    assert not glob("*a" * 200 + "b", "a" * 2000)


# Keys ----------------------------------------------------------------------------


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
        pytest.param("docker.io", "nginx", True, id="docker-hub"),
        pytest.param("docker.io/library", "nginx", True, id="docker-hub-library"),
        pytest.param("registry-1.docker.io", "nginx", False, id="docker-hub-s-api"),
        pytest.param("https://index.docker.io/v1/", "nginx", True, id="docker-s-key"),
        pytest.param("index.docker.io", "a/b", True, id="docker-s-key-bare"),
        pytest.param("index.docker.io", "quay.io/a/b", False, id="docker-s-key-other"),
        pytest.param("index.docker.io/a", "a/b", False, id="docker-s-key-with-path"),
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


# Values --------------------------------------------------------------------------


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param({"auth": encoded("u:p")}, ("u", "p"), id="auth"),
        pytest.param({"auth": encoded("u:pp").rstrip("=")}, ("u", "pp"), id="unpadded"),
        pytest.param({"auth": encoded("u:pp")}, ("u", "pp"), id="padded"),
        pytest.param({"auth": encoded("u:p") + "\n"}, ("u", "p"), id="line-end"),
        pytest.param({"auth": encoded("u:p:q")}, ("u", "p:q"), id="colon-in-password"),
        pytest.param({"auth": encoded("u:")}, ("u", ""), id="no-password"),
        pytest.param({"auth": encoded("ü:ß")}, ("ü", "ß"), id="beyond-ascii"),
        pytest.param({"username": "u", "password": "p"}, ("u", "p"), id="fields"),
        pytest.param({"username": "u"}, ("u", ""), id="field-alone"),
        pytest.param(
            {"auth": encoded("u:p"), "username": "x", "password": "y"},
            ("u", "p"),
            id="auth-wins",
        ),
        pytest.param(
            {"auth": None, "username": "u", "password": "p"}, ("u", "p"), id="null-auth"
        ),
        pytest.param(
            {"auth": "", "username": "u", "password": "p"}, ("u", "p"), id="empty-auth"
        ),
    ],
)
def test_an_entry_is_read(entry: object, expected: tuple[str, str]) -> None:
    content = json.dumps({"auths": {"r.io": entry}}).encode()
    (found,) = credentials.read(content).lookup(reference.parse("r.io/x"))
    assert expected == (found.username, found.password)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"auths": None}, id="null"),
        pytest.param({"auths": {}}, id="empty"),
        pytest.param({"auths": {"r.io": {}}}, id="entry-of-a-credential-store"),
        pytest.param({"auths": {"r.io": None}}, id="null-entry"),
        pytest.param({"credsStore": "desktop", "currentContext": "x"}, id="others"),
    ],
)
def test_a_file_without_credentials_opens_nothing(content: object) -> None:
    assert Keyring() == credentials.read(json.dumps(content).encode())


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"\xff\xfe", id="no-text"),
        pytest.param(b'{"auths": {"r.io": "canary-7f3a"}}', id="entry-is-a-text"),
        pytest.param(b'{"auths": {"r.io": {"auth": 7}}}', id="auth-is-a-number"),
        pytest.param(b"[" * 5000, id="deep"),
        pytest.param(b'{"auths": {"r.io": {"auth": "canary-7f3a!"}}}', id="no-base64"),
        pytest.param(
            json.dumps({"auths": {"r.io": {"auth": encoded(SECRET)}}}).encode(),
            id="no-colon",
        ),
        pytest.param(b'{"auths": {"r.io": {"auth": "/////w=="}}}', id="no-utf-8"),
    ],
)
def test_a_broken_file_is_refused_without_its_secrets(content: bytes) -> None:
    with pytest.raises(ConfigError) as caught:
        credentials.read(content)
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in str(error)
        error = error.__cause__


def test_the_refusal_names_the_entry() -> None:
    content = json.dumps({"auths": {"r.io": {"auth": encoded(SECRET)}}}).encode()
    with pytest.raises(ConfigError, match=r"^auths\.r\.io\.auth: expected the base64"):
        credentials.read(content)


def test_a_file_may_have_as_many_bytes_as_the_limit() -> None:
    filler = b" " * (credentials.MAX_CONFIG_BYTES - len(b"{}"))
    assert Keyring() == credentials.read(b"{}" + filler)
    with pytest.raises(ConfigError, match="larger than 1048576 bytes"):
        credentials.read(b"{} " + filler)


def test_a_credential_never_shows_itself() -> None:
    credential = Credential("user-canary", SECRET)
    keyring = credentials.read(config("r.io"))
    for text in (repr(credential), str(credential), repr(keyring), f"{keyring}"):
        assert SECRET not in text
        assert "user-canary" not in text


def test_a_credential_is_sent_as_basic() -> None:
    assert "Basic dTpwOnE=" == Credential("u", "p:q").basic
