"""Docker configs: forms, fields and values as Go reads them, and bounds of ours."""

import base64
import json
from typing import Any

import pytest

from app.errors import ConfigError
from app.oci import credentials
from app.oci.credentials import Credential, Keyring
from app.oci.credentials.docker_config import (
    MAX_ENTRIES,
    MAX_FOREIGN_BYTES,
    MAX_VALUES,
    read,
    read_auths,
)
from app.oci.images import reference

SECRET = "canary-7f3a"
IMAGE = reference.parse("r.io/x")


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param({"auth": encoded("u:p")}, ("u", "p"), id="auth"),
        pytest.param({"auth": encoded("u:pp").rstrip("=")}, ("u", "pp"), id="unpadded"),
        pytest.param({"auth": encoded("u:pp")}, ("u", "pp"), id="padded"),
        pytest.param({"auth": encoded("u:p") + "\n"}, ("u", "p"), id="line-end"),
        pytest.param({"auth": "dTpw\r\nMQ=="}, ("u", "p1"), id="lines"),
        pytest.param({"auth": encoded("u:p:q")}, ("u", "p:q"), id="colon-in-password"),
        pytest.param({"auth": encoded("u:")}, ("u", ""), id="no-password"),
        pytest.param({"auth": encoded("ü:ß")}, ("ü", "ß"), id="beyond-ascii"),
        pytest.param({"username": "u", "password": "p"}, ("u", "p"), id="fields"),
        pytest.param({"USERNAME": "u", "paſſWord": "p"}, ("u", "p"), id="any-case"),
        pytest.param(
            {"username": "\ud800", "password": "p"}, ("\ufffd", "p"), id="half"
        ),
        pytest.param(
            {"username": "u", "identitytoken": 7}, ("u", ""), id="token-is-ignored"
        ),
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
        pytest.param(None, id="null-document"),
        pytest.param({"auths": {"r.io": {"auth": "/zr/"}}}, id="no-utf-8"),
        pytest.param({"auths": {"r.io": {"auth": "Og=="}}}, id="a-colon-alone"),
        pytest.param({"auths": {"r.io": {"üsername": "u"}}}, id="no-field-of-ours"),
    ],
)
def test_a_file_without_credentials_opens_nothing(content: object) -> None:
    keyring = credentials.read(json.dumps(content).encode())
    assert () == keyring.lookup(reference.parse("r.io/x"))


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
        pytest.param(b'{"auths": {"r.io": {"auth": "dTpwMQ="}}}', id="little-padding"),
        pytest.param(b'{"auths": {"r.io": {"auth": " dTpw"}}}', id="space-before"),
        pytest.param(b'{"auths": {"r.io": {"email": 1.5}}}', id="email-is-a-number"),
        pytest.param(b'{"auths": 7, "x": "canary-7f3a"}', id="auths-is-a-number"),
        pytest.param(b'{"HttpHeaders": {"a": 1}}', id="header-is-a-number"),
        pytest.param(b'{"HttpHeaders": []}', id="headers-are-a-list"),
        pytest.param(b'{"x": NaN}', id="not-a-number"),
        pytest.param(b"{} canary-7f3a", id="more-behind"),
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


def test_fields_that_stand_twice_are_as_in_go() -> None:
    content = b"""{
        "auths": {"r.io": {"username": "a"}, "r.io": {"username": "b"}},
        "AUTHS": {"r.io/x": {"username": "c", "Username": "d", "username": null}}
    }"""
    assert ["d", "b"] == [one.username for one in read(content).lookup(IMAGE)]


def test_null_takes_the_entries_before_it_away() -> None:
    content = b"""{
        "auths": {"r.io": {"username": "a"}},
        "auths": null,
        "auths": {"r.io/x": {"username": "b"}}
    }"""
    assert ["b"] == [one.username for one in read(content).lookup(IMAGE)]


def test_a_key_that_stands_twice_keeps_nothing_of_the_first() -> None:
    content = b'{"r.io": {"username": "a", "password": "p"}, "r.io": {"username": "b"}}'
    assert (Credential("b", ""),) == read_auths(content).lookup(IMAGE)


def test_headers_and_numbers_do_no_harm() -> None:
    content = b'{"HttpHeaders": {"a": "b", "c": null}, "x": [1, -2.5e900, %s]}'
    assert Keyring() == read(content % (b"9" * 9000))


def test_bytes_that_are_no_text_become_one_sign_each() -> None:
    content = b'{"auths": {"r.io": {"username": "\xff\xe2\x82u"}}}'
    assert (Credential("\ufffd\ufffd\ufffdu"),) == read(content).lookup(IMAGE)


def test_the_older_form_is_the_mapping_alone() -> None:
    inner = {"r.io": {"username": "u"}}
    assert (Credential("u"),) == read_auths(json.dumps(inner).encode()).lookup(IMAGE)
    assert () == read(json.dumps(inner).encode()).lookup(IMAGE)
    with pytest.raises(ConfigError, match=r"^r\.io: expected an object$"):
        read_auths(b'{"r.io": []}')


def test_tokens_are_read_where_they_are_asked_for() -> None:
    entry = {"auth": encoded("u:"), "identitytoken": "i", "registrytoken": "r"}
    content = json.dumps({"auths": {"r.io": entry}}).encode()
    assert (Credential("u"),) == read(content).lookup(IMAGE)
    assert (Credential("u", "", "i", "r"),) == read(content, has_tokens=True).lookup(
        IMAGE
    )
    wrong = json.dumps({"auths": {"r.io": {"identitytoken": 7}}}).encode()
    with pytest.raises(ConfigError, match=r"auths\.r\.io\.identitytoken"):
        read(wrong, has_tokens=True)


def test_a_config_may_have_as_many_registries_as_the_limit() -> None:
    auths: dict[str, Any] = {f"r{at}.io": {} for at in range(MAX_ENTRIES)}
    assert MAX_ENTRIES == len(read(json.dumps({"auths": auths}).encode()).entries)
    auths["one.more"] = {}
    with pytest.raises(ConfigError, match="more than 1024 registries"):
        read(json.dumps({"auths": auths}).encode())


def test_a_config_may_have_as_many_values_as_the_limit() -> None:
    """The object, the list and what stands behind commas."""
    assert Keyring() == read(b'{"x": [1%s]}' % (b",1" * (MAX_VALUES - 2)))
    with pytest.raises(ConfigError, match="more than 16384 values"):
        read(b'{"x": [1%s]}' % (b",1" * (MAX_VALUES - 1)))


def test_a_config_may_have_as_many_bytes_that_are_no_text_as_the_limit() -> None:
    assert Keyring() == read(b'{"x": "%s"}' % (b"\xff" * MAX_FOREIGN_BYTES))
    with pytest.raises(ConfigError, match="no text"):
        read(b'{"x": "%s"}' % (b"\xff" * (MAX_FOREIGN_BYTES + 1)))


def test_a_message_is_one_line_and_shows_no_user() -> None:
    key = f"{SECRET}:x@r.io/\n" + "x" * 2000
    with pytest.raises(ConfigError) as caught:
        read(json.dumps({"auths": {key: {"auth": 7}}}).encode())
    message = caught.value.message
    assert message.startswith("auths.r.io/ xxx")
    assert message.isprintable()
    assert SECRET not in message
    assert len(message) < 200
