"""Which artifact an image has: manifests, indexes, dates, and what is broken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any

import pytest

from app.demo.content import (
    ARTIFACT_TYPE,
    EMPTY_TYPE,
    INDEX_TYPE,
    MANIFEST_TYPE,
    SPEC_TYPE,
    Descriptor,
    Repository,
    encode,
)
from app.oci.failure import (
    LookupFailedError,
    NotThereError,
    not_found,
    unauthorized,
    unavailable,
)
from app.oci.images import finding, manifests
from app.oci.images.digest import Digest
from app.oci.images.source import Root
from app.oci.limits import Limits
from app.ports import (
    Found,
    ImageNotFound,
    ImageOutcome,
    Invalid,
    Missing,
    Platform,
    PlatformAbsent,
    PlatformOutcome,
    Resolved,
    Unauthorized,
    Unavailable,
)

AMD = Platform("linux", "amd64")
ARM = Platform("linux", "arm64")
S390 = Platform("linux", "s390x")

OLD = "2026-01-01T00:00:00Z"
NEW = "2026-02-01T00:00:00Z"


@dataclass
class Memory:
    """Implements `Source` on a repository in memory.

    Attributes:
        repository: what is there.
        listed: how its referrers are listed; `None` for rightly.
        failing: digest -> why asking for what refers to it fails.
        asked: what was asked for, in order.
    """

    repository: Repository
    listed: Sequence[Descriptor] | None = None
    failing: Mapping[str, LookupFailedError] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def resolve(self) -> Root:
        digest = self.repository.tags["1"]
        return Root(_digest(digest), self.repository.types[digest])

    async def manifest(self, digest: Digest, *, most_bytes: int) -> bytes:
        self.asked.append(("manifest", str(digest)))
        return self._content(digest, most_bytes)

    async def blob(self, digest: Digest, *, most_bytes: int) -> bytes:
        self.asked.append(("blob", str(digest)))
        return self._content(digest, most_bytes)

    async def referrers(self, subject: Digest) -> list[manifests.Descriptor]:
        self.asked.append(("referrers", str(subject)))
        if str(subject) in self.failing:
            raise self.failing[str(subject)]
        listed = self.listed
        if listed is None:
            listed = self.repository.referrers(str(subject))
        index = encode({"manifests": listed})
        return manifests.read_index(index).manifests or []

    def _content(self, digest: Digest, most_bytes: int) -> bytes:
        content = self.repository.blobs.get(str(digest))
        if content is None:
            raise NotThereError(str(digest))
        assert len(content) <= most_bytes
        return content


def _digest(text: object) -> Digest:
    digest = Digest.parse(str(text))
    assert digest is not None
    return digest


@pytest.fixture
def source() -> Memory:
    return Memory(Repository())


@pytest.fixture
def image(source: Memory) -> Descriptor:
    """A single manifest under the tag."""
    made = source.repository.image("amd64", "x")
    source.repository.tag(made, "1")
    return made


async def look(
    source: Memory, *platforms: Platform, limits: Limits | None = None
) -> ImageOutcome:
    return await finding.find(source, platforms or (AMD,), limits or Limits())


def one(outcome: ImageOutcome, platform: Platform = AMD) -> PlatformOutcome:
    assert isinstance(outcome, Resolved), outcome
    return outcome.platforms[platform]


def content(outcome: ImageOutcome, platform: Platform = AMD) -> bytes:
    found = one(outcome, platform)
    assert isinstance(found, Found), found
    return found.content


def reason(outcome: ImageOutcome, platform: Platform = AMD) -> str:
    wrong = one(outcome, platform) if isinstance(outcome, Resolved) else outcome
    assert isinstance(wrong, Invalid | Unavailable), wrong
    return f"{type(wrong).__name__} {wrong.reason}"


# A single manifest ---------------------------------------------------------------


async def test_what_is_found_says_where_it_comes_from(
    source: Memory, image: Descriptor
) -> None:
    artifact = source.repository.attach(image, b"spec", created=NEW)
    assert Found(
        digest=str(artifact["digest"]),
        subject=str(image["digest"]),
        spec_digest=str(Digest.of(b"spec")),
        content=b"spec",
        created=NEW,
    ) == one(await look(source))


async def test_all_platforms_of_a_single_manifest_have_one_outcome(
    source: Memory, image: Descriptor
) -> None:
    source.repository.attach(image, b"spec", created=None)
    outcome = await look(source, AMD, ARM)
    assert one(outcome, AMD) is one(outcome, ARM)


@pytest.mark.usefixtures("image")
async def test_an_image_without_an_artifact_has_none(source: Memory) -> None:
    assert Missing() == one(await look(source))


async def test_what_is_neither_manifest_nor_index_is_invalid(source: Memory) -> None:
    made = source.repository.manifest("application/vnd.cncf.helm.config.v1+json", {})
    source.repository.tag(made, "1")
    assert "Invalid UnsupportedManifest" == reason(await look(source))


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        pytest.param(not_found("gone"), ImageNotFound("gone"), id="not-found"),
        pytest.param(unauthorized("no"), Unauthorized("no"), id="unauthorized"),
        pytest.param(
            unavailable("Timeout", "late"), Unavailable("Timeout", "late"), id="late"
        ),
    ],
)
async def test_an_image_that_cannot_be_resolved_has_that_outcome(
    error: LookupFailedError, outcome: ImageOutcome
) -> None:
    class Failing(Memory):
        async def resolve(self) -> Root:
            raise error

    assert outcome == await look(Failing(Repository()))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(unauthorized("no"), Unauthorized("no"), id="unauthorized"),
        pytest.param(
            unavailable("ServerError", "503"),
            Unavailable("ServerError", "503"),
            id="unavailable",
        ),
        pytest.param(
            not_found("gone"), Unavailable("NotFound", "gone"), id="a-later-page-gone"
        ),
    ],
)
async def test_could_not_look_is_never_there_is_none(
    error: LookupFailedError, expected: object, source: Memory, image: Descriptor
) -> None:
    source.failing = {str(image["digest"]): error}
    assert expected == one(await look(source))


# Several artifacts ---------------------------------------------------------------


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_the_newest_counts_in_whatever_order_they_are_listed(
    order: Sequence[int], source: Memory, image: Descriptor
) -> None:
    attached = [
        source.repository.attach(image, created.encode(), created=created)
        for created in (OLD, NEW, "2026-01-31T23:59:59.999999999Z")
    ]
    listed = source.repository.referrers(str(image["digest"]))
    source.listed = [listed[number] for number in order]
    assert NEW.encode() == content(await look(source))
    assert 3 == len({str(entry["digest"]) for entry in attached})


@pytest.mark.parametrize("undated", [None, "", "yesterday", "2026-13-01T00:00:00Z"])
async def test_an_undated_artifact_is_the_oldest(
    undated: str | None, source: Memory, image: Descriptor
) -> None:
    source.repository.attach(image, b"undated", created=undated)
    source.repository.attach(image, b"dated", created="1970-01-01T00:00:00Z")
    assert b"dated" == content(await look(source))


async def test_of_equal_dates_the_smallest_digest_counts(
    source: Memory, image: Descriptor
) -> None:
    attached = {
        str(source.repository.attach(image, spec, created=NEW)["digest"]): spec
        for spec in (b"a", b"b", b"c", b"d")
    }
    assert attached[min(attached)] == content(await look(source))


async def test_dates_that_descriptors_lack_are_read_from_the_manifests(
    source: Memory, image: Descriptor
) -> None:
    for created in (NEW, OLD):
        source.repository.attach(image, created.encode(), created=created)
    listed = source.repository.referrers(str(image["digest"]))
    source.listed = [
        {key: value for key, value in entry.items() if key != "annotations"}
        for entry in listed
    ]
    assert NEW.encode() == content(await look(source))


async def test_a_date_that_a_descriptor_makes_up_does_not_count(
    source: Memory, image: Descriptor
) -> None:
    """The fallback tag is anybody's to write."""
    source.repository.attach(image, b"old", created=OLD)
    source.repository.attach(image, b"new", created=NEW)
    old, new = source.repository.referrers(str(image["digest"]))
    created = {"org.opencontainers.image.created": "2099-01-01T00:00:00Z"}
    source.listed = [{**old, "annotations": created}, new]
    assert b"new" == content(await look(source))
    read = [kind for kind, _ in source.asked]
    assert ["referrers", "manifest", "manifest", "blob"] == read


