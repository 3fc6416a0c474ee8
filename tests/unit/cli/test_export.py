"""`imagecompat export`, over files."""

from __future__ import annotations

import gzip
import json
import os
import stat
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.cli.nodes import document, reading
from app.compat.features import Features
from app.ports import Snapshot
from app.scheduling.node import Node
from tests.tools import host_trees

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

FEATURES = Features(
    flags={"cpu.cpuid": frozenset(["AVX", "SSE2"]), "null": None},
    attributes={"kernel.version": {"major": "6", "full": "6.1-<x>"}},
    instances={"pci.device": ({"vendor": "10de", "class": "0300"},)},
)
PLATFORM = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
UNKNOWN = Node("unknown", labels=PLATFORM)
NODES = Snapshot(
    {"known": Node("known", labels={"pool": "gpu", **PLATFORM}), "unknown": UNKNOWN},
    {"known": FEATURES},
    1,
)


@pytest.fixture
def nodes(tmp_path: Path) -> str:
    """Two nodes, one of which is known."""
    path = tmp_path / "nodes.json"
    path.write_bytes(document.encode(NODES))
    return str(path)


def test_a_document_is_what_comes_by_default(run: Run, nodes: str) -> None:
    ran = run("export", "--nodes", nodes)
    assert (0, Path(nodes).read_text(), "") == (ran.status, ran.out, ran.err)


def test_some_nodes_are_exported_with_their_sets_only(run: Run, nodes: str) -> None:
    ran = run("export", "--nodes", nodes, "--node", "unknown")
    assert Snapshot({"unknown": UNKNOWN}, {}, 1) == document.decode(ran.out.encode())
    assert {"known"} == set(
        document.decode(
            run("export", "--nodes", nodes, "-l", "pool").out.encode()
        ).nodes
    )


def test_node_features_are_what_kubectl_applies_and_we_read(
    run: Run, nodes: str, tmp_path: Path
) -> None:
    ran = run(
        "export", "--nodes", nodes, "-o", "nodefeatures", "--nfd-namespace", "nfd"
    )
    content = json.loads(ran.out)
    assert ("List", 1) == (content["kind"], len(content["items"]))
    (item,) = content["items"]
    assert {
        "name": "known",
        "namespace": "nfd",
        "labels": {"nfd.node.kubernetes.io/node-name": "known"},
    } == item["metadata"]
    assert {
        "null": {"elements": {}},
        "cpu.cpuid": {"elements": {"AVX": {}, "SSE2": {}}},
    } == (item["spec"]["features"]["flags"])
    again = tmp_path / "again.json"
    again.write_text(ran.out)
    read = reading.read([str(again)]).snapshot.features["known"]
    assert (FEATURES.attributes, FEATURES.instances) == (
        read.attributes,
        read.instances,
    )


def test_one_node_is_what_nfd_prints(run: Run, nodes: str) -> None:
    ran = run("export", "--nodes", nodes, "--node", "known", "-o", "nfd-json")
    assert 0 == ran.status
    assert ran.out.startswith('{\n    "flags": {\n        "cpu.cpuid": {\n')
    assert '"full": "6.1-\\u003cx\\u003e"' in ran.out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        pytest.param(
            ("-o", "nfd-json"),
            "-o nfd-json is for one node, not 2: name one",
            id="several as one",
        ),
        pytest.param(
            ("-o", "nfd-json", "--node", "unknown"),
            "nothing is known of node unknown",
            id="unknown",
        ),
        pytest.param(("--node", "x"), "nodes.json: no such node: x", id="no node"),
        pytest.param(("--host",), "--host: give no other nodes beside it", id="both"),
        pytest.param(
            ("-f", "/absent/x"),
            "/absent/x: cannot be written: No such file or directory",
            id="nowhere",
        ),
    ],
)
def test_what_cannot_be_exported_is_said_and_nothing_printed(
    run: Run, nodes: str, arguments: tuple[str, ...], text: str
) -> None:
    ran = run("export", "--nodes", nodes, *arguments)
    assert (2, "") == (ran.status, ran.out)
    assert ran.err.rstrip().endswith(text)
    assert 1 == ran.err.count("\n")


