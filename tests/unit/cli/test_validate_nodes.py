"""`validate-node` over several nodes, and in every form."""

import hashlib
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from app.cli.nodes import document
from app.cli.nodes.known import KnownNodes
from app.cli.reports import words
from app.cli.validating import judging
from app.cli.validating import report as reporting
from app.compat.features import Features
from app.ports import Snapshot
from app.scheduling.node import Node

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

SPEC = """\
version: v1alpha1
compatibilities:
- tag: new
  weight: 5
  description: a new kernel
  rules:
  - name: kernel
    matchFeatures:
    - feature: kernel.version
      matchExpressions:
        major: {op: Ge, value: ["6"]}
    - feature: kernel.loadedmodule
      matchExpressions:
        vfio_pci: {op: Exists}
- rules:
  - name: card
    matchAny:
    - matchFeatures:
      - feature: pci.device
        matchExpressions:
          vendor: {op: In, value: ["10de"]}
          class: {op: In, value: ["0300"]}
    - matchFeatures:
      - feature: pci.device
        matchName: {op: In, value: ["numa"]}
"""


def node(major: str, *modules: str, device: dict[str, str] | None = None) -> Features:
    """What one node publishes."""
    return Features(
        flags={"kernel.loadedmodule": frozenset(modules)},
        attributes={"kernel.version": {"major": major}},
        instances={"pci.device": (device,) if device else ()},
    )


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    return str(path)


@pytest.fixture
def nodes(tmp_path: Path) -> str:
    """Nodes that fit, do not fit, and of which nothing is known."""
    split = {"vendor": "10de", "class": "0200"}
    features = {
        "new-1": node("6", "vfio_pci", "own-1"),
        "new-2": node("6", "vfio_pci", "own-2"),
        "old": node("5", "vfio_pci", device=split),
        "older": node("4"),
    }
    labels = {"pool": "known"}
    known = {name: Node(name, labels=labels) for name in features}
    path = tmp_path / "nodes.json"
    snapshot = Snapshot({**known, "silent": Node("silent")}, features, 1)
    path.write_bytes(document.encode(snapshot))
    return str(path)


@pytest.mark.parametrize(
    ("chosen", "status"),
    [
        pytest.param(("--node", "new-1"), 0, id="one that fits"),
        pytest.param(("--node", "new-1", "--node", "new-2"), 0, id="all fit"),
        pytest.param(("--node", "new-1", "--node", "old"), 1, id="one does not"),
        pytest.param(("--node", "new-1", "--node", "silent"), 3, id="one is not known"),
        pytest.param(("--node", "silent"), 3, id="nothing is known"),
        pytest.param((), 1, id="a misfit outweighs an unknown one"),
        pytest.param(("-l", "pool=known"), 1, id="labels"),
        pytest.param(("-l", "pool=other"), 2, id="no such labels"),
        pytest.param(("--node", "x"), 2, id="no such node"),
    ],
)
def test_all_nodes_must_fit(
    run: "Run", spec: str, nodes: str, chosen: tuple[str, ...], status: int
) -> None:
    ran = run("validate-node", "--spec", spec, "--nodes", nodes, *chosen)
    assert status == ran.status
    assert (status == 2) == (ran.out == "")


def report(run: "Run", spec: str, nodes: str, *more: str) -> dict[str, Any]:
    """The report in JSON."""
    ran = run("validate-node", "--spec", spec, "--nodes", nodes, "-o", "json", *more)
    found = json.loads(ran.out)
    assert isinstance(found, dict)
    return found


def test_the_spec_is_named_by_its_digest(run: "Run", spec: str, nodes: str) -> None:
    ran = run("validate-node", "--spec", spec, "--features", nodes, "-o", "json")
    (image,) = json.loads(ran.out)["workloads"][0]["images"]
    digest = f"sha256:{hashlib.sha256(SPEC.encode()).hexdigest()}"
    assert ({"found": ""}, [digest]) == (image["answers"], image["specs"])


def test_an_image_without_a_spec_is_no_image_whose_spec_was_given() -> None:
    known = KnownNodes(Snapshot({"a": Node("a")}, {}), "here")
    found = reporting.report(
        "app:1", known, judging.judge(None, known.snapshot, ()), None
    )
    (line,) = words.images(found.workloads[0].images)
    expected = "app:1: carries no compatibility spec, so it asks for nothing"
    assert expected == line


