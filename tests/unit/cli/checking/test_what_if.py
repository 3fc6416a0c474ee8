import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.checking import what_if
from app.cli.nodes.known import KnownNodes
from app.compat.features import Features
from app.errors import ConfigError
from app.ports import Snapshot
from app.scheduling.node import Node

MODULES = frozenset({"nvidia"})
OLD = Features(
    flags={"kernel.loadedmodule": MODULES},
    attributes={"kernel.version": {"full": "5.14.0", "major": "5"}},
    instances={"pci.device": ({"vendor": "10de"},)},
)


@pytest.fixture
def known() -> KnownNodes:
    nodes = {
        name: Node(name, {"pool": pool})
        for name, pool in (("a", "old"), ("b", "old"), ("c", "new"))
    }
    return KnownNodes(Snapshot(nodes, {"a": OLD, "b": OLD}), "here", ("noted",))


def applied(known: KnownNodes, tmp_path: Path, text: str) -> KnownNodes:
    path = tmp_path / "w.yaml"
    path.write_text(f"kind: WhatIf\nsteps:\n{text}")
    return what_if.apply(known, [str(path)])


def test_nodes_go(known: KnownNodes, tmp_path: Path) -> None:
    text = "- nodes: {selector: pool=old}\n  remove: true\n"
    found = applied(known, tmp_path, text).snapshot
    assert (["c"], {}) == (list(found.nodes), dict(found.features))


def test_features_change(known: KnownNodes, tmp_path: Path) -> None:
    text = """\
- nodes: {names: [a]}
  attributes:
    Kernel.Version: {full: 6.8.0, major: null, minor: "8"}
  flags:
    kernel.loadedmodule: {vfio_pci: true, nvidia: false}
    new.flags: {x: true}
  instances:
    usb.device: [{vendor: "1d6b"}]
  unpublish: [PCI.device]
"""
    found = applied(known, tmp_path, text).snapshot.features
    assert OLD == found["b"]
    assert (
        Features(
            flags={
                "kernel.loadedmodule": frozenset({"vfio_pci"}),
                "new.flags": frozenset({"x"}),
            },
            attributes={"kernel.version": {"full": "6.8.0", "minor": "8"}},
            instances={"usb.device": ({"vendor": "1d6b"},)},
        )
        == found["a"]
    )


def test_sets_that_were_shared_stay_shared(known: KnownNodes, tmp_path: Path) -> None:
    """A set that 5,000 nodes share is evaluated once."""
    text = "- nodes: {all: true}\n  flags: {kernel.loadedmodule: {x: true}}\n"
    found = applied(known, tmp_path, text).snapshot.features
    flags = [one.flags["kernel.loadedmodule"] for one in found.values()]
    assert frozenset({"nvidia", "x"}) == flags[0]
    assert flags[0] is flags[1]


def test_nothing_becomes_known_of_nodes_of_which_nothing_is(
    known: KnownNodes, tmp_path: Path
) -> None:
    text = "- nodes: {names: [c]}\n  flags: {kernel.loadedmodule: {x: true}}\n"
    assert "c" not in applied(known, tmp_path, text).snapshot.features