async def test_another_kind_of_referrer_is_left_alone(
    source: Memory, image: Descriptor
) -> None:
    sbom = {"artifactType": "application/spdx+json"}
    source.repository.attach(image, b"sbom", created=NEW, changes=sbom)
    source.repository.attach(image, b"spec", created=OLD)
    assert b"spec" == content(await look(source))


@pytest.mark.parametrize("said", [EMPTY_TYPE, None])
async def test_where_a_descriptor_does_not_say_its_type_the_manifest_does(
    said: str | None, source: Memory, image: Descriptor
) -> None:
    """The registries of ggcr and Harbor give the config's media type."""
    sbom = {"artifactType": "application/spdx+json"}
    source.repository.attach(image, b"sbom", created=NEW, changes=sbom)
    source.repository.attach(image, b"spec", created=OLD)
    listed = source.repository.referrers(str(image["digest"]))
    source.listed = [_saying(entry, said) for entry in listed]
    assert b"spec" == content(await look(source))
    assert 4 == len(source.asked), "the manifest of the artifact is read once"


def _saying(entry: Descriptor, said: str | None) -> Descriptor:
    kept = {key: value for key, value in entry.items() if key != "artifactType"}
    return kept if said is None else {**kept, "artifactType": said}


@pytest.mark.parametrize("more", [0, 1])
async def test_eight_artifacts_are_looked_into_and_no_more(
    more: int, source: Memory, image: Descriptor
) -> None:
    for number in range(Limits().untyped + more):
        source.repository.attach(image, bytes([number]), created=None)
    outcome = await look(source)
    if more:
        assert "Unavailable TooManyReferrers" == reason(outcome)
        assert ["referrers"] == [kind for kind, _ in source.asked]
    else:
        assert isinstance(one(outcome), Found)