def test_nodes_with_the_same_answer_share_a_row(
    run: "Run", spec: str, nodes: str
) -> None:
    found = report(run, spec, nodes)
    (workload,) = found["workloads"]
    assert ("does not fit", spec, 5) == (
        workload["verdict"],
        workload["name"],
        workload["candidates"],
    )
    rows = workload["rows"]
    assert [["new-1", "new-2"], ["silent"], ["old"], ["older"]] == [
        one["nodes"] for one in rows
    ]
    assert [("fits", "new", 5), ("unknown", "", None), ("does not fit", "", None)] == [
        (one["verdict"], one["cells"][0]["chosen"], one["score"]) for one in rows[:3]
    ]
    assert [[], ["NodeFeature"], ["kernel.version.major"]] == [
        [reason["what"] for reason in one["cells"][0]["reasons"]] for one in rows[:3]
    ]
    assert workload["nearest"] is None
    assert "sets" not in found


def test_the_nearest_is_named_where_none_fits(
    run: "Run", spec: str, nodes: str
) -> None:
    chosen = ("--node", "old", "--node", "older", "--node", "silent")
    (workload,) = report(run, spec, nodes, *chosen)["workloads"]
    assert "old" == workload["nearest"]["node"]
    (reason,) = workload["nearest"]["reasons"]
    assert {
        "rule": "kernel",
        "what": "kernel.version.major",
        "want": "Ge 6",
        "found": "5",
        "changeable": False,
        "advice": reason["advice"],
    } == reason
    assert reason["advice"].startswith("boot ")
    (unknown,) = report(run, spec, nodes, "--node", "silent")["workloads"]
    assert unknown["nearest"] is None


def test_one_node_is_told_expression_by_expression(
    run: "Run", spec: str, nodes: str
) -> None:
    sets = report(run, spec, nodes, "--node", "old")["sets"]
    assert [("new", "does not fit"), ("#2", "does not fit")] == [
        (one["name"], one["verdict"]) for one in sets
    ]
    ran = run("validate-node", "--spec", spec, "--nodes", nodes, "--node", "old")
    assert f"""\
{spec} on old ({nodes})

set new, weight 5: does not fit: a new kernel
RULE    FEATURE                       WANTED  FOUND    RESULT
kernel  kernel.version.major          Ge 6    5        no
kernel  kernel.loadedmodule.vfio_pci  Exists  present  yes

set #2, weight 0: does not fit
RULE                FEATURE            WANTED            FOUND  RESULT
card (1 of 2 ways)  pci.device.class   In [0300]         0200   no
card (1 of 2 ways)  pci.device.vendor  In [10de]         10de   yes
card (2 of 2 ways)  pci.device         a name In [numa]  none   no

does not fit
""" == ran.out.replace(f"\n({nodes}", f" ({nodes}")


def test_a_node_of_which_nothing_is_known_says_so(
    run: "Run", spec: str, nodes: str
) -> None:
    ran = run("validate-node", "--spec", spec, "--nodes", nodes, "--node", "silent")
    assert ran.out.endswith("\n\nnote: nothing is known of node silent\n\nunknown\n")


def test_every_form_is_one_document(run: "Run", spec: str, nodes: str) -> None:
    arguments = ("validate-node", "--spec", spec, "--nodes", nodes, "-o")
    as_yaml = yaml.safe_load(run(*arguments, "yaml").out)
    assert report(run, spec, nodes) == as_yaml
    suite = ET.fromstring(run(*arguments, "junit").out)
    cases = {
        case.attrib["name"]: [one.tag for one in case]
        for case in suite.iter("testcase")
    }
    assert {
        "new-1": [],
        "new-2": [],
        "old": ["failure"],
        "older": ["failure"],
        "silent": ["error"],
    } == cases
    (failure,) = suite.iterfind(".//testcase[@name='old']/failure")
    assert failure.text is not None
    assert "kernel.version.major: want Ge 6, found 5" in failure.text
    page = run(*arguments, "html").out
    assert page.startswith("<!DOCTYPE html>")
    assert page.rstrip().endswith("</html>")
    table = run(*arguments, "table").out
    assert "new-1 +1" in table
    assert "new-2" in run(*arguments, "table", "--every-node").out


