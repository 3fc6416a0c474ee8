"""The distribution API, answer by answer."""

import pytest

from app.errors import RegistryError
from app.oci.failure import LookupFailedError, NotThereError, TooLargeError
from app.oci.images.digest import Digest
from app.oci.images.manifests import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
)
from app.oci.images.source import Root
from app.oci.limits import Limits
from app.oci.registry.transport import Answer, Request
from app.ports import ImageNotFound, Invalid, Unauthorized, Unavailable
from tests.tools.answers import (
    API,
    BASE,
    DIGEST,
    DIGESTED,
    FILTERED,
    GET,
    HEAD,
    HOST,
    INDEX,
    MANIFEST,
    SCOPE,
    TAG,
    TOKEN,
    Table,
    Time,
    answer,
    challenged,
    descriptor,
    listed,
    shared,
    source,
)

# Resolving -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST]
)
async def test_one_head_resolves_a_tag(kind: str) -> None:
    table = Table({HEAD: answer(kind=kind, headers=DIGESTED)})
    assert Root(DIGEST, kind) == await source(table).resolve()
    assert [HEAD] == table.urls()


async def test_every_type_of_manifest_is_accepted() -> None:
    """Else some registries convert, or answer 404."""
    table = Table({HEAD: answer(headers=DIGESTED)})
    await source(table).resolve()
    accepted = set(table.asked[0].headers["Accept"].split(", "))
    assert {OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST} == accepted


async def test_parameters_of_a_content_type_do_not_count() -> None:
    kind = f"{OCI_INDEX.upper()} ; charset=utf-8"
    table = Table({HEAD: answer(kind=kind, headers=DIGESTED)})
    assert OCI_INDEX == (await source(table).resolve()).media_type


async def test_a_digest_that_was_asked_for_is_not_replaced_by_a_header() -> None:
    url = f"{BASE}/manifests/{DIGEST}"
    other = {"docker-content-digest": str(Digest.of(b"other"))}
    table = Table({url: answer(headers=other)})
    found = await source(table, f"{HOST}/org/app:1@{DIGEST}").resolve()
    assert Root(DIGEST, OCI_MANIFEST) == found


@pytest.mark.parametrize(
    "head",
    [
        pytest.param(answer(), id="no-digest"),
        pytest.param(
            answer(headers={"docker-content-digest": "sha256:../../x"}), id="bad-digest"
        ),
        pytest.param(Answer(200, {"docker-content-digest": str(DIGEST)}), id="no-type"),
        pytest.param(
            answer(kind="text/plain", headers=DIGESTED), id="type-of-no-manifest"
        ),
        pytest.param(Answer(405), id="no-head"),
        pytest.param(Answer(501), id="not-implemented"),
        pytest.param(Answer(400), id="bad-request"),
    ],
)
async def test_a_get_resolves_where_head_does_not(head: Answer) -> None:
    table = Table({HEAD: head, GET: answer(MANIFEST)})
    assert Root(DIGEST, OCI_MANIFEST) == await source(table).resolve()
    assert [HEAD, GET] == table.urls()


SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"


async def test_docker_schema_1_is_known_by_its_type() -> None:
    """Its digest leaves the signatures out, so that the bytes have another."""
    table = Table({HEAD: answer(kind=SCHEMA_1, headers=DIGESTED)})
    assert Root(DIGEST, SCHEMA_1) == await source(table).resolve()
    assert [HEAD] == table.urls()


@pytest.mark.parametrize("headers", [DIGESTED, {}])
async def test_docker_schema_1_is_known_without_head(headers: dict[str, str]) -> None:
    signed = answer(b"signed", kind=SCHEMA_1, headers=headers)
    table = Table({HEAD: Answer(405), GET: signed})
    digest = DIGEST if headers else Digest.of(b"signed")
    assert Root(digest, SCHEMA_1) == await source(table).resolve()