async def test_an_entry_listed_twice_is_one(source: Memory, image: Descriptor) -> None:
    source.repository.attach(image, b"spec", created=NEW)
    source.listed = source.repository.referrers(str(image["digest"])) * 20
    assert b"spec" == content(await look(source))


async def test_a_candidate_that_is_gone_is_passed_over(
    source: Memory, image: Descriptor
) -> None:
    source.repository.attach(image, b"old", created=OLD)
    gone = source.repository.attach(image, b"new", created=NEW)
    del source.repository.blobs[str(gone["digest"])]
    assert b"old" == content(await look(source))


async def test_more_than_eight_that_are_gone_are_not_taken_for_none(
    source: Memory, image: Descriptor
) -> None:
    for number in range(Limits().untyped + 1):
        date = f"2026-01-01T00:00:{number:02}Z"
        gone = source.repository.attach(image, b"spec", created=date)
        del source.repository.blobs[str(gone["digest"])]
    assert "Unavailable TooManyReferrers" == reason(await look(source))


async def test_an_artifact_of_another_image_is_passed_over(
    source: Memory, image: Descriptor
) -> None:
    other = source.repository.image("amd64", "other")
    source.repository.attach(other, b"foreign", created=NEW)
    without = source.repository.attach(
        image, b"none", created=NEW, changes={"subject": None}
    )
    source.repository.attach(image, b"spec", created=OLD)
    source.listed = [
        entry for entry in source.repository.listed if "artifactType" in entry
    ]
    assert str(without["digest"]) in str(source.listed)
    assert b"spec" == content(await look(source))


# A broken artifact ---------------------------------------------------------------


