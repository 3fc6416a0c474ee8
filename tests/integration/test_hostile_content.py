"""Registries that lie: about digests, about pages, about what refers to an image."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from app.demo import faults
from app.demo.content import (
    ARTIFACT_TYPE,
    INDEX_TYPE,
    MANIFEST_TYPE,
    SPEC_TYPE,
    digest_of,
    encode,
)
from app.demo.faults import Fault, Reply
from app.demo.registry import Api, Bearer, Registry
from app.oci.limits import Limits
from app.ports import Found, Invalid, Missing, Unavailable
from tests.tools.hostile import (
    AMD64,
    ARM64,
    DATE,
    SPEC,
    app,
    content,
    filled,
    look,
    outcome,
    part,
    reading,
    subject,
    word,
)

pytestmark = pytest.mark.integration

OTHER = digest_of(b"other")


def indexed() -> Registry:
    """`team/app:1` for two platforms; the index has an artifact."""
    registry = Registry()
    repository = registry.repository("team/app")
    images = [(one, repository.image(one, one)) for one in ("amd64", "arm64")]
    index = repository.index(images)
    repository.tag(index, "1")
    repository.attach(index, SPEC, created=DATE)
    return registry


# (4) Digests -------------------------------------------------------------------------

Lie = Callable[[Registry], None]


def _blob(registry: Registry) -> None:
    registry.faults["blob"] = faults.body(SPEC + b"#")


def _artifact(registry: Registry) -> None:
    """The same JSON with one space more."""
    repository = registry.repository("team/app")
    (artifact,) = repository.subjects
    registry.faults["manifest"] = _instead(artifact, repository.blobs[artifact] + b" ")


def _index(registry: Registry) -> None:
    repository = registry.repository("team/app")
    digest = repository.tags["1"]
    registry.faults["manifest"] = _instead(digest, repository.blobs[digest] + b" ")


def _without_head(registry: Registry) -> None:
    """The content is another than what its header says."""
    registry.api = Api(head=False)
    registry.faults["manifest"] = faults.header("Docker-Content-Digest", OTHER)


def _fallback(registry: Registry) -> None:
    registry.api = Api(referrers=False)
    repository = registry.repository("team/app")
    tag = repository.write_fallback_tag(repository.tags["1"])
    said = faults.header("Docker-Content-Digest", OTHER)
    registry.faults["manifest"] = _for(str(tag["digest"]), said)


def _instead(digest: str, body: bytes) -> Fault:
    return _for(digest, faults.body(body))


def _for(digest: str, fault: Fault) -> Fault:
    """The fault for one manifest, which is asked for by digest or by a tag of it."""

    async def only(request: web.Request, reply: Reply) -> Reply | web.StreamResponse:
        is_it = digest_of(reply.body) == digest
        return await fault(request, reply) if is_it else reply

    return only


@pytest.mark.parametrize(
    ("registry", "lie"),
    [
        pytest.param(filled, _blob, id="spec"),
        pytest.param(filled, _artifact, id="artifact"),
        pytest.param(indexed, _index, id="index"),
        pytest.param(filled, _without_head, id="image-without-head"),
        pytest.param(filled, _fallback, id="fallback-tag"),
    ],
)
async def test_content_must_have_the_digest_that_it_was_asked_for_by(
    registry: Callable[[], Registry], lie: Lie
) -> None:
    one = registry()
    async with one.serving():
        assert SPEC == content(await outcome(one))
        lie(one)
        assert "Invalid DigestMismatch" == word(await outcome(one))


async def test_the_answer_to_head_is_not_believed_against_the_content() -> None:
    """HEAD names the index's digest, by which then its content is asked for."""
    registry = indexed()
    registry.faults["resolve"] = faults.header("Docker-Content-Digest", OTHER)
    async with registry.serving():
        found = await outcome(registry)
    assert "ImageNotFound" == word(found)


