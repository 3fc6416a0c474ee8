"""What token servers are asked, and how long what they give holds."""

import json
from collections.abc import Mapping
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from app.oci.cache import ENTRY_BYTES
from app.oci.credentials import Credential
from app.oci.registry import auth
from app.oci.registry.auth import MAX_TOKEN_BYTES, TokenCache, TokenKey, Worked
from app.oci.registry.challenges import Challenge
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.oci.registry.transport import Request

SOMEBODY = Credential("somebody", "canary-7f3a")
KEY = TokenKey("r.example", "x", "pull", SOMEBODY.fingerprint)


def told(
    realm: str,
    credential: Credential | None = None,
    *,
    host: str = "r.example",
    actions: str = "pull",
    policy: RegistryPolicy | None = None,
    more: Mapping[str, str] | None = None,
) -> Request | None:
    challenge = Challenge("bearer", {"realm": realm, **(more or {})})
    key = TokenKey(host, "org/app", actions)
    return auth.token_request(
        challenge, key, credential, policy or RegistryPolicy(), most_bytes=99
    )


# The token server ------------------------------------------------------------------


def asked(
    realm: str,
    host: str = "r.example",
    policy: RegistryPolicy | None = None,
    **more: str,
) -> str | None:
    found = told(realm, host=host, policy=policy, more=more)
    return found.url if found is not None else None


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
    found = auth.token_request(challenge, KEY, None, RegistryPolicy(), most_bytes=9)
    assert found is None


def test_the_operator_can_name_token_servers_for_one_registry() -> None:
    policy = RegistryPolicy(realms={"r.example": frozenset({"login.example:8443"})})
    assert asked("https://login.example:8443/t", policy=policy) is not None
    assert asked("https://login.example:8443/t", "q.example", policy) is None
    assert asked("http://login.example:8443/t", policy=policy) is None


def test_they_are_the_registry_s_with_https_s_port_too() -> None:
    policy = RegistryPolicy(
        {"r.example": HostPolicy()}, realms={"r.example": frozenset({"t.example"})}
    )
    assert asked("https://t.example/t", "r.example:443", policy) is not None
    assert asked("https://t.example/t", "r.example:5000", policy) is None


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


def test_the_actions_are_those_that_are_needed() -> None:
    found = told("https://r.example/t", actions="pull,push")
    assert found is not None
    assert "https://r.example/t?scope=repository%3Aorg%2Fapp%3Apull%2Cpush" == found.url


def test_a_user_and_a_password_are_sent_with_the_question() -> None:
    found = told("https://r.example/t", SOMEBODY)
    assert found is not None
    assert ("GET", b"", 99) == (found.method, found.body, found.most_bytes)
    assert {"Authorization": SOMEBODY.basic} == found.headers


@pytest.mark.parametrize(
    ("given", "service"),
    [
        pytest.param({"service": "a b&c"}, "a b&c", id="of-the-challenge"),
        pytest.param({}, "r.example", id="the-registry-where-it-says-none"),
    ],
)
def test_an_identity_token_is_exchanged_by_post(
    given: dict[str, str], service: str
) -> None:
    one = Credential("00000000", "", identity_token="canary & 7f3a")
    found = told("https://r.example/t?x=1", one, more=given)
    assert found is not None
    assert ("POST", "https://r.example/t?x=1") == (found.method, found.url)
    assert {"Content-Type": "application/x-www-form-urlencoded"} == found.headers
    form = {
        "grant_type": "refresh_token",
        "service": service,
        "client_id": "imagecompat",
        "scope": "repository:org/app:pull",
        "refresh_token": "canary & 7f3a",
    }
    assert form == dict(parse_qsl(found.body.decode(), strict_parsing=True))
    assert "canary" not in repr(found)


def test_an_identity_token_goes_to_no_other_token_server() -> None:
    one = Credential(identity_token="canary-7f3a")
    assert told("https://evil.example/t", one) is None


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
        pytest.param({"token": "a b"}, None, id="two-words"),
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


DATE = "Sat, 21 Nov 2026 17:00:40 GMT"


