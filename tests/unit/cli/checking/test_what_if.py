import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.checking import steps, what_if
from app.cli.nodes.known import KnownNodes
from app.compat.features import Features
from app.errors import ConfigError
from app.ports import Snapshot
from app.scheduling.node import Node, Taint

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
- nodes: {names: [b]}
  instances:
    usb.device: [{vendor: "1d6b"}]
"""
    found = applied(known, tmp_path, text).snapshot.features
    other = {**OLD.instances, "usb.device": ({"vendor": "1d6b"},)}
    assert replace(OLD, instances=other) == found["b"]
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
    text = "- nodes: {names: [a, c]}\n  flags: {kernel.loadedmodule: {x: true}}\n"
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


WHICH = "expected one of names, selector, all: true"
ALL = "- nodes: {all: true}\n  "


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "2:7: steps: expected a list, got nothing"),
        ("  []\n", "3:3: steps: expected a list with at least one"),
        ("  {}\n", "3:3: steps: expected a list, got a mapping"),
        ("- all\n", "3:3: step: expected a mapping, got text (all)"),
        ("- remove: true\n", f"3:3: nodes: {WHICH}, got nothing"),
        ("- nodes: all\n  remove: true\n", "3:10: nodes: expected a mapping, got"),
        ("- nodes: {}\n  remove: true\n", f"3:10: nodes: {WHICH}, got none of them"),
        (
            "- nodes: {all: true, names: [a]}\n  remove: true\n",
            f"3:10: nodes: {WHICH}, got names and all",
        ),
        ("- nodes: {all: false}\n  remove: true\n", f"3:16: nodes: {WHICH}, got all"),
        ("- nodes: {all: 1}\n  remove: true\n", "3:16: all: expected true or false"),
        ("- nodes: {names: []}\n  remove: true\n", "3:18: names: expected at least"),
        ("- nodes: {names: [7]}\n  remove: true\n", "3:19: names: expected text, got"),
        ("- nodes: {names: [x]}\n  remove: true\n", "3:18: there is no node x"),
        (
            "- nodes: {selector: pool=x}\n  remove: true\n",
            "3:21: no node has the labels pool=x",
        ),
        ("- nodes: {selector: 7}\n  remove: true\n", "3:21: selector: expected text"),
        (
            "- nodes: {selector: '=='}\n  remove: true\n",
            "3:21: no label selector at column 1",
        ),
        ("- nodes: {all: true}\n", "3:3: step: expected one of remove, attributes, "),
        (f"{ALL}remove: false\n", "4:11: remove: expected true, or another change"),
        (f"{ALL}remove: 1\n", "4:11: remove: expected true or false, got a number"),
        (
            f"{ALL}remove: true\n  labels: {{a: b}}\n",
            "5:3: labels: says nothing of nodes that go (remove: true)",
        ),
        (
            f"{ALL}remov: true\n",
            "4:3: step: unknown key 'remov'; did you mean remove? (and 1 more)",
        ),
        (f"{ALL}labels: []\n", "4:11: labels: expected a mapping, got a list"),
        (f"{ALL}flags: {{}}\n", "4:10: flags: expected at least one entry, got none"),
        (f"{ALL}flags: {{a.b: {{}}}}\n", "4:16: a.b: expected at least one entry"),
        (f"{ALL}flags: {{a.b: {{c: 1}}}}\n", "4:20: c: expected true or false, got"),
        (
            f"{ALL}attributes: {{a.b: {{c: 8}}}}\n",
            "4:25: c: expected text or null, got a number (8): quote it",
        ),
        (
            f"{ALL}attributes: {{a.b: {{c: []}}}}\n",
            "4:25: c: expected text or null, got a list",
        ),
        (f"{ALL}instances: {{a.b: {{}}}}\n", "4:20: a.b: expected a list, got a map"),
        (f"{ALL}instances: {{a.b: [c]}}\n", "4:21: a.b: expected a mapping, got text"),
        (f"{ALL}unpublish: []\n", "4:14: unpublish: expected at least one, got none"),
        (f"{ALL}unpublish: [7]\n", "4:15: unpublish: expected text, got a number"),
        (
            f"{ALL}unpublish: [kernel.lodedmodule]\n",
            "4:15: unpublish: none of these nodes publishes kernel.lodedmodule; did",
        ),
        (
            "- nodes: {names: [c]}\n  flags: {a.b: {c: true}}\n",
            "3:18: nothing is known of the features of c: none can change",
        ),
        (f"{ALL}remove: true\n---\na: 1\n", "5: 2 documents; expected one WhatIf"),
        (f"{ALL}labels: {{a: !!int x}}\n", " document 1, line 4: no valid YAML: "),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(
    known: KnownNodes, tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        applied(known, tmp_path, text)
    assert "InvalidWhatIf" == caught.value.reason
    assert caught.value.message.startswith(f"{tmp_path / 'w.yaml'}:{message}")


def test_more_yaml_than_a_what_if_needs_is_refused(
    known: KnownNodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "LIMITS", replace(steps.LIMITS, nodes=9))
    with pytest.raises(ConfigError, match=r"w\.yaml:\d+:\d+: too costly: more than 9"):
        applied(known, tmp_path, "- nodes: {all: true}\n  remove: true\n")


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


def test_features_without_a_node_leave_the_known_node_as_it_is(
    known: KnownNodes, tmp_path: Path
) -> None:
    """Else its taints go, and what no Pod may run on begins to fit."""
    taint = Taint("gpu", "", "NoSchedule")
    node = Node("a", {"pool": "old"}, (taint,), unschedulable=True)
    nodes = {**known.snapshot.nodes, "a": node}
    known = replace(known, snapshot=Snapshot(nodes, known.snapshot.features))
    found = what_if.apply(known, [features_of(tmp_path / "a.json", "x")])
    assert (node, frozenset()) == (found.snapshot.nodes["a"], found.inferred)
    flags = found.snapshot.features["a"].flags
    assert {"kernel.loadedmodule": frozenset({"x"})} == flags


def test_a_node_whose_features_are_unknown_hides_what_was_known(
    known: KnownNodes, tmp_path: Path
) -> None:
    listed = tmp_path / "a.yaml"
    listed.write_text("apiVersion: v1\nkind: Node\nmetadata: {name: a}\n")
    found = what_if.apply(known, [str(listed)]).snapshot
    assert ("b",) == tuple(found.features)
    assert {} == dict(found.nodes["a"].labels)


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
    monkeypatch.setattr(steps, "MAX_BYTES", 10)
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


def test_what_is_no_mapping_is_no_what_if() -> None:
    found = ((), ("w.yaml:1:1: WhatIf: expected a mapping, got a list",))
    assert found == steps.read(b"[]", "w.yaml")


def test_a_node_that_only_a_node_feature_names_stays_as_it_is(
    known: KnownNodes, tmp_path: Path
) -> None:
    """Of what another than its worker says, too, nobody learns its taints."""
    path = tmp_path / "a.yaml"
    path.write_text(
        "apiVersion: nfd.k8s-sigs.io/v1alpha1\nkind: NodeFeature\nmetadata:\n"
        "  name: a-vendor\n  namespace: other\n"
        "  labels: {nfd.node.kubernetes.io/node-name: a}\n"
        "spec: {features: {flags: {}, attributes: {}, instances: {}}}\n"
    )
    found = what_if.apply(known, [str(path)])
    assert known.snapshot.nodes["a"] == found.snapshot.nodes["a"]
    assert "a" not in found.snapshot.features
