import asyncio
import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.admission.exemption import Exemption
from app.admission.message import Detail
from app.admission.policy import Action, LabelledModes, NodesMayAppear, Policy
from app.admission.review import Response, Review
from app.checker import Checker, Options, gathering
from app.checker import review as review_module
from app.ports import (
    NOBODY,
    ImageNotFound,
    ImageOutcome,
    Invalid,
    Missing,
    Platform,
    Puller,
    Resolved,
    Snapshot,
    Unauthorized,
    Unavailable,
)
from app.telemetry import Metrics
from tests.tools.doubles import (
    AMD64,
    ARM64,
    FakeArtifacts,
    FakeCluster,
    resolved,
    wants_module,
)

PLAIN = Resolved("sha256:p", {AMD64: Missing(), ARM64: Missing()})


def creating(
    *images: str, annotations: Mapping[str, object] | None = None, **fields: object
) -> Review:
    containers = [{"name": f"c{n}", "image": image} for n, image in enumerate(images)]
    metadata = {"annotations": annotations} if annotations is not None else {}
    values: dict[str, object] = {
        "uid": "u",
        "kind": "Pod",
        "resource": "pods",
        "operation": "CREATE",
        "namespace": "default",
        "object": {"metadata": metadata, "spec": {"containers": containers}},
        **fields,
    }
    return Review(**values)  # type: ignore[arg-type]


@pytest.fixture
def world(cluster: FakeCluster, artifacts: FakeArtifacts) -> FakeCluster:
    """Two nodes; `vfio` fits one of them, `nvidia` none, `plain` asks nothing."""
    cluster.add("a", "vfio_pci")
    cluster.add("b")
    artifacts.images["vfio"] = resolved(wants_module("vfio_pci"))
    artifacts.images["nvidia"] = resolved(wants_module("nvidia"))
    artifacts.images["plain"] = PLAIN
    return cluster


def checker_of(
    cluster: FakeCluster, artifacts: FakeArtifacts, options: Options | None = None
) -> Checker:
    return Checker(cluster, artifacts, Metrics(), options)


async def validated(
    cluster: FakeCluster,
    artifacts: FakeArtifacts,
    review: Review,
    options: Options | None = None,
) -> Response:
    checker = checker_of(cluster, artifacts, options)
    return await checker.validate(review, deadline_seconds=4.0)


async def annotated(
    cluster: FakeCluster,
    artifacts: FakeArtifacts,
    review: Review,
    options: Options | None = None,
) -> list[dict[str, object]]:
    checker = checker_of(cluster, artifacts, options)
    response = await checker.mutate(review, deadline_seconds=1.6)
    assert response.allowed
    assert () == response.warnings
    return [dict(one) for one in response.patch]


