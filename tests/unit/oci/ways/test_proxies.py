"""Which proxy a request goes through."""

import pytest

from app.oci.failure import LookupFailedError
from app.oci.limits import Limits
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.oci.registry.transport import AiohttpTransport, Request
from app.oci.ways.proxies import (
    MAX_CREDENTIALS_BYTES,
    Proxies,
    read_credentials,
    rule,
)
from app.ports import Unavailable

PLAIN, TLS = "http://plain.example:3128", "http://tls.example"


def proxies(*direct: str) -> Proxies:
    return Proxies(PLAIN, TLS, tuple(map(rule, direct)))


def test_each_scheme_has_a_proxy_of_its_own() -> None:
    assert PLAIN == proxies().of("http", "r.example", 80)
    assert TLS == proxies().of("https", "r.example", 443)
    assert Proxies().of("https", "r.example", 443) is None


@pytest.mark.parametrize(
    ("direct", "host", "port"),
    [
        pytest.param("r.example", "r.example", 443, id="host"),
        pytest.param("R.Example", "r.EXAMPLE", 443, id="case"),
        pytest.param("r.example", "r.example.", 443, id="dot-at-the-end"),
        pytest.param("r.example:5000", "r.example", 5000, id="port"),
        pytest.param(".example", "a.r.example", 443, id="below"),
        pytest.param(".example:5000", "r.example", 5000, id="below-with-port"),
        pytest.param("10.1.2.3", "10.1.2.3", 443, id="address"),
        pytest.param("10.0.0.0/8", "10.255.255.255", 443, id="network"),
        pytest.param("10.0.0.0/8:5000", "10.0.0.1", 5000, id="network-with-port"),
        pytest.param("fd00::/8", "fd00::1", 443, id="network-6"),
        pytest.param("[fd00::1]:5000", "fd00::1", 5000, id="address-6-with-port"),
        pytest.param("[fd00::1]", "fd00::1", 443, id="address-6"),
        pytest.param("fd00::1", "fd00::1", 443, id="address-6-bare"),
        pytest.param("*", "r.example", 443, id="all"),
        pytest.param("*:5000", "r.example", 5000, id="all-of-a-port"),
    ],
)
def test_these_are_asked_directly(direct: str, host: str, port: int) -> None:
    assert proxies("other.example", direct).of("https", host, port) is None


@pytest.mark.parametrize(
    ("direct", "host", "port"),
    [
        pytest.param("r.example", "a.r.example", 443, id="below-a-host"),
        pytest.param(".example", "example", 443, id="the-domain-itself"),
        pytest.param(".example", "counterexample", 443, id="another-domain"),
        pytest.param("r.example:5000", "r.example", 443, id="port"),
        pytest.param("10.0.0.0/8", "11.0.0.1", 443, id="network"),
        pytest.param("10.0.0.0/8", "ten.example", 443, id="name-is-not-resolved"),
        pytest.param("10.0.0.0/8:5000", "10.0.0.1", 443, id="port-of-a-network"),
        pytest.param("*:5000", "r.example", 443, id="all-of-a-port"),
        pytest.param("fd00::/8", "10.0.0.1", 443, id="other-family"),
    ],
)
def test_these_go_through_the_proxy(direct: str, host: str, port: int) -> None:
    assert TLS == proxies(direct).of("https", host, port)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a b",
        "https://r.example",
        "r.example/path",
        "10.0.0.0/33",
        "ä.example",
        "*.example",
        "r.example:0",
        "r.example:65536",
        "a" * 256,
        "[fd00::x]",
    ],
)
def test_what_is_no_rule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a"):
        rule(text)


def test_the_last_port_is_one() -> None:
    assert 65535 == rule("r.example:65535").port
    assert 1 == rule("r.example:1").port


def test_proxies_know_where_they_are() -> None:
    assert {("plain.example", 3128), ("tls.example", 80)} == proxies().hosts()
    assert {("p.example", 443)} == Proxies(None, "https://p.example").hosts()


@pytest.mark.parametrize(
    "content", [b"ada:se:cret", b"ada:se:cret\n", b"ada:se:cret\r\n"]
)
def test_a_file_holds_user_and_password(content: bytes) -> None:
    assert ("ada", "se:cret") == read_credentials(content)


@pytest.mark.parametrize(
    "content", [b"", b"canary", b":canary", b"canary\nb:c", b"canary\xff:x"]
)
def test_a_file_that_holds_none_is_told_without_its_content(content: bytes) -> None:
    with pytest.raises(ValueError, match="expected USER:PASSWORD") as caught:
        read_credentials(content)
    assert "canary" not in str(caught.value)


def test_a_file_of_credentials_is_small() -> None:
    most = b"a:" + b"x" * (MAX_CREDENTIALS_BYTES - 2)
    assert "a" == read_credentials(most)[0]
    with pytest.raises(ValueError, match="larger than"):
        read_credentials(most + b"x")


def test_neither_user_nor_password_is_shown() -> None:
    assert "canary" not in repr(Proxies(PLAIN, TLS, (), "canary", "canary"))


def test_the_user_is_sent_as_basic_authorization() -> None:
    assert "" == proxies().authorization
    assert (
        "Basic YWRhOnNlOmNyZXQ="
        == Proxies(user="ada", password="se:cret").authorization
    )


@pytest.mark.parametrize(
    "url", ["http://p:99999", "http://p:x", "http://[::1", "ftp://p", "p"]
)
def test_a_proxy_that_is_no_url_is_nowhere(url: str) -> None:
    found = Proxies(url, "http://proxy.example:3128")
    assert frozenset({("proxy.example", 3128)}) == found.hosts()


@pytest.mark.parametrize("url", ["http://p:99999", "http://[::1", "http://p:x", "p"])
async def test_a_request_through_a_proxy_that_is_no_url_fails_as_ours(url: str) -> None:
    policy = RegistryPolicy({"r.example": HostPolicy()})
    transport = AiohttpTransport(policy, Limits(), proxies=Proxies(https=url))
    request = Request("GET", "https://r.example/v2/", seconds=1.0)
    try:
        with pytest.raises(LookupFailedError) as caught:
            await transport.send(request)
    finally:
        await transport.close()
    assert isinstance(caught.value.outcome, Unavailable)
