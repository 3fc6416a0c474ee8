"""`make kind` as far as it goes without Docker: recorded programs, a real registry."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from app.compat.parse import read_for_admission
from app.demo.content import Repository
from app.oci.credentials import Keyring
from app.oci.limits import Limits
from app.oci.lookups.artifacts import RegistryArtifacts
from app.oci.registry.client import Shared
from app.oci.registry.guard import HostPolicy, RegistryPolicy
from app.oci.registry.transport import AiohttpTransport
from app.ports import Found, ImageOutcome, Missing, Platform, Resolved
from hack import kind
from tests.image.fakes import Fakes
from tests.tools.build import find
from tests.tools.registries import push, referrers_registry, tag_registry
from tests.tools.sandbox import ROOT

AMD64: Final = Platform("linux", "amd64")
NODES: Final = ("imagecompat-worker", "imagecompat-worker2")
CONFIG: Final = yaml.safe_load((ROOT / "kind-config.yaml").read_text())


def names(kind: str, nodes: tuple[str, ...]) -> str:
    return "".join(f"{kind}/{node}\n" for node in nodes)


@pytest.fixture(params=["referrers", "tag"])
def registry(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A registry that holds what `docker push` would have pushed."""
    start = {"referrers": referrers_registry, "tag": tag_registry}[request.param]
    folder = tmp_path / "registry"
    folder.mkdir()
    with start(folder) as address:
        for sample in kind.SAMPLES:
            content = Repository()
            content.tag(content.image("amd64", sample.name), "1")
            push(address, f"demo/{sample.name}", content)
        yield address


@pytest.fixture
def fakes(tmp_path: Path) -> Fakes:
    """Programs that behave as on a machine where nothing is there yet."""
    found = Fakes(tmp_path / "fakes")
    found.folder.mkdir()
    found.add("docker", "git", "helm", "kind", "kubectl")
    features = "nodefeature.nfd.k8s-sigs.io"
    found.answers = {
        "^kind version": (0, "kind v0.32.0 go1.25.0 linux/amd64\n"),
        "^kind get nodes": (0, "\n".join(("imagecompat-control-plane", *NODES))),
        "^docker inspect .*State.Running": (1, "no such object"),
        "^docker inspect .*Networks": (0, '{"bridge":{}}\n'),
        "imagetools inspect": (0, "sha256:" + "a" * 64),
        "^git log": (0, "1767225600\n"),
        "^kubectl .* get nodes ": (0, names("node", NODES)),
        "^kubectl .* get nodefeatures ": (0, names(features, NODES)),
        "^kubectl .* run misfit ": (1, "denied the request: [IC101] no node fits"),
        "^kubectl .* run ": (0, "pod/x created (server dry run)\n"),
    }
    return found


