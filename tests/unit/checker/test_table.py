"""The whole table of a Pod: what the laws in `property/test_check.py` leave open."""

from __future__ import annotations

import pytest

from app.admission.review import Review
from app.checker import Checker, Options, table
from app.checker.judged import Judged
from app.checker.table import Part, Tables
from app.checker.view import View
from app.compat.features import Features
from app.compat.outcome import Outcome, UnpublishedFeatures
from app.ports import (
    Missing,
    Platform,
    PlatformAbsent,
    PlatformOutcome,
    Resolved,
    Unauthorized,
    Unavailable,
)
from app.telemetry import Metrics
from tests.tools.doubles import (
    AMD64,
    ARM,
    ARM64,
    LINUX,
    FakeArtifacts,
    FakeCluster,
    found,
    resolved,
    wants_module,
)

FITS, MISFIT, UNKNOWN = Outcome.FITS, Outcome.DOES_NOT_FIT, Outcome.UNKNOWN


def spec(*terms: str) -> str:
    text = ", ".join(terms)
    return f"""\
version: v1alpha1
compatibilities:
- rules: [{{name: r, matchFeatures: [{text}]}}]
"""


async def judged(
    cluster: FakeCluster, artifacts: FakeArtifacts, image: str = "app"
) -> Judged:
    return await judged_by(Checker(cluster, artifacts, Metrics(), Options()), image)


async def judged_by(checker: Checker, image: str) -> Judged:
    pod = {"spec": {"containers": [{"name": "c", "image": image}]}}
    review = Review("u", "Pod", "pods", "CREATE", object=pod)
    answer = await checker.judge(review, deadline_seconds=60)
    assert isinstance(answer, Judged)
    return answer


async def parts(cluster: FakeCluster, artifacts: FakeArtifacts) -> tuple[Part, ...]:
    one = await judged(cluster, artifacts)
    return Tables(one.gathering.view).of(one)


def told(part: Part) -> list[tuple[str, str, str, str]]:
    return [
        (why.rule, why.what, why.want, why.found)
        for cell in part.cells
        for why in cell.reasons
    ]


