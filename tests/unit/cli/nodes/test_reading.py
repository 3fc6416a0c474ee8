"""Nodes of files, as `export`, `nfd export features` and kubectl write them."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.cli.nodes import document, reading
from app.compat import features as compat_features
from app.compat.features import Features
from app.errors import ConfigError
from app.ports import Snapshot
from app.scheduling.node import Node, Taint
from tests.unit.cli.nodes.samples import features, listed, node, node_feature, text

SIX = Features(attributes={"kernel.version": {"major": "6"}})
X86: dict[str, Any] = {"flags": {"cpu.cpuid": {"elements": {"SSE2": {}}}}}


def written(folder: Path, name: str, content: Any) -> str:
    """The path of a file with that content."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else text(content))
    return str(path)


def as_yaml(*documents: object) -> str:
    """Several documents."""
    return yaml.safe_dump_all(documents)


def test_an_exported_document_is_read_as_it_is(tmp_path: Path) -> None:
    nodes = {"a": Node("a", taints=(Taint("gpu"),)), "b": Node("b")}
    path = tmp_path / "nodes.json"
    path.write_bytes(document.encode(Snapshot(nodes, {"a": SIX}, 3)))
    known = reading.read([str(path)])
    assert (nodes, {"a": SIX}) == (known.snapshot.nodes, known.snapshot.features)
    assert (str(path), (), frozenset()) == (known.origin, known.notes, known.inferred)
    assert known.snapshot.generation > Snapshot().generation


def test_features_are_of_the_node_that_the_file_is_called_like(tmp_path: Path) -> None:
    path = written(tmp_path, "worker-1.json", {**features(major="6"), **X86})
    known = reading.read([path])
    assert {"worker-1"} == known.inferred == set(known.snapshot.features)
    labels = {
        "kubernetes.io/hostname": "worker-1",
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
    }
    assert Node("worker-1", labels=labels) == known.snapshot.nodes["worker-1"]
    assert () == known.notes


@pytest.mark.parametrize(
    ("found", "arch"),
    [
        pytest.param(
            {"flags": {"cpu.cpuid": {"elements": {"ASIMD": {}}}}}, "arm64", id="flag"
        ),
        pytest.param(
            {"attributes": {"kernel.config": {"elements": {"ARM64": "y"}}}},
            "arm64",
            id="configuration",
        ),
        pytest.param(
            {"attributes": {"kernel.config": {"elements": {"X86_64": "n"}}}},
            None,
            id="not configured",
        ),
        pytest.param(
            {
                "flags": {"cpu.cpuid": {"elements": None}},
                "attributes": {"kernel.config": {"elements": None}},
            },
            None,
            id="null",
        ),
    ],
)
def test_the_architecture_is_told_by_flags_or_by_the_kernel(
    found: dict[str, Any], arch: str | None, tmp_path: Path
) -> None:
    known = reading.read([written(tmp_path, "a.json", found)])
    assert arch == known.snapshot.nodes["a"].labels.get("kubernetes.io/arch")


def test_node_and_node_feature_of_a_list_are_a_cluster(tmp_path: Path) -> None:
    content = listed(
        node("tainted", pool="gpu"),
        node("cordoned"),
        node_feature("tainted", features(major="6")),
    )
    known = reading.read([written(tmp_path, "all.json", content)])
    assert {
        "tainted": Node(
            "tainted",
            labels={"kubernetes.io/os": "linux", "pool": "gpu"},
            taints=(Taint("gpu", "", "NoSchedule"),),
        ),
        "cordoned": Node(
            "cordoned", labels={"kubernetes.io/os": "linux"}, unschedulable=True
        ),
    } == known.snapshot.nodes
    assert {"tainted": SIX} == known.snapshot.features
    assert ((), frozenset()) == (known.notes, known.inferred)


def test_yaml_of_several_documents_says_the_same(tmp_path: Path) -> None:
    objects = (node("a"), None, listed(node_feature("a", features(major="6"))))
    known = reading.read([written(tmp_path, "all.yaml", as_yaml(*objects))])
    assert ({"a"}, {"a": SIX}) == (set(known.snapshot.nodes), known.snapshot.features)


