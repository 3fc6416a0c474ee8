"""The nodes that a command is pointed at."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.nodes import finding
from app.cli.nodes.options import NodesFrom
from app.errors import ConfigError
from tests.unit.cli.nodes.samples import listed, node, text


@pytest.fixture
def nodes(tmp_path: Path) -> str:
    path = tmp_path / "nodes.json"
    path.write_text(text(listed(node("a", pool="gpu"), node("b"))))
    return str(path)


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A host with little more than a name."""
    root = tmp_path / "host"
    (root / "etc").mkdir(parents=True)
    (root / "etc/hostname").write_text("metal-1\n")
    (root / "etc/os-release").write_text("ID=flatcar\n")
    return root


async def test_files_are_read_and_some_nodes_chosen(nodes: str) -> None:
    assert {"a", "b"} == set(
        (await finding.find(NodesFrom(files=[nodes]))).snapshot.nodes
    )
    known = finding.here(NodesFrom(files=[nodes], selector="pool=gpu"))
    assert {"a"} == set(known.snapshot.nodes)
    known = finding.here(NodesFrom(files=[nodes], names=["b"]))
    assert {"b"} == set(known.snapshot.nodes)


async def test_a_host_below_a_folder_is_one_node(host: Path) -> None:
    known = await finding.find(NodesFrom(root=host))
    assert {"metal-1"} == set(known.snapshot.nodes) == set(known.snapshot.features)
    features = known.snapshot.features["metal-1"]
    assert "flatcar" == (features.attributes["system.osrelease"] or {})["ID"]


@pytest.mark.parametrize(
    ("asked", "else_host", "is_here"),
    [
        pytest.param(NodesFrom(), False, False, id="a cluster by default"),
        pytest.param(NodesFrom(), True, True, id="this host by default"),
        pytest.param(NodesFrom(all_nodes=True), True, False, id="all nodes"),
        pytest.param(NodesFrom(files=["x"]), False, True, id="files"),
        pytest.param(NodesFrom(root=Path("x")), False, True, id="a host"),
    ],
)
def test_a_cluster_is_asked_only_where_it_is_meant(
    asked: NodesFrom, *, else_host: bool, is_here: bool
) -> None:
    assert is_here is finding.is_here(asked, else_host=else_host)


async def test_without_a_configuration_no_cluster_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("KUBECONFIG", "HOME", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="no cluster to ask"):
        await finding.find(NodesFrom(all_nodes=True, nfd_namespaces=["a"]))


def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="absent: cannot be read: No such file"):
        finding.here(NodesFrom(root=tmp_path / "absent"))