async def test_an_index_without_a_manifest_for_a_platform_does_not_fit_there(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    cluster.add("a", "x")
    cluster.add("arm", "x", labels=ARM)
    platforms: dict[Platform, PlatformOutcome] = {
        AMD64: found(wants_module("x")),
        ARM64: PlatformAbsent(has_spec=True),
    }
    artifacts.images["app"] = Resolved("sha256:i", platforms, is_index=True)
    by_outcome = {one.outcome: one for one in await parts(cluster, artifacts)}
    assert {FITS, MISFIT} == by_outcome.keys()
    want = "a manifest for linux/arm64"
    assert [("", "image index", want, "none")] == told(by_outcome[MISFIT])


async def test_what_nobody_found_out_is_unknown(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    cluster.add("arm", labels=ARM)
    artifacts.images["app"] = Resolved("sha256:i", {AMD64: found(wants_module("x"))})
    (only,) = await parts(cluster, artifacts)
    assert (UNKNOWN, [("", "spec", "to be judged in time", "it was not")]) == (
        only.outcome,
        told(only),
    )


async def test_what_a_registry_did_not_tell_is_unknown_on_every_node(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    """For the webhook it bounds no node: one registry must not stop a cluster."""
    cluster.add("a", "x")
    cluster.add("bare", labels={})
    artifacts.images["app"] = Unavailable("Status", "500")
    one = await judged(cluster, artifacts)
    (only,) = Tables(one.gathering.view).of(one)
    told_of = ("", "not judged: its registry could not answer: 500", "", "")
    assert (UNKNOWN, 2, [told_of]) == (
        only.outcome,
        only.nodes.bit_count(),
        told(only),
    )
    assert 2 == one.gathered.finding.fits


async def test_what_a_registry_did_not_tell_of_one_platform_is_unknown_there(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    cluster.add("a", "x")
    cluster.add("arm", labels=ARM)
    cluster.add("bare", labels={})
    asks_nothing: dict[Platform, PlatformOutcome] = {
        AMD64: Missing(),
        ARM64: Unauthorized(""),
    }
    artifacts.images["app"] = Resolved("sha256:i", asks_nothing, is_index=True)
    by_outcome = {one.outcome: one for one in await parts(cluster, artifacts)}
    assert {FITS: 1, UNKNOWN: 2} == {
        one: part.nodes.bit_count() for one, part in by_outcome.items()
    }
    text = "not judged: no access"
    assert [("", text, "", "")] == told(by_outcome[UNKNOWN])


async def test_what_is_remembered_of_one_answer_is_not_told_of_another(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    cluster.add("a", "x")
    artifacts.images |= {
        "app": Resolved("sha256:i", {AMD64: Missing()}),
        "away": Unavailable("Status", "500"),
    }
    checker = Checker(cluster, artifacts, Metrics(), Options())
    one, two = [await judged_by(checker, image) for image in ("app", "away")]
    tables = Tables(one.gathering.view)
    assert [FITS, UNKNOWN] == [tables.of(each)[0].outcome for each in (one, two)]


async def test_without_candidates_there_are_no_parts(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    artifacts.images["app"] = resolved(wants_module("x"))
    assert () == await parts(cluster, artifacts)


async def test_nodes_beyond_the_bound_of_parts_share_one(
    cluster: FakeCluster, artifacts: FakeArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MAX_PARTS", 2)
    for name, modules in (("n1", ""), ("n2", ""), ("n3", "a"), ("n4", "b")):
        cluster.add(name, *modules)
    both = (
        "{feature: kernel.loadedmodule, matchExpressions: "
        "{a: {op: Exists}, b: {op: Exists}, c: {op: Exists}}}"
    )
    artifacts.images["app"] = resolved(spec(both))
    found_parts = await parts(cluster, artifacts)
    assert [2, 1, 1] == [one.nodes.bit_count() for one in found_parts]
    assert [("", "other reasons", "", "")] == told(found_parts[-1])


async def test_unknown_nodes_beyond_the_bound_share_one(
    cluster: FakeCluster, artifacts: FakeArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MAX_PARTS", 0)
    cluster.add("n1", "a")
    artifacts.images["app"] = resolved(spec("{feature: off.now}"))
    (only,) = await parts(cluster, artifacts)
    assert (UNKNOWN, [("", "other reasons", "", "")]) == (only.outcome, told(only))


@pytest.mark.parametrize(("count", "more"), [(16, 0), (17, 1)])
async def test_reasons_of_a_part_have_a_bound(
    cluster: FakeCluster, artifacts: FakeArtifacts, count: int, more: int
) -> None:
    cluster.add("n1")
    names = ", ".join(f"m{n:02}: {{op: Exists}}" for n in range(count))
    text = f"{{feature: kernel.loadedmodule, matchExpressions: {{{names}}}}}"
    artifacts.images["app"] = resolved(spec(text))
    (only,) = await parts(cluster, artifacts)
    assert (table.MAX_REASONS, more) == (len(told(only)), only.cells[0].more)


@pytest.mark.parametrize(
    ("is_shared", "instead"),
    [(True, "5.14 or 5.15"), (False, "5.14 or 5.15 or others")],
)
async def test_what_the_nodes_of_a_large_part_have_is_told_of_all_or_some(
    cluster: FakeCluster, artifacts: FakeArtifacts, *, is_shared: bool, instead: str
) -> None:
    """Only where few sets are shared by all nodes can all of them be looked at."""
    shared = [{"full": "5.15"}, {"full": "5.14"}]
    for number in range(300):
        cluster.add(f"n{number:03}")
        version = shared[number % 2] if is_shared else dict(shared[number % 2])
        cluster.features[f"n{number:03}"] = Features(
            attributes={"kernel.version": version}
        )
    text = (
        "{feature: kernel.version, matchExpressions: "
        "{full: {op: Ge, type: version, value: ['6']}}}"
    )
    artifacts.images["app"] = resolved(spec(text))
    (only,) = await parts(cluster, artifacts)
    want = "version >= 6"
    expected = ("r", "kernel.version full", want, instead)
    assert ([expected], 300) == (told(only), only.nodes.bit_count())


async def test_a_rule_that_looks_at_variables_is_told_as_a_whole(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    cluster.add("n1", "a")
    artifacts.images["app"] = resolved("""\
version: v1alpha1
compatibilities:
- rules:
  - name: says
    vars: {x: "1"}
    matchFeatures: [{feature: kernel.loadedmodule}]
  - name: looks
    matchFeatures:
    - feature: rule.matched
      matchExpressions: {x: {op: In, value: ["2"]}, y: {op: Exists}}
""")
    (only,) = await parts(cluster, artifacts)
    assert [("looks", "the rule does not match", "", "")] == told(only)
    assert not only.cells[0].reasons[0].changeable


@pytest.mark.parametrize(
    ("unpublished", "doubted"),
    [
        (UnpublishedFeatures.UNKNOWN, ["off.now", "evaluation"]),
        (UnpublishedFeatures.NO, ["evaluation"]),
    ],
)
async def test_what_is_no_doubt_by_the_settings_is_not_told_as_one(
    cluster: FakeCluster,
    artifacts: FakeArtifacts,
    unpublished: UnpublishedFeatures,
    doubted: list[str],
) -> None:
    cluster.add("n1", "a")
    off = "{feature: off.now}"
    broken = "{feature: kernel.loadedmodule, matchName: {op: Gt, value: ['1']}}"
    artifacts.images["app"] = resolved(f"""\
version: v1alpha1
compatibilities:
- rules: [{{name: off, matchFeatures: [{off}]}}]
- rules: [{{name: broken, matchFeatures: [{broken}]}}]
""")
    options = Options(unpublished=unpublished)
    checker = Checker(cluster, artifacts, Metrics(), options)
    one = await judged_by(checker, "app")
    (only,) = Tables(one.gathering.view).of(one)
    assert (UNKNOWN, doubted) == (only.outcome, [what for _, what, _, _ in told(only)])


async def test_doubts_that_cost_too_much_are_not_told(
    cluster: FakeCluster, artifacts: FakeArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MAX_CALLS", 0)
    cluster.add("n1", "a")
    text = "{feature: kernel.loadedmodule, matchName: {op: Gt, value: ['1']}}"
    artifacts.images["app"] = resolved(spec(text))
    (only,) = await parts(cluster, artifacts)
    assert (UNKNOWN, [("", "other reasons", "", "")]) == (only.outcome, told(only))


async def test_tables_are_remembered_within_a_bound(
    cluster: FakeCluster, artifacts: FakeArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MAX_REMEMBERED", 1)
    cluster.add("n1", "a")
    artifacts.images |= {
        "app": resolved(wants_module("a")),
        "other": resolved(wants_module("b")),
    }
    checker = Checker(cluster, artifacts, Metrics(), Options())
    one, two = [await judged_by(checker, image) for image in ("app", "other")]
    tables = Tables(one.gathering.view)
    first = tables.of(one)
    assert first is tables.of(one)
    assert first != tables.of(two)
    assert first is not tables.of(one)
    assert first == tables.of(one)


async def test_a_table_holds_until_a_node_changes(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    cluster.add("n1")
    artifacts.images["app"] = resolved(wants_module("x"))
    checker = Checker(cluster, artifacts, Metrics(), Options())
    one = await judged_by(checker, "app")
    tables = Tables(one.gathering.view)
    assert [MISFIT] == [part.outcome for part in tables.of(one)]
    cluster.add("n1", "x")
    assert [FITS] == [
        part.outcome for part in tables.of(await judged_by(checker, "app"))
    ]


async def test_of_a_spec_that_is_forgotten_only_the_verdict_is_told(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    cluster.add("n1")
    artifacts.images["app"] = resolved(wants_module("x"))
    one = await judged(cluster, artifacts)
    (only,) = Tables(View(cluster)).of(one)
    assert (MISFIT, [("", "other reasons", "", "")]) == (only.outcome, told(only))


async def test_a_judged_pod_is_what_validate_says(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    """And nothing is counted: nobody was asked for a review."""
    cluster.add("n1")
    artifacts.images["app"] = resolved(wants_module("x"))
    metrics = Metrics()
    checker = Checker(cluster, artifacts, metrics, Options())
    pod = {"spec": {"containers": [{"name": "c", "image": "app"}]}}
    review = Review("u", "Pod", "pods", "CREATE", namespace="default", object=pod)
    one = await checker.judge(review, deadline_seconds=60)
    assert isinstance(one, Judged)
    assert not checker.state().decisions
    assert one.response == await checker.validate(review, deadline_seconds=60)
    assert 403 == one.response.code
    assert 1 == len(checker.state().decisions)


async def test_what_is_left_alone_is_no_judged_pod(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    checker = Checker(cluster, artifacts, Metrics(), Options())
    review = Review("u", "ConfigMap", "configmaps", "CREATE", object={})
    answer = await checker.judge(review, deadline_seconds=60)
    assert "kind" == getattr(answer, "why", "")


async def test_an_exception_of_ours_is_not_answered_by_the_policy(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    artifacts.error = ZeroDivisionError("a bug")
    cluster.add("n1")
    with pytest.raises(ZeroDivisionError):
        await judged(cluster, artifacts)


# What tables are known by ----------------------------------------------------------


async def judged_where(checker: Checker, selector: dict[str, str]) -> Judged:
    containers = [{"name": "c", "image": "app"}]
    pod = {"spec": {"containers": containers, "nodeSelector": selector}}
    review = Review("u", "Pod", "pods", "CREATE", object=pod)
    answer = await checker.judge(review, deadline_seconds=60)
    assert isinstance(answer, Judged)
    return answer


async def test_each_pod_has_a_table_of_its_own_candidates(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    """Of one spec and image, on other nodes."""
    cluster.add("a", "x", labels={**LINUX, "pool": "a"})
    cluster.add("b", labels={**LINUX, "pool": "b"})
    artifacts.images["app"] = resolved(wants_module("x"))
    checker = Checker(cluster, artifacts, Metrics(), Options())
    one = await judged_where(checker, {"pool": "a"})
    two = await judged_where(checker, {"pool": "b"})
    tables = Tables(one.gathering.view)
    assert [[FITS], [MISFIT]] == [
        [part.outcome for part in tables.of(each)] for each in (one, two)
    ]


async def test_an_image_on_other_nodes_has_another_row(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    """Images without a spec have nothing else to be told apart by."""
    cluster.add("a", labels={**LINUX, "pool": "a"})
    cluster.add("b", labels={**LINUX, "pool": "b"})
    artifacts.images["app"] = Resolved("sha256:i", {AMD64: Missing()})
    checker = Checker(cluster, artifacts, Metrics(), Options())
    one = await judged_where(checker, {"pool": "a"})
    two = await judged_where(checker, {"pool": "b"})
    tables = Tables(one.gathering.view)
    (first,), (second,) = tables.of(one), tables.of(two)
    assert 0 == first.nodes & second.nodes


async def test_of_sets_that_fit_the_heaviest_is_chosen(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    """Wherever it stands in the spec."""
    cluster.add("a", "x")
    term = "matchFeatures: [{feature: kernel.loadedmodule}]"
    sets = "".join(
        f"- {{tag: t{weight}, weight: {weight}, rules: [{{name: r, {term}}}]}}\n"
        for weight in (1, 3, 2)
    )
    artifacts.images["app"] = resolved(f"version: v1alpha1\ncompatibilities:\n{sets}")
    (only,) = await parts(cluster, artifacts)
    assert (3, "t3") == (only.cells[0].score, only.cells[0].chosen)
