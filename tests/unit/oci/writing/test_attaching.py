"""Attaching a spec: what is written, and what is left when that fails."""

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.demo.content import digest_of
from app.demo.faults import status
from app.demo.registry_writing import Writing
from app.errors import RegistryError, SpecError
from app.oci.images import artifact, finding
from app.oci.images.digest import Digest
from app.oci.images.manifests import DOCKER_MANIFEST, OCI_MANIFEST
from app.oci.limits import Limits
from app.oci.writing import attaching
from app.oci.writing.attaching import Attached, Spec
from app.oci.writing.folder import LayoutStore
from app.oci.writing.store import Failed
from app.ports import Found, Missing, Platform, Resolved
from tests.tools.writable import (
    DATE,
    LIMITS,
    OTHER,
    SPEC,
    World,
    attach,
    spec,
    tree,
    world,
)

BY_ORAS = Path(__file__).parent.parent / "data" / "oci-layout-by-oras-1.3.3.tar.gz"


AMD64 = Platform("linux", "amd64")

# As oras -------------------------------------------------------------------------


def by_oras(folder: Path) -> Path:
    """The layout that oras wrote: images, and artifacts on them."""
    with tarfile.open(fileobj=io.BytesIO(BY_ORAS.read_bytes())) as packed:
        packed.extractall(folder, filter="data")
    return folder / "lay"


@pytest.mark.parametrize(
    ("tag", "platform", "digest"),
    [
        pytest.param("single", None, "ec8fe426fa33", id="a manifest"),
        pytest.param("multi", None, "9a16289fbd23", id="an index"),
        pytest.param("multi", "linux/arm64", "435788613acb", id="a platform"),
        pytest.param("multi", "linux/arm64/v8", "435788613acb", id="a variant"),
    ],
)
async def test_an_artifact_is_byte_for_byte_what_oras_writes(
    tmp_path: Path, tag: str, platform: str | None, digest: str
) -> None:
    folder = by_oras(tmp_path)
    before = tree(folder)
    (name,) = (name for name in before if name.startswith(f"blobs/sha256/{digest}"))
    written = json.loads(before[name])
    layer = written["layers"][0]
    one = Spec(
        before[f"blobs/sha256/{layer['digest'][7:]}"],
        layer["annotations"]["org.opencontainers.image.title"],
    )
    created = written["annotations"]["org.opencontainers.image.created"]
    (attached,) = await attaching.attach(
        [LayoutStore(folder, tag, LIMITS)],
        one,
        LIMITS,
        created=created,
        platform=platform,
    )
    assert isinstance(attached, Attached)
    assert before[name] == attached.manifest
    assert f"sha256:{name.rpartition('/')[2]}" == attached.digest
    assert before == tree(folder), "it was there already"


async def test_annotations_are_written_in_the_order_of_their_names(
    api: World,
) -> None:
    more = {"z": "<&>", "a": "1"}
    (attached,) = await attaching.attach(
        [api.store()], spec(), LIMITS, created=DATE, annotations=more
    )
    assert isinstance(attached, Attached)
    assert attached.manifest.endswith(
        b'"annotations":{"a":"1","org.opencontainers.image.created":"%s",'
        rb'"z":"\u003c\u0026\u003e"}}' % DATE.encode()
    )


async def test_a_date_among_the_annotations_wins(api: World) -> None:
    given = {"org.opencontainers.image.created": "2020-01-01T00:00:00Z"}
    (attached,) = await attaching.attach(
        [api.store()], spec(), LIMITS, created=DATE, annotations=given
    )
    assert isinstance(attached, Attached)
    assert "2020-01-01T00:00:00Z" == attached.created


# Where ---------------------------------------------------------------------------


async def found(world: World, wanted: str = "1", platform: Platform = AMD64) -> object:
    """What admission finds."""
    outcome = await finding.find(world.store(wanted), [platform], LIMITS)
    assert isinstance(outcome, Resolved)
    return outcome.platforms[platform]


