"""What is kept of reviews, and what is said where there is no room for one."""

import asyncio
import threading
from datetime import UTC, datetime

import pytest

from app.admission.exemption import Exemption
from app.admission.policy import Action, NodesMayAppear, Policy
from app.admission.review import Review
from app.checker import Checker, Options
from app.checker.record import MAX_DECISIONS, Remembered, Webhook
from app.checker.worker import Worker
from app.telemetry import Metrics
from tests.tools.doubles import FakeArtifacts, FakeCluster, resolved, wants_module

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def pod(image: str = "image", **fields: str) -> Review:
    obj = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "secret-name"},
        "spec": {"containers": [{"name": "main", "image": image}]},
    }
    given = {"kind": "Pod", "resource": "pods", "operation": "CREATE", **fields}
    return Review(uid="u", namespace="default", object=obj, **given)  # type: ignore[arg-type]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def checker(cluster: FakeCluster, metrics: Metrics) -> Checker:
    """A cluster of two nodes, none of which has the module that `image` needs."""
    cluster.add("one")
    cluster.add("two")
    cluster.namespaces["quiet"] = {"imagecompat.dev/mode": "audit"}
    cluster.namespaces["off"] = {"imagecompat.dev/mode": "off"}
    fits, misfit = wants_module("there"), wants_module("secret-module")
    cluster.add("three", "there")
    images = {"image": resolved(misfit), "good": resolved(fits)}
    artifacts = FakeArtifacts(images)  # type: ignore[arg-type]
    exemptions = (
        Exemption("a", "b", namespaces=("x",)),
        Exemption(
            "a", "b", namespaces=("y",), expires=datetime(2020, 1, 1, tzinfo=UTC)
        ),
    )
    options = Options(
        policy=Policy(on_overload=Action.DENY, nodes_may_appear=NodesMayAppear.NO),
        exemptions=exemptions,
    )
    return Checker(cluster, artifacts, metrics, options, now=lambda: NOW)


async def test_a_decision_that_says_something_is_remembered_without_names(
    checker: Checker,
) -> None:
    response = await checker.validate(pod(), deadline_seconds=4.0)
    assert not response.allowed
    (last,) = checker.state().decisions
    assert last == Remembered(
        at=NOW,
        kind="Pod",
        namespace="default",
        operation="CREATE",
        is_dry_run=False,
        decision="deny",
        mode="enforce",
        codes=("IC101",),
        not_judged="",
        candidates=3,
        fits=0,
        unknown=0,
        seconds=last.seconds,
    )
    assert "secret" not in str(last)


async def test_what_is_simply_allowed_is_not_remembered(checker: Checker) -> None:
    assert (await checker.validate(pod("good"), deadline_seconds=4.0)).allowed
    await checker.mutate(pod(), deadline_seconds=4.0)
    assert () == checker.state().decisions


async def test_an_error_of_ours_is_remembered_as_one(
    cluster: FakeCluster, metrics: Metrics
) -> None:
    cluster.add("one")
    broken = FakeArtifacts(error=RuntimeError("secret"))
    checker = Checker(cluster, broken, metrics)
    await checker.validate(pod(), deadline_seconds=4.0)
    (last,) = checker.state().decisions
    assert ("error", "warn") == (last.not_judged, last.decision)


async def test_only_the_last_decisions_are_remembered(checker: Checker) -> None:
    for number in range(MAX_DECISIONS + 1):
        operation = "UPDATE" if number == 0 else "CREATE"
        review = pod(operation=operation)
        await checker.validate(review, deadline_seconds=4.0)
    operations = [each.operation for each in checker.state().decisions]
    assert ["CREATE"] * MAX_DECISIONS == operations


async def test_the_state_counts_what_holds(checker: Checker) -> None:
    await checker.validate(pod(), deadline_seconds=4.0)
    state = checker.state()
    assert (0, 1, 0, 1) == (
        state.reviews,
        state.specs,
        state.evaluations_waiting,
        state.exemptions,
    )
    assert state.answers_bytes > 0
    assert not state.nodes_may_appear
    assert checker.options is state.options


@pytest.mark.parametrize(
    ("namespace", "allowed", "codes"),
    [
        pytest.param("default", False, 1, id="enforce"),
        pytest.param("quiet", True, 1, id="audit"),
        pytest.param("off", True, 0, id="off"),
        pytest.param("gone", True, 1, id="of which nothing is known: warn"),
    ],
)
async def test_a_review_without_room_is_answered_by_policy_and_mode(
    checker: Checker, metrics: Metrics, namespace: str, allowed: bool, codes: int
) -> None:
    review = Review("u", "Pod", "pods", "CREATE", namespace=namespace)
    response = await checker.shed(review, "validate", deadline_seconds=1.0)
    assert allowed == response.allowed
    text = metrics.text().decode()
    expected = f'admission_shed_total{{webhook="validate"}} {codes}.0'
    assert expected in text
    (last,) = checker.state().decisions
    assert "overload" == last.not_judged


async def test_a_pod_without_room_is_not_annotated(
    checker: Checker, metrics: Metrics
) -> None:
    review = Review("u", "Pod", "pods", "CREATE", namespace="default")
    response = await checker.shed(review, "mutate", deadline_seconds=1.0)
    assert (True, ()) == (response.allowed, response.patch)
    assert 'shed_total{webhook="mutate"} 1.0' in metrics.text().decode()


@pytest.mark.parametrize("webhook", ["validate", "mutate"])
async def test_reviews_beyond_the_limit_are_counted(
    cluster: FakeCluster, metrics: Metrics, webhook: Webhook
) -> None:
    cluster.add("one")
    artifacts = FakeArtifacts({"image": resolved(wants_module("m"))})
    checker = Checker(cluster, artifacts, metrics, Options(max_reviews=1))
    answer = getattr(checker, webhook)
    await asyncio.gather(*(answer(pod(), deadline_seconds=4.0) for _ in range(3)))
    expected = f'admission_shed_total{{webhook="{webhook}"}} 2.0'
    assert expected in metrics.text().decode()


async def test_the_worker_says_for_how_long_it_is_in_one_job(checker: Checker) -> None:
    assert checker.job_seconds() == 0.0
    worker, go, began = Worker(), threading.Event(), threading.Event()

    def job() -> None:
        began.set()
        go.wait(20)

    task = asyncio.create_task(worker.run(job))
    while not began.is_set():  # noqa: ASYNC110 - it is set in a thread
        await asyncio.sleep(0)
    assert worker.job_seconds() > 0.0
    go.set()
    await task
    assert worker.job_seconds() == 0.0
    await worker.close()
