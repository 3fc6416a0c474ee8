"""Whatever comes from a registry, an author, a Secret or a program: no error but ours.

Each reader gets bytes or text of any kind, and valid ones with parts cut out, doubled,
repeated, or replaced by what readers stumble over. It must end soon, say what is wrong
in words without control characters, and raise nothing else.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from operator import mul
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.compat import parse
from app.demo.content import INDEX_TYPE, MANIFEST_TYPE, Repository, digest_of, encode
from app.errors import ImagecompatError
from app.oci import durations
from app.oci.credentials import docker_config, helpers, plugin_config
from app.oci.credentials.helpers import Helpers
from app.oci.credentials.plugins import Plugins
from app.oci.credentials.programs import Output
from app.oci.credentials.pull_secrets import keyring_of
from app.oci.images import manifests, reference
from app.oci.registry import auth, challenges, patterns, retrying
from app.oci.registry.auth import TokenKey
from app.oci.registry.guard import RegistryPolicy
from app.oci.ways import hosts_toml
from app.oci.ways.hosts_toml import BrokenHostsError
from app.oci.writing.raw_index import RawIndex
from app.ports import PullSecret
from tests.tools.answers import API, DIGEST, Table, listed, source
from tests.tools.doubles import wants_module
from tests.tools.programs import Scripted

HOST = "r.example"
IMAGE = reference.parse(f"{HOST}/org/app:1")
NOW = datetime(2026, 3, 1, tzinfo=UTC)
MOST_SECONDS = 2.0
"""Of our own time; the slowest takes some hundredths."""


# Seeds -------------------------------------------------------------------------------


def _repository() -> tuple[bytes, bytes, bytes]:
    """A manifest, an index and an artifact."""
    one = Repository()
    image = one.image("amd64", "x")
    index = one.index([("amd64", image), ("arm64", image)])
    artifact = one.attach(image, b"spec", created="2026-03-01T00:00:00Z")
    manifest, list_, spec = (
        one.blobs[str(it["digest"])] for it in (image, index, artifact)
    )
    return manifest, list_, spec


MANIFEST, INDEX, ARTIFACT = _repository()
DOCKER = encode(
    {
        "auths": {
            "https://index.docker.io/v1/": {"auth": "dTpw"},
            "*.r.example:5000/v2/org": {"username": "u", "password": "p"},
            HOST: {"identitytoken": "t", "registrytoken": "r"},
        },
        "credHelpers": {"gcr.io": "gcloud"},
        "credsStore": "pass",
    }
)
DOCKERCFG = encode({HOST: {"auth": "dTpw", "email": "x"}})
HOSTS = b"""\
server = "https://r.example"
[host."https://mirror.example/v2/x"]
  capabilities = ["pull", "resolve"]
  ca = ["a.crt"]
  client = [["a.crt", "a.key"]]
  skip_verify = false
  override_path = true
  dial_timeout = "1m30s"
  [host."https://mirror.example/v2/x".header]
    x-token = ["a", "b"]
"""
PROVIDERS = b"""\
apiVersion: kubelet.config.k8s.io/v1
kind: CredentialProviderConfig
providers:
- name: ecr
  matchImages: ["*.dkr.ecr.*.amazonaws.com", "r.example:5000/org"]
  defaultCacheDuration: 1h30m
  apiVersion: credentialprovider.kubelet.k8s.io/v1
  args: [get]
  env: [{name: A, value: b}]