@pytest.mark.parametrize("has_api", [True, False])
async def test_what_is_attached_is_what_admission_finds(
    api: World, tags: World, has_api: bool
) -> None:
    one = api if has_api else tags
    attached = await attach(one.store())
    assert Found(
        digest=attached.digest,
        subject=one.repository.tags["1"],
        spec_digest=digest_of(SPEC),
        content=SPEC,
        created=DATE,
    ) == await found(one)
    assert has_api is not attached.by_tag
    assert attached.is_done


async def test_it_is_found_where_the_api_does_not_tell_its_type(api: World) -> None:
    """Such registries do not say `OCI-Subject` either, so it is under the tag, too."""
    types = type(api.registry.api.types)
    api.registry.api = type(api.registry.api)(types=types.CONFIG, filtered=False)
    api.writing.subjects = False
    attached = await attach(api.store())
    assert attached.by_tag
    assert isinstance(await found(api), Found)


async def test_of_several_platforms_the_index_is_the_subject(api: World) -> None:
    attached = await attach(api.store("multi"))
    assert api.repository.tags["multi"] == attached.subject
    assert attached.is_index
    assert "" == attached.platform
    for architecture in ("amd64", "arm64"):
        one = await found(api, "multi", Platform("linux", architecture))
        assert isinstance(one, Found)


async def test_one_platform_gets_a_spec_of_its_own(api: World) -> None:
    attached = await attach(api.store("multi"), platform="linux/arm64")
    assert not attached.is_index
    assert "linux/arm64" == attached.platform
    assert isinstance(await found(api, "multi", Platform("linux", "arm64")), Found)
    assert Missing() == await found(api, "multi")


async def test_the_platform_of_a_single_manifest_is_that_of_its_config(
    api: World,
) -> None:
    assert (await attach(api.store(), platform="linux/amd64")).is_done
    assert "NoSuchPlatform" == await reason(api, platform="linux/arm64")


async def reason(world: World, wanted: str = "1", **more: Any) -> str:
    """Why it could not be attached; nothing was written."""
    arguments: dict[str, Any] = {"created": DATE, **more}
    limits = arguments.pop("limits", LIMITS)
    before = list(world.transport.writes())
    (failed,) = await attaching.attach(
        [world.store(wanted)], spec(), limits, **arguments
    )
    assert isinstance(failed, Failed)
    assert before == world.transport.writes()
    return failed.reason


async def test_several_images_are_done_even_if_one_of_them_fails(api: World) -> None:
    stores = [api.store("1"), api.store("none"), api.store("multi")]
    outcomes = await attaching.attach(stores, spec(), LIMITS, created=DATE)
    assert [Attached, Failed, Attached] == [type(one) for one in outcomes]
    assert [one.name for one in stores] == [one.image for one in outcomes]


@pytest.mark.parametrize(
    ("wanted", "more", "reason_of"),
    [
        pytest.param("none", {}, "ImageNotFound", id="image"),
        pytest.param("multi", {"platform": "linux/s390x"}, "NoSuchPlatform", id="none"),
        pytest.param("multi", {"platform": "linux"}, "InvalidPlatform", id="word"),
        pytest.param("multi", {"platform": "a/b/c/d"}, "InvalidPlatform", id="words"),
        pytest.param("multi", {"platform": "linux//v8"}, "InvalidPlatform", id="empty"),
        pytest.param("1", {"created": "yesterday"}, "InvalidDate", id="date"),
        pytest.param(
            "1",
            {"annotations": {"org.opencontainers.image.created": "x"}},
            "InvalidDate",
            id="annotation",
        ),
    ],
)
async def test_what_cannot_be_attached_is_a_reason(
    api: World, wanted: str, more: Mapping[str, object], reason_of: str
) -> None:
    assert reason_of == await reason(api, wanted, **more)


