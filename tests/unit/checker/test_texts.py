"""What kubectl prints, from a cluster and images to the last character."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from app.admission.policy import NodesMayAppear, Policy
from app.admission.review import Response, Review
from app.checker import Checker, Options
from app.ports import Missing, PlatformAbsent, Resolved
from app.scheduling import candidates, selector
from app.scheduling.node import Taint
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


def creating(images: Mapping[str, str], **spec: object) -> Review:
    containers = [{"name": who, "image": image} for who, image in images.items()]
    obj: dict[str, object] = {"spec": {"containers": containers, **spec}}
    return Review(
        uid="u",
        kind="Pod",
        resource="pods",
        operation="CREATE",
        namespace="default",
        object=obj,
    )


async def answered(
    cluster: FakeCluster,
    artifacts: FakeArtifacts,
    review: Review,
    options: Options | None = None,
) -> Response:
    checker = Checker(cluster, artifacts, Metrics(), options)
    return await checker.validate(review, deadline_seconds=4.0)


@pytest.fixture
def world(cluster: FakeCluster, artifacts: FakeArtifacts) -> FakeCluster:
    """Three hosts; `gpu` wants nvidia, `dpdk` wants vfio_pci, both on a/b/c."""
    cluster.add("a", "nvidia")
    cluster.add("b", "vfio_pci")
    cluster.add("c")
    artifacts.images["gpu"] = resolved(wants_module("nvidia"))
    artifacts.images["dpdk"] = resolved(wants_module("vfio_pci"))
    artifacts.images["rdma"] = resolved(wants_module("ib_uverbs"))
    return cluster


async def test_two_images_and_several_groups(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    response = await answered(
        world, artifacts, creating({"trainer": "gpu", "net": "dpdk"})
    )
    assert (
        response.message
        == """\
[IC101] no node fits all images: 0 of 3 candidate nodes fit
container trainer: gpu, spec 65c266bf
container net: dpdk, spec 36ab2668
- a: net: rule "needs vfio_pci": kernel.loadedmodule vfio_pci: want Exists, \
found not loaded
- b: trainer: rule "needs nvidia": kernel.loadedmodule nvidia: want Exists, \
found not loaded
- c: trainer: rule "needs nvidia": kernel.loadedmodule nvidia: want Exists, \
found not loaded; net: rule "needs vfio_pci": kernel.loadedmodule vfio_pci: \
want Exists, found not loaded
closest: a, 1 change would do: net: kernel.loadedmodule vfio_pci: want Exists, \
found not loaded
counting the 3 nodes that exist now"""
    )


async def test_one_image_and_one_group(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    response = await answered(world, artifacts, creating({"main": "rdma"}))
    assert (
        response.message
        == """\
[IC101] no node fits the image: 0 of 3 candidate nodes fit
container main: rdma, spec 08870754
- a, b, c: rule "needs ib_uverbs": kernel.loadedmodule ib_uverbs: want Exists, \
found not loaded
closest: a, 1 change would do: kernel.loadedmodule ib_uverbs: want Exists, \
found not loaded
counting the 3 nodes that exist now"""
    )


async def test_an_index_is_judged_platform_by_platform(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    world.add("arm", labels=ARM)
    artifacts.images["multi"] = Resolved(
        "d",
        {AMD64: found(wants_module("ib_uverbs")), ARM64: PlatformAbsent(has_spec=True)},
    )
    response = await answered(world, artifacts, creating({"main": "multi"}))
    assert response.message.splitlines()[2:4] == [
        (
            '- a, b, c: rule "needs ib_uverbs": kernel.loadedmodule ib_uverbs: '
            "want Exists, found not loaded"
        ),
        (
            '- arm: rule "platform": image index: want a manifest for this platform, '
            "found linux/arm64"
        ),
    ]


async def test_an_index_without_a_spec_for_a_platform_does_not_bound_its_nodes(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    world.add("arm", labels=ARM)
    one = found(wants_module("ib_uverbs"))
    artifacts.images["multi"] = Resolved("d", {AMD64: one, ARM64: Missing()})
    assert (await answered(world, artifacts, creating({"main": "multi"}))).allowed


@pytest.mark.parametrize(
    ("change", "spec", "options", "line"),
    [
        pytest.param(
            {"stale": 500.0},
            {},
            None,
            "(only a warning: the view of the cluster is stale)",
            id="stale",
        ),
        pytest.param(
            {},
            {},
            Options(policy=Policy(nodes_may_appear=NodesMayAppear.YES)),
            "(only a warning: nodes may appear)",
            id="autoscaling",
        ),
    ],
)
async def test_a_capped_misfit_is_a_warning_that_says_why(
    world: FakeCluster,
    artifacts: FakeArtifacts,
    change: Mapping[str, float],
    spec: Mapping[str, object],
    options: Options | None,
    line: str,
) -> None:
    for name, value in change.items():
        setattr(world, name, value)
    review = creating({"main": "rdma"}, **spec)
    response = await answered(world, artifacts, review, options)
    assert response.allowed
    (warning,) = response.warnings
    head = "[IC101] no node fits the image: 0 of 3 candidate nodes fit "
    assert warning.startswith(head + line)


async def test_a_node_of_which_nothing_is_known_is_counted(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    world.add("new", known=False)
    response = await answered(world, artifacts, creating({"main": "rdma"}))
    assert response.warnings == (
        (
            "[IC103] no node is known to fit the image: 1 of 4 candidate nodes "
            "unknown (NFD data missing or partial)"
        ),
    )


async def test_a_virtual_kubelet_is_no_candidate(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    world.add("virtual", labels={**LINUX, "type": "virtual-kubelet"}, known=False)
    response = await answered(world, artifacts, creating({"main": "rdma"}))
    assert response.message.splitlines()[0] == (
        "[IC101] no node fits the image: 0 of 3 candidate nodes fit "
        "(excluded: Ignored 1)"
    )
    judged = Options(candidates=candidates.Options(ignore=selector.parse("")))
    response = await answered(world, artifacts, creating({"main": "rdma"}), judged)
    assert "[IC103]" in response.warnings[0]


async def test_the_taints_of_another_scheduler_do_not_filter(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    """A filter that is left out may only turn a denial into an admission."""
    taint = Taint("gpu", "", "NoSchedule")
    world.nodes["a"] = replace(world.nodes["a"], taints=(taint,))
    denied = await answered(world, artifacts, creating({"main": "gpu"}))
    assert "(excluded: TaintToleration 1)" in denied.message
    other = creating({"main": "gpu"}, schedulerName="volcano")
    assert (await answered(world, artifacts, other)).allowed
