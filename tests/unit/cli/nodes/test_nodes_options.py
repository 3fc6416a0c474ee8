"""The options that say which nodes."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from app.cli.nodes.options import NodesFrom, with_nodes
from app.errors import ConfigError


def run(*arguments: str) -> NodesFrom:
    """What a command with one argument is given."""
    seen: list[NodesFrom] = []

    def command(image: str, *, nodes_from: NodesFrom) -> None:
        assert "an-image" == image
        seen.append(nodes_from)

    app = typer.Typer()
    app.command()(with_nodes(command))
    done = CliRunner().invoke(app, ["an-image", *arguments])
    assert 0 == done.exit_code, done.exception
    return seen[0]


def test_a_command_without_options_asks_for_no_nodes_in_particular() -> None:
    assert NodesFrom() == run()
    assert not run().is_of_cluster


def test_each_option_of_files_arrives() -> None:
    expected = NodesFrom(
        files=["a.json", "folder"],
        names=["one", "two"],
        selector="pool=gpu",
        nfd_namespaces=["nfd", "gpu"],
    )
    words = (
        "--nodes a.json --features folder --node one --node two -l pool=gpu "
        "--nfd-namespace nfd --nfd-namespace gpu"
    )
    assert expected == run(*words.split())


def test_each_option_of_a_cluster_arrives() -> None:
    expected = NodesFrom(all_nodes=True, kubeconfig=Path("file"), context="kind")
    assert expected == run("--all-nodes", "--kubeconfig", "file", "--context", "kind")
    assert NodesFrom(root=Path("/host")) == run("--root", "/host")


@pytest.mark.parametrize(
    ("nodes_from", "is_of_cluster"),
    [
        pytest.param(NodesFrom(all_nodes=True), True, id="all"),
        pytest.param(NodesFrom(names=["a"]), True, id="a name"),
        pytest.param(NodesFrom(selector=""), True, id="a selector"),
        pytest.param(NodesFrom(context="a"), True, id="a context"),
        pytest.param(NodesFrom(kubeconfig=Path("a")), True, id="a kubeconfig"),
        pytest.param(NodesFrom(files=["a"], names=["a"]), False, id="of a file"),
        pytest.param(NodesFrom(root=Path("/host")), False, id="a host"),
        pytest.param(NodesFrom(nfd_namespaces=["a"]), False, id="a namespace"),
    ],
)
def test_some_options_can_only_mean_a_cluster(
    nodes_from: NodesFrom, *, is_of_cluster: bool
) -> None:
    assert is_of_cluster is nodes_from.is_of_cluster


@pytest.mark.parametrize(
    ("nodes_from", "text"),
    [
        pytest.param(
            NodesFrom(files=["a"], all_nodes=True),
            "--nodes and --all-nodes: only one can be given",
            id="files and all",
        ),
        pytest.param(
            NodesFrom(files=["a"], kubeconfig=Path("b")),
            "--nodes and --kubeconfig: only one can be given",
            id="files and a kubeconfig",
        ),
        pytest.param(
            NodesFrom(files=["a"], context="b"),
            "--nodes and --context: only one can be given",
            id="files and a context",
        ),
        pytest.param(
            NodesFrom(files=["a"], root=Path("b")),
            "--nodes and --root: only one can be given",
            id="files and a host",
        ),
        pytest.param(
            NodesFrom(root=Path("b"), all_nodes=True),
            "--root and --all-nodes: only one can be given",
            id="a host and all",
        ),
        pytest.param(
            NodesFrom(root=Path("b"), names=["a"]),
            "--root and --node: only one can be given",
            id="a host and a name",
        ),
        pytest.param(
            NodesFrom(root=Path("b"), selector="a"),
            "--root and --selector: only one can be given",
            id="a host and a selector",
        ),
        pytest.param(
            NodesFrom(root=Path("b"), nfd_namespaces=["a"]),
            "--root and --nfd-namespace: only one can be given",
            id="a host and a namespace",
        ),
        pytest.param(
            NodesFrom(names=["a"], all_nodes=True),
            "--all-nodes and --node: only one can be given",
            id="all and one",
        ),
    ],
)
def test_options_that_exclude_each_other_are_named(
    nodes_from: NodesFrom, text: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        nodes_from.check()
    assert ("InvalidOptions", text) == (caught.value.reason, caught.value.message)