async def test_two_tags_of_one_image_are_attached_to_once(tags: World) -> None:
    tags.repository.tags["same"] = tags.repository.tags["1"]
    one = await attach([tags.store("1"), tags.store("same")])
    digest = Digest.parse(one.subject)
    assert digest is not None
    listed = await tags.store().referrers(digest)
    assert [one.digest] == [entry.digest for entry in listed]


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        pytest.param(DOCKER_MANIFEST, "application/vnd.docker.container", id="docker"),
        pytest.param(OCI_MANIFEST, "application/vnd.sylabs.sif.config.v1", id="sif"),
        pytest.param(OCI_MANIFEST, "application/vnd.buildkit.cacheconfig.v0", id="b"),
    ],
)
async def test_any_manifest_can_carry_a_spec(
    api: World, kind: str, config: str
) -> None:
    blob = api.repository.blob(config, b"{}")
    layers = [api.repository.blob("application/octet-stream", b"whatever")]
    said = {"schemaVersion": 2, "mediaType": kind, "config": blob, "layers": layers}
    api.repository.tag(api.repository.manifest(kind, said), "other")
    attached = await attach(api.store("other"))
    subject = json.loads(attached.manifest)["subject"]
    assert (kind, attached.subject) == (subject["mediaType"], subject["digest"])
    assert isinstance(await found(api, "other"), Found)


async def test_an_image_with_another_kind_of_digest_can_carry_a_spec(
    folder: Path,
) -> None:
    manifest = b'{"schemaVersion":2,"mediaType":"%s","layers":[]}'
    content = manifest % OCI_MANIFEST.encode()
    digest = digest_of(content, "sha512")
    path = folder / "blobs" / "sha512" / digest[7:]
    path.parent.mkdir()
    path.write_bytes(content)
    store = LayoutStore(folder, digest, LIMITS)
    attached = await attach(store)
    assert digest == attached.subject
    parsed = Digest.parse(digest)
    assert parsed is not None
    assert isinstance(await artifact.find(store, parsed, LIMITS), Found)


async def test_no_more_is_attached_than_readers_take(api: World) -> None:
    few = Limits(retries=0, descriptors=1)
    await attach(api.store())
    assert "TooManyReferrers" == await reason(api, limits=few)


async def test_what_is_no_manifest_gets_no_spec(api: World) -> None:
    kind = "application/vnd.docker.distribution.manifest.v1+json"
    api.repository.tag(api.repository.manifest(kind, {"mediaType": kind}), "old")
    assert "UnsupportedManifest" == await reason(api, "old")


# Dry runs and progress -----------------------------------------------------------


async def test_a_dry_run_says_the_same_and_writes_nothing(api: World) -> None:
    (planned,) = await attaching.attach(
        [api.store()], spec(), LIMITS, created=DATE, dry_run=True
    )
    assert isinstance(planned, Attached)
    assert [] == api.transport.writes()
    assert not planned.is_done
    assert None is planned.by_tag
    done = await attach(api.store())
    assert (done.digest, done.manifest) == (planned.digest, planned.manifest)


async def test_progress_ends_with_everything_done(api: World) -> None:
    told: list[tuple[str, int, int]] = []
    stores = [api.store("1"), api.store("none")]
    await attaching.attach(
        stores,
        spec(),
        LIMITS,
        created=DATE,
        progress=lambda *one: told.append(one),
    )
    assert {8} == {total for _, _, total in told}
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)
    assert 8 == told[-1][1]
    assert f"{stores[0].name}: manifest" in {what for what, _, _ in told}


# Specs ---------------------------------------------------------------------------


def test_an_invalid_spec_is_refused_unless_it_is_forced() -> None:
    broken = SPEC.replace(b"compatibilities", b"sets")
    with pytest.raises(SpecError) as error:
        attaching.read(broken, limits=LIMITS)
    assert "InvalidSpec" == error.value.reason
    forced = attaching.read(broken, title="s", force=True, limits=LIMITS)
    assert error.value.message == forced.fault
    assert (broken, "s") == (forced.content, forced.title)


