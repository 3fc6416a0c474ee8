"""What reviews leave behind: metrics, and one line in the log each."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from app.admission.exemption import Exemption
from app.admission.policy import Mode, NodesMayAppear, Policy
from app.admission.review import Response, Review
from app.checker import Checker, Options
from app.checker import worker as worker_module
from app.checker.timing import Evaluation, evaluation
from app.compat.index import TooCostly
from app.errors import SpecError
from app.ports import NOBODY, Missing, Puller, Resolved
from app.scheduling.node import Node
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
OWNER = {
    "apiVersion": "apps/v1",
    "kind": "ReplicaSet",
    "name": "web-5d4",
    "controller": True,
}


@pytest.fixture
def world(cluster: FakeCluster, artifacts: FakeArtifacts) -> FakeCluster:
    """Two nodes; `vfio` fits one of them, `plain` asks nothing."""
    cluster.add("a", "vfio_pci")
    cluster.add("b")
    artifacts.images["vfio"] = resolved(wants_module("vfio_pci"))
    artifacts.images["broken"] = resolved("version: [")
    artifacts.images["plain"] = PLAIN
    return cluster


def creating(*images: str, **fields: object) -> Review:
    containers = [{"name": f"c{n}", "image": image} for n, image in enumerate(images)]
    metadata = {"ownerReferences": [OWNER]}
    values: dict[str, Any] = {
        "uid": "u",
        "kind": "Pod",
        "resource": "pods",
        "operation": "CREATE",
        "namespace": "default",
        "object": {"metadata": metadata, "spec": {"containers": containers}},
        **fields,
    }
    return Review(**values)


def printed(metrics: Metrics, name: str) -> dict[str, float]:
    """The samples of a metric: labels as they are printed -> value."""
    full = f"imagecompat_{name}"
    found = {}
    for line in metrics.text().decode().splitlines():
        sample, _, value = line.rpartition(" ")
        if sample.partition("{")[0] == full:
            found[sample.removeprefix(full)] = float(value)
    return found


def evaluations(metrics: Metrics) -> dict[str, float]:
    """What became of how many specs."""
    found = printed(metrics, "evaluations_total").items()
    return {labels.split('"')[1]: number for labels, number in found if number}


async def validated(
    world: FakeCluster,
    artifacts: FakeArtifacts,
    *images: str,
    options: Options | None = None,
    metrics: Metrics | None = None,
) -> Response:
    checker = Checker(world, artifacts, metrics or Metrics(), options)
    return await checker.validate(creating(*images), deadline_seconds=4.0)


# Evaluations ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "result"),
    [pytest.param("vfio", "judged", id="fine"), ("broken", "invalid")],
)
async def test_a_new_spec_is_counted_and_timed_once(
    world: FakeCluster, artifacts: FakeArtifacts, image: str, result: str
) -> None:
    metrics = Metrics()
    checker = Checker(world, artifacts, metrics)
    for _ in range(2):
        await checker.validate(creating(image), deadline_seconds=4.0)
    assert {result: 1.0} == evaluations(metrics)
    (seconds,) = printed(metrics, "evaluation_duration_seconds_sum").values()
    assert 0 < seconds < 4


async def test_a_spec_that_finds_no_place_is_counted(
    world: FakeCluster, artifacts: FakeArtifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "MAX_WAITING", 0)
    metrics = Metrics()
    await validated(world, artifacts, "vfio", metrics=metrics)
    found = evaluations(metrics)
    assert ["refused"] == list(found)
    assert found["refused"] >= 1


@pytest.mark.parametrize(
    ("found", "result"),
    [
        pytest.param(SpecError("TooCostly", "x"), "too_costly", id="to read"),
        pytest.param(TooCostly("x"), "too_costly", id="to judge"),
        pytest.param(SpecError("Invalid", "x"), "invalid", id="invalid"),
        pytest.param(object(), "judged", id="a judgement"),
    ],
)
def test_what_came_of_a_spec_is_one_word(found: object, result: str) -> None:
    one = Evaluation()
    one.ended(found)
    assert result == one.result


def test_an_error_of_ours_counts_as_a_failed_evaluation() -> None:
    metrics = Metrics()
    with pytest.raises(LookupError), evaluation(metrics):
        raise LookupError
    assert {"failed": 1.0} == evaluations(metrics)


# Not judged -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "review", "why"),
    [
        pytest.param(Options(Policy(mode=Mode.OFF)), {}, "off", id="mode"),
        pytest.param(Options(max_reviews=0), {}, "overload", id="overload"),
        pytest.param(Options(), {"kind": "Service"}, "kind", id="kind"),
        pytest.param(
            Options(exemptions=(Exemption("o", "r"),)), {}, "exempt", id="exempt"
        ),
    ],
)
async def test_what_is_not_judged_is_counted_by_why(
    world: FakeCluster,
    artifacts: FakeArtifacts,
    options: Options,
    review: Mapping[str, object],
    why: str,
) -> None:
    metrics = Metrics()
    checker = Checker(world, artifacts, metrics, options)
    await checker.validate(creating("plain", **review), deadline_seconds=4.0)
    await checker.mutate(creating("plain", **review), deadline_seconds=4.0)
    found = printed(metrics, "admission_not_judged_total")
    assert {f'{{why="{why}"}}': 1.0} == found


async def test_an_error_of_ours_is_counted_as_not_judged(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    metrics = Metrics()
    artifacts.error = LookupError("a bug")
    await validated(world, artifacts, "plain", metrics=metrics)
    found = printed(metrics, "admission_not_judged_total")
    assert {'{why="error"}': 1.0} == found


# Gauges ---------------------------------------------------------------------------


async def test_the_mode_is_a_label_that_is_one(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    metrics = Metrics()
    checker = Checker(world, artifacts, metrics, Options(Policy(mode=Mode.WARN)))
    checker.refresh()
    expected = {"enforce": 0.0, "warn": 1.0, "audit": 0.0, "off": 0.0}
    found = printed(metrics, "policy_mode")
    assert {f'{{mode="{mode}"}}': on for mode, on in expected.items()} == found
    await checker.exchange(Options(Policy(mode=Mode.AUDIT)))
    checker.refresh()
    assert 1.0 == printed(metrics, "policy_mode")['{mode="audit"}']
    assert 1.0 == sum(printed(metrics, "policy_mode").values())


@pytest.mark.parametrize(
    ("setting", "labels", "expected"),
    [
        pytest.param(NodesMayAppear.AUTO, {}, 0.0, id="no pool"),
        pytest.param(
            NodesMayAppear.AUTO, {"karpenter.sh/nodepool": "x"}, 1.0, id="a pool"
        ),
        pytest.param(NodesMayAppear.YES, {}, 1.0, id="said so"),
    ],
)
async def test_whether_nodes_may_appear_is_a_gauge(
    world: FakeCluster,
    artifacts: FakeArtifacts,
    setting: NodesMayAppear,
    labels: Mapping[str, str],
    expected: float,
) -> None:
    world.nodes["c"] = Node("c", labels=dict(labels))
    metrics = Metrics()
    options = Options(Policy(nodes_may_appear=setting))
    checker = Checker(world, artifacts, metrics, options)
    await checker.validate(creating("plain"), deadline_seconds=4.0)
    checker.refresh()
    assert {"": expected} == printed(metrics, "nodes_may_appear")


# The line -------------------------------------------------------------------------


async def test_the_line_says_whose_the_pod_is(
    world: FakeCluster, artifacts: FakeArtifacts, events: list[dict[str, Any]]
) -> None:
    await validated(world, artifacts, "vfio")
    (line,) = events
    assert "ReplicaSet/web-5d4" == line["owner"]


async def test_the_line_says_what_the_review_waited_for(
    world: FakeCluster, artifacts: FakeArtifacts, events: list[dict[str, Any]]
) -> None:
    class AtHand(FakeArtifacts):
        def at_hand(
            self, image: str, platforms: object, puller: Puller = NOBODY
        ) -> Resolved:
            del platforms, puller
            found = self.images[image]
            assert isinstance(found, Resolved)
            return found

    await validated(world, artifacts, "vfio")
    await validated(world, artifacts, "plain")
    checker = Checker(world, AtHand(artifacts.images), Metrics())
    for _ in range(2):
        await checker.validate(creating("vfio"), deadline_seconds=4.0)
    waits = [line.get("waited_for") for line in events]
    assert [("evaluation", "registry"), ("registry",), ("evaluation",), None] == waits


async def test_the_line_says_what_keeps_a_denial_away(
    world: FakeCluster, artifacts: FakeArtifacts, events: list[dict[str, Any]]
) -> None:
    artifacts.images["none"] = resolved(wants_module("absent"))
    options = Options(Policy(nodes_may_appear=NodesMayAppear.YES))
    await validated(world, artifacts, "none", options=options)
    (line,) = events
    assert ["nodes may appear"] == line["capped_by"]


TEAM = Exemption("team-a", "legacy", images=("vfio",))
ALL = Exemption("platform", "night shift", expires=datetime(2999, 1, 1, tzinfo=UTC))


async def test_the_line_and_the_record_say_who_answers_for_an_exemption(
    world: FakeCluster, artifacts: FakeArtifacts, events: list[dict[str, Any]]
) -> None:
    options = Options(exemptions=(TEAM, ALL))
    response = await validated(world, artifacts, "vfio", "plain", options=options)
    audit = {"not-judged": "exempt", "exempted-by": "team-a, platform"}
    assert audit == response.audit
    (line,) = events
    assert "exempt" == line["not_judged"]
    assert {"vfio": "team-a", "plain": "platform"} == line["exempted"]
    assert "ReplicaSet/web-5d4" == line["owner"]


async def test_an_exempt_image_beside_others_is_named_too(
    world: FakeCluster, artifacts: FakeArtifacts, events: list[dict[str, Any]]
) -> None:
    options = Options(exemptions=(TEAM,))
    response = await validated(world, artifacts, "vfio", "plain", options=options)
    assert "team-a" == response.audit["exempted-by"]
    (line,) = events
    assert ("fits", {"vfio": "team-a"}) == (line["verdict"], line["exempted"])
    assert ["plain"] == list(line["images"])


async def test_without_an_exemption_nothing_is_said_of_one(
    world: FakeCluster, artifacts: FakeArtifacts, events: list[dict[str, Any]]
) -> None:
    response = await validated(world, artifacts, "vfio")
    assert "exempted-by" not in response.audit
    (line,) = events
    assert line.keys().isdisjoint({"exempted", "capped_by", "left_out", "not_judged"})


async def test_the_mutating_line_says_how_much_was_written(
    world: FakeCluster, artifacts: FakeArtifacts, events: list[dict[str, Any]]
) -> None:
    checker = Checker(world, artifacts, Metrics())
    await checker.mutate(creating("vfio"), deadline_seconds=4.0)
    (line,) = events
    assert ("mutate", 1) == (line["webhook"], line["patched"])
