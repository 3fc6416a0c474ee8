"""The README's three commands, as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.test_examples import matches
from tests.tools.build import ToolError, find
from tests.tools.helm import ROOT, Helm
from tests.tools.world import Cluster, Release, started

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    for name in ("etcd", "kube-apiserver", "kubectl", "helm3"):
        try:
            find(name)
        except ToolError as error:
            pytest.skip(str(error))
    with started(tmp_path_factory.mktemp("readme")) as cluster:
        yield cluster


INSTALL = re.compile(
    r"<!-- cluster -->\n+```console\n(.*?)^```$", re.DOTALL | re.MULTILINE
)


def test_the_readmes_three_commands_install_it(
    cluster: Cluster, tmp_path: Path
) -> None:
    """As they stand there, by Helm 3, with the chart's default values."""
    (block,) = INSTALL.findall((ROOT / "README.md").read_text())
    steps = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    assert 3 == len(steps)
    (tmp_path / "helm").symlink_to(find("helm3"))
    (tmp_path / "kubectl").symlink_to(find("kubectl"))
    own = f"{tmp_path}{os.pathsep}{Path(sys.executable).parent}"
    environment = {
        **{k: v for k, v in os.environ.items() if k.startswith("COVERAGE_")},
        "PATH": f"{own}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "KUBECONFIG": str(cluster.server.kubeconfig),
        "LC_ALL": "C.UTF-8",
    }
    helm = Helm("helm3", cluster.server, cluster.folder / "helm3")
    with cluster.kubelet() as kubelet, Release(cluster, helm):
        for step in steps:
            command, _, expected = step.partition("\n")
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                timeout=180,
            )
            said = "".join(one.said()[-2000:] for one in kubelet.replicas())
            assert 0 == done.returncode, f"{done.stdout}\n{said}"
            assert matches(expected, done.stdout), f"$ {command}\n{done.stdout}"


def test_every_page_installs_it_the_same_way() -> None:
    """One line, wherever it stands."""
    (block,) = INSTALL.findall((ROOT / "README.md").read_text())
    first = block.splitlines()[0].removeprefix("$ ")
    for page in ("docs/how-to/install.md", "charts/imagecompat/README.md"):
        assert f"\n{first}\n" in (ROOT / page).read_text(), page
