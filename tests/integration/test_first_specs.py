"""An author's way: a first spec of an image, attached, and tested where it is.

The registry stands behind TLS of an authority of its own, and a password.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.demo.content import CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE, Repository, encode
from tests.integration.test_spec_commands import Place
from tests.tools import needed
from tests.tools.authority import Authority
from tests.tools.registries import (
    HTPASSWD,
    PASSWORD,
    READER,
    Guard,
    distribution,
    push,
)

pytestmark = pytest.mark.integration

HOSTS = Path(__file__).resolve().parent.parent / "data" / "hosts"


def images() -> Repository:
    """`cuda`, which says what driver it needs, and `multi` for two platforms."""
    repository = Repository()
    said = {
        "os": "linux",
        "architecture": "amd64",
        "config": {"Env": ["NVIDIA_REQUIRE_CUDA=cuda>=12.4"]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": repository.blob(CONFIG_TYPE, encode(said)),
        "layers": [repository.blob(LAYER_TYPE, b"layer")],
    }
    repository.tag(repository.manifest(MANIFEST_TYPE, manifest), "cuda")
    children = [(one, repository.image(one, one)) for one in ("amd64", "arm64")]
    repository.tag(repository.index(children), "multi")
    return repository


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    needed.programs("distribution")
    with distribution(tmp_path) as address:
        push(address, "org/app", images())
    guard = Guard(Authority(tmp_path / "authority"), htpasswd=HTPASSWD)
    assert guard.authority is not None
    options = ("--ca-file", str(guard.authority.ca), "--registry-username", READER)
    with distribution(tmp_path, guard) as address:
        yield Place(address, (*options, "--registry-password-stdin"), PASSWORD)


def test_first_specs_are_attached_and_tested_in_the_registry(
    place: Place, tmp_path: Path
) -> None:
    """The password is on standard input once, for however many images."""
    named = {tag: f"{place.address}/org/app:{tag}" for tag in ("cuda", "multi")}
    for tag, image in named.items():
        file = str(tmp_path / f"{tag}.yaml")
        ran = place.run("init-spec", "--image", image, "-f", file)
        assert (0, "", "") == (ran.returncode, ran.stdout, ran.stderr)
        ran = place.run("attach-spec", image, "--spec", file)
        assert 0 == ran.returncode, ran.stderr
    suite = tmp_path / "suite.yaml"
    suite.write_text(f"""\
apiVersion: imagecompat.dev/v1alpha1
kind: SpecTest
specs:
- {{name: cuda, image: "{named["cuda"]}"}}
- {{name: multi, image: "{named["multi"]}"}}
- {{name: arm64, image: "{named["multi"]}", platform: linux/arm64}}
nodes:
- file: {HOSTS}
matrix:
- nodes: [ubuntu2404-metal-h100, amzn2-eks-m5, ubuntu2204-eks-graviton3]
  specs:
    cuda: [yes, no, no]
    multi: [yes, yes, yes]
    arm64: [yes, yes, yes]
""")
    ran = place.run("test-spec", str(suite))
    assert (0, "9 passed, 0 failed\n", "") == (ran.returncode, ran.stdout, ran.stderr)


def test_what_a_registry_says_no_to_is_not_known(place: Place) -> None:
    image = f"{place.address}/org/app:cuda"
    ran = place.run("init-spec", "--image", image, options=place.options[:2])
    assert (3, "") == (ran.returncode, ran.stdout)
    assert ran.stderr.endswith("(Unauthorized)\n")
    assert 1 == ran.stderr.count("\n")
