"""What registries ask for, and what they get."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from app.oci import auth
from app.oci.auth import MAX_CHALLENGES, MAX_TOKEN_BYTES, Challenge, TokenCache
from app.oci.cache import ENTRY_BYTES
from app.oci.credentials import Credential
from app.oci.guard import HostPolicy, RegistryPolicy

SOMEBODY = Credential("somebody", "canary-7f3a")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("   ", [], id="blank"),
        pytest.param("Basic", [("basic", {})], id="scheme-alone"),
        pytest.param('Basic realm="x"', [("basic", {"realm": "x"})], id="basic"),
        pytest.param("BASIC REALM=x", [("basic", {"realm": "x"})], id="case-and-token"),
        pytest.param(
            'Bearer realm="https://a/t",service="s",scope="repository:x:pull,push"',
            [
                (
                    "bearer",
                    {
                        "realm": "https://a/t",
                        "service": "s",
                        "scope": "repository:x:pull,push",
                    },
                )
            ],
            id="bearer",
        ),
        pytest.param(
            'Bearer realm = "a" , service= "s"',
            [("bearer", {"realm": "a", "service": "s"})],
            id="blanks",
        ),
        pytest.param(
            r'Bearer realm="a\"b\\c"', [("bearer", {"realm": r'a"b\c'})], id="escapes"
        ),
        pytest.param(
            'Bearer realm="a", Basic realm="b"',
            [("bearer", {"realm": "a"}), ("basic", {"realm": "b"})],
            id="two-in-one",
        ),
        pytest.param(
            'Negotiate, Basic realm="b"',
            [("negotiate", {}), ("basic", {"realm": "b"})],
            id="bare-scheme-first",
        ),
        pytest.param(
            'Bearer realm="a",realm="b"',
            [("bearer", {"realm": "a"})],
            id="first-counts",
        ),
        pytest.param('Bearer realm=""', [("bearer", {"realm": ""})], id="empty-value"),
        pytest.param('Bearer realm="open', [("bearer", {})], id="unclosed"),
        pytest.param('="x" Basic', [], id="no-scheme"),
        pytest.param("<html>", [], id="nonsense"),
    ],
)
def test_a_challenge_is_read(
    header: str, expected: list[tuple[str, dict[str, str]]]
) -> None:
    found = [(one.scheme, dict(one.parameters)) for one in auth.read_challenges(header)]
    assert expected == found


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Bearer" + " " * 60_000 + "=", id="blanks"),
        pytest.param('Bearer a="' + "\\" * 60_000, id="escapes"),
        pytest.param("Bearer " + "a" * 60_000, id="one-word"),
        pytest.param("Bearer " + 'a="",' * 12_000 + "=", id="parameters"),
    ],
)
def test_a_hostile_header_takes_no_time(header: str) -> None:
    """Each of these takes minutes where a pattern goes back over what it read."""
    assert "bearer" == auth.read_challenges(header)[0].scheme


def test_as_many_challenges_as_the_limit_are_heard() -> None:
    one = Challenge("basic", {})
    assert (one,) * 8 == auth.read_all(["Basic"] * MAX_CHALLENGES)
    assert (one,) * 8 == auth.read_all([*["Basic"] * MAX_CHALLENGES, "Bearer"])


# The token server ------------------------------------------------------------------


def asked(
    realm: str,
    host: str = "r.example",
    policy: RegistryPolicy | None = None,
    **more: str,
) -> str | None:
    challenge = Challenge("bearer", {"realm": realm, **more})
    return auth.token_url(challenge, host, "org/app", policy or RegistryPolicy())


@pytest.mark.parametrize(
    ("realm", "host"),
    [
        pytest.param("https://r.example/token", "r.example", id="itself"),
        pytest.param("https://r.example:5000/t", "r.example:5000", id="with-port"),
        pytest.param("https://r.example:443/t", "r.example", id="port-of-https"),
        pytest.param("https://R.Example/t", "r.example", id="case"),
        pytest.param("https://auth.docker.io/token", "registry-1.docker.io", id="hub"),
        pytest.param("https://gitlab.com/jwt/auth", "registry.gitlab.com", id="gitlab"),
        pytest.param("https://[fd00::9]:5000/t", "[fd00::9]:5000", id="ipv6"),
    ],
)
def test_a_token_server_of_the_registry_s_own_is_asked(realm: str, host: str) -> None:
    url = asked(realm, host)
    assert url is not None
    assert url.startswith(f"{realm}?")


@pytest.mark.parametrize(
    "realm",
    [
        pytest.param("https://evil.example/token", id="another-host"),
        pytest.param("https://r.example.evil.example/token", id="suffix"),
        pytest.param("https://evil-r.example/token", id="prefix"),
        pytest.param("https://r.example@evil.example/token", id="user"),
        pytest.param("https://r.example\\@evil.example/token", id="backslash"),
        pytest.param("https://user@r.example/token", id="user-at-the-registry"),
        pytest.param("http://r.example/token", id="plain-http"),
        pytest.param("https://169.254.169.254/latest/meta-data", id="metadata"),
        pytest.param("https://auth.docker.io/token", id="the-token-server-of-another"),
        pytest.param("https://r.example/token#x", id="fragment"),
        pytest.param("//r.example/token", id="no-scheme"),
        pytest.param("/token", id="no-host"),
        pytest.param("file:///etc/passwd", id="file"),
        pytest.param("ftp://r.example/t", id="ftp"),
        pytest.param("https://[r.example/token", id="no-url"),
        pytest.param("", id="empty"),
    ],
)
def test_another_token_server_is_not_asked(realm: str) -> None:
    assert asked(realm) is None


def test_a_challenge_without_a_realm_leads_nowhere() -> None:
    challenge = Challenge("bearer", {})
    assert auth.token_url(challenge, "r.example", "x", RegistryPolicy()) is None


def test_the_operator_can_name_token_servers_for_one_registry() -> None:
    policy = RegistryPolicy(realms={"r.example": frozenset({"login.example:8443"})})
    assert asked("https://login.example:8443/t", policy=policy) is not None
    assert asked("https://login.example:8443/t", "q.example", policy) is None
    assert asked("http://login.example:8443/t", policy=policy) is None


def test_a_registry_on_plain_http_may_have_a_token_server_on_it() -> None:
    policy = RegistryPolicy({"r.example:5000": HostPolicy(plain_http=True)})
    assert asked("http://r.example:5000/t", "r.example:5000", policy) is not None
    assert asked("http://evil.example/t", "r.example:5000", policy) is None


def test_the_scope_is_ours_and_not_the_challenge_s() -> None:
    url = asked(
        "https://r.example/t",
        service="a b&c",
        scope="repository:other/secret:pull,push",
    )
    query = parse_qs(urlsplit(url or "").query)
    assert {"scope": ["repository:org/app:pull"], "service": ["a b&c"]} == query


def test_a_realm_keeps_its_own_query() -> None:
    url = asked("https://r.example/t?account=x")
    assert "https://r.example/t?account=x&scope=repository%3Aorg%2Fapp%3Apull" == url


# Tokens ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param({"token": "t", "expires_in": 300}, ("t", 300), id="token"),
        pytest.param({"access_token": "t"}, ("t", 60), id="access-token-without-time"),
        pytest.param({"token": "t", "access_token": "u"}, ("t", 60), id="token-wins"),
        pytest.param({"token": "", "access_token": "u"}, ("u", 60), id="empty-token"),
        pytest.param({"token": "t", "expires_in": 10**9}, ("t", 3600), id="for-ever"),
        pytest.param({"token": "t", "expires_in": -5}, ("t", 0), id="expired"),
        pytest.param({"token": "t", "expires_in": None}, ("t", 60), id="null-time"),
        pytest.param({"token": "t", "issued_at": "x"}, ("t", 60), id="others"),
        pytest.param({}, None, id="none"),
        pytest.param({"token": None}, None, id="null"),
        pytest.param({"token": "a\r\nX-Evil: 1"}, None, id="header-injection"),
        pytest.param({"token": "ä"}, None, id="beyond-ascii"),
        pytest.param({"token": 7}, None, id="number"),
        pytest.param([], None, id="list"),
    ],
)
def test_a_token_is_read(answer: object, expected: tuple[str, float] | None) -> None:
    assert expected == auth.read_token(json.dumps(answer).encode())


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff", b"[" * 5000])
def test_what_is_no_json_holds_no_token(content: bytes) -> None:
    assert auth.read_token(content) is None


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("seconds", "held"),
    [
        pytest.param(300, 290, id="ten-seconds-early"),
        pytest.param(20, 10, id="twenty"),
        pytest.param(8, 4, id="half-of-a-short-one"),
    ],
)
def test_a_token_is_kept_until_shortly_before_it_expires(
    seconds: float, held: float
) -> None:
    time = Time()
    tokens = TokenCache(time)
    tokens.put("r.example", "x", SOMEBODY, value="Bearer t", seconds=seconds)
    time.now += held - 0.01
    assert "Bearer t" == tokens.get("r.example", "x", SOMEBODY)
    time.now += 0.01
    assert not tokens.get("r.example", "x", SOMEBODY)


@pytest.mark.parametrize(
    ("host", "repository", "credential"),
    [
        pytest.param("q.example", "x", SOMEBODY, id="registry"),
        pytest.param("r.example", "y", SOMEBODY, id="repository"),
        pytest.param("r.example", "x", Credential("somebody", "b"), id="password"),
        pytest.param("r.example", "x", Credential("b", "canary-7f3a"), id="user"),
        pytest.param("r.example", "x", None, id="anonymous"),
    ],
)
def test_a_token_serves_nobody_and_nothing_else(
    host: str, repository: str, credential: Credential | None
) -> None:
    tokens = TokenCache(Time())
    tokens.put("r.example", "x", SOMEBODY, value="Bearer t", seconds=300)
    assert not tokens.get(host, repository, credential)
    assert "Bearer t" == tokens.get("r.example", "x", SOMEBODY)


def test_a_token_that_lasts_no_time_is_not_kept() -> None:
    tokens = TokenCache(Time())
    tokens.put("r.example", "x", None, value="Bearer t", seconds=0)
    assert not tokens.get("r.example", "x", None)


def test_a_token_that_is_refused_is_forgotten() -> None:
    tokens = TokenCache(Time())
    tokens.put("r.example", "x", None, value="Bearer t", seconds=300)
    tokens.drop("r.example", "x", None)
    assert not tokens.get("r.example", "x", None)


def test_tokens_are_bounded_in_bytes() -> None:
    tokens = TokenCache(Time())
    large = "t" * (64 << 10)
    fitting = MAX_TOKEN_BYTES // (len(large) + ENTRY_BYTES)
    for number in range(fitting + 1):
        tokens.put("r.example", f"{number}", None, value=large, seconds=300)
    assert not tokens.get("r.example", "0", None)
    assert large == tokens.get("r.example", "1", None)
    assert large == tokens.get("r.example", f"{fitting}", None)


def test_the_cache_shows_no_secret() -> None:
    tokens = TokenCache(Time())
    tokens.put("r.example", "x", SOMEBODY, value="Bearer canary-7f3a", seconds=300)
    assert "canary" not in repr(tokens)