"""
RESPONSE = encode(
    {
        "kind": "CredentialProviderResponse",
        "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
        "cacheKeyType": "Registry",
        "cacheDuration": "10m0s",
        "auth": {HOST: {"username": "u", "password": "p"}},
    }
)
HELPER = encode({"ServerURL": HOST, "Username": "u", "Secret": "p"})
TOKEN = encode(
    {"token": "t", "expires_in": 300, "issued_at": "2026-03-01T00:00:00.123Z"}
)
SPEC = wants_module("nvidia").encode()
CHALLENGE = (
    b'Negotiate, Basic realm="a \\" b", '
    b'Bearer realm="https://r.example/token",service="s",scope="repository:a:pull"'
)
LINK = b'</v2/org/app/referrers/x?n=1>; rel="next", <x>; rel=prev; title="a,b"'


# Readers -----------------------------------------------------------------------------


def _text(content: bytes) -> str:
    return content.decode(errors="surrogateescape")


def _header(content: bytes) -> str:
    """As an HTTP library gives it."""
    return content.decode("latin-1")


def _challenge(content: bytes) -> None:
    key = TokenKey(HOST, "org/app", "pull")
    for one in challenges.read_all([_header(content)]):
        auth.token_request(one, key, None, RegistryPolicy(), most_bytes=1)


def _token(content: bytes) -> None:
    auth.read_token(content)
    auth.read_token(content, _header(content)[:100])


def _link(content: bytes) -> None:
    table = Table({API: listed(link=_header(content))})
    asyncio.run(_listed(table))


async def _listed(table: Table) -> None:
    await source(table).referrers(DIGEST)


def _type(content: bytes) -> None:
    manifests.type_of(content, MANIFEST_TYPE)
    manifests.type_of(content, "")


def _index(content: bytes) -> None:
    for one in manifests.read_index(content).manifests or []:
        manifests.is_runnable(one)
        manifests.digest_of(one)


def _secret(kind: str, content: bytes) -> None:
    secret = PullSecret("s", f"kubernetes.io/{kind}", {f".{kind}": content})
    keyring_of([secret]).lookup(IMAGE)


def _docker(content: bytes) -> None:
    docker_config.read(content, has_tokens=True).lookup(IMAGE)


def _helper(content: bytes) -> None:
    names = helpers.read_helpers(encode({"credHelpers": {HOST: "x"}}))
    programs = {"docker-credential-x": Output(0, content)}
    asyncio.run(_asked_helper(Helpers(names, Scripted(dict(programs)))))


async def _asked_helper(one: Helpers) -> None:
    await one.lookup(IMAGE)


PLUGINS = plugin_config.read_plugins(
    PROVIDERS.replace(b"r.example:5000/org", b"r.example")
)


def _response(content: bytes) -> None:
    one = Plugins(PLUGINS, Scripted({PLUGINS[0].name: Output(0, content)}))
    asyncio.run(_asked_plugin(one))


async def _asked_plugin(one: Plugins) -> None:
    await one.lookup(IMAGE)


@dataclass(frozen=True)
class Reader:
    """What reads hostile input.

    Attributes:
        read: gets the bytes.
        seeds: valid ones.
        is_total: whether it may raise nothing at all.
        error: what else it may raise.
    """

    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...]
    is_total: bool = False
    error: type[Exception] = ImagecompatError


READERS: Final[dict[str, Reader]] = {
    "reference": Reader(
        lambda content: reference.parse(_text(content)),
        (b"r.example:5000/org/app:1", f"a/b@{digest_of(b'')}".encode(), b"[::1]:5/a"),
    ),
    "pattern": Reader(
        lambda content: patterns.parse(_text(content)).matches(IMAGE),
        (b"*.r.example:5000/org", b"docker.io/library", b"[a-z]?.io/a"),
        error=ValueError,
    ),
    "challenge": Reader(_challenge, (CHALLENGE,), is_total=True),
    "token": Reader(_token, (TOKEN,), is_total=True),
    "link": Reader(_link, (LINK,)),
    "retry-after": Reader(
        lambda content: retrying.retry_after_seconds(_header(content), NOW),
        (b"120", b"Sun, 01 Mar 2026 00:10:00 GMT", b"Sunday, 01-Mar-26 00:10:00 GMT"),
        is_total=True,
    ),
    "duration": Reader(
        lambda content: durations.seconds_of(_text(content)),
        (b"1h30m0.5s", b"10ms", b"-1.5h"),
        is_total=True,
    ),
    "index": Reader(_index, (INDEX,)),
    "index-to-write": Reader(RawIndex.read, (INDEX,)),
    "manifest": Reader(manifests.read_manifest, (MANIFEST, ARTIFACT)),
    "type": Reader(_type, (MANIFEST, INDEX, ARTIFACT)),
    "spec": Reader(parse.read_for_admission, (SPEC, INDEX)),
    "docker-config": Reader(_docker, (DOCKER,)),
    "docker-helpers": Reader(helpers.read_helpers, (DOCKER,)),
    "dockerconfigjson": Reader(partial(_secret, "dockerconfigjson"), (DOCKER,)),
    "dockercfg": Reader(partial(_secret, "dockercfg"), (DOCKERCFG,)),
    "hosts.toml": Reader(hosts_toml.read, (HOSTS,), error=BrokenHostsError),
    "providers": Reader(
        plugin_config.read_plugins, (PROVIDERS, json.dumps({"kind": "x"}).encode())
    ),
    "provider-response": Reader(_response, (RESPONSE,), is_total=True),
    "helper-answer": Reader(_helper, (HELPER,), is_total=True),
}


# Input -------------------------------------------------------------------------------

NASTY = (
    *(
        b"",
        b"\x00",
        b"\r\n",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"\xc0\x80",
    ),
    *(b"[", b"{", b'"', b"'", b"\\", b"\\ud800", b"%2e%2e", b"../", b"#", b"?", b"@"),
    *(
        b"null",
        b"NaN",
        b"1e999",
        b"-0",
        b"9" * 400,
        b"true",
        b"[]",
        b"{}",
        b"&a",
        b"*a",
    ),
    *(b"!!python/object:x", b"<<: *a", b"---\n", b"\t", b"\x85", b"\xe2\x80\xa8"),
    *(b"sha256:", b":", b"/", b".", b"=", b",", b";", b"<", b">", b" "),
    *(INDEX_TYPE.encode(), "ä\u0661\u202e".encode()),
)


@st.composite
def mutated(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """A valid input with some changes."""
    content = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(len(content), start + 40)))
        middle = content[start:end]
        piece = draw(
            st.sampled_from(NASTY)
            | st.binary(max_size=4)
            | st.sampled_from((0, 2, 300)).map(partial(mul, middle))
        )
        content = content[:start] + piece + content[end:]
    return content


def inputs(reader: Reader) -> st.SearchStrategy[bytes]:
    """Mostly what is nearly valid."""
    return st.one_of(
        mutated(reader.seeds),
        mutated(reader.seeds),
        st.binary(max_size=200),
        st.text(max_size=100).map(lambda text: text.encode(errors="surrogatepass")),
        st.builds(
            lambda piece, times: piece * times,
            st.sampled_from(NASTY),
            st.sampled_from((10, 1000, 20_000)),
        ),
    )


@pytest.mark.parametrize("name", READERS)
@settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_no_error_but_ours_and_none_that_takes_long(
    name: str, data: st.DataObject
) -> None:
    reader = READERS[name]
    content = data.draw(inputs(reader))
    started = time.process_time()
    try:
        reader.read(content)
    except (ImagecompatError, reader.error) as error:
        assert not reader.is_total
        text = str(error).replace("\n", " ")
        assert text.isprintable(), text
        assert len(text) < 10_000
    assert time.process_time() - started < MOST_SECONDS


@pytest.mark.parametrize("name", sorted(READERS.keys() - {"link"}))
def test_what_is_valid_is_read(name: str) -> None:
    """Else what is nearly valid would not be."""
    READERS[name].read(READERS[name].seeds[0])


def test_a_host_is_named_without_what_could_turn_a_line_around() -> None:
    text = '[host."\u202ehttps://m.example"]'.encode()
    with pytest.raises(BrokenHostsError, match=r'^host\."\?https://m\.example"'):
        hosts_toml.read(text)


CANARY = "canary-3c9e"
PACKED = base64.b64encode(f"u:{CANARY}".encode())
SECRETS: Final[dict[str, bytes]] = {
    "docker-config": DOCKER.replace(b'"p"', f'"{CANARY}"'.encode()).replace(
        b"dTpw", PACKED
    ),
    "dockerconfigjson": DOCKER.replace(b"dTpw", PACKED),
    "dockercfg": DOCKERCFG.replace(b"dTpw", PACKED),
    "docker-helpers": DOCKER.replace(b"dTpw", PACKED),
    "hosts.toml": HOSTS.replace(b'"b"', f'"{CANARY}"'.encode()),
    "providers": PROVIDERS.replace(b"value: b", f"value: {CANARY}".encode()),
}


@pytest.mark.parametrize("name", SECRETS)
def test_no_error_shows_a_secret_of_the_file(name: str) -> None:
    """Cut off anywhere, and with something wrong at any place after the secret."""
    content, reader = SECRETS[name], READERS[name]
    ends = content.find(CANARY.encode()) + content.find(PACKED) + len(PACKED)
    broken = [content[:at] for at in range(len(content))]
    broken += [
        content[:at] + piece + content[at:]
        for at in range(ends, len(content))
        for piece in (b"\x00", b'"', b"[", b"\xff")
    ]
    told = []
    for one in broken:
        try:
            reader.read(one)
        except (ImagecompatError, reader.error) as error:
            told.append(str(error))
    assert told
    assert not any(
        secret in one for one in told for secret in (CANARY, PACKED.decode())
    )