def call(
    fakes: Fakes, command: str, registry: str = "127.0.0.1:1"
) -> subprocess.CompletedProcess[str]:
    fakes.arm()
    return subprocess.run(
        [sys.executable, str(ROOT / "hack" / "kind.py"), command],
        env={"PATH": str(fakes.path), "IMAGECOMPAT_KIND_REGISTRY": registry},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


async def read(address: str, image: str) -> ImageOutcome:
    policy = RegistryPolicy({address: HostPolicy(plain_http=True, loopback=True)})
    limits = Limits()
    transport = AiohttpTransport(policy, limits)
    artifacts = RegistryArtifacts(
        Shared(transport, policy, Keyring(), limits, Silent())
    )
    try:
        return await artifacts.find(f"{address}/{image}", (AMD64,), deadline_seconds=10)
    finally:
        await artifacts.close()


class Silent:
    """Implements `Observer`."""

    def request(self, kind: str, outcome: str, *, seconds: float) -> None:
        del kind, outcome, seconds


async def test_everything_is_made_in_order_and_the_specs_are_found(
    fakes: Fakes, registry: str
) -> None:
    done = call(fakes, "up", registry)
    assert 0 == done.returncode, done.stderr
    order = [
        "docker run --detach",
        "kind create cluster --config kind-config.yaml",
        "docker exec imagecompat-control-plane mkdir",
        "docker network connect kind imagecompat-registry",
        "docker buildx build --tag imagecompat:kind",
        "kind load docker-image imagecompat:kind --name imagecompat",
        "helm upgrade --install nfd oci://registry.k8s.io/nfd/",
        "kubectl --context kind-imagecompat get nodefeatures",
        "helm upgrade --install imagecompat charts/imagecompat",
        "docker pull",
        f"docker push --quiet {registry}/demo/fits:1",
    ]
    first = [
        next(at for at, line in enumerate(fakes.calls) if line.startswith(beginning))
        for beginning in order
    ]
    assert sorted(first) == first
    for sample in kind.SAMPLES:
        outcome = await read(registry, f"demo/{sample.name}:1")
        assert isinstance(outcome, Resolved)
        artifact = outcome.platforms[AMD64]
        if sample.spec:
            assert isinstance(artifact, Found)
            assert sample.spec.encode() == artifact.content
        else:
            assert isinstance(artifact, Missing)
        assert shlex.join(kind.pod(sample)) in done.stdout


def test_what_is_there_is_not_made_again(fakes: Fakes) -> None:
    fakes.first("^docker inspect .*State.Running", 0, "true\n")
    fakes.first("^docker inspect .*Networks", 0, '{"bridge":{},"kind":{}}\n')
    fakes.first("^kind get clusters", 0, "other\nimagecompat\n")
    call(fakes, "up")
    unwanted = ("docker run", "docker start", "kind create", "docker network")
    assert [] == [line for line in fakes.calls if line.startswith(unwanted)]
    assert any(line.startswith("helm upgrade --install nfd") for line in fakes.calls)


def test_a_registry_that_was_stopped_is_started(fakes: Fakes) -> None:
    fakes.first("^docker inspect .*State.Running", 0, "false\n")
    call(fakes, "up")
    assert "docker start imagecompat-registry" in fakes.calls


def test_every_node_is_told_where_the_registry_is(fakes: Fakes) -> None:
    call(fakes, "up")
    wanted = "/etc/containerd/certs.d/imagecompat-registry:5000/hosts.toml"
    written = [line for line in fakes.calls if line.endswith(wanted)]
    assert [
        f"docker exec --interactive {node} cp /dev/stdin {wanted}"
        for node in (
            "imagecompat-control-plane",
            *NODES,
        )
    ] == written
    text = fakes.stdin("docker exec --interactive")
    assert '[host."http://imagecompat-registry:5000"]\n' == text


@pytest.mark.parametrize("program", kind.NEEDED)
@pytest.mark.parametrize("command", ["up", "try", "down"])
def test_a_missing_program_is_named_before_anything_is_done(
    fakes: Fakes, program: str, command: str
) -> None:
    (fakes.path / program).unlink()
    done = call(fakes, command)
    assert 3 == done.returncode
    assert f"kind: not on PATH: {program}\n" in done.stderr
    assert "docs/how-to/try-on-kind.md" in done.stderr
    assert [] == fakes.calls


def test_a_docker_that_does_not_answer_is_told(fakes: Fakes) -> None:
    fakes.first("^docker info", 1, "Cannot connect to the Docker daemon")
    done = call(fakes, "up")
    assert 3 == done.returncode
    assert "docker does not answer" in done.stderr
    assert "Cannot connect to the Docker daemon" in done.stderr
    assert ["docker info --format {{.ServerVersion}}"] == fakes.calls


@pytest.mark.parametrize("said", ["kind v0.26.0 go1.23.4 linux/amd64\n", "what?\n"])
def test_a_kind_that_is_too_old_is_refused(fakes: Fakes, said: str) -> None:
    fakes.first("^kind version", 0, said)
    done = call(fakes, "up")
    assert 3 == done.returncode
    assert f"kind 0.27 or newer is needed, got {said}" in done.stderr


@pytest.mark.parametrize(
    ("pattern", "step"),
    [
        ("^docker run", "registry 127.0.0.1:1"),
        ("^kind create", "cluster imagecompat"),
        ("^docker exec imagecompat-worker2", "cluster imagecompat"),
        ("^docker network connect", "cluster imagecompat"),
        ("^docker buildx build", "our image"),
        ("^kind load", "our image"),
        ("^helm .*nfd", "Node Feature Discovery 0.19.0"),
        ("^kubectl .*nodefeatures", "Node Feature Discovery 0.19.0"),
        ("^helm .*charts/imagecompat", "chart"),
        ("^docker pull", "images to try"),
        ("^docker push", "images to try"),
    ],
)
def test_a_step_that_fails_is_the_last_and_shows_what_was_said(
    fakes: Fakes, pattern: str, step: str
) -> None:
    fakes.first(pattern, 9, "out of luck")
    done = call(fakes, "up")
    assert 1 == done.returncode
    lines = done.stderr.splitlines()
    assert f"kind: {step}" == lines[-1 - lines[::-1].index(f"kind: {step}")]
    assert any(line.startswith("kind: failed: status ") for line in lines)
    assert "out of luck" in done.stderr
    steps = [
        f"kind: {name.replace(kind.OUTSIDE, '127.0.0.1:1')}" for name in kind.STEPS
    ]
    assert steps[: steps.index(f"kind: {step}") + 1] == [
        line for line in lines if line in steps
    ]
    assert "Try:" not in done.stdout


def test_a_spec_that_cannot_be_attached_is_a_failed_step(fakes: Fakes) -> None:
    done = call(fakes, "up")
    assert 1 == done.returncode
    assert "attach-spec --plain-http 127.0.0.1:1/demo/fits:1" in done.stderr
    assert "demo/fits:1: 127.0.0.1 cannot be reached (CannotConnect)" in done.stderr


def test_what_was_made_answers_as_expected(fakes: Fakes) -> None:
    done = call(fakes, "try")
    assert 0 == done.returncode, done.stderr
    asked = [line for line in fakes.calls if " run " in line]
    assert len(kind.SAMPLES) == len(asked)
    assert all(line.endswith(" --dry-run=server") for line in asked)
    assert "[IC101]" in done.stdout


@pytest.mark.parametrize(
    ("pattern", "status", "said", "problem"),
    [
        ("run misfit", 0, "pod/misfit created\n", "misfit was admitted"),
        ("run fits", 1, "denied: [IC101]", "fits: not the answer of imagecompat"),
        ("run misfit", 1, "connection refused", "misfit: not the answer of"),
    ],
)
def test_another_answer_is_a_failure(
    fakes: Fakes, pattern: str, status: int, said: str, problem: str
) -> None:
    fakes.first(pattern, status, said)
    done = call(fakes, "try")
    assert 1 == done.returncode
    assert f"kind: failed: {problem}" in done.stderr


def test_down_removes_the_cluster_and_the_registry(fakes: Fakes) -> None:
    assert 0 == call(fakes, "down").returncode
    assert [
        "kind delete cluster --name imagecompat",
        "docker rm --force --volumes imagecompat-registry",
    ] == fakes.calls[-2:]


@pytest.mark.parametrize("arguments", [[], ["sideways"], ["up", "down"]])
def test_another_command_is_refused(arguments: list[str]) -> None:
    assert 2 == kind.main(arguments)


@pytest.mark.parametrize("version", ["helm3", "helm4"])
def test_the_chart_takes_the_values_that_are_set(
    fakes: Fakes, version: str, tmp_path: Path
) -> None:
    call(fakes, "up")
    (line,) = (one for one in fakes.calls if "charts/imagecompat" in one)
    words = shlex.split(line)
    sets = [words[at : at + 2] for at, word in enumerate(words) if word == "--set"]
    command = [str(find(version)), "template", "imagecompat", "charts/imagecompat"]
    command += ["--namespace", "imagecompat", *(word for pair in sets for word in pair)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    objects = [one for one in yaml.safe_load_all(done.stdout) if one]
    assert ["docker.io/library/imagecompat:kind"] == images(objects)
    (settings,) = (
        yaml.safe_load(one["data"]["settings.yaml"])
        for one in objects
        if one["kind"] == "ConfigMap" and "settings.yaml" in one.get("data", {})
    )
    host = settings["registry"]["hosts"]["imagecompat-registry:5000"]
    assert {"plainHttp": True, "private": True} == {
        key: host[key] for key in ("plainHttp", "private")
    }


def images(objects: list[dict[str, Any]]) -> list[str]:
    return [
        container["image"]
        for one in objects
        if one["kind"] == "Deployment"
        for container in one["spec"]["template"]["spec"]["containers"]
    ]


@pytest.mark.parametrize("sample", kind.SAMPLES, ids=lambda sample: sample.name)
def test_the_specs_are_valid(sample: kind.Sample) -> None:
    if sample.spec:
        assert 1 == len(read_for_admission(sample.spec.encode()).compatibilities)
    else:
        assert sample.is_admitted


def test_the_configuration_has_only_fields_of_kind() -> None:
    """`kind` refuses others (v1alpha4, decoded strictly)."""
    assert "Cluster" == CONFIG["kind"]
    assert "kind.x-k8s.io/v1alpha4" == CONFIG["apiVersion"]
    assert kind.CLUSTER == CONFIG["name"]
    cluster = {"kind", "apiVersion", "name", "nodes", "networking", "featureGates"}
    cluster |= {"runtimeConfig", "kubeadmConfigPatches", "containerdConfigPatches"}
    node = {"role", "image", "labels", "extraMounts", "extraPortMappings"}
    assert cluster >= set(CONFIG)
    assert all(node | {"kubeadmConfigPatches"} >= set(one) for one in CONFIG["nodes"])
    roles = [one["role"] for one in CONFIG["nodes"]]
    assert ["control-plane", "worker", "worker"] == roles
