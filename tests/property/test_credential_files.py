"""Files and answers of credential programs, as anybody could write them."""

import json
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from app.errors import ConfigError
from app.oci.credentials import helpers, plugins
from app.oci.credentials.helpers import read_helpers
from app.oci.credentials.plugin_config import Plugin, read_plugins
from app.oci.credentials.programs import Output
from app.oci.registry import auth

VERSION = "credentialprovider.kubelet.k8s.io/v1"
PLUGIN = Plugin("one", VERSION, (), 1.0)
FILE = f"""\
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
- name: one
  matchImages: ["r.example"]
  defaultCacheDuration: 1m
  apiVersion: {VERSION}
  args: [a]
  env: [{{name: a, value: b}}]
"""
DATE = "Sat, 21 Nov 2026 17:00:40 GMT"

KEYS = st.sampled_from(
    [
        *("kind", "apiVersion", "cacheKeyType", "auth", "cacheDuration", "username"),
        *("token", "expires_in", "issued_at", "credHelpers", "credsStore"),
        *("providers", "name", "matchImages", "env", "args", "Secret", "Username"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=6)
    ),
    max_leaves=20,
)
CONTENT = st.binary(max_size=300) | JSON.map(lambda one: json.dumps(one).encode())


def is_told(read: Callable[[bytes], object], content: bytes) -> bool:
    """Whether content is read, or it is said in plain lines why not."""
    try:
        read(content)
    except ConfigError as error:
        return all(line.isprintable() for line in error.message.split("\n"))
    return True


@given(CONTENT)
def test_no_content_is_more_than_a_fault_of_a_file(content: bytes) -> None:
    assert is_told(read_plugins, content)
    assert is_told(read_helpers, content)


@given(
    st.integers(0, len(FILE)),
    st.integers(0, 20),
    st.text("apiVersion:k-nms[]{}\"'&*!<|>#\n\t,1=%@`~ä\0?", max_size=40),
)
def test_a_file_that_is_cut_and_patched_is_read_or_told(
    at: int, length: int, patch: str
) -> None:
    content = FILE[:at] + patch + FILE[at + length :]
    assert is_told(read_plugins, content.encode())


@given(CONTENT)
def test_no_answer_is_more_than_an_outcome(content: bytes) -> None:
    outcome, found = helpers._read(Output(0, content))
    assert (outcome == "given") is bool(found)
    said = plugins._read(Output(0, content), PLUGIN)
    assert (said.outcome == "given") is bool(said.entries)


@given(CONTENT, st.sampled_from(["", DATE, "x"]) | st.text(max_size=30))
def test_a_token_is_one_word_that_lasts_an_hour_at_most(
    content: bytes, date: str
) -> None:
    found = auth.read_token(content, date)
    if found is not None:
        token, seconds = found
        assert token.isascii()
        assert [token] == token.split()
        assert 0 <= seconds <= 3600
