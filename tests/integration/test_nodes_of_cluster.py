"""Nodes of a real API server: exported, validated, refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.cli.nodes import document, reading
from app.compat.features import Features
from app.demo import nodes as hosts
from app.scheduling.node import Taint
from tests.tools.servers import ApiServer, Rule, free_port

pytestmark = pytest.mark.integration

NFD = "node-feature-discovery"
NODES = "/api/v1/nodes"
CRD = (
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
    "nodefeatures.nfd.k8s-sigs.io"
)
MAY_LIST: list[Rule] = [
    {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]},
    {
        "apiGroups": ["nfd.k8s-sigs.io"],
        "resources": ["nodefeatures"],
        "verbs": ["list"],
    },
]
SPEC = """\
version: v1alpha1
compatibilities:
- rules:
  - name: gpu
    matchFeatures:
    - feature: pci.device
      matchExpressions:
        vendor: {op: In, value: ["10de"]}
        class: {op: In, value: ["0302", "0300"]}
"""
KNOWN = {
    name: features
    for name, features in hosts.recorded().items()
    if name in {"ubuntu2404-metal-h100", "rhel9-rt-edge"}
}


@dataclass(frozen=True)
class Ran:
    """What a command left behind."""

    status: int
    out: str
    err: str


def run(*arguments: str, kubeconfig: Path | None = None) -> Ran:
    """`imagecompat ARGUMENTS`, as its user runs it."""
    keep = {k: v for k, v in os.environ.items() if k.startswith("COVERAGE_")}
    own = {} if kubeconfig is None else {"KUBECONFIG": str(kubeconfig)}
    done = subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**keep, "PATH": os.environ["PATH"], "HOME": "/nonexistent", **own},
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def published(name: str, features: Features, folder: Path) -> list[dict[str, Any]]:
    """The NodeFeature of a host, as our own export writes it."""
    path = folder / f"{name}.json"
    content: dict[str, Any] = {
        kind: {
            one: {"elements": _elements(kind, elements)}
            for one, elements in getattr(features, kind).items()
        }
        for kind in ("flags", "attributes", "instances")
    }
    path.write_text(json.dumps(content))
    made = run("export", "--nodes", str(path), "-o", "nodefeatures", "-q")
    assert 0 == made.status, made.err
    items: list[dict[str, Any]] = json.loads(made.out)["items"]
    return items


def _elements(kind: str, elements: Any) -> Any:
    if kind == "flags":
        return {one: {} for one in elements or ()}
    if kind == "instances":
        return [{"attributes": dict(one)} for one in elements]
    return dict(elements or {})


@pytest.fixture(scope="module")
def server(
    apiserver: ApiServer, tmp_path_factory: pytest.TempPathFactory, _crd: None
) -> Iterator[ApiServer]:
    """Two hosts that NFD describes, and one that it does not."""
    folder = tmp_path_factory.mktemp("published")
    for name in (*KNOWN, "silent"):
        body = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {"pool": name[:5]}},
            "spec": {"taints": [{"key": "edge", "effect": "NoSchedule"}]}
            if "edge" in name
            else {},
        }
        apiserver.call("POST", NODES, body)
    made = [
        item for name, one in KNOWN.items() for item in published(name, one, folder)
    ]
    listed = {"apiVersion": "v1", "kind": "List", "items": made}
    apiserver.kubectl(
        "apply", "--server-side", "--filename=-", stdin=json.dumps(listed)
    )
    yield apiserver
    for name in (*KNOWN, "silent"):
        apiserver.call("DELETE", f"{NODES}/{name}")
    for one in made:
        apiserver.kubectl(
            "delete", "nodefeature", one["metadata"]["name"], f"--namespace={NFD}"
        )


@pytest.fixture(scope="module")
def reader(server: ApiServer) -> Path:
    """The kubeconfig of somebody who may list what is needed, and nothing else."""
    return server.service_account("nodes-reader", MAY_LIST)


@pytest.fixture
def spec(tmp_path: Path) -> str:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC)
    return str(path)


def test_a_cluster_is_exported_with_no_more_than_the_right_to_list(
    reader: Path,
) -> None:
    ran = run("export", kubeconfig=reader)
    assert 0 == ran.status, ran.err
    (note,) = ran.err.splitlines()
    assert ", silent, " in note, "no kubelet has labelled it"
    found = document.decode(ran.out.encode())
    assert {*KNOWN, "silent"} == set(found.nodes)
    assert KNOWN.keys() == found.features.keys()
    for name, features in KNOWN.items():
        assert features.attributes.keys() == found.features[name].attributes.keys()
        assert features.instances == found.features[name].instances
    edge = found.nodes["rhel9-rt-edge"]
    assert (Taint("edge", "", "NoSchedule"), "rhel9") == (
        edge.taints[0],
        edge.labels["pool"],
    )


@pytest.mark.parametrize(
    ("chosen", "names"),
    [
        pytest.param(("--node", "silent"), {"silent"}, id="a name"),
        pytest.param(("-l", "pool in (rhel9)"), {"rhel9-rt-edge"}, id="labels"),
        pytest.param(
            ("-l", "pool=rhel9", "--node", "rhel9-rt-edge"),
            {"rhel9-rt-edge"},
            id="both",
        ),
        pytest.param(("--all-nodes",), {*KNOWN, "silent"}, id="all"),
    ],
)
def test_some_nodes_are_chosen_by_the_api_server(
    reader: Path, chosen: tuple[str, ...], names: set[str]
) -> None:
    ran = run("export", "-q", *chosen, kubeconfig=reader)
    assert 0 == ran.status, ran.err
    found = document.decode(ran.out.encode())
    assert (names, names & KNOWN.keys()) == (set(found.nodes), set(found.features))


@pytest.mark.parametrize(
    ("chosen", "status"),
    [
        pytest.param(("--node", "ubuntu2404-metal-h100"), 0, id="fits"),
        pytest.param(("--node", "rhel9-rt-edge"), 1, id="does not"),
        pytest.param(("--node", "silent"), 3, id="unknown"),
        pytest.param(("--all-nodes",), 1, id="all"),
        pytest.param(("-l", "pool=ubunt"), 0, id="labels"),
        pytest.param(("-l", "pool=none"), 2, id="no node"),
        pytest.param(("--node", "absent"), 2, id="no such node"),
    ],
)
def test_nodes_of_a_cluster_are_validated(
    reader: Path, spec: str, chosen: tuple[str, ...], status: int
) -> None:
    ran = run("validate-node", "--spec", spec, *chosen, kubeconfig=reader)
    assert status == ran.status, ran.err
    assert (status == 2) == (ran.out == "")


def test_what_kubectl_prints_is_what_we_list(
    server: ApiServer, reader: Path, tmp_path: Path
) -> None:
    listed = document.decode(run("export", kubeconfig=reader).out.encode())
    what = ("get", "nodes,nodefeatures.nfd.k8s-sigs.io", f"--namespace={NFD}")
    for form in ("json", "yaml"):
        path = tmp_path / f"all.{form}"
        path.write_text(server.kubectl(*what, f"--output={form}").stdout)
        read = reading.read([str(path)])
        assert listed.nodes == read.snapshot.nodes
        assert listed.features == read.snapshot.features
        assert frozenset() == read.inferred


def test_the_exported_objects_are_what_the_cluster_holds(
    server: ApiServer, reader: Path
) -> None:
    ran = run("export", "-o", "nodefeatures", "-q", kubeconfig=reader)
    done = server.kubectl(
        "diff", "--server-side", "--filename=-", stdin=ran.out, check=False
    )
    assert (0, "") == (done.returncode, done.stdout), done.stderr


@pytest.mark.parametrize(
    ("rules", "missing"),
    [
        pytest.param(MAY_LIST[1:], "no right to list nodes", id="nodes"),
        pytest.param(
            MAY_LIST[:1], f"no right to list nodefeatures in {NFD}", id="features"
        ),
    ],
)
def test_a_missing_right_is_named(
    server: ApiServer, rules: list[Rule], missing: str
) -> None:
    config = server.service_account(
        f"no-{missing[17:22].strip()}-{len(missing)}", rules
    )
    ran = run("export", kubeconfig=config)
    assert (3, "") == (ran.status, ran.out)
    assert f"imagecompat: {missing}: the API server answered 403" in ran.err
    assert 1 == ran.err.count("\n")


def test_credentials_that_have_expired_are_said(server: ApiServer, spec: str) -> None:
    config = server.write_kubeconfig("expired", token="gone")
    ran = run("validate-node", "--spec", spec, "--all-nodes", kubeconfig=config)
    assert (3, "") == (ran.status, ran.out)
    assert "the credentials are not accepted, or have expired" in ran.err
    assert 1 == ran.err.count("\n")


def test_a_cluster_that_cannot_be_reached_is_said(
    server: ApiServer, tmp_path: Path
) -> None:
    config = yaml.safe_load(server.kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{free_port()}"
    path = tmp_path / "elsewhere"
    path.write_text(json.dumps(config))
    ran = run("export", kubeconfig=path)
    assert (3, "") == (ran.status, ran.out)
    assert ran.err.startswith("imagecompat: no way to the API server")
    assert 1 == ran.err.count("\n")


def test_without_any_cluster_nothing_is_exported() -> None:
    ran = run("export")
    assert (2, "") == (ran.status, ran.out)
    assert "no cluster to ask" in ran.err


def test_without_the_kind_every_node_is_unknown(
    server: ApiServer, spec: str, tmp_path: Path
) -> None:
    """On another API server, which never had it."""
    with ApiServer(
        tmp_path / "bare", server.etcd, flags=["--etcd-prefix=/bare"]
    ) as bare:
        bare.call(
            "POST",
            NODES,
            {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}},
        )
        ran = run(
            "validate-node", "--spec", spec, "--all-nodes", kubeconfig=bare.kubeconfig
        )
    assert 3 == ran.status
    assert "the kind NodeFeature is not installed" in ran.out
