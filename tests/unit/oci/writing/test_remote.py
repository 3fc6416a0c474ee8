"""A repository of a registry, to read and to write."""

from collections.abc import Mapping

import pytest

from app.demo.faults import body, header, status
from app.demo.registry import Bearer, Registry
from app.demo.registry_writing import Writing
from app.oci.credentials import Credential, Entry, Keyring
from app.oci.failure import LookupFailedError
from app.oci.images.digest import Digest
from app.oci.images.manifests import OCI_INDEX, OCI_MANIFEST
from app.oci.registry.transport import Answer, Request
from app.oci.writing.remote import WINDOW_SECONDS
from app.oci.writing.store import Deletion, Edited, Tagged
from tests.tools.writable import HOST, NAME, Memory, World, world

CONTENT = b"what is written"
DIGEST = Digest.of(CONTENT)
BASE = f"/v2/{NAME}"
INDEX = b'{"schemaVersion":2,"mediaType":"%s","manifests":[]}' % OCI_INDEX.encode()
USER, PASSWORD = "author", "canary-7f3a"


def secured() -> World:
    """A registry that asks for a token, and an author who has a credential."""
    made = world()
    made.registry.auth = Bearer({USER: PASSWORD}, is_open=False)
    credential = Credential(USER, PASSWORD)
    made.operator = Keyring.of([Entry.of(HOST, credential)])
    return made


# Blobs ---------------------------------------------------------------------------


async def test_a_blob_is_announced_and_then_sent_as_a_whole(api: World) -> None:
    assert await api.store().put_blob(DIGEST, CONTENT)
    assert CONTENT == api.repository.blobs[str(DIGEST)]
    assert [
        f"HEAD {BASE}/blobs/{DIGEST}",
        f"POST {BASE}/blobs/uploads/",
        f"PUT {BASE}/blobs/uploads/upload-0?state=1&digest={DIGEST}",
    ] == [f"{one.method} {one.path}" for one in api.registry.log]
    assert "application/octet-stream" == api.registry.log[-1].headers["Content-Type"]


async def test_a_blob_that_is_there_is_not_sent(api: World) -> None:
    api.repository.blobs[str(DIGEST)] = CONTENT
    assert not await api.store().put_blob(DIGEST, CONTENT)
    assert [] == api.transport.writes()


async def test_a_blob_that_is_there_by_the_announcement_is_not_sent(
    api: World,
) -> None:
    api.registry.faults["upload"] = status(201)
    assert await api.store().put_blob(DIGEST, CONTENT)
    assert [f"POST {BASE}/blobs/uploads/"] == api.transport.writes()


@pytest.mark.parametrize(
    "location",
    [
        pytest.param("/v2/{name}/blobs/uploads/{upload}", id="a path"),
        pytest.param("{upload}", id="relative"),
        pytest.param(
            f"https://{HOST}/v2/{{name}}/blobs/uploads/{{upload}}#f", id="absolute"
        ),
        pytest.param(
            f"https://{HOST}/v2/other/place/blobs/uploads/{{upload}}?a=b",
            id="another path",
        ),
    ],
)
async def test_a_blob_goes_where_the_registry_says(location: str) -> None:
    made = world(Writing(location=location))
    assert await made.store().put_blob(DIGEST, CONTENT)
    blobs = [one.blobs.get(str(DIGEST)) for one in made.registry.repositories.values()]
    assert CONTENT in blobs


async def test_a_credential_goes_with_the_bytes_to_the_registry_itself() -> None:
    made = secured()
    await made.store().put_blob(DIGEST, CONTENT)
    put = made.registry.log[-1]
    assert "PUT" == put.method
    assert put.authorization.startswith("Bearer ")


async def test_no_credential_goes_to_an_address_elsewhere() -> None:
    made = secured()
    made.writing.location = "https://s.example/v2/x/blobs/uploads/upload-0"
    other = Registry(address="s.example", scheme="https")
    other.handlers |= Writing(uploads={"upload-0"}).handlers()
    made.transport.registries["s.example"] = other
    assert await made.store().put_blob(DIGEST, CONTENT)
    assert [""] == [one.authorization for one in other.log]
    assert CONTENT == other.repository("x").blobs[str(DIGEST)]


