"""Rows and what is remembered of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.checker import Options, table
from app.checker.judged import Judged
from app.cli.checking import judging
from app.cli.checking.images import Images
from app.cli.checking.judging import Asked, Judge, images_of, platforms
from app.cli.checking.manifests import LIVE, Manifest
from app.cli.nodes.known import KnownNodes
from app.cli.reports.report import Row
from app.compat.features import Features
from app.ports import Snapshot
from app.scheduling.kinds import POD
from app.scheduling.node import Node
from tests.tools.doubles import AMD64, ARM, ARM64, LINUX, wants_module

MODULES = {"a": ("x",), "b": (), "c": (), "d": ("w",)}
KNOWN = KnownNodes(
    Snapshot(
        {name: Node(name, LINUX) for name in MODULES},
        {
            name: Features(flags={"kernel.loadedmodule": frozenset(modules)})
            for name, modules in MODULES.items()
        },
    ),
    "here",
)


def asked(*images: str, **metadata: object) -> Asked:
    containers = [{"name": f"c{n}", "image": one} for n, one in enumerate(images)]
    obj = {"metadata": metadata, "spec": {"containers": containers}}
    return Asked(Manifest(POD, "", "p", "x.yaml:1", obj))


def judge(**modules: str) -> Judge:
    specs = {image: wants_module(name).encode() for image, name in modules.items()}
    return Judge(KNOWN, Images(None, specs), Options())


async def rows(made: Judge, *images: str) -> tuple[Row, ...]:
    one = asked(*images)
    judged = await made.judge(one)
    assert isinstance(judged, Judged)
    return made.workload(one, judged).rows


async def test_of_misfits_those_that_lack_least_come_first() -> None:
    """However many others there are."""
    made = judge(one="x", two="w", three="z")
    found = await rows(made, "one", "two", "three")
    assert [("a",), ("d",), ("b", "c")] == [row.nodes for row in found]


async def test_workloads_with_the_same_answers_share_their_rows() -> None:
    made = judge(one="x")
    assert await rows(made, "one") is not None
    first, again = [await rows(made, "one") for _ in range(2)]
    assert all(one is other for one, other in zip(first, again, strict=True))


async def test_rows_are_remembered_within_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(judging, "_MAX_ROWS", 1)
    made = judge(one="x", two="w")
    first = await rows(made, "one")
    await rows(made, "two")
    again = await rows(made, "one")
    assert first == again
    assert first[0] is not again[0]


async def test_the_closest_node_is_explained_though_its_row_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As where every node lacks something else."""
    monkeypatch.setattr(table, "MAX_PARTS", 0)
    made, one = judge(one="none"), asked("one")
    judged = await made.judge(one)
    assert isinstance(judged, Judged)
    found = made.workload(one, judged)
    assert ["other reasons"] == [r.what for r in found.rows[0].cells[0].reasons]
    assert found.nearest is not None
    assert ("a", "kernel.loadedmodule none") == (
        found.nearest.node,
        found.nearest.reasons[0].what,
    )


async def test_that_there_are_more_reasons_is_told() -> None:
    names = "\n        ".join(f"m{n:02}: {{op: Exists}}" for n in range(18))
    spec = wants_module("x").replace("x: {op: Exists}", names).encode()
    found = await rows(Judge(KNOWN, Images(None, {"one": spec}), Options()), "one")
    reasons = found[0].cells[0].reasons
    assert (table.MAX_REASONS + 1, "2 more") == (len(reasons), reasons[-1].what)


async def test_what_is_left_alone_and_what_is_odd_is_noted() -> None:
    made = judge(one="x")
    whole = [
        asked(),
        asked("one", annotations={}),
        Asked(
            Manifest(
                POD,
                "",
                "odd",
                "x.yaml:9",
                {
                    "spec": {
                        "containers": [
                            {"name": "c", "image": "one"},
                            {"name": "d", "image": 3},
                        ]
                    }
                },
            )
        ),
    ]
    outcome = await made.all(whole, lambda *_: None)
    assert ["Pod p", "Pod odd"] == [one.name for one in outcome.workloads]
    assert "Pod p was not judged: no image could be read in it" == outcome.notes[0]
    assert outcome.notes[1].startswith("Pod odd: cannot read spec.containers[1].image")


