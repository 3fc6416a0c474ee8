import pytest

from app.admission.findings import (
    Answer,
    Group,
    ImageFinding,
    PodFinding,
    Unmet,
)
from app.checker import evaluation
from app.checker.demand import Asked, Demands, Lacking
from app.checker.evaluation import Evaluation
from app.compat import parse
from app.compat.features import Features
from app.compat.index import Index, Limits
from app.ports import Snapshot
from app.scheduling.node import Node
from tests.tools.doubles import AMD64, ARM, ARM64, FakeCluster, wants_module

VFIO = Asked("sha256:v", parse.read(wants_module("vfio_pci").encode()))
NVIDIA = Asked("sha256:n", parse.read(wants_module("nvidia").encode()))


def judged(
    cluster: FakeCluster, *demands: Asked | Lacking, on: Evaluation | None = None
) -> PodFinding:
    snapshot = cluster.snapshot()
    nodes = list(snapshot.nodes.values())
    asked: Demands = [{AMD64: one, ARM64: one} for one in demands]
    finding = PodFinding(images=(), candidates=len(nodes))
    return (on or Evaluation()).judge(finding, nodes, asked, snapshot)


def test_nodes_that_fit_and_nodes_of_which_nothing_is_known_are_counted(
    cluster: FakeCluster,
) -> None:
    cluster.add("a", "vfio_pci")
    cluster.add("b")
    cluster.add("c", known=False)
    found = judged(cluster, VFIO)
    assert (1, 1) == (found.fits, found.unknown)
    assert () == found.groups


def test_a_node_without_platform_labels_is_unknown_to_whoever_asks(
    cluster: FakeCluster,
) -> None:
    cluster.add("a", "vfio_pci", labels={})
    assert judged(cluster, VFIO).unknown == 1
    assert judged(cluster).fits == 1


def test_a_platform_that_asks_for_nothing_fits(cluster: FakeCluster) -> None:
    cluster.add("a", labels=ARM)
    snapshot = cluster.snapshot()
    found = Evaluation().judge(
        PodFinding(images=()), list(snapshot.nodes.values()), [{AMD64: VFIO}], snapshot
    )
    assert found.fits == 1


def test_a_feature_that_no_node_publishes_is_unknown(cluster: FakeCluster) -> None:
    cluster.add("a")
    cluster.features["a"] = Features(attributes={"Kernel.Version": {}})
    found = judged(cluster, VFIO)
    assert (0, 1) == (found.fits, found.unknown)
    cluster.add("b")
    assert (0, 0) == (judged(cluster, VFIO).fits, judged(cluster, VFIO).unknown)


def test_what_is_published_decides_anew_when_it_changes(cluster: FakeCluster) -> None:
    on = Evaluation()
    cluster.add("a")
    cluster.features["a"] = Features()
    assert judged(cluster, VFIO, on=on).unknown == 1
    cluster.add("b")
    cluster.generation += 1
    assert judged(cluster, VFIO, on=on).unknown == 0


def test_a_platform_that_the_index_lacks_does_not_fit(cluster: FakeCluster) -> None:
    cluster.add("a", labels=ARM)
    found = judged(cluster, Lacking(ARM64))
    unmet = Unmet(
        0, "platform", "image index", "a manifest for this platform", "linux/arm64"
    )
    assert (Group(1, ("a",), (unmet,)),) == found.groups
    assert found.closest is not None


def test_groups_hold_nodes_that_lack_the_same_and_the_largest_is_first(
    cluster: FakeCluster,
) -> None:
    cluster.add("a", "nvidia")
    cluster.add("b")
    cluster.add("c")
    found = judged(cluster, VFIO, NVIDIA)
    vfio, nvidia = (
        Unmet(
            index,
            f"needs {name}",
            f"kernel.loadedmodule {name}",
            "Exists",
            "not loaded",
            changeable=True,
        )
        for index, name in enumerate(("vfio_pci", "nvidia"))
    )
    both, one = Group(2, ("b", "c"), (vfio, nvidia)), Group(1, ("a",), (vfio,))
    assert (both, one) == found.groups
    assert found.closest is not None
    assert ("a", (vfio,)) == (found.closest.node, found.closest.unmet)


