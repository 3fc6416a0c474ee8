"""What kubectl prints, from a cluster and images to the last character."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from app.admission.message import Detail
from app.admission.policy import NodesMayAppear, Policy
from app.admission.review import Response, Review
from app.checker import Checker, Options
from app.compat.features import Features
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
    assert (
        response.message
        == """\
[IC101] no node fits the image: 0 of 4 candidate nodes fit
container main: multi, spec 08870754
- a, b, c: rule "needs ib_uverbs": kernel.loadedmodule ib_uverbs: want Exists, \
found not loaded
- arm: image index: want a manifest for linux/arm64, found none
closest: a, 1 change would do: kernel.loadedmodule ib_uverbs: want Exists, \
found not loaded
counting the 4 nodes that exist now"""
    )


async def test_each_platform_of_an_index_has_a_spec_of_its_own(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    world.add("arm", labels=ARM)
    artifacts.images["multi"] = Resolved(
        "d",
        {AMD64: found(wants_module("ib_uverbs")), ARM64: found(wants_module("sve"))},
    )
    response = await answered(world, artifacts, creating({"main": "multi"}))
    assert response.message.splitlines()[1:4] == [
        "container main: multi, spec 08870754, c5076fa5",
        (
            '- a, b, c: rule "needs ib_uverbs": kernel.loadedmodule ib_uverbs: '
            "want Exists, found not loaded"
        ),
        (
            '- arm: rule "needs sve": kernel.loadedmodule sve: want Exists, '
            "found not loaded"
        ),
    ]


GPU = """\
version: v1alpha1
compatibilities:
- rules:
  - name: driver
    matchFeatures:
    - feature: nvidia.driver
      matchExpressions: {version: {op: Ge, value: ["550.54"], type: version}}
  - name: CPU
    matchFeatures:
    - feature: cpu.cpuid
      matchExpressions: {AVX512F: {op: Exists}}
  - name: GPU
    matchFeatures:
    - feature: pci.device
      matchExpressions:
        class: {op: In, value: ["0300", "0302"]}
        vendor: {op: In, value: ["10de"]}
"""


async def test_many_nodes_and_what_they_have_instead(
    cluster: FakeCluster, artifacts: FakeArtifacts
) -> None:
    """Two kinds of hosts with an old driver, and many without a GPU."""
    gpu = ({"class": "0302", "vendor": "10de"},)
    for number in range(8):
        name, is_gpu = f"n{number}", number in {2, 5}
        cluster.add(name)
        cluster.features[name] = Features(
            flags={"cpu.cpuid": frozenset({"AVX512F"} if is_gpu else {"AVX2"})},
            attributes={"nvidia.driver": {"version": f"53{number}.1"}}
            if is_gpu
            else {},
            instances={"pci.device": gpu if is_gpu else gpu[:0]},
        )
    artifacts.images["gpu"] = resolved(GPU)
    response = await answered(cluster, artifacts, creating({"main": "gpu"}))
    assert (
        response.message
        == """\
[IC101] no node fits the image: 0 of 8 candidate nodes fit
container main: gpu, spec 6380b3f2
- n0, n1, n3 +3 more: rule "driver": nvidia.driver version: want version >= 550.54, \
found no such feature; rule "CPU": cpu.cpuid AVX512F: want Exists, found absent; \
rule "GPU": pci.device: want one with class In [0300, 0302], vendor In [10de], \
found none
- n2, n5: rule "driver": nvidia.driver version: want version >= 550.54, \
found 532.1 or 535.1
closest: n2, 1 change would do: nvidia.driver version: want version >= 550.54, \
found 532.1
counting the 8 nodes that exist now"""
    )


async def test_a_daemon_set_is_warned_and_a_deployment_told_what_comes(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "d", "uid": "u"}
    pod = creating({"main": "rdma"})
    of_daemon_set = replace(
        pod,
        object={
            **(pod.object or {}),
            "metadata": {"ownerReferences": [{**owner, "controller": True}]},
        },
    )
    response = await answered(world, artifacts, of_daemon_set)
    assert response.allowed
    (warning,) = response.warnings
    assert warning.startswith(
        "[IC101] no node fits the image: 0 of 3 candidate nodes fit "
        "(only a warning: the Pod is a DaemonSet's)"
    )
    deployment = replace(
        pod,
        kind="Deployment",
        group="apps",
        resource="deployments",
        object={"metadata": {"name": "web"}, "spec": {"template": pod.object}},
    )
    response = await answered(world, artifacts, deployment)
    assert response.allowed
    (warning,) = response.warnings
    assert warning.startswith(
        "[IC101] Deployment web: its Pods will be denied, as no node fits the image: "
        "0 of 3 candidate nodes fit"
    )


async def test_counts_tell_no_node_and_no_value(
    world: FakeCluster, artifacts: FakeArtifacts
) -> None:
    options = Options(detail=Detail.COUNTS)
    response = await answered(world, artifacts, creating({"main": "rdma"}), options)
    assert (
        response.message
        == """\
[IC101] no node fits the image: 0 of 3 candidate nodes fit
container main: rdma, spec 08870754
counting the 3 nodes that exist now"""
    )


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
            "unknown (no NFD data)"
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
