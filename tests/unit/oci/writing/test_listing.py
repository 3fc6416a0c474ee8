"""Which artifacts an image has, which count, and why the others do not."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from app.demo.content import Descriptor
from app.demo.faults import status
from app.oci.images.manifests import CREATED, OCI_MANIFEST
from app.oci.limits import Limits
from app.oci.writing.folder import LayoutStore
from app.oci.writing.listing import ImageSpecs, Listed, State, Warn, list_specs
from app.oci.writing.store import Failed
from app.ports import Found, Invalid, Missing, Unavailable
from tests.tools.writable import DATE, LIMITS, OTHER, SPEC, World, attach

NOW = datetime(2026, 3, 2, tzinfo=UTC)


async def listed(
    world: World, wanted: str = "1", limits: Limits = LIMITS
) -> ImageSpecs:
    specs = await list_specs(world.store(wanted), limits, now=NOW)
    assert isinstance(specs, ImageSpecs), specs
    return specs


async def artifacts(world: World, wanted: str = "1") -> dict[str, Listed]:
    """Digest -> artifact, of what the reference names, in order."""
    specs = await listed(world, wanted)
    return {one.digest: one for one in specs.subjects[0].artifacts}


def image(world: World, tag: str = "1") -> Descriptor:
    digest = world.repository.tags[tag]
    return next(one for one in world.repository.listed if one["digest"] == digest)


def put(
    world: World, created: str | None, changes: Mapping[str, object] | None = None
) -> str:
    """Puts an artifact on the image `1`."""
    plain = {key: image(world)[key] for key in ("mediaType", "digest", "size")}
    one = world.repository.attach(plain, SPEC, created=created, changes=changes)
    return str(one["digest"])


async def states(world: World, wanted: str = "1") -> dict[str, State]:
    return {key: one.state for key, one in (await artifacts(world, wanted)).items()}


async def test_an_image_without_artifacts_has_none(api: World) -> None:
    specs = await listed(api)
    assert not specs.is_index
    assert api.repository.tags["1"] == specs.digest
    (subject,) = specs.subjects
    assert (specs.digest, OCI_MANIFEST, "") == (
        subject.digest,
        subject.media_type,
        subject.platform,
    )
    assert ((), Missing()) == (subject.artifacts, subject.outcome)


async def test_the_newest_counts_and_the_others_say_why_they_do_not(
    api: World,
) -> None:
    undated = put(api, None)
    unreadable = put(api, "yesterday")
    older = put(api, "2026-01-01T00:00:00Z")
    newest = put(api, DATE)
    found = await artifacts(api)
    assert [newest, older] == list(found)[:2]
    assert {
        newest: State.COUNTS,
        older: State.OLDER,
        undated: State.UNDATED,
        unreadable: State.UNDATED,
    } == {digest: one.state for digest, one in found.items()}
    one = found[newest]
    assert (DATE, (), ()) == (one.created, one.counts_for, one.warnings)
    assert len(api.repository.blobs[newest]) == one.size
    assert one.spec_digest in api.repository.blobs


@pytest.mark.parametrize("created", [DATE, None])
async def test_of_two_of_one_date_the_smaller_digest_counts(
    api: World, created: str | None
) -> None:
    both = sorted(
        put(api, created, {"annotations": {**dated(created), "n": str(n)}})
        for n in (1, 2)
    )
    assert {both[0]: State.COUNTS, both[1]: State.TIE_LOST} == await states(api)


def dated(created: str | None) -> Mapping[str, str]:
    return {} if created is None else {CREATED: created}


async def test_one_that_is_listed_but_gone_is_dangling(tags: World) -> None:
    gone, other = put(tags, DATE), put(tags, "2026-01-01T00:00:00Z")
    tags.repository.write_fallback_tag(tags.repository.tags["1"])
    del tags.repository.types[gone]
    assert {other: State.COUNTS, gone: State.DANGLING} == await states(tags)


async def test_one_of_something_else_is_told_apart(tags: World) -> None:
    other = image(tags, "multi")
    subject = {"subject": {**other}, "annotations": dated(DATE)}
    foreign, own = put(tags, DATE, subject), put(tags, "2026-01-01T00:00:00Z")
    tags.repository.write_fallback_tag(tags.repository.tags["1"])
    assert {own: State.COUNTS, foreign: State.OTHER_SUBJECT} == await states(tags)


async def test_artifacts_of_other_types_are_not_listed(api: World) -> None:
    put(api, DATE, {"artifactType": "application/vnd.example"})
    api.registry.api = type(api.registry.api)(filtered=False)
    assert {} == await states(api)
    types = type(api.registry.api.types)
    api.registry.api = type(api.registry.api)(filtered=False, types=types.NONE)
    assert {} == await states(api)


async def test_the_newest_counts_though_it_is_broken(api: World) -> None:
    older = put(api, "2026-01-01T00:00:00Z")
    broken = put(api, DATE, {"layers": []})
    found = await artifacts(api)
    assert {broken: State.BROKEN, older: State.OLDER} == await states(api)
    assert "the artifact has 0 layers, expected one" == found[broken].detail
    assert "" == found[broken].spec_digest
    assert isinstance((await listed(api)).subjects[0].outcome, Invalid)


async def test_one_that_cannot_be_read_breaks_the_choice(api: World) -> None:
    older, large = put(api, "2026-01-01T00:00:00Z"), put(api, DATE)
    few = Limits(retries=0, artifact_bytes=len(api.repository.blobs[older]))
    api.repository.blobs[large] += bytes(few.artifact_bytes)
    specs = await listed(api, limits=few)
    states = {one.digest: one for one in specs.subjects[0].artifacts}
    assert State.BROKEN is states[large].state
    assert State.UNKNOWN is states[older].state
    assert "too much" in states[large].detail


async def test_whether_one_counts_stays_open_while_its_spec_cannot_be_had(
    api: World,
) -> None:
    one = put(api, DATE)
    api.registry.faults["blob"] = status(503)
    found = await artifacts(api)
    assert State.UNKNOWN is found[one].state
    assert "answered 503" in found[one].detail


async def test_an_entry_of_another_size_counts(api: World) -> None:
    """Harbor and Google's Artifact Registry list sizes of their own."""
    one = put(api, DATE)
    api.repository.listed[-1] = {**api.repository.listed[-1], "size": 1}
    found = await artifacts(api)
    assert State.COUNTS is found[one].state