def test_the_items_of_a_typed_list_need_no_kind(tmp_path: Path) -> None:
    item = node("a")
    del item["kind"]
    known = reading.read([written(tmp_path, "n.json", listed(item, kind="NodeList"))])
    assert {"a"} == known.snapshot.nodes.keys()


def test_node_features_of_one_node_are_merged_nfds_namespace_first(
    tmp_path: Path,
) -> None:
    content = listed(
        node_feature("a", features(major="from the vendor"), name="z", namespace="gpu"),
        node_feature("a", features(major="6", minor="1")),
    )
    path = written(tmp_path, "all.json", content)
    merged = {"major": "from the vendor", "minor": "1"}
    known = reading.read([path], namespaces=["node-feature-discovery", "gpu"])
    assert merged == known.snapshot.features["a"].attributes["kernel.version"]
    assert () == known.notes


@pytest.mark.parametrize("namespaces", [[], ["node-feature-discovery"]])
def test_node_features_of_namespaces_that_nobody_trusts_do_not_count(
    tmp_path: Path, namespaces: list[str]
) -> None:
    """As for the webhook: else whoever may write one would decide."""
    content = listed(
        node_feature("a", features(major="forged"), name="z", namespace="gpu"),
        node_feature("a", features(major="6", minor="1")),
        node("a"),
    )
    path = written(tmp_path, "all.json", content)
    known = reading.read([path], namespaces=namespaces)
    assert {"major": "6", "minor": "1"} == known.snapshot.features["a"].attributes[
        "kernel.version"
    ]
    text = "name trusted namespaces with --nfd-namespace"
    assert (f"1 NodeFeatures of gpu do not count: {text}",) == known.notes


def test_where_nobody_knows_which_namespace_is_nfds_all_count_with_a_note(
    tmp_path: Path,
) -> None:
    content = listed(
        node_feature("a", features(major="6"), namespace="nfd"),
        node_feature("a", features(minor="1"), name="z", namespace="vendor"),
    )
    known = reading.read([written(tmp_path, "all.json", content)])
    assert {"major": "6", "minor": "1"} == known.snapshot.features["a"].attributes[
        "kernel.version"
    ]
    text = "name those that are trusted with --nfd-namespace"
    assert (f"NodeFeatures of nfd, vendor count: {text}",) == known.notes


def test_one_namespace_alone_is_nfds_own(tmp_path: Path) -> None:
    one = node_feature("a", features(major="6"), namespace="nfd")
    known = reading.read([written(tmp_path, "one.json", one)])
    assert ({"a"}, ()) == (set(known.snapshot.features), known.notes)


def test_another_namespace_may_be_nfds_own(tmp_path: Path) -> None:
    content = listed(
        node_feature("a", features(major="own"), namespace="nfd"),
        node_feature("a", features(major="later"), name="b", namespace="gpu"),
    )
    path = written(tmp_path, "all.json", content)
    known = reading.read([path], namespaces=["gpu", "nfd"])
    assert {"major": "own"} == known.snapshot.features["a"].attributes["kernel.version"]


def test_without_the_workers_own_object_nothing_is_known(tmp_path: Path) -> None:
    one = node_feature("a", features(major="6"), name="from-a-vendor")
    known = reading.read([written(tmp_path, "one.json", one)])
    assert ({"a"}, 0) == (set(known.snapshot.nodes), len(known.snapshot.features))


def test_a_node_feature_without_its_node_is_of_a_node_that_is_gone(
    tmp_path: Path,
) -> None:
    content = listed(node("a"), node_feature("gone", features(major="6")))
    known = reading.read([written(tmp_path, "all.json", content)])
    assert ({"a"}, 0) == (set(known.snapshot.nodes), len(known.snapshot.features))
    assert ("NodeFeatures of gone: there is no such Node",) == known.notes


def test_a_node_feature_that_names_no_node_does_not_count(tmp_path: Path) -> None:
    content = listed(node("a"), node_feature("", features(major="6"), name="a"))
    known = reading.read([written(tmp_path, "all.json", content)])
    assert {} == known.snapshot.features
    assert ("1 NodeFeatures name no node, and do not count",) == known.notes


