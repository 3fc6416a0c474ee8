"""A cluster on this machine to try imagecompat on: `python hack/kind.py up|try|down`.

`up` makes, and makes good what is missing when it is run again:

1. a registry in a container, `REGISTRY`, for this machine at 127.0.0.1:5055;
2. the kind cluster of kind-config.yaml, whose nodes pull from that registry;
3. our image, built from this checkout and loaded into the nodes;
4. Node Feature Discovery, until every worker node is described;
5. the chart of this checkout;
6. images to try, with compatibility specs attached.

`try` asks the cluster for one Pod of each image, as a dry run, and checks the answers.
`down` removes cluster and registry.

Needs docker, kind 0.27 or newer, kubectl and helm on PATH. Status 3: one is missing or
does not answer; 1: a step failed, and its command and output are shown.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent

CLUSTER: Final = "imagecompat"
CONTEXT: Final = f"kind-{CLUSTER}"
REGISTRY: Final = "imagecompat-registry"
INSIDE: Final = f"{REGISTRY}:5000"
"""The registry's name for nodes and Pods, and in the references of Pods."""
OUTSIDE: Final = os.environ.get("IMAGECOMPAT_KIND_REGISTRY", "127.0.0.1:5055")
"""The same for this machine; to be set where the port is taken."""
IMAGE: Final = "imagecompat:kind"
NFD: Final = "oci://registry.k8s.io/nfd/charts/node-feature-discovery"
NFD_VERSION: Final = "0.19.0"
NFD_NAMESPACE: Final = "node-feature-discovery"
PAUSE: Final = "registry.k8s.io/pause:3.10"
"""What the images to try run: nothing, in 700 KiB."""
OLDEST_KIND: Final = (0, 27)
"""From here on the nodes read /etc/containerd/certs.d."""
NEEDED: Final = ("docker", "kind", "kubectl", "helm")
CONTROL_PLANE: Final = "node-role.kubernetes.io/control-plane"
"""Tainted, so NFD's workers do not run there, and no Pod of ours goes there."""
DESCRIBED_SECONDS: Final = 180.0
FAILED, MISSING = 1, 3


class StepError(Exception):
    """A step failed; the message says which, and what the program said."""


class MissingError(Exception):
    """A program is missing or does not answer."""


@dataclass(frozen=True, slots=True)
class Sample:
    """An image to try.

    Attributes:
        name: its name, and its Pod's.
        spec: its compatibility spec; empty for none.
        meaning: for the person who tries it.
        is_admitted: what becomes of its Pod on any cluster of today.
    """

    name: str
    spec: str
    meaning: str
    is_admitted: bool = True

    @property
    def reference(self) -> str:
        """What a Pod says."""
        return f"{INSIDE}/demo/{self.name}:1"


def _needs_kernel(pattern: str) -> str:
    return f"""\
version: v1alpha1
compatibilities:
- description: kernel {pattern}
  rules:
  - name: kernel
    matchFeatures:
    - feature: kernel.version
      matchExpressions:
        full: {{op: InRegexp, value: ['{pattern}']}}
"""


SAMPLES: Final = (
    Sample(
        "fits", _needs_kernel(r"^([4-9]|[1-9][0-9]+)\."), "asks for Linux 4 or newer"
    ),
    Sample("misfit", _needs_kernel(r"^99\."), "asks for Linux 99", is_admitted=False),
    Sample("plain", "", "has no compatibility spec"),
)


def say(text: str) -> None:
    """Writes a line of progress."""
    print(f"kind: {text}", file=sys.stderr, flush=True)