def layer(**changes: object) -> dict[str, object]:
    right = {
        "mediaType": SPEC_TYPE,
        "digest": str(Digest.of(b"new")),
        "size": 3,
    }
    return {"layers": [{**right, **changes}]}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"layers": []}, "InvalidArtifact", id="no-layer"),
        pytest.param({"layers": None}, "InvalidArtifact", id="null-layers"),
        pytest.param(
            {"layers": layer()["layers"] * 2},  # type: ignore[operator]
            "InvalidArtifact",
            id="two-layers",
        ),
        pytest.param(
            layer(mediaType="application/vnd.oci.image.layer.v1.tar+gzip"),
            "InvalidArtifact",
            id="a-tar",
        ),
        pytest.param(layer(mediaType=""), "InvalidArtifact", id="no-media-type"),
        pytest.param(layer(digest="sha256:1"), "InvalidManifest", id="digest"),
        pytest.param(layer(digest="md5:" + "0" * 32), "InvalidManifest", id="md5"),
        pytest.param(layer(size=4), "SizeMismatch", id="size"),
        pytest.param(
            layer(digest=str(Digest.of(b"gone"))), "MissingLayer", id="layer-gone"
        ),
        pytest.param(
            layer(size=Limits().spec_bytes + 1), "TooLarge", id="spec-too-large"
        ),
        pytest.param({"artifactType": "x/y"}, "TypeMismatch", id="type"),
        pytest.param({"layers": 1}, "InvalidManifest", id="no-list"),
    ],
)
async def test_a_broken_newest_is_invalid_and_no_step_back(
    changes: Mapping[str, Any], expected: str, source: Memory, image: Descriptor
) -> None:
    source.repository.attach(image, b"old", created=OLD)
    source.repository.blob(SPEC_TYPE, b"new")
    source.repository.attach(image, b"new", created=NEW, changes=changes)
    source.listed = [
        {**entry, "artifactType": ARTIFACT_TYPE}
        for entry in source.repository.referrers(str(image["digest"]))
    ]
    assert f"Invalid {expected}" == reason(await look(source))


async def test_a_manifest_that_is_no_json_is_invalid(
    source: Memory, image: Descriptor
) -> None:
    broken = source.repository.blob(MANIFEST_TYPE, b"{" * 100_000)
    source.listed = [{**broken, "artifactType": ARTIFACT_TYPE}]
    assert image
    assert "Invalid InvalidManifest" == reason(await look(source))


async def test_a_descriptor_without_a_digest_is_invalid(
    source: Memory, image: Descriptor
) -> None:
    source.repository.attach(image, b"spec", created=NEW)
    (entry,) = source.repository.referrers(str(image["digest"]))
    source.listed = [{**entry, "digest": "../../x"}]
    assert "Invalid InvalidManifest" == reason(await look(source))


@pytest.mark.parametrize("size", [0, 1, Limits().artifact_bytes + 1])
async def test_the_size_that_a_list_has_for_an_artifact_does_not_count(
    size: int, source: Memory, image: Descriptor
) -> None:
    """Harbor adds up config and layers, Google's Artifact Registry has others."""
    source.repository.attach(image, b"spec", created=NEW)
    (entry,) = source.repository.referrers(str(image["digest"]))
    source.listed = [{**entry, "size": size}]
    assert b"spec" == content(await look(source))


@pytest.mark.parametrize("more", [0, 1])
async def test_a_spec_may_have_so_many_bytes(
    more: int, source: Memory, image: Descriptor
) -> None:
    limits = replace(Limits(), spec_bytes=100)
    source.repository.attach(image, bytes(100 + more), created=None)
    outcome = await look(source, limits=limits)
    if more:
        assert "Invalid TooLarge" == reason(outcome)
    else:
        assert 100 == len(content(outcome))


@pytest.mark.parametrize(
    "media_type",
    [
        SPEC_TYPE,
        "application/vnd.example.spec+json",
        "application/yaml",
        "application/json",
        "application/octet-stream",
        "text/plain; charset=utf-8",
        "Application/YAML",
        "application/vnd.oci.image.layer.v1.tar",
    ],
)
async def test_a_layer_may_have_any_type_that_can_be_yaml(
    media_type: str, source: Memory, image: Descriptor
) -> None:
    source.repository.attach(
        image, b"new", created=None, changes=layer(mediaType=media_type)
    )
    assert b"new" == content(await look(source))


async def test_the_config_says_the_type_where_no_field_does(
    source: Memory, image: Descriptor
) -> None:
    """So did clients before OCI 1.1."""
    config = {**source.repository.blob(ARTIFACT_TYPE, b"{}")}
    changes: dict[str, Any] = {"artifactType": "", "config": config}
    source.repository.attach(image, b"spec", created=None, changes=changes)
    assert b"spec" == content(await look(source))


# An index ------------------------------------------------------------------------


@pytest.fixture
def children(source: Memory) -> dict[str, Descriptor]:
    """`amd64` and `arm64` under an index, which is `index` here and has the tag."""
    repository = source.repository
    made = {arch: repository.image(arch, arch) for arch in ("amd64", "arm64")}
    index = repository.index(list(made.items()))
    repository.tag(index, "1")
    return {**made, "index": index}


