"""What is remembered counts by its bytes; who asks for what is in `test_artifacts`."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from app.oci.images import reference
from app.oci.images.digest import Digest
from app.oci.images.manifests import ARTIFACT_TYPE, CREATED, OCI_MANIFEST, Descriptor
from app.oci.images.source import Root
from app.oci.lookups import outcomes
from app.oci.lookups.cached import CachedSource, Memory, Times
from app.ports import Found, Missing, Platform, Resolved

SUBJECT = Digest.of(b"image")


@dataclass
class Source:
    """Implements the port on one list."""

    listed: list[Descriptor]
    asked: list[str] = field(default_factory=list)

    async def resolve(self) -> Root:
        self.asked.append("resolve")
        return Root(SUBJECT, OCI_MANIFEST)

    async def manifest(self, digest: Digest, *, most_bytes: int) -> bytes:
        self.asked.append("manifest")
        return b"x" * min(most_bytes, len(digest.encoded))

    blob = manifest

    async def referrers(self, subject: Digest) -> Sequence[Descriptor]:
        self.asked.append(f"referrers of {subject.algorithm}")
        return self.listed


def cached(source: Source, memory: Memory) -> CachedSource:
    return CachedSource(source, reference.parse("r.example/app:1"), memory)


@pytest.fixture
def memory() -> Memory:
    return Memory(lambda: 100.0, Times())


@pytest.mark.parametrize(
    ("texts", "times"),
    [
        pytest.param(1000, 1, id="small"),
        pytest.param(17 << 20, 2, id="larger-than-all"),
    ],
)
async def test_a_list_counts_with_all_its_annotations(
    memory: Memory, texts: int, times: int
) -> None:
    """One page may be 4 MiB of them: a few would fill the memory unseen."""
    one = Descriptor(artifact_type=ARTIFACT_TYPE, annotations={CREATED: "x" * texts})
    source = Source([one])
    for _ in range(2):
        found = await cached(source, memory).referrers(SUBJECT)
        assert [one] == list(found)
    assert times == len(source.asked)


async def test_what_is_surely_not_ours_is_not_kept(memory: Memory) -> None:
    other = Descriptor(artifact_type="application/spdx+json")
    source = Source([other, Descriptor(artifact_type=ARTIFACT_TYPE)])
    assert 1 == len(await cached(source, memory).referrers(SUBJECT))


async def test_known_content_that_is_too_large_now_is_not_given(memory: Memory) -> None:
    source = Source([])
    assert 64 == len(await cached(source, memory).blob(SUBJECT, most_bytes=100))
    assert 64 == len(await cached(source, memory).blob(SUBJECT, most_bytes=64))
    assert 63 == len(await cached(source, memory).blob(SUBJECT, most_bytes=63))
    assert 2 == len(source.asked)


def test_an_outcome_counts_each_spec_once_and_with_its_date() -> None:
    def found(digest: str) -> Found:
        return Found("d", "s", digest, b"12345", created="x" * 100)

    outcome = Resolved(
        "d",
        {
            Platform("linux", "amd64"): found("a"),
            Platform("linux", "arm64"): found("a"),
            Platform("linux", "arm"): found("b"),
            Platform("linux", "s390x"): Missing(),
        },
    )
    assert 210 == outcomes.content_bytes(outcome)
