"""Keys as addresses: the rules of Go's `net/url`, one by one."""

import pytest

from app.oci.credentials import address


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param("", ("", ""), id="empty"),
        pytest.param("r.io", ("r.io", ""), id="host"),
        pytest.param("https://r.io:5000/a", ("r.io:5000", "/a"), id="all"),
        pytest.param("http://r.io/", ("r.io", "/"), id="http"),
        pytest.param("https://https://r.io", ("https:", "//r.io"), id="one-scheme"),
        pytest.param("r.io/a?b#c", ("r.io", "/a"), id="query-and-fragment"),
        pytest.param("r.io#\x01", ("r.io", ""), id="control-in-a-fragment"),
        pytest.param("r.io#%4", None, id="broken-fragment"),
        pytest.param("r.io/%4?x", None, id="broken-path"),
        pytest.param("r.io/?%4", ("r.io", "/"), id="a-query-may-be-broken"),
        pytest.param("r.io/\x7f", None, id="control"),
        pytest.param("r.io/%41%2f", ("r.io", "/A/"), id="escapes"),
        pytest.param("r.io/%ff", ("r.io", "/\udcff"), id="escape-that-is-no-text"),
        pytest.param("u:p@x@r.io", ("r.io", ""), id="user"),
        pytest.param("u p@r.io", None, id="broken-user"),
        pytest.param("%x@r.io", None, id="broken-escape-of-a-user"),
        pytest.param("r.io:", ("r.io:", ""), id="empty-port"),
        pytest.param("a:b", None, id="port-of-letters"),
        pytest.param("a:1:2", ("a:1:2", ""), id="two-ports"),
        pytest.param("r .io", None, id="space"),
        pytest.param("r^.io", None, id="other-sign"),
        pytest.param("*.io", ("*.io", ""), id="star"),
        pytest.param("%41.io", None, id="escape-in-a-host"),
        pytest.param("%25.io", ("%.io", ""), id="escaped-percent"),
        pytest.param("%c3%a4.io", ("ä.io", ""), id="escape-beyond-ascii"),
        pytest.param("ä.io", ("ä.io", ""), id="beyond-ascii"),
        pytest.param("[::1]:5", ("[::1]:5", ""), id="ipv6"),
        pytest.param("[::1]", ("[::1]", ""), id="ipv6-alone"),
        pytest.param("[::1]x", None, id="more-behind-ipv6"),
        pytest.param("[::1]5", None, id="port-without-a-colon"),
        pytest.param("[::1]:x", None, id="ipv6-and-letters"),
        pytest.param("x[::1]", None, id="before-ipv6"),
        pytest.param("[::1", None, id="open-bracket"),
        pytest.param("[1.2.3.4]", None, id="ipv4-in-brackets"),
        pytest.param("[fe80::1%eth0]", None, id="zone"),
    ],
)
def test_a_key_is_read_as_go_reads_a_url(
    key: str, expected: tuple[str, str] | None
) -> None:
    assert expected == address.read(key)