async def test_each_platform_has_its_childs_artifact_else_that_of_the_index(
    source: Memory, children: Mapping[str, Descriptor]
) -> None:
    source.repository.attach(children["index"], b"index", created=NEW)
    source.repository.attach(children["arm64"], b"arm", created=OLD)
    outcome = await look(source, AMD, ARM)
    assert b"index" == content(outcome, AMD)
    assert b"arm" == content(outcome, ARM)
    assert isinstance(outcome, Resolved)
    assert children["index"]["digest"] == outcome.digest


async def test_a_child_without_an_artifact_has_none_if_the_index_has_none(
    source: Memory, children: Mapping[str, Descriptor]
) -> None:
    source.repository.attach(children["arm64"], b"arm", created=OLD)
    assert Missing() == one(await look(source))


async def test_a_childs_broken_artifact_is_not_replaced_by_that_of_the_index(
    source: Memory, children: Mapping[str, Descriptor]
) -> None:
    source.repository.attach(children["index"], b"index", created=NEW)
    source.repository.attach(
        children["amd64"], b"amd", created=NEW, changes={"layers": []}
    )
    outcome = await look(source, AMD, ARM)
    assert "Invalid InvalidArtifact" == reason(outcome)
    assert b"index" == content(outcome, ARM)


async def test_the_index_is_asked_once_for_all_platforms(
    source: Memory, children: Mapping[str, Descriptor]
) -> None:
    source.repository.attach(children["index"], b"index", created=NEW)
    await look(source, AMD, ARM, S390)
    asked = [what for kind, what in source.asked if kind == "referrers"]
    assert sorted(asked) == sorted(str(entry["digest"]) for entry in children.values())


@pytest.mark.parametrize("which", ["index", "amd64", "arm64"])
async def test_a_platform_that_is_absent_matters_if_the_image_has_any_spec(
    which: str, source: Memory, children: Mapping[str, Descriptor]
) -> None:
    source.repository.attach(children[which], b"spec", created=NEW)
    assert PlatformAbsent(has_spec=True) == one(await look(source, S390), S390)


@pytest.mark.usefixtures("children")
async def test_a_platform_that_is_absent_does_not_matter_without_a_spec(
    source: Memory,
) -> None:
    assert PlatformAbsent(has_spec=False) == one(await look(source, S390), S390)


@pytest.mark.parametrize("which", ["index", "amd64", "arm64"])
async def test_an_absent_platform_is_unavailable_where_the_spec_may_be(
    which: str, source: Memory, children: Mapping[str, Descriptor]
) -> None:
    source.failing = {str(children[which]["digest"]): unavailable("ServerError", "503")}
    outcome = await look(source, S390)
    assert Unavailable("ServerError", "503") == one(outcome, S390)


async def test_no_more_than_eight_other_manifests_are_asked_for_a_spec(
    source: Memory,
) -> None:
    images = [(f"a{n}", source.repository.image(f"a{n}", str(n))) for n in range(20)]
    source.repository.tag(source.repository.index(images), "1")
    assert PlatformAbsent(has_spec=False) == one(await look(source, S390), S390)
    asked = [kind for kind, _ in source.asked if kind == "referrers"]
    assert 1 + finding.MAX_OTHERS == len(asked)


async def test_attestations_are_no_platform(source: Memory) -> None:
    attestation = source.repository.image("unknown", "sbom")
    platform = {"architecture": "unknown", "os": "unknown"}
    amd = source.repository.image("amd64", "x")
    value = {
        "mediaType": INDEX_TYPE,
        "manifests": [
            {**attestation, "platform": platform},
            {**amd, "platform": {"architecture": "amd64", "os": "linux"}},
        ],
    }
    source.repository.tag(source.repository.manifest(INDEX_TYPE, value), "1")
    source.repository.attach(attestation, b"of the attestation", created=NEW)
    outcome = await look(source, Platform("unknown", "unknown"), S390)
    assert PlatformAbsent(has_spec=False) == one(outcome, S390)
    source.repository.attach(amd, b"spec", created=NEW)
    assert b"spec" == content(await look(source))


# Indexes in an index -------------------------------------------------------------