def test_what_is_found_may_differ_within_a_group() -> None:
    cluster = FakeCluster()
    spec = b"""\
version: v1alpha1
compatibilities:
- rules:
  - name: r
    matchFeatures:
    - feature: kernel.version
      matchExpressions:
        major: {op: Ge, value: ["9"]}
"""
    for name, major in (("a", "4"), ("b", "5"), ("c", "5"), ("d", "6")):
        cluster.add(name)
        cluster.features[name] = Features(
            attributes={"kernel.version": {"major": major}}
        )
    (group,) = judged(cluster, Asked("sha256:x", parse.read(spec))).groups
    assert (4, ("a", "b", "c")) == (group.count, group.examples)
    assert "4 or 5 or others" == group.unmet[0].found


def test_a_spec_without_a_fitting_set_and_nothing_unmet_has_no_closest_node(
    cluster: FakeCluster,
) -> None:
    """Tags may select no set at all."""
    cluster.add("a", "vfio_pci")
    found = judged(cluster, VFIO, on=Evaluation(tags=("none",)))
    assert (Group(1, ("a",), ()),) == found.groups
    assert found.closest is None


def test_nodes_beyond_the_most_are_counted_and_not_explained(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        cluster.add(name)
    monkeypatch.setattr(evaluation, "MAX_EXPLAINED", 2)
    groups = judged(cluster, VFIO).groups
    assert [("a", "b")] == [group.examples for group in groups]


def test_a_node_that_changes_between_two_snapshots_is_judged_anew(
    cluster: FakeCluster,
) -> None:
    on = Evaluation()
    cluster.add("a")
    assert judged(cluster, VFIO, on=on).fits == 0
    cluster.add("a", "vfio_pci")
    assert judged(cluster, VFIO, on=on).fits == 1


def test_a_snapshot_without_nodes_has_nobody_to_judge() -> None:
    found = Evaluation().judge(PodFinding(images=()), [], [{AMD64: VFIO}], Snapshot())
    assert (0, 0, ()) == (found.fits, found.unknown, found.groups)


def test_a_node_name_is_not_a_feature_set(cluster: FakeCluster) -> None:
    """A Node that was removed and added again under its name is another one."""
    on = Evaluation()
    cluster.add("a", "vfio_pci")
    assert judged(cluster, VFIO, on=on).fits == 1
    del cluster.nodes["a"], cluster.features["a"]
    cluster.nodes["a"] = Node("a", labels=ARM)
    assert judged(cluster, VFIO, on=on).unknown == 1


def test_what_is_not_at_hand_is_left_to_a_thread(cluster: FakeCluster) -> None:
    cluster.add("a", "vfio_pci")
    snapshot = cluster.snapshot()
    on, finding = Evaluation(), PodFinding(images=(), candidates=1)
    given = (finding, list(snapshot.nodes.values()), [{AMD64: VFIO}], snapshot)
    assert on.at_hand(*given) is None
    judged_once = on.judge(*given)
    assert judged_once.fits == 1
    calls = on.index.calls
    assert judged_once == on.at_hand(*given)
    assert calls == on.index.calls


def test_while_another_evaluation_runs_nothing_is_at_hand(
    cluster: FakeCluster,
) -> None:
    cluster.add("a", "vfio_pci")
    snapshot = cluster.snapshot()
    on, finding = Evaluation(), PodFinding(images=(), candidates=1)
    given = (finding, list(snapshot.nodes.values()), [{AMD64: VFIO}], snapshot)
    on.judge(*given)
    with on._lock:
        assert on.at_hand(*given) is None
    assert on.at_hand(*given) is not None


def test_a_spec_that_is_too_costly_is_invalid_and_bounds_no_node(
    cluster: FakeCluster,
) -> None:
    cluster.add("a")
    image = ImageFinding("x", ("c",), {Answer.FOUND: ""})
    snapshot = cluster.snapshot()
    found = Evaluation(index=Index(Limits(calls=0))).judge(
        PodFinding(images=(image,), candidates=1),
        list(snapshot.nodes.values()),
        [{AMD64: VFIO}],
        snapshot,
    )
    assert found.fits == 1
    assert [Answer.INVALID] == list(found.images[0].answers)
    assert "too costly" in found.images[0].answers[Answer.INVALID]