def test_a_folder_is_read_in_the_order_of_names(tmp_path: Path) -> None:
    folder = tmp_path / "hosts"
    written(folder, "b.yaml", as_yaml(features(major="6")))
    written(folder, "a.json", features(major="6"))
    written(folder, "c.json.yml", as_yaml(features(major="6")))
    written(folder, "README.md", "no host")
    written(folder, ".hidden.json", "no host")
    (folder / "folder.json").mkdir()
    known = reading.read([str(folder)])
    assert ["a", "b", "c.json"] == list(known.snapshot.features)
    assert str(folder) == known.origin


def test_standard_input_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = io.TextIOWrapper(io.BytesIO(text(node("a")).encode()))
    monkeypatch.setattr(sys, "stdin", given)
    other = written(tmp_path, "b.json", node("b"))
    known = reading.read(["-", other])
    assert {"a", "b"} == known.snapshot.nodes.keys()
    assert f"standard input and {other}" == known.origin


def test_features_of_standard_input_are_of_a_node_called_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = io.TextIOWrapper(io.BytesIO(text(X86).encode()))
    monkeypatch.setattr(sys, "stdin", given)
    assert {"stdin"} == reading.read(["-"]).snapshot.nodes.keys()


def test_many_files_are_counted(tmp_path: Path) -> None:
    paths = [written(tmp_path, f"{name}.json", X86) for name in "abcd"]
    known = reading.read(paths)
    assert "4 files" == known.origin
    assert set("abcd") == known.inferred


def test_features_beside_a_node_are_its_own(tmp_path: Path) -> None:
    paths = [
        written(tmp_path, "nodes.json", node("a", pool="gpu")),
        written(tmp_path, "a.json", features(major="6")),
    ]
    known = reading.read(paths)
    assert ({"a": SIX}, frozenset()) == (known.snapshot.features, known.inferred)
    assert "gpu" == known.snapshot.nodes["a"].labels["pool"]


def test_equal_sets_of_several_nodes_are_one_object(tmp_path: Path) -> None:
    content = listed(*(node_feature(name, features(major="6")) for name in ("a", "b")))
    found = reading.read([written(tmp_path, "all.json", content)]).snapshot.features
    a, b = (found[name].attributes["kernel.version"] for name in ("a", "b"))
    assert a is b


def test_a_json_text_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"\xef\xbb\xbf \n" + text(X86).encode())
    assert (
        compat_features.from_json(X86)
        == reading.read([str(path)]).snapshot.features["a"]
    )


@pytest.mark.parametrize("less", [0, 1])
def test_large_features_are_read_as_small_ones_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, less: int
) -> None:
    path = written(tmp_path, "a.json", X86)
    size = Path(path).stat().st_size
    monkeypatch.setattr(reading, "MOST_PLAIN_BYTES", size - less)
    expected = compat_features.from_json(X86)
    assert expected == reading.read([path]).snapshot.features["a"]


# What is no such file ---------------------------------------------------------------

