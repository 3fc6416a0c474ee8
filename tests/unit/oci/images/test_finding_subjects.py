"""What may carry a spec: every kind of manifest, and what has none of its own."""

import pytest

from app.demo.content import CREATED, EMPTY_TYPE, INDEX_TYPE, MANIFEST_TYPE, Repository
from app.demo.content import Descriptor as Value
from app.oci.images import finding
from app.oci.images.manifests import (
    DOCKER_LIST,
    DOCKER_MANIFEST,
    DOCKER_SCHEMA_1,
    OCI_INDEX,
)
from app.oci.limits import Limits
from app.ports import Doubt, Found, Invalid, Missing, Platform, PlatformAbsent, Resolved
from tests.unit.oci.images.test_finding import (
    AMD,
    ARM,
    NEW,
    OLD,
    S390,
    Memory,
    content,
    look,
    one,
    reason,
)

SIF = "application/vnd.sylabs.sif.config.v1+json"
CACHE = "application/vnd.buildkit.cacheconfig.v0"


@pytest.fixture
def source() -> Memory:
    return Memory(Repository())


def manifest(
    repository: Repository,
    config: Value,
    *,
    kind: str = MANIFEST_TYPE,
    artifact_type: str = "",
) -> dict[str, object]:
    """A manifest with one layer of some other kind."""
    value = {
        "schemaVersion": 2,
        "mediaType": kind,
        **({"artifactType": artifact_type} if artifact_type else {}),
        "config": config,
        "layers": [repository.blob("application/vnd.example.layer", b"content")],
    }
    return repository.manifest(kind, value)


def subjects(repository: Repository) -> dict[str, dict[str, object]]:
    """Manifests that are no OCI images."""
    empty = repository.blob(EMPTY_TYPE, b"{}")
    docker = repository.blob("application/vnd.docker.container.image.v1+json", b"{}")
    cache = repository.blob(CACHE, b"{}")
    layer = repository.blob("application/vnd.oci.image.layer.v1.tar+gzip", b"x")
    index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [layer, cache]}
    return {
        "sif": manifest(repository, repository.blob(SIF, b"{}")),
        "artifact": manifest(
            repository, empty, artifact_type="application/vnd.example.model"
        ),
        "docker": manifest(repository, docker, kind=DOCKER_MANIFEST),
        "build-cache": manifest(repository, cache),
        "build-cache-index": repository.manifest(INDEX_TYPE, index),
        "bundle": repository.manifest(
            INDEX_TYPE,
            {"mediaType": INDEX_TYPE, "manifests": [{**empty, "artifactType": "x"}]},
        ),
    }


KINDS = sorted(subjects(Repository()))


@pytest.mark.parametrize("kind", KINDS)
async def test_any_manifest_can_carry_a_spec(kind: str, source: Memory) -> None:
    subject = subjects(source.repository)[kind]
    source.repository.tag(subject, "1")
    assert Missing() == one(await look(source))
    source.repository.attach(subject, b"spec", created=NEW)
    outcome = await look(source, AMD, ARM)
    assert b"spec" == content(outcome, AMD)
    assert one(outcome, AMD) is one(outcome, ARM)
    found = one(outcome)
    assert isinstance(found, Found)
    assert subject["digest"] == found.subject


async def test_an_index_of_artifacts_has_a_platform_where_they_have_one(
    source: Memory,
) -> None:
    sif = subjects(source.repository)["sif"]
    listed = {**sif, "artifactType": SIF}
    listed["platform"] = {"os": "linux", "architecture": "amd64"}
    value = {"mediaType": INDEX_TYPE, "manifests": [listed]}
    source.repository.tag(source.repository.manifest(INDEX_TYPE, value), "1")
    source.repository.attach(sif, b"spec", created=NEW)
    outcome = await look(source, AMD, S390)
    assert b"spec" == content(outcome, AMD)
    assert PlatformAbsent(has_spec=True) == one(outcome, S390)


async def test_a_docker_list_is_an_index(source: Memory) -> None:
    docker = subjects(source.repository)["docker"]
    child = {**docker, "platform": {"os": "linux", "architecture": "amd64"}}
    value = {"schemaVersion": 2, "mediaType": DOCKER_LIST, "manifests": [child]}
    source.repository.tag(source.repository.manifest(DOCKER_LIST, value), "1")
    source.repository.attach(docker, b"spec", created=NEW)
    outcome = await look(source, AMD, S390)
    assert b"spec" == content(outcome, AMD)
    assert PlatformAbsent(has_spec=True) == one(outcome, S390)


@pytest.mark.parametrize("kind", sorted(DOCKER_SCHEMA_1))
async def test_docker_schema_1_is_told_as_what_it_is(kind: str, source: Memory) -> None:
    made = source.repository.manifest(kind, {"schemaVersion": 1, "fsLayers": []})
    source.repository.tag(made, "1")
    text = "a Docker schema 1 manifest, which nothing can be attached to"
    assert Invalid("DockerSchema1", text) == await look(source)
    assert [] == source.asked


# Who answered ------------------------------------------------------------------------