async def test_images_of_volumes_are_data_and_noted() -> None:
    volumes = [{"name": "model", "image": {"reference": "models/a:1"}}, {"name": "x"}]
    spec = {"containers": [{"name": "c", "image": "one"}], "volumes": volumes}
    one = Asked(Manifest(POD, "", "p", "x.yaml:1", {"spec": spec}))
    outcome = await judge(one="x").all([one], lambda *_: None)
    text = "image models/a:1 of volume model is data, and not judged"
    assert [f"Pod p: {text}"] == outcome.notes


async def test_what_is_too_large_is_noted() -> None:
    containers = [{"name": f"c{n}", "image": "one"} for n in range(257)]
    big = Asked(Manifest(POD, "", "p", "", {"spec": {"containers": containers}}))
    outcome = await judge(one="x").all([big], lambda *_: None)
    assert ["Pod p: too large to be read whole: containers"] == outcome.notes


@pytest.mark.parametrize(
    ("node", "notes"),
    [
        ("a", []),
        ("b", ["Pod p runs on b, which does not fit"]),
        ("new", ["Pod p runs on new, which is not known to fit"]),
        ("gone", ["Pod p runs on gone, which is no candidate"]),
    ],
)
async def test_a_pod_that_runs_where_it_does_not_fit_is_noted(
    node: str, notes: list[str]
) -> None:
    """What the webhook would say when it is created again is another question."""
    known = KnownNodes(
        Snapshot(
            {**KNOWN.snapshot.nodes, "new": Node("new", LINUX)}, KNOWN.snapshot.features
        ),
        "here",
    )
    specs = {"one": wants_module("x").encode()}
    one = Asked(replace(asked("one").manifest, place=LIVE, runs_on=node))
    outcome = await Judge(known, Images(None, specs), Options()).all(
        [one], lambda *_: None
    )
    assert notes == outcome.notes
    assert ("fits", "allow") == (
        outcome.workloads[0].verdict,
        outcome.workloads[0].action,
    )


async def test_of_what_no_webhook_is_asked_about_the_verdict_is_told() -> None:
    made = judge(one="none")
    manifest = asked("one").manifest
    whole = [Asked(replace(manifest, namespace=n)) for n in ("kube-system", "ml")]
    outcome = await made.all([*whole, whole[0]], lambda *_: None)
    assert [("does not fit", "", 0), ("does not fit", "deny", 1)] == [
        (one.verdict, one.action, bool(one.texts)) for one in outcome.workloads[:2]
    ]
    note = "the webhook is not asked about namespace kube-system"
    assert [note, note] == outcome.notes


async def test_an_image_alone_is_in_no_namespace() -> None:
    """Whatever namespace the context names."""
    known, images = KNOWN, Images(None, {"one": wants_module("x").encode()})
    made = Judge(known, images, Options(), namespace="kube-system")
    one = replace(asked("one"), is_image=True)
    outcome = await made.all([one], lambda *_: None)
    assert ([], "") == (outcome.notes, outcome.workloads[0].action)


async def test_progress_is_told() -> None:
    seen: list[tuple[str, int, int]] = []
    whole = [asked("one"), asked("one")]
    await judge(one="x").all(whole, lambda *one: seen.append(one))
    assert [("judging Pod p", 0, 2), ("judging Pod p", 1, 2)] == seen


def test_platforms_are_those_of_all_nodes() -> None:
    nodes = {"a": Node("a", LINUX), "b": Node("b", ARM), "c": Node("c", {})}
    assert {AMD64, ARM64} == platforms(KnownNodes(Snapshot(nodes), ""))


def test_images_are_named_once_in_order() -> None:
    assert ["b", "a", "c"] == images_of([asked("b", "a"), asked("a", "c")])