@pytest.mark.parametrize(
    ("code", "reason"), [(401, "BadUpload"), (403, "BadUpload"), (307, "Rejected")]
)
async def test_an_address_elsewhere_that_wants_more_is_not_followed(
    code: int, reason: str
) -> None:
    made = secured()
    made.writing.location = "https://s.example/upload"
    other = Registry(faults={"all": status(code, {"Location": "https://t.example/"})})
    made.transport.registries["s.example"] = other
    with pytest.raises(LookupFailedError) as error:
        await made.store().put_blob(DIGEST, CONTENT)
    assert reason == error.value.reason
    assert 1 == len(other.log)


@pytest.mark.parametrize(
    "location",
    [
        "",
        "http://r.example/upload",
        "ftp://r.example/",
        "https://:443/",
        "https://[/",
        "https://author@r.example/upload",
    ],
)
async def test_an_address_that_is_none_or_without_tls_gets_nothing(
    location: str,
) -> None:
    made = world(Writing(location=location))
    with pytest.raises(LookupFailedError) as error:
        await made.store().put_blob(DIGEST, CONTENT)
    assert "BadUpload" == error.value.reason
    assert [f"POST {BASE}/blobs/uploads/"] == made.transport.writes()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (404, "ImageNotFound"),
        (405, "ReadOnly"),
        (413, "TooLarge"),
        (429, "TooManyRequests"),
        (400, "Rejected"),
        (200, "Rejected"),
        (500, "ServerError"),
        (507, "NoSpace"),
        (403, "Unauthorized"),
    ],
)
async def test_a_registry_that_takes_no_upload_says_why(
    api: World, code: int, reason: str
) -> None:
    api.registry.faults["upload"] = status(code)
    with pytest.raises(LookupFailedError) as error:
        await api.store().put_blob(DIGEST, CONTENT)
    assert reason == error.value.reason
    assert "a secret" not in error.value.message


async def test_a_signed_address_stands_in_no_message() -> None:
    made = world(Writing(location=f"https://s.example/upload?signature={PASSWORD}"))
    made.transport.registries["s.example"] = Registry(faults={"all": status(500)})
    with pytest.raises(LookupFailedError) as error:
        await made.store().put_blob(DIGEST, CONTENT)
    assert PASSWORD not in f"{error.value} {error.value.message}"


async def test_each_operation_has_a_deadline_of_its_own(api: World) -> None:
    async def slow(request: Request) -> Answer | None:
        api.clock.now += 20.0 if request.method == "HEAD" else 60.0
        return None

    api.transport.before = slow
    store = api.store()
    with pytest.raises(LookupFailedError, match="no time left") as error:
        await store.put_blob(DIGEST, CONTENT)
    assert "Timeout" == error.value.reason
    assert [60.0, 60.0] == [one.seconds for one in api.transport.asked]
    await store.resolve()
    assert 60.0 == api.transport.asked[-1].seconds


async def test_an_address_elsewhere_has_no_more_time_than_is_left() -> None:
    made = world(Writing(location="https://s.example/upload"))
    made.transport.registries["s.example"] = Registry()

    async def slow(_request: Request) -> Answer | None:
        made.clock.now += 20.0
        return None

    made.transport.before = slow
    with pytest.raises(LookupFailedError):
        await made.store().put_blob(DIGEST, CONTENT)
    assert [60.0, 60.0, 40.0] == [one.seconds for one in made.transport.asked]


async def test_nothing_that_writes_is_sent_twice() -> None:
    made = world()
    made.limits = type(made.limits)(retries=2)
    made.registry.faults["upload"] = status(503)
    with pytest.raises(LookupFailedError):
        await made.store().put_blob(DIGEST, CONTENT)
    assert [f"POST {BASE}/blobs/uploads/"] == made.transport.writes()


async def test_a_blob_that_is_refused_at_the_end_is_not_there(api: World) -> None:
    async def refuse(request: Request) -> Answer | None:
        return Answer(400) if request.method == "PUT" else None

    api.transport.before = refuse
    with pytest.raises(LookupFailedError, match="answered 400 to the blob"):
        await api.store().put_blob(DIGEST, CONTENT)


# Manifests -----------------------------------------------------------------------


def manifest(world: World, **more: object) -> tuple[Digest, bytes]:
    """An artifact's manifest on the image `1`."""
    subject = {"digest": world.repository.tags["1"], "mediaType": OCI_MANIFEST}
    descriptor = world.repository.manifest(OCI_MANIFEST, {"subject": subject, **more})
    content = world.repository.blobs.pop(str(descriptor["digest"]))
    del world.repository.types[str(descriptor["digest"])]
    return Digest.of(content), content