@pytest.mark.parametrize("force", [True, False])
def test_a_spec_is_as_large_as_readers_take_and_no_larger(force: bool) -> None:
    few = Limits(spec_bytes=len(SPEC))
    assert "" == attaching.read(SPEC, force=force, limits=few).fault
    with pytest.raises(SpecError) as error:
        attaching.read(SPEC + b"\n", force=force, limits=few)
    assert "TooLarge" == error.value.reason


async def test_the_spec_of_another_image_is_used_again(api: World) -> None:
    await attaching.attach(
        [api.store("1")], spec(OTHER, "other.yaml"), LIMITS, created=DATE
    )
    await attach(api.store("multi"), SPEC)
    again = await attaching.reuse(api.store("1"), LIMITS)
    assert Spec(OTHER, "other.yaml") == again


async def test_the_spec_of_an_index_or_of_its_platform_is_used_again(
    api: World,
) -> None:
    await attach(api.store("multi"), SPEC)
    await attach(api.store("multi"), OTHER, platform="linux/arm64")
    store = api.store("multi")
    assert SPEC == (await attaching.reuse(store, LIMITS)).content
    own = await attaching.reuse(store, LIMITS, platform="linux/arm64")
    assert OTHER == own.content
    other = await attaching.reuse(store, LIMITS, platform="linux/amd64")
    assert SPEC == other.content


async def test_an_image_without_a_spec_has_none_to_use_again(api: World) -> None:
    with pytest.raises(RegistryError) as error:
        await attaching.reuse(api.store(), LIMITS)
    assert "NoSpec" == error.value.reason


async def test_a_spec_without_a_title_gets_one(api: World) -> None:
    image = api.repository.listed[0]
    layer = {**api.repository.blob("text/yaml", SPEC), "annotations": {}}
    changes = {"layers": [layer]}
    api.repository.attach(image, SPEC, created=DATE, changes=changes)
    assert attaching.TITLE == (await attaching.reuse(api.store(), LIMITS)).title


# Failures in the middle ----------------------------------------------------------


async def test_a_layout_that_is_full_has_no_half_an_artifact(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = LayoutStore(folder, "1", LIMITS)
    before = (folder / "index.json").read_bytes()

    async def full(*_arguments: object) -> None:
        raise RegistryError("NoSpace", "")

    monkeypatch.setattr(store, "put_manifest", full)
    (outcome,) = await attaching.attach([store], spec(), LIMITS, created=DATE)
    assert isinstance(outcome, Failed)
    assert before == (folder / "index.json").read_bytes()
    digest = Digest.parse(str(json.loads(before)["manifests"][0]["digest"]))
    assert digest is not None
    assert Missing() == await artifact.find(store, digest, LIMITS)


async def test_blobs_that_go_in_between_are_written_again(folder: Path) -> None:
    """Somebody removes another artifact of the same spec, at the worst moment."""
    store = LayoutStore(folder, "1", LIMITS)
    original = store.put_manifest
    gone: list[Path] = []

    async def remove(digest: Digest, content: bytes, kind: str) -> object:
        path = folder / "blobs" / "sha256" / digest_of(SPEC)[7:]
        if not gone:
            path.unlink()
            gone.append(path)
        return await original(digest, content, kind)

    store.put_manifest = remove  # type: ignore[assignment, method-assign]
    attached = await attach(store)
    assert gone[0].exists()
    assert attached.is_done


async def test_other_faults_of_a_layout_are_not_tried_again(api: World) -> None:
    api.registry.faults["manifest"] = status(500)
    (failed,) = await attaching.attach([api.store()], spec(), LIMITS, created=DATE)
    assert isinstance(failed, Failed)
    assert "ServerError" == failed.reason


async def test_a_registry_without_a_way_to_write_says_so() -> None:
    made = world(Writing())
    made.registry.handlers.pop(("POST", "blobs/uploads"))
    (failed,) = await attaching.attach([made.store()], spec(), LIMITS, created=DATE)
    assert isinstance(failed, Failed)
    assert "ReadOnly" == failed.reason
