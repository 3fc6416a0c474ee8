"""`check` on nodes of files: other nodes, and nodes of which little is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.cli.checking.conftest import IMAGE, files, host, manifest
from tests.unit.cli.test_check import report

if TYPE_CHECKING:
    from tests.unit.cli.checking.conftest import Files
    from tests.unit.cli.conftest import Run

__all__ = ["files"]


# What if -------------------------------------------------------------------------


def test_what_would_break_is_exit_1(run: Run, files: Files) -> None:
    upgrade = files.write(
        "upgrade.yaml",
        "kind: WhatIf\nsteps:\n"
        "- nodes: {names: [gpu]}\n  flags: {kernel.loadedmodule: {nvidia: false}}\n"
        "- nodes: {names: [cpu]}\n  remove: true\n",
    )
    ran = run(
        "check", "-f", files.train, *files.given, "--what-if", upgrade, "-o", "json"
    )
    found = report(ran)
    (change,) = found["changes"]
    assert (1, 2) == (ran.status, found["knownNodes"])
    assert ("fits", "does not fit", 2, 0) == (
        change["before"],
        change["after"],
        change["nodesBefore"],
        change["nodesAfter"],
    )
    assert "kernel.loadedmodule nvidia" == change["reasons"][0]["what"]
    assert f"{files.hosts} with {upgrade}" == found["origin"]


def test_what_begins_to_fit_is_exit_0(run: Run, files: Files) -> None:
    pool = files.write("pool/new.json", host("nvidia"))
    given = (*files.given, "--node", "old")
    ran = run("check", "-f", files.train, *given, "--what-if", pool, "-o", "json")
    (change,) = report(ran)["changes"]
    assert (0, "does not fit", "fits") == (
        ran.status,
        change["before"],
        change["after"],
    )


def test_other_nodes_may_take_the_place_of_all(run: Run, files: Files) -> None:
    pool = files.write("pool/new.json", host())
    given = (*files.given, "--what-if", pool, "--what-if-only")
    ran = run("check", "-f", files.train, *given)
    assert 1 == ran.status
    assert "what if: breaks: 1 workload" in ran.out


def test_files_of_other_nodes_are_told_with_what_is_odd_about_them(
    run: Run, files: Files
) -> None:
    pool = files.write("pool/new.json", host())
    more = files.write("pool/more.json", host())
    given = (*files.given, "--what-if", pool, "--what-if", more, "-o", "json")
    found = report(run("check", "-f", files.train, *given))
    assert f"{files.hosts} with {pool}, {more}" == found["origin"]
    (note,) = found["notes"]
    assert note.startswith("labels of cpu, gpu, more and 2 more are not known: ")


def test_nodes_whose_platform_is_not_known_are_told_apart(
    run: Run, files: Files
) -> None:
    """Images with a spec are unknown there, for no reason of theirs."""
    odd = files.write("odd/mystery.json", {"flags": {"kernel.loadedmodule": None}})
    train = manifest("trainer")
    key = {"key": "kubernetes.io/arch", "operator": "NotIn", "values": ["arm64"]}
    wanted = {"nodeSelectorTerms": [{"matchExpressions": [key]}]}
    train["spec"]["template"]["spec"]["affinity"] = {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": wanted}
    }
    path = files.write("train.json", train)
    given = (*files.given, "--nodes", odd, "-o", "json")
    found = report(run("check", "-f", path, *given))
    labels, platform = found["notes"]
    assert "labels of cpu, gpu, old are not known: platform taken from" in labels
    assert "platform of mystery is not known, told neither by labels" in platform
    assert "images with a spec are unknown there; add the Node manifests" in platform
    (row,) = (
        one for one in found["workloads"][0]["rows"] if ["mystery"] == one["nodes"]
    )
    assert "unknown" == row["verdict"]


@pytest.mark.parametrize(
    ("selector", "verdict"),
    [({}, "fits"), ({"kubernetes.io/arch": "amd64"}, "unknown")],
)
def test_a_spec_that_is_given_holds_for_nodes_of_any_platform(
    run: Run, files: Files, selector: dict[str, str], verdict: str
) -> None:
    """But no label is made up for a workload that asks for one."""
    flags: dict[str, Any] = {"kernel.loadedmodule": {"elements": {"nvidia": {}}}}
    odd = files.write("odd/mystery.json", {"flags": flags})
    train = manifest("trainer")
    train["spec"]["template"]["spec"]["nodeSelector"] = selector
    path = files.write("train.json", train)
    given = ("--nodes", odd, "--spec", f"{IMAGE}={files.spec}", "-o", "json")
    found = report(run("check", "-f", path, *given))
    assert verdict == found["verdict"]
    (note,) = found["notes"]
    expected = "a spec that is given holds for every platform"
    assert (expected in note) == (not selector)


@pytest.mark.parametrize("more", [(), ("--what-if", "odd/other.json")])
def test_a_spec_by_itself_needs_no_labels(
    run: Run, files: Files, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    """It is for every platform, and nodes of `--what-if` need none either."""
    monkeypatch.chdir(files.folder)
    features: object = {"flags": {"kernel.loadedmodule": {"elements": {"nvidia": {}}}}}
    odd = files.write("odd/mystery.json", features)
    files.write("odd/other.json", features)
    given = ("--spec", files.spec, "--nodes", odd, "-o", "json")
    found = report(run("check", *given, *more))
    assert [] == found["notes"]
    (row,) = found["workloads"][0]["rows"]
    assert (1 + bool(more), "fits") == (len(row["nodes"]), row["verdict"])


def test_what_is_unknown_now_and_then_is_not_green(run: Run, files: Files) -> None:
    """Offline nobody knows what the image asks for: an upgrade may break it."""
    path = files.write("then.json", host())
    nodes = ("--nodes", files.hosts, "--offline")
    ran = run("check", "-f", files.train, *nodes, "--what-if", path)
    assert (3, "") == (ran.status, ran.err)


def test_settings_say_whose_node_features_count(run: Run, files: Files) -> None:
    """Of files, and of the files of a what-if."""
    objects = [
        {
            "apiVersion": "nfd.k8s-sigs.io/v1alpha1",
            "kind": "NodeFeature",
            "metadata": {
                "name": "a" if name == "nfd" else "forged",
                "namespace": name,
                "labels": {"nfd.node.kubernetes.io/node-name": "a"},
            },
            "spec": {"features": host(*modules)},
        }
        for name, modules in (("nfd", ()), ("tenant", ("nvidia",)))
    ]
    nodes = files.write(
        "all.json", {"apiVersion": "v1", "kind": "List", "items": objects}
    )
    settings = files.write("s.yaml", "cluster: {trustedNamespaces: [nfd]}\n")
    given = ("-f", files.train, "--spec", f"{IMAGE}={files.spec}")
    assert 0 == run("check", *given, "--nodes", nodes).status
    ran = run("check", *given, "--nodes", nodes, "--settings", settings)
    assert (1, "") == (ran.status, ran.err)
    other = ("--nodes", files.hosts, "--what-if", nodes, "--what-if-only")
    assert 0 == run("check", *given, *other).status
    assert 1 == run("check", *given, *other, "--settings", settings).status
