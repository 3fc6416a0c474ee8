"""A host as a node: its name, its labels, and what could not be read."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.cli.nodes import of_host, reading
from app.compat.features import Features
from app.errors import ConfigError
from app.host import nfd_json
from app.host.discovery import discover
from app.host.local import FOLDER as FEATURES
from app.host.tree import Unread
from tests.tools import host_trees
from tests.tools.host_trees import FOLDER

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run


@pytest.fixture(autouse=True)
def _no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NODE_NAME", raising=False)


def test_a_host_is_one_node_with_what_it_publishes(tmp_path: Path) -> None:
    entries = {
        "/etc/hostname": "edge-1\n",
        "/boot/config-6.8.0-52-generic": "CONFIG_ARM64=y\n",
    }
    known = of_host.read(host_trees.make(tmp_path, entries))
    assert ["edge-1"] == list(known.snapshot.nodes)
    node = known.snapshot.nodes["edge-1"]
    assert "edge-1" == node.labels["kubernetes.io/hostname"]
    assert "linux" == node.labels["kubernetes.io/os"]
    assert "kubernetes.io/arch" in node.labels
    version = known.snapshot.features["edge-1"].attributes["kernel.version"] or {}
    assert "6.8.0-52-generic" == version["full"]
    assert f"the host below {tmp_path}" == known.origin


def test_this_host_has_the_name_of_the_machine() -> None:
    known = of_host.read()
    assert [platform.node()] == list(known.snapshot.nodes)
    assert "this host" == known.origin
    assert Features() != known.snapshot.features[platform.node()]


def test_labels_of_a_host_are_concluded_from_its_features(tmp_path: Path) -> None:
    root = host_trees.make(tmp_path, {"/etc/hostname": "edge-1\n"})
    assert {"edge-1"} == of_host.read(root).inferred


def test_validating_a_host_says_nothing_of_labels(run: Run, tmp_path: Path) -> None:
    """A spec asks for features only."""
    root = host_trees.make(tmp_path / "root", {"/etc/hostname": "edge-1\n"})
    spec = tmp_path / "spec.yaml"
    rules = "[{name: r, matchFeatures: [{feature: kernel.version}]}]"
    spec.write_text(f"version: v1alpha1\ncompatibilities: [{{rules: {rules}}}]\n")
    ran = run("validate-node", "--spec", str(spec), "--root", str(root))
    assert "edge-1" in ran.out
    assert "labels of" not in ran.out + ran.err
    assert "platform of" not in ran.out + ran.err


def test_a_host_without_a_name_is_called_as_its_folder(tmp_path: Path) -> None:
    root = host_trees.make(tmp_path / "photon", {"/etc/hostname": " \n"})
    assert ["photon"] == list(of_host.read(root).snapshot.nodes)


def test_the_name_that_the_job_is_given_counts_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = host_trees.make(tmp_path, {"/etc/hostname": "edge-1\n"})
    monkeypatch.setenv("NODE_NAME", "worker-1")
    assert ["worker-1"] == list(of_host.read(root).snapshot.nodes)


def test_what_could_not_be_read_is_noted(tmp_path: Path) -> None:
    root = host_trees.make(tmp_path, {"/etc/os-release": FOLDER})
    assert "/etc/os-release: Is a directory" in of_host.read(root).notes


def test_of_much_that_could_not_be_read_the_number_is_noted() -> None:
    unread = tuple(Unread(f"/{number}", "why") for number in range(10))
    told = tuple(f"/{number}: why" for number in range(8))
    assert told == of_host.notes(unread[:8])
    how = "could not be read; `imagecompat export --verbose` lists all"
    assert (*told, f"and 1 other {how}") == of_host.notes(unread[:9])
    assert (*told, f"and 2 others {how}") == of_host.notes(unread)
    assert tuple(f"/{n}: why" for n in range(10)) == of_host.notes(unread, every=True)


def test_all_that_could_not_be_read_is_listed_and_in_the_document(
    run: Run, tmp_path: Path
) -> None:
    """Other commands read the document as before."""
    root = host_trees.make(tmp_path / "host", {}, base={"/etc/hostname": "edge-1"})
    unread = discover(root).unread
    assert of_host.MAX_NOTES < len(unread)
    lines = [f"imagecompat: note: {one.path}: {one.why}" for one in unread]
    file = tmp_path / "edge.json"
    ran = run("export", "--root", str(root), "--verbose", "-f", str(file))
    assert lines == ran.err.splitlines()[: len(lines)]
    few = run("export", "--root", str(root))
    assert lines[:8] == few.err.splitlines()[:8]
    assert file.read_text() == few.out
    (node,) = json.loads(few.out)["nodes"]
    assert [{"path": one.path, "why": one.why} for one in unread] == node["unread"]
    known = reading.read([str(file)])
    assert discover(root).features == known.snapshot.features["edge-1"]


def test_no_notes_and_all_notes_exclude_each_other(run: Run) -> None:
    ran = run("export", "--host", "--quiet", "--verbose")
    assert (2, "") == (ran.status, ran.out)
    assert "imagecompat: --quiet and --verbose exclude each other\n" == ran.err


def test_notes_of_files_stay_what_they_are(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "edge.json"
    file.write_text("{}")
    words = ("export", "--nodes", str(file))
    assert run(*words).err == run(*words, "--verbose").err != ""


@pytest.mark.parametrize("name", ["file", "zero\0byte"])
def test_a_root_must_be_a_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="not a folder") as caught:
        of_host.read(tmp_path / name)
    assert "UnreadableInput" == caught.value.reason


@pytest.mark.parametrize(
    ("name", "why"),
    [
        pytest.param("nowhere", "No such file or directory", id="absent"),
        pytest.param("file/x", "Not a directory", id="below a file"),
        pytest.param("n" * 300, "File name too long", id="too long"),
    ],
)
def test_a_root_that_cannot_be_looked_at_says_why(
    name: str, why: str, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError) as caught:
        of_host.read(tmp_path / name)
    expected = (f"{tmp_path / name}: cannot be read: {why}", "UnreadableInput")
    assert expected == (caught.value.message, caught.value.reason)


def test_a_host_is_printed_with_its_broken_bytes_as_nfd_prints_them(
    run: Run, tmp_path: Path
) -> None:
    """Nothing of it is left where names are replaced."""
    labels = {f"{FEATURES}/a": b"\xff=1\n\xfe=secret\n\xef\xbf\xbd=2\n"}
    root = host_trees.make(tmp_path, labels)
    command = ("export", "--root", str(root), "-o", "nfd-json", "--quiet")
    out = run(*command).out
    assert nfd_json.text(discover(root).as_read) == out
    assert 4 == out.count('"\\ufffd": ')
    assert 2 == out.count('"\ufffd": ')
    without_names = run(*command, "--anonymize")
    assert 0 == without_names.status
    assert "secret" not in without_names.out