def nested_index(repository: Repository, *entries: Descriptor) -> dict[str, object]:
    """An index that lists `entries` as they are."""
    value = {"mediaType": INDEX_TYPE, "manifests": list(entries)}
    return repository.manifest(INDEX_TYPE, value)


async def test_an_index_may_list_indexes_of_manifests(source: Memory) -> None:
    amd = source.repository.image("amd64", "x")
    inner = source.repository.index([("amd64", amd)])
    source.repository.tag(nested_index(source.repository, inner), "1")
    source.repository.attach(amd, b"spec", created=None)
    assert b"spec" == content(await look(source))


async def test_deeper_indexes_are_left_alone(source: Memory) -> None:
    amd = source.repository.image("amd64", "x")
    deepest = source.repository.index([("amd64", amd)])
    middle = nested_index(source.repository, deepest)
    source.repository.tag(nested_index(source.repository, middle), "1")
    assert PlatformAbsent(has_spec=False) == one(await look(source))
    read = [what for kind, what in source.asked if kind == "manifest"]
    assert str(deepest["digest"]) not in read


async def test_what_deeper_indexes_list_is_not_known_to_be_lacking(
    source: Memory,
) -> None:
    """A denial for a platform that may be there would be wrong."""
    deepest = source.repository.index([("s390x", source.repository.image("s", "x"))])
    middle = nested_index(source.repository, deepest)
    root = nested_index(source.repository, middle)
    source.repository.tag(root, "1")
    source.repository.attach(root, b"spec", created=None)
    assert "Invalid NestedTooDeep" == reason(await look(source, S390), S390)


@pytest.mark.parametrize("nested", [0, 3])
@pytest.mark.parametrize("more", [0, 1])
async def test_an_index_lists_so_many_indexes_and_no_more(
    more: int, nested: int, source: Memory
) -> None:
    amd = source.repository.image("amd64", "x")
    inner = [
        source.repository.index([(f"a{n}", source.repository.image("x", str(n)))])
        for n in range(nested + more)
    ]
    child = {**amd, "platform": {"os": "linux", "architecture": "amd64"}}
    source.repository.tag(nested_index(source.repository, child, *inner), "1")
    outcome = await look(source, S390, limits=replace(Limits(), nested=nested))
    if more:
        assert "Invalid TooManyManifests" == reason(outcome, S390)
    else:
        assert PlatformAbsent(has_spec=False) == one(outcome, S390)


@pytest.mark.parametrize("more", [0, 1])
async def test_an_index_lists_so_many_manifests_and_no_more(
    more: int, source: Memory
) -> None:
    amd = source.repository.image("amd64", "x")
    source.repository.tag(source.repository.index([("amd64", amd)] * (3 + more)), "1")
    outcome = await look(source, limits=replace(Limits(), children=3))
    if more:
        assert "Invalid TooManyManifests" == reason(outcome)
    else:
        assert Missing() == one(outcome)


async def test_an_inner_index_that_is_gone_is_no_platform_that_is_absent(
    source: Memory,
) -> None:
    amd = source.repository.image("amd64", "x")
    inner = source.repository.index([("amd64", amd)])
    source.repository.tag(nested_index(source.repository, inner), "1")
    del source.repository.blobs[str(inner["digest"])]
    assert "Unavailable NotFound" == reason(await look(source))


async def test_an_index_that_is_gone_after_it_was_resolved_is_not_found(
    source: Memory, children: Mapping[str, Descriptor]
) -> None:
    del source.repository.blobs[str(children["index"]["digest"])]
    assert isinstance(await look(source), ImageNotFound)


async def test_what_is_served_as_an_index_must_say_so(source: Memory) -> None:
    """One content that is read in two ways could be judged as one, and run as two."""
    value = {"mediaType": MANIFEST_TYPE, "manifests": [], "layers": []}
    source.repository.tag(source.repository.manifest(INDEX_TYPE, value), "1")
    assert "Invalid TypeMismatch" == reason(await look(source))


async def test_a_child_without_a_usable_digest_is_invalid(source: Memory) -> None:
    entry = {
        "mediaType": MANIFEST_TYPE,
        "digest": "sha256:../x",
        "platform": {"os": "linux", "architecture": "amd64"},
    }
    source.repository.tag(nested_index(source.repository, entry), "1")
    assert "Invalid InvalidManifest" == reason(await look(source))
