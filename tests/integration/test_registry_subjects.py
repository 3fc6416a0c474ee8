"""Subjects that are no container images, in real registries and in a layout.

A Singularity image that was pushed as an artifact, an artifact with an empty config,
and a build's cache carry a spec as images do, and are judged on every platform.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.cli.specs import fetching
from app.cli.specs.options import Reach
from app.demo.content import Repository
from app.demo.layout import Layout
from app.oci.layouts import LayoutArtifacts
from app.ports import Missing
from tests.integration.test_registries import AMD64, ARM64, SPEC, reading, specs
from tests.tools import needed
from tests.tools.registries import distribution, push, referrers_registry
from tests.unit.oci.images.test_finding_subjects import KINDS, subjects

pytestmark = pytest.mark.integration

PROGRAMS = ("registry", "distribution", "docker-registry")
NOT_TAKEN = {
    ("build-cache-index", "distribution"),
    ("bundle", "distribution"),
    ("bundle", "docker-registry"),
}
"""These want every entry of an index to be a manifest that they have."""


def fill(repository: Repository, kind: str, *, has_spec: bool) -> None:
    """Puts one subject into a repository, under the tag `1`."""
    every = subjects(repository)
    subject = every.pop(kind)
    for other in every.values():
        del repository.types[str(other["digest"])]
    repository.tag(subject, "1")
    if has_spec:
        repository.attach(subject, SPEC, created="2026-03-01T00:00:00Z")


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Real registries by program, empty."""
    needed.programs("registry", "distribution", "docker-registry")
    with ExitStack() as stack:
        found = {}
        for name in PROGRAMS:
            folder = tmp_path_factory.mktemp(name)
            served = (
                referrers_registry(folder)
                if name == "registry"
                else distribution(folder, program=name)
            )
            found[name] = stack.enter_context(served)
        yield found


@pytest.mark.parametrize("has_spec", [True, False])
@pytest.mark.parametrize(
    ("kind", "program"),
    [(k, p) for k in KINDS for p in PROGRAMS if (k, p) not in NOT_TAKEN],
)
async def test_any_manifest_in_a_registry_can_carry_a_spec(
    kind: str, program: str, has_spec: bool, addresses: dict[str, str]
) -> None:
    address, name = addresses[program], f"org/{kind}-{has_spec}".lower()
    fill(repository := Repository(), kind, has_spec=has_spec)
    push(address, name, repository)
    async with reading(address) as artifacts:
        outcome = await artifacts.find(
            f"{address}/{name}:1", (AMD64, ARM64), deadline_seconds=10
        )
    assert [SPEC if has_spec else Missing()] * 2 == specs(outcome)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_command_line_reads_the_spec_of_a_sif(
    program: str,
    addresses: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    address = addresses[program]
    fill(repository := Repository(), "sif", has_spec=True)
    push(address, "org/shown", repository)
    reach = Reach(plain_http=True, quiet=True)
    assert SPEC == fetching.spec_of(f"{address}/org/shown:1", None, reach)


@pytest.mark.parametrize("has_spec", [True, False])
@pytest.mark.parametrize("kind", KINDS)
async def test_any_manifest_in_a_layout_can_carry_a_spec(
    kind: str, has_spec: bool, tmp_path: Path
) -> None:
    fill(layout := Layout(tmp_path / "subject"), kind, has_spec=has_spec)
    layout.close()
    artifacts = LayoutArtifacts(reads_any_folder=True)
    outcome = await artifacts.find(
        f"oci-layout://{layout.folder}:1", (AMD64, ARM64), deadline_seconds=10
    )
    assert [SPEC if has_spec else Missing()] * 2 == specs(outcome)