@pytest.mark.parametrize(
    "digest",
    [
        "md5:" + "0" * 32,
        "sha1:" + "0" * 40,
        "sha384:" + "0" * 96,
        "sha256:" + "0" * 63,
        "sha256:" + "G" * 64,
        "SHA256:" + "0" * 64,
        "sha256:../../../../etc/passwd",
        "sha256:" + "0" * 60 + "/../",
        "sha256:%2e%2e%2f" + "0" * 55,
        "sha256:" + "0" * 64 + "\n",
        "",
    ],
)
@pytest.mark.parametrize("position", ["layer", "referrer", "child"])
async def test_only_known_algorithms_are_taken_for_a_digest(
    position: str, digest: str
) -> None:
    registry = filled() if position != "child" else indexed()
    repository = registry.repository("team/app")
    if position == "layer":
        layer = {"mediaType": SPEC_TYPE, "digest": digest, "size": len(SPEC)}
        newest = "2026-04-01T00:00:00Z"
        repository.attach(
            subject(registry), SPEC, created=newest, changes={"layers": [layer]}
        )
    elif position == "referrer":
        (one,) = repository.referrers(repository.tags["1"])
        changed = {**one, "digest": digest}
        page = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [changed]}
        registry.faults["referrers"] = faults.body(encode(page))
    else:
        child = {"mediaType": MANIFEST_TYPE, "digest": digest, "size": 1}
        repository.tag(repository.index([("amd64", child)]), "1")
    async with registry.serving():
        found = part(await outcome(registry))
    assert isinstance(found, Invalid)
    assert not any(digest and digest in one.path for one in registry.log)
    assert not any(".." in one.path or "passwd" in one.path for one in registry.log)


@pytest.mark.parametrize("is_right", [True, False])
async def test_sha512_is_verified_like_sha256(is_right: bool) -> None:
    registry = filled()
    repository = registry.repository("team/app")
    digest = digest_of(SPEC if is_right else b"", "sha512")
    repository.blobs[digest] = SPEC
    layer = {"mediaType": SPEC_TYPE, "digest": digest, "size": len(SPEC)}
    repository.attach(
        subject(registry),
        SPEC,
        created="2026-04-01T00:00:00Z",
        changes={"layers": [layer]},
    )
    async with registry.serving():
        found = await outcome(registry)
    assert ("Found" if is_right else "Invalid DigestMismatch") == word(found)


# (5) Pages ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "link",
    [
        pytest.param('<{path}>; rel="next"', id="itself"),
        pytest.param('<http://evil.example{path}&n=1>; rel="next"', id="host"),
        pytest.param('<https://{host}{path}&n=1>; rel="next"', id="scheme"),
        pytest.param('<http://127.0.0.1:1{path}&n=1>; rel="next"', id="port"),
        pytest.param('<//evil.example{path}>; rel="next"', id="without-scheme"),
        pytest.param('<http://u:p@{host}{path}&n=1>; rel="next"', id="user"),
        pytest.param('</v2/team/other/referrers/x>; rel="next"', id="repository"),
        pytest.param('</v2/team/app/manifests/1>; rel="next"', id="kind"),
        pytest.param('<../../../token>; rel="next"', id="upwards"),
        pytest.param('<file:///etc/passwd>; rel="next"', id="file"),
        pytest.param('<http://[::1>; rel="next"', id="no-address"),
    ],
)
async def test_a_page_elsewhere_is_not_read(link: str) -> None:
    async def fault(request: web.Request, reply: Reply) -> Reply:
        value = link.format(path=request.path_qs, host=request.host)
        return Reply(reply.status, {**reply.headers, "Link": value}, reply.body)

    registry = filled()
    registry.faults["referrers"] = fault
    async with registry.serving():
        assert "Unavailable BadLink" == word(await outcome(registry))
    assert {"resolve", "referrers"} == set(registry.asked())
    assert registry.asked().count("referrers") <= 2


async def test_pages_without_end_are_read_up_to_the_limit() -> None:
    """Those of the whole list, and those of the filtered one."""
    registry = filled()
    registry.faults["referrers"] = faults.endless_pages
    async with registry.serving():
        assert "Unavailable TooManyReferrers" == word(await outcome(registry))
    assert 2 * Limits().pages == registry.asked().count("referrers")


async def test_two_pages_that_link_to_each_other_are_read_once() -> None:
    async def fault(request: web.Request, reply: Reply) -> Reply:
        at = "2" if request.query.get("page") == "1" else "1"
        link = f'<{request.rel_url.update_query({"page": at})}>; rel="next"'
        return Reply(reply.status, {**reply.headers, "Link": link}, reply.body)

    registry = filled()
    registry.faults["referrers"] = fault
    async with registry.serving():
        assert "Unavailable BadLink" == word(await outcome(registry))
    assert 3 == registry.asked().count("referrers")


