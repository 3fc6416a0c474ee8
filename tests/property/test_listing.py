"""Laws: listing and admission choose the same artifact, whatever there is."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from app.demo.registry import Types
from app.demo.registry_writing import Writing
from app.oci.images import artifact, finding
from app.oci.images.digest import Digest
from app.oci.images.manifests import CREATED, EMPTY_TYPE
from app.oci.writing.listing import ImageSpecs, State, list_specs
from app.ports import Found, Missing, Platform, Resolved
from tests.tools.writable import LIMITS, SPEC, World, world

NOW = datetime(2026, 3, 2, tzinfo=UTC)
PLATFORMS = [Platform("linux", "amd64"), Platform("linux", "arm64")]

dates = st.sampled_from(
    [
        None,
        "",
        "yesterday",
        "2026-01-01T00:00:00Z",
        "2026-01-01T01:00:00+01:00",
        "2026-02-01T00:00:00.5Z",
        "2026-02-01T00:00:00Z",
        "2036-01-01T00:00:00Z",
    ]
)
one_artifact = st.fixed_dictionaries(
    {
        "subject": st.sampled_from(["root", "amd64", "arm64"]),
        "created": dates,
        "listed": st.one_of(st.just("same"), dates),
        "fate": st.sampled_from(["whole"] * 6 + ["gone", "empty", "foreign", "other"]),
        "number": st.integers(0, 99),
    }
)
habits = st.sampled_from(
    [(True, Types.RIGHT), (True, Types.NONE), (False, Types.RIGHT)]
)


def built(
    habit: tuple[bool, Types], artifacts: list[Mapping[str, object]]
) -> tuple[World, dict[str, str]]:
    """A registry with the index `multi` and these artifacts; who is who."""
    made = world(Writing(subjects=False))
    has_api, types = habit
    made.registry.api = type(made.registry.api)(
        referrers=has_api, filtered=False, types=types
    )
    repository = made.repository
    index = repository.listed[1]
    amd, arm = (one for one in repository.types if one != index["digest"])
    names = {"root": str(index["digest"]), "amd64": amd, "arm64": arm}
    for one in artifacts:
        put(made, names[str(one["subject"])], one)
    if not has_api:
        for digest in names.values():
            repository.write_fallback_tag(digest)
    return made, names


def put(made: World, subject: str, one: Mapping[str, object]) -> None:
    repository, created = made.repository, one["created"]
    plain = {"mediaType": repository.types[subject], "digest": subject, "size": 1}
    annotations = {} if created is None else {CREATED: created}
    changes: dict[str, object] = {
        "annotations": {**annotations, "n": str(one["number"])}
    }
    if one["fate"] == "empty":
        changes["layers"] = []
    if one["fate"] == "foreign":
        changes["artifactType"] = "application/vnd.example"
    if one["fate"] == "other":
        changes["subject"] = {**plain, "digest": f"sha256:{0:064x}"}
    before = len(repository.listed)
    made_one = repository.attach(plain, SPEC, created=None, changes=changes)
    digest = str(made_one["digest"])
    assert before + 1 == len(repository.listed)
    entry = dict(repository.listed[-1])
    if one["listed"] != "same":
        listed = one["listed"]
        entry["annotations"] = {} if listed is None else {CREATED: listed}
    entry["artifactType"] = entry["artifactType"] or EMPTY_TYPE
    repository.listed[-1] = entry
    if one["fate"] == "gone":
        repository.types.pop(digest, None)


@settings(deadline=None, max_examples=150)
@given(habits, st.lists(one_artifact, max_size=5))
def test_listing_and_admission_choose_the_same(
    habit: tuple[bool, Types], artifacts: list[Mapping[str, object]]
) -> None:
    asyncio.run(_choose_the_same(*built(habit, artifacts)))


async def _choose_the_same(made: World, names: dict[str, str]) -> None:
    specs = await list_specs(made.store("multi"), LIMITS, now=NOW)
    assert isinstance(specs, ImageSpecs)
    admitted = await finding.find(made.store("multi"), PLATFORMS, LIMITS)
    assert isinstance(admitted, Resolved)
    assert specs.platforms == tuple(
        (str(one), admitted.platforms[one]) for one in PLATFORMS
    )
    counting: dict[str, str] = {}
    for subject in specs.subjects:
        digest = Digest.parse(subject.digest)
        assert digest is not None
        outcome = await artifact.find(made.store("multi"), digest, LIMITS)
        assert outcome == subject.outcome
        kinds = [one.state for one in subject.artifacts]
        chosen = [
            one
            for one in subject.artifacts
            if one.state in {State.COUNTS, State.SUPERSEDED}
        ]
        assert isinstance(outcome, Found) == (len(chosen) == 1), kinds
        if isinstance(outcome, Found):
            assert outcome.digest == chosen[0].digest == subject.artifacts[0].digest
            assert State.BROKEN not in kinds or kinds[0] is not State.BROKEN
            counting |= dict.fromkeys(chosen[0].counts_for, outcome.digest)
        if outcome == Missing():
            assert {State.DANGLING, State.OTHER_SUBJECT} >= set(kinds)
    assert counting == {
        str(name): one.digest
        for name, one in admitted.platforms.items()
        if isinstance(one, Found)
    }
    assert set(names.values()) == {one.digest for one in specs.subjects}