async def test_a_pod_that_fits_a_node_is_allowed(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    response = await validated(world, artifacts, creating("vfio", "plain"))
    assert response.allowed
    assert () == response.warnings
    audit = {"verdict": "fits", "nodes": "1/2", "causes": "IC201"}
    assert audit.items() <= response.audit.items()
    assert "none" == json.loads(response.audit["specs"])["plain"]


async def test_a_pod_that_fits_no_node_is_denied(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    response = await validated(world, artifacts, creating("nvidia"))
    assert not response.allowed
    assert (403, "Forbidden") == (response.code, response.reason)
    assert response.message.splitlines() == [
        "[IC101] no node fits the image: 0 of 2 candidate nodes fit",
        "container c0: nvidia, spec " + artifacts_spec(artifacts, "nvidia"),
        (
            '- a, b: rule "needs nvidia": kernel.loadedmodule nvidia: want Exists, '
            "found not loaded"
        ),
        (
            "closest: a, 1 change would do: kernel.loadedmodule nvidia: want Exists, "
            "found not loaded"
        ),
        "counting the 2 nodes that exist now",
    ]
    specs = json.loads(response.audit["specs"])
    assert ["nvidia"] == list(specs) == list(json.loads(response.audit["images"]))
    audit = {
        "verdict": "does not fit",
        "decision": "deny",
        "mode": "enforce",
        "nodes": "0/2",
        "causes": "IC101",
    }
    assert audit.items() <= response.audit.items()


def artifacts_spec(artifacts: FakeArtifacts, image: str) -> str:
    outcome = artifacts.images[image]
    assert isinstance(outcome, Resolved)
    found = outcome.platforms[AMD64]
    return str(getattr(found, "spec_digest", "")).removeprefix("sha256:")[:8]


async def test_one_node_must_fit_all_images(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    world.add("b", "nvidia")
    response = await validated(world, artifacts, creating("vfio", "nvidia"))
    assert not response.allowed
    assert "no node fits all images: 0 of 2" in response.message
    world.add("b", "nvidia", "vfio_pci")
    assert (await validated(world, artifacts, creating("vfio", "nvidia"))).allowed


@pytest.mark.parametrize(
    ("label", "allowed", "warned"),
    [
        ("enforce", False, False),
        ("warn", True, True),
        ("audit", True, False),
        ("off", True, False),
        ("nonsense", False, False),
    ],
)
async def test_the_namespace_decides_how_far_a_verdict_goes(
    world: FakeCluster,
    artifacts: FakeArtifacts,
    label: str,
    allowed: bool,
    warned: bool,
) -> None:
    world.namespaces["default"] = {"imagecompat.dev/mode": label}
    response = await validated(world, artifacts, creating("nvidia"))
    assert (allowed, warned) == (response.allowed, bool(response.warnings))


async def test_off_asks_no_registry(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    world.namespaces["default"] = {"imagecompat.dev/mode": "off"}
    await validated(world, artifacts, creating("nvidia"))
    assert [] == await annotated(world, artifacts, creating("nvidia"))
    assert [] == artifacts.asked


async def test_a_namespace_that_is_not_known_denies_nothing(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    review = creating("nvidia", namespace="brand-new")
    response = await validated(world, artifacts, review)
    assert response.allowed
    assert response.warnings[0].startswith("[IC101]")


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Unavailable("Timeout", "r did not answer in time"), "IC202"),
        (ImageNotFound("r has no such image"), "IC204"),
        (Invalid("InvalidReference", "not an image reference"), "IC205"),
        (Resolved("d", {AMD64: Unavailable("ServerError", "r answered 500")}), "IC202"),
        (Resolved("d", {AMD64: Invalid("DigestMismatch", "x")}), "IC205"),
        (resolved("version: v1alpha1"), "IC205"),
    ],
)
async def test_an_image_that_cannot_be_judged_is_warned_about(
    world: FakeCluster, artifacts: FakeArtifacts, outcome: ImageOutcome, code: str
) -> None:
    artifacts.images["lost"] = outcome
    response = await validated(world, artifacts, creating("lost"))
    assert response.allowed
    (warning,) = response.warnings
    assert warning.startswith(f"[{code}] image lost not judged: ")


async def test_no_access_is_allowed_by_default(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    artifacts.images["secret"] = Unauthorized("r wants a credential")
    response = await validated(world, artifacts, creating("secret"))
    assert response.allowed
    assert () == response.warnings
    assert response.audit["causes"] == "IC203"


async def test_a_policy_may_deny_what_cannot_be_judged(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    artifacts.images["lost"] = Unavailable("Timeout", "too late")
    options = Options(policy=Policy(on_unavailable=Action.DENY))
    response = await validated(world, artifacts, creating("lost"), options)
    assert not response.allowed
    assert (503, "ServiceUnavailable") == (response.code, response.reason)


async def test_an_error_of_ours_is_a_warning(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    artifacts.error = KeyError("canary")
    response = await validated(world, artifacts, creating("vfio"))
    assert response.allowed
    (warning,) = response.warnings
    assert warning.startswith("[IC301] not judged: internal error (KeyError)")
    assert "canary" not in warning


@pytest.mark.parametrize(
    ("on_error", "mode", "allowed", "warned"),
    [
        (Action.DENY, "enforce", False, False),
        (Action.DENY, "warn", True, True),
        (Action.DENY, "audit", True, False),
        (Action.ALLOW, "enforce", True, False),
    ],
)
async def test_the_policy_and_the_mode_answer_for_an_error_of_ours(
    world: FakeCluster,
    artifacts: FakeArtifacts,
    on_error: Action,
    mode: str,
    allowed: bool,
    warned: bool,
) -> None:
    artifacts.error = KeyError("x")
    world.namespaces["default"] = {"imagecompat.dev/mode": mode}
    options = Options(policy=Policy(on_error=on_error))
    response = await validated(world, artifacts, creating("vfio"), options)
    assert (allowed, warned) == (response.allowed, bool(response.warnings))
    if not allowed:
        assert response.code == 503


async def test_stale_scalable_and_daemon_set_cap_a_misfit(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    world.stale = 121.0
    stale = await validated(world, artifacts, creating("nvidia"))
    world.stale = 0.0
    options = Options(policy=Policy(nodes_may_appear=NodesMayAppear.YES))
    scalable = await validated(world, artifacts, creating("nvidia"), options)
    for response, why in ((stale, "is stale"), (scalable, "nodes may appear")):
        assert response.allowed
        assert why in response.warnings[0]


async def test_an_autoscaled_pool_is_told_by_its_label(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    labels = {**world.nodes["a"].labels, "karpenter.sh/nodepool": "p"}
    world.add("a", labels=labels)
    response = await validated(world, artifacts, creating("nvidia"))
    assert response.allowed
    assert "nodes may appear" in response.warnings[0]


async def test_counts_tell_no_names(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    options = Options(detail=Detail.COUNTS)
    response = await validated(world, artifacts, creating("nvidia"), options)
    assert "kernel.loadedmodule" not in response.message


async def test_a_foreign_kind_is_allowed_without_a_look(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    review = creating("nvidia", kind="Service")
    expected = Response(allowed=True, audit={"not-judged": "kind"})
    assert expected == await validated(world, artifacts, review)
    assert [] == artifacts.asked


async def test_a_template_is_warned_about(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    made = creating("nvidia").object
    review = creating(
        kind="Deployment",
        group="apps",
        name="web",
        object={"metadata": {}, "spec": {"template": made}},
    )
    response = await validated(world, artifacts, review)
    assert response.allowed
    assert response.warnings[0].startswith(
        "[IC101] Deployment web: its Pods will be denied"
    )


async def test_tags_select_sets(world: FakeCluster, artifacts: FakeArtifacts) -> None:
    either = """\
version: v1alpha1
compatibilities:
- tag: strict
  rules: [{name: never, matchFeatures: [{feature: kernel.loadedmodule,
    matchExpressions: {nvidia: {op: Exists}}}]}]
- tag: loose
  rules: []
"""
    artifacts.images["either"] = resolved(either)
    assert (await validated(world, artifacts, creating("either"))).allowed
    strict = Options(tags=("strict",))
    assert not (await validated(world, artifacts, creating("either"), strict)).allowed


async def test_a_pod_is_annotated_with_what_was_found(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    (operation,) = await annotated(world, artifacts, creating("vfio"))
    assert "/metadata/annotations" == operation["path"]
    value = operation["value"]
    assert isinstance(value, dict)
    assert "fits" == value["imagecompat.dev/verdict"]
    assert "candidates=2,fits=1,unknown=0" == value["imagecompat.dev/nodes"]


async def test_annotating_twice_changes_nothing(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    (operation,) = await annotated(world, artifacts, creating("vfio"))
    value = operation["value"]
    assert isinstance(value, dict)
    assert [] == await annotated(world, artifacts, creating("vfio", annotations=value))


@pytest.mark.parametrize(
    ("options", "error"),
    [
        pytest.param(Options(annotate=False), None, id="not annotated"),
        pytest.param(Options(), KeyError("x"), id="an error of ours"),
    ],
)
async def test_without_a_verdict_forged_keys_go(
    world: FakeCluster,
    artifacts: FakeArtifacts,
    options: Options,
    error: Exception | None,
) -> None:
    artifacts.error = error
    forged = {"imagecompat.dev/verdict": "fits", "mine": "x"}
    review = creating("vfio", annotations=forged)
    path = "/metadata/annotations/imagecompat.dev~1verdict"
    assert [{"op": "remove", "path": path}] == await annotated(
        world, artifacts, review, options
    )


async def test_an_update_without_a_new_image_keeps_what_stood_there(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    old = creating("vfio", annotations={"imagecompat.dev/verdict": "fits"}).object
    forged = {"imagecompat.dev/verdict": "unknown"}
    review = creating("vfio", annotations=forged, operation="UPDATE", old_object=old)
    path = "/metadata/annotations/imagecompat.dev~1verdict"
    assert [{"op": "add", "path": path, "value": "fits"}] == await annotated(
        world, artifacts, review
    )


async def test_only_pods_are_annotated(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    review = creating(
        "vfio", kind="Service", annotations={"imagecompat.dev/verdict": "x"}
    )
    assert [] == await annotated(world, artifacts, review)


async def test_a_pod_of_any_shape_gets_an_answer(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    shapes: tuple[dict[str, object], ...]
    shapes = ({}, {"spec": []}, {"metadata": 3, "spec": {"containers": "x"}})
    for obj in shapes:
        review = replace(creating(), object=obj)
        assert (await validated(world, artifacts, review)).allowed
        assert [] == await annotated(world, artifacts, review)


async def test_reviews_are_counted(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    metrics = Metrics()
    checker = Checker(world, artifacts, metrics)
    for review in (creating("nvidia"), creating("vfio", operation="PATCH")):
        await checker.validate(review, deadline_seconds=1.0)
    text = metrics.text().decode()
    row = 'imagecompat_admission_requests_total{decision="%s",operation="%s",'
    assert row % ("deny", "CREATE") in text
    assert row % ("allow", "?") in text
    assert 'imagecompat_admission_causes_total{code="IC101"} 1.0' in text


NOW = datetime(2026, 11, 21, tzinfo=UTC)
LEGACY = Exemption(owner="ada", reason="old", images=("nvid*",))


async def exempted(
    cluster: FakeCluster, artifacts: FakeArtifacts, review: Review, *given: Exemption
) -> Response:
    options = Options(exemptions=given)
    checker = Checker(cluster, artifacts, Metrics(), options, now=lambda: NOW)
    return await checker.validate(review, deadline_seconds=1.0)


async def test_an_exempt_image_is_not_judged_and_the_others_are(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    assert (await exempted(world, artifacts, creating("nvidia"), LEGACY)).allowed
    assert [] == artifacts.asked
    artifacts.images["other"] = resolved(wants_module("other"))
    both = creating("nvidia", "other")
    response = await exempted(world, artifacts, both, LEGACY)
    assert not response.allowed
    assert ["other"] == [image for image, _ in artifacts.asked]


async def test_an_exemption_that_has_expired_exempts_nothing(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    ended = replace(LEGACY, expires=NOW)
    lasting = replace(LEGACY, expires=NOW + timedelta(seconds=1))
    review = creating("nvidia")
    assert not (await exempted(world, artifacts, review, ended)).allowed
    assert (await exempted(world, artifacts, review, lasting)).allowed


async def test_a_service_account_is_the_pods_own(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    exemption = Exemption("ada", "x", service_accounts=("default/robot",))
    review = creating("nvidia")
    assert not (await exempted(world, artifacts, review, exemption)).allowed
    spec = {
        "containers": [{"name": "c", "image": "nvidia"}],
        "serviceAccountName": "robot",
    }
    robot = replace(review, object={"metadata": {}, "spec": spec})
    assert (await exempted(world, artifacts, robot, exemption)).allowed


async def test_an_exempt_pod_keeps_no_forged_annotation(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    forged = {"imagecompat.dev/verdict": "fits"}
    options = Options(exemptions=(LEGACY,))
    (operation,) = await annotated(
        world, artifacts, creating("nvidia", annotations=forged), options
    )
    assert "remove" == operation["op"]


async def test_a_pods_annotation_counts_only_where_the_admin_says_so(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    review = creating("nvidia", annotations={"imagecompat.dev/mode": "off"})
    assert not (await validated(world, artifacts, review)).allowed
    options = Options(policy=Policy(pod_modes=LabelledModes.ANY))
    assert (await validated(world, artifacts, review, options)).allowed


@pytest.mark.parametrize(
    ("action", "allowed", "warned"),
    [
        (Action.ALLOW, True, False),
        (Action.WARN, True, True),
        (Action.DENY, False, False),
    ],
)
async def test_more_reviews_than_we_take_on_are_answered_by_the_policy(
    world: FakeCluster,
    artifacts: FakeArtifacts,
    action: Action,
    allowed: bool,
    warned: bool,
) -> None:
    options = Options(policy=Policy(on_overload=action), max_reviews=1)
    checker = checker_of(world, artifacts, options)
    review = creating("vfio")
    first, second = await asyncio.gather(
        checker.validate(review, deadline_seconds=1.0),
        checker.validate(review, deadline_seconds=1.0),
    )
    assert first.allowed
    assert first.audit["verdict"] == "fits"
    assert (allowed, warned) == (second.allowed, bool(second.warnings))
    assert "[IC302]" in (second.message or " ".join(second.warnings) or "[IC302]")
    third = await checker.validate(review, deadline_seconds=1.0)
    assert third.audit["verdict"] == "fits"


async def test_under_overload_nothing_is_annotated(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    checker = checker_of(world, artifacts, Options(max_reviews=1))
    review = creating("vfio")
    answers = await asyncio.gather(
        checker.validate(review, deadline_seconds=1.0),
        checker.validate(review, deadline_seconds=1.0),
        checker.mutate(review, deadline_seconds=1.0),
    )
    assert () == answers[2].patch


# What is reported besides ---------------------------------------------------------


def updating(old: tuple[str, ...], new: tuple[str, ...]) -> Review:
    """An UPDATE; containers are named by their place."""
    before = creating(*old).object
    return creating(*new, operation="UPDATE", old_object=before)


async def test_an_image_that_did_not_change_is_reported_and_decides_nothing(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    review = updating(("nvidia", "plain"), ("nvidia", "vfio"))
    response = await validated(world, artifacts, review)
    assert response.allowed
    assert () == response.warnings
    assert ["vfio", "nvidia"] == list(json.loads(response.audit["specs"]))
    assert "1/2" == response.audit["nodes"]
    (patch,) = await annotated(world, artifacts, review)
    written = patch["value"]
    assert isinstance(written, dict)
    assert {"vfio", "nvidia"} == json.loads(written["imagecompat.dev/images"]).keys()


async def test_an_unchanged_image_whose_registry_hangs_is_not_waited_for(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    granted: dict[str, float] = {}

    class Noting(FakeArtifacts):
        async def find(
            self,
            image: str,
            platforms: Collection[Platform],
            *,
            deadline_seconds: float,
            puller: Puller = NOBODY,
        ) -> ImageOutcome:
            del puller
            granted[image] = deadline_seconds
            return await super().find(
                image, platforms, deadline_seconds=deadline_seconds
            )

    review = updating(("plain", "vfio"), ("plain", "nvidia"))
    await validated(world, Noting(artifacts.images), review)
    assert granted["plain"] <= gathering.OTHERS_SECONDS < granted["nvidia"]


async def test_an_exempt_image_is_not_even_reported(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    exemption = Exemption(owner="ada", reason="old", images=("nvidia",))
    review = updating(("nvidia", "plain"), ("nvidia", "vfio"))
    options = Options(exemptions=(exemption,))
    response = await validated(world, artifacts, review, options)
    assert ["vfio"] == list(json.loads(response.audit["specs"]))


@pytest.mark.parametrize(
    ("field", "why"), [("on_error", "error"), ("on_overload", "overload")]
)
async def test_a_template_is_not_denied_for_a_fault_of_ours(
    world: FakeCluster, artifacts: FakeArtifacts, field: str, why: str
) -> None:
    if field == "on_error":
        artifacts.error = RuntimeError("a bug")
    policy = Policy(on_error=Action.DENY, on_overload=Action.DENY)
    options = Options(policy=policy, max_reviews=512 if field == "on_error" else 0)
    template = {"spec": {"template": creating("vfio").object}}
    review = creating(kind="Deployment", group="apps", object=template)
    response = await validated(world, artifacts, review, options)
    assert response.allowed
    assert 1 == len(response.warnings)
    assert why == response.audit["not-judged"]


async def test_tags_that_select_no_set_leave_an_image_without_a_spec(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    options = Options(tags=("gpu",))
    response = await validated(world, artifacts, creating("nvidia"), options)
    assert response.allowed
    assert "IC201" == response.audit["causes"]


async def test_a_verdict_that_was_not_found_in_time_is_not_written(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    artifacts.images["slow"] = Unavailable("Timeout", "no time left")
    assert [] == await annotated(world, artifacts, creating("vfio", "slow"))
    artifacts.images["slow"] = Unavailable("ServerError", "it answered 503")
    assert [] != await annotated(world, artifacts, creating("vfio", "slow"))


@pytest.mark.parametrize("spare", [0, 1])
async def test_images_beyond_the_limit_are_not_looked_up(
    world: FakeCluster, artifacts: FakeArtifacts, spare: int
) -> None:
    names = [f"plain{n}" for n in range(gathering.MAX_IMAGES + 1 - spare)]
    artifacts.images.update(dict.fromkeys(names, PLAIN))
    response = await validated(world, artifacts, creating(*names))
    assert gathering.MAX_IMAGES == len(artifacts.asked)
    causes = set(response.audit["causes"].split(","))
    assert ({"IC201", "IC202"} if not spare else {"IC201"}) == causes


async def followed(checker: Checker, nodes: int) -> None:
    """Waits until the checker, not asked for anything, knows of so many nodes."""
    while len(checker._setups.current.gathering.view.nodes) != nodes:  # noqa: ASYNC110 - no event there
        await asyncio.sleep(0)


async def test_the_checker_follows_the_cluster_between_reviews(
    world: FakeCluster, artifacts: FakeArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review_module, "FOLLOW_SECONDS", 0.0)
    checker = checker_of(world, artifacts)
    async with checker.running():
        await followed(checker, 2)
        world.add("c")
        await followed(checker, 3)


async def test_a_cluster_that_cannot_be_followed_is_tried_again(
    world: FakeCluster,
    artifacts: FakeArtifacts,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(review_module, "FOLLOW_SECONDS", 0.0)

    class Broken(FakeCluster):
        tries = 0

        def snapshot(self) -> Snapshot:
            self.tries += 1
            if self.tries == 1:
                raise RuntimeError("a bug")
            return super().snapshot()

    checker = checker_of(Broken(world.nodes, world.features), artifacts)
    async with checker.running():
        await followed(checker, 2)
    assert ["following the cluster failed"] == [one.message for one in caplog.records]


async def test_gauges_tell_of_memory_and_exemptions(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    given = [
        Exemption(owner="ada", reason="old", images=("x",), expires=NOW + later)
        for later in (timedelta(days=1), timedelta(days=-1), timedelta(days=-2))
    ]
    metrics, options = Metrics(), Options(exemptions=tuple(given))
    checker = Checker(world, artifacts, metrics, options, now=lambda: NOW)
    await checker.validate(creating("vfio"), deadline_seconds=4.0)
    checker.refresh()
    lines = metrics.text().decode().splitlines()
    for line in (
        "imagecompat_specs_remembered 1.0",
        "imagecompat_evaluations_waiting 0.0",
        'imagecompat_exemptions{state="holding"} 1.0',
        'imagecompat_exemptions{state="expired"} 2.0',
    ):
        assert line in lines
    (size,) = [x for x in lines if x.startswith("imagecompat_answers_bytes ")]
    assert float(size.split()[1]) > 0