@pytest.mark.parametrize("form", ["nfd-json", "nfd-table"])
def test_nfds_forms_are_of_one_node_that_is_known(
    run: "Run", spec: str, nodes: str, form: str
) -> None:
    arguments = ("validate-node", "--spec", spec, "--nodes", nodes, "-o", form)
    ran = run(*arguments)
    expected = f"imagecompat: -o {form} is of one node, not of 5: name one\n"
    assert (2, "", expected) == (ran.status, ran.out, ran.err)
    ran = run(*arguments, "--node", "silent")
    assert (2, "", "imagecompat: nothing is known of node silent\n") == (
        ran.status,
        ran.out,
        ran.err,
    )


def test_standard_input_can_be_read_once(run: "Run") -> None:
    ran = run("validate-node", "--spec", "-", "--nodes", "-")
    text = "imagecompat: --spec - and --nodes -: standard input can be read only once\n"
    assert (2, text) == (ran.status, ran.err)


def test_where_tags_choose_no_set_a_node_lacks_one(
    run: "Run", nodes: str, spec: str
) -> None:
    found = report(run, spec, nodes, "--node", "old", "--tags", "none")
    (row,) = found["workloads"][0]["rows"]
    assert [{"what": "compatibility sets", "want": "one", "found": "none"}] == [
        {key: one[key] for key in ("what", "want", "found")}
        for one in row["cells"][0]["reasons"]
    ]


def test_notes_stand_beside_nfds_forms(run: "Run", spec: str, tmp_path: Path) -> None:
    features = {"attributes": {"kernel.version": {"elements": {"major": "6"}}}}
    items = [
        {
            "kind": "NodeFeature",
            "metadata": {
                "name": name,
                "namespace": "nfd",
                "labels": {"nfd.node.kubernetes.io/node-name": label},
            },
            "spec": {"features": features},
        }
        for name, label in (("a", "a"), ("b", ""))
    ]
    path = tmp_path / "nodes.json"
    path.write_text(json.dumps({"kind": "List", "items": items}))
    arguments = ("validate-node", "--spec", spec, "--nodes", str(path))
    note = "1 NodeFeatures name no node, and do not count"
    assert f"imagecompat: note: {note}\n" == run(*arguments, "--output-json").err
    assert "" == run(*arguments, "--output-json", "-q").err
    ran = run(*arguments)
    assert ("", True) == (ran.err, f"\nnote: {note}\n" in ran.out)


def test_a_node_that_is_unknown_says_which_rule_and_why(
    run: "Run", spec: str, nodes: str
) -> None:
    Path(spec).write_text(SPEC.replace("Ge", "Nope"))
    found = report(run, spec, nodes, "--node", "old")
    (row,) = found["workloads"][0]["rows"]
    assert ("unknown", [("kernel", "evaluation", 'invalid Op "Nope"')]) == (
        row["verdict"],
        [
            (one["rule"], one["what"], one["found"])
            for one in row["cells"][0]["reasons"]
        ],
    )


def test_a_host_below_a_folder_is_validated(run: "Run", tmp_path: Path) -> None:
    root = tmp_path / "host"
    (root / "etc").mkdir(parents=True)
    (root / "etc/hostname").write_text("metal-1\n")
    (root / "etc/os-release").write_text("ID=flatcar\n")
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "compatibilities: [{rules: [{name: os, matchFeatures: [{feature: "
        "system.osrelease, matchExpressions: {ID: {op: In, value: [flatcar]}}}]}, "
        "{name: nothing}]}]"
    )
    ran = run("validate-node", "--spec", str(spec), "--root", str(root))
    assert 0 == ran.status
    assert f"{spec} on metal-1 (the host below {root})" in " ".join(ran.out.split("\n"))
    assert (
        """\
os       system.osrelease.ID  In [flatcar]  flatcar  yes
nothing                       nothing                yes
"""
        in ran.out
    )


def test_a_terminal_gets_colours_its_width_and_an_end_of_line(
    run: "Run", spec: str, nodes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(__import__("sys").stdout), "isatty", lambda _: True)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.delenv("NO_COLOR", raising=False)
    arguments = ("validate-node", "--spec", spec, "--nodes", nodes, "--node", "old")
    told = run(*arguments).out
    assert "\x1b[31mno\x1b[0m" in told
    assert run(*arguments, "--output-json").out.endswith("]\n")


def test_a_cluster_that_is_nowhere_is_no_verdict(
    run: "Run", spec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KUBECONFIG", "HOME", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    ran = run("validate-node", "--spec", spec, "--all-nodes")
    assert (2, "") == (ran.status, ran.out)
    assert "no cluster to ask" in ran.err
