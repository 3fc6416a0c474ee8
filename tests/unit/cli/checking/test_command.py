"""What `command` is besides what `test_check.py` sees of it."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.checker.gathering import DEFAULT_PLATFORM
from app.cli.checking import command, live
from app.cli.checking.images import Images
from app.cli.checking.manifests import Found
from app.cli.checking.options import What
from app.cli.checking.typed import Wanted
from app.cli.installed import asking
from app.cli.nodes.options import NodesFrom
from app.cli.reports.formats import ReportFormat
from app.cli.specs.options import Reach
from app.ports import Platform
from tests.unit.cli.checking.conftest import IMAGE, Files, manifest
from tests.unit.cli.fakeapi import FakeApi


def test_nothing_slow_comes_in_where_nobody_is_asked(files: Files) -> None:
    """A cluster's client and settings take longer to import than all else."""
    code = (
        "import sys\n"
        "from app.cli.frame import running\n"
        f"running.run({['imagecompat', 'check', '-f', files.train, *files.given]!r})\n"
        "slow = {'aiohttp', 'kubernetes', 'pydantic', 'rich'}\n"
        "print(sorted(slow & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert ("[]\n", True) == (done.stderr, "can run it" in done.stdout)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """A cluster with a Deployment in a namespace of mode audit."""
    labels = {"imagecompat.dev/mode": "audit"}
    found = FakeApi(
        {
            "/apis/apps/v1/namespaces/ml/deployments/web": manifest("web"),
            "/api/v1/namespaces/ml": {"metadata": {"name": "ml", "labels": labels}},
            "/api/v1/namespaces/lab": 403,
        }
    )

    class Opened:
        def __init__(self, **_: object) -> None: ...

        async def __aenter__(self) -> FakeApi:
            return found

        async def __aexit__(self, *_: object) -> None: ...

    monkeypatch.setattr(asking, "opened", Opened)
    return found


def wanted(files: Files, *objects: str, namespace: str | None = None) -> Wanted:
    what = What(spec=[f"{IMAGE}={files.spec}"], namespace=namespace)
    nodes = NodesFrom(files=[files.hosts], names=["old"])
    return Wanted(objects=objects, what=what, output=ReportFormat.JSON, nodes=nodes)


async def test_live_objects_are_judged_on_nodes_of_files(
    files: Files, api: FakeApi
) -> None:
    result = await command.run(wanted(files, "deploy/web", namespace="ml"))
    (workload,) = json.loads(result.text)["workloads"]
    assert (1, "allow") == (result.code, workload["action"])
    assert api.asked


async def test_a_template_of_the_cluster_without_an_image_is_a_note(
    files: Files, api: FakeApi
) -> None:
    """Its API server took it: there is nothing to run, and nothing broken."""
    web = manifest("web")
    web["spec"]["template"]["spec"]["containers"] = []
    api.objects["/apis/apps/v1/namespaces/ml/deployments/web"] = web
    asked = wanted(files, "deploy/web", namespace="ml")
    asked = replace(asked, what=What(namespace="ml"))
    result = await command.run(asked)
    found = json.loads(result.text)
    note = "Deployment web was not judged: no image could be read in it"
    assert (0, [], True) == (result.code, found["workloads"], note in found["notes"])


async def test_a_runtime_class_of_the_cluster_counts(
    files: Files, api: FakeApi
) -> None:
    web = manifest("web")
    web["spec"]["template"]["spec"]["runtimeClassName"] = "kata"
    api.objects["/apis/apps/v1/namespaces/ml/deployments/web"] = web
    kata = {"scheduling": {"nodeSelector": {"pool": "kata"}}}
    api.objects["/apis/node.k8s.io/v1/runtimeclasses/kata"] = kata
    result = await command.run(wanted(files, "deploy/web", namespace="ml"))
    (workload,) = json.loads(result.text)["workloads"]
    assert {"NodeAffinity": 1} == workload["excluded"]


async def test_a_runtime_class_that_is_not_there_is_noted(
    files: Files, api: FakeApi
) -> None:
    web = manifest("web")
    web["spec"]["template"]["spec"]["runtimeClassName"] = "kata"
    api.objects["/apis/apps/v1/namespaces/ml/deployments/web"] = web
    result = await command.run(wanted(files, "deploy/web", namespace="ml"))
    note = "there is no RuntimeClass kata: its Pods are refused"
    assert note in json.loads(result.text)["notes"]


async def test_the_webhooks_own_namespace_is_that_of_its_settings(
    files: Files, api: FakeApi
) -> None:
    settings = files.write("settings.yaml", "certificates: {namespace: lab}\n")
    path = files.write("web.json", manifest("web"))
    asked = wanted(files)
    what = What(manifests=[path], spec=asked.what.spec, namespace="lab")
    reach = Reach(settings=Path(settings))
    result = await command.run(
        Wanted(what=what, output=asked.output, nodes=asked.nodes, reach=reach)
    )
    (workload,) = json.loads(result.text)["workloads"]
    assert ("", []) == (workload["action"], workload["texts"])
    assert not api.asked


async def test_the_contexts_namespace_is_meant(
    files: Files, api: FakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    one = {"name": "x", "context": {"namespace": "ml"}}
    config.write_text(json.dumps({"current-context": "x", "contexts": [one]}))
    monkeypatch.setenv("KUBECONFIG", str(config))
    result = await command.run(wanted(files, "deploy/web"))
    assert "Deployment web" == json.loads(result.text)["workloads"][0]["name"]
    assert "/apis/apps/v1/namespaces/ml/deployments/web" == api.asked[0][0]


@pytest.mark.parametrize(
    ("what", "namespace"),
    [(What(every=True), "ml"), (What(everywhere=True), None)],
)
@pytest.mark.usefixtures("api")
async def test_all_of_a_namespace_or_of_the_cluster_is_read(
    files: Files,
    monkeypatch: pytest.MonkeyPatch,
    what: What,
    namespace: str | None,
) -> None:
    seen: list[str | None] = []

    async def read_all(_: object, where: str | None, into: Found) -> None:
        seen.append(where)
        into.take(manifest("web", namespace="lab"), "cluster")

    monkeypatch.setattr(live, "read_all", read_all)
    monkeypatch.setattr(command, "_namespace", lambda _: "ml")
    asked = Wanted(
        what=What(
            every=what.every, everywhere=what.everywhere, spec=[f"{IMAGE}={files.spec}"]
        ),
        output=ReportFormat.JSON,
        nodes=NodesFrom(files=[files.hosts]),
    )
    result = await command.run(asked)
    assert [namespace] == seen
    notes = json.loads(result.text)["notes"]
    assert any(note.startswith("namespace lab: its mode is not") for note in notes)


async def test_labels_of_namespaces_among_the_manifests_come_first(
    files: Files, api: FakeApi
) -> None:
    """They are what will hold when all of them are applied."""
    labels = {"imagecompat.dev/mode": "warn"}
    namespace = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "ml", "labels": labels},
    }
    path = files.write("ns.json", namespace)
    asked = wanted(files, "deploy/web", namespace="ml")
    what = What(manifests=[path], spec=asked.what.spec, namespace="ml")
    result = await command.run(
        Wanted(objects=asked.objects, what=what, output=asked.output, nodes=asked.nodes)
    )
    assert "warn" == json.loads(result.text)["workloads"][0]["action"]
    assert "/api/v1/namespaces/ml" not in [path for path, _, _ in api.asked]


async def test_where_no_node_tells_its_platform_images_are_looked_up_for_the_usual_one(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the checker will ask for it: else each is asked for twice."""
    seen: list[frozenset[Platform]] = []

    async def look_up(
        _: Images, __: list[str], platforms: frozenset[Platform], ___: object
    ) -> None:
        seen.append(frozenset(platforms))

    monkeypatch.setattr(Images, "look_up", look_up)
    nodes = NodesFrom(files=[files.write("odd/mystery.json", {"flags": {}})])
    what = What(manifests=[files.train], offline=True)
    await command.run(Wanted(what=what, output=ReportFormat.JSON, nodes=nodes))
    assert [frozenset({DEFAULT_PLATFORM})] == seen
