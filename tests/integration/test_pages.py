"""What the README and the how-to pages tell people to type, typed.

A block of console behind `<!-- cluster -->` is run as it stands: each line, or, where
lines begin with `$`, each of those, with what it must print below it. Helm and kubectl
talk to a real API server; the Pods are processes of this machine.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.docs.test_examples import Command, commands, matches
from tests.tools import needed
from tests.tools.build import find
from tests.tools.client import ApiError, Client
from tests.tools.helm import NAMESPACE, RELEASE, ROOT, VERSIONS, Helm
from tests.tools.kubelet import Kubelet
from tests.tools.replica import Conditions
from tests.tools.servers import ApiServer
from tests.tools.world import FITS_NOWHERE, Cluster, Release, started

pytestmark = pytest.mark.integration

HOW_TO: Final = "docs/how-to"
BLOCK: Final = re.compile(
    r"<!-- cluster -->\n+```console\n(.*?)^```$", re.DOTALL | re.MULTILINE
)
SECONDS: Final = 180
IMPATIENT: Final = Conditions(environment={"IMAGECOMPAT_SERVER__DRAIN_SECONDS": "1"})
"""The values are the chart's own; only the drain is shorter, since nobody asks."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    needed.programs(*needed.CLUSTER)
    with started(tmp_path_factory.mktemp("pages")) as cluster:
        yield cluster


def blocks(page: str) -> list[str]:
    """The blocks of a page that are run on a cluster."""
    return BLOCK.findall((ROOT / page).read_text())


def typed(block: str) -> list[Command]:
    """The commands of a block; one without expectations may print anything."""
    if block.startswith("$ "):
        return commands(block.replace("$ kubectl", "$ \\kubectl"))
    return [Command(line, "...", 0) for line in block.splitlines()]