async def test_an_answer_says_whether_an_index_was_asked(source: Memory) -> None:
    image = source.repository.image("amd64", "x")
    source.repository.tag(image, "1")
    single = await look(source)
    assert isinstance(single, Resolved)
    assert not single.is_index
    source.repository.tag(source.repository.index([("amd64", image)]), "1")
    multi = await look(source)
    assert isinstance(multi, Resolved)
    assert multi.is_index


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        pytest.param(Platform("linux", "arm", "v6"), b"v6", id="variant"),
        pytest.param(Platform("linux", "arm"), b"v7", id="no-variant"),
        pytest.param(
            Platform("windows", "amd64", os_version="10.0.20348"), b"2022", id="version"
        ),
        pytest.param(Platform("windows", "amd64"), b"2019", id="no-version"),
    ],
)
async def test_a_platform_may_name_variant_and_version(
    platform: Platform, expected: bytes, source: Memory
) -> None:
    repository, listed = source.repository, []
    for name, field in {
        "v6": {"os": "linux", "architecture": "arm", "variant": "v6"},
        "v7": {"os": "linux", "architecture": "arm", "variant": "v7"},
        "2019": {"os": "windows", "architecture": "amd64", "os.version": "10.0.17763"},
        "2022": {
            "os": "windows",
            "architecture": "amd64",
            "os.version": "10.0.20348.2113",
        },
    }.items():
        child = repository.image("x", name)
        repository.attach(child, name.encode(), created=None)
        listed.append({**child, "platform": field})
    value = {"mediaType": OCI_INDEX, "manifests": listed}
    repository.tag(repository.manifest(OCI_INDEX, value), "1")
    assert expected == content(await look(source, platform), platform)


# Doubts ------------------------------------------------------------------------------

DAY = 86400
AT = 1769904000.0
"""2026-02-01T00:00:00Z, as a clock says it."""


async def doubts(source: Memory, now: float = AT) -> tuple[Doubt, ...]:
    outcome = await finding.find(source, [AMD], Limits(), clock=lambda: now)
    found = one(outcome)
    assert isinstance(found, Found), found
    return found.doubts


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        pytest.param("2026-02-01T00:00:00Z", (), id="now"),
        pytest.param("2026-02-02T00:00:00Z", (), id="a-day"),
        pytest.param("2026-02-02T01:00:00+01:00", (), id="a-day-elsewhere"),
        pytest.param("2026-02-02T00:00:00.1Z", (Doubt.FUTURE,), id="more-than-a-day"),
        pytest.param("2026-02-02T00:00:01Z", (Doubt.FUTURE,), id="a-second-more"),
        pytest.param("9999-12-31T23:59:59Z", (Doubt.FUTURE,), id="for-ever"),
        pytest.param("tomorrow", (), id="no-date"),
        pytest.param(None, (), id="undated"),
    ],
)
async def test_a_date_that_lies_ahead_counts_and_is_told(
    created: str | None, expected: tuple[Doubt, ...], source: Memory
) -> None:
    """Anybody who may push can pin an artifact so."""
    image = source.repository.image("amd64", "x")
    source.repository.tag(image, "1")
    source.repository.attach(image, b"spec", created=created)
    assert expected == await doubts(source)


async def test_a_list_with_another_date_is_told(source: Memory) -> None:
    image = source.repository.image("amd64", "x")
    source.repository.tag(image, "1")
    made = source.repository.attach(image, b"spec", created=OLD)
    source.listed = [
        {
            **made,
            "artifactType": source.repository.listed[-1]["artifactType"],
            "annotations": {CREATED: NEW},
        }
    ]
    assert (Doubt.DATES_DIFFER,) == await doubts(source)


async def test_a_list_without_a_date_is_no_lie(source: Memory) -> None:
    image = source.repository.image("amd64", "x")
    source.repository.tag(image, "1")
    made = source.repository.attach(image, b"spec", created=OLD)
    kind = source.repository.listed[-1]["artifactType"]
    source.listed = [{**made, "artifactType": kind}]
    assert () == await doubts(source)


async def test_a_newer_one_that_is_gone_is_told(source: Memory) -> None:
    image = source.repository.image("amd64", "x")
    source.repository.tag(image, "1")
    gone = source.repository.attach(image, b"newer", created=NEW)
    source.repository.attach(image, b"spec", created=OLD)
    del source.repository.blobs[str(gone["digest"])]
    assert (Doubt.GONE,) == await doubts(source)


async def test_a_manifest_of_an_unknown_kind_is_refused(source: Memory) -> None:
    made = source.repository.manifest("application/x", {})
    source.repository.tag(made, "1")
    assert "Invalid UnsupportedManifest" == reason(await look(source))


async def test_a_platform_that_a_bundle_lacks_is_not_lacking(source: Memory) -> None:
    """What lists no image runs nowhere by itself: its spec counts everywhere."""
    bundle = subjects(source.repository)["build-cache-index"]
    source.repository.tag(bundle, "1")
    source.repository.attach(bundle, b"spec", created=NEW)
    assert b"spec" == content(await look(source, S390), S390)