@pytest.mark.parametrize("subjects", [True, False])
async def test_a_manifest_is_listed_if_the_registry_says_so(subjects: bool) -> None:
    made = world(Writing(subjects=subjects))
    digest, content = manifest(made)
    pushed = await made.store().put_manifest(digest, content, OCI_MANIFEST)
    assert subjects == pushed.is_listed
    assert digest == pushed.digest
    assert content == made.repository.blobs[str(digest)]
    assert [f"PUT {BASE}/manifests/{digest}"] == made.transport.writes()


async def test_a_registry_that_names_another_subject_does_not_list_it(
    api: World,
) -> None:
    digest, content = manifest(api)
    api.registry.faults["manifest"] = header("OCI-Subject", str(DIGEST))
    pushed = await api.store().put_manifest(digest, content, OCI_MANIFEST)
    assert not pushed.is_listed


async def test_a_manifest_that_is_refused_is_an_error(api: World) -> None:
    digest, content = manifest(api, layers=[{"digest": "sha256:none"}])
    with pytest.raises(LookupFailedError, match="answered 400 to the manifest"):
        await api.store().put_manifest(digest, content, OCI_MANIFEST)


async def test_a_manifest_under_another_digest_is_an_error(api: World) -> None:
    digest, content = manifest(api)
    other = str(Digest.of(b"other"))
    api.registry.faults["manifest"] = header("Docker-Content-Digest", other)
    with pytest.raises(LookupFailedError) as error:
        await api.store().put_manifest(digest, content, OCI_MANIFEST)
    assert "DigestMismatch" == error.value.reason


async def test_a_manifest_is_there_or_not(api: World) -> None:
    there = Digest.parse(api.repository.tags["1"])
    assert there is not None
    for head in (True, False):
        api.registry.api = type(api.registry.api)(head=head)
        assert await api.store().has(there)
        assert not await api.store().has(DIGEST)


async def test_a_registry_names_nothing_more_of_an_image(api: World) -> None:
    assert {} == await api.store().described(DIGEST)


# Deleting ------------------------------------------------------------------------


async def test_a_manifest_is_deleted_and_then_missing(api: World) -> None:
    digest, content = manifest(api)
    store = api.store()
    await store.put_manifest(digest, content, OCI_MANIFEST)
    assert Deletion.DELETED is await store.delete_manifest(digest)
    assert Deletion.MISSING is await store.delete_manifest(digest)


@pytest.mark.parametrize("code", [400, 405, 501])
async def test_a_registry_may_forbid_deleting(api: World, code: int) -> None:
    api.registry.faults["manifest"] = status(code)
    assert Deletion.FORBIDDEN is await api.store().delete_manifest(DIGEST)


@pytest.mark.parametrize(
    ("code", "reason", "text"),
    [
        (401, "Unauthorized", "lets none of our credentials delete"),
        (500, "ServerError", "answered 500 to the deletion"),
    ],
)
async def test_a_deletion_may_fail(
    api: World, code: int, reason: str, text: str
) -> None:
    api.registry.faults["manifest"] = status(code)
    with pytest.raises(LookupFailedError, match=text) as error:
        await api.store().delete_manifest(DIGEST)
    assert reason == error.value.reason


async def test_a_deletion_may_fail_on_the_way(api: World) -> None:
    api.transport.registries.clear()
    with pytest.raises(LookupFailedError) as error:
        await api.store().delete_manifest(DIGEST)
    assert "NoSuchHost" == error.value.reason


async def test_each_operation_asks_for_the_rights_that_it_needs() -> None:
    made = secured()
    digest, content = manifest(made)
    store = made.store()
    await store.resolve()
    await store.put_manifest(digest, content, OCI_MANIFEST)
    await store.delete_manifest(digest)
    auth = made.registry.auth
    assert isinstance(auth, Bearer)
    assert [{"pull"}, {"pull", "push"}, {"pull", "push", "delete"}] == [
        set(one) for one in auth.granted.values()
    ]


# Tags ----------------------------------------------------------------------------


async def test_a_tag_that_is_not_there_is_made(api: World) -> None:
    seen: list[Tagged | None] = []

    def edit(before: Tagged | None) -> bytes | None:
        seen.append(before)
        return INDEX

    store = api.store()
    assert Edited.WRITTEN is await store.edit_tag("t", edit, most_bytes=1000)
    assert INDEX == api.repository.blobs[api.repository.tags["t"]]
    assert [None] == seen
    assert Tagged(INDEX, OCI_INDEX) == await store.tagged("t", most_bytes=1000)
    assert None is await store.tagged("u", most_bytes=1000)