def run(*command: str, text: str | None = None) -> str:
    """What a program prints.

    Raises:
        StepError: it failed.
    """
    done = subprocess.run(
        command, cwd=ROOT, input=text or "", capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        raise StepError(f"status {done.returncode}: {' '.join(command)}\n{said}")
    return done.stdout


def check_programs() -> None:
    """Raises `MissingError` unless all programs are there and new enough."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        raise MissingError(f"not on PATH: {', '.join(missing)}")
    try:
        run("docker", "info", "--format", "{{.ServerVersion}}")
    except StepError as error:
        raise MissingError(f"docker does not answer: {error}") from error
    said = run("kind", "version")
    match = re.search(r"v(\d+)\.(\d+)\.", said)
    version = (int(match[1]), int(match[2])) if match else (0, 0)
    if version < OLDEST_KIND:
        wanted = ".".join(map(str, OLDEST_KIND))
        raise MissingError(f"kind {wanted} or newer is needed, got {said.strip()}")


def registry() -> None:
    """Step 1."""
    try:
        running = run("docker", "inspect", "--format", "{{.State.Running}}", REGISTRY)
    except StepError:
        command = [
            "docker",
            "run",
            "--detach",
            "--restart",
            "always",
            "--name",
            REGISTRY,
        ]
        run(*command, "--publish", f"{OUTSIDE}:5000", "docker.io/library/registry:3")
        return
    if running.strip() != "true":
        run("docker", "start", REGISTRY)


def cluster() -> None:
    """Step 2."""
    if CLUSTER not in run("kind", "get", "clusters").split():
        run("kind", "create", "cluster", "--config", "kind-config.yaml", "--wait", "3m")
    folder = f"/etc/containerd/certs.d/{INSIDE}"
    for node in run("kind", "get", "nodes", "--name", CLUSTER).split():
        run("docker", "exec", node, "mkdir", "-p", folder)
        run(
            *("docker", "exec", "--interactive", node),
            *("cp", "/dev/stdin", f"{folder}/hosts.toml"),
            text=f'[host."http://{INSIDE}"]\n',
        )
    networks = "{{json .NetworkSettings.Networks}}"
    if '"kind"' not in run("docker", "inspect", "--format", networks, REGISTRY):
        run("docker", "network", "connect", "kind", REGISTRY)


def image() -> None:
    """Step 3."""
    # Without attestations, which `kind load` cannot take.
    run(sys.executable, "hack/image.py", IMAGE, "--", "--load", "--provenance=false")
    run("kind", "load", "docker-image", IMAGE, "--name", CLUSTER)


def _helm(release: str, chart: str, namespace: str, *arguments: str) -> None:
    command = ["helm", "upgrade", "--install", release, chart]
    command += ["--kube-context", CONTEXT, "--namespace", namespace]
    run(*command, "--create-namespace", "--wait", "--timeout", "5m", *arguments)


def features() -> None:
    """Step 4."""
    _helm("nfd", NFD, NFD_NAMESPACE, "--version", NFD_VERSION)
    ends = time.monotonic() + DESCRIBED_SECONDS
    while True:
        nodes = _names("nodes", "--selector", f"!{CONTROL_PLANE}")
        described = _names("nodefeatures", "--namespace", NFD_NAMESPACE)
        missing = sorted(nodes - described)
        if nodes and not missing:
            return
        if time.monotonic() > ends:
            raise StepError(f"no NodeFeature for {', '.join(missing) or 'any node'}")
        time.sleep(1)


def _names(kind: str, *arguments: str) -> set[str]:
    command = ["kubectl", "--context", CONTEXT, "get", kind, *arguments]
    said = run(*command, "--output", "name")
    return {line.rpartition("/")[2] for line in said.split()}


def chart() -> None:
    """Step 5."""
    host = INSIDE.replace(".", r"\.")
    settings = {
        "image.repository": "docker.io/library/imagecompat",
        "image.tag": "kind",
        "image.pullPolicy": "Never",
        f"registry.hosts.{host}.plainHttp": "true",
        f"registry.hosts.{host}.private": "true",
    }
    pairs = [
        part for key, value in settings.items() for part in ("--set", f"{key}={value}")
    ]
    _helm("imagecompat", "charts/imagecompat", "imagecompat", *pairs)


def samples() -> None:
    """Step 6."""
    run("docker", "pull", "--quiet", PAUSE)
    for sample in SAMPLES:
        name = f"demo/{sample.name}:1"
        run("docker", "tag", PAUSE, f"{OUTSIDE}/{name}")
        run("docker", "push", "--quiet", f"{OUTSIDE}/{name}")
        if sample.spec:
            command = (sys.executable, "-m", "app", "attach-spec", "--plain-http")
            run(*command, f"{OUTSIDE}/{name}", "--spec", "-", text=sample.spec)


STEPS: Final[dict[str, Callable[[], None]]] = {
    f"registry {OUTSIDE}": registry,
    f"cluster {CLUSTER}": cluster,
    "our image": image,
    f"Node Feature Discovery {NFD_VERSION}": features,
    "chart": chart,
    "images to try": samples,
}


def pod(sample: Sample) -> list[str]:
    """The command that asks for its Pod."""
    image = f"--image={sample.reference}"
    command = ["kubectl", "--context", CONTEXT, "run", sample.name, image]
    return [*command, "--restart=Never"]


def up() -> None:
    """All steps, then what to try."""
    check_programs()
    for name, step in STEPS.items():
        say(name)
        step()
    print("\nTry:\n")
    for sample in SAMPLES:
        print(f"  # {sample.meaning}\n  {' '.join(pod(sample))}\n")
    print("`make kind-try` does it as a dry run, `make kind-down` removes everything.")


def try_it() -> None:
    """Asks for a Pod of each image.

    Raises:
        StepError: an answer is not the expected one.
    """
    check_programs()
    for sample in SAMPLES:
        say(f"a Pod that {sample.meaning}")
        try:
            said = run(*pod(sample), "--dry-run=server")
        except StepError as error:
            print(error)
            if sample.is_admitted or "[IC" not in str(error):
                raise StepError(
                    f"{sample.name}: not the answer of imagecompat"
                ) from error
            continue
        print(said.strip())
        if not sample.is_admitted:
            raise StepError(f"{sample.name} was admitted")


def down() -> None:
    """Removes cluster and registry."""
    check_programs()
    run("kind", "delete", "cluster", "--name", CLUSTER)
    run("docker", "rm", "--force", "--volumes", REGISTRY)


COMMANDS: Final = {"up": up, "try": try_it, "down": down}


def main(arguments: Sequence[str]) -> int:
    """The exit status."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        COMMANDS[arguments[0]]()
    except MissingError as error:
        say(str(error))
        say("see docs/how-to/try-on-kind.md")
        return MISSING
    except StepError as error:
        say(f"failed: {error}")
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