BROKEN_STREAM = (
    "kind: Node\nmetadata: {name: a}\n---\nkind: Node\nmetadata: {name: [}\n"
)
WRONG_VALUE = node_feature("a", {"attributes": {"k": {"elements": {"x": 1}}}})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("", "no node and no features in it", id="empty"),
        pytest.param("# nothing\n---\n", "no node and no features in it", id="comment"),
        pytest.param(
            '{\n"a": 1,\n', "no valid JSON: Input data was truncated", id="cut JSON"
        ),
        pytest.param(
            '{\n"a": x}', "line 2: no valid JSON: JSON is malformed", id="no JSON"
        ),
        pytest.param("[1]", "no object of Kubernetes, and no features", id="a list"),
        pytest.param("just words", "document 1, line 1: no object of", id="words"),
        pytest.param(
            BROKEN_STREAM,
            "document 2, line 5: no valid YAML: did not find expected node content",
            id="YAML broken in the middle of a stream",
        ),
        pytest.param(
            {"kind": "Pod", "metadata": {"name": "a"}},
            "kind 'Pod', expected ExportedNodes, NodeFeature, Node or a List of them",
            id="another kind",
        ),
        pytest.param(
            listed(node("a"), {"kind": "Pod"}),
            "items[1]: kind 'Pod', expected",
            id="another kind in a List",
        ),
        pytest.param(
            as_yaml(node("a"), listed(node("b"), {"kind": "Secret"})),
            "document 2, line 8, items[1]: kind 'Secret'",
            id="in a List of a later document",
        ),
        pytest.param({"kind": "List", "items": {}}, "items: Expected", id="no items"),
        pytest.param({"kind": "Node"}, "no valid Node: ", id="a Node without a name"),
        pytest.param({"kind": "NodeFeature"}, "no valid NodeFeature: ", id="nor that"),
        pytest.param({"a": 1}, "no kind, and no flags, attributes or", id="no kind"),
        pytest.param(
            {"flags": []}, "flags: got list, expected an object", id="no features"
        ),
        pytest.param(
            WRONG_VALUE,
            "NodeFeature node-feature-discovery/a: spec.features: "
            "attributes[k].elements[x]: got int, expected a string",
            id="a number for a text",
        ),
        pytest.param(
            '{"attributes": "\\ud800"} ',
            "attributes: got str, expected an object",
            id="features that are half a character",
        ),
        pytest.param(
            node_feature("a", {"instances": {"i": {"elements": [{"attributes": []}]}}}),
            "spec.features: instances[i].elements[0].attributes: got list, expected",
            id="instances",
        ),
        pytest.param(
            {**WRONG_VALUE, "spec": 5}, "/a: spec: expected an object", id="no spec"
        ),
        pytest.param(
            {
                **WRONG_VALUE,
                "spec": {
                    "features": {"flags": {"f": {"elements": {"x": {}}, "x": 1}}},
                    "x": 1,
                },
                "metadata": {"name": "a", "labels": 5},
            },
            "no valid NodeFeature: ",
            id="metadata",
        ),
        pytest.param(
            as_yaml({"flags": 5}).replace("5", "&a [*a]"),
            "document 1, line 1: no valid YAML: anchor 'a' contains itself",
            id="an anchor in itself",
        ),
    ],
)
def test_one_message_names_file_and_place(
    content: Any,
    message: str,
    tmp_path: Path,
) -> None:
    path = written(tmp_path, "bad.json", content)
    with pytest.raises(ConfigError) as caught:
        reading.read([path])
    assert caught.value.message.startswith(f"{path}: ")
    assert message in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(WRONG_VALUE, "NodeFeature node-feature-discovery/a: ", id="one"),
        pytest.param({"attributes": {"k": 1}}, "no valid JSON: ", id="features"),
    ],
)
def test_bytes_that_are_no_text_are_refused(
    content: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(text(content).encode().replace(b": 1", b': "\xff"'))
    with pytest.raises(ConfigError, match=message):
        reading.read([str(path)])


def test_nothing_may_be_said_twice_of_one_node(tmp_path: Path) -> None:
    one = written(tmp_path, "one.json", listed(node("a")))
    other = written(tmp_path, "other.yaml", as_yaml(node("b"), node("a")))
    with pytest.raises(ConfigError) as caught:
        reading.read([one, other])
    assert (
        f"{other}: document 2, line 8: node a is there already: {one}: items[0]"
        == caught.value.message
    )


@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        pytest.param(
            "x/a.json", "y/a.json", "features of node a is there already", id="features"
        ),
        pytest.param("x/a.json", "nf.json", "features of node a are there", id="kinds"),
        pytest.param("nf.json", "n2.json", "NodeFeature node-feature-", id="objects"),
        pytest.param("ex.json", "node.json", "node a is there already", id="document"),
        pytest.param("node.json", "ex.json", "node a is there already", id="reversed"),
        pytest.param("x/a.json", "ex.json", "features of node a is", id="its features"),
    ],
)
def test_neither_in_another_form(
    first: str, second: str, what: str, tmp_path: Path
) -> None:
    exported = document.encode(Snapshot({"a": Node("a")}, {"a": SIX}, 1)).decode()
    one = node_feature("a", X86)
    contents = {
        "nf.json": one,
        "n2.json": one,
        "node.json": node("a"),
        "ex.json": exported,
    }
    paths = [
        written(tmp_path, name, contents.get(name, X86)) for name in (first, second)
    ]
    with pytest.raises(ConfigError, match=what):
        reading.read(paths)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"absent\.json: cannot be read: No such file"
    ):
        reading.read([str(tmp_path / "absent.json")])
    with pytest.raises(
        ConfigError, match=r"no file in it ends in \.json, \.yaml, \.yml"
    ):
        reading.read([str(tmp_path)])