async def test_a_tag_may_stay_as_it_is(api: World) -> None:
    edited = await api.store().edit_tag("t", lambda _: None, most_bytes=1000)
    assert Edited.UNCHANGED is edited
    assert [] == api.transport.writes()


@pytest.mark.parametrize(
    ("etag", "match"),
    [
        pytest.param('"v1"', '"v1"', id="strong"),
        pytest.param('W/"v1"', None, id="a weak one never matches"),
        pytest.param(None, None, id="none"),
    ],
)
async def test_a_version_is_asked_for_if_the_registry_names_one(
    api: World, etag: str | None, match: str | None
) -> None:
    store = api.store()
    await store.edit_tag("t", lambda _: INDEX, most_bytes=1000)
    api.registry.faults["manifest"] = header("ETag", etag)
    await store.edit_tag("t", lambda _: INDEX + b" ", most_bytes=1000)
    assert match == api.registry.log[-1].headers.get("If-Match")


async def test_a_tag_that_has_moved_in_between_is_left_alone() -> None:
    made = world(Writing(versions=True))
    store = made.store()
    await store.edit_tag("t", lambda _: INDEX, most_bytes=1000)

    def edit(_before: Tagged | None) -> bytes | None:
        made.repository.tags["t"] = made.repository.tags["1"]
        return INDEX + b" "

    assert Edited.OVERTAKEN is await store.edit_tag("t", edit, most_bytes=1000)
    assert made.repository.tags["1"] == made.repository.tags["t"]


@pytest.mark.parametrize(
    ("late", "edited"),
    [
        pytest.param(WINDOW_SECONDS - 0.001, Edited.WRITTEN, id="in time"),
        pytest.param(WINDOW_SECONDS, Edited.OVERTAKEN, id="too late"),
    ],
)
async def test_a_tag_is_written_within_its_window_or_not_at_all(
    api: World, late: float, edited: Edited
) -> None:
    def edit(_before: Tagged | None) -> bytes | None:
        api.clock.now += late
        return INDEX

    assert edited is await api.store().edit_tag("t", edit, most_bytes=1000)
    assert (edited is Edited.WRITTEN) == ("t" in api.repository.tags)


@pytest.mark.parametrize(
    ("faults", "reason"),
    [
        pytest.param({"manifest": status(500)}, "ServerError", id="reading"),
        pytest.param({"manifest": body(b"{}")}, "DigestMismatch", id="digest"),
        pytest.param({"all": status(403)}, "Unauthorized", id="refused"),
    ],
)
async def test_a_tag_that_cannot_be_read_is_not_written(
    api: World, faults: Mapping[str, object], reason: str
) -> None:
    await api.store().edit_tag("t", lambda _: INDEX, most_bytes=1000)
    before = dict(api.repository.tags)
    api.registry.faults.update(faults)  # type: ignore[arg-type]
    with pytest.raises(LookupFailedError) as error:
        await api.store().edit_tag("t", lambda _: INDEX + b" ", most_bytes=1000)
    assert reason == error.value.reason
    assert before == api.repository.tags


async def test_a_tag_that_the_registry_refuses_is_an_error(api: World) -> None:
    async def refuse(request: Request) -> Answer | None:
        return Answer(400) if request.method == "PUT" else None

    api.transport.before = refuse
    with pytest.raises(LookupFailedError, match="the list of artifacts"):
        await api.store().edit_tag("t", lambda _: INDEX, most_bytes=1000)


async def test_settling_outlasts_every_window(api: World) -> None:
    started = api.clock.now
    await api.store().settle()
    assert started + WINDOW_SECONDS <= api.clock.now


def test_images_of_one_repository_have_one_place(api: World) -> None:
    one, other = api.store("1"), api.store("multi")
    assert f"{HOST}/{NAME}" == one.place == other.place
    assert f"{HOST}/{NAME}:1" == one.name


def test_no_request_shows_a_credential_or_a_body() -> None:
    headers = {"Authorization": f"Bearer {PASSWORD}"}
    shown = repr(Request("PUT", f"https://{HOST}/", headers, body=PASSWORD.encode()))
    assert PASSWORD not in shown
    assert PASSWORD not in repr(Memory({}))