def test_host_and_a_cluster_exclude_each_other(run: Run) -> None:
    ran = run("export", "--host", "--all-nodes")
    assert (2, "imagecompat: --host: give no other nodes beside it\n") == (
        ran.status,
        ran.err,
    )


def test_names_are_replaced(run: Run, nodes: str) -> None:
    ran = run("export", "--nodes", nodes, "--anonymize")
    read = document.decode(ran.out.encode())
    assert ({"node-1", "node-2"}, {"node-1"}) == (set(read.nodes), set(read.features))
    assert '"known"' not in ran.out


def test_notes_are_on_standard_error_unless_quiet(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "host.json"
    path.write_text('{"flags": {"cpu.cpuid": {"elements": {"SSE2": {}}}}}')
    ran = run("export", "--nodes", str(path))
    expected = (
        "imagecompat: note: labels of host are not known: "
        "platform taken from features, no taints\n"
    )
    assert (0, expected) == (ran.status, ran.err)
    assert "" == run("export", "--nodes", str(path), "-q").err


@pytest.mark.parametrize("form", ["nfd-json", "nodefeatures"])
def test_labels_need_no_word_where_none_are_written(
    run: Run, tmp_path: Path, form: str
) -> None:
    path = tmp_path / "host.json"
    path.write_text('{"flags": {}}')
    ran = run("export", "--nodes", str(path), "-o", form)
    assert (0, "") == (ran.status, ran.err)


def test_the_labels_of_this_host_are_concluded_as_well(
    run: Run, tmp_path: Path
) -> None:
    root = host_trees.make(tmp_path, {"/etc/hostname": "edge-1\n"})
    ran = run("export", "--root", str(root))
    assert "note: platform of edge-1 is not known" in ran.err


def test_a_file_is_written_whole(run: Run, nodes: str, tmp_path: Path) -> None:
    target = tmp_path / "out.json"
    ran = run("export", "--nodes", nodes, "-f", str(target))
    assert (0, "") == (ran.status, ran.out)
    assert Path(nodes).read_bytes() == target.read_bytes()
    mask = os.umask(0)
    os.umask(mask)
    assert 0o666 & ~mask == stat.S_IMODE(target.stat().st_mode)
    assert {"nodes.json", "out.json"} == {one.name for one in tmp_path.iterdir()}


def test_a_file_keeps_its_permissions_and_a_link_stays_one(
    run: Run, nodes: str, tmp_path: Path
) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("before")
    target.chmod(0o640)
    link.symlink_to(target)
    assert 0 == run("export", "--nodes", nodes, "--output-file", str(link)).status
    assert link.is_symlink()
    assert (Path(nodes).read_bytes(), 0o640) == (
        target.read_bytes(),
        stat.S_IMODE(target.stat().st_mode),
    )


def test_a_file_that_cannot_be_replaced_stays_as_it_was(
    run: Run, nodes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    target = tmp_path / "out.json"
    target.write_text("before")
    monkeypatch.setattr(os, "fchmod", full)
    ran = run("export", "--nodes", nodes, "-f", str(target))
    assert (2, "before") == (ran.status, target.read_text())
    assert "No space left on device" in ran.err
    assert {"nodes.json", "out.json"} == {one.name for one in tmp_path.iterdir()}


def test_a_name_that_ends_in_gz_gets_gzip_the_same_each_time(
    run: Run, nodes: str, tmp_path: Path
) -> None:
    for name in ("one.json.gz", "two.json.gz"):
        run("export", "--nodes", nodes, "-f", str(tmp_path / name))
    one, two = ((tmp_path / f"{name}.json.gz").read_bytes() for name in ("one", "two"))
    assert one == two
    assert bytes(4) == one[4:8]  # when it was written: never
    assert Path(nodes).read_bytes() == gzip.decompress(one)
    again = run("export", "--nodes", str(tmp_path / "one.json.gz"))
    assert Path(nodes).read_text() == again.out


def test_a_pipe_is_written_to(run: Run, nodes: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    assert 0 == run("export", "--nodes", nodes, "-f", str(pipe)).status
    reader.join()
    assert [Path(nodes).read_bytes()] == got
    assert stat.S_ISFIFO(pipe.stat().st_mode)