@pytest.mark.parametrize(
    ("body", "said", "expected"),
    [
        pytest.param(INDEX, "application/json", OCI_INDEX, id="its-own"),
        pytest.param(b'{"manifests": []}', OCI_INDEX, OCI_INDEX, id="as-said"),
        pytest.param(b'{"manifests": []}', "text/plain", OCI_INDEX, id="by-shape"),
        pytest.param(b'{"layers": [],"config":{}}', "", OCI_MANIFEST, id="by-shape-2"),
    ],
)
async def test_content_tells_what_it_is(body: bytes, said: str, expected: str) -> None:
    table = Table({HEAD: Answer(405), GET: answer(body, said)})
    assert Root(Digest.of(body), expected) == await source(table).resolve()


async def test_content_that_was_got_for_a_digest_must_have_it() -> None:
    url = f"{BASE}/manifests/{DIGEST}"
    table = Table({f"HEAD {url}": Answer(405), f"GET {url}": answer(b"other")})
    with pytest.raises(LookupFailedError) as caught:
        await source(table, f"{HOST}/org/app@{DIGEST}").resolve()
    assert isinstance(caught.value.outcome, Invalid)
    assert "DigestMismatch" == caught.value.reason


@pytest.mark.parametrize("url", [GET, TAG])
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param({}, "BadAnswer", id="unverified"),
        pytest.param(
            {"docker-content-digest": str(Digest.of(b"<html>"))},
            "InvalidManifest",
            id="verified",
        ),
    ],
)
async def test_a_page_for_people_is_the_registrys_unless_it_was_pushed(
    url: str, headers: dict[str, str], expected: str
) -> None:
    page = answer(b"<html>", "text/html", headers)
    table = Table({HEAD: Answer(405), url: page})
    asking = source(table).resolve() if url == GET else source(table).referrers(DIGEST)
    with pytest.raises(RegistryError) as caught:
        await asking
    assert expected == caught.value.reason


async def test_a_body_must_have_the_digest_that_its_header_says() -> None:
    table = Table({HEAD: Answer(405), GET: answer(INDEX, OCI_INDEX, DIGESTED)})
    with pytest.raises(LookupFailedError, match="another hash"):
        await source(table).resolve()


# What an answer means ----------------------------------------------------------------

HIDDEN = f"{HOST} has no such image, or hides it"
STATUSES = [
    pytest.param(404, ImageNotFound(HIDDEN), id="404"),
    pytest.param(429, Unavailable("TooManyRequests", f"{HOST} answered 429"), id="429"),
    pytest.param(500, Unavailable("ServerError", f"{HOST} answered 500"), id="500"),
    pytest.param(502, Unavailable("ServerError", f"{HOST} answered 502"), id="502"),
    pytest.param(503, Unavailable("ServerError", f"{HOST} answered 503"), id="503"),
    pytest.param(504, Unavailable("ServerError", f"{HOST} answered 504"), id="504"),
    pytest.param(418, Unavailable("BadAnswer", f"{HOST} answered 418"), id="418"),
    pytest.param(204, Unavailable("BadAnswer", f"{HOST} answered 204"), id="204"),
    pytest.param(206, Unavailable("BadAnswer", f"{HOST} answered 206"), id="206"),
    pytest.param(
        401, Unauthorized(f"{HOST} wants a credential that we do not have"), id="401"
    ),
    pytest.param(
        403, Unauthorized(f"{HOST} wants a credential that we do not have"), id="403"
    ),
]


@pytest.mark.parametrize(("status", "expected"), STATUSES)
async def test_what_a_status_means_for_an_image(status: int, expected: object) -> None:
    table = Table({HEAD: Answer(status)})
    with pytest.raises(LookupFailedError) as caught:
        await source(table).resolve()
    assert expected == caught.value.outcome