@pytest.mark.parametrize(
    ("issued", "date", "expected"),
    [
        pytest.param("2026-11-21T17:00:00Z", DATE, 260, id="forty-seconds-ago"),
        pytest.param("2026-11-21T18:00:00+01:00", DATE, 260, id="another-zone"),
        pytest.param("2026-11-21T17:00:40Z", DATE, 300, id="now"),
        pytest.param("2026-11-21T17:01:00Z", DATE, 300, id="to-come"),
        pytest.param("2026-11-21T16:00:00Z", DATE, 0, id="long-ago"),
        pytest.param("2026-11-21T17:00:00Z", "", 300, id="no-date"),
        pytest.param("2026-11-21T17:00:00Z", "yesterday", 300, id="no-such-date"),
        pytest.param("yesterday", DATE, 300, id="no-such-time"),
        pytest.param("2026-11-21T17:00:00", DATE, 300, id="no-zone"),
        pytest.param("", DATE, 300, id="empty"),
    ],
)
def test_a_token_that_was_issued_before_lasts_less(
    issued: str, date: str, expected: float
) -> None:
    """By the clock of the token server: ours may be wrong."""
    body = {"token": "t", "expires_in": 300, "issued_at": issued}
    assert ("t", expected) == auth.read_token(json.dumps(body).encode(), date)


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
    tokens.put(KEY, "t", seconds=seconds)
    time.now += held - 0.01
    assert "t" == tokens.get(KEY)
    time.now += 0.01
    assert not tokens.get(KEY)


OTHER = Credential("somebody", "b").fingerprint


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(TokenKey("q.example", "x", "pull", KEY.owner), id="registry"),
        pytest.param(TokenKey("r.example", "y", "pull", KEY.owner), id="repository"),
        pytest.param(TokenKey("r.example", "x", "pull,push", KEY.owner), id="actions"),
        pytest.param(TokenKey("r.example", "x", "pull", OTHER), id="credential"),
        pytest.param(TokenKey("r.example", "x", "pull"), id="anonymous"),
    ],
)
def test_a_token_serves_nobody_and_nothing_else(key: TokenKey) -> None:
    tokens = TokenCache(Time())
    tokens.put(KEY, "t", seconds=300)
    assert not tokens.get(key)
    assert "t" == tokens.get(KEY)


def test_a_token_that_lasts_no_time_is_not_kept() -> None:
    tokens = TokenCache(Time())
    tokens.put(KEY, "t", seconds=0)
    assert not tokens.get(KEY)


def test_a_token_that_is_refused_is_forgotten() -> None:
    tokens = TokenCache(Time())
    tokens.put(KEY, "t", seconds=300)
    tokens.drop(KEY, "t")
    assert not tokens.get(KEY)


def test_a_token_that_came_after_the_refused_one_is_kept() -> None:
    tokens = TokenCache(Time())
    tokens.put(KEY, "new", seconds=300)
    tokens.drop(KEY, "old")
    assert "new" == tokens.get(KEY)


def test_tokens_are_bounded_in_bytes() -> None:
    tokens = TokenCache(Time())
    large = "t" * (64 << 10)
    fitting = MAX_TOKEN_BYTES // (len(large) + ENTRY_BYTES)
    for number in range(fitting + 1):
        tokens.put(TokenKey("r.example", f"{number}", "pull"), large, seconds=300)
    found = [
        tokens.get(TokenKey("r.example", f"{number}", "pull"))
        for number in (0, 1, fitting)
    ]
    assert ["", large, large] == found


def test_what_worked_is_remembered_for_one_ring_of_credentials() -> None:
    time = Time()
    tokens = TokenCache(time)
    tokens.remember(KEY, "ring", SOMEBODY)
    tokens.remember(KEY, "", None)
    assert Worked(SOMEBODY) == tokens.worked(KEY, "ring")
    assert Worked(None) == tokens.worked(KEY, "")
    assert tokens.worked(KEY, "other") is None
    assert tokens.worked(TokenKey("r.example", "x", "push"), "ring") is None


def test_what_worked_is_remembered_for_a_while() -> None:
    """A credential that is taken out of use is not tried first for ever."""
    time = Time()
    tokens = TokenCache(time)
    tokens.remember(KEY, "ring", SOMEBODY)
    time.now += 299.9
    assert Worked(SOMEBODY) == tokens.worked(KEY, "ring")
    time.now += 0.1
    assert tokens.worked(KEY, "ring") is None


def test_what_worked_is_bounded() -> None:
    tokens = TokenCache(Time())
    fitting = (16 << 20) // ENTRY_BYTES
    for number in range(fitting + 1):
        tokens.remember(TokenKey("r.example", f"{number}", "pull"), "", None)
    found = [
        tokens.worked(TokenKey("r.example", f"{number}", "pull"), "")
        for number in (0, 1, fitting)
    ]
    assert [None, Worked(None), Worked(None)] == found


def test_the_cache_shows_no_secret() -> None:
    tokens = TokenCache(Time())
    tokens.put(KEY, "canary-7f3a", seconds=300)
    tokens.remember(KEY, "ring", SOMEBODY)
    shown = repr((tokens, tokens.worked(KEY, "ring"), KEY))
    assert "canary" not in shown
