"""Secrets and ServiceAccounts as the API server writes them, and as anybody might."""

import base64
import json

import pytest

from app.kube.decode import DECODE_ERRORS
from app.kube.docker_secrets import pull_secret, pull_secret_names
from app.ports import PullSecret

JSON = "kubernetes.io/dockerconfigjson"
OLD = "kubernetes.io/dockercfg"


def secret(kind: object, data: object) -> bytes:
    return json.dumps({"metadata": {"name": "s"}, "type": kind, "data": data}).encode()


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        pytest.param(JSON, {".dockerconfigjson": b"{}"}, id="json"),
        pytest.param(OLD, {".dockercfg": b"[]"}, id="old"),
        pytest.param("Opaque", {}, id="opaque"),
        pytest.param("", {}, id="none"),
    ],
)
def test_only_the_config_of_its_type_is_kept(
    kind: str, expected: dict[str, bytes]
) -> None:
    data = {
        ".dockerconfigjson": encoded(b"{}"),
        ".dockercfg": encoded(b"[]"),
        "tls.key": "no base64",
    }
    assert PullSecret("s", kind, expected) == pull_secret("s", secret(kind, data))


@pytest.mark.parametrize("data", [None, {}, {".dockercfg": "e30="}])
def test_a_secret_may_have_nothing(data: object) -> None:
    assert PullSecret("s", JSON, {}) == pull_secret("s", secret(JSON, data))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(secret(JSON, {".dockerconfigjson": "canary!"}), id="no-base64"),
        pytest.param(secret(JSON, {".dockerconfigjson": 7}), id="number"),
        pytest.param(secret(7, {}), id="type-is-a-number"),
    ],
)
def test_what_cannot_be_read_raises_what_the_library_does(content: bytes) -> None:
    with pytest.raises(DECODE_ERRORS):
        pull_secret("s", content)


def account(secrets: object) -> bytes:
    return json.dumps(
        {"imagePullSecrets": secrets, "secrets": [{"name": "x"}]}
    ).encode()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param([{"name": "b"}, {"name": "a"}], ("b", "a"), id="in-order"),
        pytest.param([{"name": ""}, {}, None, {"name": "a"}], ("a",), id="empty-ones"),
        pytest.param([{"name": n} for n in "abcd"], ("a", "b", "c"), id="the-first"),
        pytest.param([], (), id="none"),
        pytest.param(None, (), id="null"),
    ],
)
def test_an_account_names_pull_secrets(
    given: object, expected: tuple[str, ...]
) -> None:
    assert expected == pull_secret_names(account(given), most=3)
