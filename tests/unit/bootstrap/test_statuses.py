from datetime import UTC, datetime

from app import status as documents
from app.admission.policy import NodesMayAppear, Policy
from app.bootstrap.statuses import _watch, status
from app.checker import Options
from app.checker.record import Remembered, State
from app.kube.cluster import KubeCluster, WatchState
from app.settings.sections import ClusterSettings
from app.status import Caches, Decided, Load, Nodes, Rules, Watch
from tests.tools.doubles import FakeCluster
from tests.tools.scripted import FakeTime, ScriptedApi

STATE = State(
    options=Options(policy=Policy(nodes_may_appear=NodesMayAppear.YES)),
    reviews=1,
    specs=2,
    answers_bytes=3,
    evaluations_waiting=4,
    nodes_may_appear=True,
    exemptions=5,
    decisions=(
        Remembered(
            at=datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC),
            kind="Pod",
            namespace="team",
            operation="CREATE",
            is_dry_run=True,
            decision="warn",
            mode="warn",
            codes=("IC101",),
            not_judged="",
            candidates=3,
            fits=1,
            unknown=2,
            seconds=0.5,
        ),
    ),
)


def test_the_state_of_the_checker_is_told() -> None:
    held = ClusterSettings(trusted_namespaces=("nfd",), nodes_ignore="pool=virtual")
    found = status(STATE, held=held, images=6)
    assert found.rules == Rules(
        mode="enforce",
        namespace_modes="any",
        pod_modes="off",
        nodes_may_appear="yes",
        nodes_may_appear_now=True,
        annotate=True,
        trusted_namespaces=("nfd",),
        nodes_ignore="pool=virtual",
        exemptions=5,
    )
    assert Caches(6, 2, 3, 4) == found.caches
    assert Load(reviews=1) == found.load
    expected = Decided(
        time="2026-03-01T12:00:01Z",
        kind="Pod",
        namespace="team",
        operation="CREATE",
        decision="warn",
        mode="warn",
        codes=("IC101",),
        candidates=3,
        fits=1,
        unknown=2,
        dry_run=True,
        seconds=0.5,
    )
    assert (expected,) == found.decisions
    assert (Nodes(), ()) == (found.nodes, found.watches)


def test_nodes_are_counted_by_whether_something_is_known() -> None:
    cluster = FakeCluster()
    cluster.add("one")
    cluster.add("two", known=False)
    cluster.add("three", known=False)
    assert Nodes(known=1, unknown=2) == status(STATE, cluster=cluster).nodes


def test_what_is_written_can_be_read() -> None:
    found = status(STATE)
    assert found == documents.decode(documents.encode(found))


def test_a_watch_that_was_never_heard_has_no_age() -> None:
    time = FakeTime()
    cluster = KubeCluster(
        ScriptedApi(time, {}), trusted_namespaces=["nfd"], clock=time.clock()
    )
    found = status(STATE, cluster=cluster)
    assert ("nodes", "nodefeatures", "namespaces") == tuple(
        each.resource for each in found.watches
    )
    assert {None} == {each.silent_seconds for each in found.watches}
    assert "nfd" == found.watches[1].namespace
    assert "first list not complete" in found.watches[0].problem
    assert Nodes(0, 0) == found.nodes


def test_a_watch_that_is_heard_has_an_age() -> None:
    state = WatchState("nodes", "", True, 1.23456, "")
    expected = Watch("nodes", "", is_synced=True, silent_seconds=1.235)
    assert expected == _watch(state)