@pytest.mark.parametrize(("status", "expected"), STATUSES[1:])
@pytest.mark.parametrize("what", ["manifest", "blob"])
async def test_what_a_status_means_for_content(
    what: str, status: int, expected: object
) -> None:
    table = Table({f"{BASE}/{what}s/{DIGEST}": Answer(status)})
    with pytest.raises(LookupFailedError) as caught:
        await getattr(source(table), what)(DIGEST, most_bytes=100)
    assert expected == caught.value.outcome


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *STATUSES[1:],
        (400, Unavailable("BadAnswer", f"{HOST} answered 400")),
    ],
)
async def test_what_a_status_means_for_referrers(status: int, expected: object) -> None:
    """These do not say that there is no such API, nor does 400: no tag is asked."""
    table = Table({API: Answer(status)})
    with pytest.raises(LookupFailedError) as caught:
        await source(table).referrers(DIGEST)
    assert expected == caught.value.outcome
    assert [f"GET {API}"] == table.urls()


@pytest.mark.parametrize(("status", "expected"), STATUSES[1:])
async def test_what_a_status_means_for_the_fallback_tag(
    status: int, expected: object
) -> None:
    table = Table({TAG: Answer(status)})
    with pytest.raises(LookupFailedError) as caught:
        await source(table).referrers(DIGEST)
    assert expected == caught.value.outcome


@pytest.mark.parametrize("what", ["manifest", "blob"])
async def test_content_that_is_not_there_is_told_apart(what: str) -> None:
    with pytest.raises(NotThereError):
        await getattr(source(Table()), what)(DIGEST, most_bytes=100)


@pytest.mark.parametrize("what", ["manifest", "blob"])
async def test_content_is_asked_for_by_its_digest_and_checked(what: str) -> None:
    url = f"{BASE}/{what}s/{DIGEST}"
    table = Table({url: answer(MANIFEST)})
    assert MANIFEST == await getattr(source(table), what)(DIGEST, most_bytes=100)
    assert [100] == [one.most_bytes for one in table.asked]
    table.answers[url] = answer(MANIFEST + b" ")
    with pytest.raises(LookupFailedError) as caught:
        await getattr(source(table), what)(DIGEST, most_bytes=100)
    assert isinstance(caught.value.outcome, Invalid)


async def test_content_that_is_too_large_is_the_authors_fault() -> None:
    table = Table({f"{BASE}/blobs/{DIGEST}": TooLargeError("more than 5 bytes")})
    with pytest.raises(LookupFailedError) as caught:
        await source(table).blob(DIGEST, most_bytes=5)
    assert Invalid("TooLarge", "more than 5 bytes") == caught.value.outcome


@pytest.mark.parametrize("url", [API, TAG, TOKEN])
async def test_what_a_registry_makes_itself_is_the_registrys_fault(url: str) -> None:
    table = Table({url: TooLargeError("more than 5 bytes")})
    if url == TOKEN:
        table.answers = {f"{TOKEN}?{SCOPE}": table.answers[TOKEN], API: challenged()}
    with pytest.raises(LookupFailedError) as caught:
        await source(table).referrers(DIGEST)
    assert Unavailable("TooLarge", "more than 5 bytes") == caught.value.outcome


# Referrers ---------------------------------------------------------------------------


async def test_the_api_is_asked_for_all_that_refers() -> None:
    """A filter would be applied to another type by some (Harbor before 2.11)."""
    table = Table({API: listed(descriptor(1))})
    (found,) = await source(table).referrers(DIGEST)
    assert descriptor(1)["digest"] == found.digest
    assert [f"GET {API}"] == table.urls()


@pytest.mark.parametrize(
    "whole",
    [
        pytest.param(listed(*map(descriptor, range(257))), id="descriptors"),
        pytest.param(TooLargeError("too much"), id="bytes"),
        pytest.param(
            listed(descriptor(1), link=f'<{API}?p=2>; rel="next"'), id="pages"
        ),
    ],
)
async def test_a_list_that_is_too_long_is_asked_for_with_the_type_as_a_filter(
    whole: Answer | LookupFailedError,
) -> None:
    table = Table({API: whole, FILTERED: listed(descriptor(1))})
    table.answers[f"{API}?p=2"] = whole
    one = source(table, by=shared(table, limits=Limits(retries=0, pages=1)))
    (found,) = await one.referrers(DIGEST)
    assert descriptor(1)["digest"] == found.digest
    assert [f"GET {API}", f"GET {FILTERED}"] == table.urls()