def test_labels_change_and_later_steps_see_them(
    known: KnownNodes, tmp_path: Path
) -> None:
    text = """\
- nodes: {names: [a]}
  labels: {pool: gone, zone: z}
- nodes: {names: [b]}
  labels: {pool: null}
- nodes: {selector: pool=gone}
  remove: true
"""
    found = applied(known, tmp_path, text).snapshot.nodes
    assert {"b": {}, "c": {"pool": "new"}} == {k: v.labels for k, v in found.items()}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- nodes: {}\n", "steps[0]: nodes: expected one of names, selector, all"),
        ("- nodes: {all: true, names: [a]}\n", "steps[0]: nodes: expected one of"),
        ("- nodes: {names: [x]}\n", "steps[0]: there is no node x"),
        ("- nodes: {selector: pool=x}\n", "steps[0]: no node has the labels"),
        ("- nodes: {selector: '=='}\n", "steps[0]: no label selector at column 1"),
        (
            "- nodes: {all: true}\n  remov: true\n",
            "unknown field `remov` - at `$.steps",
        ),
        (
            "- nodes: {all: true}\n  attributes: {a.b: {c: 8}}\n",
            "Expected `str | null`, got `int` - at `$.steps[0].attributes",
        ),
        ("- nodes: [\n", "no valid YAML: "),
        ("- nodes: {all: true}\n---\na: 1\n", "2 documents; expected one WhatIf"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(
    known: KnownNodes, tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        applied(known, tmp_path, text)
    assert "InvalidWhatIf" == caught.value.reason
    assert caught.value.message.startswith(f"{tmp_path / 'w.yaml'}: ")
    assert message in caught.value.message


def features_of(path: Path, *modules: str) -> str:
    elements: dict[str, object] = {name: {} for name in modules}
    flags = {"kernel.loadedmodule": {"elements": elements}}
    path.write_text(json.dumps({"flags": flags}))
    return str(path)


def test_nodes_of_a_file_replace_those_of_the_same_name_and_add_others(
    known: KnownNodes, tmp_path: Path
) -> None:
    features_of(tmp_path / "a.json", "x")
    features_of(tmp_path / "d.json")
    found = what_if.apply(known, [str(tmp_path)])
    assert {"a", "b", "c", "d"} == found.snapshot.nodes.keys()
    of_a = found.snapshot.features["a"]
    assert (frozenset({"x"}), False) == (
        of_a.flags["kernel.loadedmodule"],
        "kernel.version" in of_a.attributes,
    )
    assert f"here with {tmp_path}" == found.origin
    assert "noted" == found.notes[0]


def test_nodes_of_a_file_may_replace_all(known: KnownNodes, tmp_path: Path) -> None:
    path = features_of(tmp_path / "d.json")
    found = what_if.apply(known, [path], replaces_all=True)
    assert {"d"} == found.snapshot.nodes.keys() == found.snapshot.features.keys()
    assert path == found.origin
    assert "noted" not in found.notes


def test_a_node_that_has_the_word_in_it_is_still_a_node(
    known: KnownNodes, tmp_path: Path
) -> None:
    path = features_of(tmp_path / "d.json", "WhatIf")
    assert "d" in what_if.apply(known, [path]).snapshot.nodes


def test_a_large_file_holds_nodes(
    known: KnownNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(what_if, "MAX_BYTES", 10)
    with pytest.raises(ConfigError) as caught:
        applied(known, tmp_path, "- nodes: {all: true}\n")
    assert "InvalidNodes" == caught.value.reason


def test_a_file_that_is_not_there_is_named(known: KnownNodes, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"x\.yaml: cannot be read"):
        what_if.apply(known, [str(tmp_path / "x.yaml")])


def test_an_empty_file_holds_no_nodes(known: KnownNodes, tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text("# WhatIf\n")
    with pytest.raises(ConfigError):
        what_if.apply(known, [str(path)])


def test_whose_labels_are_concluded_is_known_afterwards(
    known: KnownNodes, tmp_path: Path
) -> None:
    """Of those that are left, and of those that files bring or replace."""
    known = replace(known, inferred=frozenset({"a", "b", "c"}))
    for name in ("b", "d"):
        (tmp_path / f"{name}.json").write_text('{"flags": {}}')
    listed = tmp_path / "c.yaml"
    listed.write_text("apiVersion: v1\nkind: Node\nmetadata: {name: c}\n")
    paths = [str(tmp_path / "b.json"), str(tmp_path / "d.json"), str(listed)]
    gone = tmp_path / "w.yaml"
    gone.write_text("kind: WhatIf\nsteps:\n- nodes: {names: [a]}\n  remove: true\n")
    assert {"b", "d"} == what_if.apply(known, [*paths, str(gone)]).inferred
    assert {"b", "d"} == what_if.apply(known, paths, replaces_all=True).inferred
