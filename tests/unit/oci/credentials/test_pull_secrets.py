"""Pull secrets: which count, in which order, and what a broken one does."""

import json
from collections.abc import Mapping

import pytest

from app.errors import ConfigError
from app.oci.credentials import NOTHING, Credential, keyring_of
from app.oci.credentials.docker_config import (
    MAX_CONFIG_BYTES,
    MAX_ENTRIES,
    MAX_VALUES,
)
from app.oci.images import reference
from app.ports import PullSecret

SECRET = "canary-7f3a"
JSON = "kubernetes.io/dockerconfigjson"
OLD = "kubernetes.io/dockercfg"
IMAGE = reference.parse("r.io/x")


def auths(**users: str) -> bytes:
    """User by key, with `_` for a dot and `__` for a slash."""
    names = {
        key.replace("__", "/").replace("_", "."): {"username": user}
        for key, user in users.items()
    }
    return json.dumps(names).encode()


def of_json(**users: str) -> PullSecret:
    content = b'{"auths": %s}' % auths(**users)
    return PullSecret("new", JSON, {".dockerconfigjson": content})


def of_old(**users: str) -> PullSecret:
    return PullSecret("old", OLD, {".dockercfg": auths(**users)})


def users(*secrets: PullSecret) -> list[str]:
    return [one.username for one in keyring_of(secrets).lookup(IMAGE)]


def test_both_types_of_secrets_count() -> None:
    assert ["u"] == users(of_json(r_io="u"))
    assert ["u"] == users(of_old(r_io="u"))


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        pytest.param(JSON, {".dockercfg": auths(r_io="u")}, id="key-of-the-other"),
        pytest.param(OLD, {".dockerconfigjson": b'{"auths": {}}'}, id="and-back"),
        pytest.param("Opaque", {".dockerconfigjson": b"broken"}, id="opaque"),
        pytest.param("", {".dockercfg": b"broken"}, id="no-type"),
        pytest.param(JSON, {".dockerconfigjson": b""}, id="empty"),
        pytest.param(JSON, {}, id="nothing"),
    ],
)
def test_a_secret_without_the_key_of_its_type_is_left_out(
    kind: str, data: Mapping[str, bytes]
) -> None:
    other = PullSecret("other", kind, data)
    assert NOTHING == keyring_of([other])
    assert ["u"] == users(other, of_json(r_io="u"), other)


def test_no_secret_opens_nothing() -> None:
    assert NOTHING == keyring_of([])


def test_keys_go_before_the_order_of_secrets_and_that_before_nothing() -> None:
    secrets = of_json(r_io="a"), of_old(r_io__x="b", r_io="c"), of_json(r_io="d")
    assert ["b", "a", "c", "d"] == users(*secrets)
    assert ["b", "d", "c", "a"] == users(*reversed(secrets))


@pytest.mark.parametrize("at", [0, 1, 2])
def test_one_broken_secret_is_an_error_for_all_images(at: int) -> None:
    """Also for one that another Secret opens, and that it could not be for."""
    secrets = [of_json(r_io="u"), of_old(r_io="u")]
    broken = b'{"auths": {"quay.io": {"auth": "%s"}}}' % SECRET.encode()
    secrets.insert(at, PullSecret("regcred", JSON, {".dockerconfigjson": broken}))
    with pytest.raises(ConfigError) as caught:
        keyring_of(secrets)
    assert "InvalidPullSecret" == caught.value.reason
    text = "Secret regcred: .dockerconfigjson is no Docker config"
    assert text == caught.value.message
    assert None is caught.value.__context__


def test_a_broken_secret_is_broken_the_second_time_too() -> None:
    secret = PullSecret("regcred", OLD, {".dockercfg": b"{"})
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"^Secret regcred: \.dockercfg is no"):
            keyring_of([secret])


def test_one_text_in_both_forms_is_two() -> None:
    content = b'{"auths": {"username": "u"}}'
    new = PullSecret("new", JSON, {".dockerconfigjson": content})
    with pytest.raises(ConfigError, match="Secret new"):
        keyring_of([new])
    old = PullSecret("old", OLD, {".dockercfg": content})
    found = keyring_of([old]).lookup(reference.Reference("auths", "x"))
    assert (Credential("u"),) == found


def test_identity_tokens_of_a_pod_count_nowhere() -> None:
    content = b'{"auths": {"r.io": {"username": "u", "identitytoken": "i"}}}'
    secret = PullSecret("s", JSON, {".dockerconfigjson": content})
    assert (Credential("u"),) == keyring_of([secret]).lookup(IMAGE)


def plain(name: str, content: bytes) -> PullSecret:
    return PullSecret(name, OLD, {".dockercfg": content})


def many(name: str, count: int) -> PullSecret:
    entries = ", ".join(f'"{name}{at}.io": null' for at in range(count))
    return plain(name, f"{{{entries}}}".encode())


@pytest.mark.parametrize(
    ("first", "second", "more"),
    [
        pytest.param(
            plain("a", b"{}" + b" " * 1000),
            plain("b", b"{}" + b" " * (MAX_CONFIG_BYTES - 1004)),
            plain("b", b"{}" + b" " * (MAX_CONFIG_BYTES - 1003)),
            id="bytes",
        ),
        pytest.param(
            many("a", 1000),
            many("b", MAX_ENTRIES - 1000),
            many("b", MAX_ENTRIES - 999),
            id="registries",
        ),
        pytest.param(
            plain("a", b'{"r": {"x": [%s0]}}' % (b"0," * 1000)),
            plain("b", b'{"r": {"x": [%s0]}}' % (b"0," * (MAX_VALUES - 1006))),
            plain("b", b'{"r": {"x": [%s0]}}' % (b"0," * (MAX_VALUES - 1005))),
            id="values",
        ),
    ],
)
def test_the_secrets_of_a_pod_are_bounded_together(
    first: PullSecret, second: PullSecret, more: PullSecret
) -> None:
    keyring_of([first, second])
    keyring_of([more])
    text = "^Secret b: too much, together with those before it$"
    with pytest.raises(ConfigError, match=text):
        keyring_of([first, more])


def test_what_does_not_count_is_not_counted() -> None:
    others = [
        PullSecret("o", "Opaque", {".dockercfg": b" " * MAX_CONFIG_BYTES})
        for _ in range(3)
    ]
    assert ["u"] == users(*others, of_old(r_io="u"))