async def test_another_failure_is_not_asked_again() -> None:
    table = Table({API: Answer(500), FILTERED: listed()})
    with pytest.raises(LookupFailedError, match="500"):
        await source(table).referrers(DIGEST)


async def test_an_api_that_lists_nothing_has_answered() -> None:
    table = Table({API: listed(), TAG: listed(descriptor(1))})
    assert [] == list(await source(table).referrers(DIGEST))
    assert [f"GET {API}"] == table.urls()


@pytest.mark.parametrize(
    "api",
    [
        pytest.param(Answer(404), id="404"),
        pytest.param(
            answer(b'{"errors":[{"code":"NAME_UNKNOWN"}]}', status=404), id="unknown"
        ),
        pytest.param(answer(b"<html>", "text/html"), id="page-for-people"),
        pytest.param(Answer(405), id="405"),
        pytest.param(Answer(406), id="artifactory"),
        pytest.param(Answer(501), id="501"),
    ],
)
async def test_a_tag_is_asked_where_there_is_no_api(api: Answer) -> None:
    table = Table({API: api, TAG: listed(descriptor(1))})
    (found,) = await source(table).referrers(DIGEST)
    assert descriptor(1)["digest"] == found.digest
    assert [f"GET {API}", f"GET {TAG}"] == table.urls()


async def test_a_missing_api_is_believed_for_ten_minutes() -> None:
    time, table = Time(), Table({TAG: listed()})
    by = shared(table, clock=time)
    await source(table, by=by).referrers(DIGEST)
    await source(table, by=by).referrers(DIGEST)
    time.now += 599
    await source(table, by=by).referrers(DIGEST)
    assert 1 == table.urls().count(f"GET {API}")
    time.now += 1
    await source(table, by=by).referrers(DIGEST)
    assert 2 == table.urls().count(f"GET {API}")


@pytest.mark.parametrize(
    "tag",
    [
        pytest.param(Answer(404), id="404"),
        pytest.param(answer(MANIFEST), id="an-image"),
        pytest.param(listed(), id="an-empty-index"),
        pytest.param(answer(b'{"mediaType": "x/y"}', "x/y"), id="something-else"),
    ],
)
async def test_a_tag_without_a_list_means_that_there_is_none(tag: Answer) -> None:
    assert [] == list(await source(Table({TAG: tag})).referrers(DIGEST))


async def test_the_subject_under_its_own_fallback_tag_is_no_list() -> None:
    """GitLab takes `sha256-...` for the digest itself."""
    content = listed(descriptor(1)).body
    subject = Digest.of(content)
    url = f"{BASE}/manifests/{subject.fallback_tag}"
    table = Table({url: answer(content, OCI_INDEX)})
    assert [] == list(await source(table).referrers(subject))


@pytest.mark.parametrize("url", [API, TAG])
async def test_as_many_descriptors_as_the_limit_are_read(url: str) -> None:
    limits = Limits(descriptors=3)
    table = Table({url: listed(*map(descriptor, range(3)))})
    by = shared(table, limits=limits)
    assert 3 == len(await source(table, by=by).referrers(DIGEST))
    table.answers[url] = listed(*map(descriptor, range(4)))
    with pytest.raises(LookupFailedError) as caught:
        await source(table, by=shared(table, limits=limits)).referrers(DIGEST)
    assert isinstance(caught.value.outcome, Unavailable)
    assert "TooManyReferrers" == caught.value.reason


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"[" * 5000, b"\xff"])
async def test_a_page_that_is_no_index_is_the_registrys_fault(body: bytes) -> None:
    table = Table({API: answer(body, OCI_INDEX)})
    with pytest.raises(LookupFailedError) as caught:
        await source(table).referrers(DIGEST)
    assert isinstance(caught.value.outcome, Unavailable)


