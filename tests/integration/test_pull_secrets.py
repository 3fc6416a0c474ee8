"""Pull secrets from a real API server, by a ServiceAccount that may read some.

The registry asks for a password. What a Pod's own Secret opens is judged for that
Pod, and for no other: whatever stands in memory, an image is unauthorized for who
does not hold the same. `onUnauthorized` is deny here, so that nothing passes unseen.

* `team-a`: the settings and a Role let us read its Secrets and ServiceAccounts.
* `team-b`: the settings do, and no Role.
* `team-c`: a Role does, and the settings do not.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from app.admission.review import Response, Review
from app.bootstrap.wiring import Wired, wire
from app.demo import certificates, images
from app.demo.registry import Basic, Registry
from app.settings import loading
from tests.tools import background
from tests.tools.servers import ApiServer

pytestmark = pytest.mark.integration

USER, PASSWORD = "reader", "canary-7f3a"
NODE = "ubuntu2404-metal-h100"
FITS_NOWHERE = "cuda-13.0"
START_SECONDS = 20.0
TEAMS = ("team-a", "team-b", "team-c")
READABLE = ("team-a", "team-c")
JUDGED, UNAUTHORIZED, UNAVAILABLE = "[IC101]", "[IC203]", "[IC202]"
API = "/api/v1/namespaces"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
WATCHED = [
    {
        "apiGroups": [""],
        "resources": ["nodes", "namespaces"],
        "verbs": ["get", "list", "watch"],
    },
    {
        "apiGroups": ["nfd.k8s-sigs.io"],
        "resources": ["nodefeatures"],
        "verbs": ["list", "watch"],
    },
]


@dataclass(frozen=True)
class World:
    """What the tests talk to."""

    server: ApiServer
    registry: Registry
    kubeconfig: Path
    folder: Path

    @property
    def image(self) -> str:
        return f"{self.registry.address}/team/app:1"

    @asynccontextmanager
    async def webhook(self, **pull_secrets: Any) -> AsyncIterator[Wired]:
        """The webhook's parts, joined as `serve` joins them; ready when entered."""
        allowed = {"read": "namespaces", "namespaces": ["team-a", "team-b"]}
        host = {"plainHttp": True, "plainHttpCredentials": True, "loopback": True}
        content = json.dumps(
            {
                "server": {
                    "certificate": str(self.folder / "tls.crt"),
                    "privateKey": str(self.folder / "tls.key"),
                },
                "cluster": {"kubeconfig": str(self.kubeconfig)},
                "policy": {"onUnauthorized": "deny", "onUnavailable": "deny"},
                "registry": {
                    "hosts": {self.registry.address: host},
                    "pullSecrets": allowed | pull_secrets,
                },
            }
        )
        file = self.folder / "settings.yaml"
        file.write_text(content)
        wired = wire(loading.load(file), file)
        async with wired.running():
            ends = time.monotonic() + START_SECONDS
            while wired.health.problems():
                assert time.monotonic() < ends, wired.health.problems()
                await asyncio.sleep(0.02)
            yield wired