@dataclass(frozen=True)
class Shell:
    """A checkout of the repository, and an admin's terminal in it."""

    folder: Path
    environment: dict[str, str]
    kubelet: Kubelet

    def type(self, page: str, numbers: Sequence[int] = ()) -> int:
        """Runs blocks of a page, all by default; how many commands that were."""
        found = blocks(page)
        ran = 0
        for number in numbers or range(len(found)):
            for command in typed(found[number]):
                self._run(page, command)
                ran += 1
        return ran

    def run(self, command: str) -> None:
        """Runs one command, which may print anything."""
        self._run("", Command(command, "...", 0))

    def _run(self, page: str, command: Command) -> None:
        done = subprocess.run(
            ["bash", "-c", command.text],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        said = "".join(one.said()[-2000:] for one in self.kubelet.replicas())
        what = f"{page}: $ {command.text}\n{done.stdout}"
        assert command.status == done.returncode, f"{what}\n{said}"
        assert matches(command.expected, done.stdout), what


@pytest.fixture
def helm(request: pytest.FixtureRequest) -> str:
    """Which Helm is called `helm`."""
    return str(getattr(request, "param", "helm3"))


@pytest.fixture
def shell(cluster: Cluster, helm: str, tmp_path: Path) -> Iterator[Shell]:
    """A terminal, and a cluster without a release before and after."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "helm").symlink_to(find(helm))
    (programs / "kubectl").symlink_to(find("kubectl"))
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "charts").symlink_to(ROOT / "charts")
    own = f"{programs}{os.pathsep}{Path(sys.executable).parent}"
    environment = {
        **{k: v for k, v in os.environ.items() if k.startswith("COVERAGE_")},
        "PATH": f"{own}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "KUBECONFIG": str(cluster.server.kubeconfig),
        "LC_ALL": "C.UTF-8",
    }
    with (
        cluster.kubelet(conditions=IMPATIENT) as kubelet,
        Release(cluster, Helm(helm, cluster.server, cluster.folder / helm)),
    ):
        yield Shell(folder, environment, kubelet)


@contextlib.contextmanager
def namespaces_end(server: ApiServer, name: str) -> Iterator[None]:
    """Stands for the controller that ends a Namespace that was deleted."""
    leaving = threading.Event()

    def work() -> None:
        client = Client(server)
        while not leaving.wait(0.1):
            with contextlib.suppress(ApiError, OSError):
                found = client.find(f"/api/v1/namespaces/{name}")
                if found and "deletionTimestamp" in found["metadata"]:
                    found["spec"] = {"finalizers": []}
                    client.call("PUT", f"/api/v1/namespaces/{name}/finalize", found)
        client.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        leaving.set()
        thread.join()


def objects_left(server: ApiServer) -> list[str]:
    """What of the release is left in the cluster."""
    kinds = (
        "validatingwebhookconfigurations,mutatingwebhookconfigurations,clusterroles,"
        "clusterrolebindings,deployments,services,secrets,configmaps,serviceaccounts,"
        "roles,rolebindings,poddisruptionbudgets"
    )
    label = f"app.kubernetes.io/instance={RELEASE}"
    done = server.kubectl("get", kinds, "-A", "-l", label, "-o", "name")
    return done.stdout.split()


@pytest.mark.parametrize("helm", VERSIONS, indirect=True)
def test_the_readmes_three_commands_install_it(shell: Shell) -> None:
    """With the chart's default values."""
    assert 3 == shell.type("README.md")


def test_upgrade_rollback_and_break_glass_are_as_their_pages_say(
    cluster: Cluster, shell: Shell
) -> None:
    assert 3 == shell.type(f"{HOW_TO}/install.md")
    assert 4 == shell.type(f"{HOW_TO}/upgrade.md")
    first, *_ = (ROOT / HOW_TO / "break-glass.md").read_text().splitlines()
    shell.run(first.strip("`"))
    assert {} == cluster.configurations()
    assert 2 == shell.type(f"{HOW_TO}/break-glass.md")
    assert 2 == len(cluster.configurations())


def test_labels_are_set_and_everything_goes_as_the_pages_say(
    cluster: Cluster, shell: Shell
) -> None:
    server = cluster.server
    shell.type(f"{HOW_TO}/install.md")
    server.kubectl("create", "namespace", "ml")
    try:
        assert 2 == shell.type(f"{HOW_TO}/namespaces.md")
        with namespaces_end(server, NAMESPACE):
            assert 3 == shell.type(f"{HOW_TO}/uninstall.md", (0, 1))
        assert "imagecompat.dev/mode" not in server.call(
            "GET", "/api/v1/namespaces/ml"
        )["metadata"].get("labels", {})
    finally:
        server.kubectl("delete", "clusterrolebinding", "imagecompat-exemptions")
        server.remove_namespace("ml")
    shell.kubelet.wait_gone()
    assert [] == objects_left(server)
    assert "" == cluster.post(FITS_NOWHERE)


def test_without_helms_client_it_comes_and_goes_as_the_pages_say(
    cluster: Cluster, shell: Shell
) -> None:
    """`helm template | kubectl apply`; the namespace is not there yet."""
    server = cluster.server
    with contextlib.suppress(RuntimeError):
        server.remove_namespace(NAMESPACE)
    assert 3 == shell.type(f"{HOW_TO}/gitops.md")
    shell.kubelet.wait_ready(2)
    shell.run("imagecompat selftest")
    assert 2 == shell.type(f"{HOW_TO}/uninstall.md", (2,))
    shell.kubelet.wait_gone()
    assert [] == objects_left(server)


def test_the_values_for_high_availability_are_taken(shell: Shell) -> None:
    assert 1 == shell.type(f"{HOW_TO}/high-availability.md")
    assert 3 == len(shell.kubelet.wait_ready(3))
    shell.run("imagecompat selftest")


def test_every_page_installs_it_the_same_way() -> None:
    """One line, wherever it stands."""
    (block,) = blocks("README.md")
    first = block.splitlines()[0].removeprefix("$ ")
    for page in (f"{HOW_TO}/install.md", "charts/imagecompat/README.md"):
        assert f"\n{first}\n" in (ROOT / page).read_text(), page


def test_no_marked_block_is_left_out() -> None:
    """A page that is new here has to be typed by a test above."""
    marked = {
        str(page.relative_to(ROOT))
        for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
        if BLOCK.search(page.read_text())
    }
    names = "break-glass gitops high-availability install namespaces uninstall"
    names += " upgrade"
    assert {"README.md", *(f"{HOW_TO}/{name}.md" for name in names.split())} == marked
