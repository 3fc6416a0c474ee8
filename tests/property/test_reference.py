"""Laws of image references: whatever a Pod says, a URL stays ours."""

import re
import string
from urllib.parse import urlsplit

from hypothesis import example, given
from hypothesis import strategies as st

from app.errors import RegistryError
from app.oci.images import reference
from app.oci.images.digest import Digest
from app.oci.images.reference import Reference
from app.oci.registry.guard import RegistryPolicy

_SAFE = re.compile(r"[A-Za-z0-9._:/\[\]@-]*", re.ASCII)
_LETTERS = string.ascii_letters + string.digits + "._-:/@[]%?#\\ \t\r\n\x00äİ"

_WORD = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
_COMPONENT = st.lists(_WORD, min_size=1, max_size=3).flatmap(
    lambda words: st.sampled_from([".", "_", "__", "-", "--"]).map(
        lambda mark: mark.join(words)
    )
)
_DOMAIN = st.sampled_from(
    ["docker.io", "r.example", "r.example:5000", "localhost", "127.0.0.1:80", "[::1]:5"]
)
_TAG = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True)
_DIGEST = st.binary(max_size=8).map(Digest.of)


@st.composite
def references(draw: st.DrawFn) -> Reference:
    """References in their one normal form."""
    domain = draw(_DOMAIN)
    path = "/".join(draw(st.lists(_COMPONENT, min_size=1, max_size=4)))
    if domain == "docker.io" and "/" not in path:
        path = f"library/{path}"
    if draw(st.booleans()):
        return Reference(domain, path, tag=draw(_TAG))
    return Reference(domain, path, digest=draw(_DIGEST))


@given(references())
def test_what_is_written_out_reads_as_the_same(one: Reference) -> None:
    assert one == reference.parse(str(one))


@given(references(), _DIGEST)
def test_a_digest_replaces_the_tag(one: Reference, digest: Digest) -> None:
    text = str(one).partition("@")[0]
    found = reference.parse(f"{text}@{digest}")
    assert (one.domain, one.repository) == (found.domain, found.repository)
    assert (None, digest) == (found.tag, found.digest)


@given(st.one_of(st.text(), st.text(_LETTERS), references().map(str)))
@example("r.example/../x")
@example("r.example/x?y")
@example("user@r.example/x")
@example("r.example/x\n")
@example("r.example:99999/x")
@example("[::1%25eth0]/x")
@example("[:::]/x")
def test_hostile_input_is_refused_or_harmless(text: str) -> None:
    """What parses has one meaning in a URL: no other host, path or query."""
    try:
        found = reference.parse(text)
    except RegistryError:
        return
    assert _SAFE.fullmatch(str(found))
    url = f"https://{found.host}/v2/{found.repository}/manifests/{found.wanted}"
    parts = urlsplit(url)
    assert found.host == parts.netloc
    assert f"/v2/{found.repository}/manifests/{found.wanted}" == parts.path
    assert ("", "", None) == (parts.query, parts.fragment, parts.username)
    assert parts.port is None or parts.port <= 65535
    assert not {"", ".", ".."} & set(found.repository.split("/"))
    assert found == reference.parse(str(found))


@given(st.one_of(st.text(), st.text(_LETTERS)))
def test_a_host_that_parses_can_be_looked_up_in_the_policy(text: str) -> None:
    try:
        found = reference.parse(f"{text}/x")
    except RegistryError:
        return
    assert not RegistryPolicy().of(found.host).private


@given(st.text())
@example("sha256:" + "a" * 64 + "\n")
def test_what_is_taken_for_a_digest_is_one(text: str) -> None:
    digest = Digest.parse(text)
    if digest is not None:
        assert text == str(digest)
        assert re.fullmatch(r"[a-f0-9]+", digest.encoded)


@given(st.binary(), st.binary())
def test_a_digest_matches_equal_content_only(one: bytes, other: bytes) -> None:
    assert (one == other) is Digest.of(one).matches(other)
    assert Digest.of(one) == Digest.parse(str(Digest.of(one)))