async def test_too_many_to_choose_from_leave_the_choice_open(api: World) -> None:
    types = type(api.registry.api.types)
    api.registry.api = type(api.registry.api)(filtered=False, types=types.NONE)
    put(api, DATE)
    put(api, None)
    specs = await listed(api, limits=Limits(retries=0, untyped=1))
    (subject,) = specs.subjects
    assert isinstance(subject.outcome, Unavailable)
    assert {State.UNKNOWN} == {one.state for one in subject.artifacts}


async def test_an_unclear_one_that_cannot_be_read_is_told(api: World) -> None:
    types = type(api.registry.api.types)
    api.registry.api = type(api.registry.api)(filtered=False, types=types.NONE)
    one = put(api, DATE)
    api.repository.blobs[one] = b"broken"
    found = await artifacts(api)
    assert State.BROKEN is found[one].state


async def test_an_unclear_one_that_is_gone_is_not_ours(api: World) -> None:
    types = type(api.registry.api.types)
    api.registry.api = type(api.registry.api)(filtered=False, types=types.NONE)
    del api.repository.types[put(api, DATE)]
    assert {} == await states(api)


@pytest.mark.parametrize(
    ("ahead", "warnings"),
    [
        pytest.param(timedelta(hours=24), (), id="a day"),
        pytest.param(timedelta(hours=24, seconds=1), (Warn.FUTURE,), id="more"),
    ],
)
async def test_a_date_more_than_a_day_ahead_is_warned_of(
    api: World, ahead: timedelta, warnings: tuple[Warn, ...]
) -> None:
    one = put(api, (NOW + ahead).strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert warnings == (await artifacts(api))[one].warnings


async def test_a_list_with_another_date_is_warned_of(api: World) -> None:
    one = put(api, DATE)
    entry = {**api.repository.listed[-1]}
    api.repository.listed[-1] = {**entry, "annotations": {CREATED: "2020"}}
    found = await artifacts(api)
    assert (Warn.OTHER_ANNOTATIONS,) == found[one].warnings
    assert DATE == found[one].created


# Several platforms ---------------------------------------------------------------


async def test_an_index_counts_for_platforms_that_have_none_of_their_own(
    api: World,
) -> None:
    root = await attach(api.store("multi"), SPEC)
    own = await attach(api.store("multi"), OTHER, platform="linux/arm64")
    specs = await listed(api, "multi")
    assert specs.is_index
    assert ["", "linux/amd64", "linux/arm64"] == [
        one.platform for one in specs.subjects
    ]
    first, none, arm = specs.subjects
    assert () == none.artifacts
    assert (root.digest, State.COUNTS, ("linux/amd64",)) == (
        first.artifacts[0].digest,
        first.artifacts[0].state,
        first.artifacts[0].counts_for,
    )
    assert (own.digest, State.COUNTS, ("linux/arm64",)) == (
        arm.artifacts[0].digest,
        arm.artifacts[0].state,
        arm.artifacts[0].counts_for,
    )
    assert ["linux/amd64", "linux/arm64"] == [name for name, _ in specs.platforms]
    assert [root.digest, own.digest] == [
        one.digest for _, one in specs.platforms if isinstance(one, Found)
    ]


async def test_an_index_is_superseded_when_each_platform_has_its_own(
    api: World,
) -> None:
    await attach(api.store("multi"))
    for platform in ("linux/amd64", "linux/arm64"):
        await attach(api.store("multi"), OTHER, platform=platform)
    (root,) = (await artifacts(api, "multi")).values()
    assert (State.SUPERSEDED, ()) == (root.state, root.counts_for)


async def test_a_variant_that_no_node_is_known_to_run_counts_for_none(
    api: World,
) -> None:
    repository = api.repository
    images = [repository.image("arm", name) for name in ("v7", "v6")]
    listed_as = [
        {**one, "platform": {"os": "linux", "architecture": "arm", "variant": variant}}
        for one, variant in zip(images, ("v7", "v6"), strict=True)
    ]
    index = {"schemaVersion": 2, "mediaType": image(api, "multi")["mediaType"]}
    kind = str(index["mediaType"])
    repository.tag(repository.manifest(kind, {**index, "manifests": listed_as}), "arm")
    await attach(api.store("arm"), platform="linux/arm/v6")
    specs = await listed(api, "arm")
    assert ["", "linux/arm/v7", "linux/arm/v6"] == [
        one.platform for one in specs.subjects
    ]
    assert State.OTHER_VARIANT is specs.subjects[2].artifacts[0].state
    assert [("linux/arm", Missing())] == list(specs.platforms)


async def test_a_broken_one_of_an_index_says_for_which_platforms(api: World) -> None:
    index = image(api, "multi")
    plain = {key: index[key] for key in ("mediaType", "digest", "size")}
    api.repository.attach(plain, SPEC, created=DATE, changes={"layers": []})
    (root,) = (await artifacts(api, "multi")).values()
    assert (State.BROKEN, ("linux/amd64", "linux/arm64")) == (
        root.state,
        root.counts_for,
    )


async def test_an_index_whose_only_one_is_gone_counts_for_none(tags: World) -> None:
    attached = await attach(tags.store("multi"))
    del tags.repository.types[attached.digest]
    (root,) = (await artifacts(tags, "multi")).values()
    assert (State.DANGLING, ()) == (root.state, root.counts_for)


async def test_an_index_that_admission_refuses_is_not_listed(api: World) -> None:
    """It lists an index that says that it is something else."""
    kind = str(image(api, "multi")["mediaType"])
    inner = api.repository.manifest(kind, {"mediaType": OCI_MANIFEST, "manifests": []})
    outer = {"schemaVersion": 2, "mediaType": kind, "manifests": [inner]}
    api.repository.tag(api.repository.manifest(kind, outer), "odd")
    specs = await list_specs(api.store("odd"), LIMITS, now=NOW)
    assert isinstance(specs, Failed)
    assert "TypeMismatch" == specs.reason


async def test_an_index_without_platforms_has_its_own_only(api: World) -> None:
    kind = str(image(api, "multi")["mediaType"])
    empty = {"schemaVersion": 2, "mediaType": kind, "manifests": []}
    api.repository.tag(api.repository.manifest(kind, empty), "empty")
    await attach(api.store("empty"))
    specs = await listed(api, "empty")
    assert () == specs.platforms
    assert State.COUNTS is specs.subjects[0].artifacts[0].state


# Faults --------------------------------------------------------------------------


async def test_an_image_that_is_not_there_cannot_be_listed(api: World) -> None:
    specs = await list_specs(api.store("none"), LIMITS, now=NOW)
    assert isinstance(specs, Failed)
    assert "ImageNotFound" == specs.reason


async def test_a_list_that_cannot_be_had_is_no_empty_list(api: World) -> None:
    api.registry.faults["referrers"] = status(500)
    specs = await list_specs(api.store(), LIMITS, now=NOW)
    assert isinstance(specs, Failed)
    assert "ServerError" == specs.reason


async def test_progress_is_told_for_each_manifest(api: World) -> None:
    told: list[tuple[int, int]] = []
    await list_specs(
        api.store("multi"),
        LIMITS,
        now=NOW,
        progress=lambda _, done, total: told.append((done, total)),
    )
    assert [(1, 3), (2, 3), (3, 3)] == told


async def test_listing_reads_everything_once(api: World) -> None:
    await attach(api.store("multi"))
    asked = len(api.transport.asked)
    await listed(api, "multi")
    urls = [one.url for one in api.transport.asked[asked:]]
    assert len(set(urls)) == len(urls)


async def test_artifacts_of_a_layout_are_listed(layout: LayoutStore) -> None:
    attached = await attach(layout)
    specs = await list_specs(layout, LIMITS, now=NOW)
    assert isinstance(specs, ImageSpecs)
    (one,) = specs.subjects[0].artifacts
    assert (attached.digest, State.COUNTS) == (one.digest, one.state)