async def test_a_later_page_of_another_kind_does_not_fall_back() -> None:
    link = f'<{API}?page=2>; rel="next"'
    table = Table({API: listed(link=link), f"{API}?page=2": answer(b"", "text/html")})
    with pytest.raises(LookupFailedError) as caught:
        await source(table).referrers(DIGEST)
    assert "BadAnswer" == caught.value.reason


@pytest.mark.parametrize(
    "link",
    [
        pytest.param(f'<{API}?page=2>; rel="next"', id="absolute"),
        pytest.param(f"<{API}?page=2>; rel=next", id="bare"),
        pytest.param(
            f'<{API[len("https://r.example") :]}?page=2>;rel="next"', id="path"
        ),
        pytest.param('<?page=2>; rel="next"', id="query"),
        pytest.param(f'<{API}?page=2>; title="x"; rel="next"', id="parameters"),
        pytest.param(f'</x>; rel="prev", <{API}?page=2>; rel="next"', id="second"),
    ],
)
async def test_pages_are_followed(link: str) -> None:
    second = f"{API}?page=2"
    table = Table(
        {API: listed(descriptor(1), link=link), second: listed(descriptor(2))}
    )
    found = await source(table).referrers(DIGEST)
    assert [descriptor(1)["digest"], descriptor(2)["digest"]] == [
        one.digest for one in found
    ]


@pytest.mark.parametrize(
    "link",
    [
        pytest.param('</x>; rel="prev"', id="another-relation"),
        pytest.param("</x>; rel=nextpage", id="longer-relation"),
        pytest.param("nonsense", id="nonsense"),
        pytest.param("<" * 100_000, id="hostile"),
        pytest.param("<>;" * 30_000, id="hostile-parameters"),
    ],
)
async def test_what_links_to_no_next_page_ends_the_list(link: str) -> None:
    table = Table({API: listed(descriptor(1), link=link)})
    assert 1 == len(await source(table).referrers(DIGEST))


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(API, id="itself"),
        pytest.param(API.replace(HOST, "evil.example"), id="another-host"),
        pytest.param(API.replace("https:", "http:"), id="plain-http"),
        pytest.param(API.replace(HOST, f"{HOST}:8443"), id="another-port"),
        pytest.param(API.replace("org/app", "org/other"), id="another-repository"),
        pytest.param(API.replace(str(DIGEST), "sha256:x"), id="another-subject"),
        pytest.param(API.replace(HOST, f"{HOST}@evil.example"), id="user"),
        pytest.param("//evil.example/x", id="no-scheme"),
        pytest.param("https://[x/", id="no-url"),
    ],
)
async def test_a_link_to_elsewhere_is_not_followed(target: str) -> None:
    table = Table({API: listed(link=f'<{target}>; rel="next"')})
    with pytest.raises(LookupFailedError) as caught:
        await source(table).referrers(DIGEST)
    assert isinstance(caught.value.outcome, Unavailable)
    assert "BadLink" == caught.value.reason
    assert [f"GET {API}"] == table.urls()


@pytest.mark.parametrize("pages", [3, 4])
async def test_as_many_pages_as_the_limit_are_read(pages: int) -> None:
    def page(request: Request) -> Answer:
        number = int(request.url.partition("?page=")[2] or 1)
        link = f'<{API}?page={number + 1}>; rel="next"'
        return listed(descriptor(number), link=link if number < pages else None)

    table = Table(dict.fromkeys((API, *(f"{API}?page={n}" for n in range(9))), page))
    by = shared(table, limits=Limits(pages=3))
    if pages == 3:
        assert 3 == len(await source(table, by=by).referrers(DIGEST))
        return
    with pytest.raises(LookupFailedError) as caught:
        await source(table, by=by).referrers(DIGEST)
    assert "TooManyReferrers" == caught.value.reason
    assert [f"GET {FILTERED}"] == table.urls()[3:]