# (12) JSON ---------------------------------------------------------------------------

DEEP = b'{"a":' * 50_000
JSON = [
    pytest.param(DEEP, id="deep-object"),
    pytest.param(b"[" * 100_000, id="deep-list"),
    pytest.param(b'{"schemaVersion": NaN}', id="nan"),
    pytest.param(b'{"schemaVersion": Infinity}', id="infinity"),
    pytest.param(b'{"manifests": {}, "layers": {}, "token": 1}', id="wrong-types"),
    pytest.param(b'{"manifests": [1], "layers": [1], "token": []}', id="wrong-items"),
    pytest.param(b"\xff\xfe{}", id="no-utf-8"),
    pytest.param(b'{"mediaType": "\\ud800", "token": "\\ud800"}', id="half-a-pair"),
    pytest.param(b"null", id="null"),
    pytest.param(b"", id="empty"),
    pytest.param(b"1" * 10_000, id="huge-number"),
    pytest.param(b"{} {}", id="two-values"),
]


@pytest.mark.parametrize("body", JSON)
@pytest.mark.parametrize("kind", ["referrers", "token"])
async def test_nonsense_of_a_registry_is_its_own_fault(kind: str, body: bytes) -> None:
    registry = filled(auth=Bearer())
    registry.faults[kind] = faults.body(body)
    async with registry.serving():
        found = part(await outcome(registry))
    assert isinstance(found, Unavailable)


@pytest.mark.parametrize("body", JSON)
@pytest.mark.parametrize("position", ["image", "child", "artifact"])
async def test_nonsense_of_an_author_is_invalid(position: str, body: bytes) -> None:
    """The digest is right: that is what was pushed."""
    registry = filled() if position == "artifact" else indexed()
    repository = registry.repository("team/app")
    digest = digest_of(body)
    repository.blobs[digest] = body
    kind = INDEX_TYPE if position == "image" else MANIFEST_TYPE
    repository.types[digest] = kind
    descriptor = {"mediaType": kind, "digest": digest, "size": len(body)}
    if position == "artifact":
        repository.subjects[digest] = repository.tags["1"]
        repository.listed[-1] = {**repository.listed[-1], **descriptor}
    elif position == "image":
        repository.tag(descriptor, "1")
    else:
        kind = repository.types[digest] = INDEX_TYPE
        nested = {**descriptor, "mediaType": kind}
        value = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [nested]}
        repository.tag(repository.manifest(INDEX_TYPE, value), "1")
    async with registry.serving():
        found = part(await outcome(registry))
    assert isinstance(found, Invalid)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param([], id="list"),
        pytest.param("sha256:0", id="text"),
        pytest.param([{"digest": OTHER}], id="list-of-one"),
        pytest.param(1, id="number"),
    ],
)
async def test_a_subject_is_one_descriptor(wrong: object) -> None:
    registry = filled()
    registry.repository("team/app").attach(
        subject(registry),
        SPEC,
        created="2026-04-01T00:00:00Z",
        changes={"subject": wrong},
    )
    async with registry.serving():
        assert isinstance(part(await outcome(registry)), Invalid)


async def test_of_keys_that_stand_twice_the_last_counts_for_everybody() -> None:
    """As in Go, so that no other reader sees another subject."""
    registry = filled()
    repository = registry.repository("team/app")
    (artifact,) = repository.subjects
    manifest = json.loads(repository.blobs[artifact])
    text = encode(manifest)
    own = encode(manifest["subject"])
    foreign = encode({**manifest["subject"], "digest": OTHER})
    for first, last, expected in ((foreign, own, Found), (own, foreign, Missing)):
        both = b'"subject":' + first + b',"subject":' + last
        body = text.replace(b'"subject":' + own, both)
        digest = digest_of(body)
        repository.blobs[digest], repository.types[digest] = body, MANIFEST_TYPE
        repository.subjects = {digest: repository.tags["1"]}
        repository.listed[-1] = {
            **repository.listed[-1],
            "digest": digest,
            "size": len(body),
        }
        async with registry.serving():
            assert isinstance(part(await outcome(registry)), expected)


# (14) Foreign artifacts --------------------------------------------------------------