@pytest.fixture(scope="module")
def world(
    apiserver: ApiServer, _crd: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A node, a registry with a password, and three teams with the same Secret."""
    registry = Registry(auth=Basic({USER: PASSWORD}))
    repository = registry.repository("team/app")
    image = repository.image("amd64", "app")
    repository.tag(image, "1")
    spec = images.spec(FITS_NOWHERE)
    repository.attach(image, spec, created="2026-03-01T00:00:00Z")
    folder = tmp_path_factory.mktemp("webhook")
    certificates.write_pair(folder)
    kubeconfig = apiserver.service_account("pull-secrets", WATCHED)
    put_node(apiserver)
    for team in TEAMS:
        apiserver.put(API, {"apiVersion": "v1", "kind": "Namespace"}, team)
    for team in READABLE:
        grant(apiserver, team)
    with background.serving([registry]):
        for team in TEAMS:
            create_secret(apiserver, team, registry.address)
        yield World(apiserver, registry, kubeconfig, folder)
    for team in TEAMS:
        apiserver.remove_namespace(team)
    apiserver.kubectl("delete", "node", NODE)
    apiserver.kubectl("delete", "nodefeature", NODE, "-n", "node-feature-discovery")


def put_node(server: ApiServer) -> None:
    labels = {"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"labels": labels}}
    server.put("/api/v1/nodes", node, NODE)
    path = resources.files("app.demo") / "data" / "hosts" / f"{NODE}.json"
    namespace = "node-feature-discovery"
    feature = {
        "apiVersion": "nfd.k8s-sigs.io/v1alpha1",
        "kind": "NodeFeature",
        "metadata": {
            "name": NODE,
            "namespace": namespace,
            "labels": {"nfd.node.kubernetes.io/node-name": NODE},
        },
        "spec": {"features": json.loads(path.read_text()), "labels": {}},
    }
    server.kubectl("apply", "-f", "-", stdin=json.dumps(feature))


def grant(server: ApiServer, namespace: str) -> None:
    """The Role that the chart makes for a namespace."""
    role = {
        "rules": [
            {
                "apiGroups": [""],
                "resources": ["secrets", "serviceaccounts"],
                "verbs": ["get"],
            }
        ]
    }
    server.put(f"{RBAC}/namespaces/{namespace}/roles", role, "pull-secrets")
    account = {"kind": "ServiceAccount", "name": "pull-secrets", "namespace": "default"}
    reference = {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "Role",
        "name": "pull-secrets",
    }
    binding = {"roleRef": reference, "subjects": [account]}
    server.put(f"{RBAC}/namespaces/{namespace}/rolebindings", binding, "pull-secrets")


def create_secret(server: ApiServer, namespace: str, registry: str) -> None:
    """As anybody makes one."""
    server.kubectl(
        *("create", "secret", "docker-registry", "regcred", "-n", namespace),
        f"--docker-server={registry}",
        f"--docker-username={USER}",
        f"--docker-password={PASSWORD}",
    )


def pod(image: str, *secrets: str, **spec: object) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "one"},
        "spec": {
            "containers": [{"name": "main", "image": image}],
            "imagePullSecrets": [{"name": name} for name in secrets],
            **spec,
        },
    }


async def said(
    wired: Wired, namespace: str, obj: dict[str, Any], **fields: str
) -> Response:
    review = Review(
        uid="u",
        operation="CREATE",
        namespace=namespace,
        object=obj,
        **({"kind": "Pod", "resource": "pods"} | fields),  # type: ignore[arg-type]
    )
    return await wired.reviewer.validate(review, deadline_seconds=8.0)


async def why(wired: Wired, namespace: str, obj: dict[str, Any]) -> str:
    """The code of a denial."""
    response = await said(wired, namespace, obj)
    assert not response.allowed
    assert PASSWORD not in response.message
    return response.message[:7]


def read(wired: Wired, event: str) -> float:
    """How often a Secret was read, or not."""
    label = f'{{event="{event}",resource="secrets"}} '
    for line in wired.metrics.text().decode().splitlines():
        if line.startswith("imagecompat_pull_secret_reads_total") and label in line:
            return float(line.rpartition(" ")[2])
    return 0.0


async def test_a_pods_secret_opens_its_image_for_that_pod_and_for_no_other(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    mine, nobodys = pod(world.image, "regcred"), pod(world.image)
    async with world.webhook() as wired:
        assert UNAUTHORIZED == await why(wired, "team-a", nobodys)
        assert JUDGED == await why(wired, "team-a", mine)
        for namespace, obj in (
            ("team-a", nobodys),
            ("team-b", nobodys),
            ("team-b", mine),
            ("team-c", mine),
            ("default", mine),
        ):
            assert UNAUTHORIZED == await why(wired, namespace, obj), namespace
        assert JUDGED == await why(wired, "team-a", mine)
        assert (1.0, 1.0) == (read(wired, "read"), read(wired, "Forbidden"))
        assert 2.0 <= read(wired, "withheld")
        metrics = wired.metrics.text().decode()
    for text in (caplog.text, metrics):
        assert PASSWORD not in text
        assert "regcred" not in text


async def test_by_default_no_secret_is_read(world: World) -> None:
    async with world.webhook(read="none") as wired:
        mine = pod(world.image, "regcred")
        assert UNAUTHORIZED == await why(wired, "team-a", mine)
        assert 0.0 == read(wired, "read")


async def test_named_secrets_are_read_by_their_names(world: World) -> None:
    world.server.kubectl("create", "secret", "generic", "other", "-n", "team-a")
    mine = pod(world.image, "other", "regcred")
    async with world.webhook(read="named", names=["team-a/other"]) as wired:
        assert UNAUTHORIZED == await why(wired, "team-a", mine)
        assert 1.0 == read(wired, "read")
    async with world.webhook(read="named", names=["team-a/regcred"]) as wired:
        assert JUDGED == await why(wired, "team-a", mine)
        assert UNAUTHORIZED == await why(wired, "team-c", mine)
        assert 1.0 == read(wired, "read")


async def test_a_secret_that_is_not_there_keeps_no_other_away(world: World) -> None:
    async with world.webhook() as wired:
        mine = pod(world.image, "absent", "regcred")
        assert JUDGED == await why(wired, "team-a", mine)
        assert (1.0, 1.0) == (read(wired, "read"), read(wired, "absent"))


async def test_a_broken_secret_is_told_by_its_name(world: World) -> None:
    """As the kubelet, which pulls nothing then; the API server looks at JSON alone."""
    auths = {"r.example": {"auth": PASSWORD}}
    world.server.kubectl(
        *("create", "secret", "generic", "broken", "-n", "team-a"),
        "--type=kubernetes.io/dockerconfigjson",
        f"--from-literal=.dockerconfigjson={json.dumps({'auths': auths})}",
    )
    async with world.webhook() as wired:
        mine = pod(world.image, "regcred", "broken")
        response = await said(wired, "team-a", mine)
        assert UNAVAILABLE == response.message[:7]
        assert "Secret broken" in response.message
        assert PASSWORD not in response.message
        assert JUDGED == await why(wired, "team-a", pod(world.image, "regcred"))


async def test_a_secret_that_was_changed_counts_when_its_time_is_over(
    world: World,
) -> None:
    name, mine = "changing", pod(world.image, "changing")
    async with world.webhook(seconds=0.2) as wired:
        assert UNAUTHORIZED == await why(wired, "team-a", mine)
        found = world.server.call("GET", f"{API}/team-a/secrets/regcred")
        made = {key: found[key] for key in ("apiVersion", "kind", "type", "data")}
        world.server.put(f"{API}/team-a/secrets", made, name)
        await asyncio.sleep(0.2)
        assert JUDGED == await why(wired, "team-a", mine)
        world.server.call("DELETE", f"{API}/team-a/secrets/{name}")
        await asyncio.sleep(0.2)
        assert UNAUTHORIZED == await why(wired, "team-a", mine)


# ServiceAccounts -----------------------------------------------------------------


@pytest.fixture(scope="module")
def robot(world: World) -> str:
    """An account whose Pods get a pull secret."""
    for team in TEAMS:
        account = {"imagePullSecrets": [{"name": "regcred"}]}
        world.server.put(f"{API}/{team}/serviceaccounts", account, "robot")
    return "robot"


@pytest.mark.parametrize(
    ("namespace", "expected"), [("team-a", JUDGED), ("team-b", ""), ("team-c", "")]
)
async def test_a_templates_account_names_its_secrets(
    world: World, robot: str, namespace: str, expected: str
) -> None:
    template = pod(world.image, serviceAccountName=robot)
    deployment = {"metadata": {"name": "web"}, "spec": {"template": template}}
    async with world.webhook() as wired:
        fields = {"kind": "Deployment", "group": "apps", "resource": "deployments"}
        response = await said(wired, namespace, deployment, **fields)
        assert response.allowed
        assert expected in " ".join(response.warnings)
        assert bool(expected) is (JUDGED in " ".join(response.warnings))


async def test_the_api_server_has_copied_an_accounts_secrets_into_a_pod(
    world: World, robot: str, tmp_path: Path
) -> None:
    """Before any webhook is asked: which is why no account is read for a Pod."""
    with ApiServer(
        tmp_path,
        world.server.etcd,
        authority=world.server.authority,
        flags=["--disable-admission-plugins="],
    ) as server:
        given = pod(world.image, serviceAccountName=robot)
        del given["spec"]["imagePullSecrets"]
        made = server.call("POST", f"{API}/team-a/pods?dryRun=All", given)
    assert [{"name": "regcred"}] == made["spec"]["imagePullSecrets"]
    async with world.webhook() as wired:
        assert UNAUTHORIZED == await why(wired, "team-a", given)
        assert JUDGED == await why(wired, "team-a", made)
