"""The law of exchanged settings: what answers then is what was made from them.

After any sequence of settings and of changes in the cluster, while reviews go on,
a checker answers as one that was started with the last settings on the last nodes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from app.admission.policy import Mode
from app.admission.review import Response, Review
from app.bootstrap.options import options
from app.checker import Checker
from app.settings.sections import Settings
from app.telemetry import Metrics
from tests.tools.doubles import (
    ARM,
    LINUX,
    FakeArtifacts,
    FakeCluster,
    resolved,
    wants_module,
)

MODULES = ("vfio", "nvidia")
SPECS = {
    "module": wants_module("nvidia"),
    "tagged": wants_module("vfio").replace("- rules", "- tag: gpu\n  rules"),
    "unpublished": wants_module("x").replace("kernel.loadedmodule", "pci.device"),
}


@dataclass(frozen=True)
class Node:
    """A node comes, changes or goes (`modules` is `None`)."""

    name: str
    modules: frozenset[str] | None
    pool: str = ""
    is_known: bool = True


NODES = st.builds(
    Node,
    name=st.sampled_from("abc"),
    modules=st.none() | st.frozensets(st.sampled_from(MODULES)),
    pool=st.sampled_from(("", "virtual")),
    is_known=st.booleans(),
)
POLICIES = st.fixed_dictionaries(
    {},
    optional={
        "mode": st.sampled_from(list(Mode)),
        "onUnknown": st.sampled_from(("deny", "warn", "allow")),
        "tags": st.sampled_from(((), ("gpu",), ("other",))),
        "unpublishedFeatures": st.sampled_from(("unknown", "no")),
        "messages": st.sampled_from(("full", "counts")),
        "annotate": st.booleans(),
        "exemptions": st.sampled_from(
            ((), ({"owner": "a", "reason": "b", "images": ["tagged"]},))
        ),
    },
)
CLUSTERS = st.fixed_dictionaries(
    {},
    optional={
        "nodesIgnore": st.sampled_from(("type=virtual-kubelet", "pool=virtual")),
        "schedulers": st.just(("volcano",)),
    },
)
SETTINGS = st.builds(
    lambda policy, cluster: Settings.model_validate(
        {"policy": policy, "cluster": cluster}
    ),
    POLICIES,
    CLUSTERS,
)
STEPS = st.lists(NODES | SETTINGS, max_size=8)


def creating(image: str) -> Review:
    return Review(
        uid="u",
        kind="Pod",
        resource="pods",
        operation="CREATE",
        namespace="default",
        object={"spec": {"containers": [{"name": "c", "image": image}]}},
    )


async def answers(checker: Checker) -> list[Response]:
    """Of both webhooks, for every image at once."""
    reviews = [creating(image) for image in SPECS]
    asked = [checker.validate(one, deadline_seconds=60.0) for one in reviews]
    written = [checker.mutate(one, deadline_seconds=60.0) for one in reviews]
    return list(await asyncio.gather(*asked, *written))


def change(cluster: FakeCluster, node: Node) -> None:
    cluster.nodes.pop(node.name, None)
    cluster.features.pop(node.name, None)
    if node.modules is not None:
        labels = {**(ARM if node.name == "c" else LINUX), "pool": node.pool}
        cluster.add(node.name, *node.modules, labels=labels, known=node.is_known)


async def law(first: Settings, steps: Sequence[Node | Settings]) -> None:
    cluster = FakeCluster()
    artifacts = FakeArtifacts({name: resolved(text) for name, text in SPECS.items()})
    async with AsyncExitStack() as stack:
        checker = Checker(cluster, artifacts, Metrics(), options(first))
        await stack.enter_async_context(checker.running())
        last, under_way = options(first), []
        for step in steps:
            if isinstance(step, Node):
                change(cluster, step)
            else:
                last = options(step)
                under_way.append(asyncio.create_task(checker.exchange(last)))
            under_way.append(asyncio.create_task(_ignored(checker)))
            await asyncio.sleep(0)
        await asyncio.gather(*under_way)
        fresh = Checker(cluster, artifacts, Metrics(), last)
        await stack.enter_async_context(fresh.running())
        assert await answers(fresh) == await answers(checker)


async def _ignored(checker: Checker) -> None:
    await answers(checker)


@settings(deadline=None)
@given(first=SETTINGS, steps=STEPS)
def test_a_checker_answers_as_one_that_was_made_from_the_last_settings(
    first: Settings, steps: list[Node | Settings]
) -> None:
    asyncio.run(law(first, steps))