async def test_an_artifact_of_another_image_does_not_count() -> None:
    """The registry lists it; its manifest says whose it is."""
    registry = filled()
    repository = registry.repository("team/app")
    foreign = repository.attach(
        {**subject(registry), "digest": OTHER},
        b"foreign",
        created="2030-01-01T00:00:00Z",
    )
    repository.subjects[str(foreign["digest"])] = repository.tags["1"]
    async with registry.serving():
        assert SPEC == content(await outcome(registry))


async def test_an_artifact_that_another_repository_has_does_not_count() -> None:
    """What is listed here must be here: the other one's rights are its own."""
    registry = filled()
    other = registry.repository("team/other")
    foreign = other.attach(
        subject(registry), b"foreign", created="2030-01-01T00:00:00Z"
    )
    repository = registry.repository("team/app")
    repository.listed.append({**other.listed[-1]})
    repository.subjects[str(foreign["digest"])] = repository.tags["1"]
    async with registry.serving():
        assert SPEC == content(await outcome(registry))
    assert not any("team/other" in one.path for one in registry.log)


async def test_a_date_far_away_counts_as_for_nfd() -> None:
    registry = filled()
    registry.repository("team/app").attach(
        subject(registry), b"pinned", created="9999-12-31T23:59:59Z"
    )
    async with registry.serving():
        assert b"pinned" == content(await outcome(registry))


@pytest.mark.parametrize("page", [None, 1000], ids=["one-page", "pages"])
async def test_ten_thousand_attachments_are_no_answer(page: int | None) -> None:
    """Neither the first ones nor none: we cannot know which one counts."""
    registry = filled()
    registry.api = Api(page_descriptors=page)
    repository = registry.repository("team/app")
    (one,) = repository.referrers(repository.tags["1"])
    for number in range(10_000):
        digest = f"sha256:{number:064x}"
        repository.subjects[digest] = repository.tags["1"]
        repository.listed.append({**one, "digest": digest})
    async with registry.serving():
        found = part(await outcome(registry))
    assert isinstance(found, Unavailable)
    assert found.reason in {"TooManyReferrers", "TooLarge"}


async def test_a_newest_one_that_is_gone_is_no_way_to_hide_the_next() -> None:
    registry = filled()
    repository = registry.repository("team/app")
    gone = repository.attach(subject(registry), b"gone", created="2030-01-01T00:00:00Z")
    del repository.blobs[str(gone["digest"])], repository.types[str(gone["digest"])]
    async with registry.serving():
        assert SPEC == content(await outcome(registry))


async def test_a_broken_newest_one_is_no_step_back() -> None:
    registry = filled()
    registry.repository("team/app").attach(
        subject(registry),
        b"broken",
        created="2030-01-01T00:00:00Z",
        changes={"layers": []},
    )
    async with registry.serving():
        assert "Invalid InvalidArtifact" == word(await outcome(registry))


async def test_a_child_that_claims_both_platforms_is_one_for_each() -> None:
    """An index may list one manifest twice; it is asked for once."""
    registry = indexed()
    repository = registry.repository("team/app")
    image = repository.image("amd64", "x")
    index = repository.index([("amd64", image), ("arm64", image)])
    repository.tag(index, "1")
    repository.attach(image, SPEC, created=DATE)
    async with registry.serving(), reading(registry) as artifacts:
        found = await look(artifacts, app(registry), AMD64, ARM64)
    assert SPEC == content(found, AMD64) == content(found, ARM64)
    assert 1 == registry.asked().count("blob")


# (17) Paths --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "title", ["../../../../tmp/x", "/etc/passwd", "..\\x", "a\x00b", "x" * 5000]
)
async def test_a_title_is_nothing_to_us(
    title: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    registry = filled()
    registry.repository("team/app").attach(
        subject(registry), SPEC, created="2030-01-01T00:00:00Z", title=title
    )
    async with registry.serving():
        assert SPEC == content(await outcome(registry))
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["type", "title"])
async def test_an_artifact_s_type_must_be_ours_to_the_letter(name: str) -> None:
    registry = filled()
    kind = ARTIFACT_TYPE.title() if name == "title" else f"{ARTIFACT_TYPE}; x=1"
    registry.api = Api(filtered=False)
    registry.repository("team/app").attach(
        subject(registry),
        b"other",
        created="2030-01-01T00:00:00Z",
        changes={"artifactType": kind},
    )
    async with registry.serving():
        assert SPEC == content(await outcome(registry))
